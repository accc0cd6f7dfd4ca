//! The training loop: epochs, early stopping, checkpoints.

use std::ops::ControlFlow;
use std::path::Path;

use nn::{AdamW, AdamWConfig, Checkpoint, NnError, SHARDS, TrainingState, WarmupCosine, generator};
use serde::{Deserialize, Serialize};

use super::config::UserModelConfig;
use super::gradients::batch_gradients;
use super::history::History;
use super::model::UserModel;
use super::plan::{Planned, epoch_batches};
use super::record::{EpochRecord, Progress, TrainingRecord, round9};
use super::validation::validation_ndcg;
use super::window::Window;
use crate::{Corpus, HeldOut, RecommenderError};

/// The folder of the run's checkpoint, inside the model's folder.
const CHECKPOINT: &str = "checkpoint";
const RECORD: &str = "training.json";
const BETA2: f64 = 0.98;

/// How a call of [`train`] ended.
#[derive(Debug)]
pub enum Training {
    /// The model is trained and saved.
    Finished(Box<UserModel>, TrainingRecord),
    /// The progress function asked to stop; the next call goes on from here.
    Paused(TrainingRecord),
}

/// Trains a user model on a corpus and saves it in a folder.
///
/// With a validation window, training stops once its NDCG@10 on new items has not risen for `patience` epochs, and the
/// best epoch's weights are kept; without one it runs all epochs and keeps the last. `training` must end before the
/// validation window: pass [`HeldOut::training`].
///
/// A checkpoint in the folder is resumed when it belongs to the same data and settings, and the result is then
/// bit-identical to a run that was never stopped; otherwise training starts anew. `progress` is called after every
/// step.
///
/// # Errors
/// [`RecommenderError::Setting`] for a bad configuration, [`RecommenderError::Empty`] where nobody bought anything,
/// [`RecommenderError::Nn`] where a file cannot be read or written, or the loss is no longer finite, and what
/// [`Corpus::check`] finds.
pub fn train(
    training: &Corpus,
    validation: Option<&HeldOut>,
    config: &UserModelConfig,
    folder: &Path,
    progress: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Training, RecommenderError> {
    let mut run = Run::start(training, config, folder)?;
    if run.state.record.finished {
        return run.finish(training, folder);
    }
    let batches_of_an_epoch = epoch_batches(&run.histories, config, 0).len() as u64;
    let schedule = WarmupCosine {
        peak: config.learning_rate,
        floor: config.learning_rate / 100.0,
        warmup_steps: (config.warmup_share * (config.epochs * batches_of_an_epoch) as f64) as u64,
        total_steps: config.epochs * batches_of_an_epoch,
    };
    while run.epoch < config.epochs && !run.is_out_of_patience() {
        let batches = epoch_batches(&run.histories, config, run.epoch);
        let steps_in_epoch = batches.len() as u64;
        while run.step_in_epoch < steps_in_epoch {
            let told = run.step(
                &batches[run.step_in_epoch as usize],
                &schedule,
                steps_in_epoch,
            )?;
            let paused = progress(&told).is_break();
            if paused || run.step.is_multiple_of(config.checkpoint_steps) {
                run.save_checkpoint()?;
            }
            if paused {
                return Ok(Training::Paused(run.state.record));
            }
        }
        let told = run.end_epoch(validation, folder, steps_in_epoch)?;
        let paused = progress(&told).is_break();
        run.save_checkpoint()?;
        if paused {
            return Ok(Training::Paused(run.state.record));
        }
    }
    run.state.record.finished = true;
    run.save_checkpoint()?;
    run.finish(training, folder)
}

/// A training run in progress.
struct Run {
    model: UserModel,
    optimiser: AdamW,
    histories: Vec<History>,
    checkpoint: Checkpoint,
    step: u64,
    epoch: u64,
    step_in_epoch: u64,
    state: Extra,
}

/// What the checkpoint keeps beside weights, moments and position.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Extra {
    /// Tells data and settings apart from others.
    fingerprint: String,
    /// Sum of the losses of the epoch in progress, in millionths: whole numbers survive JSON exactly.
    loss_sum_millionths: i64,
    record: TrainingRecord,
}

impl Run {
    fn start(
        training: &Corpus,
        config: &UserModelConfig,
        folder: &Path,
    ) -> Result<Self, RecommenderError> {
        let model = UserModel::untrained(training, config)?;
        if training.purchases().next().is_none() {
            return Err(RecommenderError::Empty {
                what: "the list of purchases",
                remedy: "import orders before training",
            });
        }
        let histories = training.sequences.iter();
        let histories = histories.map(|s| History::new(&s.interactions)).collect();
        let mut state = Extra {
            fingerprint: fingerprint(training, config),
            ..Extra::default()
        };
        state.record.parameters = model.parameter_count();
        let optimiser = AdamW::new(AdamWConfig {
            beta2: BETA2,
            weight_decay: config.weight_decay,
            ..AdamWConfig::default()
        });
        let mut run = Self {
            model,
            optimiser,
            histories,
            checkpoint: Checkpoint::at(&folder.join(CHECKPOINT))?,
            step: 0,
            epoch: 0,
            step_in_epoch: 0,
            state,
        };
        run.resume()?;
        Ok(run)
    }

    /// Takes up the checkpoint in the folder where it belongs to this run.
    fn resume(&mut self) -> Result<(), RecommenderError> {
        let Some(found) = self.checkpoint.state()? else {
            return Ok(());
        };
        let extra = serde_json::from_value::<Extra>(found.extra).ok();
        let Some(extra) = extra.filter(|e| e.fingerprint == self.state.fingerprint) else {
            return Ok(());
        };
        self.checkpoint
            .load(&self.model.network.store, &mut self.optimiser)?;
        (self.step, self.epoch, self.step_in_epoch) =
            (found.step, found.epoch, found.step_in_epoch);
        self.state = extra;
        Ok(())
    }

    fn step(
        &mut self,
        planned: &[Planned],
        schedule: &WarmupCosine,
        steps_in_epoch: u64,
    ) -> Result<Progress, NnError> {
        let config = &self.model.config;
        let items = self.model.catalogue.len();
        let mut rng = generator(config.seed, "step", self.step);
        let windows: Vec<Window> = planned
            .iter()
            .map(|window| {
                Window::training(
                    &self.histories[window.history],
                    items,
                    window.last_block,
                    config.max_length,
                    config.targets_per_window,
                    &mut rng,
                )
            })
            .collect();
        let (value, gradients) =
            batch_gradients(&self.model, &windows, SHARDS, self.step, &mut rng)?;
        if !value.is_finite() {
            return Err(NnError::NotFinite {
                quantity: "the loss",
                value,
                step: self.step,
            });
        }
        let rate = schedule.at(self.step);
        let store = &self.model.network.store;
        self.optimiser
            .step_named(store, &gradients, rate, config.clip_norm)?;
        self.step += 1;
        self.step_in_epoch += 1;
        self.state.loss_sum_millionths += (value * 1e6).round() as i64;
        self.state.record.steps = self.step;
        Ok(Progress {
            epoch: self.epoch,
            epochs: config.epochs,
            step_in_epoch: self.step_in_epoch,
            steps_in_epoch,
            loss: value,
            interactions: windows.iter().map(|w| w.tokens.len() - 1).sum(),
            validation_ndcg: None,
        })
    }

    /// Scores the validation window, keeps the weights where they are the best so far, and opens the next epoch.
    fn end_epoch(
        &mut self,
        validation: Option<&HeldOut>,
        folder: &Path,
        steps_in_epoch: u64,
    ) -> Result<Progress, RecommenderError> {
        self.model.refresh()?;
        let shoppers = self.model.config.validation_shoppers;
        let score = validation
            .map(|held_out| validation_ndcg(&self.model, held_out, shoppers))
            .transpose()?;
        let record = &mut self.state.record;
        let best = record.epochs.iter().filter_map(|e| e.validation_ndcg);
        let best = best.fold(f64::NEG_INFINITY, f64::max);
        let mean = self.state.loss_sum_millionths as f64 / 1e6 / steps_in_epoch.max(1) as f64;
        record.epochs.push(EpochRecord {
            epoch: self.epoch,
            train_loss: round9(mean),
            validation_ndcg: score,
        });
        if score.is_none_or(|score| score > best) {
            record.best_epoch = Some(self.epoch);
            self.model.save(folder)?;
        }
        nn::write_checked_json(&folder.join(RECORD), &self.state.record)?;
        self.epoch += 1;
        self.step_in_epoch = 0;
        self.state.loss_sum_millionths = 0;
        Ok(Progress {
            epoch: self.epoch - 1,
            epochs: self.model.config.epochs,
            step_in_epoch: steps_in_epoch,
            steps_in_epoch,
            loss: mean,
            interactions: 0,
            validation_ndcg: score,
        })
    }

    fn is_out_of_patience(&self) -> bool {
        let record = &self.state.record;
        let best = record.best_epoch.unwrap_or(0);
        record.epochs.len() as u64 > best + self.model.config.patience
    }

    fn save_checkpoint(&self) -> Result<(), RecommenderError> {
        let record = &self.state.record;
        let scores = record.epochs.iter().filter_map(|e| e.validation_ndcg);
        let state = TrainingState {
            step: self.step,
            epoch: self.epoch,
            step_in_epoch: self.step_in_epoch,
            seed: self.model.config.seed,
            best_metric: scores.max_by(f64::total_cmp),
            best_epoch: record.best_epoch,
            extra: serde_json::to_value(&self.state).unwrap_or_default(),
        };
        let store = &self.model.network.store;
        Ok(self.checkpoint.save(store, &self.optimiser, &state)?)
    }

    /// Reads the kept weights back, which are the best epoch's and not the last one's.
    fn finish(self, training: &Corpus, folder: &Path) -> Result<Training, RecommenderError> {
        nn::write_checked_json(&folder.join(RECORD), &self.state.record)?;
        let model = UserModel::load(folder, training)?;
        Ok(Training::Finished(Box::new(model), self.state.record))
    }
}

/// A name of the data and the settings: equal runs have equal names.
fn fingerprint(training: &Corpus, config: &UserModelConfig) -> String {
    let chain = |hash: u64, part: String| nn::name_seed(&format!("{hash:x}{part}"));
    let interactions = training.sequences.iter().flat_map(|s| &s.interactions);
    let parts = training.items.iter().map(|item| format!("{item:?}"));
    let hash = parts.fold(nn::name_seed(&format!("{config:?}")), chain);
    let hash = interactions.map(|i| format!("{i:?}")).fold(hash, chain);
    format!("{hash:016x}")
}
