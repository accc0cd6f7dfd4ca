use std::path::Path;

use nn::{NnError, ParameterStore, Pass, Tensor, generator};

use super::config::CopywriterConfig;
use super::example::{Corpus, Example};
use super::model::Copywriter;
use super::sequence::sequences;
use super::tokenizer::Tokenizer;
use crate::CopyError;
use crate::network::{Batch, Sequence, plan};

/// A language model that learns beside what makes the user states, in a training run that the caller owns.
///
/// The states are an argument of the loss: tensors with a history, through which the gradient of the text goes back to
/// whatever made them. What the caller learns beside is none of this crate's business.
#[derive(Debug)]
pub struct Learner {
    model: Copywriter,
    train: Lessons,
    validation: Lessons,
}

/// The texts of a part, and which example of the corpus each of them is.
#[derive(Debug)]
struct Lessons {
    examples: Vec<usize>,
    sequences: Vec<Sequence>,
}

/// A part of a corpus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// What is learnt.
    Train,
    /// What training is stopped by.
    Validation,
}

/// Texts side by side, without the states of those whom they are for.
#[derive(Debug)]
pub struct Texts(Batch);

impl Texts {
    /// The number of tokens that are learnt.
    pub fn tokens(&self) -> usize {
        self.0.targets.len()
    }
}

impl Learner {
    /// A model with random weights and the tokens of a corpus, whose own user states are not read.
    ///
    /// # Errors
    /// [`CopyError::Setting`] for a bad configuration, [`CopyError::NoTexts`] where there is no text to learn from.
    pub fn new(corpus: &Corpus, config: &CopywriterConfig) -> Result<Self, CopyError> {
        config.check()?;
        if corpus.train.is_empty() {
            return Err(CopyError::NoTexts);
        }
        let tokenizer = Tokenizer::train(corpus, config.vocabulary)?;
        let slotted = corpus.slotted();
        let of = |examples: &[Example]| -> Result<Lessons, CopyError> {
            let told = sequences(examples, &slotted, &tokenizer, config.max_tokens)?;
            let (examples, mut sequences): (Vec<usize>, Vec<Sequence>) = told.into_iter().unzip();
            for sequence in &mut sequences {
                sequence.user_state = None;
            }
            Ok(Lessons {
                examples,
                sequences,
            })
        };
        let (train, validation) = (of(&corpus.train)?, of(&corpus.validation)?);
        if train.sequences.is_empty() {
            return Err(CopyError::NoTexts);
        }
        Ok(Self {
            model: Copywriter::untrained(tokenizer, slotted, config)?,
            train,
            validation,
        })
    }

    /// The language model as it stands.
    pub fn model(&self) -> &Copywriter {
        &self.model
    }

    /// The parameters of the language model.
    pub fn store(&self) -> &ParameterStore {
        &self.model.network.store
    }

    /// Which example of the corpus each text of a part is; those that are too long are left out.
    pub fn examples(&self, part: Part) -> &[usize] {
        &self.of(part).examples
    }

    /// A hash of what is learnt under which settings.
    pub fn fingerprint(&self) -> String {
        let data = self
            .train
            .sequences
            .iter()
            .chain(&self.validation.sequences);
        let data = data.map(|sequence| format!("{sequence:?}"));
        nn::run_fingerprint(&format!("{:?}", self.model.config), data)
    }

    /// The batches of an epoch, as positions among [`Learner::examples`] of [`Part::Train`].
    pub fn plan_epoch(&self, epoch: u64) -> Vec<Vec<usize>> {
        let config = &self.model.config;
        let mut rng = generator(config.seed, "batches", epoch);
        plan(&self.train.sequences, config.batch_tokens, &mut rng)
    }

    /// Texts of a part, by their positions among [`Learner::examples`].
    ///
    /// # Errors
    /// [`CopyError::Nn`] where memory is short.
    pub fn texts(&self, part: Part, positions: &[usize]) -> Result<Texts, CopyError> {
        let all = &self.of(part).sequences;
        let texts: Vec<&Sequence> = positions.iter().map(|at| &all[*at]).collect();
        Ok(Texts(Batch::new(&texts, self.model.config.user_width)?))
    }

    /// Mean −log P(text | facts, user state) of a token of texts.
    ///
    /// # Shapes
    /// user states [B, U] → scalar.
    ///
    /// # Errors
    /// [`NnError::Shape`] for states of another width than the model's.
    pub fn loss(
        &self,
        texts: &Texts,
        user_states: &Tensor,
        pass: &mut Pass<'_>,
    ) -> Result<Tensor, NnError> {
        let smoothing = match pass {
            Pass::Train(_) => self.model.config.label_smoothing,
            Pass::Infer => 0.0,
        };
        let network = &self.model.network;
        network.loss_for(&texts.0, user_states, smoothing, pass)
    }

    /// Saves the model in a folder, where [`Copywriter::load`] finds it.
    ///
    /// # Errors
    /// [`CopyError::Nn`] where a file cannot be written.
    pub fn save(&mut self, folder: &Path) -> Result<(), CopyError> {
        self.model.save(folder)
    }

    fn of(&self, part: Part) -> &Lessons {
        match part {
            Part::Train => &self.train,
            Part::Validation => &self.validation,
        }
    }
}
