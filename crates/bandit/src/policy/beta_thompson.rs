//! Thompson sampling for clicks without features.
//!
//! Thompson, Biometrika 1933; Chapelle & Li, "An Empirical Evaluation of Thompson Sampling", NIPS 2011: arm
//! k has the posterior `Beta(a₀ + successes, b₀ + failures)`, and is chosen with the probability that it is
//! the best. How this differs from the papers: this probability is estimated from many draws and logged,
//! and the choice is drawn from it, instead of one draw being played.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Beta, Distribution};

use crate::error::{BanditError, check_count, check_range};
use crate::experiment::proportions::Counts;
use crate::pmf::Pmf;

/// Estimates the probability that each arm is the best from `samples` joint draws.
///
/// `prior` holds the parameters of the Beta prior that the arms share; `(1, 1)` is uniform.
///
/// # Errors
/// [`BanditError::OutOfRange`] for a prior that is not positive or an arm with more successes than trials,
/// [`BanditError::TooFew`] without a sample, [`BanditError::NoAllowedAction`] without an arm.
pub fn beta_thompson(
    arms: &[Counts],
    prior: (f64, f64),
    samples: usize,
    seed: u64,
) -> Result<Pmf, BanditError> {
    check_count("the list of posterior samples", samples, 1)?;
    let posteriors: Vec<Beta<f64>> = arms
        .iter()
        .map(|arm| posterior(*arm, prior))
        .collect::<Result<_, _>>()?;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut wins = vec![0.0; arms.len()];
    for _ in 0..samples {
        let mut best = (0, f64::NEG_INFINITY);
        for (arm, posterior) in posteriors.iter().enumerate() {
            let rate = posterior.sample(&mut rng);
            if rate > best.1 {
                best = (arm, rate);
            }
        }
        if let Some(win) = wins.get_mut(best.0) {
            *win += 1.0;
        }
    }
    Pmf::from_masses(wins)
}

fn posterior(arm: Counts, prior: (f64, f64)) -> Result<Beta<f64>, BanditError> {
    let successes = arm.successes as f64;
    let fits = arm.successes <= arm.trials;
    check_range("successes", successes, fits, "at most the number of trials")?;
    let failures = (arm.trials - arm.successes) as f64;
    Beta::new(prior.0 + successes, prior.1 + failures).map_err(|_| BanditError::OutOfRange {
        what: "the smaller parameter of the prior",
        value: prior.0.min(prior.1),
        expected: "a positive number",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_all_close, golden, numbers};

    #[test]
    fn equals_the_integrated_probabilities() {
        let Some(golden) = golden("bandit.json") else {
            return;
        };
        let golden = &golden["beta_ts"];
        let (successes, failures) = (numbers(&golden["successes"]), numbers(&golden["failures"]));
        let arms: Vec<Counts> = successes
            .iter()
            .zip(&failures)
            .map(|(successes, failures)| Counts {
                successes: *successes as u64,
                trials: (*successes + *failures) as u64,
            })
            .collect();
        let found = beta_thompson(&arms, (1.0, 1.0), 40_000, 5).expect("valid");
        // Standard errors of at most 0.0025.
        assert_all_close(found.as_slice(), &numbers(&golden["P(best)"]), 0.009);
    }

    #[test]
    fn refuses_bad_arguments() {
        let arm = Counts {
            successes: 1,
            trials: 2,
        };
        let fault = beta_thompson(&[arm], (0.0, -2.0), 10, 1).expect_err("a fault");
        assert_eq!(
            fault.to_string(),
            "the smaller parameter of the prior is -2; expected a positive number"
        );
        assert!(beta_thompson(&[arm], (1.0, 1.0), 0, 1).is_err());
        assert!(beta_thompson(&[], (1.0, 1.0), 10, 1).is_err());
        let impossible = Counts {
            successes: 3,
            trials: 2,
        };
        assert!(beta_thompson(&[impossible], (1.0, 1.0), 10, 1).is_err());
    }
}
