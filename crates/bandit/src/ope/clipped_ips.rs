//! Inverse propensity scoring with clipped weights.
//!
//! Ionides, "Truncated Importance Sampling", JCGS 2008; Bottou et al., "Counterfactual Reasoning and
//! Learning Systems", JMLR 2013: `V = (1/n) Σ min(w, λ) r`. Clipping trades variance for a bias that is
//! downwards for non-negative rewards. How this differs from the papers: nothing.

use super::round::Round;
use super::{Evaluation, mean_of};
use crate::error::{BanditError, check_range};

/// Estimates a policy's value by inverse propensity scoring with weights of at most `lambda`.
///
/// # Errors
/// [`BanditError::TooFew`] with fewer than two clusters, [`BanditError::OutOfRange`] for a confidence outside
/// (0, 1) or a `lambda` that is not positive.
pub fn clipped_ips(
    rounds: &[Round],
    lambda: f64,
    confidence: f64,
) -> Result<Evaluation, BanditError> {
    check_range("lambda", lambda, lambda > 0.0, "a positive number")?;
    let clipped = |round: &Round| round.weight.min(lambda);
    let terms: Vec<f64> = rounds
        .iter()
        .map(|round| clipped(round) * round.reward)
        .collect();
    mean_of(rounds, confidence, clipped, &terms)
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
            (1.0, "ipw_clip_1.0"),
            (1.5, "ipw_clip_1.5"),
            (2.0, "ipw_clip_2.0"),
        ] {
            let found = clipped_ips(&rounds, lambda, 0.95).expect("valid");
            assert_close(found.value.value, estimate(&golden, name), 1e-12);
        }
        let never = clipped_ips(&rounds, 1e9, 0.95).expect("valid");
        assert_close(never.value.value, estimate(&golden, "ipw"), 1e-12);
        assert!(clipped_ips(&rounds, 0.0, 0.95).is_err());
    }
}
