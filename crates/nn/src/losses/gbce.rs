use candle_core::Tensor;

use super::log_sigmoid::negative_log_sigmoid;
use super::negatives::pair;
use crate::NnError;

/// Generalised binary cross-entropy over a positive and K uniformly drawn negatives, averaged over the rows.
///
/// `L = −1 / (1 + K) · mean of (β log σ(z⁺) + Σₖ log(1 − σ(z⁻ₖ)))` with `β = α (t (1 − 1/α) + 1/α)`, where the share of
/// the negatives that were drawn is `α = K / (items − 1)`. Plain binary cross-entropy over few negatives makes a model
/// overconfident; the calibration t in [0, 1] sets how far that is undone: at t = 0, β is 1 and the loss is plain
/// binary cross-entropy, at t = 1, β is α and σ(z⁺) is calibrated. Source: Petrov and Macdonald, "gSASRec: Reducing
/// Overconfidence in Sequential Recommendation Trained with Negative Sampling", 2023; the authors recommend t = 0.75
/// and 256 negatives. No difference from the paper's loss.
///
/// # Shapes
/// positive [N], negatives [N, K] → scalar.
///
/// # Errors
/// [`NnError::Shape`] where the logits do not fit together or there is no row or no negative, [`NnError::Config`] where
/// there are no more items than negatives or t is outside [0, 1].
pub fn gbce(
    positive: &Tensor,
    negatives: &Tensor,
    items: usize,
    calibration: f64,
) -> Result<Tensor, NnError> {
    let (rows, count) = pair("gBCE", positive, negatives)?;
    let beta = gbce_beta(items, count, calibration)?;
    let of_positives = (negative_log_sigmoid(positive)?.sum_all()? * beta)?;
    // −log(1 − σ(z)) is −log σ(−z).
    let of_negatives = negative_log_sigmoid(&negatives.neg()?)?.sum_all()?;
    let share = 1.0 / (rows * (1 + count)) as f64;
    Ok(((of_positives + of_negatives)? * share)?)
}

/// The power β that [`gbce`] gives to the positive's probability.
///
/// # Errors
/// As [`gbce`].
pub fn gbce_beta(items: usize, negatives: usize, calibration: f64) -> Result<f64, NnError> {
    if items <= negatives {
        return Err(NnError::Config {
            field: "items",
            value: format!("{items} for {negatives} negatives"),
            expected: "more items than negatives",
        });
    }
    if !(0.0..=1.0).contains(&calibration) {
        return Err(NnError::Config {
            field: "calibration",
            value: calibration.to_string(),
            expected: "a number from 0 to 1",
        });
    }
    let alpha = negatives as f64 / (items - 1) as f64;
    Ok(alpha * (calibration * (1.0 - 1.0 / alpha) + 1.0 / alpha))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::{assert_close, reference, tensor};
    use crate::gradients::check_gradient;
    use candle_core::Device;

    fn new(values: &[f64], shape: &[usize]) -> Tensor {
        Tensor::from_slice(values, shape, &Device::Cpu).expect("fits")
    }

    #[test]
    fn equals_the_reference() {
        let Some(golden) = reference() else { return };
        let losses = &golden["losses"];
        let beta = gbce_beta(100, 3, 0.75).expect("in range");
        let expected = losses["gbce"]["beta"].as_f64().expect("a number");
        assert!((beta - expected).abs() < 1e-15, "{beta}");
        let loss = gbce(&tensor(&losses["pos"]), &tensor(&losses["neg"]), 100, 0.75);
        let expected = &losses["gbce"]["loss_sum_over_(1+k)_mean_users"];
        assert_close(&loss.expect("fits"), expected, 1e-7);
    }

    #[test]
    fn the_calibration_runs_from_plain_cross_entropy_to_the_share_drawn() {
        let beta = |calibration| gbce_beta(41, 10, calibration).expect("in range");
        assert!((beta(0.0) - 1.0).abs() < 1e-15);
        assert!((beta(1.0) - 0.25).abs() < 1e-15);
        // With every other item as a negative there is nothing to undo.
        assert!((gbce_beta(11, 10, 1.0).expect("in range") - 1.0).abs() < 1e-15);
    }

    #[test]
    fn the_gradient_matches_finite_differences() {
        let (positive, negatives) = ([0.4, -2.0], [0.3, 1.0, -1.0, 0.2, 0.0, 2.5]);
        let fixed = new(&negatives, &[2, 3]);
        check_gradient(&positive, &[2], |z| gbce(z, &fixed, 50, 0.6));
        let fixed = new(&positive, &[2]);
        check_gradient(&negatives, &[2, 3], |z| gbce(&fixed, z, 50, 0.6));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let message = |negatives: &[usize], items, calibration| {
            let positive = new(&[0.0; 2], &[2]);
            let negatives = new(&vec![0.0; negatives.iter().product()], negatives);
            let loss = gbce(&positive, &negatives, items, calibration);
            loss.expect_err("does not fit").to_string()
        };
        let cases = [
            (
                message(&[3, 2], 9, 0.5),
                "gBCE: expected positives [N] and negatives [N, K] with N and K above 0, got [2] and [3, 2]; check the sizes given to the layer",
            ),
            (
                message(&[2, 3], 3, 0.5),
                "`items` is 3 for 3 negatives; expected more items than negatives",
            ),
            (
                message(&[2, 3], 9, 1.5),
                "`calibration` is 1.5; expected a number from 0 to 1",
            ),
            (
                message(&[2, 3], 9, f64::NAN),
                "`calibration` is NaN; expected a number from 0 to 1",
            ),
        ];
        for (message, expected) in cases {
            assert_eq!(message, expected);
        }
    }
}
