use candle_core::Tensor;

use crate::kernels::gated::Gated;
use crate::{Linear, NnError, ParameterStore};

/// Gated feed-forward layer: `y = W_down (silu(W_gate x) ⊙ W_up x)`, without biases.
///
/// Source: Shazeer, "GLU Variants Improve Transformer", 2020.
#[derive(Debug, Clone)]
pub struct SwiGlu {
    pub(crate) gate: Linear,
    pub(crate) up: Linear,
    pub(crate) down: Linear,
}

impl SwiGlu {
    /// Creates `NAME.gate_proj`, `NAME.up_proj` [hidden, D] and `NAME.down_proj` [D, hidden].
    ///
    /// # Errors
    /// [`NnError::DuplicateParameter`] where the name is taken.
    pub fn new(
        store: &mut ParameterStore,
        name: &str,
        width: usize,
        hidden: usize,
    ) -> Result<Self, NnError> {
        let mut linear = |part: &str, inputs, outputs| {
            Linear::new(store, &format!("{name}.{part}"), inputs, outputs, false)
        };
        Ok(Self {
            gate: linear("gate_proj", width, hidden)?,
            up: linear("up_proj", width, hidden)?,
            down: linear("down_proj", hidden, width)?,
        })
    }

    /// Applies the layer.
    ///
    /// # Shapes
    /// […, D] → […, D].
    ///
    /// # Errors
    /// [`NnError::Shape`] where the last dimension is not D.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor, NnError> {
        self.down.forward(&self.gated(x)?)
    }

    /// Applies the layer and adds the result to a residual.
    ///
    /// # Shapes
    /// x and residual […, D] → […, D].
    ///
    /// # Errors
    /// [`NnError::Shape`] where the last dimension is not D or the residual has another shape than x.
    pub fn forward_onto(&self, x: &Tensor, residual: &Tensor) -> Result<Tensor, NnError> {
        self.down.forward_onto(&self.gated(x)?, residual)
    }

    /// silu(`W_gate` x) ⊙ `W_up` x, […, D] → […, hidden].
    fn gated(&self, x: &Tensor) -> Result<Tensor, NnError> {
        let (gate, up) = (self.gate.forward(x)?, self.up.forward(x)?);
        if x.device().is_cpu() {
            return Ok(gate.contiguous()?.apply_op2(&up.contiguous()?, Gated)?);
        }
        Ok((gate.silu()? * up)?)
    }
}

/// Feed-forward layer of the first Transformers: y = W₂ gelu(W₁ x + b₁) + b₂, with the error-function form of GELU.
///
/// Source: Hendrycks and Gimpel, "Gaussian Error Linear Units (GELUs)", 2016.
#[derive(Debug, Clone)]
pub struct GeluFeedForward {
    up: Linear,
    down: Linear,
}

impl GeluFeedForward {
    /// Creates `NAME.up_proj` [hidden, D] and `NAME.down_proj` [D, hidden], both with biases.
    ///
    /// # Errors
    /// [`NnError::DuplicateParameter`] where the name is taken.
    pub fn new(
        store: &mut ParameterStore,
        name: &str,
        width: usize,
        hidden: usize,
    ) -> Result<Self, NnError> {
        Ok(Self {
            up: Linear::new(store, &format!("{name}.up_proj"), width, hidden, true)?,
            down: Linear::new(store, &format!("{name}.down_proj"), hidden, width, true)?,
        })
    }

    /// Applies the layer.
    ///
    /// # Shapes
    /// […, D] → […, D].
    ///
    /// # Errors
    /// [`NnError::Shape`] where the last dimension is not D.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor, NnError> {
        self.down.forward(&self.up.forward(x)?.gelu_erf()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::{assert_close, reference, tensor};
    use crate::gradients::check_gradient;
    use candle_core::{DType, Device};

    const X: [f64; 6] = [0.3, -1.0, 2.0, 0.1, 0.4, -0.5];

    #[test]
    fn activations_equal_the_reference() {
        let Some(golden) = reference() else { return };
        let activations = &golden["activations"];
        let x = tensor(&activations["x"]);
        let gelu = x.gelu_erf().expect("float");
        assert_close(&gelu, &activations["gelu_erf"], 1e-6);
        assert_close(&x.silu().expect("float"), &activations["silu"], 1e-12);
    }

    #[test]
    fn gradients_match_finite_differences() {
        let mut store = ParameterStore::with_dtype(2, &Device::Cpu, DType::F64);
        let swiglu = SwiGlu::new(&mut store, "s", 3, 5).expect("fresh");
        check_gradient(&X, &[2, 3], |x| Ok(swiglu.forward(x)?.sqr()?.sum_all()?));
        let gelu = GeluFeedForward::new(&mut store, "g", 3, 5).expect("fresh");
        check_gradient(&X, &[2, 3], |x| Ok(gelu.forward(x)?.sqr()?.sum_all()?));
    }
}
