//! The conditional logit model of a choice among alternatives.
//!
//! D. `McFadden`, "Conditional logit analysis of qualitative choice behavior" (1974): with a feature vector x of each
//! alternative, P(i is chosen) = exp(w · xᵢ) / Σⱼ exp(w · xⱼ); w maximises the likelihood, here by Newton's method with step
//! halving, which cannot miss since the objective is convex.
//!
//! How this differs from the paper: several alternatives of a set may be chosen, each counting 1 / (number chosen); the
//! objective carries a ridge ρ/2 ‖w‖², which keeps it strictly convex where features repeat one another.

use rayon::prelude::*;

/// Sets whose sums are added in one piece; fixed, so that the result does not depend on the number of threads.
const CHUNK: usize = 32;

/// The alternatives that somebody chose among.
pub(crate) struct ChoiceSet {
    /// Features of the alternatives, row after row, the chosen ones first.
    pub(crate) features: Vec<f32>,
    /// How many of them were chosen, at least 1.
    pub(crate) chosen: usize,
}

/// The weights of `width` features under which the choices are most likely, with the ridge `ridge` above 0.
pub(crate) fn fit(choices: &[ChoiceSet], width: usize, ridge: f64) -> Vec<f64> {
    let mut weights = vec![0.0; width];
    let mut state = Sums::of(choices, &weights, ridge);
    for _ in 0..50 {
        let step = solve(state.hessian.clone(), state.gradient.clone());
        let tried = (0..30)
            .map(|halvings| 0.5f64.powi(halvings))
            .find_map(|length| {
                let moved: Vec<f64> = weights
                    .iter()
                    .zip(&step)
                    .map(|(w, s)| w - length * s)
                    .collect();
                let sums = Sums::of(choices, &moved, ridge);
                (sums.loss < state.loss).then_some((moved, sums))
            });
        let Some((moved, sums)) = tried else { break };
        let gain = state.loss - sums.loss;
        (weights, state) = (moved, sums);
        if gain < 1e-10 * state.loss.abs() {
            break;
        }
    }
    weights
}

/// The objective with its first and second derivatives.
struct Sums {
    loss: f64,
    gradient: Vec<f64>,
    hessian: Vec<Vec<f64>>,
}

impl Sums {
    fn zero(width: usize) -> Self {
        Self {
            loss: 0.0,
            gradient: vec![0.0; width],
            hessian: vec![vec![0.0; width]; width],
        }
    }

    fn of(choices: &[ChoiceSet], weights: &[f64], ridge: f64) -> Self {
        let width = weights.len();
        let chunks = choices.par_chunks(CHUNK).map(|chunk| {
            let mut sums = Self::zero(width);
            for choice in chunk {
                sums.add_choice(choice, weights);
            }
            sums
        });
        let chunks: Vec<Self> = chunks.collect();
        let mut total = Self::zero(width);
        let scale = 1.0 / choices.len().max(1) as f64;
        for sums in &chunks {
            total.add(sums, scale);
        }
        for (d, weight) in weights.iter().enumerate() {
            total.loss += 0.5 * ridge * weight * weight;
            total.gradient[d] += ridge * weight;
            total.hessian[d][d] += ridge;
        }
        total
    }

    fn add(&mut self, other: &Self, scale: f64) {
        self.loss += scale * other.loss;
        for (sum, value) in self.gradient.iter_mut().zip(&other.gradient) {
            *sum += scale * value;
        }
        for (row, values) in self.hessian.iter_mut().zip(&other.hessian) {
            for (sum, value) in row.iter_mut().zip(values) {
                *sum += scale * value;
            }
        }
    }

    /// Adds −mean over the chosen of log P, its gradient E[x] − mean x and its Hessian, the covariance of x.
    fn add_choice(&mut self, choice: &ChoiceSet, weights: &[f64]) {
        let width = weights.len();
        let rows = || choice.features.chunks_exact(width);
        let utility: Vec<f64> = rows()
            .map(|row| {
                row.iter()
                    .zip(weights)
                    .map(|(x, w)| f64::from(*x) * w)
                    .sum()
            })
            .collect();
        let most = utility.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = utility.iter().map(|u| (u - most).exp()).sum();
        let share = 1.0 / choice.chosen as f64;
        let mut mean = vec![0.0; width];
        for (row, u) in rows().zip(&utility) {
            let p = (u - most).exp() / total;
            for (a, x) in row.iter().enumerate() {
                let weighted = p * f64::from(*x);
                mean[a] += weighted;
                for (sum, y) in self.hessian[a].iter_mut().zip(row) {
                    *sum += weighted * f64::from(*y);
                }
            }
        }
        for (row, u) in rows().zip(&utility).take(choice.chosen) {
            self.loss -= share * (u - most - total.ln());
            for (sum, x) in self.gradient.iter_mut().zip(row) {
                *sum -= share * f64::from(*x);
            }
        }
        for a in 0..width {
            self.gradient[a] += mean[a];
            for b in 0..width {
                self.hessian[a][b] -= mean[a] * mean[b];
            }
        }
    }
}

/// Solves a positive definite system by Gaussian elimination, which needs no pivoting there.
fn solve(mut matrix: Vec<Vec<f64>>, mut target: Vec<f64>) -> Vec<f64> {
    let width = target.len();
    for i in 0..width {
        let pivot = matrix[i].clone();
        for row in i + 1..width {
            let factor = matrix[row][i] / pivot[i];
            for (value, above) in matrix[row].iter_mut().zip(&pivot).skip(i) {
                *value -= factor * above;
            }
            target[row] -= factor * target[i];
        }
    }
    for i in (0..width).rev() {
        let known: f64 = (i + 1..width).map(|j| matrix[i][j] * target[j]).sum();
        target[i] = (target[i] - known) / matrix[i][i];
    }
    target
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Choices among ten alternatives, drawn with the probabilities that `truth` gives them.
    fn simulate(truth: [f64; 2], sets: usize) -> Vec<ChoiceSet> {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let mut set = || {
            let mut rows: Vec<[f32; 2]> = (0..10)
                .map(|_| [rng.random::<f32>() * 4.0, rng.random::<f32>() * 4.0])
                .collect();
            let odds = |row: &[f32; 2]| {
                (f64::from(row[0]) * truth[0] + f64::from(row[1]) * truth[1]).exp()
            };
            let mut left = rng.random::<f64>() * rows.iter().map(odds).sum::<f64>();
            let chosen = rows.iter().position(|row| {
                left -= odds(row);
                left < 0.0
            });
            rows.swap(0, chosen.unwrap_or(9));
            ChoiceSet {
                features: rows.concat(),
                chosen: 1,
            }
        };
        (0..sets).map(|_| set()).collect()
    }

    #[test]
    fn the_weights_behind_simulated_choices_are_recovered() {
        let weights = fit(&simulate([1.5, -0.5], 4000), 2, 1e-6);
        assert!((weights[0] - 1.5).abs() < 0.1, "{weights:?}");
        assert!((weights[1] + 0.5).abs() < 0.1, "{weights:?}");
    }

    #[test]
    fn derivatives_equal_finite_differences() {
        let choices = simulate([0.3, 0.2], 40);
        let (at, h) = ([0.4, -0.1], 1e-5);
        let sums = Sums::of(&choices, &at, 0.1);
        for d in 0..2 {
            let (mut up, mut down) = (at, at);
            up[d] += h;
            down[d] -= h;
            let (up, down) = (Sums::of(&choices, &up, 0.1), Sums::of(&choices, &down, 0.1));
            let slope = (up.loss - down.loss) / (2.0 * h);
            assert!((slope - sums.gradient[d]).abs() < 1e-6);
            for e in 0..2 {
                let slope = (up.gradient[e] - down.gradient[e]) / (2.0 * h);
                assert!((slope - sums.hessian[e][d]).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn a_feature_that_says_nothing_or_all_stays_finite() {
        // The second feature is constant; the first separates perfectly, which only the ridge bounds.
        let choices = [ChoiceSet {
            features: vec![1.0, 7.0, 0.0, 7.0, 0.0, 7.0],
            chosen: 1,
        }];
        let weights = fit(&choices, 2, 1e-3);
        assert!(weights[0] > 3.0 && weights[0].is_finite(), "{weights:?}");
        assert!(weights[1].abs() < 1e-9, "{weights:?}");
        assert_eq!(fit(&[], 2, 1e-3), [0.0, 0.0]);
    }
}
