use candle_core::Tensor;

use crate::NnError;

/// −log σ(x) = log(1 + exp(−x)) of each element, as max(x, 0) − x + log(1 + exp(−|x|)), which never overflows.
///
/// # Shapes
/// any → the same.
///
/// # Errors
/// [`NnError::Tensor`] where memory is short.
pub(super) fn negative_log_sigmoid(x: &Tensor) -> Result<Tensor, NnError> {
    let log_term = (x.abs()?.neg()?.exp()? + 1.0)?.log()?;
    // candle takes 1 as the slope of both |x| and max(x, 0) at 0; so written, the slopes add up to the true −1/2 there.
    Ok(((x.relu()? - x)? + log_term)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradients::check_gradient;
    use candle_core::Device;

    #[test]
    fn is_finite_far_out_and_exact_where_it_is_known() {
        let x = Tensor::new(&[0f64, 3f64.ln(), 800.0, -800.0], &Device::Cpu).expect("fits");
        let y = negative_log_sigmoid(&x).and_then(|y| Ok(y.to_vec1::<f64>()?));
        // σ(log 3) is 3/4.
        let expected = [2f64.ln(), (4f64 / 3.0).ln(), 0.0, 800.0];
        for (y, expected) in y.expect("f64").iter().zip(expected) {
            assert!((y - expected).abs() < 1e-15, "{y} is not {expected}");
        }
    }

    #[test]
    fn the_gradient_matches_finite_differences_also_at_zero() {
        check_gradient(&[0.4, -2.0, 0.0, 30.0, -30.0], &[5], |x| {
            Ok(negative_log_sigmoid(x)?.sum_all()?)
        });
    }
}
