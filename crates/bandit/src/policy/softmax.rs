//! Softmax (Boltzmann) exploration.
//!
//! Sutton & Barto, *Reinforcement Learning*, 2nd ed., 2.8: `pₖ = exp(λ sₖ) / Σⱼ exp(λ sⱼ)`.
//! How this differs from the book: nothing; `λ` is Vowpal Wabbit's name for the inverse temperature.

use super::highest;
use crate::error::{BanditError, check_range};
use crate::pmf::Pmf;

/// The softmax distribution over actions of the given scores, higher being better.
///
/// # Errors
/// [`BanditError::OutOfRange`] where `lambda` is negative or not finite or a score is not finite,
/// [`BanditError::NoAllowedAction`] where there is no action.
pub fn softmax(scores: &[f64], lambda: f64) -> Result<Pmf, BanditError> {
    let holds = lambda >= 0.0 && lambda.is_finite();
    check_range("lambda", lambda, holds, "a finite number of at least 0")?;
    let best = scores[highest(scores)?];
    let mass = |score: &f64| (lambda * (score - best)).exp();
    Pmf::from_masses(scores.iter().map(mass).collect())
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
        let found = softmax(&scores, 5.0).expect("valid");
        let expected = numbers(&pmf["softmax_neg_cost_lambda5"]);
        assert_all_close(found.as_slice(), &expected, 1e-15);
    }

    #[test]
    fn is_even_at_zero_and_survives_large_scores() {
        let found = softmax(&[3.0, -8.0], 0.0).expect("valid");
        assert_all_close(found.as_slice(), &[0.5, 0.5], 0.0);
        let found = softmax(&[1e6, 1e6 - 1.0], 1.0).expect("valid");
        let odds = 1.0_f64.exp();
        assert_all_close(
            found.as_slice(),
            &[odds / (1.0 + odds), 1.0 / (1.0 + odds)],
            1e-15,
        );
        assert!(softmax(&[1.0], f64::INFINITY).is_err());
    }
}
