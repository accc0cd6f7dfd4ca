use candle_core::{D, Tensor};

use crate::kernels::rms_norm::FusedRmsNorm;
use crate::{Init, NnError, ParameterStore};

/// Root-mean-square normalisation: y = γ · x / √(mean(x²) + ε).
///
/// Source: Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019. On a CPU it is one operation with its
/// own backward; candle's fused `rms_norm` has none.
#[derive(Debug, Clone)]
pub struct RmsNorm {
    pub(crate) gain: Tensor,
    pub(crate) epsilon: f64,
}

impl RmsNorm {
    /// Creates the parameter `NAME.weight` [D], all ones.
    ///
    /// # Errors
    /// [`NnError::DuplicateParameter`] where the name is taken.
    pub fn new(
        store: &mut ParameterStore,
        name: &str,
        width: usize,
        epsilon: f64,
    ) -> Result<Self, NnError> {
        let ones = Init::Constant(1.0);
        let gain = store.create(&format!("{name}.weight"), &[width], ones, false)?;
        Ok(Self { gain, epsilon })
    }

    /// Normalises the last dimension.
    ///
    /// # Shapes
    /// […, D] → […, D].
    ///
    /// # Errors
    /// [`NnError::Tensor`] where the last dimension is not D.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor, NnError> {
        if x.device().is_cpu() {
            let fused = FusedRmsNorm {
                epsilon: self.epsilon,
            };
            return Ok(x.contiguous()?.apply_op2(&self.gain, fused)?);
        }
        self.composed(x)
    }

    /// The norm outside the graph: gradients flow through it and none is kept for it.
    pub(crate) fn frozen(&self) -> Self {
        Self {
            gain: self.gain.detach(),
            epsilon: self.epsilon,
        }
    }

    /// The same of candle's own operations, for other devices.
    fn composed(&self, x: &Tensor) -> Result<Tensor, NnError> {
        let mean_square = x.sqr()?.mean_keepdim(D::Minus1)?;
        let scale = (mean_square + self.epsilon)?.sqrt()?;
        Ok(x.broadcast_div(&scale)?.broadcast_mul(&self.gain)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::{assert_close, reference, tensor};
    use crate::gradients::check_gradient;
    use candle_core::{DType, Device};

    fn layer(width: usize) -> (ParameterStore, RmsNorm) {
        let mut store = ParameterStore::with_dtype(0, &Device::Cpu, DType::F64);
        let layer = RmsNorm::new(&mut store, "n", width, 1e-6).expect("fresh");
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
        let y = layer.forward(&tensor(&norm["x"])).expect("fits");
        assert_close(&y, &norm["rms_norm_eps1e-6"], 1e-12);
    }

    #[test]
    fn the_fused_operation_equals_the_composed_one() {
        let (store, layer) = layer(5);
        let gain = Tensor::new(&[0.5f64, -1.0, 2.0, 1.0, 0.1], &Device::Cpu).expect("fits");
        store.set("n.weight", &gain).expect("fits");
        let x: Vec<f64> = (0..1_500).map(|i| (f64::from(i) * 0.7).sin()).collect();
        let x = Tensor::from_vec(x, (300, 5), &Device::Cpu).expect("fits");
        let x = candle_core::Var::from_tensor(&x).expect("floats");
        let gain = &store.get("n.weight").expect("present").var;
        let gradients = |y: Result<Tensor, NnError>| -> Vec<f64> {
            let loss = y.and_then(|y| Ok(y.sin()?.sum_all()?)).expect("fits");
            let backward = loss.backward().expect("differentiable");
            let of = |variable: &candle_core::Var| -> Vec<f64> {
                let gradient = backward.get(variable).expect("depends on it");
                gradient
                    .flatten_all()
                    .and_then(|g| g.to_vec1())
                    .expect("f64")
            };
            [of(&x), of(gain)].concat()
        };
        let whole = gradients(layer.composed(&x));
        for (a, b) in gradients(layer.forward(&x)).iter().zip(whole) {
            assert!((a - b).abs() < 1e-10, "{a} is not {b}");
        }
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
