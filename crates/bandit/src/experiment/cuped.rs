//! CUPED: less variance from what was known before.
//!
//! Deng, Xu, Kohavi & Walker, "Improving the Sensitivity of Online Controlled Experiments by Utilizing
//! Pre-Experiment Data", WSDM 2013: `y' = y − θ (x − x̄)`, `θ = cov(y, x) / var(x)`; the variance falls by
//! the factor `1 − corr²`. How this differs from the paper: nothing. With two arms, fit θ and x̄ on both
//! together and adjust each arm with the same ones.

use crate::error::{BanditError, check_count, check_finite, check_len};

/// The adjustment of an outcome by a covariate from before the experiment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cuped {
    /// The slope θ of the outcome on the covariate.
    pub theta: f64,
    /// The covariate's mean.
    pub covariate_mean: f64,
}

impl Cuped {
    /// Fits the slope, over all arms together.
    ///
    /// A constant covariate has the slope 0.
    ///
    /// # Errors
    /// [`BanditError::Shape`] where the lists differ in length, [`BanditError::TooFew`] with fewer than two
    /// units, [`BanditError::OutOfRange`] for a number that is not finite.
    pub fn fit(outcome: &[f64], covariate: &[f64]) -> Result<Self, BanditError> {
        check_len("covariate", outcome.len(), covariate.len())?;
        check_count("outcome", outcome.len(), 2)?;
        check_finite("an outcome", outcome)?;
        check_finite("a covariate", covariate)?;
        let count = outcome.len() as f64;
        let outcome_mean = outcome.iter().sum::<f64>() / count;
        let covariate_mean = covariate.iter().sum::<f64>() / count;
        let (mut shared, mut own) = (0.0, 0.0);
        for (y, x) in outcome.iter().zip(covariate) {
            shared += (y - outcome_mean) * (x - covariate_mean);
            own += (x - covariate_mean).powi(2);
        }
        Ok(Self {
            theta: if own > 0.0 { shared / own } else { 0.0 },
            covariate_mean,
        })
    }

    /// Adjusts the outcomes of one arm.
    ///
    /// # Errors
    /// [`BanditError::Shape`] where the lists differ in length.
    pub fn adjust(&self, outcome: &[f64], covariate: &[f64]) -> Result<Vec<f64>, BanditError> {
        check_len("covariate", outcome.len(), covariate.len())?;
        let pairs = outcome.iter().zip(covariate);
        Ok(pairs
            .map(|(y, x)| y - self.theta * (x - self.covariate_mean))
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_close, golden, number, numbers};

    fn variance(values: &[f64]) -> f64 {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        values.iter().map(|value| (value - mean).powi(2)).sum()
    }

    #[test]
    fn equals_the_reference() {
        let Some(golden) = golden("sequential_tests.json") else {
            return;
        };
        let golden = &golden["cuped"];
        let (outcome, covariate) = (numbers(&golden["y"]), numbers(&golden["pre"]));
        let cuped = Cuped::fit(&outcome, &covariate).expect("valid");
        assert_close(cuped.theta, number(&golden["theta"]), 1e-12);
        let adjusted = cuped.adjust(&outcome, &covariate).expect("valid");
        let mean = adjusted.iter().sum::<f64>() / adjusted.len() as f64;
        assert_close(mean, number(&golden["adjusted_mean"]), 1e-12);
        let ratio = variance(&adjusted) / variance(&outcome);
        assert_close(ratio, number(&golden["var_ratio"]), 1e-12);
    }

    #[test]
    fn a_perfect_covariate_leaves_no_variance_and_a_constant_one_all() {
        let covariate = [1.0, 2.0, 4.0];
        let outcome = covariate.map(|x| 3.0 * x + 1.0);
        let cuped = Cuped::fit(&outcome, &covariate).expect("valid");
        let adjusted = cuped.adjust(&outcome, &covariate).expect("valid");
        assert_close(variance(&adjusted), 0.0, 1e-20);
        let cuped = Cuped::fit(&outcome, &[5.0; 3]).expect("valid");
        assert_close(cuped.theta, 0.0, 0.0);
        assert!(Cuped::fit(&outcome, &[1.0]).is_err());
        assert!(Cuped::fit(&[1.0], &[1.0]).is_err());
    }
}
