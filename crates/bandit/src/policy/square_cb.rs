//! `SquareCB`: inverse gap weighting.
//!
//! Foster & Rakhlin, "Beyond UCB: Optimal and Efficient Contextual Bandits with Regression Oracles", ICML
//! 2020: with `b = argmax s`, `pₖ = 1 / (μ + γ (s_b − sₖ))` for `k ≠ b`, and `p_b` is the rest.
//! How this differs from the paper: `μ = K`, its recommended choice, is fixed; the scores come from any
//! regression, here usually a posterior mean.

use super::highest;
use crate::error::{BanditError, check_range};
use crate::pmf::Pmf;

/// The inverse-gap-weighting distribution over actions of the given scores, higher being better.
///
/// A larger `gamma` exploits more; the paper lets it grow with the square root of the rounds.
///
/// # Errors
/// [`BanditError::OutOfRange`] where `gamma` is negative or not finite or a score is not finite,
/// [`BanditError::NoAllowedAction`] where there is no action.
pub fn square_cb(scores: &[f64], gamma: f64) -> Result<Pmf, BanditError> {
    let holds = gamma >= 0.0 && gamma.is_finite();
    check_range("gamma", gamma, holds, "a finite number of at least 0")?;
    let best = highest(scores)?;
    let actions = scores.len() as f64;
    let mass = |score: &f64| 1.0 / (actions + gamma * (scores[best] - score));
    let mut masses: Vec<f64> = scores.iter().map(mass).collect();
    let others: f64 = masses.iter().sum::<f64>() - masses[best];
    masses[best] = 1.0 - others;
    Pmf::from_masses(masses)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_all_close, golden, numbers};

    #[test]
    fn equals_the_reference() {
        let Some(golden) = golden("bandit.json") else {
            return;
        };
        let pmf = &golden["pmf"];
        let scores: Vec<f64> = numbers(&pmf["costs"]).iter().map(|cost| -cost).collect();
        let found = square_cb(&scores, 10.0).expect("valid");
        assert_all_close(found.as_slice(), &numbers(&pmf["squarecb_gamma10"]), 1e-15);
    }

    #[test]
    fn explores_evenly_without_gamma_and_little_with_much() {
        let found = square_cb(&[0.3, 0.1, 0.2], 0.0).expect("valid");
        assert_all_close(found.as_slice(), &[1.0 / 3.0; 3], 1e-15);
        let found = square_cb(&[0.3, 0.1], 998.0 / 0.2).expect("valid");
        assert_all_close(found.as_slice(), &[0.999, 0.001], 1e-12);
        assert!(square_cb(&[0.3], -1.0).is_err());
        let found = square_cb(&[0.3], 2.0).expect("valid");
        assert_all_close(found.as_slice(), &[1.0], 0.0);
    }
}
