//! Self-BLEU: how much the texts of a corpus repeat each other.
//!
//! Zhu, Lu, Zheng, Guo, Zhang, Wang, Yu, "Texygen: A Benchmarking Platform for Text Generation Models", SIGIR 2018.
//! Self-BLEU = mean over i of BLEU-4(tᵢ; references = all other texts), smoothed with 0.1 matches for an order without one.
//! Lower is more varied.
//!
//! How this differs from the paper: Texygen draws 500 references to save time. Here every other text is a reference,
//! and the cost is linear in the tokens all the same: the clipping count of an n-gram for text i is the highest count in any
//! *other* text, which is the highest count of the corpus, or the second highest where text i holds the highest.

use std::collections::{BTreeMap, HashMap};

use super::bleu::{Bleu, MAX_ORDER, Smoothing};
use super::ngrams::counts;

/// Returns the mean self-BLEU of a corpus, in 0..=1; 0 for fewer than two texts.
pub fn self_bleu(texts: &[Vec<String>]) -> f64 {
    if texts.len() < 2 {
        return 0.0;
    }
    self_bleu_each(texts).iter().sum::<f64>() / texts.len() as f64
}

/// Returns each text's BLEU-4 against all the others; with fewer than two texts there is nothing to compare, so 0.
pub fn self_bleu_each(texts: &[Vec<String>]) -> Vec<f64> {
    let mut scores: Vec<Bleu> = texts.iter().map(|text| lengths(text)).collect();
    let closest = ClosestLengths::of(texts);
    for (score, text) in scores.iter_mut().zip(texts) {
        score.reference_length = closest.to(text.len());
    }
    for order in 0..MAX_ORDER {
        let highest = highest_counts(texts, order + 1);
        for (index, text) in texts.iter().enumerate() {
            for (ngram, count) in counts(text, order + 1) {
                scores[index].totals[order] += count;
                scores[index].matches[order] += count.min(highest[ngram].outside(index));
            }
        }
    }
    scores
        .iter()
        .map(|score| score.score(Smoothing::Floor(0.1)))
        .collect()
}

fn lengths(text: &[String]) -> Bleu {
    Bleu {
        length: text.len(),
        ..Bleu::default()
    }
}

/// The two highest counts of an n-gram in different texts.
#[derive(Default)]
struct Highest {
    first: usize,
    holder: usize,
    second: usize,
}

impl Highest {
    fn add(&mut self, text: usize, count: usize) {
        if count > self.first {
            self.second = self.first;
            (self.first, self.holder) = (count, text);
        } else {
            self.second = self.second.max(count);
        }
    }

    /// The highest count in any text but `text`.
    fn outside(&self, text: usize) -> usize {
        if self.holder == text {
            self.second
        } else {
            self.first
        }
    }
}

fn highest_counts(texts: &[Vec<String>], n: usize) -> HashMap<&[String], Highest> {
    let mut highest: HashMap<&[String], Highest> = HashMap::new();
    for (index, text) in texts.iter().enumerate() {
        for (ngram, count) in counts(text, n) {
            highest.entry(ngram).or_default().add(index, count);
        }
    }
    highest
}

/// The lengths of the texts, to find the one closest to a text's own among the others.
struct ClosestLengths(BTreeMap<usize, usize>);

impl ClosestLengths {
    fn of(texts: &[Vec<String>]) -> Self {
        let mut texts_of_length = BTreeMap::new();
        for text in texts {
            *texts_of_length.entry(text.len()).or_insert(0) += 1;
        }
        Self(texts_of_length)
    }

    /// The length closest to `length` among the other texts, the shorter of two equally close.
    fn to(&self, length: usize) -> usize {
        if self.0.get(&length).is_some_and(|&texts| texts > 1) {
            return length;
        }
        let shorter = self.0.range(..length).next_back().map(|(&other, _)| other);
        let longer = self.0.range(length + 1..).next().map(|(&other, _)| other);
        match (shorter, longer) {
            (Some(shorter), Some(longer)) if longer - length < length - shorter => longer,
            (Some(shorter), _) => shorter,
            (None, longer) => longer.unwrap_or(0),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::float_cmp,
        reason = "both sides are computed exactly or in the same way"
    )]

    use super::*;
    use crate::tokenise;

    #[test]
    fn it_equals_bleu_against_every_other_text() {
        let texts: Vec<Vec<String>> = [
            "the red mug for you",
            "the red bag for you and for me",
            "for for for you",
            "一个红色的杯子",
            "mug",
            "the red mug for you",
        ]
        .iter()
        .map(|text| tokenise(text))
        .collect();
        for (index, score) in self_bleu_each(&texts).into_iter().enumerate() {
            let mut others = texts.clone();
            let text = others.remove(index);
            let expected = Bleu::of_text(&text, &others).score(Smoothing::Floor(0.1));
            assert_eq!(score, expected, "text {index}");
        }
    }

    #[test]
    fn copies_score_one() {
        let text = tokenise("the red mug for you");
        assert!((self_bleu(&[text.clone(), text.clone()]) - 1.0).abs() < 1e-15);
        assert_eq!(self_bleu(&[text]), 0.0);
        assert_eq!(self_bleu(&[]), 0.0);
    }
}
