use std::sync::Arc;

use candle_core::{DType, Device, Tensor};

use crate::NnError;

/// What each query of an attention may see: the first so many keys of its sequence.
///
/// Causal, block-causal and padded attention are all of this form, and a number a query says what [B, T, T] additive
/// numbers say. A query sees at least one key, so that no softmax is empty: at padding, the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask {
    time: usize,
    /// Keys that each query sees, [B, T], or [1, T] for all sequences alike.
    visible: Arc<[u32]>,
}

impl Mask {
    /// Mask of a causal sequence model: position i sees positions j ≤ i.
    ///
    /// # Shapes
    /// [1, T].
    pub fn causal(time: usize) -> Self {
        Self::from_rule(1, time, |_, query| query + 1)
    }

    /// Mask of a causal sequence model over sequences of different lengths, padded at the end.
    ///
    /// # Shapes
    /// lengths [B], each at most T → [B, T].
    pub fn causal_padded(lengths: &[usize], time: usize) -> Self {
        Self::from_rule(lengths.len(), time, |row, query| {
            (query + 1).min(lengths[row])
        })
    }

    /// Mask that lets every position see its own block and all earlier ones, as the lines of one order see each other.
    ///
    /// `blocks[b]` holds the ascending block number of each position of sequence b; positions beyond it are padding,
    /// which nothing else sees. With one position a block this is [`Mask::causal_padded`].
    ///
    /// # Shapes
    /// → [B, T].
    pub fn block_causal(blocks: &[Vec<u32>], time: usize) -> Self {
        Self::from_rule(blocks.len(), time, |row, query| {
            let blocks = &blocks[row];
            blocks
                .get(query)
                .map_or(0, |block| blocks.partition_point(|other| other <= block))
        })
    }

    /// Mask of bidirectional attention over padded sequences: every position sees every real one.
    ///
    /// # Shapes
    /// lengths [B], each at most T → [B, T].
    pub fn padded(lengths: &[usize], time: usize) -> Self {
        Self::from_rule(lengths.len(), time, |row, _| lengths[row])
    }

    /// Builds a mask from the number of keys that a (sequence, query) sees.
    fn from_rule(batch: usize, time: usize, visible: impl Fn(usize, usize) -> usize) -> Self {
        let queries = (0..batch).flat_map(|row| (0..time).map(move |query| (row, query)));
        let visible = queries.map(|(row, query)| visible(row, query).clamp(1, time) as u32);
        Self {
            time,
            visible: visible.collect(),
        }
    }

    /// The number of positions T.
    pub fn time(&self) -> usize {
        self.time
    }

    /// Whether the mask is of T positions and of B sequences, or of all sequences alike.
    pub fn fits(&self, batch: usize, time: usize) -> bool {
        self.time == time && [time, batch * time].contains(&self.visible.len())
    }

    /// The number of keys that a query of a sequence sees.
    #[inline]
    pub(crate) fn visible(&self, sequence: usize, query: usize) -> usize {
        let row = sequence * self.time + query;
        let shared = self.visible.len() == self.time;
        self.visible[if shared { query } else { row }] as usize
    }

    /// The mask as numbers to add to scores: 0 where a query sees a key, −∞ where it does not.
    ///
    /// # Shapes
    /// → [B, 1, T, T] or [1, 1, T, T].
    ///
    /// # Errors
    /// [`NnError::Tensor`] where memory is short.
    pub fn to_tensor(&self, dtype: DType, device: &Device) -> Result<Tensor, NnError> {
        let time = self.time;
        let mut values = vec![f32::NEG_INFINITY; self.visible.len() * time];
        for (row, visible) in values.chunks_exact_mut(time).zip(self.visible.iter()) {
            row[..*visible as usize].fill(0.0);
        }
        let batch = self.visible.len() / time.max(1);
        Ok(Tensor::from_vec(values, (batch, 1, time, time), device)?.to_dtype(dtype)?)
    }

    /// The mask as weights that average what a query sees: 1 / n at each of the n keys, 0 elsewhere.
    ///
    /// # Shapes
    /// → [B, T, T] or [1, T, T].
    ///
    /// # Errors
    /// [`NnError::Tensor`] where memory is short.
    pub fn averages(&self, dtype: DType, device: &Device) -> Result<Tensor, NnError> {
        let time = self.time;
        let mut values = vec![0f32; self.visible.len() * time];
        for (row, visible) in values.chunks_exact_mut(time).zip(self.visible.iter()) {
            row[..*visible as usize].fill(1.0 / *visible as f32);
        }
        let batch = self.visible.len() / time.max(1);
        Ok(Tensor::from_vec(values, (batch, time, time), device)?.to_dtype(dtype)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mask of one sequence as text: `x` where it sees.
    fn picture(mask: &Mask, row: usize) -> Vec<String> {
        let tensor = mask.to_tensor(DType::F32, &Device::Cpu).expect("small");
        let rows = tensor
            .get(row)
            .and_then(|m| m.get(0))
            .and_then(|m| m.to_vec2::<f32>())
            .expect("a mask");
        rows.iter()
            .map(|row| {
                row.iter()
                    .map(|v| if *v == 0.0 { 'x' } else { '.' })
                    .collect()
            })
            .collect()
    }

    #[test]
    fn each_rule_shows_what_it_says() {
        assert_eq!(picture(&Mask::causal(3), 0), ["x..", "xx.", "xxx"]);
        let short = Mask::causal_padded(&[3, 1], 3);
        assert_eq!(picture(&short, 1), ["x..", "x..", "x.."]);
        assert_eq!(picture(&Mask::padded(&[2], 3), 0), ["xx.", "xx.", "xx."]);
        let blocks = Mask::block_causal(&[vec![0, 1, 1]], 4);
        assert_eq!(picture(&blocks, 0), ["x...", "xxx.", "xxx.", "x..."]);
        assert_eq!(picture(&Mask::padded(&[0], 2), 0), ["x.", "x."]);
    }

    #[test]
    fn averages_weigh_what_is_seen_evenly() {
        let weights = Mask::block_causal(&[vec![0, 1, 1]], 3).averages(DType::F64, &Device::Cpu);
        let weights: Vec<Vec<Vec<f64>>> = weights.and_then(|w| Ok(w.to_vec3()?)).expect("small");
        let third = f64::from(1f32 / 3.0);
        let all = vec![third; 3];
        assert_eq!(weights, [[vec![1.0, 0.0, 0.0], all.clone(), all]]);
    }

    #[test]
    fn one_position_a_block_is_causal() {
        let blocks = Mask::block_causal(&[vec![0, 1, 2]], 3);
        assert_eq!(blocks, Mask::causal_padded(&[3], 3));
        assert_eq!(picture(&blocks, 0), picture(&Mask::causal(3), 0));
        assert!(Mask::causal(3).fits(7, 3) && blocks.fits(1, 3) && !blocks.fits(1, 4));
    }
}
