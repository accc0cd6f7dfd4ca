//! NIST: n-gram precision in which a rare n-gram counts for more.
//!
//! Doddington, "Automatic Evaluation of Machine Translation Quality Using N-gram Co-Occurrence Statistics", HLT 2002.
//! NIST = Σₙ (Σ over matched n-grams of Info / n-grams of the texts) · exp(β ln²(min(1, c/r))), with
//! Info(w₁…wₙ) = log₂(count(w₁…wₙ₋₁) / count(w₁…wₙ)) over all references, orders 1 to 5, and β such that the factor is ½ at
//! c/r = 2/3.
//!
//! How this differs from the paper: the two common programs read it differently where a text has several references, and
//! [`NistForm`] names both.

use std::collections::HashMap;

use super::check_pairs;
use super::ngrams::{counts, max_counts};
use crate::CopyError;

/// The highest order of n-grams that NIST looks at.
const MAX_ORDER: usize = 5;

/// How several references of one text are treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NistForm {
    /// As mteval-v13a and the E2E challenge: an n-gram may match in any reference; r is the mean length.
    Mteval,
    /// As NLTK: for each order the reference with the highest precision counts, matches and length.
    Nltk,
}

/// Returns NIST-5 of a corpus, 0 or more; `references[i]` are the references of `hypotheses[i]`.
///
/// # Errors
/// [`CopyError::Unpaired`] when the two differ in length.
pub fn nist(
    hypotheses: &[Vec<String>],
    references: &[Vec<Vec<String>>],
    form: NistForm,
) -> Result<f64, CopyError> {
    check_pairs(hypotheses.len(), references.len())?;
    let information = Information::of(references);
    let (mut sum, mut length, mut reference_length) = (0.0, 0.0, 0.0);
    for order in 1..=MAX_ORDER {
        let (mut matched, mut total) = (0.0, 0.0);
        for (hypothesis, references) in hypotheses.iter().zip(references) {
            let (gained, closest) = match form {
                NistForm::Mteval => any_reference(hypothesis, references, order, &information),
                NistForm::Nltk => best_reference(hypothesis, references, order, &information),
            };
            matched += gained;
            total += (hypothesis.len() + 1).saturating_sub(order) as f64;
            length += hypothesis.len() as f64;
            reference_length += closest;
        }
        if total > 0.0 {
            sum += matched / total;
        }
    }
    Ok(sum * length_factor(length / reference_length))
}

/// How often each n-gram occurs in the references, with the number of words under the empty n-gram.
struct Information<'a>(HashMap<&'a [String], usize>);

impl<'a> Information<'a> {
    fn of(references: &'a [Vec<Vec<String>>]) -> Self {
        let mut count_of: HashMap<&[String], usize> = HashMap::new();
        for reference in references.iter().flatten() {
            *count_of.entry(&[]).or_insert(0) += reference.len();
            for order in 1..=MAX_ORDER {
                for ngram in reference.windows(order) {
                    *count_of.entry(ngram).or_insert(0) += 1;
                }
            }
        }
        Self(count_of)
    }

    /// Information of an n-gram that a reference holds, in bits.
    fn bits(&self, ngram: &[String]) -> f64 {
        (self.0[&ngram[..ngram.len() - 1]] as f64 / self.0[ngram] as f64).log2()
    }
}

/// The information matched in any of the references, and their mean length.
fn any_reference(
    hypothesis: &[String],
    references: &[Vec<String>],
    order: usize,
    information: &Information<'_>,
) -> (f64, f64) {
    let allowed = max_counts(references, order);
    let gained = matched_bits(hypothesis, &allowed, order, information);
    let words: usize = references.iter().map(Vec::len).sum();
    (gained, words as f64 / references.len().max(1) as f64)
}

/// The information matched in the reference that gives the most, and its length; the longer of two that give as much.
fn best_reference(
    hypothesis: &[String],
    references: &[Vec<String>],
    order: usize,
    information: &Information<'_>,
) -> (f64, f64) {
    references
        .iter()
        .map(|reference| {
            let allowed = counts(reference, order);
            let gained = matched_bits(hypothesis, &allowed, order, information);
            (gained, reference.len() as f64)
        })
        .max_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)))
        .unwrap_or((0.0, 0.0))
}

fn matched_bits(
    hypothesis: &[String],
    allowed: &super::ngrams::Counts<'_>,
    order: usize,
    information: &Information<'_>,
) -> f64 {
    counts(hypothesis, order)
        .into_iter()
        .filter_map(|(ngram, count)| {
            let matches = count.min(*allowed.get(ngram)?);
            Some(matches as f64 * information.bits(ngram))
        })
        .sum()
}

/// The brevity factor for the ratio of the texts' length to the references'.
fn length_factor(ratio: f64) -> f64 {
    if ratio >= 1.0 {
        return 1.0;
    }
    if ratio.is_nan() || ratio <= 0.0 {
        return 0.0;
    }
    let beta = 0.5f64.ln() / 1.5f64.ln().powi(2);
    (beta * ratio.ln().powi(2)).exp()
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
    fn a_copy_gains_the_information_of_its_words() {
        // Four different words, each log2(4 / 1) = 2 bits; the longer n-grams follow from their beginnings: 0 bits.
        let text = tokenise("police killed the gunman");
        for form in [NistForm::Mteval, NistForm::Nltk] {
            let score =
                nist(std::slice::from_ref(&text), &[vec![text.clone()]], form).expect("paired");
            assert_eq!(score, 2.0);
        }
    }

    #[test]
    fn two_thirds_of_the_length_halve_the_score() {
        assert!((length_factor(2.0 / 3.0) - 0.5).abs() < 1e-12);
        assert_eq!((length_factor(1.2), length_factor(f64::NAN)), (1.0, 0.0));
    }
}
