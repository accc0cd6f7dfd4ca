//! The doubly robust estimator.
//!
//! Dudík, Langford & Li, "Doubly Robust Policy Evaluation and Learning", ICML 2011:
//! `V = (1/n) Σ [q̂(π) + w (r − q̂(a))]`. Consistent where either the propensities or the model are right.
//! How this differs from the paper: nothing; that the model was fitted on other rounds is the caller's part.

use super::round::{Round, predictions};
use super::{Evaluation, mean_of};
use crate::error::BanditError;

/// Estimates a policy's value doubly robustly.
///
/// # Errors
/// [`BanditError::NoRewardModel`] where a round has no predictions,
/// [`BanditError::TooFew`] with fewer than two clusters, [`BanditError::OutOfRange`] for a confidence outside
/// (0, 1).
pub fn dr(rounds: &[Round], confidence: f64) -> Result<Evaluation, BanditError> {
    shrunk(rounds, confidence, |weight| weight)
}

/// The doubly robust estimator with a function of the weight in its place.
pub(super) fn shrunk(
    rounds: &[Round],
    confidence: f64,
    shrink: impl Fn(f64) -> f64,
) -> Result<Evaluation, BanditError> {
    let predicted = predictions(rounds)?;
    let terms: Vec<f64> = rounds
        .iter()
        .zip(&predicted)
        .map(|(round, model)| {
            model.of_policy + shrink(round.weight) * (round.reward - model.of_chosen)
        })
        .collect();
    mean_of(rounds, confidence, |round| shrink(round.weight), &terms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::assert_close;
    use crate::testing::ope::{estimate, reference};

    #[test]
    fn equals_open_bandit_pipeline() {
        let Some((golden, mut rounds)) = reference() else {
            return;
        };
        let found = dr(&rounds, 0.95).expect("valid");
        assert_close(found.value.value, estimate(&golden, "dr"), 1e-12);
        rounds[0].predicted = None;
        assert!(dr(&rounds, 0.95).is_err());
    }
}
