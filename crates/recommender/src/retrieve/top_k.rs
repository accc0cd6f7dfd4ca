use std::cmp::Ordering;

/// The `k` best items that `mask` admits, best first, ties by ascending index; fewer where the mask admits fewer.
///
/// # Shapes
/// `scores` and `mask` have one entry an item.
pub fn top_k(scores: &[f32], mask: &[bool], k: usize) -> Vec<u32> {
    let admitted = (0u32..).zip(mask).filter(|(_, admitted)| **admitted);
    let mut items: Vec<u32> = admitted.map(|(item, _)| item).collect();
    let better = |a: &u32, b: &u32| -> Ordering {
        let higher = scores[*b as usize].total_cmp(&scores[*a as usize]);
        higher.then(a.cmp(b))
    };
    if k == 0 {
        return Vec::new();
    }
    if k < items.len() {
        items.select_nth_unstable_by(k - 1, better);
        items.truncate(k);
        // A list is kept; the memory for a whole catalogue is not.
        items.shrink_to_fit();
    }
    items.sort_unstable_by(better);
    items
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::metrics::ranks_of;

    #[test]
    fn ties_and_masks_are_respected() {
        let scores = [0.5, 0.9, 0.5, 0.1];
        assert_eq!(top_k(&scores, &[true; 4], 3), [1, 0, 2]);
        assert_eq!(top_k(&scores, &[true, false, true, true], 2), [0, 2]);
        assert_eq!(top_k(&scores, &[false; 4], 2), [] as [u32; 0]);
        assert_eq!(top_k(&scores, &[true; 4], 0), [] as [u32; 0]);
    }

    proptest! {
        #[test]
        fn a_list_and_the_ranks_agree(
            rows in proptest::collection::vec((0i8..5, any::<bool>()), 1..40),
            k in 0usize..45,
        ) {
            let scores: Vec<f32> = rows.iter().map(|row| f32::from(row.0)).collect();
            let mask: Vec<bool> = rows.iter().map(|row| row.1).collect();
            let list = top_k(&scores, &mask, k);
            let admitted = mask.iter().filter(|&&admitted| admitted).count();
            prop_assert_eq!(list.len(), k.min(admitted));
            for (place, &item) in list.iter().enumerate() {
                prop_assert_eq!(ranks_of(&scores, &mask, &[item]), [place + 1]);
            }
        }
    }
}
