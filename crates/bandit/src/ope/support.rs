//! Whether a log can say anything about a policy.
//!
//! The weights of a supported policy have expectation 1 (Owen, *Monte Carlo Theory, Methods and
//! Examples*, 2013, chapter 9), so a mean weight far from 1 betrays missing support or propensities that
//! are not those that were drawn from. How this differs from the book: the mass on candidates of logged
//! propensity 0 is counted directly, because the whole candidate set is logged.

use serde::{Deserialize, Serialize};

use super::round::Round;
use super::{average, effective_sample_size};
use crate::error::{BanditError, check_count};

/// How well a log supports a policy.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Support {
    /// The number of rounds.
    pub rounds: usize,
    /// How many rounds of equal weight would be as informative: `(Σ w)² / Σ w²`.
    pub effective_sample_size: f64,
    /// The largest importance weight.
    pub largest_weight: f64,
    /// The mean importance weight, expected to be 1 less `off_support`.
    pub mean_weight: f64,
    /// How many standard errors the mean weight lies from its expectation.
    pub mean_weight_z: f64,
    /// The share of the policy's mass on candidates that the log could not choose.
    pub off_support: f64,
}

/// The limits beyond which an evaluation is refused.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SupportLimits {
    /// The smallest effective sample size; default 100.
    pub min_effective_sample_size: f64,
    /// The largest share of mass off support; default 0.05.
    pub max_off_support: f64,
    /// The largest distance of the mean weight from its expectation, in standard errors; default 4.
    pub max_mean_weight_z: f64,
}

impl Default for SupportLimits {
    fn default() -> Self {
        Self {
            min_effective_sample_size: 100.0,
            max_off_support: 0.05,
            max_mean_weight_z: 4.0,
        }
    }
}

impl Support {
    /// Measures the support of a log.
    ///
    /// # Errors
    /// [`BanditError::TooFew`] where there are fewer than two rounds.
    pub fn measure(rounds: &[Round]) -> Result<Self, BanditError> {
        check_count("the log", rounds.len(), 2)?;
        let weights = || rounds.iter().map(|round| round.weight);
        let mean_weight = average(weights());
        let off_support = average(rounds.iter().map(|round| round.off_support));
        let spread: f64 = weights().map(|weight| (weight - mean_weight).powi(2)).sum();
        let count = rounds.len() as f64;
        let standard_error = (spread / (count - 1.0) / count).sqrt();
        let distance = mean_weight - (1.0 - off_support);
        Ok(Self {
            rounds: rounds.len(),
            effective_sample_size: effective_sample_size(
                weights().sum(),
                weights().map(|weight| weight * weight).sum(),
            ),
            largest_weight: weights().fold(0.0, f64::max),
            mean_weight,
            // Equal weights have no spread; rounding of their mean is no evidence.
            mean_weight_z: distance / standard_error.max(1e-9),
            off_support,
        })
    }

    /// Refuses an evaluation beyond the limits.
    ///
    /// # Errors
    /// [`BanditError::Unsupported`] with the first limit that is crossed.
    pub fn check(&self, limits: &SupportLimits) -> Result<(), BanditError> {
        let refuse = |measure, value, limit, remedy| {
            Err(BanditError::Unsupported {
                measure,
                value,
                limit,
                remedy,
            })
        };
        if self.off_support > limits.max_off_support {
            return refuse(
                "the share of its mass on actions that were never to be chosen",
                self.off_support,
                limits.max_off_support,
                "let it enter through a canary",
            );
        }
        if self.mean_weight_z.abs() > limits.max_mean_weight_z {
            return refuse(
                "the distance of the mean weight from its expectation in standard errors",
                self.mean_weight_z.abs(),
                limits.max_mean_weight_z,
                "check that the logged propensities are those drawn from",
            );
        }
        if self.effective_sample_size < limits.min_effective_sample_size {
            return refuse(
                "the effective sample size",
                self.effective_sample_size,
                limits.min_effective_sample_size,
                "collect more decisions or raise the exploration floor",
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::ope::reference;
    use crate::testing::{assert_close, number};

    fn round(weight: f64, off_support: f64) -> Round {
        Round {
            reward: 0.0,
            weight,
            predicted: None,
            off_support,
            cluster: 0,
        }
    }

    #[test]
    fn equals_the_reference() {
        let Some((golden, rounds)) = reference() else {
            return;
        };
        let support = Support::measure(&rounds).expect("rounds");
        assert_close(support.effective_sample_size, number(&golden["ess"]), 1e-12);
        assert_close(support.largest_weight, 5.0, 1e-12);
    }

    #[test]
    fn each_limit_refuses_with_its_remedy() {
        let limits = SupportLimits::default();
        let refusal = |rounds: &[Round]| {
            let support = Support::measure(rounds).expect("rounds");
            support.check(&limits).expect_err("a refusal").to_string()
        };
        let alternating = |high: f64, low: f64, count: usize| -> Vec<Round> {
            let weight = |index: usize| if index.is_multiple_of(2) { high } else { low };
            (0..count).map(|index| round(weight(index), 0.0)).collect()
        };
        let good = Support::measure(&alternating(1.5, 0.5, 200)).expect("rounds");
        assert_eq!(good.check(&limits), Ok(()));
        assert_eq!(
            refusal(&alternating(1.5, 0.5, 100)),
            "the log does not support this policy: the effective sample size is 80, the limit is 100; collect more decisions or raise the exploration floor"
        );
        assert!(
            refusal(&alternating(2.5, 0.5, 200)).contains("check that the logged propensities")
        );
        assert_eq!(
            refusal(&vec![round(0.75, 0.25); 200]),
            "the log does not support this policy: the share of its mass on actions that were never to be chosen is 0.25, the limit is 0.05; let it enter through a canary"
        );
        assert!(Support::measure(&[round(1.0, 0.0)]).is_err());
    }

    #[test]
    fn the_policy_that_logged_is_supported() {
        let support = Support::measure(&vec![round(1.0, 0.0); 150]).expect("rounds");
        assert_close(support.mean_weight_z, 0.0, 0.0);
        assert_close(support.effective_sample_size, 150.0, 1e-9);
        assert_eq!(support.check(&SupportLimits::default()), Ok(()));
    }
}
