//! What the training loop needs to know of the language model.

use std::ops::ControlFlow;
use std::path::Path;

use nn::{
    BatchGradients, BatchPlace, Figures, ParameterStore, Progress, Training, TrainingSettings,
    TrainingTask, generator,
};

use super::config::CopywriterConfig;
use super::coverage::Coverage;
use super::example::{Corpus, Fact};
use super::model::Copywriter;
use super::sequence::sequences;
use super::slots::Slotted;
use super::tokenizer::Tokenizer;
use crate::CopyError;
use crate::network::{Sequence, plan};

/// Trains a language model on a corpus and saves it in a folder.
///
/// The weights of the epoch with the lowest loss on the corpus' validation examples are kept, those of the last epoch
/// where there are none. A time limit is the caller's, who has a clock: `progress`, which is called after every step and
/// every epoch, may break. A checkpoint in the folder is resumed when it belongs to the same corpus and settings, and
/// the result is then bit-identical to a run that was never stopped.
///
/// # Errors
/// [`CopyError::Setting`] for a bad configuration, [`CopyError::NoTexts`] where there is no text to learn from,
/// [`CopyError::UserState`] for a state of another length than configured, [`CopyError::Nn`] where a file cannot be
/// read or written, or the loss is no longer finite.
pub fn train(
    corpus: &Corpus,
    config: &CopywriterConfig,
    folder: &Path,
    progress: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Training<Copywriter>, CopyError> {
    config.check()?;
    if corpus.train.is_empty() {
        return Err(CopyError::NoTexts);
    }
    let tokenizer = Tokenizer::train(corpus, config.vocabulary)?;
    let slotted = corpus.slotted();
    let of = |examples| sequences(examples, &slotted, &tokenizer, config.max_tokens);
    let (told, held_out) = (of(&corpus.train)?, of(&corpus.validation)?);
    let (places, learnt): (Vec<usize>, Vec<Sequence>) = told.into_iter().unzip();
    if learnt.is_empty() {
        return Err(CopyError::NoTexts);
    }
    let mut task = Task {
        model: Copywriter::untrained(tokenizer, slotted.clone(), config)?,
        learnt,
        held_out: held_out.into_iter().map(|(_, sequence)| sequence).collect(),
        batches: Vec::new(),
        folder,
    };
    let settings = settings(&task, config);
    let record = nn::train(&mut task, &settings, folder, progress)?;
    if !record.finished {
        return Ok(Training::Paused(record));
    }
    // The saved weights are the best epoch's, those in memory the last one's.
    let mut model = Copywriter::load(folder)?;
    let facts = places.iter().map(|at| &corpus.train[*at].meaning.facts);
    model.coverage = recognise(&task.learnt, facts, &slotted);
    model.save(folder)?;
    Ok(Training::Finished(Box::new(model), record))
}

/// Learns to recognise the facts that are told as words.
fn recognise<'a>(
    learnt: &[Sequence],
    facts: impl Iterator<Item = &'a Vec<Fact>>,
    slotted: &Slotted,
) -> Coverage {
    let texts = learnt
        .iter()
        .map(|s| &s.tokens[s.prompt..s.tokens.len() - 1]);
    let told = |facts: &'a Vec<Fact>| {
        let facts = facts.iter();
        facts.filter(|f| !slotted.contains(&f.name)).collect()
    };
    let examples: Vec<(&[u32], Vec<&Fact>)> = texts.zip(facts.map(told)).collect();
    Coverage::learn(&examples)
}

fn settings(task: &Task<'_>, config: &CopywriterConfig) -> TrainingSettings {
    let data = task.learnt.iter().chain(&task.held_out);
    let data = data.map(|sequence| format!("{sequence:?}"));
    config.training(nn::run_fingerprint(&format!("{config:?}"), data))
}

struct Task<'a> {
    model: Copywriter,
    learnt: Vec<Sequence>,
    held_out: Vec<Sequence>,
    /// The batches of the planned epoch, as positions among what is learnt.
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
        let mut rng = generator(config.seed, "batches", epoch);
        self.batches = plan(&self.learnt, config.batch_tokens, &mut rng);
        Ok(self.batches.len() as u64)
    }

    fn gradients(&self, batch: BatchPlace) -> Result<BatchGradients, CopyError> {
        let sequences: Vec<&Sequence> = self.batches[batch.in_epoch as usize]
            .iter()
            .map(|index| &self.learnt[*index])
            .collect();
        let config = &self.model.config;
        let name = format!("step {} shard", batch.number);
        let rng = |shard| generator(config.seed, &name, shard);
        let smoothing = config.label_smoothing;
        self.model
            .network
            .gradients(&sequences, config.user_width, smoothing, rng)
    }

    fn validate(&mut self) -> Result<Figures, CopyError> {
        self.model.validate(&self.held_out)
    }

    fn keep_best(&mut self, _: &Figures) -> Result<(), CopyError> {
        self.model.save(self.folder)
    }
}
