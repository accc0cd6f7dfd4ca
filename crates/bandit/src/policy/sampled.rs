//! Posterior draws that are made once and shared by all decisions of a policy version.

use std::ops::Range;

use crate::error::{BanditError, check_count, check_finite, check_len, check_range};
use crate::pmf::{Constraints, Pmf};

/// The draws that are scored together.
const LANES: usize = 16;

/// Coefficient vectors drawn from a posterior, reused for every decision of a policy version.
///
/// The share of the draws in which an action scores highest estimates its Thompson probability (Agrawal &
/// Goyal 2013); with S draws the standard error of a probability p is `√(p (1 − p) / S)`. This error
/// makes the policy a little different from exact Thompson sampling; it does not make the logged
/// propensities wrong, because the choice is drawn from the estimate itself.
#[derive(Debug, Clone, PartialEq)]
pub struct SampledPosterior {
    /// `tiles × dimension × LANES`: in each tile, feature by feature, the coefficient in each of its draws,
    /// the last tile filled up with zeros. The scores of an action in a tile are then sums of scaled
    /// contiguous rows that stay in registers, and the tile stays in the first-level cache for all actions.
    tiles: Vec<f64>,
    dimension: usize,
    samples: usize,
}

impl SampledPosterior {
    /// Takes coefficient vectors that were drawn elsewhere, one after the other.
    ///
    /// # Shapes
    /// `thetas` is `samples × dimension`, row by row.
    ///
    /// # Errors
    /// [`BanditError::TooFew`] without a draw or a feature, [`BanditError::Shape`] where the last draw is cut
    /// short, [`BanditError::OutOfRange`] for a coefficient that is not finite.
    pub fn new(thetas: &[f64], dimension: usize) -> Result<Self, BanditError> {
        check_count("the list of features", dimension, 1)?;
        let samples = thetas.len() / dimension;
        check_count("the list of posterior samples", samples, 1)?;
        check_len("thetas", samples * dimension, thetas.len())?;
        check_finite("a coefficient", thetas)?;
        let mut tiles = vec![0.0; samples.div_ceil(LANES) * dimension * LANES];
        for (draw, theta) in thetas.chunks_exact(dimension).enumerate() {
            let (tile, lane) = (draw / LANES, draw % LANES);
            for (feature, &coefficient) in theta.iter().enumerate() {
                tiles[(tile * dimension + feature) * LANES + lane] = coefficient;
            }
        }
        Ok(Self {
            tiles,
            dimension,
            samples,
        })
    }

    /// The number of draws.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// The number of features.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// Estimates the propensities of one candidate set from all draws; sums to 1 within 1e-12.
    ///
    /// Actions of weight 0 take no part. Where several actions share the highest score of a draw, as equal
    /// feature vectors do, they share the draw.
    ///
    /// # Shapes
    /// `actions` is `K × dimension`, row by row; `constraints.weights` has K entries.
    ///
    /// # Errors
    /// [`BanditError::Shape`] where the shapes do not fit, [`BanditError::OutOfRange`] for a feature that is
    /// not finite or a constraint outside its range, [`BanditError::NoAllowedAction`] where every weight is
    /// zero.
    pub fn propensities(
        &self,
        actions: &[f64],
        constraints: Constraints<'_>,
    ) -> Result<Pmf, BanditError> {
        self.propensities_in(0..self.samples, actions, constraints)
    }

    /// Estimates the propensities from one block of the draws, which [`SampledPosterior::block`] picks.
    ///
    /// # Shapes
    /// As in [`SampledPosterior::propensities`].
    ///
    /// # Errors
    /// Those of [`SampledPosterior::propensities`], and [`BanditError::OutOfRange`] where the block is empty
    /// or reaches beyond the draws.
    pub fn propensities_in(
        &self,
        block: Range<usize>,
        actions: &[f64],
        constraints: Constraints<'_>,
    ) -> Result<Pmf, BanditError> {
        let inside = !block.is_empty() && block.end <= self.samples;
        check_range(
            "the end of the block",
            block.end as f64,
            inside,
            "a non-empty block of the draws",
        )?;
        let count = constraints.weights.len();
        constraints.check(count)?;
        check_len("actions", count * self.dimension, actions.len())?;
        check_finite("a feature", actions)?;
        let wins = self.shared_wins(&block, actions, constraints.weights);
        Pmf::from_masses(wins)?.constrained(constraints)
    }

    /// Picks, by a shopper's seed, one of the consecutive blocks of `size` draws.
    ///
    /// A policy version of 1,024 draws used in blocks of 64 costs each decision 64 draws while all shoppers
    /// together see 1,024.
    pub fn block(&self, size: usize, seed: u64) -> Range<usize> {
        let size = size.clamp(1, self.samples);
        let blocks = (self.samples / size) as u64;
        let start = (spread(seed) % blocks) as usize * size;
        start..start + size
    }

    /// Counts the draws of the block that each allowed action wins, a draw with ties being shared.
    fn shared_wins(&self, block: &Range<usize>, actions: &[f64], weights: &[f64]) -> Vec<f64> {
        let allowed: Vec<(usize, Vec<(usize, f64)>)> = actions
            .chunks_exact(self.dimension)
            .enumerate()
            .filter(|(action, _)| weights[*action] > 0.0)
            .map(|(action, x)| (action, present(x)))
            .collect();
        let mut scores = vec![[0.0; LANES]; allowed.len()];
        let mut wins = vec![0.0; weights.len()];
        let tiles = self.tiles.chunks_exact(self.dimension * LANES);
        let first = block.start / LANES;
        for (index, tile) in tiles
            .enumerate()
            .take(block.end.div_ceil(LANES))
            .skip(first)
        {
            let mut best = [f64::NEG_INFINITY; LANES];
            for ((_, x), score) in allowed.iter().zip(&mut scores) {
                *score = score_lanes(tile, x);
                for (best, score) in best.iter_mut().zip(score) {
                    *best = best.max(*score);
                }
            }
            let inside = |lane| block.contains(&(index * LANES + lane));
            let shares = shares_of_draws(&scores, &best, inside);
            for ((action, _), score) in allowed.iter().zip(&scores) {
                for lane in 0..LANES {
                    // No score exceeds the best of its draw, so `>=` is equality.
                    if score[lane] >= best[lane] {
                        wins[*action] += shares[lane];
                    }
                }
            }
        }
        wins
    }
}

/// The features that are not zero, with their indices: one-hot features leave few.
fn present(x: &[f64]) -> Vec<(usize, f64)> {
    let features = x.iter().copied().enumerate();
    features.filter(|(_, value)| *value != 0.0).collect()
}

/// The scores of one action in the draws of a tile.
fn score_lanes(tile: &[f64], x: &[(usize, f64)]) -> [f64; LANES] {
    let mut score = [0.0; LANES];
    for &(feature, value) in x {
        let thetas = &tile[feature * LANES..(feature + 1) * LANES];
        for (score, theta) in score.iter_mut().zip(thetas) {
            *score += value * theta;
        }
    }
    score
}

/// What each winner of a draw gets: one over their number, and nothing outside the block.
fn shares_of_draws(
    scores: &[[f64; LANES]],
    best: &[f64; LANES],
    inside: impl Fn(usize) -> bool,
) -> [f64; LANES] {
    let mut winners = [0.0; LANES];
    for score in scores {
        for lane in 0..LANES {
            winners[lane] += f64::from(u8::from(score[lane] >= best[lane]));
        }
    }
    std::array::from_fn(|lane| {
        if inside(lane) {
            1.0 / winners[lane]
        } else {
            0.0
        }
    })
}

/// Spreads consecutive seeds over the integers (the finaliser of `SplitMix64`, Steele et al. 2014).
fn spread(seed: u64) -> u64 {
    let mut bits = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{assert_all_close, assert_close};

    const FREE: Constraints<'static> = Constraints {
        weights: &[1.0, 1.0, 1.0],
        floor: 0.0,
    };

    /// Four draws of two coefficients.
    fn draws() -> SampledPosterior {
        SampledPosterior::new(&[1.0, 0.0, 0.0, 1.0, 2.0, 1.0, -1.0, -2.0], 2).expect("whole draws")
    }

    #[test]
    fn shares_of_won_draws_computed_by_hand() {
        // The unit vectors and zero win draws 1 and 3, draw 2, and draw 4.
        let actions = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0];
        let pmf = draws().propensities(&actions, FREE).expect("valid");
        assert_all_close(pmf.as_slice(), &[0.5, 0.25, 0.25], 1e-15);
    }

    #[test]
    fn equal_actions_share_their_draws() {
        let actions = [1.0, 0.0, 1.0, 0.0, 0.0, 0.0];
        let pmf = draws().propensities(&actions, FREE).expect("valid");
        // Draw 2 gives all three the score 0: a third each.
        let each = (2.0 * 0.5 + 1.0 / 3.0) / 4.0;
        assert_all_close(pmf.as_slice(), &[each, each, 1.0 - 2.0 * each], 1e-15);
    }

    #[test]
    fn an_excluded_action_takes_no_draw_from_the_others() {
        let actions = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0];
        let constraints = Constraints {
            weights: &[0.0, 1.0, 1.0],
            floor: 0.0,
        };
        let pmf = draws().propensities(&actions, constraints).expect("valid");
        // Without the first action, zero and the second tie in draw 1 and the second wins draw 3.
        assert_all_close(pmf.as_slice(), &[0.0, 2.5 / 4.0, 1.5 / 4.0], 1e-15);
    }

    #[test]
    fn blocks_tile_the_draws_and_are_all_used() {
        let policy = draws();
        let mut starts: Vec<usize> = (0..50).map(|seed| policy.block(2, seed).start).collect();
        assert!(starts.iter().all(|start| start % 2 == 0));
        starts.sort_unstable();
        starts.dedup();
        assert_eq!(starts, [0, 2]);
        assert_eq!(policy.block(99, 1), 0..4);

        let actions = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0];
        let pmf = policy.propensities_in(2..4, &actions, FREE).expect("valid");
        assert_all_close(pmf.as_slice(), &[0.5, 0.0, 0.5], 1e-15);
    }

    #[test]
    fn bad_shapes_and_blocks_are_refused() {
        let policy = draws();
        let fault = |result: Result<Pmf, BanditError>| result.expect_err("a fault").to_string();
        assert_eq!(
            fault(policy.propensities(&[1.0; 5], FREE)),
            "actions has 5 entries, expected 6; pass one entry for each"
        );
        assert_eq!(
            fault(policy.propensities_in(3..5, &[1.0; 6], FREE)),
            "the end of the block is 5; expected a non-empty block of the draws"
        );
        assert_eq!(
            fault(policy.propensities(&[f64::NAN; 6], FREE)),
            "a feature is NaN; expected a finite number"
        );
        assert!(SampledPosterior::new(&[1.0; 3], 2).is_err());
        assert!(SampledPosterior::new(&[], 2).is_err());
    }

    /// The share of each action, draw by draw without tiles.
    fn naive(thetas: &[f64], block: Range<usize>, actions: &[f64], weights: &[f64]) -> Vec<f64> {
        let mut wins = vec![0.0; weights.len()];
        for theta in thetas.chunks_exact(3).take(block.end).skip(block.start) {
            let score = |x: &[f64]| x.iter().zip(theta).map(|(x, theta)| x * theta).sum::<f64>();
            let scores: Vec<f64> = actions.chunks_exact(3).map(score).collect();
            let allowed = || (0..weights.len()).filter(|action| weights[*action] > 0.0);
            let best = allowed()
                .map(|action| scores[action])
                .fold(f64::MIN, f64::max);
            let winners: Vec<usize> = allowed().filter(|action| scores[*action] >= best).collect();
            for winner in &winners {
                wins[*winner] += 1.0 / winners.len() as f64;
            }
        }
        wins
    }

    proptest! {
        #[test]
        fn tiles_count_as_draw_by_draw(
            thetas in prop::collection::vec(prop::array::uniform3(-2..=2_i32), 1..70),
            actions in prop::collection::vec((prop::array::uniform3(-1..=1_i32), 0..3_u32), 1..8),
            ends: (prop::sample::Index, prop::sample::Index),
        ) {
            let thetas: Vec<f64> = thetas.concat().into_iter().map(f64::from).collect();
            let weights: Vec<f64> = actions.iter().map(|action| f64::from(action.1)).collect();
            prop_assume!(weights.iter().any(|weight| *weight > 0.0));
            let rows: Vec<f64> = actions.iter().flat_map(|action| action.0.map(f64::from)).collect();
            let policy = SampledPosterior::new(&thetas, 3).expect("whole draws");
            let (one, two) = (ends.0.index(policy.samples()), ends.1.index(policy.samples()));
            let block = one.min(two)..one.max(two) + 1;
            let constraints = Constraints { weights: &weights, floor: 0.1 };
            let found = policy.propensities_in(block.clone(), &rows, constraints).expect("valid");
            let expected = Pmf::from_masses(naive(&thetas, block, &rows, &weights))
                .and_then(|pmf| pmf.constrained(constraints))
                .expect("valid");
            assert_all_close(found.as_slice(), expected.as_slice(), 1e-12);
            assert_close(found.as_slice().iter().sum(), 1.0, 1e-12);
        }
    }

    #[test]
    fn consecutive_seeds_spread() {
        let mean = (0..1000)
            .map(|seed| (spread(seed) % 16) as f64)
            .sum::<f64>()
            / 1000.0;
        assert_close(mean, 7.5, 0.5);
    }
}
