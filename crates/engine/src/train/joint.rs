//! User states and texts learnt together.
//!
//! L(θ, φ) = − Σ log `P_φ(t | ŷ)` + Σ ℓ(y, ŷ) + λ `L_reg`, where ŷ is the state that the encoder θ makes of a shopper's past,
//! ℓ the cross-entropy of what the shopper turned to next, and `L_reg` the weight decay of both. The sums are means here,
//! a token's and a shopper's, so that the weights mean the same for short texts and long ones.

use std::ops::ControlFlow;
use std::path::Path;

use copywriter::decoder::{
    Copywriter, CopywriterConfig, Corpus, Example, LOSS, Learner, Part, Texts,
};
use nn::{
    BatchGradients, BatchPlace, Figures, NnError, ParameterStore, Pass, Progress, SHARDS, Tensor,
    TrainingRecord, TrainingSettings, TrainingTask, generator,
};

use super::shopper_encoder::{EventRows, ShopperEncoder, ShopperEvent, ShopperSettings, Sizes};
use crate::error::{EngineError, Result};

/// Texts that are measured together.
const CHUNK: usize = 32;

/// A text, what it says and to whom it belongs.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Told {
    /// Position of the shopper.
    pub shopper: usize,
    /// The facts and the text; the user state is left open.
    pub example: Example,
    /// What the shopper did before, as positions among the events, the oldest first.
    pub past: Vec<u32>,
    /// What the shopper turned to with it.
    pub interest: u32,
    /// By how many nats the text is likelier to whoever knows all of the shopper than to whoever takes them for another; where
    /// the shopper is simulated.
    pub most_gain: Option<f64>,
}

/// Texts of shoppers with a past, split into three parts.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct ShopperTexts {
    /// What shoppers did.
    pub events: Vec<ShopperEvent>,
    /// The number of things that they may turn to.
    pub interests: usize,
    /// Names of the facts whose values are exact.
    pub slots: Vec<String>,
    /// What is learnt.
    pub train: Vec<Told>,
    /// What training is stopped by, and settings are chosen by.
    pub validation: Vec<Told>,
    /// What is reported.
    pub test: Vec<Told>,
}

impl ShopperTexts {
    /// The texts that came with a past, the oldest first.
    pub(crate) fn own_texts(&self, past: &[u32]) -> Vec<String> {
        let events = past.iter().map(|at| &self.events[*at as usize]);
        events.flat_map(|event| event.texts.clone()).collect()
    }

    /// The texts to learn from, without anybody's state.
    pub(crate) fn corpus(&self) -> Corpus {
        let examples = |told: &[Told]| told.iter().map(|one| one.example.clone()).collect();
        Corpus {
            train: examples(&self.train),
            validation: examples(&self.validation),
            slots: self.slots.clone(),
            copied: Vec::new(),
        }
    }
}

/// Trains an encoder of shoppers and a language model that reads its states, together; both are kept in `folder`.
///
/// The length of a state is the language model's width.
///
/// # Errors
/// [`EngineError::Copy`] and [`EngineError::Nn`] for a bad configuration, where a file cannot be written, or the loss is no
/// longer finite.
pub(crate) fn train_jointly(
    texts: &ShopperTexts,
    model: &CopywriterConfig,
    shopper: &ShopperSettings,
    folder: &Path,
    progress: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<(Copywriter, ShopperEncoder, TrainingRecord)> {
    let mut task = JointTask::new(texts, model, shopper, folder)?;
    let settings = task.settings();
    let record = nn::train(&mut task, &settings, folder, progress)?;
    Ok((
        Copywriter::load(folder)?,
        ShopperEncoder::load(folder)?,
        record,
    ))
}

/// How rare each token is among texts that are learnt, ln((1 + texts) / (1 + texts with it)).
fn rarity(writer: &Copywriter, told: &[Told]) -> Result<Vec<f32>> {
    let mut texts_with = vec![0u32; writer.vocabulary_size()];
    for one in told {
        let mut tokens = writer.tokens(&one.example.text)?;
        tokens.sort_unstable();
        tokens.dedup();
        for token in tokens {
            texts_with[token as usize] += 1;
        }
    }
    let all = (told.len() + 1) as f64;
    let rare = |with: u32| (all / f64::from(with + 1)).ln() as f32;
    Ok(texts_with.into_iter().map(rare).collect())
}

/// Both models while they learn.
struct JointTask<'a> {
    texts: &'a ShopperTexts,
    events: EventRows,
    encoder: ShopperEncoder,
    learner: Learner,
    /// The parameters of both.
    store: ParameterStore,
    batches: Vec<Vec<usize>>,
    folder: &'a Path,
}

/// A part of a batch, on one thread.
struct Shard<'a> {
    number: u64,
    texts: Texts,
    told: Vec<&'a Told>,
}

impl<'a> JointTask<'a> {
    fn new(
        texts: &'a ShopperTexts,
        model: &CopywriterConfig,
        shopper: &ShopperSettings,
        folder: &'a Path,
    ) -> Result<Self> {
        let model = CopywriterConfig {
            user_width: model.width,
            ..model.clone()
        };
        let learner = Learner::new(&texts.corpus(), &model)?;
        let sizes = Sizes {
            width: model.width,
            interests: texts.interests,
            rarity: rarity(learner.model(), &texts.train)?,
        };
        let encoder = ShopperEncoder::untrained(shopper, sizes)?;
        let parts = [("shopper", encoder.store()), ("writer", learner.store())];
        Ok(Self {
            events: encoder.rows(learner.model(), &texts.events)?,
            store: ParameterStore::joined(&parts)?,
            texts,
            encoder,
            learner,
            batches: Vec::new(),
            folder,
        })
    }

    fn settings(&self) -> TrainingSettings {
        let config = self.learner.model().config();
        let pasts = self.texts.train.iter().chain(&self.texts.validation);
        let pasts = pasts.map(|told| format!("{:?} {}", told.past, told.interest));
        let events = self.texts.events.iter().map(|event| format!("{event:?}"));
        let settings = format!(
            "{} {:?}",
            self.learner.fingerprint(),
            self.encoder.settings()
        );
        config.training(nn::run_fingerprint(&settings, pasts.chain(events)))
    }

    /// Texts of a part of the corpus by their positions among what is learnt of it.
    fn shard(&self, part: Part, positions: &[usize], number: u64) -> Result<Shard<'a>> {
        let all = match part {
            Part::Train => &self.texts.train,
            Part::Validation => &self.texts.validation,
        };
        let examples = self.learner.examples(part);
        Ok(Shard {
            number,
            texts: self.learner.texts(part, positions)?,
            told: positions.iter().map(|at| &all[examples[*at]]).collect(),
        })
    }

    fn states(
        &self,
        shard: &Shard<'_>,
        pass: &mut Pass<'_>,
    ) -> std::result::Result<Tensor, NnError> {
        let pasts: Vec<&[u32]> = shard.told.iter().map(|told| &told.past[..]).collect();
        let table = self.learner.model().token_table();
        self.encoder.states(table, &self.events, &pasts, pass)
    }
}

impl TrainingTask for JointTask<'_> {
    type Error = EngineError;

    fn store(&self) -> &ParameterStore {
        &self.store
    }

    fn plan_epoch(&mut self, epoch: u64) -> Result<u64> {
        self.batches = self.learner.plan_epoch(epoch);
        Ok(self.batches.len() as u64)
    }

    fn gradients(&self, batch: BatchPlace) -> Result<BatchGradients> {
        let positions = &self.batches[batch.in_epoch as usize];
        let cut = positions.chunks(positions.len().div_ceil(SHARDS).max(1));
        let shards = (0..).zip(cut);
        let shards = shards
            .map(|(number, positions)| self.shard(Part::Train, positions, number))
            .collect::<Result<Vec<_>>>()?;
        let tokens: usize = shards.iter().map(|shard| shard.texts.tokens()).sum();
        let shopper = self.encoder.settings();
        let name = format!("step {} shard", batch.number);
        let loss = |shard: &Shard<'_>, _: &[Tensor]| {
            let mut rng = generator(shopper.seed, &name, shard.number);
            let pass = &mut Pass::Train(&mut rng);
            let states = self.states(shard, pass)?;
            let shown = self.encoder.some_as_nobody(&states, pass)?;
            let text = self.learner.loss(&shard.texts, &shown, pass)?;
            let text = (text * (shard.texts.tokens() as f64 / tokens as f64))?;
            if shopper.interest_weight == 0.0 {
                return Ok(text);
            }
            let labels: Vec<u32> = shard.told.iter().map(|told| told.interest).collect();
            let interest = self.encoder.interest_loss(&states, &labels)?;
            let share = labels.len() as f64 / positions.len() as f64;
            Ok((text + (interest * (shopper.interest_weight * share))?)?)
        };
        let (loss, gradients) = nn::sharded_gradients(&self.store, &[], &shards, loss)?;
        Ok(BatchGradients {
            loss,
            gradients,
            tokens: tokens as u64,
        })
    }

    fn validate(&mut self) -> Result<Figures> {
        let positions: Vec<usize> = (0..self.learner.examples(Part::Validation).len()).collect();
        let (mut nats, mut tokens) = (0.0, 0);
        for chunk in positions.chunks(CHUNK) {
            let shard = self.shard(Part::Validation, chunk, 0)?;
            let pass = &mut Pass::Infer;
            let states = self.states(&shard, pass)?;
            let loss = self.learner.loss(&shard.texts, &states, pass)?;
            let loss = loss.to_scalar::<f32>().map_err(NnError::from)?;
            nats += f64::from(loss) * shard.texts.tokens() as f64;
            tokens += shard.texts.tokens();
        }
        let loss = (tokens > 0).then(|| (LOSS.to_owned(), nats / tokens as f64));
        Ok(loss.into_iter().collect())
    }

    fn keep_best(&mut self, _: &Figures) -> Result<()> {
        self.encoder.save(self.folder)?;
        Ok(self.learner.save(self.folder)?)
    }
}

#[cfg(test)]
pub(crate) mod tests;
