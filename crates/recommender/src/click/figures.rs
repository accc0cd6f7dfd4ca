use serde::{Deserialize, Serialize};

use crate::metrics::{
    ReliabilityBin, area_under_curve, calibration_error, log_loss, reliability_bins,
};

/// Bins of the calibration error and of the reliability plot.
pub const RELIABILITY_BINS: usize = 15;

/// How good probabilities of clicks are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClickFigures {
    /// Area under the ROC curve.
    pub auc: f64,
    /// Mean of −log of the probability given to what happened.
    pub log_loss: f64,
    /// Expected calibration error: Σ over [`RELIABILITY_BINS`] bins of `n_b` / n · |share of clicks − mean probability|.
    pub calibration_error: f64,
    /// Share of clicks.
    pub base_rate: f64,
    /// Examples that were judged.
    pub examples: usize,
    /// The bins of the calibration error.
    pub reliability: Vec<ReliabilityBin>,
}

impl ClickFigures {
    /// Judges probabilities by what happened.
    ///
    /// # Shapes
    /// `labels` and `probabilities` have one entry an example.
    pub fn of(labels: &[bool], probabilities: &[f64]) -> Self {
        let clicks = labels.iter().filter(|label| **label).count();
        Self {
            auc: area_under_curve(labels, probabilities, &vec![1.0; labels.len()]),
            log_loss: log_loss(labels, probabilities),
            calibration_error: calibration_error(labels, probabilities, RELIABILITY_BINS),
            base_rate: clicks as f64 / labels.len().max(1) as f64,
            examples: labels.len(),
            reliability: reliability_bins(labels, probabilities, RELIABILITY_BINS),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tiny_example_equals_the_formulas_by_hand() {
        let figures = ClickFigures::of(&[true, false, true, false], &[0.9, 0.91, 0.3, 0.1]);
        // Of the four pairs 0.9 and 0.3 win against 0.1 and lose against 0.91.
        assert!((figures.auc - 0.5).abs() < 1e-12);
        // 0.9 and 0.91 share (13/15, 14/15]: |1/2 − 0.905| of two; 0.3 is alone with 0.7, 0.1 with 0.1.
        let by_hand = (2.0 * 0.405 + 0.7 + 0.1) / 4.0;
        assert!((figures.calibration_error - by_hand).abs() < 1e-12);
        let loss = -(0.9_f64.ln() + 0.09_f64.ln() + 0.3_f64.ln() + 0.9_f64.ln()) / 4.0;
        assert!((figures.log_loss - loss).abs() < 1e-12);
        assert_eq!((figures.base_rate, figures.examples), (0.5, 4));
        let filled = figures.reliability.iter().enumerate();
        let filled: Vec<(usize, u64)> = filled
            .filter(|(_, bin)| bin.examples > 0)
            .map(|(place, bin)| (place, bin.examples))
            .collect();
        assert_eq!(filled, [(1, 1), (4, 1), (13, 2)]);
    }
}
