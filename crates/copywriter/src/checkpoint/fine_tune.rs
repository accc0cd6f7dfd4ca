//! An adapter of low rank, learnt from approved texts.

use std::num::NonZeroU64;
use std::ops::ControlFlow;
use std::path::Path;

use nn::{
    BatchGradients, BatchPlace, Decoder, Device, Figures, LoraConfig, LoraTarget, NnError,
    ParameterStore, Pass, Progress, SHARDS, Tensor, TrainingRecord, TrainingSettings, TrainingTask,
    hugging_face,
};
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use super::config::CheckpointConfig;
use super::lesson::Lesson;
use super::vocabulary::Vocabulary;
use super::write::load;
use crate::CopyError;
use crate::network::{PADDING, Sequence, plan};
use crate::setting::{check_optimiser, check_shares, is_positive, refuse};

/// The figure that decides which epoch is kept: mean −log P of a token of the answers that were held out.
const LOSS: &str = "loss";
/// The learning rate at the end, as a share of the highest.
const FLOOR: f64 = 0.1;
/// Share of the steps in which the learning rate rises.
const WARMUP: f64 = 0.05;

/// The size of an adapter and how it is learnt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LoraTraining {
    /// Rank r of the changes, at least 1. Default 16.
    pub rank: usize,
    /// Strength α of the changes, above 0: they count α / r times. Default 32.
    pub alpha: f64,
    /// Whether the feed-forward layers are changed beside the attention. Default true.
    pub feed_forward: bool,
    /// Highest learning rate. Default 0.0002.
    pub learning_rate: f64,
    /// Weight decay of the changes. Default 0.
    pub weight_decay: f64,
    /// Norm to which gradients are clipped. Default 1.
    pub clip_norm: f64,
    /// Most epochs. Default 6.
    pub epochs: u64,
    /// Epochs without a lower loss on the held-out texts after which training stops. Default 2.
    pub patience: u64,
    /// Share of the texts that is held out to stop training by, in [0, 1); rounded down. Default 0.1.
    pub held_out: f64,
    /// Tokens, padding included, of a training batch. Default 4,096.
    pub batch_tokens: usize,
    /// Tokens that a lesson may take with what the model is told; longer ones are left out. Default 1,536.
    pub max_tokens: usize,
    /// Steps between two checkpoints, at least 1. Default 50.
    pub checkpoint_steps: u64,
    /// Seed of the first changes, of what is held out and of the batches. Default 1.
    pub seed: u64,
}

impl Default for LoraTraining {
    fn default() -> Self {
        Self {
            rank: 16,
            alpha: 32.0,
            feed_forward: true,
            learning_rate: 2e-4,
            weight_decay: 0.0,
            clip_norm: 1.0,
            epochs: 6,
            patience: 2,
            held_out: 0.1,
            batch_tokens: 4_096,
            max_tokens: 1_536,
            checkpoint_steps: 50,
            seed: 1,
        }
    }
}

impl LoraTraining {
    /// Verifies every field; the rank's upper bound is the model's.
    ///
    /// # Errors
    /// [`CopyError::Setting`] for the first field outside its range.
    pub fn check(&self) -> Result<(), CopyError> {
        for (field, count) in [
            ("rank", self.rank as u64),
            ("epochs", self.epochs),
            ("batch_tokens", self.batch_tokens as u64),
            ("max_tokens", self.max_tokens as u64),
            ("checkpoint_steps", self.checkpoint_steps),
        ] {
            if count == 0 {
                return Err(refuse(field, count, "at least 1"));
            }
        }
        if !is_positive(self.alpha) {
            return Err(refuse("alpha", self.alpha, "a number above 0"));
        }
        check_optimiser(self.learning_rate, self.clip_norm, self.weight_decay)?;
        check_shares(&[("held_out", self.held_out)])
    }

    fn lora(&self) -> LoraConfig {
        LoraConfig {
            rank: self.rank,
            alpha: self.alpha,
            dropout: 0.0,
        }
    }

    fn targets(&self) -> &'static [LoraTarget] {
        if self.feed_forward {
            &LoraTarget::ALL
        } else {
            &LoraTarget::ATTENTION
        }
    }

    fn training(&self, fingerprint: String) -> TrainingSettings {
        TrainingSettings {
            fingerprint,
            epochs: self.epochs,
            max_steps: u64::MAX,
            patience: self.patience,
            accumulation: NonZeroU64::MIN,
            checkpoint_steps: self.checkpoint_steps,
            learning_rate: self.learning_rate,
            learning_rate_floor: self.learning_rate * FLOOR,
            warmup_share: WARMUP,
            weight_decay: self.weight_decay,
            clip_norm: self.clip_norm,
            metric: LOSS,
            lower_is_better: true,
        }
    }
}

/// Learns an adapter for a model from lessons and writes it into a folder in PEFT's layout; the model stays as it is, and its
/// configured adapter is not read.
///
/// The loss is of the answers' tokens alone. The adapter of the epoch with the lowest loss on the held-out lessons is kept,
/// that of the last epoch where none are held out. `progress` is called after every step and every epoch and may break: the
/// record then says that the run is not finished, and the next call with the same lessons and settings goes on from the
/// checkpoint in the folder, to the bytes of a run that was never stopped. Source: Hu et al., "`LoRA`", 2021; see
/// [`Decoder::with_lora`] for what it costs.
///
/// # Errors
/// [`CopyError::Setting`] for a bad setting, [`CopyError::NoLessons`] where nothing is left to learn, what opening a
/// [`super::Checkpoint`] reports, and [`CopyError::Nn`] where a file cannot be written or the loss is no longer finite.
pub fn fine_tune(
    config: &CheckpointConfig,
    lessons: &[Lesson],
    settings: &LoraTraining,
    out: &Path,
    progress: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<TrainingRecord, CopyError> {
    settings.check()?;
    let (store, decoder, vocabulary) = load(config)?;
    let most = settings.max_tokens.min(decoder.config().positions);
    let mut learnt = sequences(lessons, &vocabulary, most)?;
    learnt.shuffle(&mut nn::generator(settings.seed, "held out", 0));
    let held_out = (learnt.len() as f64 * settings.held_out) as usize;
    let held_out = learnt.split_off(learnt.len() - held_out);
    if learnt.is_empty() {
        return Err(CopyError::NoLessons {
            given: lessons.len(),
            most,
        });
    }
    let mut changes = ParameterStore::new(settings.seed, &Device::Cpu);
    let changed = decoder.with_lora(&mut changes, settings.lora(), settings.targets())?;
    let base = store.fingerprint()?;
    let data = learnt.iter().chain(&held_out);
    let data = data.map(|sequence| format!("{sequence:?}"));
    let training = settings.training(nn::run_fingerprint(&format!("{base} {settings:?}"), data));
    let mut task = Task {
        decoder: changed,
        changes,
        learnt,
        held_out,
        batches: Vec::new(),
        settings,
        base_name: config.folder.display().to_string(),
        base,
        out,
    };
    nn::train(&mut task, &training, out, progress)
}

/// The lessons that fit, as tokens.
fn sequences(
    lessons: &[Lesson],
    vocabulary: &Vocabulary,
    most: usize,
) -> Result<Vec<Sequence>, CopyError> {
    let mut sequences = Vec::new();
    for lesson in lessons {
        let mut tokens = vocabulary.prompt(&lesson.prompt)?;
        let prompt = tokens.len();
        tokens.extend(vocabulary.answer(&lesson.answer)?);
        if prompt > 0 && tokens.len() <= most {
            sequences.push(Sequence {
                tokens,
                prompt,
                user_state: None,
            });
        }
    }
    Ok(sequences)
}

struct Task<'a> {
    decoder: Decoder,
    changes: ParameterStore,
    learnt: Vec<Sequence>,
    held_out: Vec<Sequence>,
    /// The batches of the planned epoch, as positions among what is learnt.
    batches: Vec<Vec<usize>>,
    settings: &'a LoraTraining,
    base_name: String,
    base: String,
    out: &'a Path,
}

impl Task<'_> {
    /// Σ −log P of the answers' tokens, divided by `tokens`.
    fn loss(&self, sequences: &[&Sequence], tokens: usize) -> Result<Tensor, NnError> {
        let time = sequences.iter().map(|s| s.tokens.len()).max().unwrap_or(0);
        let mut ids = vec![PADDING; sequences.len() * time];
        let mut entries = Vec::new();
        let share = 1.0 / tokens.max(1) as f32;
        for (row, sequence) in sequences.iter().enumerate() {
            let length = sequence.tokens.len();
            ids[row * time..row * time + length].copy_from_slice(&sequence.tokens);
            // Padding stands at the end, where nothing that is learnt looks.
            let learnt = sequence.prompt..length;
            let entry = |at: usize| ((row * time + at - 1) as u32, sequence.tokens[at], share);
            entries.extend(learnt.map(entry));
        }
        let ids = Tensor::from_vec(ids, (sequences.len(), time), &Device::Cpu)?;
        self.decoder.loss(&ids, &entries, &mut Pass::Infer)
    }
}

/// Tokens of the answers.
fn learnt_tokens(sequences: &[&Sequence]) -> usize {
    let lengths = sequences.iter().map(|s| s.tokens.len() - s.prompt);
    lengths.sum()
}

impl TrainingTask for Task<'_> {
    type Error = CopyError;

    fn store(&self) -> &ParameterStore {
        &self.changes
    }

    fn plan_epoch(&mut self, epoch: u64) -> Result<u64, CopyError> {
        let mut rng = nn::generator(self.settings.seed, "batches", epoch);
        self.batches = plan(&self.learnt, self.settings.batch_tokens, &mut rng);
        Ok(self.batches.len() as u64)
    }

    fn gradients(&self, batch: BatchPlace) -> Result<BatchGradients, CopyError> {
        let batch = &self.batches[batch.in_epoch as usize];
        let sequences: Vec<&Sequence> = batch.iter().map(|index| &self.learnt[*index]).collect();
        let tokens = learnt_tokens(&sequences);
        let shards: Vec<&[&Sequence]> = sequences
            .chunks(sequences.len().div_ceil(SHARDS).max(1))
            .collect();
        let of_shard = |shard: &&[&Sequence], _: &[Tensor]| self.loss(shard, tokens);
        let (loss, gradients) = nn::sharded_gradients(&self.changes, &[], &shards, of_shard)?;
        Ok(BatchGradients {
            loss,
            gradients,
            tokens: tokens as u64,
        })
    }

    fn validate(&mut self) -> Result<Figures, CopyError> {
        let all: Vec<&Sequence> = self.held_out.iter().collect();
        let tokens = learnt_tokens(&all);
        let mut sum = 0.0;
        for sequence in &all {
            let loss = self.loss(&[sequence], tokens)?;
            sum += f64::from(loss.to_scalar::<f32>().map_err(NnError::from)?);
        }
        Ok(all
            .first()
            .map(|_| (LOSS.to_owned(), sum))
            .into_iter()
            .collect())
    }

    fn keep_best(&mut self, _: &Figures) -> Result<(), CopyError> {
        let (lora, targets) = (self.settings.lora(), self.settings.targets());
        let base = (self.base_name.as_str(), self.base.as_str());
        Ok(hugging_face::save_adapter(
            self.out,
            &self.changes,
            lora,
            targets,
            base,
        )?)
    }
}
