//! ROUGE-N: the n-grams that a text and a reference share.
//!
//! Lin, "ROUGE: A Package for Automatic Evaluation of Summaries", ACL workshop 2004. With M the clipped matches:
//! precision = M / n-grams of the text, recall = M / n-grams of the reference, F = 2 P R / (P + R).
//!
//! How this differs from the paper: one reference, and precision and F besides the paper's recall, as in the package
//! rouge-score; no stemming (the package's `use_stemmer=False`).

use super::ngrams::counts;
use super::rouge::Rouge;

/// Returns ROUGE-N of a text against one reference.
///
/// # Panics
/// When `n` is 0.
pub fn rouge_n(hypothesis: &[String], reference: &[String], n: usize) -> Rouge {
    let in_reference = counts(reference, n);
    let common = counts(hypothesis, n).into_iter().map(|(ngram, count)| {
        let allowed = in_reference.get(ngram).copied().unwrap_or(0);
        count.min(allowed)
    });
    let ngrams = |text: &[String]| (text.len() + 1).saturating_sub(n);
    Rouge::of_counts(common.sum(), ngrams(hypothesis), ngrams(reference))
}

/// Splits an English text as rouge-score does: small letters, and everything but a..=z and digits parts words.
///
/// ```
/// use copywriter::metrics::tokenise_rouge;
/// assert_eq!(tokenise_rouge("It's a low-priced café"), ["it", "s", "a", "low", "priced", "caf"]);
/// ```
pub fn tokenise_rouge(text: &str) -> Vec<String> {
    text.to_lowercase()
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(String::from)
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::float_cmp,
        reason = "both sides are computed exactly or in the same way"
    )]

    use super::*;

    #[test]
    fn matches_are_clipped_and_order_counts() {
        let [text, reference] = ["the the cat", "the cat the mat"].map(tokenise_rouge);
        let one = rouge_n(&text, &reference, 1);
        assert_eq!((one.precision, one.recall), (1.0, 0.75));
        let two = rouge_n(&text, &reference, 2);
        assert_eq!((two.precision, two.recall), (0.5, 1.0 / 3.0));
        assert_eq!(rouge_n(&text, &reference, 4).f, 0.0);
        assert_eq!(rouge_n(&[], &reference, 1).f, 0.0);
    }
}
