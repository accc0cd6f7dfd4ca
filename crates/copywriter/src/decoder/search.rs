//! Finds texts: by chance or by beam, under constraints.

mod beam;
mod sample;

use std::ops::ControlFlow;

use nn::inference::Engine;
use nn::simd::max;

use super::constraints::Constraints;
use super::decoding::{DecodingConfig, Search};
use super::own_words::{OwnWords, OwnWordsWeights};
use crate::CopyError;
use crate::sampling::{Chance, IMPLAUSIBLE, to_log_probabilities};

/// A text as tokens, without the end.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Hypothesis {
    pub(super) tokens: Vec<u32>,
    /// log P of each token, and of the end of a text that has ended, under the model with every token allowed.
    pub(super) log_probabilities: Vec<f32>,
    /// What it gained for the slots that it uses.
    pub(super) bonus: f64,
}

impl Hypothesis {
    /// Nothing written yet.
    pub(super) fn empty() -> Self {
        Self {
            tokens: Vec::new(),
            log_probabilities: Vec::new(),
            bonus: 0.0,
        }
    }

    /// log P of the whole.
    pub(super) fn log_probability(&self) -> f64 {
        self.log_probabilities.iter().map(|x| f64::from(*x)).sum()
    }

    /// Mean log-probability of a token, the end and the bonus among them.
    pub(super) fn score(&self, length_penalty: f64) -> f64 {
        (self.bonus + self.log_probability())
            / (self.tokens.len() as f64 + 1.0).powf(length_penalty)
    }
}

/// What is read before the first token is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start<'a> {
    pub(super) engine: &'a Engine,
    /// The soft prefix, [P, D].
    pub(super) prefix: &'a [f32],
    pub(super) prompt: &'a [u32],
    /// The shopper's own words and how much they count, where there are any.
    pub(super) own_words: Option<(&'a OwnWords, &'a OwnWordsWeights)>,
}

impl Start<'_> {
    /// Turns the logits of the token after `written` into log-probabilities, in place.
    fn expect(&self, written: &[u32], logits: &mut [f32]) {
        to_log_probabilities(logits);
        if let Some((own, weights)) = self.own_words {
            weights.mix(own, written, logits);
        }
    }
}

/// Searches for texts of at most `room` tokens; those that did not come to an end by then are not among them. `watch` is told of
/// each token that is drawn, with the number of its text; a beam tells nothing, since it may take back what it wrote.
pub(super) fn search(
    start: Start<'_>,
    constraints: &Constraints<'_>,
    config: &DecodingConfig,
    room: usize,
    seed: u64,
    watch: &mut dyn FnMut(usize, u32) -> ControlFlow<()>,
) -> Result<Vec<Hypothesis>, CopyError> {
    let max_tokens = config.max_tokens.min(room);
    match config.search {
        Search::Greedy => beam::beam(start, constraints, max_tokens, &beam::Shape::plain(1)),
        Search::Beam {
            width,
            groups,
            diversity,
            length_penalty,
        } => {
            let shape = beam::Shape {
                width: width.div_ceil(groups.max(1)).max(1),
                groups: groups.max(1),
                diversity,
                length_penalty,
            };
            beam::beam(start, constraints, max_tokens, &shape)
        }
        Search::Sample {
            count,
            temperature,
            top_p,
            min_p,
        } => {
            let chance = Chance {
                temperature,
                top_p,
                min_p,
            };
            sample::sample(start, constraints, max_tokens, count, chance, seed, watch)
        }
    }
}

/// Whether a token may be chosen although the likelier ones may not. The end of a text has to be: where no other token
/// finds room the text would else end within a word.
fn is_plausible(log_probabilities: &[f32], of_token: f32) -> bool {
    of_token >= max(log_probabilities) + IMPLAUSIBLE
}
