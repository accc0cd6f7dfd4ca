//! Which facts a text states, told by its words.
//!
//! One logistic regression a fact over the n-grams of a text, learnt from the corpus: the facts of an example are taken to
//! be stated, all others not. Which drafts leave a fact out or add one is then counted before the best is chosen.
//!
//! Source: Dušek and Jurčíček, "Sequence-to-Sequence Generation for Spoken Dialogue via Deep Syntax Trees and Strings",
//! 2016, who rerank by such a classifier. How this differs: it is linear over hashed n-grams (Weinberger et al., "Feature
//! Hashing for Large Scale Multitask Learning", 2009) and learnt by `AdaGrad`, seconds instead of a second network.

use std::collections::{BTreeMap, HashMap};

use nn::{Device, NnError, Tensor};

use super::example::Fact;
use crate::CopyError;

/// Buckets that n-grams are hashed into.
const BUCKETS: usize = 1 << 15;
/// Longest n-gram.
const MAX_ORDER: usize = 3;
/// Examples of a fact from which it is learnt; of fewer nothing could be said.
const LEAST_EXAMPLES: usize = 30;
/// Passes over the examples.
const PASSES: usize = 4;
const LEARNING_RATE: f32 = 0.3;
/// Weight of the squared weights in the objective.
const DECAY: f32 = 1e-6;

/// Learnt logistic regressions, one a fact.
#[derive(Debug, Clone, Default)]
pub(super) struct Coverage {
    labels: HashMap<Fact, usize>,
    names: Vec<Fact>,
    /// [facts, buckets + 1]; the last is the bias.
    weights: Vec<f32>,
}

/// What a text says of a meaning, in facts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Covered {
    /// Facts of the meaning that the text leaves out.
    pub missing: usize,
    /// Facts that the text states and the meaning does not have.
    pub added: usize,
}

impl Coverage {
    /// Learns from texts as tokens and the facts that each was written from.
    pub(super) fn learn(examples: &[(&[u32], Vec<&Fact>)]) -> Self {
        let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for fact in examples.iter().flat_map(|(_, facts)| facts) {
            *counts.entry((&fact.name, &fact.value)).or_default() += 1;
        }
        let known = counts
            .into_iter()
            .filter(|(_, count)| *count >= LEAST_EXAMPLES);
        let names: Vec<Fact> = known
            .map(|((name, value), _)| Fact::new(name, value))
            .collect();
        let labels = names.iter().cloned().zip(0..).collect();
        let mut coverage = Self {
            labels,
            weights: vec![0.0; names.len() * (BUCKETS + 1)],
            names,
        };
        let mut squares = vec![1e-6f32; coverage.weights.len()];
        for _ in 0..PASSES {
            for (text, facts) in examples {
                coverage.step(&features(text), facts, &mut squares);
            }
        }
        coverage
    }

    fn step(&mut self, features: &[usize], facts: &[&Fact], squares: &mut [f32]) {
        let mut stated = vec![false; self.names.len()];
        for fact in facts {
            if let Some(label) = self.labels.get(*fact) {
                stated[*label] = true;
            }
        }
        let rows = self.weights.chunks_exact_mut(BUCKETS + 1);
        for ((row, squares), stated) in rows.zip(squares.chunks_exact_mut(BUCKETS + 1)).zip(stated)
        {
            let error = probability(row, features) - f32::from(u8::from(stated));
            for &feature in features {
                let gradient = error + DECAY * row[feature];
                squares[feature] += gradient * gradient;
                row[feature] -= LEARNING_RATE * gradient / squares[feature].sqrt();
            }
        }
    }

    /// What a text leaves out and adds; facts of which there were too few examples are not looked at.
    pub(super) fn of(&self, text: &[u32], facts: &[Fact]) -> Covered {
        let features = features(text);
        let mut covered = Covered::default();
        for (name, row) in self
            .names
            .iter()
            .zip(self.weights.chunks_exact(BUCKETS + 1))
        {
            let stated = probability(row, &features) > 0.5;
            match (facts.contains(name), stated) {
                (true, false) => covered.missing += 1,
                (false, true) => covered.added += 1,
                _ => {}
            }
        }
        covered
    }

    /// The facts that are told apart.
    pub(super) fn names(&self) -> &[Fact] {
        &self.names
    }

    /// The weights, [facts, buckets + 1].
    pub(super) fn tensor(&self) -> Result<Tensor, CopyError> {
        let shape = (self.names.len(), BUCKETS + 1);
        Ok(Tensor::from_slice(&self.weights, shape, &Device::Cpu).map_err(NnError::from)?)
    }

    /// The regressions of facts with their weights.
    ///
    /// # Errors
    /// [`CopyError::Nn`] where there are not as many weights.
    pub(super) fn restore(names: Vec<Fact>, weights: &Tensor) -> Result<Self, CopyError> {
        let expected = [names.len(), BUCKETS + 1];
        if weights.dims() != expected {
            return Err(CopyError::Nn(NnError::Shape {
                operation: "coverage",
                expected: format!("weights {expected:?}"),
                got: format!("{:?}", weights.dims()),
            }));
        }
        let weights = weights.flatten_all().and_then(|all| all.to_vec1());
        Ok(Self {
            labels: names.iter().cloned().zip(0..).collect(),
            names,
            weights: weights.map_err(NnError::from)?,
        })
    }
}

fn probability(row: &[f32], features: &[usize]) -> f32 {
    let sum: f32 = features.iter().map(|feature| row[*feature]).sum();
    1.0 / (1.0 + (-sum).exp())
}

/// The buckets of a text's n-grams, each once, and the bias.
fn features(text: &[u32]) -> Vec<usize> {
    let ngrams = (1..=MAX_ORDER).flat_map(|order| text.windows(order));
    let mut buckets: Vec<usize> = ngrams.map(bucket).collect();
    buckets.push(BUCKETS);
    buckets.sort_unstable();
    buckets.dedup();
    buckets
}

/// FNV-1a over the tokens.
fn bucket(ngram: &[u32]) -> usize {
    let hash = ngram.iter().fold(0xcbf2_9ce4_8422_2325u64, |hash, token| {
        (hash ^ u64::from(*token + 1)).wrapping_mul(0x0100_0000_01b3)
    });
    ((hash ^ (hash >> 29)) % BUCKETS as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_told_by_their_words() {
        let (red, blue) = (Fact::new("colour", "red"), Fact::new("colour", "blue"));
        let rare = Fact::new("colour", "mauve");
        // Token 5 says red and 6 7 says blue, among words that say nothing.
        let texts: Vec<(Vec<u32>, &Fact)> = (0..80u32)
            .map(|at| {
                let noise = 10 + at % 7;
                if at % 2 == 0 {
                    (vec![noise, 5, 8], &red)
                } else {
                    (vec![noise, 6, 7, 8], &blue)
                }
            })
            .collect();
        let mut examples: Vec<(&[u32], Vec<&Fact>)> = texts
            .iter()
            .map(|(text, fact)| (&text[..], vec![*fact]))
            .collect();
        examples.push((&[9], vec![&rare]));
        let coverage = Coverage::learn(&examples);
        assert_eq!(coverage.names(), [blue.clone(), red.clone()]);
        let of = |text: &[u32], facts: &[&Fact]| {
            let facts: Vec<Fact> = facts.iter().map(|fact| (*fact).clone()).collect();
            let covered = coverage.of(text, &facts);
            (covered.missing, covered.added)
        };
        assert_eq!(of(&[11, 5, 8], &[&red]), (0, 0));
        assert_eq!(of(&[11, 6, 7, 8], &[&red, &rare]), (1, 1));
        assert_eq!(of(&[11, 8], &[&blue]).0, 1);
        let tensor = coverage.tensor().expect("a tensor");
        let again = Coverage::restore(coverage.names().to_vec(), &tensor).expect("the same");
        assert_eq!(again.weights, coverage.weights);
        let error = Coverage::restore(vec![red], &tensor).expect_err("other facts");
        assert!(error.to_string().contains("[1, 32769]"), "{error}");
    }
}
