mod cached;

use candle_core::Tensor;

use crate::kernels::attention::Attention;
use crate::{Linear, Mask, NnError, ParameterStore, Rotary, softmax};

pub use cached::KeyValueCache;

/// Sizes of [`MultiHeadAttention`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MultiHeadAttentionConfig {
    /// Model width D, a multiple of `heads`.
    pub width: usize,
    /// Number of heads H.
    pub heads: usize,
    /// Number of key and value heads G, a divisor of H; H itself for an attention without groups.
    pub key_heads: usize,
    /// Whether the projections of queries, keys and values have biases.
    pub bias: bool,
}

/// Multi-head attention: softmax(Q Kᵀ / √(D/H) + mask) V, a head at a time, then a projection without a bias.
///
/// Source: Vaswani et al., "Attention Is All You Need", 2017; grouped key heads: Ainslie et al., "GQA: Training
/// Generalized Multi-Query Transformer Models from Multi-Head Checkpoints", 2023.
#[derive(Debug, Clone)]
pub struct MultiHeadAttention {
    pub(crate) query: Linear,
    pub(crate) key: Linear,
    pub(crate) value: Linear,
    pub(crate) output: Linear,
    pub(crate) heads: usize,
    pub(crate) key_heads: usize,
}

/// The positions of a sequence for rotary attention: consecutive from 0, or given one by one as [B, T].
#[derive(Debug, Clone, Copy)]
pub struct Positions<'a> {
    /// The angles.
    pub rotary: &'a Rotary,
    /// Position of each element, [B, T] in `u32`; consecutive from 0 where absent.
    pub at: Option<&'a Tensor>,
}

impl MultiHeadAttention {
    /// Creates the projections `NAME.q_proj`, `NAME.k_proj`, `NAME.v_proj` and `NAME.o_proj`.
    ///
    /// # Errors
    /// [`NnError::Config`] where the width is no multiple of the heads or these none of the key heads,
    /// [`NnError::DuplicateParameter`] where the name is taken.
    pub fn new(
        store: &mut ParameterStore,
        name: &str,
        config: MultiHeadAttentionConfig,
    ) -> Result<Self, NnError> {
        let MultiHeadAttentionConfig {
            width,
            heads,
            key_heads,
            bias,
        } = config;
        if heads == 0 || !width.is_multiple_of(heads) {
            return Err(NnError::Config {
                field: "heads",
                value: heads.to_string(),
                expected: "a divisor of the model width",
            });
        }
        if key_heads == 0 || !heads.is_multiple_of(key_heads) {
            return Err(NnError::Config {
                field: "key_heads",
                value: key_heads.to_string(),
                expected: "a divisor of the number of heads",
            });
        }
        let key_width = width / heads * key_heads;
        let mut project = |part: &str, outputs: usize, bias: bool| {
            Linear::new(store, &format!("{name}.{part}"), width, outputs, bias)
        };
        Ok(Self {
            query: project("q_proj", width, bias)?,
            key: project("k_proj", key_width, bias)?,
            value: project("v_proj", key_width, bias)?,
            output: project("o_proj", width, false)?,
            heads,
            key_heads,
        })
    }

    /// Attends within each sequence; without a mask every position sees every other.
    ///
    /// # Shapes
    /// x [B, T, D], mask [B, T] or [1, T] → [B, T, D].
    ///
    /// # Errors
    /// [`NnError::Shape`] where the width is not D, the mask does not fit or a position has no angles.
    pub fn forward(
        &self,
        x: &Tensor,
        mask: Option<&Mask>,
        positions: Option<Positions<'_>>,
    ) -> Result<Tensor, NnError> {
        self.output.forward(&self.mixed(x, mask, positions)?)
    }

    /// As [`MultiHeadAttention::forward`], added to a residual.
    ///
    /// # Shapes
    /// x and residual [B, T, D], mask [B, T] or [1, T] → [B, T, D].
    ///
    /// # Errors
    /// As [`MultiHeadAttention::forward`].
    pub fn forward_onto(
        &self,
        x: &Tensor,
        mask: Option<&Mask>,
        positions: Option<Positions<'_>>,
        residual: &Tensor,
    ) -> Result<Tensor, NnError> {
        let mixed = self.mixed(x, mask, positions)?;
        self.output.forward_onto(&mixed, residual)
    }

    /// The heads' mixtures of values, side by side.
    ///
    /// # Shapes
    /// x [B, T, D] → [B, T, D].
    fn mixed(
        &self,
        x: &Tensor,
        mask: Option<&Mask>,
        positions: Option<Positions<'_>>,
    ) -> Result<Tensor, NnError> {
        let (batch, time, width) = x.dims3()?;
        if let Some(mask) = mask.filter(|mask| !mask.fits(batch, time)) {
            return Err(NnError::Shape {
                operation: "attention",
                expected: format!("a mask of {batch} sequences of {time} positions, or of one"),
                got: format!("a mask of {} positions", mask.time()),
            });
        }
        let query = self.query.forward(x)?;
        let (key, value) = (self.key.forward(x)?, self.value.forward(x)?);
        if !x.device().is_cpu() {
            return self.composed([&query, &key, &value], mask, positions);
        }
        let angles = positions.map(|positions| positions.rotary.angles(time, positions.at));
        let attention = Attention {
            batch,
            time,
            heads: self.heads,
            key_heads: self.key_heads,
            head_width: width / self.heads,
            mask: mask.cloned(),
            angles: angles.transpose()?,
        };
        Ok(query.apply_op3(&key, &value, attention)?)
    }

    /// The same of candle's own operations, for other devices.
    fn composed(
        &self,
        [query, key, value]: [&Tensor; 3],
        mask: Option<&Mask>,
        positions: Option<Positions<'_>>,
    ) -> Result<Tensor, NnError> {
        let (batch, time, width) = query.dims3()?;
        let head_width = width / self.heads;
        let turn = |x: Tensor| match positions {
            None => Ok(x),
            Some(Positions { rotary, at: None }) => rotary.apply(&x),
            Some(Positions {
                rotary,
                at: Some(at),
            }) => rotary.apply_at(&x, at),
        };
        // Scaling the queries instead of the scores touches T·D numbers instead of H·T².
        let query = (Self::split(query, self.heads)? * (head_width as f64).powf(-0.5))?;
        let key = self.repeat(&turn(Self::split(key, self.key_heads)?)?)?;
        let value = self.repeat(&Self::split(value, self.key_heads)?)?;
        let scores = turn(query)?.matmul(&key.t()?)?;
        let scores = match mask {
            Some(mask) => {
                scores.broadcast_add(&mask.to_tensor(scores.dtype(), scores.device())?)?
            }
            None => scores,
        };
        let mixed = softmax(&scores)?.matmul(&value)?;
        // [B, H, T, D/H] → [B, T, D]
        Ok(mixed.transpose(1, 2)?.reshape((batch, time, width))?)
    }

    /// [B, T, heads · W] → [B, heads, T, W]
    fn split(x: &Tensor, heads: usize) -> Result<Tensor, NnError> {
        let (batch, time, width) = x.dims3()?;
        let x = x.reshape((batch, time, heads, width / heads))?;
        Ok(x.transpose(1, 2)?.contiguous()?)
    }

    /// A key head for each query head: [B, G, T, W] → [B, H, T, W]
    fn repeat(&self, x: &Tensor) -> Result<Tensor, NnError> {
        let (batch, key_heads, time, width) = x.dims4()?;
        let group = self.heads / self.key_heads;
        let x = x.unsqueeze(2)?;
        let x = x.expand((batch, key_heads, group, time, width))?;
        Ok(x.reshape((batch, self.heads, time, width))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::{assert_close, reference, tensor};
    use crate::gradients::check_gradient;
    use crate::{Init, generator};
    use candle_core::{DType, Device};

    fn layer(width: usize) -> (ParameterStore, MultiHeadAttention) {
        let mut store = ParameterStore::with_dtype(1, &Device::Cpu, DType::F64);
        let config = MultiHeadAttentionConfig {
            width,
            heads: 2,
            key_heads: 2,
            bias: false,
        };
        let layer = MultiHeadAttention::new(&mut store, "a", config).expect("fresh");
        (store, layer)
    }

    #[test]
    fn equals_the_reference() {
        let Some(golden) = reference() else { return };
        let (store, layer) = layer(8);
        let mha = &golden["causal_mha_2heads"];
        for (part, name) in [("Wq", "q"), ("Wk", "k"), ("Wv", "v"), ("Wo", "o")] {
            let weight = tensor(&mha[part]);
            store
                .set(&format!("a.{name}_proj.weight"), &weight)
                .expect("fits");
        }
        let x = tensor(&golden["norm"]["x"]);
        let mask = Mask::causal(5);
        let y = layer.forward(&x, Some(&mask), None).expect("fits");
        assert_close(&y, &mha["y"], 1e-12);
    }

    #[test]
    fn the_gradient_matches_finite_differences_with_mask_and_positions() {
        let (_store, layer) = layer(4);
        let rotary = Rotary::new(2, 8, 100.0, DType::F64, &Device::Cpu).expect("even");
        let mask = Mask::block_causal(&[vec![0, 1, 1]], 3);
        let at = Tensor::new(&[[0u32, 1, 1]], &Device::Cpu).expect("fits");
        let x: Vec<f64> = (0..12).map(|i| (f64::from(i) * 0.7).sin()).collect();
        check_gradient(&x, &[1, 3, 4], |x| {
            let positions = Positions {
                rotary: &rotary,
                at: Some(&at),
            };
            Ok(layer
                .forward(x, Some(&mask), Some(positions))?
                .sqr()?
                .sum_all()?)
        });
    }

    #[test]
    fn a_later_position_changes_nothing_before_it() {
        let (_store, layer) = layer(4);
        let mask = Mask::causal(2);
        let first = |last: f64| {
            let x = Tensor::new(&[[[1.0, 2., 3., 4.], [last, 0., 1., 0.]]], &Device::Cpu);
            let y = layer
                .forward(&x.expect("fits"), Some(&mask), None)
                .expect("fits");
            y.to_vec3::<f64>().expect("f64")[0][0].clone()
        };
        assert_eq!(first(0.0), first(9.0));
    }

    #[test]
    fn the_fused_operation_equals_the_composed_one() {
        // 70 positions are more than one tile, and the second sequence ends early.
        let (batch, time) = (2, 70);
        let rotary = Rotary::new(4, 80, 100.0, DType::F64, &Device::Cpu).expect("even");
        let at: Vec<u32> = (0..140).map(|i| i * 7 % 75).collect();
        let at = Tensor::from_vec(at, (batch, time), &Device::Cpu).expect("fits");
        let blocks = [(0..70).map(|i| i / 3).collect(), vec![0, 1, 1]];
        let masks = [
            None,
            Some(Mask::causal(time)),
            Some(Mask::padded(&[70, 9], time)),
            Some(Mask::block_causal(&blocks, time)),
        ];
        for (mask, key_heads) in masks.iter().zip([4, 2, 1, 2]) {
            let mut store = ParameterStore::with_dtype(1, &Device::Cpu, DType::F64);
            let config = MultiHeadAttentionConfig {
                width: 16,
                heads: 4,
                key_heads,
                bias: true,
            };
            let layer = MultiHeadAttention::new(&mut store, "a", config).expect("fits");
            let operand = |seed: u64, width: usize| {
                let count = batch * time * width;
                let values = Init::Normal { std: 1.0 }.draw(count, &mut generator(seed, "x", 0));
                let tensor = Tensor::from_vec(values, (batch, time, width), &Device::Cpu);
                let tensor = tensor.and_then(|t| t.to_dtype(DType::F64)).expect("fits");
                candle_core::Var::from_tensor(&tensor).expect("floats")
            };
            let operands = [
                operand(1, 16),
                operand(2, 4 * key_heads),
                operand(3, 4 * key_heads),
            ];
            let [q, k, v] =
                [&operands[0], &operands[1], &operands[2]].map(candle_core::Var::as_tensor);
            let positions = Positions {
                rotary: &rotary,
                at: Some(&at),
            };
            let fused = Attention {
                batch,
                time,
                heads: 4,
                key_heads,
                head_width: 4,
                mask: mask.clone(),
                angles: Some(rotary.angles(time, Some(&at)).expect("known")),
            };
            let results = [
                q.apply_op3(k, v, fused).expect("fits"),
                layer
                    .composed([q, k, v], mask.as_ref(), Some(positions))
                    .expect("fits"),
            ];
            let gradients = results.map(|y| {
                let loss = y.sin().and_then(|y| y.sum_all()).expect("floats");
                loss.backward().expect("differentiable")
            });
            for operand in &operands {
                let [a, b] = [0, 1].map(|index: usize| -> Vec<f64> {
                    let gradient = gradients[index].get(operand).expect("depends on it");
                    let flat = gradient.flatten_all().and_then(|g| g.to_vec1());
                    flat.expect("f64")
                });
                for (a, b) in a.iter().zip(&b) {
                    assert!((a - b).abs() < 1e-10, "{mask:?}: {a} is not {b}");
                }
            }
        }
    }

    #[test]
    fn heads_must_divide_the_width() {
        let mut store = ParameterStore::new(0, &Device::Cpu);
        let config = MultiHeadAttentionConfig {
            width: 6,
            heads: 4,
            key_heads: 4,
            bias: false,
        };
        let error =
            MultiHeadAttention::new(&mut store, "a", config).expect_err("4 does not divide 6");
        assert_eq!(
            error.to_string(),
            "`heads` is 4; expected a divisor of the model width"
        );
    }
}
