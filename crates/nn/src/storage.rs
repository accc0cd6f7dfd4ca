use candle_core::{Layout, bail};

/// The numbers of a contiguous tensor.
pub(crate) fn part<'a, F>(storage: &'a [F], layout: &Layout) -> candle_core::Result<&'a [F]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage[start..end]),
        None => bail!("a fused operation takes contiguous tensors"),
    }
}
