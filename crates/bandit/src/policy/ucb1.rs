//! UCB1: optimism without features.
//!
//! Auer, Cesa-Bianchi & Fischer, "Finite-time Analysis of the Multiarmed Bandit Problem", Machine Learning
//! 2002: `uₖ = meanₖ + √(2 ln n / nₖ)` for rewards in [0, 1].
//! How this differs from the paper: an arm never tried gets the highest finite bound, `f64::MAX`, so that
//! the bounds may serve as scores of [`super::epsilon_greedy`], which logs usable propensities.

use crate::error::{BanditError, check_len, check_range};

/// The upper confidence bounds of arms tried `trials` times with the given mean rewards.
///
/// # Errors
/// [`BanditError::Shape`] where the lists differ in length, [`BanditError::OutOfRange`] for the mean of a
/// tried arm outside [0, 1].
pub fn ucb1(trials: &[u64], means: &[f64]) -> Result<Vec<f64>, BanditError> {
    check_len("means", trials.len(), means.len())?;
    let total = trials.iter().sum::<u64>() as f64;
    let bound = |(&count, &mean): (&u64, &f64)| {
        if count == 0 {
            return Ok(f64::MAX);
        }
        let holds = (0.0..=1.0).contains(&mean);
        check_range("a mean", mean, holds, "a reward in [0, 1]")?;
        Ok(mean + (2.0 * total.ln() / count as f64).sqrt())
    };
    trials.iter().zip(means).map(bound).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::epsilon_greedy::epsilon_greedy;
    use crate::testing::{assert_all_close, golden, numbers};

    #[test]
    fn equals_the_reference() {
        let Some(golden) = golden("bandit.json") else {
            return;
        };
        let golden = &golden["pmf"]["ucb1"];
        let trials: Vec<u64> = numbers(&golden["n"]).iter().map(|n| *n as u64).collect();
        let found = ucb1(&trials, &numbers(&golden["mean"])).expect("valid");
        assert_all_close(&found, &numbers(&golden["value"]), 1e-12);
    }

    #[test]
    fn an_untried_arm_comes_first() {
        let bounds = ucb1(&[5, 0, 9], &[0.9, f64::NAN, 0.1]).expect("valid");
        let pmf = epsilon_greedy(&bounds, 0.0).expect("finite bounds");
        assert_all_close(pmf.as_slice(), &[0.0, 1.0, 0.0], 0.0);
        assert!(ucb1(&[1], &[1.5]).is_err());
        assert!(ucb1(&[1], &[]).is_err());
    }
}
