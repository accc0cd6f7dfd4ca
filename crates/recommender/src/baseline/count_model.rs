//! The count model: what follows what, near or far, and what the same shoppers have.
//!
//! strength(l → i) = T(l, i) / n(l) + λ · c(l, i) / √(c(l) c(i)), where T adds decay^(d − 1) for every time that i comes
//! d baskets after l, and back · decay^(d − 1) for every time it comes d baskets before; n(l) are the baskets with l, c(l)
//! the shoppers who have l, c(l, i) those who have both. score(i) = Σ over the last baskets, r = 0 the latest, of
//! recency^r · (1 / |B|) Σ over l in B of strength(l → i).
//!
//! Sources: Eirinaki et al., "Web Path Recommendations based on Page Ranking and Markov Models", 2005, for chains that
//! look past the next step; Linden et al., "Amazon.com Recommendations: Item-to-Item Collaborative Filtering", 2003, for
//! the cosine. How this differs: the two are added, and what came before counts too.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::transitions::{check_share, recent_items};
use crate::neighbours::{Because, Neighbours};
use crate::{Basket, Corpus, Interaction, RecommenderError, Scorer, baskets};

/// What is left of a decayed step is no longer counted.
const NEGLIGIBLE: f32 = 1e-4;

/// Settings of [`CountModel`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CountModelSettings {
    /// Neighbours kept for each item. Default 1000.
    pub neighbours: usize,
    /// What a step is worth against a step that is one basket shorter, 0 to 1. Default 0.8.
    pub step_decay: f64,
    /// What coming before is worth against coming after, 0 to 1. Default 0.3.
    pub backward: f64,
    /// The cosine's weight λ, 0 to 1. Default 0.5.
    pub cosine: f64,
    /// Weight of a basket of the history against the one after it, 0 to 1. Default 0.8.
    pub recency: f64,
}

impl Default for CountModelSettings {
    fn default() -> Self {
        Self {
            neighbours: 1000,
            step_decay: 0.8,
            backward: 0.3,
            cosine: 0.5,
            recency: 0.8,
        }
    }
}

/// Items scored by what came near them in the shop's sequences; see the formula above.
#[derive(Debug, Clone)]
pub struct CountModel {
    settings: CountModelSettings,
    strengths: Neighbours,
}

impl CountModel {
    /// Counts.
    ///
    /// # Errors
    /// [`RecommenderError::Setting`] when a setting is outside its range.
    pub fn fit(training: &Corpus, settings: CountModelSettings) -> Result<Self, RecommenderError> {
        for (field, value) in [
            ("step_decay", settings.step_decay),
            ("backward", settings.backward),
            ("cosine", settings.cosine),
            ("recency", settings.recency),
        ] {
            check_share(field, value)?;
        }
        let items = training.items.len();
        let shoppers: Vec<Vec<Basket>> = training
            .sequences
            .iter()
            .map(|sequence| baskets(&sequence.interactions))
            .collect();
        let mut places: Vec<Vec<(usize, usize)>> = vec![Vec::new(); items];
        let mut owners: Vec<Vec<usize>> = vec![Vec::new(); items];
        let mut owned: Vec<Vec<u32>> = Vec::with_capacity(shoppers.len());
        for (shopper, baskets) in shoppers.iter().enumerate() {
            for (place, basket) in baskets.iter().enumerate() {
                for &item in &basket.items {
                    places[item as usize].push((shopper, place));
                }
            }
            let distinct: BTreeSet<u32> = baskets.iter().flat_map(|b| b.items.clone()).collect();
            for &item in &distinct {
                owners[item as usize].push(shopper);
            }
            owned.push(distinct.into_iter().collect());
        }
        let decay = settings.step_decay as f32;
        let add = |row: &mut [f32], baskets: &mut dyn Iterator<Item = &Basket>, first: f32| {
            let mut weight = first;
            for basket in baskets {
                if weight < NEGLIGIBLE * first || weight == 0.0 {
                    break;
                }
                for &item in &basket.items {
                    row[item as usize] += weight;
                }
                weight *= decay;
            }
        };
        let strengths = Neighbours::build(items, settings.neighbours, |item, row| {
            let one = 1.0 / places[item].len().max(1) as f32;
            for &(shopper, place) in &places[item] {
                let baskets = &shoppers[shopper];
                add(row, &mut baskets[place + 1..].iter(), one);
                let backward = one * settings.backward as f32;
                add(row, &mut baskets[..place].iter().rev(), backward);
            }
            let cosine = settings.cosine as f32;
            for &shopper in owners[item].iter().filter(|_| cosine > 0.0) {
                for &other in &owned[shopper] {
                    let both = owners[item].len() as f32 * owners[other as usize].len() as f32;
                    row[other as usize] += cosine / both.sqrt();
                }
            }
            row[item] = 0.0;
        });
        Ok(Self {
            settings,
            strengths,
        })
    }

    /// The exact parts of the score that `history` gives to `item`, by history item, largest first.
    pub fn because(&self, history: &[Interaction], item: u32) -> Vec<Because> {
        let weights = recent_items(history, self.settings.recency);
        self.strengths.because(&weights, item)
    }
}

impl Scorer for CountModel {
    fn name(&self) -> &'static str {
        "count-model"
    }

    fn scores(
        &self,
        histories: &[&[Interaction]],
        _now_s: i64,
    ) -> Result<Vec<Vec<f32>>, RecommenderError> {
        let score = |history: &&[Interaction]| {
            let weights = recent_items(history, self.settings.recency);
            self.strengths.scores(&weights)
        };
        Ok(histories.iter().map(score).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{buy, corpus_of};

    /// Two shoppers: 0 then 1 then 2, and 1 then 2.
    fn shop() -> Corpus {
        corpus_of(
            3,
            vec![
                vec![buy(0, 0, None), buy(1, 1, None), buy(2, 2, None)],
                vec![buy(1, 0, None), buy(2, 1, None)],
            ],
        )
    }

    fn score(settings: CountModelSettings, history: &[Interaction], item: usize) -> f32 {
        let model = CountModel::fit(&shop(), settings).expect("valid");
        model.scores(&[history], 9).expect("counts")[0][item]
    }

    #[test]
    fn strengths_equal_those_by_hand() {
        let settings = CountModelSettings {
            step_decay: 0.5,
            backward: 0.25,
            cosine: 0.1,
            recency: 0.5,
            ..CountModelSettings::default()
        };
        let close = |found: f32, expected: f32| {
            assert!((found - expected).abs() < 1e-6, "{found} is not {expected}");
        };
        // 2 comes two baskets after 0, once; one of the two who have 2 has 0, which one shopper has.
        close(
            score(settings, &[buy(0, 5, None)], 2),
            0.5 + 0.1 / 2f32.sqrt(),
        );
        // 1 comes one basket before 2, in both sequences; both shoppers have both.
        close(score(settings, &[buy(2, 5, None)], 1), 0.25 + 0.1);
        // 2 follows 1 in both; 0 is one basket older than 1, so half of what it says is added.
        let both = [buy(0, 5, None), buy(1, 6, None)];
        let of_zero = 0.5 + 0.1 / 2f32.sqrt();
        close(score(settings, &both, 2), (1.0 + 0.1) + 0.5 * of_zero);
        assert!(score(settings, &[buy(1, 5, None)], 1).abs() <= 0.0);
    }

    #[test]
    fn the_reason_adds_up_to_the_score() {
        let settings = CountModelSettings::default();
        let model = CountModel::fit(&shop(), settings).expect("valid");
        let history = [buy(0, 5, None), buy(1, 6, None)];
        let parts = model.because(&history, 2);
        let sum: f32 = parts.iter().map(|part| part.contribution).sum();
        assert!((sum - score(settings, &history, 2)).abs() < 1e-6);
        assert_eq!(parts.iter().map(|p| p.item).collect::<Vec<_>>(), [1, 0]);
    }

    #[test]
    fn a_setting_outside_its_range_is_named() {
        let settings = CountModelSettings {
            backward: 1.5,
            ..CountModelSettings::default()
        };
        let error = CountModel::fit(&shop(), settings).expect_err("above 1");
        assert_eq!(
            error.to_string(),
            "`backward` is 1.5; expected a number from 0 to 1"
        );
    }
}
