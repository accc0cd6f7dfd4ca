//! A number with the interval around it.

use serde::{Deserialize, Serialize};

use crate::error::{BanditError, check_range};
use crate::special;

/// An estimate and the ends of its confidence interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The estimate.
    pub value: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Interval {
    /// The normal interval `value ± z · standard_error` of a two-sided confidence such as 0.95.
    ///
    /// # Errors
    /// [`BanditError::OutOfRange`] where `confidence` is not strictly between 0 and 1.
    pub fn normal(value: f64, standard_error: f64, confidence: f64) -> Result<Self, BanditError> {
        check_confidence(confidence)?;
        let half = special::normal_quantile_two_sided(confidence) * standard_error;
        Ok(Self::around(value, half))
    }

    /// The interval `value ± half_width`.
    pub(crate) fn around(value: f64, half_width: f64) -> Self {
        Self {
            value,
            low: value - half_width,
            high: value + half_width,
        }
    }

    /// Whether a number lies inside, ends included.
    pub fn contains(&self, number: f64) -> bool {
        (self.low..=self.high).contains(&number)
    }
}

/// Returns an error unless a confidence is strictly between 0 and 1.
pub(crate) fn check_confidence(confidence: f64) -> Result<(), BanditError> {
    let holds = confidence > 0.0 && confidence < 1.0;
    check_range(
        "confidence",
        confidence,
        holds,
        "a number between 0 and 1, such as 0.95",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::assert_close;

    #[test]
    fn a_normal_interval_has_the_known_width() {
        let interval = Interval::normal(2.0, 0.5, 0.95).expect("valid");
        assert_close(interval.high - 2.0, 0.5 * 1.959_963_984_540_054, 1e-12);
        assert!(interval.contains(1.1) && !interval.contains(0.9));
        let fault = Interval::normal(2.0, 0.5, 95.0).expect_err("a fault");
        assert_eq!(
            fault.to_string(),
            "confidence is 95; expected a number between 0 and 1, such as 0.95"
        );
    }
}
