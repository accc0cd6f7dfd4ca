//! ROUGE-L: the longest common subsequence of a text and a reference.
//!
//! Lin, "ROUGE: A Package for Automatic Evaluation of Summaries", ACL workshop 2004. With L the length of the longest common
//! subsequence: precision = L / |text|, recall = L / |reference|, F = (1 + β²) P R / (R + β² P).
//!
//! How this differs from the paper: β is 1, as in rouge-score; [`rouge_l_coco`] has the β of 1.2 and the handling of several
//! references of the COCO caption tools, which the E2E challenge used.

use super::rouge::{Rouge, common_subsequence, f_beta};

/// Returns ROUGE-L of a text against one reference.
pub fn rouge_l(hypothesis: &[String], reference: &[String]) -> Rouge {
    let common = common_subsequence(hypothesis, reference);
    Rouge::of_counts(common, hypothesis.len(), reference.len())
}

/// Returns ROUGE-L of a text against several references as the COCO caption tools compute it: the best precision
/// and the best recall over the references, and β = 1.2.
pub fn rouge_l_coco(hypothesis: &[String], references: &[Vec<String>]) -> f64 {
    let (precision, recall) = references
        .iter()
        .map(|reference| rouge_l(hypothesis, reference))
        .fold((0.0f64, 0.0f64), |(precision, recall), one| {
            (precision.max(one.precision), recall.max(one.recall))
        });
    f_beta(precision, recall, 1.2)
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
    fn the_paper_s_example() {
        // Lin 2004, section 3.1: F is 3/4 and 2/4.
        let reference = tokenise("police killed the gunman");
        for (text, f) in [
            ("police kill the gunman", 0.75),
            ("the gunman kill police", 0.5),
        ] {
            assert_eq!(rouge_l(&tokenise(text), &reference).f, f, "{text}");
        }
        assert_eq!(rouge_l(&[], &reference).f, 0.0);
        assert_eq!(rouge_l_coco(&reference, &[]), 0.0);
    }
}
