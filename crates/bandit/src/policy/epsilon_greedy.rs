//! ε-greedy: the best action, but a share ε of the time any action.
//!
//! Sutton & Barto, *Reinforcement Learning*, 2nd ed., 2.2: `pₖ = ε / K + (1 − ε) [k = argmax s]`.
//! How this differs from the book: of several best actions the first is taken, as Vowpal Wabbit does.

use super::highest;
use crate::error::{BanditError, check_range};
use crate::pmf::Pmf;

/// The ε-greedy distribution over actions of the given scores, higher being better.
///
/// # Errors
/// [`BanditError::OutOfRange`] where `epsilon` is outside [0, 1] or a score is not finite,
/// [`BanditError::NoAllowedAction`] where there is no action.
pub fn epsilon_greedy(scores: &[f64], epsilon: f64) -> Result<Pmf, BanditError> {
    let holds = (0.0..=1.0).contains(&epsilon);
    check_range("epsilon", epsilon, holds, "a share in [0, 1]")?;
    let best = highest(scores)?;
    let mut masses = vec![epsilon / scores.len() as f64; scores.len()];
    masses[best] += 1.0 - epsilon;
    Pmf::from_masses(masses)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_all_close, golden, numbers};

    #[test]
    fn equals_the_reference_and_vowpal_wabbit() {
        let Some(golden) = golden("bandit.json") else {
            return;
        };
        let pmf = &golden["pmf"];
        let scores: Vec<f64> = numbers(&pmf["costs"]).iter().map(|cost| -cost).collect();
        let found = epsilon_greedy(&scores, 0.1).expect("valid");
        assert_all_close(
            found.as_slice(),
            &numbers(&pmf["epsilon_greedy_0.1"]),
            1e-15,
        );

        // Vowpal Wabbit has learnt that the first of two actions is better, and prints single precision.
        let expected = &golden["vw"]["pmf_after_4"];
        let expected = numbers(&expected["--cb_explore_adf --epsilon 0.1 -q ui --cb_type mtr"]);
        let found = epsilon_greedy(&[1.0, 0.0], 0.1).expect("valid");
        assert_all_close(found.as_slice(), &expected, 1e-7);
    }

    #[test]
    fn refuses_bad_arguments() {
        let fault = epsilon_greedy(&[0.0], 1.5).expect_err("a fault");
        assert_eq!(
            fault.to_string(),
            "epsilon is 1.5; expected a share in [0, 1]"
        );
        assert!(epsilon_greedy(&[], 0.1).is_err());
        assert!(epsilon_greedy(&[f64::NAN], 0.1).is_err());
    }
}
