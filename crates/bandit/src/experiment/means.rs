//! Two means at a fixed sample size.
//!
//! Welch, "The Generalization of 'Student's' Problem", Biometrika 1947; the relative lift by the delta
//! method on the ratio of means (Deng, Knoblich & Lu, "Applying the Delta Method in Metric Analytics",
//! KDD 2018). How this differs from the papers: nothing.
//!
//! The values are one per independent unit: a shopper's orders or revenue, not a decision's.

use super::proportions::Lift;
use crate::error::{BanditError, check_count, check_finite};
use crate::interval::{Interval, check_confidence};
use crate::special;

/// Mean and variance of the mean of a sample.
struct Moments {
    count: f64,
    mean: f64,
    variance_of_mean: f64,
}

impl Moments {
    fn of(values: &[f64]) -> Result<Self, BanditError> {
        check_count("the sample", values.len(), 2)?;
        check_finite("a value of the sample", values)?;
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        Ok(Self {
            count,
            mean,
            variance_of_mean: squares / (count - 1.0) / count,
        })
    }

    fn interval(&self, confidence: f64) -> Interval {
        let t = special::student_quantile_two_sided(confidence, self.count - 1.0);
        Interval::around(self.mean, t * self.variance_of_mean.sqrt())
    }
}

/// Compares two means by Welch's t-test, treatment less control.
///
/// The relative lift is given where the interval of the control's mean lies above zero.
///
/// # Errors
/// [`BanditError::TooFew`] with fewer than two values, [`BanditError::OutOfRange`] for a value that is not
/// finite or a confidence outside (0, 1).
pub fn two_means(control: &[f64], treatment: &[f64], confidence: f64) -> Result<Lift, BanditError> {
    check_confidence(confidence)?;
    let control = Moments::of(control)?;
    let treatment = Moments::of(treatment)?;
    let difference = treatment.mean - control.mean;
    let variance = control.variance_of_mean + treatment.variance_of_mean;
    let parts =
        [&control, &treatment].map(|sample| sample.variance_of_mean.powi(2) / (sample.count - 1.0));
    let (statistic, degrees) = if variance > 0.0 {
        (
            difference / variance.sqrt(),
            variance.powi(2) / (parts[0] + parts[1]),
        )
    } else {
        // Two constants: equal, or different beyond doubt.
        let certain = if difference == 0.0 {
            0.0
        } else {
            f64::INFINITY
        };
        (
            certain.copysign(difference),
            control.count + treatment.count - 2.0,
        )
    };
    let half = special::student_quantile_two_sided(confidence, degrees) * variance.sqrt();
    Ok(Lift {
        control: control.interval(confidence),
        treatment: treatment.interval(confidence),
        difference: Interval::around(difference, half),
        relative: relative_lift(&control, &treatment, confidence)?,
        statistic,
        p_value: special::student_two_sided(statistic, degrees),
    })
}

fn relative_lift(
    control: &Moments,
    treatment: &Moments,
    confidence: f64,
) -> Result<Option<Interval>, BanditError> {
    if control.interval(confidence).low <= 0.0 {
        return Ok(None);
    }
    let ratio = treatment.mean / control.mean;
    let variance = treatment.variance_of_mean + ratio * ratio * control.variance_of_mean;
    let deviation = variance.sqrt() / control.mean;
    Interval::normal(ratio - 1.0, deviation, confidence).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_all_close, assert_close, golden, numbers};

    #[test]
    fn equals_the_reference() {
        let Some(golden) = golden("sequential_tests.json") else {
            return;
        };
        let sample = &golden["msprt_gaussian"];
        let (control, treatment) = (numbers(&sample["control"]), numbers(&sample["treatment"]));
        // The reference tests control less treatment.
        let lift = two_means(&treatment, &control, 0.95).expect("valid");
        let expected = numbers(&golden["fixed"]["welch"]);
        assert_all_close(&[lift.statistic, lift.p_value], &expected, 1e-12);
    }

    #[test]
    fn values_computed_by_hand() {
        let lift = two_means(&[1.0, 3.0], &[4.0, 6.0], 0.95).expect("valid");
        // Both variances of the mean are 1; two degrees of freedom; t = 3 / √2.
        let t = 3.0 / 2.0_f64.sqrt();
        assert_close(lift.statistic, t, 1e-12);
        assert_close(lift.p_value, 1.0 - t / (2.0 + t * t).sqrt(), 1e-12);
        assert_eq!(lift.relative, None, "the control is 2 ± 12.7");

        let control = [2.0, 2.2, 1.8, 2.0];
        let lift = two_means(&control, &[2.4, 2.6, 2.2, 2.4], 0.95).expect("valid");
        let relative = lift.relative.expect("a clear control");
        assert_close(relative.value, 0.2, 1e-12);
        // Each variance of the mean is 0.08 / 3 / 4.
        let deviation = (0.08 / 12.0 * (1.0 + 1.44_f64)).sqrt() / 2.0;
        assert_close(
            relative.high - 0.2,
            1.959_963_984_540_054 * deviation,
            1e-12,
        );
    }

    #[test]
    fn constants_and_bad_samples() {
        let lift = two_means(&[1.0, 1.0], &[2.0, 2.0], 0.95).expect("valid");
        assert_close(lift.p_value, 0.0, 0.0);
        let lift = two_means(&[1.0, 1.0], &[1.0, 1.0], 0.95).expect("valid");
        assert_close(lift.p_value, 1.0, 0.0);
        let fault = two_means(&[1.0], &[1.0, 2.0], 0.95).expect_err("a fault");
        assert_eq!(
            fault.to_string(),
            "the sample has 1 entries; pass at least 2"
        );
        assert!(two_means(&[1.0, f64::NAN], &[1.0, 2.0], 0.95).is_err());
    }
}
