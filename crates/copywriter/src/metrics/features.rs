//! USR, FCR and DIV: whether generated texts are unique, and which product features they speak of.
//!
//! Li, Zhang, Chen, "Generate Neural Template Explanations for Recommendation", CIKM 2020, as published with PETER
//! (ACL 2021). USR = |distinct texts| / N; FCR = |features named by any text| / |features|;
//! DIV = 2 / (N (N − 1)) · Σ over pairs of |Fᵢ ∩ Fⱼ|, with Fᵢ the features that text i names.
//!
//! How this differs from the paper: DIV is counted feature by feature, Σ c (c − 1) / 2 with c the number of texts
//! that name a feature, which gives the same sum in linear time.

use std::collections::{BTreeMap, BTreeSet};

/// Returns the unique sentence ratio, in 0..=1; 0 without texts.
pub fn unique_sentence_ratio(texts: &[Vec<String>]) -> f64 {
    if texts.is_empty() {
        return 0.0;
    }
    texts.iter().collect::<BTreeSet<_>>().len() as f64 / texts.len() as f64
}

/// Returns the share of the features that at least one text names, in 0..=1; 0 without features.
pub fn feature_coverage_ratio(texts: &[Vec<String>], features: &BTreeSet<String>) -> f64 {
    if features.is_empty() {
        return 0.0;
    }
    texts_by_feature(texts, features).len() as f64 / features.len() as f64
}

/// Returns the mean number of features that two texts share, 0 or more; lower is more varied, 0 for fewer than two texts.
pub fn feature_diversity(texts: &[Vec<String>], features: &BTreeSet<String>) -> f64 {
    if texts.len() < 2 {
        return 0.0;
    }
    let pairs = |texts: usize| texts as f64 * (texts as f64 - 1.0) / 2.0;
    let shared: f64 = texts_by_feature(texts, features)
        .into_values()
        .map(pairs)
        .sum();
    shared / pairs(texts.len())
}

/// The number of texts that name each feature, without the features that none names.
fn texts_by_feature<'a>(
    texts: &'a [Vec<String>],
    features: &BTreeSet<String>,
) -> BTreeMap<&'a str, usize> {
    let mut texts_by_feature = BTreeMap::new();
    for text in texts {
        let named: BTreeSet<&str> = text
            .iter()
            .filter(|token| features.contains(*token))
            .map(String::as_str)
            .collect();
        for feature in named {
            *texts_by_feature.entry(feature).or_insert(0) += 1;
        }
    }
    texts_by_feature
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
    fn ratios_by_hand() {
        let texts = ["soft cotton, cotton lining", "soft cotton", "a zip"].map(tokenise);
        let features = ["soft", "cotton", "zip", "pocket"].map(String::from).into();
        assert_eq!(unique_sentence_ratio(&texts), 1.0);
        assert_eq!(feature_coverage_ratio(&texts, &features), 0.75);
        // Of the three pairs, only the first shares features: soft and cotton.
        assert_eq!(feature_diversity(&texts, &features), 2.0 / 3.0);
    }
}
