//! Item transitions: a first-order Markov chain from one order to the next.
//!
//! Rendle, Freudenthaler & Schmidt-Thieme, "Factorizing Personalized Markov Chains for Next-Basket Recommendation" (WWW
//! 2010), give the unfactorised chain of baskets:
//!
//! a(l, i) = P(i in the next basket | l in this one) = n(l → i) / n(l); score(i) = Σ over the last baskets, r = 0 the
//! latest, of decay^r · (1 / |B|) Σ over l in B of a(l, i).
//!
//! How this differs from the paper: it conditions on the last few baskets with a decay instead of on the last one; a
//! transition is divided by n(i)^β too, so that what everybody buys anyway does not follow everything (β = 0 is the
//! paper's); and a transition counts 2^(−age / half-life).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::decay::{check_half_life, decay};
use crate::neighbours::{Because, Neighbours};
use crate::{Basket, Corpus, Interaction, RecommenderError, Scorer, baskets};

/// Settings of [`Transitions`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TransitionsSettings {
    /// Followers kept for each item. Default 500.
    pub neighbours: usize,
    /// Weight of an order against the one after it, 0 to 1. Default 0.5.
    pub order_decay: f64,
    /// The exponent β by which a follower's own frequency is discounted, 0 to 1. Default 0.3.
    pub popularity_discount: f64,
    /// Days after which a transition counts half. Default 30.
    pub half_life_days: f64,
}

impl Default for TransitionsSettings {
    fn default() -> Self {
        Self {
            neighbours: 500,
            order_decay: 0.5,
            popularity_discount: 0.3,
            half_life_days: 30.0,
        }
    }
}

/// Items scored by how often they follow the items of the shopper's last orders.
#[derive(Debug, Clone)]
pub struct Transitions {
    settings: TransitionsSettings,
    followers: Neighbours,
}

impl Transitions {
    /// Counts which items follow which in the next order.
    ///
    /// # Errors
    /// [`RecommenderError::Setting`] when a setting is outside its range.
    pub fn fit(training: &Corpus, settings: TransitionsSettings) -> Result<Self, RecommenderError> {
        check_half_life("half_life_days", settings.half_life_days)?;
        check_share("order_decay", settings.order_decay)?;
        check_share("popularity_discount", settings.popularity_discount)?;
        let end_s = training
            .purchases()
            .map(|line| line.at_s)
            .max()
            .unwrap_or(0);
        let weight = |at_s: i64| decay(end_s - at_s, settings.half_life_days) as f32;
        let items = training.items.len();
        let orders: Vec<Vec<Basket>> = training
            .sequences
            .iter()
            .map(|sequence| baskets(&sequence.interactions))
            .collect();
        let steps: Vec<(&Basket, &Basket)> = orders
            .iter()
            .flat_map(|orders| orders.iter().zip(orders.iter().skip(1)))
            .collect();
        let mut followed = vec![0.0f32; items];
        let mut bought = vec![0.0f32; items];
        let mut steps_of: Vec<Vec<u32>> = vec![Vec::new(); items];
        for (index, (from, to)) in (0u32..).zip(&steps) {
            for &item in &from.items {
                followed[item as usize] += weight(to.at_s);
                steps_of[item as usize].push(index);
            }
            for &item in &to.items {
                bought[item as usize] += weight(to.at_s);
            }
        }
        let followers = Neighbours::build(items, settings.neighbours, |item, row| {
            for &step in &steps_of[item] {
                let to = steps[step as usize].1;
                let weight = weight(to.at_s);
                for &next in &to.items {
                    row[next as usize] += weight;
                }
            }
            let discount = settings.popularity_discount as f32;
            for (strength, &other) in row.iter_mut().zip(&bought) {
                if *strength > 0.0 {
                    *strength /= followed[item] * other.powf(discount);
                }
            }
        });
        Ok(Self {
            settings,
            followers,
        })
    }

    /// The `k` items that most often follow `item` in the next order, with their discounted probabilities.
    pub fn followers(&self, item: u32, k: usize) -> &[(u32, f32)] {
        self.followers.neighbours(item, k)
    }

    /// The exact parts of the score that `history` gives to `item`, by history item, largest first.
    pub fn because(&self, history: &[Interaction], item: u32) -> Vec<Because> {
        let weights = recent_items(history, self.settings.order_decay);
        self.followers.because(&weights, item)
    }
}

/// The weight of each item of a history's last baskets, an item once for all its baskets, ascending: decay^r / |B| for
/// each basket B, r = 0 the latest.
pub(super) fn recent_items(history: &[Interaction], decay: f64) -> Vec<(u32, f32)> {
    let mut weights: BTreeMap<u32, f32> = BTreeMap::new();
    let mut weight = 1.0;
    for basket in baskets(history).iter().rev() {
        for &item in &basket.items {
            *weights.entry(item).or_default() += (weight / basket.items.len() as f64) as f32;
        }
        weight *= decay;
        // What is left of the sum could not change a rank by then.
        if weight < 1e-6 {
            break;
        }
    }
    weights.into_iter().collect()
}

impl Scorer for Transitions {
    fn name(&self) -> &'static str {
        "transitions"
    }

    fn scores(
        &self,
        histories: &[&[Interaction]],
        _now_s: i64,
    ) -> Result<Vec<Vec<f32>>, RecommenderError> {
        let score = |history: &&[Interaction]| {
            let weights = recent_items(history, self.settings.order_decay);
            self.followers.scores(&weights)
        };
        Ok(histories.iter().map(score).collect())
    }
}

/// Verifies that a setting is a share.
pub(super) fn check_share(field: &'static str, value: f64) -> Result<(), RecommenderError> {
    if (0.0..=1.0).contains(&value) {
        return Ok(());
    }
    Err(RecommenderError::Setting {
        field,
        value: value.to_string(),
        expected: "a number from 0 to 1",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{buy, corpus_of};

    fn shop() -> Corpus {
        corpus_of(
            4,
            vec![
                vec![buy(0, 0, Some(1)), buy(1, 1, Some(2)), buy(2, 1, Some(2))],
                vec![buy(0, 0, Some(1)), buy(1, 1, Some(2)), buy(0, 2, Some(3))],
            ],
        )
    }

    fn plain() -> TransitionsSettings {
        TransitionsSettings {
            popularity_discount: 0.0,
            half_life_days: f64::INFINITY,
            order_decay: 0.5,
            ..TransitionsSettings::default()
        }
    }

    #[test]
    fn followers_are_conditional_probabilities() {
        let chain = Transitions::fit(&shop(), plain()).expect("valid");
        assert_eq!(chain.followers(0, 9), [(1, 1.0), (2, 0.5)]);
        assert_eq!(chain.followers(1, 9), [(0, 1.0)]);
        assert_eq!(chain.followers(2, 9), []);
        let discounted = TransitionsSettings {
            popularity_discount: 1.0,
            ..plain()
        };
        let chain = Transitions::fit(&shop(), discounted).expect("valid");
        assert_eq!(chain.followers(0, 9), [(1, 0.5), (2, 0.5)]);
    }

    #[test]
    fn later_orders_weigh_more_and_the_reason_adds_up() {
        let chain = Transitions::fit(&shop(), plain()).expect("valid");
        let history = [buy(0, 0, Some(1)), buy(1, 1, Some(2)), buy(3, 1, Some(2))];
        let scores = chain.scores(&[&history], 5).expect("scores");
        // Item 0 follows 1 (½ of the last order); 1 and 2 follow 0 (the order before, ½).
        assert_eq!(scores[0], [0.5, 0.5, 0.25, 0.0]);
        let reasons = chain.because(&history, 2);
        assert_eq!(
            reasons,
            [Because {
                item: 0,
                contribution: 0.25
            }]
        );
    }

    #[test]
    fn settings_outside_their_range_are_named() {
        let settings = TransitionsSettings {
            order_decay: 1.5,
            ..plain()
        };
        let error = Transitions::fit(&shop(), settings).expect_err("bad");
        assert_eq!(
            error.to_string(),
            "`order_decay` is 1.5; expected a number from 0 to 1"
        );
    }
}
