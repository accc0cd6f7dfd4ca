use candle_core::{D, Tensor};

use crate::{Init, NnError, ParameterStore};

/// Layer normalisation: y = γ · (x − mean x) / √(var x + ε) + β, with the variance over D (not D − 1).
///
/// Source: Ba, Kiros and Hinton, "Layer Normalization", 2016. Composed of differentiable operations: candle's fused
/// `layer_norm` has no backward.
#[derive(Debug, Clone)]
pub struct LayerNorm {
    gain: Tensor,
    bias: Tensor,
    epsilon: f64,
}

impl LayerNorm {
    /// Creates the parameters `NAME.weight` [D], all ones, and `NAME.bias` [D], all zeros.
    ///
    /// # Errors
    /// [`NnError::DuplicateParameter`] where the name is taken.
    pub fn new(
        store: &mut ParameterStore,
        name: &str,
        width: usize,
        epsilon: f64,
    ) -> Result<Self, NnError> {
        let mut create = |part: &str, value| {
            store.create(
                &format!("{name}.{part}"),
                &[width],
                Init::Constant(value),
                false,
            )
        };
        Ok(Self {
            gain: create("weight", 1.0)?,
            bias: create("bias", 0.0)?,
            epsilon,
        })
    }

    /// Normalises the last dimension.
    ///
    /// # Shapes
    /// […, D] → […, D].
    ///
    /// # Errors
    /// [`NnError::Tensor`] where the last dimension is not D.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor, NnError> {
        let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
        let variance = centred.sqr()?.mean_keepdim(D::Minus1)?;
        let scaled = centred.broadcast_div(&(variance + self.epsilon)?.sqrt()?)?;
        Ok(scaled
            .broadcast_mul(&self.gain)?
            .broadcast_add(&self.bias)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::{assert_close, reference, tensor};
    use crate::gradients::check_gradient;
    use candle_core::{DType, Device};

    fn layer(width: usize) -> (ParameterStore, LayerNorm) {
        let mut store = ParameterStore::with_dtype(0, &Device::Cpu, DType::F64);
        let layer = LayerNorm::new(&mut store, "n", width, 1e-5).expect("fresh");
        (store, layer)
    }

    #[test]
    fn equals_the_reference() {
        let Some(golden) = reference() else { return };
        let (store, layer) = layer(8);
        let norm = &golden["norm"];
        store
            .set("n.weight", &tensor(&norm["gamma"]))
            .expect("fits");
        store.set("n.bias", &tensor(&norm["beta"])).expect("fits");
        let y = layer.forward(&tensor(&norm["x"])).expect("fits");
        assert_close(&y, &norm["layer_norm_eps1e-5"], 1e-12);
    }

    #[test]
    fn the_gradient_matches_finite_differences() {
        let (_store, layer) = layer(3);
        let weights = Tensor::new(&[1.0f64, -2.0, 0.5], &Device::Cpu).expect("fits");
        check_gradient(&[0.3, -1.0, 2.0, 0.1, 0.4, -0.5], &[2, 3], |x| {
            Ok(layer.forward(x)?.broadcast_mul(&weights)?.sum_all()?)
        });
    }
}
