//! Percentile intervals by resampling shoppers (Efron & Tibshirani 1993, §13).
//!
//! Every row is resampled by the same draws, so the interval of a difference between two rows is paired.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::Estimate;

/// The means of each row over `resamples` draws of as many shoppers with replacement.
///
/// Each draw has its own stream of the seed, so the result does not depend on the number of threads.
///
/// # Shapes
/// `rows` R × shoppers; the result `resamples` × R.
pub(super) fn resampled_means(rows: &[&[f64]], resamples: usize, seed: u64) -> Vec<Vec<f64>> {
    let shoppers = rows.first().map_or(0, |row| row.len());
    if shoppers == 0 {
        return Vec::new();
    }
    let draw = |stream: u64| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        let drawn: Vec<u32> = (0..shoppers)
            .map(|_| rng.random_range(0..shoppers as u32))
            .collect();
        let mean =
            |row: &&[f64]| drawn.iter().map(|&i| row[i as usize]).sum::<f64>() / shoppers as f64;
        rows.iter().map(mean).collect()
    };
    (0..resamples as u64).into_par_iter().map(draw).collect()
}

/// A figure with the 2.5 % and 97.5 % percentiles of its resampled values; without an interval where there are none.
pub(super) fn estimate(value: f64, mut resampled: Vec<f64>) -> Estimate {
    resampled.sort_by(f64::total_cmp);
    Estimate {
        value,
        low: percentile(&resampled, 0.025),
        high: percentile(&resampled, 0.975),
    }
}

/// The percentile of ascending values, interpolated linearly between neighbours.
fn percentile(ascending: &[f64], share: f64) -> Option<f64> {
    let last = ascending.len().checked_sub(1)?;
    let place = share * last as f64;
    let (below, above) = (place.floor() as usize, place.ceil() as usize);
    let weight = place - place.floor();
    Some(ascending[below] * (1.0 - weight) + ascending[above] * weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_interpolate() {
        let values: Vec<f64> = (0..=40).map(f64::from).collect();
        assert_eq!(percentile(&values, 0.025), Some(1.0));
        assert_eq!(percentile(&values, 0.975), Some(39.0));
        assert_eq!(percentile(&[1.0, 2.0], 0.5), Some(1.5));
        assert_eq!(percentile(&[], 0.5), None);
    }

    #[test]
    fn the_interval_is_about_two_standard_errors_wide() {
        // Half zeros, half ones over 400 shoppers: standard error 0.5 / √400 = 0.025.
        let row: Vec<f64> = (0..400).map(|i| f64::from(i % 2)).collect();
        let means = resampled_means(&[&row], 2000, 7);
        let estimate = estimate(0.5, means.into_iter().map(|mean| mean[0]).collect());
        let (low, high) = (estimate.low.expect("low"), estimate.high.expect("high"));
        assert!((low - (0.5 - 1.96 * 0.025)).abs() < 0.004, "{low}");
        assert!((high - (0.5 + 1.96 * 0.025)).abs() < 0.004, "{high}");
    }

    #[test]
    fn draws_are_paired_and_repeatable() {
        let row: Vec<f64> = (0..50).map(f64::from).collect();
        let shifted: Vec<f64> = row.iter().map(|value| value + 1.0).collect();
        let means = resampled_means(&[&row, &shifted], 20, 1);
        for mean in &means {
            assert!((mean[1] - mean[0] - 1.0).abs() < 1e-9);
        }
        assert_eq!(means, resampled_means(&[&row, &shifted], 20, 1));
        assert_ne!(means, resampled_means(&[&row, &shifted], 20, 2));
        assert!(resampled_means(&[&[]], 20, 1).is_empty());
    }
}
