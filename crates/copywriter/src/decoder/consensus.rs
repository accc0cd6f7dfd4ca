//! The draft that the model's other drafts agree with most.
//!
//! Source: Kumar and Byrne, "Minimum Bayes-Risk Decoding for Statistical Machine Translation", 2004; Eikema and Aziz, "Is
//! MAP Decoding All You Need?", 2020: choose the text whose expected agreement with what the model would say is
//! highest, not the text that is itself likeliest.
//!
//! How this differs from the papers: agreement is BLEU against several texts at once, and its expectation is taken in
//! closed form instead of by comparing every pair. Where a share p(g) of the drawn texts has the n-gram g, one of R
//! texts has it with probability 1 − (1 − p(g))ᴿ; the expected precision of a text is the mean of that over its n-grams:
//!
//! U(t) = BP(t) · exp(¼ Σₙ log mean over its n-grams g of [1 − (1 − p(g))ᴿ])
//!
//! with BP the brevity penalty against the length that the shortest of R drawn texts is expected to have, the quantile
//! 1 / (R + 1): BLEU compares a text with the reference nearest in length, so only a text shorter than all of them pays.
//! It takes time linear in the texts.

use std::collections::{HashMap, HashSet};

/// The longest n-grams that are compared, as in BLEU.
const MAX_ORDER: usize = 4;

/// Least precision of an order, so that a text with no long n-gram of the others has a utility still.
const LEAST: f64 = 1e-4;

/// How agreement is measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Consensus {
    /// Texts R with one of which an n-gram must be shared.
    pub references: f64,
}

/// What the drawn texts say.
pub(super) struct Pool {
    /// Texts that have an n-gram, by n-gram.
    texts_with: HashMap<Vec<u32>, u32>,
    count: f64,
    /// Lengths of the texts, the shortest first.
    lengths: Vec<usize>,
}

impl Pool {
    pub(super) fn new<'t>(texts: impl Iterator<Item = &'t [u32]>) -> Self {
        let mut texts_with: HashMap<Vec<u32>, u32> = HashMap::new();
        let mut lengths = Vec::new();
        for text in texts {
            let ngrams: HashSet<&[u32]> = (1..=MAX_ORDER)
                .flat_map(|order| text.windows(order))
                .collect();
            for ngram in ngrams {
                *texts_with.entry(ngram.to_vec()).or_default() += 1;
            }
            lengths.push(text.len());
        }
        lengths.sort_unstable();
        Self {
            texts_with,
            count: lengths.len() as f64,
            lengths,
        }
    }

    /// The expected agreement of a text with R of the drawn ones, in [0, 1].
    pub(super) fn expected(&self, text: &[u32], consensus: Consensus) -> f64 {
        if text.is_empty() || self.lengths.is_empty() {
            return 0.0;
        }
        let log_mean: f64 = (1..=MAX_ORDER)
            .map(|order| {
                self.precision(text, order, consensus.references)
                    .max(LEAST)
                    .ln()
            })
            .sum();
        let place = self.count / (consensus.references + 1.0);
        let shortest = self.lengths[(place as usize).min(self.lengths.len() - 1)];
        let brevity = (1.0 - shortest as f64 / text.len() as f64).min(0.0);
        (log_mean / MAX_ORDER as f64 + brevity).exp()
    }

    fn precision(&self, text: &[u32], order: usize, references: f64) -> f64 {
        let mut seen: HashSet<&[u32]> = HashSet::new();
        let (mut sum, mut ngrams) = (0.0, 0.0);
        for ngram in text.windows(order) {
            ngrams += 1.0;
            // A second time it would have to stand twice in one text, which few do.
            if seen.insert(ngram) {
                let share = f64::from(*self.texts_with.get(ngram).unwrap_or(&0)) / self.count;
                sum += 1.0 - (1.0 - share).powf(references);
            }
        }
        if ngrams > 0.0 { sum / ngrams } else { 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected(pool: &[&[u32]], text: &[u32], references: f64) -> f64 {
        Pool::new(pool.iter().copied()).expected(text, Consensus { references })
    }

    #[test]
    fn expectations_are_those_of_the_formula() {
        let pool: [&[u32]; 4] = [&[1, 2, 3, 4], &[1, 2, 3, 4], &[1, 2, 5, 6], &[7, 7, 7, 7]];
        // Shares of [1 2 3 4]: 1, 2 in three of four; 3, 4 in two; 1 2 in three; 2 3, 3 4 and all longer ones in two.
        let of = |share: f64, references: f64| 1.0 - (1.0 - share).powf(references);
        for references in [1.0, 2.0] {
            let (three, two) = (of(0.75, references), of(0.5, references));
            let precisions = [
                (2.0 * three + 2.0 * two) / 4.0,
                (three + 2.0 * two) / 3.0,
                two,
                two,
            ];
            let mean: f64 = precisions.iter().map(|p| p.ln() / 4.0).sum();
            let found = expected(&pool, &[1, 2, 3, 4], references);
            assert!((found - mean.exp()).abs() < 1e-12, "{found}");
        }
        // A third of the pool's length costs e⁻¹·³³; the orders that a text is too short for cost nothing.
        let short = expected(&[&[1; 7]], &[1; 3], 1.0);
        let precision = [1.0f64 / 3.0, 0.5, 1.0];
        let mean: f64 = precision.iter().map(|p| p.ln() / 4.0).sum();
        assert!(
            (short - (mean + 1.0 - 7.0 / 3.0).exp()).abs() < 1e-12,
            "{short}"
        );
        assert!(expected(&pool, &[], 1.0).abs() < 1e-15);
    }
}
