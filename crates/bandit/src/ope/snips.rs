//! Self-normalised inverse propensity scoring.
//!
//! Swaminathan & Joachims, "The Self-Normalized Estimator for Counterfactual Learning", NIPS 2015:
//! `V = Σ w r / Σ w`. Its variance is smaller than that of IPS, and adding a constant to all rewards adds
//! it to the estimate; the bias vanishes with n. How this differs from the paper: the interval comes from
//! the delta method, with the influence `w (r − V) / w̄`.

use super::round::Round;
use super::{Evaluation, average, evaluation, positive_mean_weight};
use crate::error::BanditError;

/// Estimates a policy's value by self-normalised inverse propensity scoring.
///
/// # Errors
/// [`BanditError::TooFew`] with fewer than two clusters, [`BanditError::OutOfRange`] for a confidence outside
/// (0, 1) or a log in which every weight is 0.
pub fn snips(rounds: &[Round], confidence: f64) -> Result<Evaluation, BanditError> {
    let mean_weight = positive_mean_weight(rounds)?;
    let value = average(rounds.iter().map(|round| round.weight * round.reward)) / mean_weight;
    let influence: Vec<f64> = rounds
        .iter()
        .map(|round| round.weight * (round.reward - value) / mean_weight)
        .collect();
    evaluation(rounds, confidence, |round| round.weight, value, &influence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::assert_close;
    use crate::testing::ope::{estimate, reference};

    #[test]
    fn equals_open_bandit_pipeline() {
        let Some((golden, rounds)) = reference() else {
            return;
        };
        let found = snips(&rounds, 0.95).expect("valid");
        assert_close(found.value.value, estimate(&golden, "snipw"), 1e-12);
    }

    #[test]
    fn a_constant_reward_is_estimated_without_error() {
        let Some((_, mut rounds)) = reference() else {
            return;
        };
        for round in &mut rounds {
            round.reward = 0.7;
        }
        let found = snips(&rounds, 0.95).expect("valid");
        assert_close(found.value.value, 0.7, 1e-12);
        assert_close(found.standard_error, 0.0, 1e-12);
        for round in &mut rounds {
            round.weight = 0.0;
        }
        assert!(snips(&rounds, 0.95).is_err());
    }
}
