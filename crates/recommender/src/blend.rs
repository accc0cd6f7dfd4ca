//! A blend of scorers whose weights are learnt from what shoppers bought next.
//!
//! Each scorer's scores become shares p of the shop (counts divided by their sum, logits through a softmax), each share the
//! feature x = ln(N p + 0.1) of N items, and the blend is the logarithmic opinion pool
//!
//! `score(i) = Σ over scorers m of w_m · x_m(i)`
//!
//! (Genest & Zidek, "Combining probability distributions", Statistical Science 1986) whose weights are those of a
//! conditional logit of the next order on held-out windows, which is stacked generalisation (Wolpert, Neural Networks 1992).
//!
//! How this differs from the papers: the weights do not have to sum to 1 nor be positive, the choice set of a shopper is the
//! targets and a seeded sample of the other candidates, and the 0.1 keeps an item that a scorer has never met in the race.

use std::sync::Arc;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::conditional_logit::{self, ChoiceSet};
use crate::{HeldOut, Interaction, KnownScores, RecommenderError, Scorer, Task, bought};

const SMOOTHING: f32 = 0.1;
const BATCH: usize = 64;

/// A scorer within a [`Blend`].
#[derive(Clone)]
pub struct Component {
    /// What scores; shared, since it usually stands in the evaluation table by itself too.
    pub scorer: Arc<dyn Scorer>,
    /// How its scores are to be read.
    pub scale: ScoreScale,
}

/// What the numbers of a scorer are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScoreScale {
    /// Amounts, 0 being nothing; negative ones are read as 0.
    Count,
    /// Logarithms of amounts, as the last layer of a network gives them.
    Logit,
}

/// Settings of [`Blend::learn`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BlendSettings {
    /// The task whose targets are learnt from. Default new items.
    pub task: Task,
    /// Candidates that are not targets in each shopper's choice set, at most. Default 1000.
    pub negatives: usize,
    /// The ridge on the weights against the sum over shoppers, above 0: 1 / variance of a normal prior around 0, so that
    /// a shop with few shoppers keeps small weights. Default 1.
    pub ridge: f64,
    /// Seed of the sample. Default 0.
    pub seed: u64,
}

impl Default for BlendSettings {
    fn default() -> Self {
        Self {
            task: Task::NewItems,
            negatives: 1000,
            ridge: 1.0,
            seed: 0,
        }
    }
}

/// Several scorers as one, each with a weight.
pub struct Blend {
    name: String,
    components: Vec<Component>,
    weights: Vec<f32>,
}

impl Blend {
    /// Joins scorers under the weights that [`Blend::learn`] found for scorers of the same settings.
    ///
    /// # Errors
    /// [`RecommenderError::Setting`] when there is not one weight a component.
    pub fn new(
        name: &str,
        components: Vec<Component>,
        weights: Vec<f32>,
    ) -> Result<Self, RecommenderError> {
        if components.len() != weights.len() {
            return Err(RecommenderError::Setting {
                field: "weights",
                value: format!("{} weights", weights.len()),
                expected: "one weight for each component",
            });
        }
        Ok(Self {
            name: name.to_owned(),
            components,
            weights,
        })
    }

    /// Learns one weight a component from held-out windows; the components of a window were fitted on its training part.
    ///
    /// The blend that is served joins components fitted up to the present under these weights.
    ///
    /// # Errors
    /// [`RecommenderError::Empty`] when no shopper of a window has a target, [`RecommenderError::Setting`] when the ridge is
    /// not above 0 or the windows have different numbers of components, and what a scorer fails with.
    pub fn learn(
        windows: &[(&HeldOut, &[Component])],
        settings: &BlendSettings,
    ) -> Result<Vec<f32>, RecommenderError> {
        let width = windows
            .first()
            .map_or(0, |(_, components)| components.len());
        if windows
            .iter()
            .any(|(_, components)| components.len() != width)
        {
            return Err(RecommenderError::Setting {
                field: "windows",
                value: "different numbers of components".to_owned(),
                expected: "the same components in every window",
            });
        }
        if !(settings.ridge > 0.0 && settings.ridge.is_finite()) {
            return Err(RecommenderError::Setting {
                field: "ridge",
                value: settings.ridge.to_string(),
                expected: "a number above 0",
            });
        }
        let mut choices = Vec::new();
        for (held_out, components) in windows {
            choices.extend(choice_sets(held_out, components, settings)?);
        }
        if choices.is_empty() {
            return Err(RecommenderError::Empty {
                what: "the blend's choices",
                remedy: "learn it on a window in which shoppers with a history order again",
            });
        }
        let weights =
            conditional_logit::fit(&choices, width, settings.ridge / choices.len() as f64);
        Ok(weights.into_iter().map(|weight| weight as f32).collect())
    }

    /// The components' names and weights.
    pub fn weights(&self) -> impl Iterator<Item = (&str, f32)> {
        let names = self
            .components
            .iter()
            .map(|component| component.scorer.name());
        names.zip(self.weights.iter().copied())
    }

    /// The exact parts of `item`'s score, one a component in their order; they sum to the score.
    ///
    /// # Errors
    /// What a scorer fails with.
    pub fn parts(
        &self,
        history: &[Interaction],
        item: u32,
        now_s: i64,
    ) -> Result<Vec<(&str, f32)>, RecommenderError> {
        let known = &mut KnownScores::default();
        let features = features(&self.components, &[history], now_s, known)?;
        let parts = self.weights().zip(features);
        Ok(parts
            .map(|((name, weight), rows)| (name, weight * rows[0][item as usize]))
            .collect())
    }
}

impl Blend {
    /// What each component says of some items beyond what it says of the average item of those that `among` admits: one
    /// list an item, one number a component in their order.
    ///
    /// A share of the shop is a number below 1 for every item, so the parts themselves do not tell which component brought
    /// an item up; their differences from the average do.
    ///
    /// # Shapes
    /// `among` has one entry an item.
    ///
    /// # Errors
    /// What a scorer fails with.
    pub fn parts_beyond_average(
        &self,
        history: &[Interaction],
        items: &[u32],
        among: &[bool],
        now_s: i64,
    ) -> Result<Vec<Vec<(&str, f32)>>, RecommenderError> {
        let known = &mut KnownScores::default();
        let features = features(&self.components, &[history], now_s, known)?;
        let admitted = among.iter().filter(|admitted| **admitted).count().max(1);
        let mut parts = vec![Vec::new(); items.len()];
        for ((name, weight), rows) in self.weights().zip(&features) {
            let row = rows[0].iter().zip(among);
            let sum: f32 = row.filter(|(_, admitted)| **admitted).map(|(x, _)| x).sum();
            let average = sum / admitted as f32;
            for (parts, item) in parts.iter_mut().zip(items) {
                parts.push((name, weight * (rows[0][*item as usize] - average)));
            }
        }
        Ok(parts)
    }
}

impl Scorer for Blend {
    fn name(&self) -> &str {
        &self.name
    }

    fn scores(
        &self,
        histories: &[&[Interaction]],
        now_s: i64,
    ) -> Result<Vec<Vec<f32>>, RecommenderError> {
        self.scores_sharing(histories, now_s, &mut KnownScores::default())
    }

    fn scores_sharing(
        &self,
        histories: &[&[Interaction]],
        now_s: i64,
        known: &mut KnownScores,
    ) -> Result<Vec<Vec<f32>>, RecommenderError> {
        let mut sums: Vec<Vec<f32>> = vec![Vec::new(); histories.len()];
        let features = features(&self.components, histories, now_s, known)?;
        for (rows, &weight) in features.into_iter().zip(&self.weights) {
            for (sum, row) in sums.iter_mut().zip(rows) {
                sum.resize(row.len(), 0.0);
                for (total, x) in sum.iter_mut().zip(row) {
                    *total += weight * x;
                }
            }
        }
        Ok(sums)
    }
}

/// The features of every item: component × history × item.
fn features(
    components: &[Component],
    histories: &[&[Interaction]],
    now_s: i64,
    known: &mut KnownScores,
) -> Result<Vec<Vec<Vec<f32>>>, RecommenderError> {
    let mut features = Vec::with_capacity(components.len());
    for component in components {
        let scores = known.of(component.scorer.as_ref(), histories, now_s)?;
        let of_row = |row: &Vec<f32>| {
            let mut row = row.clone();
            to_feature(&mut row, component.scale);
            row
        };
        features.push(scores.iter().map(of_row).collect());
    }
    Ok(features)
}

/// Replaces scores by ln(N p + 0.1); scores that say nothing, being all 0, become all ln 0.1.
fn to_feature(scores: &mut [f32], scale: ScoreScale) {
    if scale == ScoreScale::Logit {
        let most = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        for score in scores.iter_mut() {
            *score = (*score - most).exp();
        }
    }
    let total: f32 = scores.iter().map(|score| score.max(0.0)).sum();
    let scale = if total > 0.0 {
        scores.len() as f32 / total
    } else {
        0.0
    };
    for score in scores {
        *score = (score.max(0.0) * scale + SMOOTHING).ln();
    }
}

/// One choice set a shopper with targets: the targets, then a sample of the other candidates.
fn choice_sets(
    held_out: &HeldOut,
    components: &[Component],
    settings: &BlendSettings,
) -> Result<Vec<ChoiceSet>, RecommenderError> {
    let batches = held_out.shoppers.par_chunks(BATCH).enumerate();
    let batches = batches.map(|(batch, shoppers)| {
        let histories: Vec<_> = shoppers.iter().map(|s| held_out.history(s)).collect();
        let known = &mut KnownScores::default();
        let features = features(components, &histories, held_out.now_s, known)?;
        let mut choices = Vec::new();
        for (place, shopper) in shoppers.iter().enumerate() {
            let targets = shopper.targets(settings.task);
            if targets.is_empty() {
                continue;
            }
            let mask = settings
                .task
                .mask(&held_out.candidates, &bought(histories[place]));
            let mut others: Vec<u32> = (0u32..)
                .zip(&mask)
                .filter(|(item, admitted)| **admitted && targets.binary_search(item).is_err())
                .map(|(item, _)| item)
                .collect();
            let mut rng = ChaCha8Rng::seed_from_u64(settings.seed);
            rng.set_stream((batch * BATCH + place) as u64);
            let (sample, _) = others.partial_shuffle(&mut rng, settings.negatives);
            let alternatives = targets.iter().chain(sample.iter());
            choices.push(ChoiceSet {
                features: alternatives
                    .flat_map(|&item| features.iter().map(move |rows| rows[place][item as usize]))
                    .collect(),
                chosen: targets.len(),
            });
        }
        Ok(choices)
    });
    let batches: Vec<Vec<ChoiceSet>> = batches.collect::<Result<_, RecommenderError>>()?;
    Ok(batches.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{buy, corpus_of};
    use crate::{EvaluateSettings, RowKind, evaluate, hold_out};

    /// Scores the item after the last one of the history, plus `shift`, highest.
    struct Next(&'static str, u32);

    impl Scorer for Next {
        fn name(&self) -> &'static str {
            self.0
        }

        fn scores(
            &self,
            histories: &[&[Interaction]],
            _now_s: i64,
        ) -> Result<Vec<Vec<f32>>, RecommenderError> {
            let row = |history: &&[Interaction]| {
                let mut scores = vec![0.0; 12];
                if let Some(last) = history.last() {
                    scores[((last.item + self.1) % 12) as usize] = 1.0;
                }
                scores
            };
            Ok(histories.iter().map(row).collect())
        }
    }

    /// Shoppers who buy two items and then the one two places after the last.
    fn held_out() -> HeldOut {
        let shopper = |start: u32| {
            vec![
                buy((start + 5) % 12, 0, None),
                buy(start, 1, None),
                buy((start + 2) % 12, 100, None),
            ]
        };
        hold_out(&corpus_of(12, (0..12).map(shopper).collect()), 50, 200)
    }

    fn components() -> Vec<Component> {
        [("wrong", 1), ("right", 2)]
            .map(|(name, shift)| Component {
                scorer: Arc::new(Next(name, shift)),
                scale: ScoreScale::Count,
            })
            .into()
    }

    #[test]
    fn the_scorer_that_knows_gets_the_weight() {
        let held_out = held_out();
        let weights =
            Blend::learn(&[(&held_out, &components())], &BlendSettings::default()).expect("learns");
        assert!(weights[1] > 1.0 && weights[0] < 0.1, "{weights:?}");
        let blend = Blend::new("blend", components(), weights).expect("joins");
        let scorers: [(&dyn Scorer, RowKind); 1] = [(&blend, RowKind::Model)];
        let settings = EvaluateSettings::with_default("blend");
        let found = evaluate("x", "test", &held_out, &scorers, &settings).expect("evaluates");
        assert!((found.table.rows[0].metrics["mrr"].value - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_parts_add_up_to_the_score() {
        let blend = Blend::new("blend", components(), vec![0.5, 2.0]).expect("joins");
        let history = [buy(3, 0, None)];
        let scores = blend.scores(&[&history], 9).expect("scores");
        let parts = blend.parts(&history, 5, 9).expect("parts");
        assert_eq!(parts[0].0, "wrong");
        // Twelve items with one share of 1: ln 12.1 where the scorer points, ln 0.1 elsewhere.
        assert!((parts[0].1 - 0.5 * 0.1f32.ln()).abs() < 1e-5);
        assert!((parts[1].1 - 2.0 * 12.1f32.ln()).abs() < 1e-5);
        assert!((scores[0][5] - parts[0].1 - parts[1].1).abs() < 1e-5);
    }

    #[test]
    fn a_part_beyond_the_average_compares_with_the_admitted_items() {
        let blend = Blend::new("blend", components(), vec![0.5, 2.0]).expect("joins");
        let history = [buy(3, 0, None)];
        let mut among = [true; 12];
        let parts = blend
            .parts_beyond_average(&history, &[5, 0], &among, 9)
            .expect("parts");
        // One of twelve items has ln 12.1, the others ln 0.1.
        let gap = 12.1f32.ln() - 0.1f32.ln();
        assert_eq!(parts[0][1].0, "right");
        assert!((parts[0][1].1 - 2.0 * gap * 11.0 / 12.0).abs() < 1e-4);
        assert!((parts[0][0].1 + 0.5 * gap / 12.0).abs() < 1e-4);
        assert!((parts[1][1].1 + 2.0 * gap / 12.0).abs() < 1e-4);
        // Beside its equals alone nothing stands out.
        among[4] = false;
        among[5] = false;
        let parts = blend
            .parts_beyond_average(&history, &[0], &among, 9)
            .expect("parts");
        assert!(parts[0].iter().all(|part| part.1.abs() < 1e-5), "{parts:?}");
    }

    #[test]
    fn logits_and_counts_become_the_same_shares() {
        let mut counts = [1.0, 3.0, 0.0];
        let mut logits = counts.map(|count: f32| count.ln() + 700.0);
        to_feature(&mut counts, ScoreScale::Count);
        to_feature(&mut logits, ScoreScale::Logit);
        for (a, b) in counts.iter().zip(logits) {
            assert!((a - b).abs() < 1e-4, "{a} {b}");
        }
        let mut silent = [0.0, -1.0];
        to_feature(&mut silent, ScoreScale::Count);
        assert!(silent.iter().all(|x| (x - SMOOTHING.ln()).abs() < 1e-6));
    }

    #[test]
    fn faults_are_named() {
        let error = Blend::new("blend", components(), vec![1.0]).err();
        assert_eq!(
            error.map(|e| e.to_string()).as_deref(),
            Some("`weights` is 1 weights; expected one weight for each component")
        );
        let held_out = held_out();
        let ridge = BlendSettings {
            ridge: 0.0,
            ..BlendSettings::default()
        };
        assert!(Blend::learn(&[(&held_out, &components())], &ridge).is_err());
        assert!(Blend::learn(&[], &BlendSettings::default()).is_err());
        let repeats = BlendSettings {
            task: Task::Repeats,
            ..BlendSettings::default()
        };
        assert!(Blend::learn(&[(&held_out, &components())], &repeats).is_err());
    }
}
