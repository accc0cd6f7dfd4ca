//! What the training loop needs to know of the native model.

use std::num::NonZeroU64;
use std::ops::ControlFlow;
use std::path::Path;

use events::Language;
use nn::{
    BatchGradients, BatchPlace, Figures, ParameterStore, Progress, Training, TrainingSettings,
    TrainingTask, generator,
};

use super::clauses::Clauses;
use super::config::NativeConfig;
use super::corpus::Corpus;
use super::model::{LOSS_ALL, LOSS_COMPOSED, Native};
use super::text::TrainingTexts;
use super::vocabulary::Vocabulary;
use crate::CopyError;
use crate::network::{Sequence, plan};

/// The learning rate at the end, as a share of the highest.
const FLOOR: f64 = 0.05;

/// Trains a native model on texts and saves it in a folder.
///
/// Whole templates and products are held out; training stops once the loss on them has not fallen for `patience` epochs,
/// and the best epoch's weights are kept. It also stops after `max_steps`; a time limit is the caller's, who has a
/// clock: `progress`, which is called after every step and every epoch, may break, and the best epoch so far can be
/// loaded or training be resumed. Losses are in nats a token, and only tokens of texts are counted, not of prompts.
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
) -> Result<Training<Native>, CopyError> {
    config.check()?;
    if texts.styles.is_empty() {
        return Err(CopyError::NoTexts);
    }
    let vocabulary = Vocabulary::of_training(texts, config.max_pieces);
    let mut task = Task {
        corpus: Corpus::new(texts, &vocabulary, config),
        model: Native::untrained(vocabulary, texts.styles.clone(), config)?,
        sequences: Vec::new(),
        batches: Vec::new(),
        folder,
    };
    let record = nn::train(&mut task, &settings(texts, config), folder, progress)?;
    if !record.finished {
        return Ok(Training::Paused(record));
    }
    // The saved weights are the best epoch's, those in memory the last one's.
    Ok(Training::Finished(Box::new(Native::load(folder)?), record))
}

fn settings(texts: &TrainingTexts, config: &NativeConfig) -> TrainingSettings {
    let styles = texts.styles.iter().map(|text| format!("{text:?}"));
    let products = texts.products.iter().map(|text| format!("{text:?}"));
    let clauses = [Language::En, Language::Zh].map(Clauses::of);
    let settings = format!("{config:?}{clauses:?}");
    TrainingSettings {
        fingerprint: nn::run_fingerprint(&settings, styles.chain(products)),
        epochs: config.epochs,
        max_steps: config.max_steps,
        patience: config.patience,
        accumulation: NonZeroU64::MIN,
        checkpoint_steps: config.checkpoint_steps,
        learning_rate: config.learning_rate,
        learning_rate_floor: config.learning_rate * FLOOR,
        warmup_share: config.warmup_share,
        weight_decay: config.weight_decay,
        clip_norm: config.clip_norm,
        metric: LOSS_ALL,
        lower_is_better: true,
    }
}

struct Task<'a> {
    model: Native,
    corpus: Corpus,
    /// The sequences of the planned epoch.
    sequences: Vec<Sequence>,
    /// Its batches, as positions among the sequences.
    batches: Vec<Vec<usize>>,
    folder: &'a Path,
}

impl TrainingTask for Task<'_> {
    type Error = CopyError;

    fn store(&self) -> &ParameterStore {
        &self.model.network.store
    }

    fn plan_epoch(&mut self, epoch: u64) -> Result<u64, CopyError> {
        let config = &self.model.config;
        self.sequences = self.corpus.epoch(&self.model.vocabulary, config, epoch);
        let mut rng = generator(config.seed, "batches", epoch);
        self.batches = plan(&self.sequences, config.batch_tokens, &mut rng);
        Ok(self.batches.len() as u64)
    }

    fn gradients(&self, batch: BatchPlace) -> Result<BatchGradients, CopyError> {
        let sequences: Vec<&Sequence> = self.batches[batch.in_epoch as usize]
            .iter()
            .map(|index| &self.sequences[*index])
            .collect();
        let config = &self.model.config;
        let name = format!("step {} shard", batch.number);
        let rng = |shard| generator(config.seed, &name, shard);
        self.model
            .network
            .gradients(&sequences, config.user_width, 0.0, rng)
    }

    fn validate(&mut self) -> Result<Figures, CopyError> {
        self.model.validate(&self.corpus.held_out)
    }

    fn keep_best(&mut self, figures: &Figures) -> Result<(), CopyError> {
        self.model.usual_loss = figures.get(LOSS_COMPOSED).copied();
        self.model.save(self.folder)
    }
}
