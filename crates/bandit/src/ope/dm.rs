//! The direct method: what the reward model predicts.
//!
//! Beygelzimer & Langford, "The Offset Tree for Learning with Partial Labels", KDD 2009:
//! `V = (1/n) Σ q̂(π)`. Low variance, and every error of the model is a bias that the interval does not
//! know. How this differs from the paper: nothing.

use super::round::{Round, predictions};
use super::{Evaluation, mean_of};
use crate::error::BanditError;

/// Estimates a policy's value by the reward model alone.
///
/// The interval covers the choice of rounds only, not the error of the model.
///
/// # Errors
/// [`BanditError::NoRewardModel`] where a round has no predictions,
/// [`BanditError::TooFew`] with fewer than two clusters, [`BanditError::OutOfRange`] for a confidence outside
/// (0, 1).
pub fn dm(rounds: &[Round], confidence: f64) -> Result<Evaluation, BanditError> {
    let predicted = predictions(rounds)?;
    let terms: Vec<f64> = predicted.iter().map(|round| round.of_policy).collect();
    mean_of(rounds, confidence, |_| 1.0, &terms)
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
        let found = dm(&rounds, 0.95).expect("valid");
        assert_close(found.value.value, estimate(&golden, "dm"), 1e-12);
        assert_close(found.effective_sample_size, 8.0, 1e-12);
        rounds[3].predicted = None;
        assert_eq!(
            dm(&rounds, 0.95).expect_err("a fault").to_string(),
            "round 3 has no predicted rewards; pass `predicted`, or use an estimator without a reward model such as `snips`"
        );
    }
}
