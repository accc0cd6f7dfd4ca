//! Item-based nearest neighbours.
//!
//! Sarwar, Karypis, Konstan & Riedl, "Item-based collaborative filtering recommendation algorithms" (WWW 2001), and
//! Deshpande & Karypis, "Item-based top-N recommendation algorithms" (TOIS 2004):
//!
//! sim(h, i) = c(h, i) / √(c(h) · c(i)), the cosine of the items' columns in the matrix of baskets, of which the k largest
//! of each h are kept; score(i) = Σ over the history's items h of w(h) · sim(h, i).
//!
//! How this differs from the papers: the columns may be of baskets or of whole shoppers; a basket counts
//! 2^(−age / half-life), so that what is no longer sold fades; and a history item weighs w(h) = 2^(−age / half-life) of its
//! last purchase instead of 1. Infinite half-lives give the papers' form. A shopper without history gets zeros.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::decay::{check_half_life, decay};
use crate::neighbours::{Because, Neighbours};
use crate::{Corpus, Interaction, InteractionKind, RecommenderError, Scorer, baskets};

/// Settings of [`ItemKnn`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ItemKnnSettings {
    /// Neighbours kept for each item. Default 1000.
    pub neighbours: usize,
    /// Whether two items go together when one shopper bought both, in whatever orders, and not only in one basket.
    /// Default false.
    pub across_baskets: bool,
    /// Days after which a basket counts half in the similarities. Default 30.
    pub basket_half_life_days: f64,
    /// Days after which a purchase of the history weighs half. Default 30.
    pub history_half_life_days: f64,
}

impl Default for ItemKnnSettings {
    fn default() -> Self {
        Self {
            neighbours: 1000,
            across_baskets: false,
            basket_half_life_days: 30.0,
            history_half_life_days: 30.0,
        }
    }
}

/// Items scored by how often they were bought together with the shopper's items.
#[derive(Debug, Clone)]
pub struct ItemKnn {
    settings: ItemKnnSettings,
    neighbours: Neighbours,
}

impl ItemKnn {
    /// Counts which items go together.
    ///
    /// # Errors
    /// [`RecommenderError::Setting`] when a half-life is not above 0.
    pub fn fit(training: &Corpus, settings: ItemKnnSettings) -> Result<Self, RecommenderError> {
        check_half_life("basket_half_life_days", settings.basket_half_life_days)?;
        check_half_life("history_half_life_days", settings.history_half_life_days)?;
        let groups = groups(training, &settings);
        let items = training.items.len();
        let mut mass = vec![0.0f32; items];
        let mut groups_of: Vec<Vec<u32>> = vec![Vec::new(); items];
        for (index, group) in (0u32..).zip(&groups) {
            for &(item, weight) in group {
                mass[item as usize] += weight * weight;
                groups_of[item as usize].push(index);
            }
        }
        let neighbours = Neighbours::build(items, settings.neighbours, |item, row| {
            for &group in &groups_of[item] {
                let group = &groups[group as usize];
                let own = group
                    .binary_search_by_key(&(item as u32), |line| line.0)
                    .map_or(0.0, |place| group[place].1);
                for &(other, weight) in group {
                    row[other as usize] += own * weight;
                }
            }
            row[item] = 0.0;
            for (strength, &other) in row.iter_mut().zip(&mass) {
                if *strength > 0.0 {
                    *strength /= (mass[item] * other).sqrt();
                }
            }
        });
        Ok(Self {
            settings,
            neighbours,
        })
    }

    /// The `k` items that go best with `item` and their cosines, best first: "goes with X, which you bought".
    pub fn neighbours(&self, item: u32, k: usize) -> &[(u32, f32)] {
        self.neighbours.neighbours(item, k)
    }

    /// The exact parts of the score that `history` gives to `item`, by history item, largest first.
    pub fn because(&self, history: &[Interaction], item: u32, now_s: i64) -> Vec<Because> {
        self.neighbours.because(&self.weights(history, now_s), item)
    }

    /// The weight of each distinct item of a history, ascending by item.
    fn weights(&self, history: &[Interaction], now_s: i64) -> Vec<(u32, f32)> {
        let mut last_s = BTreeMap::new();
        for line in history {
            if line.kind == InteractionKind::Purchase {
                last_s.insert(line.item, line.at_s);
            }
        }
        let half_life = self.settings.history_half_life_days;
        last_s
            .into_iter()
            .map(|(item, at_s)| (item, decay(now_s - at_s, half_life) as f32))
            .collect()
    }
}

impl Scorer for ItemKnn {
    fn name(&self) -> &'static str {
        "item-knn"
    }

    fn scores(
        &self,
        histories: &[&[Interaction]],
        now_s: i64,
    ) -> Result<Vec<Vec<f32>>, RecommenderError> {
        let score =
            |history: &&[Interaction]| self.neighbours.scores(&self.weights(history, now_s));
        Ok(histories.iter().map(score).collect())
    }
}

/// The rows of the matrix: for each basket or shopper its items, ascending, with the square root of the row's weight.
fn groups(training: &Corpus, settings: &ItemKnnSettings) -> Vec<Vec<(u32, f32)>> {
    let end_s = training
        .purchases()
        .map(|line| line.at_s)
        .max()
        .unwrap_or(0);
    let weight = |at_s: i64| decay(end_s - at_s, settings.basket_half_life_days).sqrt() as f32;
    let mut groups = Vec::new();
    for sequence in &training.sequences {
        let baskets = baskets(&sequence.interactions);
        if settings.across_baskets {
            let mut last = BTreeMap::new();
            for basket in baskets {
                last.extend(basket.items.iter().map(|&item| (item, weight(basket.at_s))));
            }
            groups.push(last.into_iter().collect());
        } else {
            groups.extend(baskets.into_iter().map(|basket| {
                let weight = weight(basket.at_s);
                basket
                    .items
                    .into_iter()
                    .map(|item| (item, weight))
                    .collect()
            }));
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{buy, corpus_of};

    const DAY: i64 = 86_400;

    fn shop() -> Corpus {
        corpus_of(
            4,
            vec![
                vec![
                    buy(0, 0, Some(1)),
                    buy(1, 0, Some(1)),
                    buy(2, 10 * DAY, Some(2)),
                ],
                vec![buy(0, 0, Some(1)), buy(1, 0, Some(1))],
                vec![buy(0, 10 * DAY, Some(1)), buy(3, 10 * DAY, Some(1))],
            ],
        )
    }

    fn plain(across_baskets: bool) -> ItemKnnSettings {
        ItemKnnSettings {
            across_baskets,
            basket_half_life_days: f64::INFINITY,
            history_half_life_days: f64::INFINITY,
            ..ItemKnnSettings::default()
        }
    }

    fn assert_close(found: &[(u32, f32)], expected: &[(u32, f32)]) {
        let items = |row: &[(u32, f32)]| row.iter().map(|line| line.0).collect::<Vec<_>>();
        assert_eq!(items(found), items(expected));
        for (a, b) in found.iter().zip(expected) {
            assert!((a.1 - b.1).abs() < 1e-6, "{a:?} {b:?}");
        }
    }

    #[test]
    fn similarity_is_the_cosine_over_baskets_or_shoppers() {
        let in_baskets = ItemKnn::fit(&shop(), plain(false)).expect("valid");
        // Item 0 is in three baskets, with 1 in two of its two and with 3 in one of its one.
        let expected = [(1, 2.0 / 6f32.sqrt()), (3, 1.0 / 3f32.sqrt())];
        assert_close(in_baskets.neighbours(0, 9), &expected);
        assert_close(in_baskets.neighbours(2, 9), &[]);
        let by_shopper = ItemKnn::fit(&shop(), plain(true)).expect("valid");
        let expected = [(1, 1.0 / 2f32.sqrt()), (0, 1.0 / 3f32.sqrt())];
        assert_close(by_shopper.neighbours(2, 9), &expected);
    }

    #[test]
    fn older_baskets_count_less() {
        let settings = ItemKnnSettings {
            basket_half_life_days: 10.0,
            ..plain(false)
        };
        let knn = ItemKnn::fit(&shop(), settings).expect("valid");
        // Weights ½, ½ and 1: c(0, 1) = 1, c(0) = 2, c(1) = 1; c(0, 3) = 1, c(3) = 1.
        let half = 1.0 / 2f32.sqrt();
        assert_close(knn.neighbours(0, 9), &[(1, half), (3, half)]);
    }

    #[test]
    fn the_reason_adds_up_to_the_score() {
        let settings = ItemKnnSettings {
            history_half_life_days: 10.0,
            ..plain(true)
        };
        let knn = ItemKnn::fit(&shop(), settings).expect("valid");
        let history = [buy(0, 0, None), buy(2, 10 * DAY, None)];
        let scores = knn.scores(&[&history], 20 * DAY).expect("scores");
        let parts = knn.because(&history, 1, 20 * DAY);
        let sum: f32 = parts.iter().map(|part| part.contribution).sum();
        assert!((scores[0][1] - sum).abs() < 1e-6);
        assert_eq!(
            parts.iter().map(|part| part.item).collect::<Vec<_>>(),
            [2, 0]
        );
        let expected = 0.5 / 2f32.sqrt();
        assert!((parts[0].contribution - expected).abs() < 1e-6);
    }
}
