//! A shopper's own words as a cache beside the language model.
//!
//! `P(t | c) = w₀ P_φ(t | c) + w₁ P₀(t) + w₂ P₁(t | c) + w₃ P₂₊(t | c)`: the language model, the shopper's words whatever they
//! follow, those that follow the last token, and those that follow the longest run of last tokens that the shopper has
//! used before, two and more; a part that knows nothing of the place leaves its weight to the language model. A text counts
//! half as much once there are eight later ones. The weights w, which sum to 1, depend on the length of that run and on how
//! often it was met; [`OwnWordsWeights::fit`] finds them by expectation maximisation on texts that the model has not learnt.
//!
//! Sources: Kuhn and De Mori, "A Cache-Based Natural Language Model for Speech Recognition", 1990; Jelinek et al., "A Dynamic
//! Language Model for Speech Recognition", 1991; Jelinek and Mercer, 1980, for the weights. How this differs: the cache is
//! of one person and not of one document, and digits are never kept in it, so that no price of yesterday comes back.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::pieces::Pieces;
use super::tokenizer::END;

/// Tokens of the longest run that is looked for.
const LONGEST: usize = 4;
/// Later texts of the shopper after which a text counts half.
const HALF_LIFE: f32 = 8.0;
/// The language model and what is in the cache: by itself, after one token, after a longer run.
const PARTS: usize = 4;
/// Kinds of place: the length of the run, 0 to [`LONGEST`], and how often it was met, in four steps.
const KINDS: usize = (LONGEST + 1) * FREQUENCIES;
const FREQUENCIES: usize = 4;
/// Rounds of expectation maximisation, after which the weights move no more than their third digit.
const ROUNDS: usize = 40;
/// Tokens that are taken to have been met in every kind of place, shared as they are over all kinds together.
const PRIOR: f64 = 20.0;

/// What the tokens of a shopper's texts were followed by.
#[derive(Debug, Clone, Default)]
pub(super) struct OwnWords {
    after: HashMap<Box<[u32]>, Followers>,
}

/// What followed a run of tokens, and how often, the old counting less.
#[derive(Debug, Clone, Default)]
struct Followers {
    counts: HashMap<u32, f32>,
    total: f32,
}

/// What the cache makes of a place in a text.
#[derive(Debug, Clone, Copy)]
struct Place<'a> {
    kind: usize,
    /// By itself, after one token, after a longer run.
    parts: [Option<&'a Followers>; PARTS - 1],
}

/// How much language model and cache count, by the kind of place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct OwnWordsWeights(Vec<[f64; PARTS]>);

impl Followers {
    fn add(&mut self, token: u32, weight: f32) {
        *self.counts.entry(token).or_default() += weight;
        self.total += weight;
    }

    fn share(&self, token: u32) -> f64 {
        let count = self.counts.get(&token).copied().unwrap_or(0.0);
        f64::from(count / self.total)
    }
}

impl OwnWords {
    /// The cache of texts as tokens, the oldest first.
    pub(super) fn new(texts: &[Vec<u32>], pieces: &Pieces) -> Self {
        let has_digit = |token: u32| {
            let bytes = pieces.bytes(token);
            bytes.is_some_and(|bytes| bytes.iter().any(u8::is_ascii_digit))
        };
        let mut own = Self::default();
        for (text, age) in texts.iter().rev().zip(0u16..) {
            let weight = 0.5f32.powf(f32::from(age) / HALF_LIFE);
            // A text stands between two ends.
            let mut tokens = vec![END];
            tokens.extend(text);
            tokens.push(END);
            for at in 1..tokens.len() {
                let token = tokens[at];
                if has_digit(token) {
                    continue;
                }
                for length in 0..=LONGEST.min(at) {
                    let run = &tokens[at - length..at];
                    own.after.entry(run.into()).or_default().add(token, weight);
                }
            }
        }
        own
    }

    fn place(&self, before: &[u32]) -> Place<'_> {
        let length = LONGEST.min(before.len());
        // A run that was met has every shorter one in the cache too.
        let found = |length: usize| self.after.get(&before[before.len() - length..]);
        let longest = (0..=length).rev().find_map(|n| Some((n, found(n)?)));
        let (length, followers) = longest.map_or((0, None), |(n, found)| (n, Some(found)));
        let total = followers.map_or(0.0, |followers| followers.total);
        let frequency = [1.0, 2.0, 4.0]
            .iter()
            .filter(|least| total > **least)
            .count();
        Place {
            kind: length * FREQUENCIES + frequency,
            parts: [
                found(0),
                (length > 0).then(|| found(1)).flatten(),
                followers.filter(|_| length > 1),
            ],
        }
    }

    /// The run of tokens that stands before the first of a text and its next.
    fn before(written: &[u32]) -> Vec<u32> {
        let last = &written[written.len().saturating_sub(LONGEST)..];
        if last.len() < LONGEST {
            std::iter::once(END).chain(last.iter().copied()).collect()
        } else {
            last.to_vec()
        }
    }

    /// What each part of the mixture expects of the tokens of a text, its end among them; `model` holds log `P_φ` of each.
    fn expected(&self, tokens: &[u32], model: &[f32]) -> Vec<(usize, [f64; PARTS])> {
        let places = tokens.iter().zip(model).enumerate();
        places
            .map(|(at, (token, model))| {
                let place = self.place(&Self::before(&tokens[..at]));
                let model = f64::from(*model).exp();
                let share =
                    |part: Option<&Followers>| part.map_or(model, |part| part.share(*token));
                let [alone, after_one, after_more] = place.parts.map(share);
                (place.kind, [model, alone, after_one, after_more])
            })
            .collect()
    }
}

impl OwnWordsWeights {
    /// The weights under which texts are likeliest, each given by the shopper's own words before it, its tokens with the
    /// end, and log `P_φ` of each.
    pub(super) fn fit(texts: &[(OwnWords, Vec<u32>, Vec<f32>)]) -> Self {
        let expected: Vec<(usize, [f64; PARTS])> = texts
            .iter()
            .flat_map(|(own, tokens, model)| own.expected(tokens, model))
            .collect();
        let mut weights = vec![[0.85, 0.05, 0.05, 0.05]; KINDS];
        for _ in 0..ROUNDS {
            let mut shares = vec![[0.0; PARTS]; KINDS];
            for (kind, parts) in &expected {
                let joint = products(&weights[*kind], parts);
                let total: f64 = joint.iter().sum();
                for (share, part) in shares[*kind].iter_mut().zip(joint) {
                    *share += part / total;
                }
            }
            let mut all = [1e-9; PARTS];
            for shares in &shares {
                for (all, share) in all.iter_mut().zip(shares) {
                    *all += share;
                }
            }
            let total: f64 = all.iter().sum();
            for (weights, shares) in weights.iter_mut().zip(&shares) {
                let met: f64 = shares.iter().sum();
                for ((weight, share), all) in weights.iter_mut().zip(shares).zip(all) {
                    *weight = (share + PRIOR * all / total) / (met + PRIOR);
                }
            }
        }
        Self(weights)
    }

    /// log P of each token of a text.
    pub(super) fn log_probabilities(
        &self,
        own: &OwnWords,
        tokens: &[u32],
        model: &[f32],
    ) -> Vec<f64> {
        let expected = own.expected(tokens, model).into_iter();
        expected
            .map(|(kind, parts)| products(&self.0[kind], &parts).iter().sum::<f64>().ln())
            .collect()
    }

    /// Turns what the language model expects after `written` into what is expected of this shopper, in place.
    ///
    /// # Shapes
    /// log-probabilities [V].
    pub(super) fn mix(&self, own: &OwnWords, written: &[u32], log_probabilities: &mut [f32]) {
        let before = OwnWords::before(written);
        let place = own.place(&before);
        let [mut model, shares @ ..] = self.0[place.kind];
        let mut added: HashMap<u32, f64> = HashMap::new();
        for (part, share) in place.parts.iter().zip(shares) {
            let Some(part) = part else {
                model += share;
                continue;
            };
            for (token, count) in &part.counts {
                *added.entry(*token).or_default() += share * f64::from(count / part.total);
            }
        }
        let scale = model.ln() as f32;
        for (token, x) in (0u32..).zip(&mut *log_probabilities) {
            *x = match added.get(&token) {
                Some(added) => (model * f64::from(*x).exp() + added).ln() as f32,
                None => *x + scale,
            };
        }
    }
}

fn products(weights: &[f64; PARTS], parts: &[f64; PARTS]) -> [f64; PARTS] {
    std::array::from_fn(|at| weights[at] * parts[at])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decoder::example::{Corpus, Example};
    use crate::decoder::tokenizer::Tokenizer;

    fn tokenizer() -> Tokenizer {
        let corpus = Corpus {
            train: vec![Example {
                text: "good value for 20 pounds, good sound".to_owned(),
                ..Example::default()
            }],
            ..Corpus::default()
        };
        Tokenizer::train(&corpus, 300).expect("learns")
    }

    fn tokens(tokenizer: &Tokenizer, text: &str) -> Vec<u32> {
        let mut tokens = Vec::new();
        tokenizer.encode(text, &mut tokens).expect("encodes");
        tokens
    }

    #[test]
    fn a_mixture_is_a_distribution_that_knows_no_digits() {
        let tokenizer = tokenizer();
        let pieces = Pieces::new(&tokenizer);
        let texts = ["good value for 20 pounds", "good sound"].map(|t| tokens(&tokenizer, t));
        let own = OwnWords::new(&texts, &pieces);
        let digit = tokens(&tokenizer, "2")[0];
        assert!(
            own.after
                .values()
                .all(|found| !found.counts.contains_key(&digit))
        );

        let weights = OwnWordsWeights(vec![[0.7, 0.1, 0.12, 0.08]; KINDS]);
        let text = tokens(&tokenizer, "good sound, good value");
        let even = -(tokenizer.len() as f32).ln();
        let told = weights.log_probabilities(&own, &text, &vec![even; text.len()]);
        for (at, token) in text.iter().enumerate() {
            let mut row = vec![even; tokenizer.len()];
            weights.mix(&own, &text[..at], &mut row);
            let total: f64 = row.iter().map(|x| f64::from(*x).exp()).sum();
            assert!((total - 1.0).abs() < 1e-4, "{total} at {at}");
            assert!((f64::from(row[*token as usize]) - told[at]).abs() < 1e-4);
            // 0.7 of it, or more where a part of the cache knows nothing of the place.
            assert!(row[digit as usize] <= even && row[digit as usize] > even - 0.4);
        }
        // Of nobody nothing is known.
        let mut row = vec![even; tokenizer.len()];
        weights.mix(&OwnWords::default(), &text, &mut row);
        assert!(row.iter().all(|x| (x - even).abs() < 1e-6));
    }

    #[test]
    fn the_latest_text_counts_most() {
        let tokenizer = tokenizer();
        let pieces = Pieces::new(&tokenizer);
        let texts = ["sound", "value", "value"].map(|t| tokens(&tokenizer, t));
        let share = |texts: &[Vec<u32>], token: u32| {
            let own = OwnWords::new(texts, &pieces);
            own.after[&[] as &[u32]].share(token)
        };
        let first = texts[0][0];
        let (a, b) = (0.5f64.powf(0.25), 0.5f64.powf(0.125));
        let lengths = (texts[0].len() as f64 + 1.0, texts[1].len() as f64 + 1.0);
        let expected = a / (a * lengths.0 + (b + 1.0) * lengths.1);
        let met = texts[0].iter().filter(|t| **t == first).count() as f64;
        assert!(!texts[1].contains(&first));
        assert!((share(&texts, first) - met * expected).abs() < 1e-6);
    }
}
