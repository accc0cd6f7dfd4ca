//! `CIDEr`: agreement with references in n-grams weighted by how telling they are.
//!
//! Vedantam, Zitnick, Parikh, "`CIDEr`: Consensus-based Image Description Evaluation", CVPR 2015. The mean over n = 1..4 and over the
//! references of the cosine of the tf-idf vectors, times 10, with idf = ln(N / texts whose references hold the n-gram).
//!
//! How this differs from the paper: as in the COCO caption tools, which is what published figures mean by `CIDEr`, the
//! text's weights are clipped to the reference's and a Gaussian with σ = 6 penalises a difference in length (the
//! paper's CIDEr-D), the words are not stemmed, and the length is counted in bigrams.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::check_pairs;
use super::ngrams::counts;
use crate::CopyError;

const MAX_ORDER: usize = 4;
const SIGMA: f64 = 6.0;

/// Returns the `CIDEr` of each text, in 0..=10; the corpus score is their mean. `references[i]` are the references of
/// `hypotheses[i]`.
///
/// # Errors
/// [`CopyError::Unpaired`] when the two differ in length.
pub fn cider(
    hypotheses: &[Vec<String>],
    references: &[Vec<Vec<String>>],
) -> Result<Vec<f64>, CopyError> {
    check_pairs(hypotheses.len(), references.len())?;
    let idf = Idf::of(references);
    let pairs = hypotheses.iter().zip(references);
    Ok(pairs
        .map(|(hypothesis, references)| idf.cider(hypothesis, references))
        .collect())
}

/// In how many reference lists each n-gram occurs: how telling it is.
#[derive(Debug)]
pub struct Idf<'a> {
    lists: f64,
    lists_with: HashMap<&'a [String], usize>,
}

impl<'a> Idf<'a> {
    /// Counts lists of references.
    pub fn of(references: &'a [Vec<Vec<String>>]) -> Self {
        let mut lists_with = HashMap::new();
        for list in references {
            let ngrams: BTreeSet<&[String]> = list
                .iter()
                .flat_map(|text| (1..=MAX_ORDER).flat_map(|order| text.windows(order)))
                .collect();
            for ngram in ngrams {
                *lists_with.entry(ngram).or_insert(0) += 1;
            }
        }
        Self {
            lists: references.len() as f64,
            lists_with,
        }
    }

    /// The `CIDEr` of one text beside its references, in 0..=10.
    pub fn cider(&self, hypothesis: &[String], references: &[Vec<String>]) -> f64 {
        let text = TfIdf::of(hypothesis, self);
        let references_of = references
            .iter()
            .map(|reference| TfIdf::of(reference, self));
        let sum: f64 = references_of
            .map(|reference| similarity(&text, &reference))
            .sum();
        10.0 * sum / references.len().max(1) as f64
    }

    fn weight(&self, ngram: &[String]) -> f64 {
        let lists_with = self.lists_with.get(ngram).copied().unwrap_or(0).max(1);
        self.lists.ln() - (lists_with as f64).ln()
    }
}

/// The tf-idf vectors of a text, one for each order.
struct TfIdf<'a> {
    weights: [BTreeMap<&'a [String], f64>; MAX_ORDER],
    norms: [f64; MAX_ORDER],
    bigrams: f64,
}

impl<'a> TfIdf<'a> {
    fn of(text: &'a [String], idf: &Idf<'_>) -> Self {
        let weights: [BTreeMap<&[String], f64>; MAX_ORDER] = std::array::from_fn(|order| {
            counts(text, order + 1)
                .into_iter()
                .map(|(ngram, count)| (ngram, count as f64 * idf.weight(ngram)))
                .collect()
        });
        let norms = std::array::from_fn(|order| {
            let squares = weights[order].values().map(|weight| weight * weight);
            squares.sum::<f64>().sqrt()
        });
        Self {
            weights,
            norms,
            bigrams: text.len().saturating_sub(1) as f64,
        }
    }
}

fn similarity(text: &TfIdf<'_>, reference: &TfIdf<'_>) -> f64 {
    let mut sum = 0.0;
    for order in 0..MAX_ORDER {
        let dot: f64 = text.weights[order]
            .iter()
            .filter_map(|(ngram, weight)| {
                let other = reference.weights[order].get(ngram)?;
                Some(weight.min(*other) * other)
            })
            .sum();
        let norms = text.norms[order] * reference.norms[order];
        if norms > 0.0 {
            sum += dot / norms;
        }
    }
    let difference = text.bigrams - reference.bigrams;
    let length_penalty = (-difference * difference / (2.0 * SIGMA * SIGMA)).exp();
    sum * length_penalty / MAX_ORDER as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokenise;

    #[test]
    fn copies_score_ten_and_strangers_zero() {
        let texts = ["a red mug for tea", "one blue bag with zips"].map(tokenise);
        let references: Vec<Vec<Vec<String>>> =
            texts.iter().map(|text| vec![text.clone()]).collect();
        for score in cider(&texts, &references).expect("paired") {
            assert!((score - 10.0).abs() < 1e-12);
        }
        let swapped = [texts[1].clone(), texts[0].clone()];
        let scores = cider(&swapped, &references).expect("paired");
        assert_eq!(scores, [0.0, 0.0]);
    }
}
