//! Distinct-n: the share of n-grams of a corpus that differ.
//!
//! Li, Galley, Brockett, Gao, Dolan, "A Diversity-Promoting Objective Function for Neural Conversation Models",
//! NAACL 2016. distinct-n = |set of n-grams| / |n-grams|, over all texts together.
//!
//! How this differs from the paper: not at all; some later packages average the ratio over texts instead.

use std::collections::HashSet;

/// Returns distinct-n of a corpus, in 0..=1; 0 where no text has `n` tokens.
///
/// # Panics
/// When `n` is 0.
pub fn distinct_n(texts: &[Vec<String>], n: usize) -> f64 {
    let ngrams = || texts.iter().flat_map(|text| text.windows(n));
    let total = ngrams().count();
    if total == 0 {
        return 0.0;
    }
    ngrams().collect::<HashSet<_>>().len() as f64 / total as f64
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
    fn distinct_n_by_hand() {
        let texts = ["the red mug", "the red bag"].map(tokenise);
        // Unigrams: the, red, mug, bag of six; bigrams: the-red, red-mug, red-bag of four.
        assert_eq!(distinct_n(&texts, 1), 4.0 / 6.0);
        assert_eq!(distinct_n(&texts, 2), 3.0 / 4.0);
        assert_eq!(distinct_n(&texts, 4), 0.0);
        assert_eq!(distinct_n(&[], 1), 0.0);
    }

    #[test]
    fn repeating_a_corpus_halves_it() {
        let once = ["一个红色的杯子", "a small bag"].map(tokenise).to_vec();
        let twice = [once.clone(), once.clone()].concat();
        for n in 1..4 {
            assert!((distinct_n(&twice, n) - distinct_n(&once, n) / 2.0).abs() < 1e-15);
        }
    }
}
