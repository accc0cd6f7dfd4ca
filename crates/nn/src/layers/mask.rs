//! Additive attention masks: 0 where a query may look at a key, −∞ where it may not.

use candle_core::{DType, Device, Tensor};

use crate::NnError;

/// Mask of a causal sequence model: position i sees positions j ≤ i.
///
/// # Shapes
/// → [1, 1, T, T].
///
/// # Errors
/// [`NnError::Tensor`] where memory is short.
pub fn causal(time: usize, dtype: DType, device: &Device) -> Result<Tensor, NnError> {
    from_rule(1, time, dtype, device, |_, query, key| key <= query)
}

/// Mask of a causal sequence model over sequences of different lengths, padded at the end.
///
/// # Shapes
/// lengths [B], each at most T → [B, 1, T, T].
///
/// # Errors
/// [`NnError::Tensor`] where memory is short.
pub fn causal_padded(
    lengths: &[usize],
    time: usize,
    dtype: DType,
    device: &Device,
) -> Result<Tensor, NnError> {
    from_rule(lengths.len(), time, dtype, device, |row, query, key| {
        key <= query && key < lengths[row]
    })
}

/// Mask that lets every position see its own block and all earlier ones, as the lines of one order see each other.
///
/// `blocks[b]` holds the ascending block number of each position of sequence b; positions beyond it are padding, which
/// nothing sees. With one position a block this is [`causal_padded`].
///
/// # Shapes
/// → [B, 1, T, T].
///
/// # Errors
/// [`NnError::Tensor`] where memory is short.
pub fn block_causal(
    blocks: &[Vec<u32>],
    time: usize,
    dtype: DType,
    device: &Device,
) -> Result<Tensor, NnError> {
    from_rule(blocks.len(), time, dtype, device, |row, query, key| {
        let block = |position: usize| blocks[row].get(position);
        match (block(query), block(key)) {
            (Some(query), Some(key)) => key <= query,
            _ => false,
        }
    })
}

/// Mask of bidirectional attention over padded sequences: every position sees every real one.
///
/// # Shapes
/// lengths [B], each at most T → [B, 1, T, T].
///
/// # Errors
/// [`NnError::Tensor`] where memory is short.
pub fn padded(
    lengths: &[usize],
    time: usize,
    dtype: DType,
    device: &Device,
) -> Result<Tensor, NnError> {
    from_rule(lengths.len(), time, dtype, device, |row, _, key| {
        key < lengths[row]
    })
}

/// Builds a mask from a rule over (sequence, query, key).
///
/// A position always sees itself, so that no row of the softmax is empty.
fn from_rule(
    batch: usize,
    time: usize,
    dtype: DType,
    device: &Device,
    visible: impl Fn(usize, usize, usize) -> bool,
) -> Result<Tensor, NnError> {
    let mut values = vec![f32::NEG_INFINITY; batch * time * time];
    for row in 0..batch {
        for query in 0..time {
            let start = (row * time + query) * time;
            for (key, value) in values[start..start + time].iter_mut().enumerate() {
                if key == query || visible(row, query, key) {
                    *value = 0.0;
                }
            }
        }
    }
    Ok(Tensor::from_vec(values, (batch, 1, time, time), device)?.to_dtype(dtype)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mask of one sequence as text: `x` where it sees.
    fn picture(mask: &Tensor, row: usize) -> Vec<String> {
        let rows = mask
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
        let (f32, cpu) = (DType::F32, &Device::Cpu);
        let causal = causal(3, f32, cpu).expect("small");
        assert_eq!(picture(&causal, 0), ["x..", "xx.", "xxx"]);
        let short = causal_padded(&[3, 1], 3, f32, cpu).expect("small");
        assert_eq!(picture(&short, 1), ["x..", "xx.", "x.x"]);
        let open = padded(&[2], 3, f32, cpu).expect("small");
        assert_eq!(picture(&open, 0), ["xx.", "xx.", "xxx"]);
        let blocks = block_causal(&[vec![0, 1, 1]], 4, f32, cpu).expect("small");
        assert_eq!(picture(&blocks, 0), ["x...", "xxx.", "xxx.", "...x"]);
    }

    #[test]
    fn one_position_a_block_is_causal() {
        let blocks = block_causal(&[vec![0, 1, 2]], 3, DType::F32, &Device::Cpu).expect("small");
        let causal = causal(3, DType::F32, &Device::Cpu).expect("small");
        assert_eq!(picture(&blocks, 0), picture(&causal, 0));
    }
}
