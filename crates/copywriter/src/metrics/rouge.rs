/// A ROUGE score of one text against one reference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rouge {
    /// Share of the text that the reference has too, 0..=1.
    pub precision: f64,
    /// Share of the reference that the text has too, 0..=1.
    pub recall: f64,
    /// Harmonic mean of the two, 0..=1.
    pub f: f64,
}

impl Rouge {
    /// The score of `common` units of a text with `in_text` and a reference with `in_reference`.
    pub(super) fn of_counts(common: usize, in_text: usize, in_reference: usize) -> Self {
        let precision = common as f64 / in_text.max(1) as f64;
        let recall = common as f64 / in_reference.max(1) as f64;
        Self {
            precision,
            recall,
            f: f_beta(precision, recall, 1.0),
        }
    }
}

/// The F measure (1 + β²) P R / (R + β² P), 0 where either is 0.
pub(super) fn f_beta(precision: f64, recall: f64, beta: f64) -> f64 {
    if precision == 0.0 || recall == 0.0 {
        return 0.0;
    }
    (1.0 + beta * beta) * precision * recall / (recall + beta * beta * precision)
}

/// The length of the longest common subsequence, in O(|a| |b|) time and O(|b|) memory.
pub(super) fn common_subsequence(a: &[String], b: &[String]) -> usize {
    let mut row = vec![0; b.len() + 1];
    for left in a {
        let mut diagonal = 0;
        for (column, right) in b.iter().enumerate() {
            let above = row[column + 1];
            row[column + 1] = if left == right {
                diagonal + 1
            } else {
                above.max(row[column])
            };
            diagonal = above;
        }
    }
    row[b.len()]
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
    fn subsequences_may_have_gaps() {
        let common = |a, b| common_subsequence(&tokenise(a), &tokenise(b));
        assert_eq!(common("a b c d", "a x c d"), 3);
        assert_eq!(common("a b", "b a"), 1);
        assert_eq!(common("", "a"), 0);
    }

    #[test]
    fn counts_become_shares() {
        let score = Rouge::of_counts(2, 4, 2);
        assert_eq!((score.precision, score.recall), (0.5, 1.0));
        assert!((score.f - 2.0 / 3.0).abs() < 1e-15);
        assert_eq!(Rouge::of_counts(0, 0, 3).f, 0.0);
        // β above 1 leans towards the recall.
        assert!(f_beta(0.5, 1.0, 1.2) > score.f);
    }
}
