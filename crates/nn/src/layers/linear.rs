use candle_core::{D, Tensor};

use crate::{Init, NnError, ParameterStore};

/// Affine map of the last dimension: y = x Wᵀ + b.
///
/// W starts by Glorot's uniform rule, b at zero.
#[derive(Debug, Clone)]
pub struct Linear {
    weight: Tensor,
    bias: Option<Tensor>,
}

impl Linear {
    /// Creates the parameters `NAME.weight` [outputs, inputs] and, where wanted, `NAME.bias` [outputs].
    ///
    /// # Errors
    /// [`NnError::DuplicateParameter`] where the name is taken.
    pub fn new(
        store: &mut ParameterStore,
        name: &str,
        inputs: usize,
        outputs: usize,
        bias: bool,
    ) -> Result<Self, NnError> {
        let init = Init::glorot(inputs, outputs);
        Self::with_init(store, name, inputs, outputs, bias, init)
    }

    /// Creates the parameters with another initialisation of the weight.
    ///
    /// # Errors
    /// [`NnError::DuplicateParameter`] where the name is taken.
    pub fn with_init(
        store: &mut ParameterStore,
        name: &str,
        inputs: usize,
        outputs: usize,
        bias: bool,
        init: Init,
    ) -> Result<Self, NnError> {
        let weight = store.create(&format!("{name}.weight"), &[outputs, inputs], init, true)?;
        let zeros = Init::Constant(0.0);
        let bias = bias
            .then(|| store.create(&format!("{name}.bias"), &[outputs], zeros, false))
            .transpose()?;
        Ok(Self { weight, bias })
    }

    /// Applies the map.
    ///
    /// # Shapes
    /// […, inputs] → […, outputs].
    ///
    /// # Errors
    /// [`NnError::Shape`] where the last dimension is not `inputs`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor, NnError> {
        let (outputs, inputs) = self.weight.dims2()?;
        if x.dim(D::Minus1)? != inputs {
            return Err(NnError::Shape {
                operation: "linear",
                expected: format!("[…, {inputs}]"),
                got: format!("{:?}", x.dims()),
            });
        }
        let mut shape = x.dims().to_vec();
        // […, inputs] → [N, inputs]: one matrix product instead of a batch of small ones.
        let rows = x.reshape(((), inputs))?.matmul(&self.weight.t()?)?;
        let rows = match &self.bias {
            Some(bias) => rows.broadcast_add(bias)?,
            None => rows,
        };
        if let Some(last) = shape.last_mut() {
            *last = outputs;
        }
        Ok(rows.reshape(shape)?)
    }

    /// The weight [outputs, inputs].
    pub fn weight(&self) -> &Tensor {
        &self.weight
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{DType, Device};

    #[test]
    fn maps_the_last_dimension_of_any_rank() {
        let mut store = ParameterStore::new(0, &Device::Cpu);
        let layer = Linear::new(&mut store, "l", 2, 3, true).expect("fresh");
        let set = |name: &str, values: &[f32], shape: &[usize]| {
            let value = Tensor::from_slice(values, shape, &Device::Cpu).expect("fits");
            store.set(name, &value).expect("exists");
        };
        set("l.weight", &[1., 2., 3., 4., 5., 6.], &[3, 2]);
        set("l.bias", &[0.5, 0., -1.], &[3]);
        let x = Tensor::new(&[[[1f32, 1.]], [[2., 0.]]], &Device::Cpu).expect("fits");
        let y = layer
            .forward(&x)
            .and_then(|y| Ok(y.to_vec3::<f32>()?))
            .expect("maps");
        assert_eq!(y, [[[3.5, 7., 10.]], [[2.5, 6., 9.]]]);
    }

    #[test]
    fn names_both_shapes_when_they_do_not_fit() {
        let mut store = ParameterStore::new(0, &Device::Cpu);
        let layer = Linear::new(&mut store, "l", 2, 3, false).expect("fresh");
        let x = Tensor::zeros((4, 5), DType::F32, &Device::Cpu).expect("small");
        assert_eq!(
            layer.forward(&x).expect_err("5 is not 2").to_string(),
            "linear: expected […, 2], got [4, 5]; check the sizes given to the layer"
        );
    }
}
