//! ROUGE-L: the longest common subsequence of a text and a reference.
//!
//! Lin, "ROUGE: A Package for Automatic Evaluation of Summaries", ACL workshop 2004. With L the length of the longest common
//! subsequence: precision = L / |text|, recall = L / |reference|, F = (1 + β²) P R / (R + β² P).
//!
//! How this differs from the paper: β is 1, as in rouge-score; [`rouge_l_coco`] has the β of 1.2 and the handling of several
//! references of the COCO caption tools, which the E2E challenge used.

/// ROUGE-L of one text against one reference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RougeL {
    /// Share of the text's tokens in the common subsequence, 0..=1.
    pub precision: f64,
    /// Share of the reference's tokens in the common subsequence, 0..=1.
    pub recall: f64,
    /// Harmonic mean of the two, 0..=1.
    pub f: f64,
}

/// Returns ROUGE-L of a text against one reference.
pub fn rouge_l(hypothesis: &[String], reference: &[String]) -> RougeL {
    let common = common_subsequence(hypothesis, reference) as f64;
    let precision = common / hypothesis.len().max(1) as f64;
    let recall = common / reference.len().max(1) as f64;
    RougeL {
        precision,
        recall,
        f: f_beta(precision, recall, 1.0),
    }
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

fn f_beta(precision: f64, recall: f64, beta: f64) -> f64 {
    if precision == 0.0 || recall == 0.0 {
        return 0.0;
    }
    (1.0 + beta * beta) * precision * recall / (recall + beta * beta * precision)
}

/// The length of the longest common subsequence, in O(|a| |b|) time and O(|b|) memory.
fn common_subsequence(a: &[String], b: &[String]) -> usize {
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
