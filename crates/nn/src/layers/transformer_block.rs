use candle_core::Tensor;

use super::attention::Positions;
use crate::{
    Dropout, KeyValueCache, Mask, MultiHeadAttention, MultiHeadAttentionConfig, NnError,
    ParameterStore, Pass, RmsNorm, Rotary, SwiGlu,
};

/// Sizes of a [`TransformerBlock`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TransformerBlockConfig {
    /// Model width D.
    pub width: usize,
    /// Number of attention heads, a divisor of the width.
    pub heads: usize,
    /// Number of key and value heads, a divisor of `heads`.
    pub key_heads: usize,
    /// Whether the projections of queries, keys and values have biases, as in Qwen2.
    pub attention_bias: bool,
    /// Width of the feed-forward layer.
    pub hidden: usize,
    /// Dropout rate on the output of attention and feed-forward.
    pub dropout: f64,
    /// ε of the norms.
    pub norm_epsilon: f64,
}

/// One block of a Llama-style Transformer: x += attention(norm(x)); x += feed-forward(norm(x)).
///
/// Source: Touvron et al., "`LLaMA`: Open and Efficient Foundation Language Models", 2023: `RmsNorm` before each part,
/// rotary positions, `SwiGlu`, no biases. How this differs from the paper: dropout on each part's
/// output; query heads may share key heads, as in Llama 2.
#[derive(Debug, Clone)]
pub struct TransformerBlock {
    pub(crate) attention_norm: RmsNorm,
    pub(crate) attention: MultiHeadAttention,
    pub(crate) feed_forward_norm: RmsNorm,
    pub(crate) feed_forward: SwiGlu,
    dropout: Dropout,
}

impl TransformerBlock {
    /// Creates `NAME.input_layernorm`, `NAME.self_attn`, `NAME.post_attention_layernorm` and `NAME.mlp`.
    ///
    /// # Errors
    /// [`NnError::Config`] for sizes that do not fit, [`NnError::DuplicateParameter`] where the name is taken.
    pub fn new(
        store: &mut ParameterStore,
        name: &str,
        config: TransformerBlockConfig,
    ) -> Result<Self, NnError> {
        let (width, epsilon) = (config.width, config.norm_epsilon);
        let attention = MultiHeadAttentionConfig {
            width,
            heads: config.heads,
            key_heads: config.key_heads,
            bias: config.attention_bias,
        };
        let part = |part: &str| format!("{name}.{part}");
        Ok(Self {
            attention_norm: RmsNorm::new(store, &part("input_layernorm"), width, epsilon)?,
            attention: MultiHeadAttention::new(store, &part("self_attn"), attention)?,
            feed_forward_norm: RmsNorm::new(
                store,
                &part("post_attention_layernorm"),
                width,
                epsilon,
            )?,
            feed_forward: SwiGlu::new(store, &part("mlp"), width, config.hidden)?,
            dropout: Dropout::new(config.dropout)?,
        })
    }

    /// Applies the block.
    ///
    /// # Shapes
    /// x [B, T, D], mask [B, T] or [1, T], positions [B, T] in `u32` or none for 0, 1, 2, … → [B, T, D].
    ///
    /// # Errors
    /// [`NnError::Shape`] where the width is not D or the mask does not fit.
    pub fn forward(
        &self,
        x: &Tensor,
        mask: Option<&Mask>,
        rotary: &Rotary,
        positions: Option<&Tensor>,
        pass: &mut Pass<'_>,
    ) -> Result<Tensor, NnError> {
        let positions = Positions {
            rotary,
            at: positions,
        };
        let normed = self.attention_norm.forward(x)?;
        if !self.dropout.is_active(pass) {
            // Nothing happens between a projection and its residual: the product is added in place.
            let attention = &self.attention;
            let x = attention.forward_onto(&normed, mask, Some(positions), x)?;
            let normed = self.feed_forward_norm.forward(&x)?;
            return self.feed_forward.forward_onto(&normed, &x);
        }
        let attended = self.attention.forward(&normed, mask, Some(positions))?;
        let x = (x + self.dropout.forward(&attended, pass)?)?;
        let fed = self
            .feed_forward
            .forward(&self.feed_forward_norm.forward(&x)?)?;
        Ok((&x + self.dropout.forward(&fed, pass)?)?)
    }

    /// Applies the block to the next positions of each sequence, as when decoding; nothing is dropped.
    ///
    /// # Shapes
    /// x [B, T, D] → [B, T, D]; the cache grows by T.
    ///
    /// # Errors
    /// As [`MultiHeadAttention::forward_cached`].
    pub fn forward_cached(
        &self,
        x: &Tensor,
        rotary: &Rotary,
        cache: &mut KeyValueCache,
    ) -> Result<Tensor, NnError> {
        let normed = self.attention_norm.forward(x)?;
        let attended = self.attention.forward_cached(&normed, rotary, cache)?;
        let x = (x + attended)?;
        let normed = self.feed_forward_norm.forward(&x)?;
        Ok((&x + self.feed_forward.forward(&normed)?)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generator;
    use candle_core::{DType, Device};

    #[test]
    fn every_parameter_gets_a_finite_gradient_that_is_not_zero() {
        let mut store = ParameterStore::new(4, &Device::Cpu);
        let config = TransformerBlockConfig {
            width: 8,
            heads: 2,
            key_heads: 2,
            attention_bias: false,
            hidden: 12,
            dropout: 0.1,
            norm_epsilon: 1e-6,
        };
        let block = TransformerBlock::new(&mut store, "layers.0", config).expect("fresh");
        let rotary = Rotary::new(4, 8, 10_000.0, DType::F32, &Device::Cpu).expect("even");
        let x: Vec<f32> = (0u8..48).map(|i| (f32::from(i) * 0.9).sin()).collect();
        let x = Tensor::from_vec(x, (2, 3, 8), &Device::Cpu).expect("fits");
        let mask = Mask::causal(3);
        let mut rng = generator(0, "dropout", 0);
        let y = block
            .forward(&x, Some(&mask), &rotary, None, &mut Pass::Train(&mut rng))
            .expect("fits");
        let loss = y.sqr().and_then(|y| y.sum_all()).expect("floats");
        let gradients = store.gradients(&loss.backward().expect("differentiable"));
        assert_eq!(gradients.len(), store.iter().count());
        for (name, gradient) in gradients {
            let size = gradient.sqr().and_then(|g| g.sum_all()).expect("floats");
            let size = size.to_scalar::<f32>().expect("a scalar");
            assert!(size.is_finite() && size > 0.0, "{name}: {size}");
        }
    }
}
