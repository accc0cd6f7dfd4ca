use serde::{Deserialize, Serialize};

/// How a training run went; saved as `training.json` beside the model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TrainingRecord {
    /// The learning curve, one entry an epoch.
    pub epochs: Vec<EpochRecord>,
    /// The epoch whose weights were kept.
    pub best_epoch: Option<u64>,
    /// Optimiser steps taken.
    pub steps: u64,
    /// Trainable numbers of the model.
    pub parameters: usize,
    /// Whether training came to its end.
    pub finished: bool,
}

/// One epoch of a learning curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// The epoch, from 0.
    pub epoch: u64,
    /// Mean of the multi-task loss over the epoch's steps.
    pub train_loss: f64,
    /// NDCG@10 of the task `new-items` on the validation window; absent without one.
    pub validation_ndcg: Option<f64>,
}

/// Where training stands, told after every step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// The epoch in progress, from 0.
    pub epoch: u64,
    /// Most epochs there will be.
    pub epochs: u64,
    /// Steps of this epoch that are done.
    pub step_in_epoch: u64,
    /// Steps of this epoch.
    pub steps_in_epoch: u64,
    /// Loss of the step.
    pub loss: f64,
    /// Interactions that the step read, padding left out.
    pub interactions: usize,
    /// NDCG@10 on the validation window, at the end of an epoch.
    pub validation_ndcg: Option<f64>,
}

/// Rounds to nine decimals, so that a number survives being written as JSON and read again bit by bit.
pub(super) fn round9(value: f64) -> f64 {
    (value * 1e9).round() / 1e9
}
