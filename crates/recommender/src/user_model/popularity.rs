//! What the whole shop bought lately, at any moment of its history.

use std::sync::Arc;

use nn::MixtureTables;

use crate::decay::decay;
use crate::{Corpus, Interaction};

const DAY_S: f64 = 86_400.0;
/// Decayed purchases that every item is given beforehand, so that an unsold item has a finite logarithm.
const PRIOR: f64 = 0.5;
/// Most tables, which bounds the memory for a long history.
const MOST_TABLES: i64 = 400;

/// Log-shares of the items' decayed purchase counts, tabulated over time.
///
/// For half-life h and moment t, feature = ln((c + 0.5) / (Σ c + 0.5 V)) with c = Σ 2^(−(t − s) / h) over an item's
/// purchases at s < t. A score that starts from them starts as "most popular recently", and the model learns what
/// tells a shopper from that. A training target at time t sees the table of a moment at or before t, so no feature
/// knows the future.
#[derive(Debug, Clone)]
pub(super) struct Popularity {
    /// The tables' moments, ascending; a table counts what was bought strictly before its moment.
    moments_s: Vec<i64>,
    /// One row-major [half-life, item] a moment.
    tables: Vec<Arc<[f32]>>,
}

impl Popularity {
    /// Counts the purchases of a corpus: one table every `step_days` (rarer in a history of more than 400 such steps)
    /// from its first purchase, and one after its last.
    pub(super) fn new(corpus: &Corpus, half_lives_days: &[f64], step_days: f64) -> Self {
        let mut purchases: Vec<&Interaction> = corpus.purchases().collect();
        purchases.sort_by_key(|purchase| purchase.at_s);
        let mut popularity = Self {
            moments_s: Vec::new(),
            tables: Vec::new(),
        };
        let (first_s, last_s) = match (purchases.first(), purchases.last()) {
            (Some(first), Some(last)) => (first.at_s, last.at_s),
            _ => (0, 0),
        };
        let step_s = ((step_days * DAY_S) as i64).max((last_s - first_s) / MOST_TABLES);
        let step_s = step_s.max(1);
        let mut counts = vec![vec![0f64; corpus.items.len()]; half_lives_days.len()];
        let mut rest = purchases.as_slice();
        let mut now_s = first_s;
        loop {
            let before = rest.partition_point(|purchase| purchase.at_s < now_s);
            for (counts, half_life) in counts.iter_mut().zip(half_lives_days) {
                for purchase in &rest[..before] {
                    counts[purchase.item as usize] += decay(now_s - purchase.at_s, *half_life);
                }
            }
            rest = &rest[before..];
            popularity.push(now_s, &counts);
            if now_s > last_s {
                return popularity;
            }
            let next_s = (now_s + step_s).min(last_s + 1);
            for (counts, half_life) in counts.iter_mut().zip(half_lives_days) {
                let factor = decay(next_s - now_s, *half_life);
                for count in counts.iter_mut() {
                    *count *= factor;
                }
            }
            now_s = next_s;
        }
    }

    fn push(&mut self, moment_s: i64, counts: &[Vec<f64>]) {
        let shares = |counts: &Vec<f64>| -> Vec<f32> {
            let total = counts.iter().sum::<f64>() + PRIOR * counts.len() as f64;
            let logs = counts.iter().map(|c| ((c + PRIOR) / total).ln() as f32);
            logs.collect()
        };
        self.moments_s.push(moment_s);
        self.tables.push(counts.iter().flat_map(shares).collect());
    }

    /// The tables of several moments, each table once.
    ///
    /// # Shapes
    /// N moments → N rows of [half-lives, V].
    pub(super) fn tables_at(&self, moments_s: impl Iterator<Item = i64>) -> MixtureTables {
        let indices: Vec<usize> = moments_s.map(|now_s| self.index_at(now_s)).collect();
        let mut used = indices.clone();
        used.sort_unstable();
        used.dedup();
        MixtureTables {
            of_row: indices
                .iter()
                .map(|index| used.partition_point(|known| known < index))
                .collect(),
            tables: used
                .iter()
                .map(|index| Arc::clone(&self.tables[*index]))
                .collect(),
        }
    }

    /// The latest table that knows nothing from `now_s` or later; the first one, which is empty, before the first
    /// purchase.
    fn index_at(&self, now_s: i64) -> usize {
        let after = self.moments_s.partition_point(|moment| *moment <= now_s);
        after.saturating_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{buy, corpus_of};

    #[test]
    fn shares_follow_the_decayed_counts_before_the_moment() {
        let day = 86_400;
        let corpus = corpus_of(2, vec![vec![buy(0, 0, None), buy(1, 10 * day, None)]]);
        let popularity = Popularity::new(&corpus, &[10.0], 5.0);
        let share = |now_s| -> Vec<f64> {
            let found = popularity.tables_at([now_s].into_iter());
            let table = found.tables[found.of_row[0]].iter();
            table.map(|log| f64::from(*log).exp()).collect()
        };
        let close = |found: Vec<f64>, expected: [f64; 2]| {
            for (found, expected) in found.iter().zip(expected) {
                assert!((found - expected).abs() < 1e-6, "{found} is not {expected}");
            }
        };
        // Nothing sold yet: even shares. At day 10 the purchase of that very moment is unknown.
        close(share(-5), [0.5, 0.5]);
        close(share(0), [0.5, 0.5]);
        close(
            share(5 * day),
            [0.5f64.sqrt() + 0.5, 0.5].map(|c| c / (0.5f64.sqrt() + 1.0)),
        );
        close(share(10 * day), [1.0 / 1.5, 0.5 / 1.5]);
        close(share(99 * day), [1.0 / 2.5, 1.5 / 2.5]);
    }
}
