//! Learning from what texts are worth, instead of from texts that people wrote.
//!
//! For each meaning K texts are drawn; one that is worth more than the others of its meaning becomes likelier, one that is worth
//! less becomes less likely. With r the worth of a text and `π₀` the model before:
//!
//! R(t) = r(t) − β · (log π(t) − log `π₀`(t)),  A(tᵢ) = R(tᵢ) − mean of R over the other texts of the meaning,
//!
//! and the step is along −∇ mean A(t) · −log π(t), the policy gradient of E\[R\].
//!
//! Source: Ahmadian et al., "Back to Basics: Revisiting REINFORCE Style Optimization for Learning from Human Feedback in LLMs",
//! 2024 (RLOO); Rennie et al., "Self-critical Sequence Training for Image Captioning", 2017, for the worth of a text as a
//! metric over references. How this differs: a text that comes to no end within its room is not learnt from.

use std::ops::ControlFlow;
use std::path::Path;

use nn::inference::Precision;
use nn::{
    BatchGradients, BatchPlace, Figures, ParameterStore, Progress, Training, TrainingTask,
    generator,
};
use rand::seq::SliceRandom;
use rayon::prelude::*;

use super::coverage::Covered;
use super::decoding::Search;
use super::example::Meaning;
use super::learner::Part;
use super::model::Copywriter;
use super::reinforce_config::{REWARD, ReinforceConfig};
use super::sequence::Prompt;
use super::tokenizer::END;
use super::write::{Draft, Writer};
use crate::CopyError;
use crate::network::Sequence;

/// What texts are worth.
pub trait Reward: Sync {
    /// Tells it apart from others: a run that was stopped goes on under the same reward alone.
    fn fingerprint(&self) -> String;

    /// The worth of a text that was written for a meaning, by its place in its part.
    fn of(&self, part: Part, meaning: usize, text: &Draft, covered: Covered) -> f64;
}

/// Meanings that texts are written for, part by part.
#[derive(Debug, Clone, Copy)]
pub struct Meanings<'a> {
    /// What is learnt.
    pub train: &'a [Meaning],
    /// What decides which epoch is kept; may be empty.
    pub validation: &'a [Meaning],
}

/// Goes on training the model of the folder `from` by what its texts are worth, and saves the result in `folder`.
///
/// The weights of the epoch whose greedy texts of the validation's meanings are worth most are kept, those from `from` where
/// no epoch is better. Words of the shoppers' own are not mixed in while it learns. A run that was stopped goes on as in
/// [`super::train`].
///
/// # Errors
/// [`CopyError::Setting`] for a bad configuration, [`CopyError::NoTexts`] where there is no meaning, [`CopyError::Nn`] where a file cannot
/// be read or written, or the worth of a text is not finite.
pub fn reinforce(
    from: &Path,
    meanings: Meanings<'_>,
    reward: &dyn Reward,
    config: &ReinforceConfig,
    folder: &Path,
    progress: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Training<Copywriter>, CopyError> {
    config.check()?;
    if meanings.train.is_empty() {
        return Err(CopyError::NoTexts);
    }
    let before = Copywriter::load(from)?;
    let mut model = Copywriter::load(from)?;
    // What a text is worth is said of the language model alone.
    model.own_words = None;
    let mut task = Task {
        model,
        before,
        meanings,
        reward,
        config,
        order: Vec::new(),
        folder,
        least: None,
    };
    task.least = task.validate()?.get(REWARD).copied();
    let data = meanings.train.iter().chain(meanings.validation);
    let data = data.map(|meaning| format!("{meaning:?}"));
    let begun = task.before.version();
    let settings = format!("{begun} {config:?} {}", reward.fingerprint());
    let settings = config.training(nn::run_fingerprint(&settings, data));
    let record = nn::train(&mut task, &settings, folder, progress)?;
    if !record.finished {
        return Ok(Training::Paused(record));
    }
    let best = record.best().map(|epoch| &epoch.validation);
    if !best.is_some_and(|figures| task.surpasses(figures)) {
        task.before.save(folder)?;
    }
    Ok(Training::Finished(
        Box::new(Copywriter::load(folder)?),
        record,
    ))
}

struct Task<'a> {
    model: Copywriter,
    /// The model as it was, which the new one is kept near.
    before: Copywriter,
    meanings: Meanings<'a>,
    reward: &'a dyn Reward,
    config: &'a ReinforceConfig,
    /// The meanings of the planned epoch.
    order: Vec<usize>,
    folder: &'a Path,
    /// What the texts of the model before are worth, which an epoch has to surpass to be kept.
    least: Option<f64>,
}

/// The texts of one meaning, and what is said of each.
struct Drawn {
    texts: Vec<Sequence>,
    advantages: Vec<f64>,
    /// Σ of what the texts are worth, the leash left out.
    worth: f64,
}

impl Task<'_> {
    /// Whether figures are better than those of the model before, or there are none to compare.
    fn surpasses(&self, figures: &Figures) -> bool {
        let both = figures.get(REWARD).zip(self.least);
        both.is_none_or(|(worth, least)| *worth > least)
    }

    /// Draws the texts of a meaning and compares them.
    fn draw(&self, writer: &Writer<'_>, at: usize, seed: u64) -> Result<Drawn, CopyError> {
        let meaning = &self.meanings.train[at];
        let way = self.config.decoding(Search::Sample {
            count: self.config.drafts,
            temperature: 1.0,
            top_p: 1.0,
            min_p: 0.0,
        });
        let drafts = writer.write(meaning, &way, seed)?;
        let texts = self.sequences(meaning, &drafts)?;
        let before = self.log_probabilities_before(&texts)?;
        let worth = drafts
            .iter()
            .map(|draft| self.worth(writer, Part::Train, at, draft));
        let worth: Vec<f64> = worth.collect();
        let kept = drafts.iter().zip(&worth).zip(before);
        let kept = kept.map(|((draft, worth), before)| {
            worth - self.config.leash * (draft.log_probability - before)
        });
        Ok(Drawn {
            texts,
            advantages: advantages(&kept.collect::<Vec<_>>()),
            worth: worth.iter().sum(),
        })
    }

    fn worth(&self, writer: &Writer<'_>, part: Part, at: usize, draft: &Draft) -> f64 {
        let meaning = match part {
            Part::Train => &self.meanings.train[at],
            Part::Validation => &self.meanings.validation[at],
        };
        let covered = writer.covered(meaning, draft);
        self.reward.of(part, at, draft, covered)
    }

    fn sequences(&self, meaning: &Meaning, drafts: &[Draft]) -> Result<Vec<Sequence>, CopyError> {
        let prompt = Prompt::new(meaning, &self.model.slotted, &self.model.tokenizer)?;
        let sequence = |draft: &Draft| {
            let mut tokens = prompt.tokens.clone();
            tokens.extend_from_slice(&draft.tokens);
            tokens.push(END);
            Sequence {
                tokens,
                prompt: prompt.tokens.len(),
                user_state: meaning.user_state.clone(),
            }
        };
        Ok(drafts.iter().map(sequence).collect())
    }

    /// log `π₀` of each text.
    fn log_probabilities_before(&self, texts: &[Sequence]) -> Result<Vec<f64>, CopyError> {
        if texts.is_empty() || self.config.leash <= 0.0 {
            return Ok(vec![0.0; texts.len()]);
        }
        let user_width = self.model.config.user_width;
        let all: Vec<&Sequence> = texts.iter().collect();
        let tokens = self.before.network.log_probabilities(&all, user_width)?;
        let mut rest = &tokens[..];
        let sum = |text: &Sequence| {
            let (own, others) = rest.split_at(text.tokens.len() - text.prompt);
            rest = others;
            own.iter().map(|x| f64::from(*x)).sum()
        };
        Ok(texts.iter().map(sum).collect())
    }
}

/// How much better each is than the mean of the others; one alone is as good as itself.
fn advantages(worth: &[f64]) -> Vec<f64> {
    let others = worth.len().saturating_sub(1).max(1) as f64;
    let sum: f64 = worth.iter().sum();
    let own = worth.iter().map(|own| own - (sum - own) / others);
    if worth.len() < 2 {
        vec![0.0; worth.len()]
    } else {
        own.collect()
    }
}

impl TrainingTask for Task<'_> {
    type Error = CopyError;

    fn store(&self) -> &ParameterStore {
        &self.model.network.store
    }

    fn plan_epoch(&mut self, epoch: u64) -> Result<u64, CopyError> {
        self.order = (0..self.meanings.train.len()).collect();
        let mut rng = generator(self.config.seed, "meanings", epoch);
        self.order.shuffle(&mut rng);
        self.order.truncate(self.config.meanings_per_epoch);
        Ok(self.order.len().div_ceil(self.config.meanings) as u64)
    }

    /// The loss is minus the mean worth of a text.
    fn gradients(&self, batch: BatchPlace) -> Result<BatchGradients, CopyError> {
        let from = batch.in_epoch as usize * self.config.meanings;
        let meanings = &self.order[from..self.order.len().min(from + self.config.meanings)];
        let writer = self.model.writer(Precision::F32)?;
        let name = format!("{} drafts {}", self.config.seed, batch.number);
        let drawn = (0u64..).zip(meanings).collect::<Vec<_>>();
        let drawn = drawn
            .into_par_iter()
            .map(|(place, at)| self.draw(&writer, *at, nn::name_seed(&format!("{name} {place}"))))
            .collect::<Result<Vec<Drawn>, CopyError>>()?;
        let count = drawn
            .iter()
            .map(|one| one.texts.len())
            .sum::<usize>()
            .max(1) as f64;
        let worth: f64 = drawn.iter().map(|one| one.worth).sum();
        let weighted = drawn
            .into_iter()
            .flat_map(|one| one.texts.into_iter().zip(one.advantages));
        let weighted = weighted.map(|(text, advantage)| (text, (advantage / count) as f32));
        let mut weighted: Vec<(Sequence, f32)> = weighted.collect();
        // Texts of similar length side by side, so that little is padding.
        weighted.sort_by_key(|(text, _)| text.tokens.len());
        let of_texts = self
            .model
            .network
            .weighted_gradients(&weighted, self.model.config.user_width)?;
        Ok(BatchGradients {
            loss: -worth / count,
            ..of_texts
        })
    }

    fn validate(&mut self) -> Result<Figures, CopyError> {
        let mut figures = Figures::new();
        let meanings = self.meanings.validation;
        if meanings.is_empty() {
            return Ok(figures);
        }
        let writer = self.model.writer(Precision::F32)?;
        let greedy = self.config.decoding(Search::Greedy);
        let worth = (0..meanings.len()).into_par_iter().map(|at| {
            let drafts = writer.write(&meanings[at], &greedy, self.config.seed)?;
            let worth = drafts
                .first()
                .map(|draft| self.worth(&writer, Part::Validation, at, draft));
            Ok(worth.unwrap_or(0.0))
        });
        let worth: Vec<f64> = worth.collect::<Result<_, CopyError>>()?;
        figures.insert(
            REWARD.to_owned(),
            worth.iter().sum::<f64>() / worth.len() as f64,
        );
        Ok(figures)
    }

    fn keep_best(&mut self, figures: &Figures) -> Result<(), CopyError> {
        if !self.surpasses(figures) {
            return Ok(());
        }
        self.model.own_words.clone_from(&self.before.own_words);
        let saved = self.model.save(self.folder);
        self.model.own_words = None;
        saved
    }
}
