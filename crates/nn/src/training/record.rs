use std::collections::BTreeMap;
use std::path::Path;

use crate::{NnError, write_checked_json};
use serde::{Deserialize, Serialize};

/// The file of a run's learning curve.
const RECORD: &str = "training.json";

/// What was measured on held-out data, by name.
pub type Figures = BTreeMap<String, f64>;

/// How a call of a model's training ended.
#[derive(Debug)]
pub enum Training<M> {
    /// The model is trained and saved.
    Finished(Box<M>, TrainingRecord),
    /// The progress function asked to stop; the next call goes on from here.
    Paused(TrainingRecord),
}

/// How a training run went; saved as `training.json` beside the model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TrainingRecord {
    /// The learning curve, one entry an epoch.
    pub epochs: Vec<EpochRecord>,
    /// The epoch whose weights were kept.
    pub best_epoch: Option<u64>,
    /// Optimiser steps taken.
    pub steps: u64,
    /// Tokens that were read, padding left out; older versions did not count a user model's.
    #[serde(default)]
    pub tokens: u64,
    /// Trainable numbers of the model.
    pub parameters: usize,
    /// Whether training came to its end.
    pub finished: bool,
}

/// One epoch of a learning curve.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "StoredEpoch")]
pub struct EpochRecord {
    /// The epoch, from 0.
    pub epoch: u64,
    /// Mean loss over the epoch's steps.
    pub train_loss: f64,
    /// What was measured on held-out data at its end; empty where nothing was held out.
    pub validation: Figures,
}

/// An epoch as this version and those before wrote it.
#[derive(Deserialize)]
struct StoredEpoch {
    epoch: u64,
    train_loss: f64,
    /// The copywriter wrote `null` for a part without texts.
    #[serde(default)]
    validation: BTreeMap<String, Option<f64>>,
    /// What the user model wrote in the place of `validation`.
    validation_ndcg: Option<f64>,
}

impl From<StoredEpoch> for EpochRecord {
    fn from(stored: StoredEpoch) -> Self {
        let ndcg = ("ndcg_at_10".to_owned(), stored.validation_ndcg);
        let figures = stored.validation.into_iter().chain([ndcg]);
        Self {
            epoch: stored.epoch,
            train_loss: stored.train_loss,
            validation: figures
                .filter_map(|(name, figure)| Some((name, figure?)))
                .collect(),
        }
    }
}

impl TrainingRecord {
    /// Writes the record where the training loop does, in the folder of the model.
    ///
    /// # Errors
    /// [`NnError::Io`] where the file cannot be written.
    pub fn save(&self, folder: &Path) -> Result<(), NnError> {
        write_checked_json(&folder.join(RECORD), self)
    }

    /// The entry of the epoch whose weights were kept.
    pub fn best(&self) -> Option<&EpochRecord> {
        let best = self.best_epoch?;
        self.epochs.iter().find(|epoch| epoch.epoch == best)
    }
}

/// Where training stands, told after every step and every epoch.
///
/// The time is the caller's, who has a clock: tokens a second are the tokens told since the last look at it.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// Optimiser steps taken.
    pub step: u64,
    /// Steps of the whole run, were it not to end early.
    pub total_steps: u64,
    /// The epoch in progress or at its end, from 0.
    pub epoch: u64,
    /// Most epochs there will be.
    pub epochs: u64,
    /// Steps of this epoch that are done.
    pub step_in_epoch: u64,
    /// Steps of this epoch.
    pub steps_in_epoch: u64,
    /// What was done last.
    pub done: Done,
}

/// What a training run did last.
#[derive(Debug, Clone, PartialEq)]
pub enum Done {
    /// An optimiser step.
    Step {
        /// Its mean loss.
        loss: f64,
        /// Its learning rate.
        learning_rate: f64,
        /// The norm of its gradients before clipping.
        gradient_norm: f64,
        /// Tokens that it read, padding left out.
        tokens: u64,
    },
    /// An epoch.
    Epoch(EpochRecord),
}

impl Progress {
    /// What a chart of the run shows at [`Progress::step`], under tags as `TensorBoard` groups them: `train/loss`,
    /// `train/learning_rate` and `train/gradient_norm` of a step, `train/epoch_loss` and `validation/NAME` of an epoch.
    pub fn scalars(&self) -> Vec<(String, f64)> {
        match &self.done {
            Done::Step {
                loss,
                learning_rate,
                gradient_norm,
                ..
            } => vec![
                ("train/loss".to_owned(), *loss),
                ("train/learning_rate".to_owned(), *learning_rate),
                ("train/gradient_norm".to_owned(), *gradient_norm),
            ],
            Done::Epoch(record) => {
                let figures = record.validation.iter();
                let figures = figures.map(|(name, figure)| (format!("validation/{name}"), *figure));
                let loss = ("train/epoch_loss".to_owned(), record.train_loss);
                std::iter::once(loss).chain(figures).collect()
            }
        }
    }
}

/// Rounds to nine decimals, so that a number survives being written as JSON and read again bit by bit.
pub(super) fn round9(value: f64) -> f64 {
    (value * 1e9).round() / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_older_versions_are_read() {
        let user_model = r#"{"best_epoch": 1, "epochs": [
            {"epoch": 0, "train_loss": 2.5, "validation_ndcg": null},
            {"epoch": 1, "train_loss": 2.25, "validation_ndcg": 0.125}
        ], "finished": true, "parameters": 7, "steps": 12}"#;
        let record: TrainingRecord = serde_json::from_str(user_model).expect("an old record");
        assert!(record.epochs[0].validation.is_empty());
        let best = record.best().expect("epoch 1");
        let figures = Figures::from([("ndcg_at_10".to_owned(), 0.125)]);
        assert_eq!((best.train_loss, &best.validation), (2.25, &figures));
        assert_eq!((record.steps, record.tokens), (12, 0));
        let copywriter = r#"{"best_epoch": 0, "epochs": [{"epoch": 0, "train_loss": 5.0, "validation":
            {"all": 4.0, "templates": 4.5, "composed": null, "products": null}}],
            "finished": false, "parameters": 9, "steps": 3, "tokens": 640, "vocabulary": 80}"#;
        let record: TrainingRecord = serde_json::from_str(copywriter).expect("an old record");
        let figures = [("all".to_owned(), 4.0), ("templates".to_owned(), 4.5)];
        assert_eq!(record.epochs[0].validation, Figures::from(figures));
        assert_eq!(record.tokens, 640);
        let text = serde_json::to_string(&record).expect("plain values");
        let back: TrainingRecord = serde_json::from_str(&text).expect("this version's");
        assert_eq!(back, record);
    }

    #[test]
    fn a_chart_gets_every_scalar_of_a_step_and_of_an_epoch() {
        let mut progress = Progress {
            step: 3,
            total_steps: 8,
            epoch: 0,
            epochs: 2,
            step_in_epoch: 3,
            steps_in_epoch: 4,
            done: Done::Step {
                loss: 2.0,
                learning_rate: 0.25,
                gradient_norm: 1.5,
                tokens: 64,
            },
        };
        let scalar = |tag: &str, value| (tag.to_owned(), value);
        let of_step = [
            scalar("train/loss", 2.0),
            scalar("train/learning_rate", 0.25),
            scalar("train/gradient_norm", 1.5),
        ];
        assert_eq!(progress.scalars(), of_step);
        progress.done = Done::Epoch(EpochRecord {
            epoch: 0,
            train_loss: 2.5,
            validation: Figures::from([("ndcg".to_owned(), 0.125)]),
        });
        let of_epoch = [
            scalar("train/epoch_loss", 2.5),
            scalar("validation/ndcg", 0.125),
        ];
        assert_eq!(progress.scalars(), of_epoch);
    }
}
