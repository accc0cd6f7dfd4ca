//! BLEU: n-gram precision against references, with a penalty for brevity.
//!
//! Papineni, Roukos, Ward, Zhu, "BLEU: a Method for Automatic Evaluation of Machine Translation", ACL 2002.
//! BLEU = BP · exp(¼ Σₙ log pₙ), pₙ = clipped matches / n-grams over the corpus, BP = min(1, exp(1 − r/c)) with c the
//! length of the texts and r the sum of the reference lengths closest to each text's, the shorter of two equally
//! close.
//!
//! How this differs from the paper: the smoothings of Chen and Cherry (WMT 2014) for orders without a match, under
//! sacrebleu's names. The values equal sacrebleu's (on a scale of 0..=1) and NLTK's.

use super::check_pairs;
use super::ngrams::{counts, max_counts};
use crate::CopyError;

/// The highest order of n-grams that BLEU looks at.
pub(super) const MAX_ORDER: usize = 4;

/// What to do about an order without a match, which would make the geometric mean 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Smoothing {
    /// Nothing: the score is 0. (NLTK's method 0.)
    None,
    /// The k-th order without a match counts 2⁻ᵏ matches. (sacrebleu's default; NLTK's method 3.)
    Exponential,
    /// An order without a match counts this many. (NLTK's method 1 with 0.1.)
    Floor(f64),
    /// Adds this to matches and n-grams of the orders above the first. (NLTK's method 2 with 1.)
    AddK(f64),
    /// The k-th order without a match counts ln(tokens) / (2ᵏ · this) matches, less for a shorter text; nothing for a
    /// text of one token. (NLTK's method 4 with 5.)
    ByLength(f64),
}

/// The sufficient statistics of BLEU over a corpus.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bleu {
    /// Clipped matches by order.
    pub matches: [usize; MAX_ORDER],
    /// N-grams of the texts by order.
    pub totals: [usize; MAX_ORDER],
    /// Tokens of the texts.
    pub length: usize,
    /// Tokens of the closest references.
    pub reference_length: usize,
}

impl Bleu {
    /// Counts a corpus; `references[i]` are the references of `hypotheses[i]`.
    ///
    /// # Errors
    /// [`CopyError::Unpaired`] when the two differ in length.
    pub fn of_corpus(
        hypotheses: &[Vec<String>],
        references: &[Vec<Vec<String>>],
    ) -> Result<Self, CopyError> {
        check_pairs(hypotheses.len(), references.len())?;
        let mut corpus = Self::default();
        for (hypothesis, references) in hypotheses.iter().zip(references) {
            let text = Self::of_text(hypothesis, references);
            for order in 0..MAX_ORDER {
                corpus.matches[order] += text.matches[order];
                corpus.totals[order] += text.totals[order];
            }
            corpus.length += text.length;
            corpus.reference_length += text.reference_length;
        }
        Ok(corpus)
    }

    /// Counts one text against its references.
    pub fn of_text(hypothesis: &[String], references: &[Vec<String>]) -> Self {
        let mut text = Self {
            length: hypothesis.len(),
            reference_length: references
                .iter()
                .map(Vec::len)
                .min_by_key(|&length| (length.abs_diff(hypothesis.len()), length))
                .unwrap_or(0),
            ..Self::default()
        };
        for order in 0..MAX_ORDER {
            let allowed = max_counts(references, order + 1);
            for (ngram, count) in counts(hypothesis, order + 1) {
                text.totals[order] += count;
                text.matches[order] += count.min(allowed.get(ngram).copied().unwrap_or(0));
            }
        }
        text
    }

    /// The score with uniform weights over four orders, in 0..=1.
    pub fn score(&self, smoothing: Smoothing) -> f64 {
        self.score_of_orders(smoothing, MAX_ORDER)
    }

    /// The score with uniform weights over the first `orders` orders: BLEU-1 to BLEU-4.
    ///
    /// # Panics
    /// When `orders` is not in 1..=4.
    pub fn score_of_orders(&self, smoothing: Smoothing, orders: usize) -> f64 {
        assert!((1..=MAX_ORDER).contains(&orders), "orders must be in 1..=4");
        if self.matches[0] == 0 {
            return 0.0;
        }
        let mut unmatched = 0;
        let log_mean: f64 = (0..orders)
            .map(|order| self.precision(order, smoothing, &mut unmatched).ln() / orders as f64)
            .sum();
        self.brevity_penalty() * log_mean.exp()
    }

    /// The factor min(1, exp(1 − r/c)).
    pub fn brevity_penalty(&self) -> f64 {
        if self.length == 0 {
            return 0.0;
        }
        (1.0 - self.reference_length as f64 / self.length as f64)
            .min(0.0)
            .exp()
    }

    /// The precision of one order; a text too short for the order counts as one n-gram without a match.
    fn precision(&self, order: usize, smoothing: Smoothing, unmatched: &mut i32) -> f64 {
        let matches = self.matches[order] as f64;
        let total = self.totals[order].max(1) as f64;
        match smoothing {
            Smoothing::AddK(k) if order > 0 => (matches + k) / (self.totals[order] as f64 + k),
            Smoothing::Floor(matches) if self.matches[order] == 0 => matches / total,
            Smoothing::Exponential if self.matches[order] == 0 => {
                *unmatched += 1;
                0.5f64.powi(*unmatched) / total
            }
            Smoothing::ByLength(k) if self.matches[order] == 0 => {
                *unmatched += 1;
                0.5f64.powi(*unmatched) * (self.length as f64).ln() / k / total
            }
            _ => matches / total,
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
    fn a_copy_scores_one_and_a_stranger_zero() {
        let text = tokenise("the red mug stands on the table");
        let same = Bleu::of_text(&text, std::slice::from_ref(&text));
        assert!((same.score(Smoothing::None) - 1.0).abs() < 1e-15);
        let other = Bleu::of_text(&tokenise("quite other words"), &[text]);
        assert_eq!(other.score(Smoothing::Exponential), 0.0);
    }

    #[test]
    fn matches_are_clipped() {
        // Papineni et al.: seven times "the" against a reference with two.
        let text = tokenise("the the the the the the the");
        let bleu = Bleu::of_text(&text, &[tokenise("the cat is on the mat")]);
        assert_eq!((bleu.matches[0], bleu.totals[0]), (2, 7));
        assert_eq!(bleu.reference_length, 6);
    }

    #[test]
    fn lists_must_pair() {
        let error = Bleu::of_corpus(&[vec![]], &[]).expect_err("unpaired");
        assert!(matches!(
            error,
            CopyError::Unpaired {
                hypotheses: 1,
                references: 0
            }
        ));
    }
}
