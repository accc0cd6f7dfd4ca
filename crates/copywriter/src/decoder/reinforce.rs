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
//! metric over references. How this differs: a text that comes to no end within its room is not learnt from, and texts are
//! drawn under what every text obeys (a slot a few times at most, no special tokens, nothing beyond e⁻¹¹ of the likeliest token), while π
//! is the model's own probability, so that the gradient is that of E\[R\] but for what the two differ by.

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
/// [`CopyError::Setting`] for a bad configuration, [`CopyError::NoMeanings`] where no meaning leaves room for a text, [`CopyError::Nn`] where a file cannot
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
    let before = Copywriter::load(from)?;
    let train = with_room(meanings.train, &before)?;
    if train.is_empty() {
        return Err(CopyError::NoMeanings {
            given: meanings.train.len(),
        });
    }
    let validation = with_room(meanings.validation, &before)?;
    let mut model = Copywriter::load(from)?;
    // What a text is worth is said of the language model alone.
    model.own_words = None;
    let mut task = Task {
        model,
        before,
        meanings,
        train,
        validation,
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
    let mut record = nn::train(&mut task, &settings, folder, progress)?;
    if !record.finished {
        return Ok(Training::Paused(record));
    }
    let best = record.best().map(|epoch| &epoch.validation);
    if !best.is_some_and(|figures| task.surpasses(figures)) {
        task.before.save(folder)?;
        record.best_epoch = None;
        record.save(folder)?;
    }
    Ok(Training::Finished(
        Box::new(Copywriter::load(folder)?),
        record,
    ))
}

/// The places of the meanings that leave room for a text.
fn with_room(meanings: &[Meaning], model: &Copywriter) -> Result<Vec<usize>, CopyError> {
    let mut places = Vec::new();
    for (place, meaning) in meanings.iter().enumerate() {
        let prompt = Prompt::new(meaning, &model.slotted, &model.tokenizer)?;
        if prompt.tokens.len() + 1 < model.config.max_tokens {
            places.push(place);
        }
    }
    Ok(places)
}

struct Task<'a> {
    model: Copywriter,
    /// The model as it was, which the new one is kept near.
    before: Copywriter,
    meanings: Meanings<'a>,
    /// The meanings of each part that leave room for a text.
    train: Vec<usize>,
    validation: Vec<usize>,
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
        // Figures of a record are rounded.
        both.is_none_or(|(worth, least)| *worth > least + 1e-8)
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
            worth - self.config.kl_coefficient * (draft.log_probability - before)
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
        if texts.is_empty() || self.config.kl_coefficient <= 0.0 {
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

/// The mean over all meanings; a text that came to no end is worth less than each of those that did.
fn mean_worth(worth: &[Option<f64>]) -> f64 {
    let least = worth.iter().flatten().copied().fold(0.0, f64::min) - 1.0;
    let sum: f64 = worth.iter().map(|worth| worth.unwrap_or(least)).sum();
    sum / worth.len() as f64
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
        self.order.clone_from(&self.train);
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
        let writer = self.model.writer(Precision::F32)?;
        let greedy = self.config.decoding(Search::Greedy);
        let worth = self.validation.par_iter().map(|&at| {
            let meaning = &self.meanings.validation[at];
            let drafts = writer.write(meaning, &greedy, self.config.seed)?;
            let draft = drafts.first();
            Ok(draft.map(|draft| self.worth(&writer, Part::Validation, at, draft)))
        });
        let worth: Vec<Option<f64>> = worth.collect::<Result<_, CopyError>>()?;
        if !worth.is_empty() {
            figures.insert(REWARD.to_owned(), mean_worth(&worth));
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decoder::tests::{config, meaning, trained};

    #[test]
    fn each_text_is_compared_with_the_others() {
        assert_eq!(advantages(&[1.0, 0.0, 0.0]), [1.0, -0.5, -0.5]);
        assert_eq!(advantages(&[3.0]), [0.0]);
        assert!(advantages(&[]).is_empty());
    }

    #[test]
    fn no_text_is_worth_less_than_any() {
        let close = |worth: &[Option<f64>], expected: f64| {
            assert!((mean_worth(worth) - expected).abs() < 1e-12, "{worth:?}");
        };
        close(&[Some(-2.0), None], -2.5);
        close(&[Some(1.0), Some(0.5)], 0.75);
        close(&[None], -1.0);
    }

    #[test]
    fn before_the_first_step_the_leash_is_slack() {
        struct Nothing;
        impl Reward for Nothing {
            fn fingerprint(&self) -> String {
                String::new()
            }
            fn of(&self, _: Part, _: usize, _: &Draft, _: Covered) -> f64 {
                0.0
            }
        }
        let few = super::super::CopywriterConfig {
            epochs: 3,
            ..config()
        };
        let (folder, before) = trained(&few);
        let meanings = [meaning("X", "red"), meaning("Y", "blue")];
        let long = meaning(&"Z ".repeat(200), &"pale ".repeat(200));
        let told = [meanings[0].clone(), long, meanings[1].clone()];
        assert_eq!(with_room(&told, &before).expect("cut"), [0, 2]);
        let settings = ReinforceConfig::default();
        let task = Task {
            model: Copywriter::load(folder.path()).expect("was saved"),
            before,
            meanings: Meanings {
                train: &meanings,
                validation: &[],
            },
            train: vec![0, 1],
            validation: Vec::new(),
            reward: &Nothing,
            config: &settings,
            order: Vec::new(),
            folder: folder.path(),
            least: None,
        };
        let writer = task.model.writer(Precision::F32).expect("fits");
        let sample = settings.decoding(Search::Sample {
            count: 5,
            temperature: 1.0,
            top_p: 1.0,
            min_p: 0.0,
        });
        let drafts = writer.write(&meanings[1], &sample, 1).expect("writes");
        assert!(drafts.len() > 1);
        let texts = task.sequences(&meanings[1], &drafts).expect("cut");
        let before = task.log_probabilities_before(&texts).expect("fits");
        for (draft, before) in drafts.iter().zip(before) {
            assert!((draft.log_probability - before).abs() < 1e-3, "{before}");
        }
    }
}
