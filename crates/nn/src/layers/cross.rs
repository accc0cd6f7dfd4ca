use candle_core::Tensor;

use crate::{Linear, NnError, ParameterStore};

/// Crosses a layer's input with the first input of all: x′ = x₀ ⊙ (W x + b) + x.
///
/// Each layer raises the degree of the interactions between the elements of x₀ by one. Source: Wang et al., "DCN V2:
/// Improved Deep & Cross Network and Practical Lessons for Web-scale Learning to Rank Systems", 2021, equation 1. Differs
/// from it in that W is always full, never a mixture of products of two thin matrices.
#[derive(Debug, Clone)]
pub struct CrossLayer {
    map: Linear,
}

impl CrossLayer {
    /// Creates the parameters `NAME.weight` [D, D] and `NAME.bias` [D].
    ///
    /// # Errors
    /// [`NnError::DuplicateParameter`] where the name is taken.
    pub fn new(store: &mut ParameterStore, name: &str, width: usize) -> Result<Self, NnError> {
        let map = Linear::new(store, name, width, width, true)?;
        Ok(Self { map })
    }

    /// Applies the layer to `x`, whose first input was `x0`.
    ///
    /// # Shapes
    /// x0 […, D], x […, D] → […, D].
    ///
    /// # Errors
    /// [`NnError::Shape`] where the last dimension of `x` is not D, [`NnError::Tensor`] where the shapes differ.
    pub fn forward(&self, x0: &Tensor, x: &Tensor) -> Result<Tensor, NnError> {
        Ok(((x0 * self.map.forward(x)?)? + x)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradients::check_gradient;
    use candle_core::{DType, Device};

    #[test]
    fn equals_the_formula_by_hand() {
        let mut store = ParameterStore::new(0, &Device::Cpu);
        let layer = CrossLayer::new(&mut store, "c", 2).expect("fresh");
        let set = |name: &str, values: &[f32], shape: &[usize]| {
            let value = Tensor::from_slice(values, shape, &Device::Cpu).expect("fits");
            store.set(name, &value).expect("exists");
        };
        set("c.weight", &[1., 2., 3., 4.], &[2, 2]);
        set("c.bias", &[0.5, -1.], &[2]);
        let x0 = Tensor::new(&[[2f32, -1.]], &Device::Cpu).expect("fits");
        let x = Tensor::new(&[[1f32, 1.]], &Device::Cpu).expect("fits");
        // W x + b is (3.5, 6): times x₀ (7, −6), plus x (8, −5).
        let y = layer.forward(&x0, &x).expect("one shape");
        assert_eq!(y.to_vec2::<f32>().expect("f32"), [[8., -5.]]);
    }

    #[test]
    fn the_gradient_matches_finite_differences() {
        let mut store = ParameterStore::with_dtype(5, &Device::Cpu, DType::F64);
        let layers = ["a", "b"].map(|name| CrossLayer::new(&mut store, name, 3).expect("fresh"));
        let bias = Tensor::new(&[0.2f64, -0.7, 0.4], &Device::Cpu).expect("fits");
        store.set("a.bias", &bias).expect("exists");
        // Through both ways in which x₀ reaches the second layer.
        check_gradient(&[0.3, -1.0, 2.0, 0.1, 0.4, -0.5], &[2, 3], |x0| {
            let x1 = layers[0].forward(x0, x0)?;
            Ok(layers[1].forward(x0, &x1)?.sqr()?.sum_all()?)
        });
        let x0 = Tensor::new(&[[0.3f64, -1.0, 2.0]], &Device::Cpu).expect("fits");
        check_gradient(&[0.1, 0.4, -0.5], &[1, 3], |x| {
            Ok(layers[0].forward(&x0, x)?.sqr()?.sum_all()?)
        });
    }
}
