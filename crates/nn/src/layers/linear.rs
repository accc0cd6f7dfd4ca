use candle_core::{D, Tensor};

use super::lora::LowRank;
use crate::kernels::linear::{Added, Product};
use crate::{Init, NnError, ParameterStore};

/// Affine map of the last dimension: y = x Wᵀ + b.
///
/// W starts by Glorot's uniform rule, b at zero.
#[derive(Debug, Clone)]
pub struct Linear {
    weight: Tensor,
    bias: Option<Tensor>,
    /// What is learnt beside a weight that is frozen.
    change: Option<LowRank>,
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
        Ok(Self {
            weight,
            bias,
            change: None,
        })
    }

    /// Applies the map.
    ///
    /// # Shapes
    /// […, inputs] → […, outputs].
    ///
    /// # Errors
    /// [`NnError::Shape`] where the last dimension is not `inputs`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor, NnError> {
        let (_, inputs) = self.weight.dims2()?;
        if x.dim(D::Minus1)? != inputs {
            return Err(NnError::Shape {
                operation: "linear",
                expected: format!("[…, {inputs}]"),
                got: format!("{:?}", x.dims()),
            });
        }
        let y = match &self.bias {
            None => product(&self.weight, x, Added::Nothing, None),
            Some(bias) => product(&self.weight, x, Added::Bias, Some(bias)),
        };
        self.changed(x, y?)
    }

    /// Applies the map and adds the result to a residual: r + x Wᵀ + b.
    ///
    /// # Shapes
    /// x […, inputs], residual […, outputs] → […, outputs].
    ///
    /// # Errors
    /// [`NnError::Shape`] where the last dimension is not `inputs`, or the residual has another shape than the result.
    pub fn forward_onto(&self, x: &Tensor, residual: &Tensor) -> Result<Tensor, NnError> {
        let (outputs, inputs) = self.weight.dims2()?;
        let leading = x
            .dims()
            .split_last()
            .map_or(&[][..], |(_, leading)| leading);
        let fits = residual.dims().split_last() == Some((&outputs, leading));
        if x.dim(D::Minus1)? != inputs || !fits {
            return Err(NnError::Shape {
                operation: "linear onto a residual",
                expected: format!("x […, {inputs}] and a residual […, {outputs}]"),
                got: format!("{:?} and {:?}", x.dims(), residual.dims()),
            });
        }
        let y = product(&self.weight, x, Added::Residual, Some(residual))?;
        let y = match &self.bias {
            None => y,
            Some(bias) => y.broadcast_add(bias)?,
        };
        self.changed(x, y)
    }

    /// Adds what the change makes of x, where there is one.
    fn changed(&self, x: &Tensor, y: Tensor) -> Result<Tensor, NnError> {
        match &self.change {
            None => Ok(y),
            Some(change) => change.onto(x, &y),
        }
    }

    /// The layer outside the graph: gradients flow through it and none is kept for it.
    pub(crate) fn frozen(&self) -> Self {
        Self {
            weight: self.weight.detach(),
            bias: self.bias.as_ref().map(Tensor::detach),
            change: None,
        }
    }

    /// The layer with a change of low rank beside it.
    pub(crate) fn with_change(self, change: LowRank) -> Self {
        Self {
            change: Some(change),
            ..self
        }
    }

    /// The weight that alone does what weight and change do together, [outputs, inputs].
    pub(crate) fn merged_weight(&self) -> Result<Tensor, NnError> {
        match &self.change {
            None => Ok(self.weight.clone()),
            Some(change) => change.merged(&self.weight),
        }
    }

    /// The bias [outputs], where there is one.
    pub fn bias(&self) -> Option<&Tensor> {
        self.bias.as_ref()
    }

    /// The weight [outputs, inputs], without what is learnt beside it.
    pub fn weight(&self) -> &Tensor {
        &self.weight
    }
}

/// x Wᵀ for W [O, I], and what is added to it.
///
/// # Shapes
/// x […, I] → […, O].
pub(super) fn product(
    weight: &Tensor,
    x: &Tensor,
    added: Added,
    third: Option<&Tensor>,
) -> Result<Tensor, NnError> {
    let (outputs, inputs) = weight.dims2()?;
    if !x.device().is_cpu() {
        return composed(weight, x, third);
    }
    let product = Product {
        inputs,
        outputs,
        added,
    };
    let x = x.contiguous()?;
    Ok(match third {
        None => x.apply_op2(weight, product)?,
        Some(third) => x.apply_op3(weight, &third.contiguous()?, product)?,
    })
}

/// The same of candle's own operations, for other devices.
fn composed(weight: &Tensor, x: &Tensor, added: Option<&Tensor>) -> Result<Tensor, NnError> {
    let (outputs, inputs) = weight.dims2()?;
    let mut shape = x.dims().to_vec();
    if let Some(last) = shape.last_mut() {
        *last = outputs;
    }
    // […, inputs] → [N, inputs]: one matrix product instead of a batch of small ones.
    let rows = x.reshape(((), inputs))?.matmul(&weight.t()?)?;
    let rows = rows.reshape(shape)?;
    Ok(match added {
        None => rows,
        Some(added) => rows.broadcast_add(added)?,
    })
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
    fn the_fused_products_equal_the_composed_ones() {
        let numbers = |count: u32, step: f64| -> Vec<f64> {
            (0..count).map(|i| (f64::from(i) * step).sin()).collect()
        };
        let var = |count: u32, step, shape: &[usize]| {
            let tensor = Tensor::from_vec(numbers(count, step), shape, &Device::Cpu);
            candle_core::Var::from_tensor(&tensor.expect("fits")).expect("floats")
        };
        // 300 rows and 270 outputs are more than one task of each kind.
        let (x, weight) = (var(1_200, 0.7, &[3, 100, 4]), var(1_080, 0.3, &[270, 4]));
        let (bias, residual) = (var(270, 1.1, &[270]), var(81_000, 0.9, &[3, 100, 270]));
        let cases = [
            (Added::Nothing, None),
            (Added::Bias, Some(&bias)),
            (Added::Residual, Some(&residual)),
        ];
        for (added, third) in cases {
            let third = third.map(candle_core::Var::as_tensor);
            let fused = product(&weight, &x, added, third).expect("fits");
            let composed = super::composed(&weight, &x, third).expect("fits");
            let gradients = [fused, composed].map(|y| {
                let loss = y.sin().and_then(|y| y.sum_all()).expect("floats");
                loss.backward().expect("differentiable")
            });
            let variables = [&x, &weight].into_iter().map(candle_core::Var::as_tensor);
            for variable in variables.chain(third) {
                let [a, b] = [0, 1].map(|index: usize| -> Vec<f64> {
                    let gradient = gradients[index].get(variable).expect("depends on it");
                    gradient
                        .flatten_all()
                        .and_then(|g| g.to_vec1())
                        .expect("f64")
                });
                for (a, b) in a.iter().zip(&b) {
                    assert!((a - b).abs() < 1e-10, "{added:?}: {a} is not {b}");
                }
            }
        }
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
