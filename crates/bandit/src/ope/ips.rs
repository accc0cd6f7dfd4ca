//! Inverse propensity scoring.
//!
//! Horvitz & Thompson, JASA 1952; for bandits Strehl et al., "Learning from Logged Implicit Exploration
//! Data", NIPS 2010: `V = (1/n) Σ w r`. Unbiased where the log supports the policy; its variance grows with
//! the weights. How this differs from the paper: propensities are the logged ones, not estimated.

use super::round::Round;
use super::{Evaluation, mean_of};
use crate::error::BanditError;

/// Estimates a policy's value by inverse propensity scoring.
///
/// # Errors
/// [`BanditError::TooFew`] with fewer than two clusters, [`BanditError::OutOfRange`] for a confidence outside
/// (0, 1).
pub fn ips(rounds: &[Round], confidence: f64) -> Result<Evaluation, BanditError> {
    let terms: Vec<f64> = rounds
        .iter()
        .map(|round| round.weight * round.reward)
        .collect();
    mean_of(rounds, confidence, |round| round.weight, &terms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::ope::{estimate, reference};
    use crate::testing::{assert_close, number};

    #[test]
    fn equals_open_bandit_pipeline() {
        let Some((golden, rounds)) = reference() else {
            return;
        };
        let found = ips(&rounds, 0.95).expect("valid");
        assert_close(found.value.value, estimate(&golden, "ipw"), 1e-12);
        assert_close(found.standard_error, number(&golden["se_ipw_ddof1"]), 1e-12);
        assert_close(found.effective_sample_size, number(&golden["ess"]), 1e-12);
    }

    #[test]
    fn rounds_of_one_shopper_count_as_dependent() {
        let Some((_, rounds)) = reference() else {
            return;
        };
        // Each round written twice under one cluster says no more than once.
        let twice: Vec<Round> = rounds.iter().flat_map(|round| [*round; 2]).collect();
        let once = ips(&rounds, 0.95).expect("valid");
        let found = ips(&twice, 0.95).expect("valid");
        assert_close(found.standard_error, once.standard_error, 1e-12);
        assert!(ips(&rounds[..1], 0.95).is_err());
        assert!(ips(&[], 0.95).is_err());
    }
}
