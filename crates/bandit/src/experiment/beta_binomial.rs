//! The beta-binomial e-process: a rate watched while it runs.
//!
//! Ville, 1939; Robbins, 1970; Howard et al., "Time-Uniform, Nonparametric, Nonasymptotic Confidence
//! Sequences", Annals of Statistics 2021. For s successes in n trials against the rate p₀, with a
//! Beta(a, b) mixture:
//!
//! ```text
//! E = B(a + s, b + n − s) / B(a, b) / (p₀ˢ (1 − p₀)ⁿ⁻ˢ)        p = min over looks of 1 / E
//! ```
//!
//! How this differs from the papers: nothing. To compare two arms, watch the stream of their successes
//! and ask which arm each belongs to: where the arms do not differ, the treatment's share of successes is
//! its share of the traffic (Lindon & Malek, "Anytime-Valid Inference for Multinomial Count Data",
//! `NeurIPS` 2022).

use serde::{Deserialize, Serialize};

use crate::error::{BanditError, check_range};
use crate::special::ln_beta;

/// An always-valid test that a stream of yes and no has the rate p₀.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BetaBinomial {
    rate: f64,
    prior: (f64, f64),
    successes: u64,
    trials: u64,
    largest_log_e: f64,
}

impl BetaBinomial {
    /// Starts a test of the rate `rate`, with a Beta mixture over the rates it may have instead;
    /// `(1, 1)` takes all to be equally likely.
    ///
    /// # Errors
    /// [`BanditError::OutOfRange`] where the rate is not in (0, 1) or a parameter of the mixture not
    /// positive.
    pub fn new(rate: f64, prior: (f64, f64)) -> Result<Self, BanditError> {
        let holds = rate > 0.0 && rate < 1.0;
        check_range("rate", rate, holds, "a number between 0 and 1")?;
        for parameter in [prior.0, prior.1] {
            let holds = parameter > 0.0 && parameter.is_finite();
            check_range(
                "a parameter of the prior",
                parameter,
                holds,
                "a positive number",
            )?;
        }
        Ok(Self {
            rate,
            prior,
            successes: 0,
            trials: 0,
            largest_log_e: 0.0,
        })
    }

    /// Adds what came since the last look and returns the logarithm of the e-value.
    ///
    /// # Errors
    /// [`BanditError::OutOfRange`] where there are more successes than trials.
    pub fn look(&mut self, successes: u64, trials: u64) -> Result<f64, BanditError> {
        let fits = successes <= trials;
        check_range(
            "successes",
            successes as f64,
            fits,
            "at most the number of trials",
        )?;
        self.successes += successes;
        self.trials += trials;
        let log_e = self.log_e();
        self.largest_log_e = self.largest_log_e.max(log_e);
        Ok(log_e)
    }

    /// The logarithm of the e-value of all data so far.
    pub fn log_e(&self) -> f64 {
        let (a, b) = self.prior;
        let successes = self.successes as f64;
        let failures = (self.trials - self.successes) as f64;
        let null = successes * self.rate.ln() + failures * (-self.rate).ln_1p();
        ln_beta(a + successes, b + failures) - ln_beta(a, b) - null
    }

    /// The always-valid p-value: the inverse of the largest e-value so far, at most 1.
    pub fn p_value(&self) -> f64 {
        (-self.largest_log_e).exp()
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::testing::{assert_close, golden, number, numbers};

    #[test]
    fn equals_the_closed_form_at_every_look() {
        let Some(golden) = golden("sequential_tests.json") else {
            return;
        };
        let golden = &golden["beta_binomial_eprocess"];
        let (log_e, p_values) = (numbers(&golden["log_e"]), numbers(&golden["p"]));
        let mut test = BetaBinomial::new(number(&golden["p0"]), (1.0, 1.0)).expect("valid");
        for (index, outcome) in numbers(&golden["z"]).iter().enumerate() {
            let found = test.look(*outcome as u64, 1).expect("valid");
            assert_close(found, log_e[index], 1e-12);
            assert_close(test.p_value(), p_values[index], 1e-12);
        }
    }

    #[test]
    fn keeps_its_error_rate_and_finds_a_better_arm() {
        // Conversions are the stream; with half of the traffic each, half come from either arm.
        let rejected = |seed: u64, share: f64| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let mut test = BetaBinomial::new(0.5, (20.0, 20.0)).expect("valid");
            for _ in 0..600 {
                test.look(u64::from(rng.random::<f64>() < share), 1)
                    .expect("valid");
            }
            test.p_value() < 0.05
        };
        let wrong = (0..400).filter(|seed| rejected(*seed, 0.5)).count();
        assert!(wrong <= 30, "{wrong} false alarms in 400");
        // Rates of 2 % and 3 %: three fifths of the conversions are the treatment's.
        let found = (0..100).filter(|seed| rejected(1_000 + seed, 0.6)).count();
        assert!(found >= 90, "found {found} of 100");
    }

    #[test]
    fn refuses_bad_arguments() {
        assert!(BetaBinomial::new(1.0, (1.0, 1.0)).is_err());
        assert!(BetaBinomial::new(0.5, (0.0, 1.0)).is_err());
        let mut test = BetaBinomial::new(0.5, (1.0, 1.0)).expect("valid");
        let fault = test.look(2, 1).expect_err("a fault");
        assert_eq!(
            fault.to_string(),
            "successes is 2; expected at most the number of trials"
        );
        assert_close(test.log_e(), 0.0, 1e-14);
    }
}
