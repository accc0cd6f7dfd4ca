use serde::{Deserialize, Serialize};

use super::{distinct_n, self_bleu};

/// How varied a set of texts is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Diversity {
    /// Share of words that differ, 0..=1; higher is more varied.
    pub distinct_1: f64,
    /// Share of word pairs that differ, 0..=1; higher is more varied.
    pub distinct_2: f64,
    /// Mean BLEU-4 of a text against all the others, 0..=1; lower is more varied.
    pub self_bleu: f64,
    /// Number of texts.
    pub texts: usize,
}

impl Diversity {
    /// Measures texts that are tokenised already; linear in the number of tokens.
    pub fn of(texts: &[Vec<String>]) -> Self {
        Self {
            distinct_1: distinct_n(texts, 1),
            distinct_2: distinct_n(texts, 2),
            self_bleu: self_bleu(texts),
            texts: texts.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokenise;

    #[test]
    fn varied_texts_measure_as_more_varied() {
        let same = ["buy the red mug now", "buy the red bag now"].map(tokenise);
        let varied = ["buy the red mug now", "a bag to go with your coat"].map(tokenise);
        let (same, varied) = (Diversity::of(&same), Diversity::of(&varied));
        assert!(varied.distinct_1 > same.distinct_1);
        assert!(varied.distinct_2 > same.distinct_2);
        assert!(varied.self_bleu < same.self_bleu);
        assert_eq!(varied.texts, 2);
    }
}
