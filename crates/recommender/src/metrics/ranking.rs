//! Metrics of one ranked list against the items it should have shown.
//!
//! All of them read the targets' *ranks*: 1 for the first place, ascending, one entry a target, [`usize::MAX`] for a
//! target that the list does not hold. The metric of a model is the mean over its shoppers.

use std::cmp::Ordering;

/// The ranks of `targets` among the items that `mask` admits, by descending score, ties by ascending item index.
///
/// A target outside the mask gets [`usize::MAX`]. The result is ascending.
///
/// # Shapes
/// `scores` and `mask` have one entry an item; the result one a target.
pub fn ranks_of(scores: &[f32], mask: &[bool], targets: &[u32]) -> Vec<usize> {
    let rank_of = |&target: &u32| {
        let target = target as usize;
        if !mask[target] {
            return usize::MAX;
        }
        let score = scores[target];
        let ahead = |(item, (&other, &admitted)): (usize, (&f32, &bool))| {
            let first = match other.total_cmp(&score) {
                Ordering::Greater => true,
                Ordering::Equal => item < target,
                Ordering::Less => false,
            };
            usize::from(admitted && first)
        };
        1 + scores
            .iter()
            .zip(mask)
            .enumerate()
            .map(ahead)
            .sum::<usize>()
    };
    let mut ranks: Vec<usize> = targets.iter().map(rank_of).collect();
    ranks.sort_unstable();
    ranks
}

/// HR@k: 1 where at least one target is among the first `k`, else 0.
pub fn hit_rate(ranks: &[usize], k: usize) -> f64 {
    f64::from(u8::from(ranks.iter().any(|&rank| rank <= k)))
}

/// Recall@k: the share of the targets that are among the first `k`; 0 without targets.
pub fn recall(ranks: &[usize], k: usize) -> f64 {
    hits(ranks, k) / ranks.len().max(1) as f64
}

/// Precision@k: the share of the first `k` places that hold a target; `k` at least 1.
pub fn precision(ranks: &[usize], k: usize) -> f64 {
    hits(ranks, k) / k as f64
}

/// RR@k: one over the rank of the first target, 0 where that is beyond `k`; its mean is the MRR.
pub fn reciprocal_rank(ranks: &[usize], k: usize) -> f64 {
    ranks
        .first()
        .filter(|&&rank| rank <= k)
        .map_or(0.0, |&rank| 1.0 / rank as f64)
}

/// AP@k = (1 / |targets|) Σ over the targets within `k` of the precision at their rank; its mean is the MAP.
pub fn average_precision(ranks: &[usize], k: usize) -> f64 {
    let within = ranks.iter().take_while(|&&rank| rank <= k).enumerate();
    let sum: f64 = within
        .map(|(found, &rank)| (found + 1) as f64 / rank as f64)
        .sum();
    // A sum of nothing is −0.
    if sum > 0.0 {
        sum / ranks.len() as f64
    } else {
        0.0
    }
}

/// NDCG@k for several equally good targets: DCG = Σ over targets within `k` of 1 / log₂(rank + 1), divided by the DCG of
/// an ideal list, which has targets in its first min(k, |targets|) places (Järvelin & Kekäläinen 2002, binary gain).
///
/// With one target it is 1 / log₂(rank + 1), the form of leave-one-out papers.
pub fn ndcg(ranks: &[usize], k: usize) -> f64 {
    let ideal: f64 = (1..=ranks.len().min(k)).map(discount).sum();
    let gained: f64 = ranks
        .iter()
        .take_while(|&&rank| rank <= k)
        .map(|&rank| discount(rank))
        .sum();
    // A sum of nothing is −0.
    if gained > 0.0 { gained / ideal } else { 0.0 }
}

/// NDCG@k with graded gains: `gains` of the ranked items in list order, `judged` of every relevant item, in any order.
pub fn graded_ndcg(gains: &[f64], judged: &[f64], k: usize) -> f64 {
    let dcg = |gains: &[f64]| -> f64 {
        let places = gains.iter().take(k).zip(1..);
        places.map(|(gain, rank)| gain * discount(rank)).sum()
    };
    let mut best = judged.to_vec();
    best.sort_by(|a, b| b.total_cmp(a));
    let ideal = dcg(&best);
    if ideal > 0.0 { dcg(gains) / ideal } else { 0.0 }
}

fn hits(ranks: &[usize], k: usize) -> f64 {
    ranks.iter().filter(|&&rank| rank <= k).count() as f64
}

fn discount(rank: usize) -> f64 {
    1.0 / ((rank + 1) as f64).log2()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::metrics::golden;

    /// Documents with their grade or score, by query.
    type Lists = BTreeMap<String, BTreeMap<String, f64>>;

    #[test]
    fn a_miss_is_a_positive_zero() {
        for figure in [ndcg(&[11], 10), average_precision(&[11], 10), ndcg(&[], 10)] {
            assert!(figure == 0.0 && figure.is_sign_positive(), "{figure}");
        }
    }

    #[test]
    fn ties_go_to_the_smaller_index() {
        let scores = [0.5, 0.9, 0.5, 0.5, f32::NEG_INFINITY];
        let all = [true; 5];
        assert_eq!(ranks_of(&scores, &all, &[3, 0]), [2, 4]);
        assert_eq!(
            ranks_of(&scores, &[false, true, true, true, true], &[0, 4, 3]),
            [3, 4, usize::MAX]
        );
    }

    #[test]
    fn several_targets_share_the_ideal() {
        // Targets at places 1 and 3 of three targets; the ideal has them at 1, 2 and 3.
        let ranks = [1, 3, 20];
        let ideal = 1.0 + 1.0 / 3f64.log2() + 0.5;
        assert!((ndcg(&ranks, 10) - 1.5 / ideal).abs() < 1e-12);
        assert!((ndcg(&ranks, 1) - 1.0).abs() < 1e-12);
        assert!((average_precision(&ranks, 10) - (1.0 + 2.0 / 3.0) / 3.0).abs() < 1e-12);
        assert!((recall(&ranks, 10) - 2.0 / 3.0).abs() < 1e-12);
        assert!((ndcg(&[], 10)).abs() < 1e-12);
    }

    #[test]
    fn leave_one_out_equals_the_golden_values() {
        let Some(golden) = golden() else {
            return eprintln!("skipped: no golden values");
        };
        let case = &golden["leave_one_out"];
        let ranks: Vec<usize> =
            serde_json::from_value(case["ranks"].clone()).expect("ranks are numbers");
        let mean = |metric: &dyn Fn(&[usize]) -> f64| {
            ranks.iter().map(|&rank| metric(&[rank])).sum::<f64>() / ranks.len() as f64
        };
        for k in [1, 5, 10, 20, 100] {
            for (name, found) in [
                ("hr", mean(&|r| hit_rate(r, k))),
                ("ndcg", mean(&|r| ndcg(r, k))),
                ("mrr", mean(&|r| reciprocal_rank(r, k))),
            ] {
                let key = format!("{name}@{k}");
                let expected = case[&key].as_f64().expect("a number");
                assert!((found - expected).abs() < 1e-12, "{key}: {found}");
            }
        }
        let mrr = mean(&|r| reciprocal_rank(r, 1000));
        assert!((mrr - case["mrr"].as_f64().expect("a number")).abs() < 1e-12);
    }

    #[test]
    fn graded_lists_equal_the_golden_values() {
        let Some(golden) = golden() else {
            return eprintln!("skipped: no golden values");
        };
        let case = &golden["graded"];
        let read = |name: &str| -> Lists {
            serde_json::from_value(case[name].clone()).expect("lists of numbers")
        };
        let (qrels, run) = (read("qrels"), read("run"));
        for (query, (name, judged)) in qrels.iter().enumerate() {
            let mut list: Vec<(&String, &f64)> = run[name].iter().collect();
            list.sort_by(|a, b| b.1.total_cmp(a.1));
            let place = |doc: &String| list.iter().position(|(listed, _)| *listed == doc);
            let mut ranks: Vec<usize> = judged
                .keys()
                .map(|doc| place(doc).map_or(usize::MAX, |place| place + 1))
                .collect();
            ranks.sort_unstable();
            let gain = |doc: &String| judged.get(doc).copied().unwrap_or(0.0);
            let linear: Vec<f64> = list.iter().map(|(doc, _)| gain(doc)).collect();
            let burges: Vec<f64> = linear.iter().map(|g| g.exp2() - 1.0).collect();
            let judged_linear: Vec<f64> = judged.values().copied().collect();
            let judged_burges: Vec<f64> = judged_linear.iter().map(|g| g.exp2() - 1.0).collect();
            for (metric, found) in [
                ("hit_rate@1", hit_rate(&ranks, 1)),
                ("hit_rate@3", hit_rate(&ranks, 3)),
                ("precision@3", precision(&ranks, 3)),
                ("recall@3", recall(&ranks, 3)),
                ("recall@5", recall(&ranks, 5)),
                ("mrr", reciprocal_rank(&ranks, 100)),
                ("mrr@3", reciprocal_rank(&ranks, 3)),
                ("map", average_precision(&ranks, 100)),
                ("map@3", average_precision(&ranks, 3)),
                ("ndcg", graded_ndcg(&linear, &judged_linear, 100)),
                ("ndcg@3", graded_ndcg(&linear, &judged_linear, 3)),
                ("ndcg@5", graded_ndcg(&linear, &judged_linear, 5)),
                ("ndcg_burges@3", graded_ndcg(&burges, &judged_burges, 3)),
            ] {
                let expected = case["per_query"][metric][query].as_f64().expect("a number");
                assert!((found - expected).abs() < 1e-9, "{name} {metric}: {found}");
            }
        }
    }
}
