use rayon::prelude::*;

use crate::{HeldOutShopper, RecommenderError};

/// Shoppers whose scores are held together.
pub(crate) const BATCH: usize = 64;

/// Batches that may be open at once. A thread that waits within one batch takes up another, and without a bound they
/// would all be open in the end, with the scores of every shopper.
const OPEN: usize = 8;

/// Handles shoppers batch by batch, several at once, and gives the results in their order. `handle` is told the number
/// of the batch.
pub(crate) fn by_batch<T: Send>(
    shoppers: &[HeldOutShopper],
    handle: impl Fn(usize, &[HeldOutShopper]) -> Result<T, RecommenderError> + Sync,
) -> Result<Vec<T>, RecommenderError> {
    let mut results = Vec::with_capacity(shoppers.len().div_ceil(BATCH));
    for (group, shoppers) in shoppers.chunks(BATCH * OPEN).enumerate() {
        let batches = shoppers.par_chunks(BATCH).enumerate();
        let handled = batches.map(|(batch, shoppers)| handle(group * OPEN + batch, shoppers));
        results.extend(handled.collect::<Result<Vec<T>, _>>()?);
    }
    Ok(results)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shopper_is_handled_once_and_in_order() {
        let count = BATCH * OPEN + BATCH + 3;
        let shoppers: Vec<HeldOutShopper> = (0..count)
            .map(|sequence| HeldOutShopper {
                sequence,
                new_items: Vec::new(),
                repeats: Vec::new(),
            })
            .collect();
        let handled = by_batch(&shoppers, |batch, shoppers| {
            assert_eq!(shoppers[0].sequence, batch * BATCH);
            Ok(shoppers.iter().map(|s| s.sequence).collect::<Vec<_>>())
        });
        let order: Vec<usize> = handled.expect("nothing fails").concat();
        assert_eq!(order, (0..count).collect::<Vec<_>>());
    }
}
