//! Metrics of what a set of recommended lists shows of the catalogue.

/// Coverage: the share of the candidates that at least one list shows; 0 without candidates.
pub fn coverage(lists: &[Vec<u32>], candidates: &[bool]) -> f64 {
    let shown = exposures(lists, candidates.len());
    let admitted = candidates.iter().filter(|&&candidate| candidate).count();
    let seen = shown.iter().filter(|&&times| times > 0).count();
    seen as f64 / admitted.max(1) as f64
}

/// Novelty: the mean over all places of −log₂ of the share of past purchases that the shown item has; an item bought n
/// times of N has the share (n + 1) / (N + items), so that one never bought stays finite (Castells et al. 2015).
pub fn novelty(lists: &[Vec<u32>], purchases: &[u32]) -> f64 {
    let total: f64 = purchases.iter().map(|&times| f64::from(times) + 1.0).sum();
    let places = lists.iter().map(Vec::len).sum::<usize>();
    let information = |item: &u32| {
        let share = (f64::from(purchases[*item as usize]) + 1.0) / total;
        -share.log2()
    };
    lists.iter().flatten().map(information).sum::<f64>() / places.max(1) as f64
}

/// Gini coefficient of how often each candidate is shown: 0 where all are shown alike, towards 1 where one takes all.
///
/// G = Σᵢ (2i − n − 1) xᵢ / (n Σ xᵢ) over the n candidates' counts in ascending order.
pub fn gini(lists: &[Vec<u32>], candidates: &[bool]) -> f64 {
    let shown = exposures(lists, candidates.len());
    let mut counts: Vec<u32> = shown
        .into_iter()
        .zip(candidates)
        .filter_map(|(times, &candidate)| candidate.then_some(times))
        .collect();
    counts.sort_unstable();
    let n = counts.len() as f64;
    let total: f64 = counts.iter().map(|&times| f64::from(times)).sum();
    if total == 0.0 {
        return 0.0;
    }
    let places = counts.iter().zip(1u32..);
    let weighted: f64 = places
        .map(|(&times, i)| (2.0 * f64::from(i) - n - 1.0) * f64::from(times))
        .sum();
    weighted / (n * total)
}

fn exposures(lists: &[Vec<u32>], items: usize) -> Vec<u32> {
    let mut shown = vec![0; items];
    for &item in lists.iter().flatten() {
        shown[item as usize] += 1;
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coverage_counts_candidates_that_are_shown() {
        let lists = [vec![0, 1], vec![1, 2]];
        assert!((coverage(&lists, &[true, true, true, true, false]) - 0.75).abs() < 1e-12);
        assert!(coverage(&[], &[true]).abs() < 1e-12);
    }

    #[test]
    fn gini_tells_even_from_uneven() {
        let candidates = [true, true, false, true, true];
        assert!(gini(&[vec![0, 1], vec![3, 4]], &candidates).abs() < 1e-12);
        // Counts 0, 0, 0, 3: (2·4 − 4 − 1) · 3 / (4 · 3).
        assert!((gini(&[vec![0], vec![0], vec![0]], &candidates) - 0.75).abs() < 1e-12);
    }

    #[test]
    fn rare_items_are_more_novel() {
        // Shares (3 + 1) / 8, (1 + 1) / 8, (1 + 1) / 8: one bit, two bits, two bits.
        let purchases = [3, 1, 1];
        assert!((novelty(&[vec![0], vec![1]], &purchases) - 1.5).abs() < 1e-12);
        assert!((novelty(&[vec![2, 1]], &purchases) - 2.0).abs() < 1e-12);
    }
}
