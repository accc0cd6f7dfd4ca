//! Metrics of predicted probabilities of a yes-or-no outcome.

use serde::{Deserialize, Serialize};

/// Area under the ROC curve: the probability that a positive is scored above a negative, ties counting half, each example
/// with its weight. 0.5 where one of the two classes is absent.
///
/// # Shapes
/// `labels`, `scores` and `weights` have one entry an example.
pub fn area_under_curve(labels: &[bool], scores: &[f64], weights: &[f64]) -> f64 {
    let mut order: Vec<usize> = (0..labels.len()).collect();
    order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    let (mut below, mut won, mut positives) = (0.0, 0.0, 0.0);
    for tied in order.chunk_by(|&a, &b| scores[a].total_cmp(&scores[b]).is_eq()) {
        let weight_of = |label: bool| -> f64 {
            let alike = tied.iter().filter(|&&example| labels[example] == label);
            alike.map(|&example| weights[example]).sum()
        };
        let (positive, negative) = (weight_of(true), weight_of(false));
        won += positive * (below + 0.5 * negative);
        below += negative;
        positives += positive;
    }
    let pairs = positives * below;
    if pairs > 0.0 { won / pairs } else { 0.5 }
}

/// Area under the curve within each group, weighted by the group's size; groups with one class are left out (Zhu et al.
/// 2017). 0.5 where no group has both classes.
///
/// # Shapes
/// `labels`, `scores` and `groups` have one entry an example.
pub fn grouped_auc(labels: &[bool], scores: &[f64], groups: &[u32]) -> f64 {
    let mut order: Vec<usize> = (0..labels.len()).collect();
    order.sort_by_key(|&example| groups[example]);
    let (mut sum, mut size) = (0.0, 0.0);
    for group in order.chunk_by(|&a, &b| groups[a] == groups[b]) {
        let labels: Vec<bool> = group.iter().map(|&example| labels[example]).collect();
        if labels.iter().all(|&label| label == labels[0]) {
            continue;
        }
        let scores: Vec<f64> = group.iter().map(|&example| scores[example]).collect();
        let examples = group.len() as f64;
        sum += examples * area_under_curve(&labels, &scores, &vec![1.0; group.len()]);
        size += examples;
    }
    if size > 0.0 { sum / size } else { 0.5 }
}

/// Mean of −log of the probability given to what happened, with probabilities kept 2⁻⁵² away from 0 and 1.
pub fn log_loss(labels: &[bool], probabilities: &[f64]) -> f64 {
    mean(labels, probabilities, |label, probability| {
        let probability = probability.clamp(f64::EPSILON, 1.0 - f64::EPSILON);
        -if label {
            probability
        } else {
            1.0 - probability
        }
        .ln()
    })
}

/// Mean squared difference between probability and outcome (Brier 1950).
pub fn brier_score(labels: &[bool], probabilities: &[f64]) -> f64 {
    mean(labels, probabilities, |label, probability| {
        (f64::from(u8::from(label)) - probability).powi(2)
    })
}

/// One bin of a reliability plot.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityBin {
    /// Its lower edge, which it does not hold, but for 0.
    pub above: f64,
    /// Its upper edge, which it holds.
    pub up_to: f64,
    /// Examples whose probability lies in it.
    pub examples: u64,
    /// Their mean probability, 0 where there are none.
    pub mean_probability: f64,
    /// Their share of positives, 0 where there are none.
    pub positive_share: f64,
}

/// The bins (lo, hi] of equal width that a reliability plot shows, 0 belonging to the first.
pub fn reliability_bins(
    labels: &[bool],
    probabilities: &[f64],
    bins: usize,
) -> Vec<ReliabilityBin> {
    let count = bins.max(1);
    let edge = |edge: usize| edge as f64 / count as f64;
    let mut sums = vec![(0, 0.0, 0.0); count];
    for (&label, &probability) in labels.iter().zip(probabilities) {
        // The comparison with the edge itself, since 0.6 · 5 rounds to just over 3.
        let bin = (1..count)
            .take_while(|bin| probability > edge(*bin))
            .count();
        let (examples, probability_sum, positives) = &mut sums[bin];
        *examples += 1;
        *probability_sum += probability;
        *positives += f64::from(u8::from(label));
    }
    let bin = |(bin, (examples, probability_sum, positives)): (usize, (u64, f64, f64))| {
        let size = examples.max(1) as f64;
        ReliabilityBin {
            above: edge(bin),
            up_to: edge(bin + 1),
            examples,
            mean_probability: probability_sum / size,
            positive_share: positives / size,
        }
    };
    sums.into_iter().enumerate().map(bin).collect()
}

/// Expected calibration error over `bins` bins of equal width: Σ over bins of `n_b` / n · |share of positives − mean
/// probability|, with `n_b` of n examples in bin b (Guo et al. 2017).
pub fn calibration_error(labels: &[bool], probabilities: &[f64], bins: usize) -> f64 {
    let bins = reliability_bins(labels, probabilities, bins);
    let gap = |bin: &ReliabilityBin| {
        bin.examples as f64 * (bin.positive_share - bin.mean_probability).abs()
    };
    bins.iter().map(gap).sum::<f64>() / labels.len().max(1) as f64
}

fn mean(labels: &[bool], probabilities: &[f64], loss: impl Fn(bool, f64) -> f64) -> f64 {
    let pairs = labels.iter().zip(probabilities);
    let sum: f64 = pairs.map(|(&label, &p)| loss(label, p)).sum();
    sum / labels.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::golden;

    #[test]
    fn probabilities_equal_the_golden_values() {
        let Some(golden) = golden() else {
            return eprintln!("skipped: no golden values");
        };
        let case = &golden["binary"];
        let read = |name: &str| -> Vec<f64> {
            serde_json::from_value(case[name].clone()).expect("numbers")
        };
        let y: Vec<bool> = read("y").iter().map(|&label| label > 0.5).collect();
        let group: Vec<u32> = read("group").iter().map(|&group| group as u32).collect();
        let (p, ties, w) = (read("p"), read("p_ties"), read("w"));
        let ones = vec![1.0; y.len()];
        for (name, found) in [
            ("auc", area_under_curve(&y, &p, &ones)),
            ("auc_ties", area_under_curve(&y, &ties, &ones)),
            ("auc_weighted", area_under_curve(&y, &p, &w)),
            ("gauc_impression_weighted", grouped_auc(&y, &p, &group)),
            ("logloss", log_loss(&y, &p)),
            ("brier", brier_score(&y, &p)),
            ("ece_5bins_(lo,hi]", calibration_error(&y, &ties, 5)),
        ] {
            let expected = case[name].as_f64().expect("a number");
            assert!((found - expected).abs() < 1e-12, "{name}: {found}");
        }
    }

    #[test]
    fn one_class_alone_says_nothing() {
        assert!((area_under_curve(&[true, true], &[0.1, 0.9], &[1.0; 2]) - 0.5).abs() < 1e-12);
        assert!((grouped_auc(&[true, false], &[0.1, 0.9], &[1, 2]) - 0.5).abs() < 1e-12);
        assert!(log_loss(&[true], &[0.0]).is_finite());
    }

    #[test]
    fn calibration_bins_hold_their_upper_edge() {
        // 0.6 belongs to (0.4, 0.6]: its gap of +0.4 meets the −0.5 of 0.5.
        let error = calibration_error(&[true, false], &[0.6, 0.5], 5);
        assert!((error - 0.05).abs() < 1e-12, "{error}");
        let bins = reliability_bins(&[true, false, true], &[0.6, 0.5, 0.0], 5);
        let examples: Vec<u64> = bins.iter().map(|bin| bin.examples).collect();
        assert_eq!(examples, [1, 0, 2, 0, 0]);
        assert!((bins[2].mean_probability - 0.55).abs() < 1e-12);
        assert!((bins[2].positive_share - 0.5).abs() < 1e-12);
        assert_eq!((bins[2].above, bins[2].up_to), (0.4, 0.6));
    }
}
