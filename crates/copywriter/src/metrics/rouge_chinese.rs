//! ROUGE as the package `rouge_chinese` computes it, which figures for Chinese generation such as `ChatGLM`'s use.
//!
//! Lin, "ROUGE: A Package for Automatic Evaluation of Summaries", ACL workshop 2004, in the form of `rouge_chinese` 1.0.3.
//! ROUGE-1 and ROUGE-2: shares of the common n-grams; ROUGE-L: shares of the longest common subsequence;
//! F = 2 P R / (P + R + 10⁻⁸).
//!
//! How this differs from the paper: an n-gram counts once however often it occurs (the package's `exclusive=True`), so
//! that ROUGE-1 and ROUGE-2 differ from [`super::rouge_n`] for texts that repeat words; ROUGE-L takes the text as one
//! sentence. How it differs from the package: a text without tokens scores 0 instead of raising an error.

use std::collections::HashSet;

use super::rouge::{Rouge, common_subsequence};

/// The three scores of `rouge_chinese` for one text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RougeChinese {
    /// Over the set of words.
    pub rouge_1: Rouge,
    /// Over the set of pairs of words.
    pub rouge_2: Rouge,
    /// Over the longest common subsequence.
    pub rouge_l: Rouge,
}

/// Returns the scores of a text against one reference, over the words of [`super::jieba_words`] or over
/// [`crate::characters`].
pub fn rouge_chinese(hypothesis: &[String], reference: &[String]) -> RougeChinese {
    let common = common_subsequence(hypothesis, reference);
    RougeChinese {
        rouge_1: over_sets(hypothesis, reference, 1),
        rouge_2: over_sets(hypothesis, reference, 2),
        rouge_l: damped(Rouge::of_counts(common, hypothesis.len(), reference.len())),
    }
}

fn over_sets(hypothesis: &[String], reference: &[String], n: usize) -> Rouge {
    let ngrams = |text| <[String]>::windows(text, n).collect::<HashSet<_>>();
    let (text, reference) = (ngrams(hypothesis), ngrams(reference));
    let common = text.intersection(&reference).count();
    damped(Rouge::of_counts(common, text.len(), reference.len()))
}

/// The score with the package's guard against a division by zero in F.
fn damped(score: Rouge) -> Rouge {
    let Rouge {
        precision, recall, ..
    } = score;
    Rouge {
        f: 2.0 * precision * recall / (precision + recall + 1e-8),
        ..score
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::float_cmp,
        reason = "both sides are computed exactly or in the same way"
    )]

    use super::*;
    use crate::characters;

    #[test]
    fn repeated_words_count_once() {
        let score = rouge_chinese(&characters("好好好看"), &characters("好看"));
        assert_eq!((score.rouge_1.precision, score.rouge_1.recall), (1.0, 1.0));
        // 好好 and 好看 against 好看.
        assert_eq!((score.rouge_2.precision, score.rouge_2.recall), (0.5, 1.0));
        assert_eq!((score.rouge_l.precision, score.rouge_l.recall), (0.5, 1.0));
        assert_eq!(rouge_chinese(&[], &characters("好")).rouge_l.f, 0.0);
    }
}
