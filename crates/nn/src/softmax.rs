use candle_core::{D, Tensor};

use crate::NnError;

/// Softmax over the last dimension: exp(xᵢ − max x) / Σⱼ exp(xⱼ − max x).
///
/// Composed of differentiable operations: candle's own `softmax_last_dim` has no backward. The maximum is detached,
/// which changes no gradient because softmax is invariant to a shift. An element of −∞ gets exactly 0; a row must
/// hold at least one finite element.
///
/// # Shapes
/// […, V] → […, V].
///
/// # Errors
/// [`NnError::Tensor`] for a scalar.
pub fn softmax(x: &Tensor) -> Result<Tensor, NnError> {
    let exp = shifted(x)?.exp()?;
    Ok(exp.broadcast_div(&exp.sum_keepdim(D::Minus1)?)?)
}

/// Logarithm of the softmax over the last dimension: xᵢ − log Σⱼ exp(xⱼ).
///
/// # Shapes
/// […, V] → […, V].
///
/// # Errors
/// [`NnError::Tensor`] for a scalar.
pub fn log_softmax(x: &Tensor) -> Result<Tensor, NnError> {
    let shifted = shifted(x)?;
    let log_sum = shifted.exp()?.sum_keepdim(D::Minus1)?.log()?;
    Ok(shifted.broadcast_sub(&log_sum)?)
}

/// Logarithm of the sum of exponentials over the last dimension: log Σⱼ exp(xⱼ), without overflow.
///
/// # Shapes
/// […, V] → […].
///
/// # Errors
/// [`NnError::Tensor`] for a scalar.
pub fn log_sum_exp(x: &Tensor) -> Result<Tensor, NnError> {
    let max = x.detach().max_keepdim(D::Minus1)?;
    let log_sum = x
        .broadcast_sub(&max)?
        .exp()?
        .sum_keepdim(D::Minus1)?
        .log()?;
    Ok((log_sum + max)?.squeeze(D::Minus1)?)
}

fn shifted(x: &Tensor) -> Result<Tensor, NnError> {
    let max = x.detach().max_keepdim(D::Minus1)?;
    Ok(x.broadcast_sub(&max)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradients::check_gradient;
    use candle_core::Device;

    #[test]
    fn values_are_exact_where_they_are_known() {
        let x = Tensor::new(
            &[[0f64, 3f64.ln()], [1000.0, f64::NEG_INFINITY]],
            &Device::Cpu,
        )
        .expect("fits");
        let p = softmax(&x)
            .and_then(|p| Ok(p.to_vec2::<f64>()?))
            .expect("rows");
        assert!((p[0][0] - 0.25).abs() < 1e-15 && (p[0][1] - 0.75).abs() < 1e-15);
        assert_eq!(p[1], [1.0, 0.0]);
        let lse = log_sum_exp(&x)
            .and_then(|p| Ok(p.to_vec1::<f64>()?))
            .expect("rows");
        assert!((lse[0] - 4f64.ln()).abs() < 1e-15);
        assert!((lse[1] - 1000.0).abs() < 1e-12);
    }

    #[test]
    fn gradients_match_finite_differences() {
        let x = [0.3, -1.0, 2.0, 0.1, 0.0, -0.5];
        let weights =
            Tensor::new(&[[1.0f64, 2.0, -1.0], [0.5, 0.0, 3.0]], &Device::Cpu).expect("fits");
        check_gradient(&x, &[2, 3], |x| Ok((softmax(x)? * &weights)?.sum_all()?));
        check_gradient(
            &x,
            &[2, 3],
            |x| Ok((log_softmax(x)? * &weights)?.sum_all()?),
        );
        check_gradient(&x, &[2, 3], |x| Ok(log_sum_exp(x)?.sum_all()?));
    }
}
