//! How little held-out texts are expected, with what is known of the shopper who wrote them and of others.

use std::collections::BTreeMap;

use bandit::Bootstrap;
use copywriter::decoder::{Copywriter, Example, Meaning, Surprise};
use rand::seq::SliceRandom;
use rayon::prelude::*;

use super::user_state_report::StateRow;
use super::user_states::JudgeSettings;
use crate::error::Result;
use crate::train::Told;

/// Texts that are measured in one go on one thread.
const CHUNK: usize = 16;

/// What is known of a shopper.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    pub(super) state: Option<Vec<f32>>,
    /// The texts that came with the past, the oldest first.
    pub(super) own_texts: Vec<String>,
}

impl Known {
    /// Tells the copywriter of the shopper.
    pub(super) fn tell(&self, meaning: &mut Meaning) {
        meaning.user_state.clone_from(&self.state);
        meaning.own_texts.clone_from(&self.own_texts);
    }

    fn state_alone(&self) -> Self {
        Self {
            own_texts: Vec::new(),
            ..self.clone()
        }
    }
}

/// Texts with what is known of the shopper of each.
pub(super) fn examples(told: &[&Told], known: &[Known]) -> Vec<Example> {
    let all = told.iter().zip(known);
    all.map(|(told, known)| {
        let mut example = told.example.clone();
        known.tell(&mut example.meaning);
        example
    })
    .collect()
}

/// The surprise of each shopper's texts under each kind of knowledge.
pub(super) struct Measured {
    texts: usize,
    /// The nats that there are to be gained, where the shoppers are simulated.
    most_gain: Option<f64>,
    tokens: Vec<f64>,
    own: Vec<f64>,
    state_alone: Vec<f64>,
    nobody: Vec<f64>,
    /// The mean over the permutations.
    others: Vec<f64>,
    /// Of a model that was trained without states.
    stranger: Option<Vec<f64>>,
}

impl Measured {
    pub(super) fn new(
        judged: &[&Told],
        known: &[Known],
        writer: &Copywriter,
        stranger: Option<&Copywriter>,
        settings: &JudgeSettings,
    ) -> Result<Self> {
        let mut first: BTreeMap<usize, usize> = BTreeMap::new();
        for (at, told) in judged.iter().enumerate() {
            first.entry(told.shopper).or_insert(at);
        }
        let number: BTreeMap<usize, usize> = first.keys().copied().zip(0..).collect();
        let shopper_of: Vec<usize> = judged.iter().map(|told| number[&told.shopper]).collect();
        let by_shopper: Vec<&Known> = first.values().map(|at| &known[*at]).collect();

        let with = |model: &Copywriter, known: &(dyn Fn(usize) -> Known + Sync)| {
            let told: Vec<Known> = shopper_of.iter().map(|shopper| known(*shopper)).collect();
            surprises(model, &examples(judged, &told))
        };
        let own = with(writer, &|shopper| by_shopper[shopper].clone())?;
        let sums = |found: &[Option<Surprise>], of: fn(&Surprise) -> f64| {
            let mut sums = vec![0.0; by_shopper.len()];
            for (shopper, surprise) in shopper_of.iter().zip(found) {
                sums[*shopper] += surprise.as_ref().map_or(0.0, of);
            }
            sums
        };
        let nats = |found: &[Option<Surprise>]| sums(found, |surprise| surprise.nats);
        let mut others = vec![0.0; by_shopper.len()];
        for number in 0..settings.permutations {
            let other = another(by_shopper.len(), settings.seed, number);
            let found = with(writer, &|shopper| by_shopper[other[shopper]].clone())?;
            for (sum, nats) in others.iter_mut().zip(nats(&found)) {
                *sum += nats / settings.permutations as f64;
            }
        }
        let state_alone = with(writer, &|shopper| by_shopper[shopper].state_alone())?;
        let read = judged.iter().zip(&own).filter(|(_, found)| found.is_some());
        let gains: Vec<f64> = read.filter_map(|(told, _)| told.most_gain).collect();
        let mut measured = Self {
            texts: own.iter().flatten().count(),
            most_gain: (!gains.is_empty()).then(|| gains.iter().sum()),
            tokens: sums(&own, |surprise| surprise.tokens as f64),
            own: nats(&own),
            state_alone: nats(&state_alone),
            nobody: nats(&with(writer, &|_| Known::default())?),
            stranger: match stranger {
                Some(model) => Some(nats(&with(model, &|_| Known::default())?)),
                None => None,
            },
            others,
        };
        measured.leave_out_the_unread();
        Ok(measured)
    }

    /// Shoppers of whose texts none was short enough.
    fn leave_out_the_unread(&mut self) {
        let read: Vec<bool> = self.tokens.iter().map(|tokens| *tokens > 0.0).collect();
        let columns = [
            &mut self.tokens,
            &mut self.own,
            &mut self.state_alone,
            &mut self.nobody,
            &mut self.others,
        ];
        for column in columns.into_iter().chain(&mut self.stranger) {
            let mut read = read.iter();
            column.retain(|_| read.next().is_some_and(|read| *read));
        }
    }

    /// The number of texts that were measured.
    pub(super) fn texts(&self) -> usize {
        self.texts
    }

    /// The number of shoppers who wrote them.
    pub(super) fn shoppers(&self) -> usize {
        self.tokens.len()
    }

    /// The number of their tokens.
    pub(super) fn tokens(&self) -> usize {
        self.tokens.iter().sum::<f64>() as usize
    }

    /// The most by which the perplexity of the own state could be below another's, where the shoppers are simulated.
    pub(super) fn most(&self) -> Option<f64> {
        let tokens: f64 = self.tokens.iter().sum();
        self.most_gain.map(|gain| 1.0 - (-gain / tokens).exp())
    }

    /// The perplexities, and how far each lies above that of the own states.
    pub(super) fn rows(&self, settings: &JudgeSettings) -> Result<Vec<StateRow>> {
        let mut named = vec![
            ("the shopper's own state and words", &self.own),
            ("the own state, nobody's words", &self.state_alone),
            ("nothing known (zeros)", &self.nobody),
            ("another shopper's state and words", &self.others),
        ];
        if let Some(stranger) = &self.stranger {
            named.push(("a model trained without states", stranger));
        }
        let bootstrap = Bootstrap {
            replicates: settings.resamples,
            seed: settings.seed,
            ..Bootstrap::default()
        };
        let row = |(name, nats): (&str, &Vec<f64>)| {
            let sum = |of: &[f64], drawn: &[usize]| drawn.iter().map(|at| of[*at]).sum::<f64>();
            let gain = |drawn: &[usize]| {
                let gap = sum(&self.own, drawn) - sum(nats, drawn);
                1.0 - (gap / sum(&self.tokens, drawn)).exp()
            };
            let all: Vec<usize> = (0..self.tokens.len()).collect();
            let closer = self.own.iter().zip(nats).filter(|(own, other)| own < other);
            Ok(StateRow {
                state: name.to_owned(),
                perplexity: (sum(nats, &all) / sum(&self.tokens, &all)).exp(),
                own_is_below: bootstrap.one_sample(all.len(), gain)?,
                own_is_closer: closer.count() as f64 / all.len() as f64,
            })
        };
        named.into_iter().map(row).collect()
    }
}

/// How little a model expects each text.
fn surprises(model: &Copywriter, texts: &[Example]) -> Result<Vec<Option<Surprise>>> {
    let chunks = texts.par_chunks(CHUNK);
    let found: std::result::Result<Vec<_>, _> = chunks.map(|texts| model.surprise(texts)).collect();
    Ok(found?.concat())
}

/// For each of `count` places another one, all different.
fn another(count: usize, seed: u64, number: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    order.shuffle(&mut nn::generator(seed, "another shopper", number));
    let mut others = vec![0; count];
    for (place, next) in order.iter().zip(order.iter().cycle().skip(1)) {
        others[*place] = *next;
    }
    others
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_gets_the_state_of_another() {
        for count in [2, 3, 10] {
            let others = another(count, 1, 0);
            let mut sorted = others.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..count).collect::<Vec<_>>());
            assert!(
                others
                    .iter()
                    .enumerate()
                    .all(|(place, other)| place != *other)
            );
        }
        assert_ne!(another(10, 1, 0), another(10, 1, 1));
    }
}
