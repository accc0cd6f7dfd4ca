use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Estimate;

/// How the training of one model went.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Training {
    /// The model's name, such as `user-model`.
    pub(crate) model: String,
    /// What the model does, in a sentence; may be empty.
    pub(crate) purpose: String,
    /// Trainable numbers.
    pub(crate) parameters: Option<u64>,
    /// Optimiser steps.
    pub(crate) steps: Option<u64>,
    /// How long it took.
    pub(crate) seconds: Option<f64>,
    /// What is measured on the validation window, such as `NDCG@10`.
    pub(crate) validation_metric: String,
    /// Whether a lower value of it is better, as for a loss or a perplexity.
    pub(crate) lower_is_better: bool,
    /// The learning curve, one entry an epoch.
    pub(crate) epochs: Vec<Epoch>,
    /// The epoch whose weights were kept, as in [`Epoch::epoch`].
    pub(crate) best_epoch: Option<u64>,
    /// Why training ended, such as `no improvement for 3 epochs`; may be empty.
    pub(crate) ended: String,
}

/// One epoch of a learning curve.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(
    clippy::struct_field_names,
    reason = "the names are those of the training record"
)]
pub(crate) struct Epoch {
    /// The epoch, from 0; the page counts from 1.
    pub(crate) epoch: u64,
    /// Mean training loss.
    pub(crate) train_loss: f64,
    /// The validation metric.
    pub(crate) validation: Option<f64>,
}

/// How well the models foresee the shoppers' next orders.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Evaluation {
    /// Name of the data.
    pub(crate) dataset: String,
    /// `test` or `validation`.
    pub(crate) split: String,
    /// First day of the validation window.
    pub(crate) validation_start: Option<String>,
    /// First day of the test window; what is before is history.
    pub(crate) test_start: Option<String>,
    /// Last day of the test window.
    pub(crate) test_end: Option<String>,
    /// The form of NDCG in words: gains, discount, ideal.
    pub(crate) ndcg_form: String,
    /// Resamples of the bootstrap behind the intervals.
    pub(crate) bootstrap_resamples: Option<u64>,
    /// Products that could be recommended.
    pub(crate) candidates: Option<u64>,
    /// Shoppers who ordered in the window without any history, left out.
    pub(crate) cold_shoppers: Option<u64>,
    /// Targets left out because nobody had bought them before the cut.
    pub(crate) unsold_targets: Option<u64>,
    /// The tasks, in the order of their display; a task of `rows` that is missing here is shown after them.
    pub(crate) tasks: Vec<EvaluationTask>,
    /// One row a task and model.
    pub(crate) rows: Vec<EvaluationRow>,
    /// The default model against the best baseline on the same shoppers.
    pub(crate) differences: Vec<Difference>,
}

/// What one task asks and of whom.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct EvaluationTask {
    /// The task's name, `new-items` or `repeats`.
    pub(crate) name: String,
    /// What it asks, in a sentence; may be empty.
    pub(crate) question: String,
    /// Shoppers scored.
    pub(crate) shoppers: Option<u64>,
}

/// One model on one task; the same JSON as a row of `hawker evaluate --json`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct EvaluationRow {
    /// The task's name.
    pub(crate) task: String,
    /// The model's name.
    pub(crate) model: String,
    /// What sort of row it is.
    pub(crate) kind: RowKind,
    /// Whether it is the model that the shop is served with.
    pub(crate) default: bool,
    /// The figures, by names such as `hr@10`, `ndcg@10`, `coverage@10`.
    pub(crate) metrics: BTreeMap<String, Estimate>,
}

/// What sort of row of the evaluation table it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RowKind {
    /// A counting rule or factorisation to be beaten.
    #[default]
    Baseline,
    /// A learnt model.
    Model,
    /// A figure quoted from a publication.
    Published,
}

/// How much better one model is than another on the same shoppers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(
    clippy::struct_field_names,
    reason = "the names are those of the recommender's evaluation"
)]
pub(crate) struct Difference {
    /// The task's name.
    pub(crate) task: String,
    /// The metric, such as `ndcg@10`.
    pub(crate) metric: String,
    /// The default model.
    pub(crate) model: String,
    /// What it is compared with.
    pub(crate) baseline: String,
    /// Mean over shoppers of the difference, with its paired bootstrap interval.
    pub(crate) difference: Estimate,
}
