//! The mixture sequential probability ratio test: a lift watched while it runs.
//!
//! Robbins, "Statistical Methods Related to the Law of the Iterated Logarithm", 1970; Johari, Koomen,
//! Pekelis & Walsh, "Always Valid Inference", Operations Research 2022. For an estimated difference d of
//! variance v and a mixture N(0, τ²) over true differences:
//!
//! ```text
//! Λ = √(v / (v + τ²)) exp( τ² d² / (2 v (v + τ²)) )        p = min over looks of 1 / Λ
//! d ± √( v (v + τ²) / τ² · (2 ln(1/α) + ln((v + τ²) / v)) )
//! ```
//!
//! How this differs from the papers: the variance of the difference is the argument, so that groups may
//! differ in size; with estimated variances the guarantee is asymptotic.

use serde::{Deserialize, Serialize};

use crate::error::{BanditError, check_finite, check_range};
use crate::interval::{Interval, check_confidence};

/// An always-valid test of a difference: it may be looked at as often as one likes, and stopped at any
/// look, and still errs with a probability of at most α.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Msprt {
    mixture_variance: f64,
    p_value: f64,
}

/// What one look at a running experiment shows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Look {
    /// The mixture likelihood ratio Λ, an e-value against no difference.
    pub likelihood_ratio: f64,
    /// The always-valid p-value: the smallest so far.
    pub p_value: f64,
    /// The difference in an interval that holds the truth at all looks at once.
    pub difference: Interval,
}

impl Msprt {
    /// Starts a test whose power is best for differences of the size `typical_difference`, τ.
    ///
    /// # Errors
    /// [`BanditError::OutOfRange`] where it is not a positive number.
    pub fn new(typical_difference: f64) -> Result<Self, BanditError> {
        let holds = typical_difference > 0.0 && typical_difference.is_finite();
        check_range(
            "typical_difference",
            typical_difference,
            holds,
            "a positive number",
        )?;
        Ok(Self {
            mixture_variance: typical_difference * typical_difference,
            p_value: 1.0,
        })
    }

    /// Looks at all data so far: the estimated difference and its variance, such as
    /// `p_c (1 − p_c) / n_c + p_t (1 − p_t) / n_t` of two rates.
    ///
    /// # Errors
    /// [`BanditError::OutOfRange`] where the difference is not finite, the variance not positive, or the
    /// confidence outside (0, 1).
    pub fn look(
        &mut self,
        difference: f64,
        variance: f64,
        confidence: f64,
    ) -> Result<Look, BanditError> {
        check_confidence(confidence)?;
        check_finite("the difference", &[difference])?;
        let holds = variance > 0.0 && variance.is_finite();
        check_range("the variance", variance, holds, "a positive number")?;
        let mixture = self.mixture_variance;
        let total = variance + mixture;
        let exponent = mixture * difference * difference / (2.0 * variance * total);
        let likelihood_ratio = (0.5 * (variance / total).ln() + exponent).exp();
        self.p_value = self.p_value.min(1.0 / likelihood_ratio);
        let bound = 2.0 * (1.0 / (1.0 - confidence)).ln() + (total / variance).ln();
        let half = (variance * total / mixture * bound).sqrt();
        Ok(Look {
            likelihood_ratio,
            p_value: self.p_value,
            difference: Interval::around(difference, half),
        })
    }

    /// The always-valid p-value so far.
    pub fn p_value(&self) -> f64 {
        self.p_value
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use rand_distr::{Binomial, Distribution};

    use super::*;
    use crate::experiment::proportions::{Counts, two_proportions};
    use crate::testing::{assert_close, golden, number, numbers};

    #[test]
    fn equals_the_closed_form_at_every_look() {
        let Some(golden) = golden("sequential_tests.json") else {
            return;
        };
        let golden = &golden["msprt_gaussian"];
        let list = |name: &str| numbers(&golden[name]);
        let (differences, ratios) = (list("diff"), list("Lambda"));
        let (p_values, halves) = (list("always_valid_p"), list("cs_halfwidth_95"));
        let mut test = Msprt::new(number(&golden["tau2"]).sqrt()).expect("valid");
        for (index, &difference) in differences.iter().enumerate() {
            let variance = number(&golden["V=2*sigma2"]) / (index + 1) as f64;
            let look = test.look(difference, variance, 0.95).expect("valid");
            assert_close(look.likelihood_ratio / ratios[index], 1.0, 1e-11);
            assert_close(look.p_value, p_values[index], 1e-12);
            assert_close(look.difference.high - difference, halves[index], 1e-11);
        }
        assert_close(test.p_value(), p_values[39], 1e-12);
    }

    /// Runs an experiment with a look per 500 shoppers a side; says whether the always-valid test and
    /// whether the naive repeated z-test ever rejected at 5 %.
    fn run(seed: u64, control: f64, treatment: f64) -> (bool, bool) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut test = Msprt::new(0.01).expect("valid");
        let mut counts = [control, treatment].map(|rate| (rate, 0_u64));
        let mut naive = false;
        for look in 1..=40_u64 {
            for (rate, successes) in &mut counts {
                let shoppers = Binomial::new(500, *rate).expect("a probability");
                *successes += shoppers.sample(&mut rng);
            }
            let [control, treatment] = counts.map(|(_, successes)| Counts {
                successes,
                trials: 500 * look,
            });
            let lift = two_proportions(control, treatment, 0.95).expect("valid");
            naive |= lift.p_value < 0.05;
            let variance = [control, treatment]
                .map(|counts| counts.rate() * (1.0 - counts.rate()) / counts.trials as f64);
            test.look(lift.difference.value, variance[0] + variance[1], 0.95)
                .expect("valid");
        }
        (test.p_value() < 0.05, naive)
    }

    #[test]
    fn keeps_its_error_rate_under_peeking_and_finds_a_lift() {
        let runs: Vec<(bool, bool)> = (0..300).map(|seed| run(seed, 0.05, 0.05)).collect();
        let wrong = runs.iter().filter(|run| run.0).count();
        let naively_wrong = runs.iter().filter(|run| run.1).count();
        // At most 15 expected, standard deviation 3.8; the naive test errs several times as often.
        assert!(wrong <= 23, "{wrong} false alarms in 300");
        assert!(naively_wrong >= 45, "{naively_wrong} naive false alarms");
        let found = (0..50).filter(|seed| run(1_000 + seed, 0.05, 0.065).0);
        assert!(found.count() >= 45);
    }

    #[test]
    fn refuses_bad_arguments() {
        let fault = Msprt::new(0.0).expect_err("a fault");
        assert_eq!(
            fault.to_string(),
            "typical_difference is 0; expected a positive number"
        );
        let mut test = Msprt::new(0.1).expect("valid");
        assert!(test.look(0.1, 0.0, 0.95).is_err());
        assert!(test.look(f64::NAN, 1.0, 0.95).is_err());
        assert!(test.look(0.1, 1.0, 1.0).is_err());
        assert_close(test.p_value(), 1.0, 0.0);
    }
}
