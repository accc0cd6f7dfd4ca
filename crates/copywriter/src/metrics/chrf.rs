//! chrF and chrF++: agreement with references in n-grams of characters, and of words.
//!
//! Popović, "chrF: character n-gram F-score for automatic MT evaluation", WMT 2015, and "chrF++: words helping character
//! n-grams", WMT 2017. F = (1 + β²) P R / (β² P + R) with β = 2, where P and R are means over the orders 1..=6 of
//! characters and, for chrF++, 1..=2 of words.
//!
//! How this differs from the papers: as in sacrebleu, an order that the text or its reference is too short for does not
//! count, the counts of a corpus are summed before P and R are taken, and of several references the one with the
//! highest F counts.

use super::check_pairs;
use super::ngrams::counts;
use super::rouge::f_beta;
use crate::{CopyError, characters};

const CHARACTER_ORDER: usize = 6;
const BETA: f64 = 2.0;

/// Returns chrF (`word_order` 0) or chrF++ (`word_order` 2) of a corpus of raw texts, in 0..=1; `references[i]` are the
/// references of `hypotheses[i]`.
///
/// # Errors
/// [`CopyError::Unpaired`] when the two differ in length.
pub fn chrf(
    hypotheses: &[String],
    references: &[Vec<String>],
    word_order: usize,
) -> Result<f64, CopyError> {
    check_pairs(hypotheses.len(), references.len())?;
    let mut corpus = vec![Overlap::default(); CHARACTER_ORDER + word_order];
    for (hypothesis, references) in hypotheses.iter().zip(references) {
        for (sum, of_text) in corpus
            .iter_mut()
            .zip(best(hypothesis, references, word_order))
        {
            sum.in_text += of_text.in_text;
            sum.in_reference += of_text.in_reference;
            sum.common += of_text.common;
        }
    }
    Ok(score(&corpus))
}

/// N-grams of one order.
#[derive(Debug, Clone, Copy, Default)]
struct Overlap {
    in_text: usize,
    in_reference: usize,
    common: usize,
}

impl Overlap {
    fn of(text: &[String], reference: &[String], n: usize) -> Self {
        let allowed = counts(reference, n);
        let clipped = counts(text, n).into_iter().map(|(ngram, count)| {
            let allowed = allowed.get(ngram).copied().unwrap_or(0);
            count.min(allowed)
        });
        let ngrams = |text: &[String]| (text.len() + 1).saturating_sub(n);
        let in_reference = ngrams(reference);
        Self {
            in_text: if in_reference == 0 { 0 } else { ngrams(text) },
            in_reference,
            common: clipped.sum(),
        }
    }
}

/// The overlap with the reference that gives the highest score, the first of several; nothing without references.
fn best(hypothesis: &str, references: &[String], word_order: usize) -> Vec<Overlap> {
    let split = |text: &str| (characters(text), words(text));
    let text = split(hypothesis);
    let mut best = (-1.0, Vec::new());
    for reference in references {
        let reference = split(reference);
        let of_characters = (1..=CHARACTER_ORDER).map(|n| Overlap::of(&text.0, &reference.0, n));
        let of_words = (1..=word_order).map(|n| Overlap::of(&text.1, &reference.1, n));
        let overlaps: Vec<Overlap> = of_characters.chain(of_words).collect();
        let score = score(&overlaps);
        if score > best.0 {
            best = (score, overlaps);
        }
    }
    best.1
}

fn score(overlaps: &[Overlap]) -> f64 {
    let long_enough = || {
        let filled = |overlap: &&Overlap| overlap.in_text > 0 && overlap.in_reference > 0;
        overlaps.iter().filter(filled)
    };
    let orders = long_enough().count().max(1) as f64;
    let mean = |share: fn(&Overlap) -> f64| long_enough().map(share).sum::<f64>() / orders;
    let precision = mean(|overlap| overlap.common as f64 / overlap.in_text as f64);
    let recall = mean(|overlap| overlap.common as f64 / overlap.in_reference as f64);
    f_beta(precision, recall, BETA)
}

/// The words of a text, of which a punctuation mark at the end, or else at the beginning, is a word by itself.
fn words(text: &str) -> Vec<String> {
    let part = |word| {
        let word: &str = word;
        let is_mark = |letter: &char| letter.is_ascii_punctuation();
        let last = word.chars().next_back().filter(is_mark);
        let first = word.chars().next().filter(is_mark);
        let cut = match (last, first) {
            (Some(_), _) => word.len() - 1,
            (None, Some(_)) => 1,
            (None, None) => 0,
        };
        let (start, end) = word.split_at(cut);
        [start.to_owned(), end.to_owned()]
    };
    let parts = text.split_whitespace().flat_map(part);
    parts.filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_score_one_and_strangers_zero() {
        let text = ["a red mug".to_owned()];
        for word_order in [0, 2] {
            let same = chrf(&text, &[text.to_vec()], word_order).expect("paired");
            assert!((same - 1.0).abs() < 1e-15);
            let other = chrf(&text, &[vec!["xyz".to_owned()]], word_order).expect("paired");
            assert!(other.abs() < 1e-15);
        }
        assert!(chrf(&text, &[], 0).is_err());
        assert!(chrf(&text, &[vec![]], 0).expect("paired").abs() < 1e-15);
    }

    #[test]
    fn recall_counts_more() {
        // ab against abc: P is 1 and 1, R is 2/3 and 1/2 in orders 1 and 2; the text has no trigram.
        let score = chrf(&["ab".to_owned()], &[vec!["abc".to_owned()]], 0).expect("paired");
        let recall = f64::midpoint(2.0 / 3.0, 1.0 / 2.0);
        assert!((score - 5.0 * recall / (4.0 + recall)).abs() < 1e-15);
    }

    #[test]
    fn one_mark_is_parted_from_a_word() {
        assert_eq!(words("\"Hi!\" (a) !"), ["\"Hi!", "\"", "(a", ")", "!"]);
        assert_eq!(words("(a b"), ["(", "a", "b"]);
    }
}
