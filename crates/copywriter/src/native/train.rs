//! The training loop: epochs, early stopping, checkpoints.

use std::ops::ControlFlow;
use std::path::Path;

use events::Language;
use nn::{
    AdamW, AdamWConfig, Checkpoint, NnError, Pass, SHARDS, Tensor, TrainingState, WarmupCosine,
    generator,
};
use serde::{Deserialize, Serialize};

use super::batch::{Batch, plan};
use super::clauses::Clauses;
use super::config::NativeConfig;
use super::corpus::Corpus;
use super::model::Native;
use super::record::{EpochRecord, Progress, TrainingRecord, round9};
use super::sequence::Sequence;
use super::text::TrainingTexts;
use super::vocabulary::Vocabulary;
use crate::CopyError;

/// The folder of the run's checkpoint, inside the model's folder.
const CHECKPOINT: &str = "checkpoint";
const RECORD: &str = "training.json";
const BETA2: f64 = 0.98;
/// The learning rate at the end, as a share of the highest.
const FLOOR: f64 = 0.05;

/// How a call of [`train`] ended.
#[derive(Debug)]
pub enum Training {
    /// The model is trained and saved.
    Finished(Box<Native>, TrainingRecord),
    /// The progress function asked to stop; the next call goes on from here.
    Paused(TrainingRecord),
}

/// Trains a native model on texts and saves it in a folder.
///
/// Whole templates and products are held out; training stops once the loss on them has not fallen for `patience` epochs,
/// and the best epoch's weights are kept. It also stops after `max_steps`; a time limit is the caller's, who has a
/// clock: `progress`, which is called after every step, may break, and the best epoch so far can be loaded or
/// training be resumed.
///
/// A checkpoint in the folder is resumed when it belongs to the same texts and settings, and the result is then
/// bit-identical to a run that was never stopped; otherwise training starts anew.
///
/// # Errors
/// [`CopyError::Setting`] for a bad configuration, [`CopyError::NoTexts`] where there is no style text,
/// [`CopyError::UserState`] for a state of another length than configured, [`CopyError::Nn`] where a file cannot be
/// read or written, or the loss is no longer finite.
pub fn train(
    texts: &TrainingTexts,
    config: &NativeConfig,
    folder: &Path,
    progress: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Training, CopyError> {
    let mut run = Run::start(texts, config, folder)?;
    if run.state.record.finished {
        return run.finish(folder);
    }
    let steps_of_an_epoch = run.epoch_batches(0).1.len() as u64;
    let total_steps = (config.epochs * steps_of_an_epoch).min(config.max_steps);
    let schedule = WarmupCosine {
        peak: config.learning_rate,
        floor: config.learning_rate * FLOOR,
        warmup_steps: (config.warmup_share * total_steps as f64) as u64,
        total_steps,
    };
    while run.epoch < config.epochs && run.step < config.max_steps && !run.is_out_of_patience() {
        let (sequences, batches) = run.epoch_batches(run.epoch);
        let steps = batches.len() as u64;
        while run.step_in_epoch < steps && run.step < config.max_steps {
            let batch = &batches[run.step_in_epoch as usize];
            let batch: Vec<&Sequence> = batch.iter().map(|index| &sequences[*index]).collect();
            let told = run.step(&batch, &schedule, steps)?;
            let paused = progress(&told).is_break();
            if paused || run.step.is_multiple_of(config.checkpoint_steps) {
                run.save_checkpoint()?;
            }
            if paused {
                return Ok(Training::Paused(run.state.record));
            }
        }
        let told = run.end_epoch(folder, steps)?;
        let paused = progress(&told).is_break();
        run.save_checkpoint()?;
        if paused {
            return Ok(Training::Paused(run.state.record));
        }
    }
    run.state.record.finished = true;
    run.save_checkpoint()?;
    run.finish(folder)
}

/// A training run in progress.
struct Run {
    model: Native,
    optimiser: AdamW,
    corpus: Corpus,
    checkpoint: Checkpoint,
    step: u64,
    epoch: u64,
    step_in_epoch: u64,
    state: Extra,
}

/// What the checkpoint keeps beside weights, moments and position.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Extra {
    /// Tells texts and settings apart from others.
    fingerprint: String,
    /// Sum of the losses of the epoch in progress, in millionths: whole numbers survive JSON exactly.
    loss_sum_millionths: i64,
    record: TrainingRecord,
}

impl Run {
    fn start(
        texts: &TrainingTexts,
        config: &NativeConfig,
        folder: &Path,
    ) -> Result<Self, CopyError> {
        config.check()?;
        if texts.styles.is_empty() {
            return Err(CopyError::NoTexts);
        }
        let vocabulary = Vocabulary::of_training(texts, config.max_pieces);
        let corpus = Corpus::new(texts, &vocabulary, config);
        let model = Native::untrained(vocabulary, texts.styles.clone(), config)?;
        let mut state = Extra {
            fingerprint: fingerprint(texts, config),
            ..Extra::default()
        };
        state.record.parameters = model.parameter_count();
        state.record.vocabulary = model.vocabulary.len();
        let optimiser = AdamW::new(AdamWConfig {
            beta2: BETA2,
            weight_decay: config.weight_decay,
            ..AdamWConfig::default()
        });
        let mut run = Self {
            model,
            optimiser,
            corpus,
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
    fn resume(&mut self) -> Result<(), CopyError> {
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

    /// The sequences of an epoch and their batches.
    fn epoch_batches(&self, epoch: u64) -> (Vec<Sequence>, Vec<Vec<usize>>) {
        let config = &self.model.config;
        let sequences = self.corpus.epoch(&self.model.vocabulary, config, epoch);
        let mut rng = generator(config.seed, "batches", epoch);
        let batches = plan(&sequences, config.batch_tokens, &mut rng);
        (sequences, batches)
    }

    fn step(
        &mut self,
        sequences: &[&Sequence],
        schedule: &WarmupCosine,
        steps_in_epoch: u64,
    ) -> Result<Progress, CopyError> {
        let config = &self.model.config;
        let network = &self.model.network;
        let shards = sequences
            .chunks(sequences.len().div_ceil(SHARDS).max(1))
            .map(|sequences| Batch::new(sequences, config.user_width))
            .collect::<Result<Vec<_>, _>>()?;
        let learnt: usize = shards.iter().map(|batch| batch.targets.len()).sum();
        let shards: Vec<(u64, Batch)> = (0..).zip(shards).collect();
        let name = format!("step {} shard", self.step);
        let of_shard = |(index, batch): &(u64, Batch), _: &[Tensor]| {
            let mut rng = generator(config.seed, &name, *index);
            let mean = network.loss(batch, &mut Pass::Train(&mut rng))?;
            Ok((mean * (batch.targets.len() as f64 / learnt as f64))?)
        };
        let (value, gradients) = nn::sharded_gradients(&network.store, &[], &shards, of_shard)?;
        if !value.is_finite() {
            return Err(CopyError::Nn(NnError::NotFinite {
                quantity: "the loss",
                value,
                step: self.step,
            }));
        }
        let rate = schedule.at(self.step);
        self.optimiser
            .step_named(&network.store, &gradients, rate, config.clip_norm)?;
        self.step += 1;
        self.step_in_epoch += 1;
        self.state.loss_sum_millionths += (value * 1e6).round() as i64;
        self.state.record.steps = self.step;
        self.state.record.tokens += learnt as u64;
        Ok(Progress {
            epoch: self.epoch,
            epochs: config.epochs,
            step_in_epoch: self.step_in_epoch,
            steps_in_epoch,
            loss: value,
            tokens: learnt,
            validation: None,
        })
    }

    /// Measures what was held out, keeps the weights where they are the best so far, and opens the next epoch.
    fn end_epoch(&mut self, folder: &Path, steps_in_epoch: u64) -> Result<Progress, CopyError> {
        let validation = self.model.validate(&self.corpus.held_out)?;
        let record = &mut self.state.record;
        let best = record.epochs.iter().filter_map(|e| e.validation.all);
        let best = best.fold(f64::INFINITY, f64::min);
        let mean = self.state.loss_sum_millionths as f64 / 1e6 / self.step_in_epoch.max(1) as f64;
        record.epochs.push(EpochRecord {
            epoch: self.epoch,
            train_loss: round9(mean),
            validation,
        });
        if validation.all.is_none_or(|loss| loss < best) {
            record.best_epoch = Some(self.epoch);
            self.model.usual_loss = validation.composed;
            self.model.save(folder)?;
        }
        nn::write_checked_json(&folder.join(RECORD), &self.state.record)?;
        let told = Progress {
            epoch: self.epoch,
            epochs: self.model.config.epochs,
            step_in_epoch: self.step_in_epoch,
            steps_in_epoch,
            loss: mean,
            tokens: 0,
            validation: Some(validation),
        };
        self.epoch += 1;
        self.step_in_epoch = 0;
        self.state.loss_sum_millionths = 0;
        Ok(told)
    }

    fn is_out_of_patience(&self) -> bool {
        let record = &self.state.record;
        let best = record.best_epoch.unwrap_or(0);
        record.epochs.len() as u64 > best + self.model.config.patience
    }

    fn save_checkpoint(&self) -> Result<(), CopyError> {
        let record = &self.state.record;
        let losses = record.epochs.iter().filter_map(|e| e.validation.all);
        let state = TrainingState {
            step: self.step,
            epoch: self.epoch,
            step_in_epoch: self.step_in_epoch,
            seed: self.model.config.seed,
            best_metric: losses.min_by(f64::total_cmp),
            best_epoch: record.best_epoch,
            extra: serde_json::to_value(&self.state).unwrap_or_default(),
        };
        let store = &self.model.network.store;
        Ok(self.checkpoint.save(store, &self.optimiser, &state)?)
    }

    /// Reads the kept weights back, which are the best epoch's and not the last one's.
    fn finish(self, folder: &Path) -> Result<Training, CopyError> {
        nn::write_checked_json(&folder.join(RECORD), &self.state.record)?;
        let model = Native::load(folder)?;
        Ok(Training::Finished(Box::new(model), self.state.record))
    }
}

/// A name of the texts and the settings: equal runs have equal names.
fn fingerprint(texts: &TrainingTexts, config: &NativeConfig) -> String {
    let chain = |hash: u64, part: String| nn::name_seed(&format!("{hash:x}{part}"));
    let styles = texts.styles.iter().map(|text| format!("{text:?}"));
    let products = texts.products.iter().map(|text| format!("{text:?}"));
    let clauses = [Language::En, Language::Zh].map(Clauses::of);
    let hash = nn::name_seed(&format!("{config:?}{clauses:?}"));
    format!("{:016x}", styles.chain(products).fold(hash, chain))
}
