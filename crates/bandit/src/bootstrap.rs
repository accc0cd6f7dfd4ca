//! Percentile bootstrap intervals.
//!
//! Efron, "Bootstrap Methods: Another Look at the Jackknife", Annals of Statistics 1979; Efron &
//! Tibshirani, *An Introduction to the Bootstrap*, 1993, chapter 13: draw as many units as there are, with
//! replacement; the quantiles `(1 ∓ confidence) / 2` of the statistic over the replicates are the ends.
//! How this differs from the book: quantiles between two replicates are interpolated linearly. The units
//! are whole shoppers wherever a shopper has several decisions, since those are not independent.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::error::{BanditError, check_count, check_finite};
use crate::interval::{Interval, check_confidence};

/// How a bootstrap is run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bootstrap {
    /// How often the units are drawn again; default 1,000.
    pub replicates: usize,
    /// The two-sided confidence; default 0.95.
    pub confidence: f64,
    /// The seed of the draws; default 0.
    pub seed: u64,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Self {
            replicates: 1_000,
            confidence: 0.95,
            seed: 0,
        }
    }
}

impl Bootstrap {
    /// The interval of a statistic of one sample.
    ///
    /// `statistic` gets the indices of the units drawn, between 0 and `units - 1`; the estimate is its
    /// value where each unit is drawn once.
    ///
    /// # Errors
    /// [`BanditError::TooFew`] without a unit or a replicate, [`BanditError::OutOfRange`] for a confidence
    /// outside (0, 1) or a statistic that is not finite.
    pub fn one_sample(
        &self,
        units: usize,
        statistic: impl Fn(&[usize]) -> f64,
    ) -> Result<Interval, BanditError> {
        self.two_samples(units, 1, |drawn, _| statistic(drawn))
    }

    /// The interval of a statistic of two samples that are drawn independently, such as the lift of the
    /// treated shoppers over the holdout.
    ///
    /// # Errors
    /// Those of [`Bootstrap::one_sample`].
    pub fn two_samples(
        &self,
        first: usize,
        second: usize,
        statistic: impl Fn(&[usize], &[usize]) -> f64,
    ) -> Result<Interval, BanditError> {
        check_confidence(self.confidence)?;
        for (what, count) in [
            ("the sample", first.min(second)),
            ("the list of replicates", self.replicates),
        ] {
            check_count(what, count, 1)?;
        }
        let mut left: Vec<usize> = (0..first).collect();
        let mut right: Vec<usize> = (0..second).collect();
        let value = statistic(&left, &right);
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let mut replicates = Vec::with_capacity(self.replicates);
        for _ in 0..self.replicates {
            left.fill_with(|| rng.random_range(0..first));
            right.fill_with(|| rng.random_range(0..second));
            replicates.push(statistic(&left, &right));
        }
        check_finite("the statistic", &[value])?;
        check_finite("the statistic of a replicate", &replicates)?;
        replicates.sort_unstable_by(f64::total_cmp);
        let tail = 0.5 * (1.0 - self.confidence);
        Ok(Interval {
            value,
            low: quantile(&replicates, tail),
            high: quantile(&replicates, 1.0 - tail),
        })
    }

    /// The interval of a mean over units, such as a metric over shoppers.
    ///
    /// # Errors
    /// Those of [`Bootstrap::one_sample`].
    pub fn mean(&self, values: &[f64]) -> Result<Interval, BanditError> {
        let mean = |drawn: &[usize]| {
            drawn.iter().map(|unit| values[*unit]).sum::<f64>() / drawn.len() as f64
        };
        self.one_sample(values.len(), mean)
    }
}

/// The quantile of sorted values, interpolated linearly between neighbours.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let position = share * (sorted.len() - 1) as f64;
    let below = position.floor() as usize;
    let above = position.ceil() as usize;
    let fraction = position - below as f64;
    sorted[below] + fraction * (sorted[above] - sorted[below])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::assert_close;

    #[test]
    fn quantiles_interpolate() {
        let sorted = [1.0, 2.0, 4.0, 8.0];
        assert_close(quantile(&sorted, 0.0), 1.0, 0.0);
        assert_close(quantile(&sorted, 1.0), 8.0, 0.0);
        assert_close(quantile(&sorted, 0.5), 3.0, 1e-15);
        assert_close(quantile(&sorted, 0.9), 6.8, 1e-12);
    }

    #[test]
    fn agrees_with_the_normal_interval_of_a_large_sample() {
        let values: Vec<f64> = (0..2_000).map(|unit| f64::from(unit % 50)).collect();
        let found = Bootstrap::default().mean(&values).expect("valid");
        // The values 0..49 in equal number: mean 24.5, variance (50² − 1) / 12.
        let half = 1.96 * (2_499.0_f64 / 12.0 / 2_000.0).sqrt();
        assert_close(found.value, 24.5, 1e-12);
        assert_close(found.high - 24.5, half, 0.08 * half);
        assert_close(24.5 - found.low, half, 0.08 * half);
    }

    #[test]
    fn covers_the_truth_as_often_as_it_says() {
        let covered = (0..400_u64)
            .filter(|round| {
                let mut rng = ChaCha8Rng::seed_from_u64(1_000 + round);
                let values: Vec<f64> = (0..60).map(|_| rng.random::<f64>()).collect();
                let run = Bootstrap {
                    replicates: 300,
                    confidence: 0.9,
                    seed: *round,
                };
                run.mean(&values).expect("valid").contains(0.5)
            })
            .count();
        // 360 expected, standard deviation 6.
        assert!((336..=384).contains(&covered), "{covered} of 400");
    }

    #[test]
    fn the_seed_decides_and_bad_input_is_refused() {
        let values = [1.0, 5.0, 2.0, 9.0];
        let run = Bootstrap::default();
        assert_eq!(run.mean(&values), run.mean(&values));
        let other = Bootstrap {
            seed: 1,
            replicates: 50,
            ..run
        };
        assert_ne!(
            other.mean(&values),
            Bootstrap { seed: 2, ..other }.mean(&values)
        );
        assert_eq!(
            run.mean(&[]).expect_err("a fault").to_string(),
            "the sample has 0 entries; pass at least 1"
        );
        assert!(run.mean(&[1.0, f64::NAN]).is_err());
        assert!(
            Bootstrap {
                confidence: 1.0,
                ..run
            }
            .mean(&values)
            .is_err()
        );
        assert!(
            Bootstrap {
                replicates: 0,
                ..run
            }
            .mean(&values)
            .is_err()
        );
    }

    #[test]
    fn a_lift_is_drawn_from_both_samples() {
        let (control, treatment) = ([0.0, 1.0, 0.0, 1.0], [1.0, 1.0, 1.0]);
        let mean = |values: &[f64], drawn: &[usize]| {
            drawn.iter().map(|unit| values[*unit]).sum::<f64>() / drawn.len() as f64
        };
        let lift = Bootstrap::default()
            .two_samples(4, 3, |c, t| mean(&treatment, t) - mean(&control, c))
            .expect("valid");
        assert_close(lift.value, 0.5, 1e-15);
        // The treatment never varies; four fair coins do.
        assert_close(lift.low, 0.0, 1e-12);
        assert_close(lift.high, 1.0, 1e-12);
    }
}
