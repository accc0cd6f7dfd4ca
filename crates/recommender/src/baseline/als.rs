//! Matrix factorisation of implicit feedback by alternating least squares.
//!
//! Hu, Koren & Volinsky, "Collaborative Filtering for Implicit Feedback Datasets" (ICDM 2008): with r the number of times
//! a shopper bought an item, preference p = 1 where r > 0 and confidence c = 1 + α r,
//!
//! min over X, Y of Σ over all pairs of c (p − xᵀy)² + λ (Σ‖x‖² + Σ‖y‖²),
//!
//! solved in turn for all x with Y fixed, `x = (YᵀY + Yᵀ(C − I)Y + λI)⁻¹ Yᵀ C p`, and for all y with X fixed.
//!
//! How this differs from the paper: r counts baskets, each as 2^(−age / half-life); a shopper is folded in from the history
//! that is passed (one more solution for x), so that a new purchase counts without a new fit.

use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::als_solve::{gram, solve_row};
use crate::decay::{check_half_life, decay};
use crate::{Corpus, Interaction, RecommenderError, Scorer, baskets};

/// Settings of [`ImplicitAls`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImplicitAlsSettings {
    /// Width of the factors. Default 64.
    pub factors: usize,
    /// Confidence α of one purchase. Default 4.
    pub confidence: f64,
    /// Regularisation λ. Default 30.
    pub regularisation: f64,
    /// Rounds of both half-steps. Default 10.
    pub rounds: usize,
    /// Days after which a basket counts half. Default 45.
    pub half_life_days: f64,
    /// Seed of the first item factors. Default 0.
    pub seed: u64,
}

impl Default for ImplicitAlsSettings {
    fn default() -> Self {
        Self {
            factors: 64,
            confidence: 4.0,
            regularisation: 30.0,
            rounds: 10,
            half_life_days: 45.0,
            seed: 0,
        }
    }
}

/// Items scored by the inner product of learnt shopper and item factors.
#[derive(Debug, Clone)]
pub struct ImplicitAls {
    settings: ImplicitAlsSettings,
    item_factors: Vec<f32>,
    item_gram: Vec<f32>,
}

impl ImplicitAls {
    /// Factorises the purchases of the training window.
    ///
    /// # Errors
    /// [`RecommenderError::Setting`] when a setting is outside its range.
    pub fn fit(training: &Corpus, settings: ImplicitAlsSettings) -> Result<Self, RecommenderError> {
        check(&settings)?;
        let (items, width) = (training.items.len(), settings.factors);
        let end_s = training
            .purchases()
            .map(|line| line.at_s)
            .max()
            .unwrap_or(0);
        let of_shopper: Vec<Vec<(u32, f32)>> = training
            .sequences
            .iter()
            .map(|sequence| confidences(&settings, &sequence.interactions, end_s))
            .collect();
        let of_item = transpose(&of_shopper, items);
        let mut rng = ChaCha8Rng::seed_from_u64(settings.seed);
        let scale = 1.0 / (width as f32).sqrt();
        let mut item_factors: Vec<f32> = (0..items * width)
            .map(|_| (rng.random::<f32>() - 0.5) * scale)
            .collect();
        for _ in 0..settings.rounds {
            let shopper_factors = half_step(&item_factors, &of_shopper, &settings);
            item_factors = half_step(&shopper_factors, &of_item, &settings);
        }
        Ok(Self {
            settings,
            item_gram: gram(&item_factors, width),
            item_factors,
        })
    }
}

impl Scorer for ImplicitAls {
    fn name(&self) -> &'static str {
        "implicit-als"
    }

    fn scores(
        &self,
        histories: &[&[Interaction]],
        now_s: i64,
    ) -> Result<Vec<Vec<f32>>, RecommenderError> {
        let score = |history: &&[Interaction]| -> Vec<f32> {
            let entries = confidences(&self.settings, history, now_s);
            let regularisation = self.settings.regularisation as f32;
            let x = solve_row(
                &self.item_factors,
                &self.item_gram,
                &entries,
                regularisation,
            );
            let rows = self.item_factors.chunks_exact(self.settings.factors);
            nn::simd::vectorised(
                #[inline(always)]
                || rows.map(|y| nn::simd::dot::<f32, f32>(&x, y)).collect(),
            )
        };
        Ok(histories.iter().map(score).collect())
    }
}

/// The items of a history with their confidence c = 1 + α r, ascending.
fn confidences(
    settings: &ImplicitAlsSettings,
    history: &[Interaction],
    now_s: i64,
) -> Vec<(u32, f32)> {
    let mut times: BTreeMap<u32, f64> = BTreeMap::new();
    for basket in baskets(history) {
        let weight = decay(now_s - basket.at_s, settings.half_life_days);
        for item in basket.items {
            *times.entry(item).or_default() += weight;
        }
    }
    times
        .into_iter()
        .map(|(item, times)| (item, (1.0 + settings.confidence * times) as f32))
        .collect()
}

/// Solves every row with the other side's factors fixed; the rows are independent and keep their order.
fn half_step(
    fixed: &[f32],
    entries: &[Vec<(u32, f32)>],
    settings: &ImplicitAlsSettings,
) -> Vec<f32> {
    let gram = gram(fixed, settings.factors);
    let regularisation = settings.regularisation as f32;
    let rows = entries
        .par_iter()
        .flat_map_iter(|entries| solve_row(fixed, &gram, entries, regularisation));
    rows.collect()
}

fn transpose(rows: &[Vec<(u32, f32)>], columns: usize) -> Vec<Vec<(u32, f32)>> {
    let mut transposed = vec![Vec::new(); columns];
    for (index, row) in (0u32..).zip(rows) {
        for &(column, value) in row {
            transposed[column as usize].push((index, value));
        }
    }
    transposed
}

fn check(settings: &ImplicitAlsSettings) -> Result<(), RecommenderError> {
    check_half_life("half_life_days", settings.half_life_days)?;
    let refuse = |field, value: String, expected| {
        Err(RecommenderError::Setting {
            field,
            value,
            expected,
        })
    };
    if settings.factors == 0 {
        return refuse("factors", "0".to_owned(), "a whole number from 1");
    }
    for (field, value) in [
        ("confidence", settings.confidence),
        ("regularisation", settings.regularisation),
    ] {
        if !(value > 0.0 && value.is_finite()) {
            return refuse(field, value.to_string(), "a number above 0");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{buy, corpus_of};

    fn settings() -> ImplicitAlsSettings {
        ImplicitAlsSettings {
            factors: 2,
            regularisation: 0.1,
            ..ImplicitAlsSettings::default()
        }
    }

    /// Two tastes: even shoppers buy among items 0 to 3, odd ones among 4 to 7, each leaving one of them out.
    fn two_tastes() -> Corpus {
        let shopper = |index: u32| {
            let base = index % 2 * 4;
            let bought = (0..4).filter(|offset| *offset != index / 2 % 4);
            bought
                .map(|offset| buy(base + offset, i64::from(offset), None))
                .collect()
        };
        corpus_of(8, (0..16).map(shopper).collect())
    }

    #[test]
    fn the_missing_item_of_a_taste_is_found() {
        let corpus = two_tastes();
        let als = ImplicitAls::fit(&corpus, settings()).expect("valid");
        for (index, sequence) in corpus.sequences.iter().enumerate() {
            let scores = als.scores(&[&sequence.interactions], 10).expect("scores");
            let left_out = index % 2 * 4 + index / 2 % 4;
            let other_taste = (index + 1) % 2 * 4;
            for item in other_taste..other_taste + 4 {
                assert!(scores[0][left_out] > scores[0][item] + 0.3, "{scores:?}");
            }
        }
    }

    #[test]
    fn a_seed_gives_the_same_bits() {
        let fit = |seed| {
            let settings = ImplicitAlsSettings { seed, ..settings() };
            ImplicitAls::fit(&two_tastes(), settings)
                .expect("valid")
                .item_factors
        };
        assert_eq!(fit(1), fit(1));
        assert_ne!(fit(1), fit(2));
    }

    #[test]
    fn settings_outside_their_range_are_named() {
        for (settings, message) in [
            (
                ImplicitAlsSettings {
                    factors: 0,
                    ..settings()
                },
                "`factors` is 0; expected a whole number from 1",
            ),
            (
                ImplicitAlsSettings {
                    regularisation: 0.0,
                    ..settings()
                },
                "`regularisation` is 0; expected a number above 0",
            ),
        ] {
            let error = ImplicitAls::fit(&two_tastes(), settings).expect_err("bad");
            assert_eq!(error.to_string(), message);
        }
    }
}
