use candle_core::Tensor;

use crate::{Linear, NnError, ParameterStore};

/// Multi-layer perceptron: linear layers with `ReLU` between them.
#[derive(Debug, Clone)]
pub struct Mlp {
    layers: Vec<Linear>,
}

impl Mlp {
    /// Creates `NAME.0`, `NAME.1`, … for the sizes of input, hidden layers and output.
    ///
    /// # Errors
    /// [`NnError::Config`] for fewer than two sizes, [`NnError::DuplicateParameter`] where the name is taken.
    pub fn new(store: &mut ParameterStore, name: &str, sizes: &[usize]) -> Result<Self, NnError> {
        if sizes.len() < 2 {
            return Err(NnError::Config {
                field: "sizes",
                value: format!("{sizes:?}"),
                expected: "at least an input and an output size",
            });
        }
        let layers = sizes
            .windows(2)
            .enumerate()
            .map(|(index, pair)| {
                Linear::new(store, &format!("{name}.{index}"), pair[0], pair[1], true)
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { layers })
    }

    /// Applies the layers.
    ///
    /// # Shapes
    /// […, first size] → […, last size].
    ///
    /// # Errors
    /// [`NnError::Shape`] where the last dimension is not the first size.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor, NnError> {
        let mut x = x.clone();
        for (index, layer) in self.layers.iter().enumerate() {
            x = layer.forward(&x)?;
            if index + 1 < self.layers.len() {
                x = x.relu()?;
            }
        }
        Ok(x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradients::check_gradient;
    use candle_core::{DType, Device};

    #[test]
    fn the_gradient_matches_finite_differences() {
        let mut store = ParameterStore::with_dtype(5, &Device::Cpu, DType::F64);
        let mlp = Mlp::new(&mut store, "m", &[3, 8, 1]).expect("fresh");
        check_gradient(&[0.3, -1.0, 2.0, 0.1, 0.4, -0.5], &[2, 3], |x| {
            Ok(mlp.forward(x)?.sqr()?.sum_all()?)
        });
        assert!(Mlp::new(&mut store, "n", &[3]).is_err());
    }
}
