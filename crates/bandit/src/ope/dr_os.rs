//! The doubly robust estimator with optimistic shrinkage.
//!
//! Su et al., "Doubly Robust Off-policy Evaluation with Shrinkage", ICML 2020:
//! `V = (1/n) Σ [q̂(π) + λ w / (w² + λ) (r − q̂(a))]`; λ = 0 is the direct method, λ → ∞ doubly robust.
//! How this differs from the paper: λ is given, not chosen from the data.

use super::Evaluation;
use super::dr::shrunk;
use super::round::Round;
use crate::error::{BanditError, check_range};

/// Estimates a policy's value doubly robustly with weights that are shrunk the more the larger they are.
///
/// # Errors
/// [`BanditError::NoRewardModel`] where a round has no predictions,
/// [`BanditError::TooFew`] with fewer than two clusters, [`BanditError::OutOfRange`] for a confidence outside
/// (0, 1) or a `lambda` that is not positive and finite.
pub fn dr_os(rounds: &[Round], lambda: f64, confidence: f64) -> Result<Evaluation, BanditError> {
    let holds = lambda > 0.0 && lambda.is_finite();
    check_range("lambda", lambda, holds, "a positive number")?;
    shrunk(rounds, confidence, |weight| {
        lambda * weight / (weight * weight + lambda)
    })
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
        for (lambda, name) in [
            (0.5, "dros_0.5"),
            (1.0, "dros_1"),
            (10.0, "dros_10"),
            (100.0, "dros_100"),
        ] {
            let found = dr_os(&rounds, lambda, 0.95).expect("valid");
            assert_close(found.value.value, estimate(&golden, name), 1e-12);
        }
        let free = dr_os(&rounds, 1e12, 0.95).expect("valid");
        assert_close(free.value.value, estimate(&golden, "dr"), 1e-9);
        assert!(dr_os(&rounds, 0.0, 0.95).is_err());
    }
}
