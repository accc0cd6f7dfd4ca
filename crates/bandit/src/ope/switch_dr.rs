//! The switch doubly robust estimator.
//!
//! Wang, Agarwal & Dudík, "Optimal and Adaptive Off-policy Evaluation in Contextual Bandits", ICML 2017:
//! `V = (1/n) Σ [q̂(π) + w [w ≤ τ] (r − q̂(a))]`: where a weight is large, the model alone is trusted.
//! How this differs from the paper: the threshold is given, not chosen from the data.

use super::Evaluation;
use super::dr::shrunk;
use super::round::Round;
use crate::error::{BanditError, check_range};

/// Estimates a policy's value doubly robustly, without correction where a weight exceeds `tau`.
///
/// # Errors
/// [`BanditError::NoRewardModel`] where a round has no predictions,
/// [`BanditError::TooFew`] with fewer than two clusters, [`BanditError::OutOfRange`] for a confidence outside
/// (0, 1) or a negative `tau`.
pub fn switch_dr(rounds: &[Round], tau: f64, confidence: f64) -> Result<Evaluation, BanditError> {
    check_range("tau", tau, tau >= 0.0, "a number of at least 0")?;
    shrunk(
        rounds,
        confidence,
        |weight| if weight <= tau { weight } else { 0.0 },
    )
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
        for (tau, name) in [
            (1.0, "switch_dr_1.0"),
            (1.5, "switch_dr_1.5"),
            (2.0, "switch_dr_2.0"),
        ] {
            let found = switch_dr(&rounds, tau, 0.95).expect("valid");
            assert_close(found.value.value, estimate(&golden, name), 1e-12);
        }
        let trusting = switch_dr(&rounds, 0.0, 0.95).expect("valid");
        assert_close(trusting.value.value, estimate(&golden, "dm"), 1e-12);
        assert_close(trusting.effective_sample_size, 0.0, 0.0);
        assert!(switch_dr(&rounds, -1.0, 0.95).is_err());
    }
}
