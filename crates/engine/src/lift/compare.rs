//! Two arms compared, shopper by shopper.

use bandit::{Interval, Lift, two_means};
use serde::{Deserialize, Serialize};

use crate::error::Result;

/// Confidence of every interval.
const CONFIDENCE: f64 = 0.95;
/// An arm with fewer shoppers than this is not compared: the intervals are those of means of many.
const FEWEST_SHOPPERS: usize = 10;

/// An effect with its 95 % interval and the two means that it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The estimate.
    pub value: f64,
    /// Lower end of its 95 % interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Shoppers treated.
    pub treated: u64,
    /// Shoppers in the control.
    pub control: u64,
    /// Mean of the treated.
    pub treated_mean: f64,
    /// Mean of the control.
    pub control_mean: f64,
}

impl Comparison {
    /// Treatment over control, less 1: 0.1 is ten per cent more.
    ///
    /// The interval is normal on the logarithm of the ratio: with few clicks it stays above −1, where one that is normal
    /// on the ratio itself does not (Katz et al., "Obtaining Confidence Intervals for the Risk Ratio in Cohort Studies",
    /// Biometrics 1978). How this differs from the paper: the standard errors are those of means over shoppers, who
    /// may have several decisions each, and their quantile is Student's.
    ///
    /// `None` where an arm has fewer than ten shoppers or achieved nothing at all.
    ///
    /// # Errors
    /// [`crate::EngineError::Bandit`] for a value that is not finite.
    pub(crate) fn relative(control: &[f64], treatment: &[f64]) -> Result<Option<Self>> {
        let Some(lift) = compare(control, treatment)? else {
            return Ok(None);
        };
        if lift.treatment.value <= 0.0 || lift.control.value <= 0.0 {
            return Ok(None);
        }
        let ratio = lift.treatment.value / lift.control.value;
        // Both half-widths are the same multiple of a standard error as the half-width of the logarithm.
        let half = |of: &Interval| (of.high - of.low) / 2.0 / of.value;
        let width = half(&lift.treatment).hypot(half(&lift.control));
        let interval = Interval {
            value: ratio - 1.0,
            low: ratio * (-width).exp() - 1.0,
            high: ratio * width.exp() - 1.0,
        };
        Ok(Some(Self::of(interval, &lift, control, treatment)))
    }

    /// Treatment less control by Welch's test, see [`bandit::two_means`].
    ///
    /// `None` where an arm has fewer than ten shoppers, or where all shoppers of both arms have the same value, as
    /// when nobody ordered.
    ///
    /// # Errors
    /// [`crate::EngineError::Bandit`] for a value that is not finite.
    pub(crate) fn difference(control: &[f64], treatment: &[f64]) -> Result<Option<Self>> {
        let lift = compare(control, treatment)?;
        Ok(lift
            .filter(|lift| lift.difference.high > lift.difference.low)
            .map(|lift| Self::of(lift.difference, &lift, control, treatment)))
    }

    fn of(interval: Interval, lift: &Lift, control: &[f64], treatment: &[f64]) -> Self {
        Self {
            value: interval.value,
            low: interval.low,
            high: interval.high,
            treated: treatment.len() as u64,
            control: control.len() as u64,
            treated_mean: lift.treatment.value,
            control_mean: lift.control.value,
        }
    }
}

fn compare(control: &[f64], treatment: &[f64]) -> Result<Option<Lift>> {
    if control.len().min(treatment.len()) < FEWEST_SHOPPERS {
        return Ok(None);
    }
    Ok(Some(two_means(control, treatment, CONFIDENCE)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Some ones among zeros.
    fn clicks(ones: usize, of: usize) -> Vec<f64> {
        (0..of)
            .map(|shopper| f64::from(u8::from(shopper < ones)))
            .collect()
    }

    fn close(value: f64, expected: f64) -> bool {
        (value - expected).abs() < 1e-9
    }

    #[test]
    fn a_relative_lift_computed_by_hand() {
        // Means 0.3 and 0.2 of 20 each. Variances of the mean: 0.3 · 0.7 / 19 and 0.2 · 0.8 / 19; t with 19 degrees of
        // freedom is 2.093024; the logarithm's half-width is t · √(0.7 / 0.3 / 19 + 0.8 / 0.2 / 19).
        let lift = Comparison::relative(&clicks(4, 20), &clicks(6, 20));
        let lift = lift.expect("finite").expect("enough");
        let half = 2.093_024_054_408_263 * ((0.7 / 0.3 + 0.8 / 0.2) / 19.0_f64).sqrt();
        assert!(close(lift.value, 0.5));
        assert!(close(lift.low, 1.5 * (-half).exp() - 1.0), "{lift:?}");
        assert!(close(lift.high, 1.5 * half.exp() - 1.0), "{lift:?}");
        assert!(close(lift.treated_mean, 0.3) && close(lift.control_mean, 0.2));
        assert_eq!((lift.treated, lift.control), (20, 20));
        assert!(lift.low > -1.0);
    }

    #[test]
    fn a_difference_computed_by_hand() {
        // Equal sizes and variances: 2 · 19 degrees of freedom, for which t is 2.024394.
        let lift = Comparison::difference(&clicks(6, 20), &clicks(14, 20));
        let lift = lift.expect("finite").expect("enough");
        let half = 2.024_394_164_560_92 * (2.0 * 0.3 * 0.7 / 19.0_f64).sqrt();
        assert!(close(lift.value, 0.4));
        assert!((lift.high - 0.4 - half).abs() < 1e-7, "{lift:?}");
        assert!((0.4 - lift.low - half).abs() < 1e-7, "{lift:?}");
    }

    #[test]
    fn nineteen_intervals_of_twenty_hold_the_truth() {
        const SHOPPERS: usize = 300;
        let mut stream = blake3::Hasher::new().finalize_xof();
        let mut unit = || {
            let mut bytes = [0; 4];
            stream.fill(&mut bytes);
            f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)
        };
        // Each shopper has three decisions and a liking of its own, so that its decisions are not independent.
        let mut arm = |rate: f64| -> Vec<f64> {
            let shopper = |_| {
                let own = 2.0 * rate * unit();
                (0..3).filter(|_| unit() < own).count() as f64 / 3.0
            };
            (0..SHOPPERS).map(shopper).collect()
        };
        let (mut ratios, mut differences) = (0, 0);
        for _ in 0..400 {
            let (control, treatment) = (arm(0.04), arm(0.06));
            let ratio = Comparison::relative(&control, &treatment).expect("finite");
            let ratio = ratio.expect("enough");
            ratios += usize::from((ratio.low..=ratio.high).contains(&0.5));
            let difference = Comparison::difference(&control, &treatment).expect("finite");
            let difference = difference.expect("enough");
            differences += usize::from((difference.low..=difference.high).contains(&0.02));
        }
        // 380 expected; four standard deviations are 17.
        for held in [ratios, differences] {
            assert!((363..=397).contains(&held), "{ratios} and {differences}");
        }
    }

    #[test]
    fn too_few_data_are_no_comparison() {
        let (few, none, some) = (clicks(3, 9), clicks(0, 20), clicks(5, 20));
        for (control, treatment) in [
            (&few, &some),
            (&some, &few),
            (&none, &some),
            (&some, &none),
            (&none, &none),
        ] {
            let lift = Comparison::relative(control, treatment).expect("finite");
            assert_eq!(lift, None, "{control:?} {treatment:?}");
        }
        for (control, treatment) in [(&few, &some), (&some, &few), (&none, &none)] {
            let lift = Comparison::difference(control, treatment).expect("finite");
            assert_eq!(lift, None, "{control:?} {treatment:?}");
        }
        // A holdout that ordered nothing is a figure: the difference is what the messages brought.
        let lift = Comparison::difference(&none, &some).expect("finite");
        assert!(close(lift.expect("enough").value, 0.25));
    }
}
