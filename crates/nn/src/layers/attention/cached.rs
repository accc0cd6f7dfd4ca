//! Attention one piece of a sequence at a time, with the keys and values of what was read before.

use candle_core::Tensor;

use super::MultiHeadAttention;
use crate::kernels::masked_softmax::masked_softmax;
use crate::{Mask, NnError, Rotary};

/// The keys and values of one attention layer for the positions that it has read.
///
/// Source: the incremental decoding of Vaswani et al.'s implementation; each new position costs T instead of T².
#[derive(Debug, Clone, Default)]
pub struct KeyValueCache {
    read: Option<(Tensor, Tensor)>,
}

impl KeyValueCache {
    /// The number of positions read so far.
    pub fn len(&self) -> usize {
        self.read
            .as_ref()
            .and_then(|(key, _)| key.dim(2).ok())
            .unwrap_or(0)
    }

    /// Whether nothing was read yet.
    pub fn is_empty(&self) -> bool {
        self.read.is_none()
    }
}

impl MultiHeadAttention {
    /// Attends causally from the next positions of each sequence to them and to all that the cache holds, and adds them
    /// to the cache. Positions are consecutive from 0; nothing is kept for a backward pass.
    ///
    /// # Shapes
    /// x [B, T, D] → [B, T, D]; the cache grows by T.
    ///
    /// # Errors
    /// [`NnError::Shape`] where the width is not D, [`NnError::Tensor`] where the batch differs from the cache's.
    pub fn forward_cached(
        &self,
        x: &Tensor,
        rotary: &Rotary,
        cache: &mut KeyValueCache,
    ) -> Result<Tensor, NnError> {
        let (batch, time, width) = x.dims3()?;
        let head_width = width / self.heads;
        let first = cache.len();
        let query =
            (Self::split(&self.query.forward(x)?, self.heads)? * (head_width as f64).powf(-0.5))?;
        let query = rotary.apply_from(&query, first)?;
        let mut key =
            rotary.apply_from(&Self::split(&self.key.forward(x)?, self.key_heads)?, first)?;
        let mut value = Self::split(&self.value.forward(x)?, self.key_heads)?;
        if let Some((read_key, read_value)) = &cache.read {
            key = Tensor::cat(&[read_key, &key], 2)?;
            value = Tensor::cat(&[read_value, &value], 2)?;
        }
        let scores = query.matmul(&self.repeat(&key)?.t()?)?;
        // [T, T] of the whole sequence, cut to the rows of the new positions: [1, 1, T, first + T].
        let mask = Mask::causal(first + time).to_tensor(x.dtype(), x.device())?;
        let mask = mask.narrow(2, first, time)?;
        let weights = masked_softmax(&scores, &mask)?;
        cache.read = Some((key.detach(), value.detach()));
        // [B, H, T, D/H] → [B, T, D]
        let mixed = weights.matmul(&self.repeat(&value)?)?.transpose(1, 2)?;
        self.output.forward(&mixed.reshape((batch, time, width))?)
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device};

    use super::*;
    use crate::{Init, MultiHeadAttentionConfig, ParameterStore, Positions, generator};

    #[test]
    fn piece_by_piece_equals_all_at_once() {
        let mut store = ParameterStore::with_dtype(3, &Device::Cpu, DType::F64);
        let config = MultiHeadAttentionConfig {
            width: 8,
            heads: 2,
            key_heads: 2,
            bias: false,
        };
        let layer = MultiHeadAttention::new(&mut store, "a", config).expect("fits");
        let rotary = Rotary::new(4, 6, 10_000.0, DType::F64, &Device::Cpu).expect("even");
        let values = Init::Normal { std: 1.0 }.draw(2 * 6 * 8, &mut generator(1, "x", 0));
        let x = Tensor::from_vec(values, (2, 6, 8), &Device::Cpu).expect("fits");
        let mask = Mask::causal(6);
        let positions = Positions {
            rotary: &rotary,
            at: None,
        };
        let whole = layer.forward(&x, Some(&mask), Some(positions));
        let whole = whole.expect("fits");
        let mut cache = KeyValueCache::default();
        assert!(cache.is_empty());
        for (first, time) in [(0, 3), (3, 1), (4, 2)] {
            let piece = x.narrow(1, first, time).expect("within");
            let piece = layer.forward_cached(&piece, &rotary, &mut cache);
            let expected = whole.narrow(1, first, time).expect("within");
            let gap = (piece.expect("fits") - expected).and_then(|gap| gap.abs()?.max_all());
            let gap = gap.and_then(|gap| gap.to_scalar::<f64>()).expect("floats");
            assert!(gap < 1e-12, "positions from {first}: {gap}");
        }
        assert_eq!(cache.len(), 6);
    }
}
