//! Linear Thompson sampling.
//!
//! Agrawal & Goyal, "Thompson Sampling for Contextual Bandits with Linear Payoffs", ICML 2013: draw
//! `θ̃ ~ N(mean, v² A⁻¹)` and choose `argmaxₖ xₖᵀ θ̃`.
//!
//! How this differs from the paper: the choice is not the argmax of one draw. Many draws are made once per
//! policy version; the share of draws in which an action wins estimates its Thompson probability, the
//! constraints act on these shares, and the choice is drawn from the result. The propensity that is logged
//! is then exact, where the paper's is an intractable integral. A prior mean, weights and forgetting are
//! those of [`RidgePosterior`]; `v` is a constant, not the growing bound of the paper's analysis.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use super::ridge::{Observation, RidgePosterior};
use super::sampled::SampledPosterior;
use crate::error::{BanditError, check_len, check_range};
use crate::exact;
use crate::pmf::{Constraints, Pmf};

/// What a linear Thompson policy starts from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinearThompsonConfig {
    /// The expected coefficients before any observation, one per feature. No default; zeros say nothing.
    pub prior_mean: Vec<f64>,
    /// The precision of the prior, λ > 0: the prior's variance is `noise_scale² / ridge`. Default 1.
    pub ridge: f64,
    /// The standard deviation `v` > 0 of the reward around its expectation. Default 0.15, that of a click
    /// of probability 2 %.
    pub noise_scale: f64,
    /// The feature that is constantly 1, if there is one; an explanation counts it as the base. Default none.
    pub intercept: Option<usize>,
}

impl LinearThompsonConfig {
    /// The defaults for a number of features, with a prior mean of zero.
    pub fn new(dimension: usize) -> Self {
        Self {
            prior_mean: vec![0.0; dimension],
            ridge: 1.0,
            noise_scale: 0.15,
            intercept: None,
        }
    }

    /// Checks the configuration and makes the policy.
    ///
    /// # Errors
    /// [`BanditError::TooFew`] without a feature, [`BanditError::OutOfRange`] for a number outside its
    /// range or an intercept that is no feature.
    pub fn check(self) -> Result<LinearThompson, BanditError> {
        let dimension = self.prior_mean.len();
        let scale = self.noise_scale;
        let positive = scale > 0.0 && scale.is_finite();
        check_range("noise_scale", scale, positive, "a positive number")?;
        if let Some(index) = self.intercept {
            let known = index < dimension;
            check_range("intercept", index as f64, known, "the index of a feature")?;
        }
        Ok(LinearThompson {
            posterior: RidgePosterior::new(self.prior_mean, self.ridge)?,
            noise_scale: scale,
            intercept: self.intercept,
        })
    }
}

/// Linear Thompson sampling over actions that are described by features.
///
/// The arms share one coefficient vector, so an action never seen before already has an estimate from
/// the features that it shares with others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinearThompson {
    posterior: RidgePosterior,
    #[serde(with = "exact::one")]
    noise_scale: f64,
    intercept: Option<usize>,
}

impl LinearThompson {
    /// Learns from one reward, counted `weight` times.
    ///
    /// # Errors
    /// Those of [`RidgePosterior::update`]; the policy is then unchanged.
    pub fn update(&mut self, x: &[f64], reward: f64, weight: f64) -> Result<(), BanditError> {
        self.update_batch(&[Observation { x, reward, weight }])
    }

    /// Learns from many rewards and solves once, which is the cheap way.
    ///
    /// # Errors
    /// Those of [`RidgePosterior::update`]; the policy is then unchanged.
    pub fn update_batch(&mut self, batch: &[Observation<'_>]) -> Result<(), BanditError> {
        self.posterior.update(batch)
    }

    /// Forgets towards the prior, for tastes that drift; see [`RidgePosterior::forget`].
    ///
    /// # Errors
    /// [`BanditError::OutOfRange`] where `factor` is outside [0, 1].
    pub fn forget(&mut self, factor: f64) -> Result<(), BanditError> {
        self.posterior.forget(factor)
    }

    /// Adds features at the end, as a new variant needs; see [`RidgePosterior::extend`].
    ///
    /// # Errors
    /// [`BanditError::OutOfRange`] where the prior mean is not finite.
    pub fn extend(&mut self, prior_mean: &[f64]) -> Result<(), BanditError> {
        self.posterior.extend(prior_mean)
    }

    /// The expected coefficients.
    pub fn mean(&self) -> &[f64] {
        self.posterior.mean()
    }

    /// The state of the regression.
    pub fn posterior(&self) -> &RidgePosterior {
        &self.posterior
    }

    /// The estimated reward of features `x`: `xᵀ mean`.
    ///
    /// # Errors
    /// [`BanditError::Shape`] where `x` has another dimension.
    pub fn score(&self, x: &[f64]) -> Result<f64, BanditError> {
        self.posterior.score(x)
    }

    /// The standard deviation of the score under the posterior: `v √(xᵀ A⁻¹ x)`.
    ///
    /// # Errors
    /// [`BanditError::Shape`] where `x` has another dimension.
    pub fn score_deviation(&self, x: &[f64]) -> Result<f64, BanditError> {
        Ok(self.noise_scale * self.posterior.width(x)?)
    }

    /// Decomposes the score exactly: `score = base + Σ xᵢ meanᵢ`, the parts of largest size first.
    ///
    /// The base is the part of the intercept, or 0 without one; parts of size 0 are left out.
    ///
    /// # Errors
    /// [`BanditError::Shape`] where `x` or `names` has another dimension.
    pub fn explain<'n>(
        &self,
        x: &[f64],
        names: &'n [String],
    ) -> Result<ScoreParts<'n>, BanditError> {
        check_len("x", self.posterior.dimension(), x.len())?;
        check_len("names", x.len(), names.len())?;
        let mut parts = ScoreParts {
            base: 0.0,
            contributions: Vec::new(),
        };
        for (index, name) in names.iter().enumerate() {
            let contribution = x[index] * self.mean()[index];
            if self.intercept == Some(index) {
                parts.base = contribution;
            } else if contribution != 0.0 {
                parts.contributions.push((name, x[index], contribution));
            }
        }
        let size = |part: &(&str, f64, f64)| part.2.abs();
        parts
            .contributions
            .sort_by(|a, b| size(b).total_cmp(&size(a)).then(a.0.cmp(b.0)));
        Ok(parts)
    }

    /// Draws coefficient vectors from the posterior, once per policy version.
    ///
    /// # Errors
    /// [`BanditError::TooFew`] where `samples` is 0.
    pub fn sample(&self, samples: usize, seed: u64) -> Result<SampledPosterior, BanditError> {
        let dimension = self.posterior.dimension();
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut thetas = Vec::with_capacity(samples * dimension);
        for _ in 0..samples {
            let mut theta: Vec<f64> = (0..dimension)
                .map(|_| StandardNormal.sample(&mut rng))
                .collect();
            self.posterior.place(&mut theta, self.noise_scale);
            thetas.extend(theta);
        }
        SampledPosterior::new(&thetas, dimension)
    }

    /// Estimates the propensities of one candidate set from fresh samples.
    ///
    /// For many decisions under one policy version, call [`LinearThompson::sample`] once and
    /// [`SampledPosterior::propensities`] for each.
    ///
    /// # Shapes
    /// `actions` holds one row of features per action, row by row.
    ///
    /// # Errors
    /// Those of [`LinearThompson::sample`] and [`SampledPosterior::propensities`].
    pub fn propensities(
        &self,
        actions: &[f64],
        constraints: Constraints<'_>,
        samples: usize,
        seed: u64,
    ) -> Result<Pmf, BanditError> {
        self.sample(samples, seed)?
            .propensities(actions, constraints)
    }
}

/// A score taken apart; see [`LinearThompson::explain`].
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreParts<'n> {
    /// The part that no feature accounts for.
    pub base: f64,
    /// Name, value and part of each feature, largest part first.
    pub contributions: Vec<(&'n str, f64, f64)>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_all_close, assert_close, golden, number, numbers};

    /// The two arms of the reference in one model: each has its own three of six features.
    fn reference(golden: &serde_json::Value) -> LinearThompson {
        let mut config = LinearThompsonConfig::new(6);
        config.noise_scale = number(&golden["lints"]["v"]);
        let mut policy = config.check().expect("valid");
        let golden = &golden["linucb"];
        let rows = numbers(&golden["X"]);
        let arms = numbers(&golden["arm"]);
        let rewards = numbers(&golden["reward"]);
        for ((x, arm), reward) in rows.chunks_exact(3).zip(&arms).zip(&rewards) {
            policy
                .update(&in_block(x, *arm > 0.5), *reward, 1.0)
                .expect("valid");
        }
        policy
    }

    fn in_block(x: &[f64], second: bool) -> Vec<f64> {
        let mut features = vec![0.0; 6];
        let start = 3 * usize::from(second);
        features[start..start + 3].copy_from_slice(x);
        features
    }

    #[test]
    fn equals_the_reference_scores_and_win_probability() {
        let Some(golden) = golden("bandit.json") else {
            return;
        };
        let policy = reference(&golden);
        let x = numbers(&golden["linucb"]["x_test"]);
        let lints = &golden["lints"];
        for (second, name) in [(false, "0"), (true, "1")] {
            let features = in_block(&x, second);
            let expected = numbers(&lints["score_mean_var_at_x_test"][name]);
            let score = policy.score(&features).expect("valid");
            let deviation = policy.score_deviation(&features).expect("valid");
            assert_all_close(&[score, deviation.powi(2)], &expected, 1e-12);
        }
        let actions = [in_block(&x, false), in_block(&x, true)].concat();
        let constraints = Constraints {
            weights: &[1.0, 1.0],
            floor: 0.0,
        };
        let pmf = policy
            .propensities(&actions, constraints, 40_000, 3)
            .expect("valid");
        // Standard error 0.0023.
        let expected = number(&lints["P(arm1 score > arm0)"]);
        assert_close(pmf.as_slice()[1], expected, 0.008);
    }

    #[test]
    fn draws_have_the_covariance_of_the_reference() {
        let Some(golden) = golden("bandit.json") else {
            return;
        };
        let policy = reference(&golden);
        let expected = numbers(&golden["lints"]["posterior_cov"]["0"]);
        let count = 40_000_u64;
        let mut sums = [0.0; 9];
        for seed in 0..count {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let mut theta: Vec<f64> = (0..6).map(|_| StandardNormal.sample(&mut rng)).collect();
            policy.posterior.place(&mut theta, policy.noise_scale);
            for (entry, sum) in sums.iter_mut().enumerate() {
                let (row, col) = (entry / 3, entry % 3);
                *sum += (theta[row] - policy.mean()[row]) * (theta[col] - policy.mean()[col]);
            }
        }
        let found: Vec<f64> = sums.iter().map(|sum| sum / count as f64).collect();
        assert_all_close(&found, &expected, 0.006);
    }

    #[test]
    fn the_explanation_is_the_score() {
        let mut config = LinearThompsonConfig::new(4);
        config.prior_mean = vec![0.02, 0.5, -0.75, 0.1];
        config.intercept = Some(0);
        let policy = config.check().expect("valid");
        let names: Vec<String> = ["eins", "价格", "recency", "novelty"]
            .map(String::from)
            .into();
        let x = [1.0, 2.0, 2.0, 0.0];
        let parts = policy.explain(&x, &names).expect("valid");
        assert_close(parts.base, 0.02, 1e-15);
        let listed: Vec<&str> = parts.contributions.iter().map(|part| part.0).collect();
        assert_eq!(listed, ["recency", "价格"]);
        let sum: f64 = parts.contributions.iter().map(|part| part.2).sum();
        let score = policy.score(&x).expect("valid");
        assert_close(parts.base + sum, score, 1e-15);
        assert!(policy.explain(&x, &names[..3]).is_err());
    }

    #[test]
    fn a_restored_policy_is_the_policy() {
        let mut policy = LinearThompsonConfig::new(3).check().expect("valid");
        policy.update(&[1.0, 0.1, 0.3], 0.7, 0.9).expect("valid");
        policy.update(&[0.2, 0.7, 0.6], 0.1, 1.1).expect("valid");
        let text = serde_json::to_string(&policy).expect("serialisable");
        let mut restored: LinearThompson = serde_json::from_str(&text).expect("valid");
        assert_eq!(restored, policy);
        for of in [&mut policy, &mut restored] {
            of.update(&[0.0, 0.6, 0.1], 0.3, 2.0).expect("valid");
            of.forget(0.75).expect("valid");
        }
        assert_eq!(policy.sample(8, 1), restored.sample(8, 1));
        assert_ne!(policy.sample(8, 1), policy.sample(8, 2));
    }

    #[test]
    fn bad_configurations_are_refused() {
        let mut config = LinearThompsonConfig::new(2);
        config.intercept = Some(2);
        let fault = config.check().expect_err("a fault");
        assert_eq!(
            fault.to_string(),
            "intercept is 2; expected the index of a feature"
        );
        let mut config = LinearThompsonConfig::new(2);
        config.noise_scale = 0.0;
        assert!(config.check().is_err());
        assert!(LinearThompsonConfig::new(0).check().is_err());
    }
}
