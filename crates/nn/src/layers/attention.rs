mod cached;

use candle_core::Tensor;

use crate::masked_softmax::masked_softmax;
use crate::{Linear, NnError, ParameterStore, Rotary, softmax};

pub use cached::KeyValueCache;

/// Sizes of [`MultiHeadAttention`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MultiHeadAttentionConfig {
    /// Model width D, a multiple of `heads`.
    pub width: usize,
    /// Number of heads H.
    pub heads: usize,
    /// Whether the four projections have biases.
    pub bias: bool,
}

/// Multi-head attention: softmax(Q Kᵀ / √(D/H) + mask) V, a head at a time, then a projection.
///
/// Source: Vaswani et al., "Attention Is All You Need", 2017.
#[derive(Debug, Clone)]
pub struct MultiHeadAttention {
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    heads: usize,
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
    /// [`NnError::Config`] where the width is no multiple of the heads, [`NnError::DuplicateParameter`] where the name
    /// is taken.
    pub fn new(
        store: &mut ParameterStore,
        name: &str,
        config: MultiHeadAttentionConfig,
    ) -> Result<Self, NnError> {
        let MultiHeadAttentionConfig { width, heads, bias } = config;
        if heads == 0 || !width.is_multiple_of(heads) {
            return Err(NnError::Config {
                field: "heads",
                value: heads.to_string(),
                expected: "a divisor of the model width",
            });
        }
        let mut project =
            |part: &str| Linear::new(store, &format!("{name}.{part}"), width, width, bias);
        Ok(Self {
            query: project("q_proj")?,
            key: project("k_proj")?,
            value: project("v_proj")?,
            output: project("o_proj")?,
            heads,
        })
    }

    /// Attends within each sequence.
    ///
    /// The mask is additive (see [`crate::mask`]); without one every position sees every other.
    ///
    /// # Shapes
    /// x [B, T, D], mask [B, 1, T, T] or [1, 1, T, T] → [B, T, D].
    ///
    /// # Errors
    /// [`NnError::Shape`] where the width is not D or the mask does not fit.
    pub fn forward(
        &self,
        x: &Tensor,
        mask: Option<&Tensor>,
        positions: Option<Positions<'_>>,
    ) -> Result<Tensor, NnError> {
        let (batch, time, width) = x.dims3()?;
        let head_width = width / self.heads;
        // [B, T, D] → [B, H, T, D/H]
        let split = |x: Tensor| -> Result<Tensor, NnError> {
            let x = x.reshape((batch, time, self.heads, head_width))?;
            Ok(x.transpose(1, 2)?.contiguous()?)
        };
        let turn = |x: Tensor| match positions {
            None => Ok(x),
            Some(Positions { rotary, at: None }) => rotary.apply(&x),
            Some(Positions {
                rotary,
                at: Some(at),
            }) => rotary.apply_at(&x, at),
        };
        // Scaling the queries instead of the scores touches T·D numbers instead of H·T².
        let query = (split(self.query.forward(x)?)? * (head_width as f64).powf(-0.5))?;
        let query = turn(query)?;
        let key = turn(split(self.key.forward(x)?)?)?;
        let value = split(self.value.forward(x)?)?;
        let scores = query.matmul(&key.t()?)?;
        let weights = match mask {
            Some(mask) => masked_softmax(&scores, mask)?,
            None => softmax(&scores)?,
        };
        let mixed = weights.matmul(&value)?;
        // [B, H, T, D/H] → [B, T, D]
        let mixed = mixed.transpose(1, 2)?.reshape((batch, time, width))?;
        self.output.forward(&mixed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::{assert_close, reference, tensor};
    use crate::gradients::check_gradient;
    use crate::mask;
    use candle_core::{DType, Device};

    fn layer(width: usize) -> (ParameterStore, MultiHeadAttention) {
        let mut store = ParameterStore::with_dtype(1, &Device::Cpu, DType::F64);
        let config = MultiHeadAttentionConfig {
            width,
            heads: 2,
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
        let mask = mask::causal(5, DType::F64, &Device::Cpu).expect("small");
        let y = layer.forward(&x, Some(&mask), None).expect("fits");
        assert_close(&y, &mha["y"], 1e-12);
    }

    #[test]
    fn the_gradient_matches_finite_differences_with_mask_and_positions() {
        let (_store, layer) = layer(4);
        let rotary = Rotary::new(2, 8, 100.0, DType::F64, &Device::Cpu).expect("even");
        let mask =
            mask::block_causal(&[vec![0, 1, 1]], 3, DType::F64, &Device::Cpu).expect("small");
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
        let mask = mask::causal(2, DType::F64, &Device::Cpu).expect("small");
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
    fn heads_must_divide_the_width() {
        let mut store = ParameterStore::new(0, &Device::Cpu);
        let config = MultiHeadAttentionConfig {
            width: 6,
            heads: 4,
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
