use candle_core::{D, Tensor};

use super::linear::product;
use crate::kernels::linear::Added;
use crate::{Dropout, Init, Linear, NnError, ParameterStore, Pass};

/// The size of a low-rank change and how strongly it counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LoraConfig {
    /// Rank r of the change, from 1 to the smaller side of the weight; 8 by default.
    pub rank: usize,
    /// Strength α above 0: the change counts α / r times, so another rank needs no other learning rate; 16 by default.
    pub alpha: f64,
    /// Share of the change's inputs that are set to zero while training, in [0, 1); 0 by default.
    pub dropout: f64,
}

impl Default for LoraConfig {
    fn default() -> Self {
        Self {
            rank: 8,
            alpha: 16.0,
            dropout: 0.0,
        }
    }
}

/// A frozen affine map with a trainable change of low rank: y = x Wᵀ + b + (α / r) dropout(x) Aᵀ Bᵀ.
///
/// A model is fitted to one shop by r · (inputs + outputs) numbers a layer instead of inputs · outputs, and the changes
/// of many shops share one frozen model. A starts normal with standard deviation 1 / √inputs, B at zero, so that
/// training starts from the frozen layer. Gradients flow to A, B and x, never to W and b. Source: Hu et al., 2021,
/// <https://arxiv.org/abs/2106.09685>. How this differs: the paper leaves the standard deviation of A open.
#[derive(Debug, Clone)]
pub struct LoraLinear {
    frozen: Linear,
    change: LowRank,
    dropout: Dropout,
}

/// A trainable change of a weight: (α / r) B A for A [r, inputs] and B [outputs, r].
#[derive(Debug, Clone)]
pub(crate) struct LowRank {
    a: Tensor,
    b: Tensor,
    scale: f64,
}

impl LowRank {
    /// Creates the two parameters of a change of a layer, A by the first name and B by the second; the dropout rate of the
    /// configuration is the caller's.
    pub(crate) fn new(
        store: &mut ParameterStore,
        [a, b]: [&str; 2],
        layer: &Linear,
        config: LoraConfig,
    ) -> Result<Self, NnError> {
        let (outputs, inputs) = layer.weight().dims2()?;
        let LoraConfig { rank, alpha, .. } = config;
        if rank == 0 || rank > inputs.min(outputs) {
            return Err(NnError::Config {
                field: "rank",
                value: format!("{rank} for a weight of [{outputs}, {inputs}]"),
                expected: "1 to the smaller side of the weight",
            });
        }
        if !(alpha.is_finite() && alpha > 0.0) {
            return Err(NnError::Config {
                field: "alpha",
                value: alpha.to_string(),
                expected: "a finite number above 0",
            });
        }
        let std = 1.0 / (inputs as f64).sqrt();
        Ok(Self {
            a: store.create(a, &[rank, inputs], Init::Normal { std }, true)?,
            b: store.create(b, &[outputs, rank], Init::Constant(0.0), true)?,
            scale: alpha / rank as f64,
        })
    }

    /// y + (α / r) x Aᵀ Bᵀ: the product B A is never made.
    ///
    /// # Shapes
    /// x […, inputs], y […, outputs] → […, outputs].
    pub(crate) fn onto(&self, x: &Tensor, y: &Tensor) -> Result<Tensor, NnError> {
        // […, inputs] → […, rank] → […, outputs]
        let low = (product(&self.a, x, Added::Nothing, None)? * self.scale)?;
        product(&self.b, &low, Added::Residual, Some(y))
    }

    /// W + (α / r) B A, outside the graph.
    pub(crate) fn merged(&self, weight: &Tensor) -> Result<Tensor, NnError> {
        let change = (self.b.detach().matmul(&self.a.detach())? * self.scale)?;
        Ok((weight.detach() + change)?)
    }
}

impl LoraLinear {
    /// Creates the parameters `NAME.lora_a` [rank, inputs] and `NAME.lora_b` [outputs, rank] around a layer.
    ///
    /// # Errors
    /// [`NnError::Config`] where the configuration is outside its ranges, [`NnError::DuplicateParameter`] where the
    /// name is taken.
    pub fn new(
        store: &mut ParameterStore,
        name: &str,
        frozen: Linear,
        config: LoraConfig,
    ) -> Result<Self, NnError> {
        let (a, b) = (format!("{name}.lora_a"), format!("{name}.lora_b"));
        let dropout = Dropout::new(config.dropout)?;
        Ok(Self {
            change: LowRank::new(store, [&a, &b], &frozen, config)?,
            frozen,
            dropout,
        })
    }

    /// Applies the map with its change.
    ///
    /// # Shapes
    /// […, inputs] → […, outputs].
    ///
    /// # Errors
    /// [`NnError::Shape`] where the last dimension is not `inputs`.
    pub fn forward(&self, x: &Tensor, pass: &mut Pass<'_>) -> Result<Tensor, NnError> {
        let (_, inputs) = self.frozen.weight().dims2()?;
        if x.dim(D::Minus1)? != inputs {
            return Err(NnError::Shape {
                operation: "LoRA",
                expected: format!("[…, {inputs}]"),
                got: format!("{:?}", x.dims()),
            });
        }
        let frozen = self.frozen.frozen().forward(x)?;
        self.change.onto(&self.dropout.forward(x, pass)?, &frozen)
    }

    /// The weight that alone does what frozen weight and change do together, W + (α / r) B A; the bias stays as it is.
    ///
    /// # Shapes
    /// → [outputs, inputs], outside the graph.
    ///
    /// # Errors
    /// [`NnError::Tensor`] where memory is short.
    pub fn merge(&self) -> Result<Tensor, NnError> {
        self.change.merged(self.frozen.weight())
    }

    /// The layer that is changed.
    pub fn frozen(&self) -> &Linear {
        &self.frozen
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradients::check_gradient;
    use crate::random::generator;
    use candle_core::{DType, Device};

    const CONFIG: LoraConfig = LoraConfig {
        rank: 2,
        alpha: 3.0,
        dropout: 0.0,
    };

    fn store() -> ParameterStore {
        ParameterStore::with_dtype(5, &Device::Cpu, DType::F64)
    }

    fn new(values: &[f64], shape: &[usize]) -> Tensor {
        Tensor::from_slice(values, shape, &Device::Cpu).expect("fits")
    }

    fn numbers(tensor: &Tensor) -> Vec<f64> {
        let flat = tensor.flatten_all().and_then(|t| t.to_vec1());
        flat.expect("f64")
    }

    /// A frozen layer 3 → 4 in a store of its own, and its change in another.
    fn layers(config: LoraConfig) -> (ParameterStore, ParameterStore, LoraLinear) {
        let (mut model, mut changes) = (store(), store());
        let frozen = Linear::new(&mut model, "head", 3, 4, true).expect("fresh");
        let bias = new(&[0.5, -1.0, 0.0, 2.0], &[4]);
        model.set("head.bias", &bias).expect("exists");
        let layer = LoraLinear::new(&mut changes, "head", frozen, config).expect("in range");
        (model, changes, layer)
    }

    /// Moves B away from zero, as training does.
    fn trained(changes: &ParameterStore) {
        let b = new(&[0.3, -0.2, 0.1, 0.4, -0.5, 0.2, 0.7, -0.1], &[4, 2]);
        changes.set("head.lora_b", &b).expect("exists");
    }

    const X: [f64; 6] = [0.5, -1.0, 2.0, 0.1, 0.0, -0.3];

    #[test]
    fn starts_as_the_frozen_layer() {
        let (_, changes, layer) = layers(CONFIG);
        let x = new(&X, &[2, 1, 3]);
        let y = layer.forward(&x, &mut Pass::Infer).expect("fits");
        assert_eq!(y.dims(), [2, 1, 4]);
        let expected = layer.frozen().forward(&x).expect("fits");
        assert_eq!(numbers(&y), numbers(&expected));
        let names: Vec<_> = changes.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["head.lora_a", "head.lora_b"]);
        assert_eq!(changes.element_count(), 2 * (3 + 4));
    }

    #[test]
    fn merged_equals_unmerged() {
        let (model, changes, layer) = layers(CONFIG);
        trained(&changes);
        let x = new(&X, &[2, 3]);
        let unmerged = layer.forward(&x, &mut Pass::Infer).expect("fits");
        let before = numbers(&layer.frozen().forward(&x).expect("fits"));
        let merged = layer.merge().expect("small");
        model.set("head.weight", &merged).expect("exists");
        let merged = layer.frozen().forward(&x).expect("fits");
        let pairs = numbers(&merged).into_iter().zip(numbers(&unmerged));
        for ((merged, unmerged), before) in pairs.zip(before) {
            assert!((merged - unmerged).abs() < 1e-12, "{merged}, {unmerged}");
            assert!((merged - before).abs() > 1e-3, "the change counts");
        }
    }

    #[test]
    fn the_gradients_match_finite_differences() {
        let (_, changes, layer) = layers(CONFIG);
        trained(&changes);
        let x = new(&X, &[2, 3]);
        let loss = |layer: &LoraLinear, x: &Tensor| -> Result<Tensor, NnError> {
            // The mask of a learning pass is the same at every evaluation.
            let mut rng = generator(1, "dropout", 0);
            let y = layer.forward(x, &mut Pass::Train(&mut rng))?;
            Ok(y.sqr()?.sum_all()?)
        };
        for dropout in [0.0, 0.4] {
            let dropout = Dropout::new(dropout).expect("in range");
            let layer = LoraLinear {
                dropout,
                ..layer.clone()
            };
            let with = |change: LowRank| LoraLinear {
                change,
                ..layer.clone()
            };
            check_gradient(&numbers(&layer.change.a), &[2, 3], |a| {
                let (a, change) = (a.clone(), layer.change.clone());
                loss(&with(LowRank { a, ..change }), &x)
            });
            check_gradient(&numbers(&layer.change.b), &[4, 2], |b| {
                let (b, change) = (b.clone(), layer.change.clone());
                loss(&with(LowRank { b, ..change }), &x)
            });
            check_gradient(&X, &[2, 3], |x| loss(&layer, x));
        }
    }

    #[test]
    fn no_gradient_flows_to_the_frozen_layer() {
        let (model, changes, layer) = layers(CONFIG);
        trained(&changes);
        let y = layer.forward(&new(&X, &[2, 3]), &mut Pass::Infer);
        let loss = y.and_then(|y| Ok(y.sqr()?.sum_all()?)).expect("fits");
        let backward = loss.backward().expect("differentiable");
        assert!(model.gradients(&backward).is_empty());
        assert_eq!(changes.gradients(&backward).len(), 2);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let message = |rank, alpha, dropout| {
            let (mut model, mut changes) = (store(), store());
            let frozen = Linear::new(&mut model, "head", 3, 4, true).expect("fresh");
            let config = LoraConfig {
                rank,
                alpha,
                dropout,
            };
            let layer = LoraLinear::new(&mut changes, "head", frozen, config);
            layer.expect_err("outside").to_string()
        };
        let cases = [
            (
                message(0, 1.0, 0.0),
                "`rank` is 0 for a weight of [4, 3]; expected 1 to the smaller side of the weight",
            ),
            (
                message(4, 1.0, 0.0),
                "`rank` is 4 for a weight of [4, 3]; expected 1 to the smaller side of the weight",
            ),
            (
                message(1, 0.0, 0.0),
                "`alpha` is 0; expected a finite number above 0",
            ),
            (
                message(1, f64::NAN, 0.0),
                "`alpha` is NaN; expected a finite number above 0",
            ),
            (
                message(1, 1.0, 1.0),
                "`dropout` is 1; expected 0 or more and below 1",
            ),
        ];
        for (message, expected) in cases {
            assert_eq!(message, expected);
        }
        let (_, _, layer) = layers(CONFIG);
        let error = layer.forward(&new(&X, &[3, 2]), &mut Pass::Infer);
        assert_eq!(
            error.expect_err("2 is not 3").to_string(),
            "LoRA: expected […, 3], got [3, 2]; check the sizes given to the layer"
        );
    }
}
