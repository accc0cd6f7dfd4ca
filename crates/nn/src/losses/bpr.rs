use candle_core::Tensor;

use super::log_sigmoid::negative_log_sigmoid;
use super::negatives::pair;
use crate::NnError;

/// Bayesian personalised ranking: every negative should score below its row's positive.
///
/// L = mean over rows and negatives of −log σ(z⁺ − z⁻). Source: Rendle et al., "BPR: Bayesian Personalized Ranking from
/// Implicit Feedback", 2009. How this differs: the mean over several negatives a row instead of one, and no penalty on
/// the parameters, which is the optimiser's weight decay.
///
/// # Shapes
/// positive [N], negatives [N, K] → scalar.
///
/// # Errors
/// [`NnError::Shape`] where the logits do not fit together or there is no row or no negative.
pub fn bayesian_personalised_ranking(
    positive: &Tensor,
    negatives: &Tensor,
) -> Result<Tensor, NnError> {
    pair("Bayesian personalised ranking", positive, negatives)?;
    // [N, 1] − [N, K] → [N, K]
    let margins = positive.unsqueeze(1)?.broadcast_sub(negatives)?;
    Ok(negative_log_sigmoid(&margins)?.mean_all()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::{assert_close, reference, tensor};
    use crate::gradients::check_gradient;
    use candle_core::Device;

    #[test]
    fn equals_the_reference() {
        let Some(golden) = reference() else { return };
        let losses = &golden["losses"];
        let loss = bayesian_personalised_ranking(&tensor(&losses["pos"]), &tensor(&losses["neg"]));
        assert_close(&loss.expect("fits"), &losses["bpr_mean"], 1e-7);
    }

    #[test]
    fn the_gradient_matches_finite_differences() {
        let negatives = Tensor::new(&[[0.3f64, 1.0], [-1.0, 0.2]], &Device::Cpu).expect("fits");
        check_gradient(&[0.4, -2.0], &[2], |z| {
            bayesian_personalised_ranking(z, &negatives)
        });
        let positive = Tensor::new(&[0.4f64, -2.0], &Device::Cpu).expect("fits");
        check_gradient(&[0.3, 1.0, -1.0, 0.2], &[2, 2], |z| {
            bayesian_personalised_ranking(&positive, z)
        });
    }

    #[test]
    fn logits_that_do_not_fit_are_named() {
        let logits = Tensor::new(&[0f64, 1.0], &Device::Cpu).expect("fits");
        let error = bayesian_personalised_ranking(&logits, &logits).expect_err("one negative each");
        assert_eq!(
            error.to_string(),
            "Bayesian personalised ranking: expected positives [N] and negatives [N, K] with N and K above 0, got [2] and [2]; check the sizes given to the layer"
        );
    }
}
