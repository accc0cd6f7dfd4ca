//! Bayesian linear regression with known noise, the state behind the linear policies.
//!
//! Hoerl & Kennard, "Ridge Regression", Technometrics 1970; in the notation of Li et al., "A
//! Contextual-Bandit Approach to Personalized News Article Recommendation", WWW 2010:
//!
//! ```text
//! A = λI + Σ w x xᵀ      b = λ μ₀ + Σ w r x      mean = A⁻¹ b
//! ```
//!
//! How this differs from the paper: a prior mean μ₀ (the paper has 0), a weight per observation, and
//! forgetting towards the prior rather than towards nothing, so that A stays positive definite.

use serde::{Deserialize, Serialize};

use crate::error::{BanditError, check_count, check_finite, check_len, check_range};
use crate::{exact, linalg};

/// Weighted ridge regression, kept as the sufficient statistics `A` and `b` with the factor of `A`.
///
/// The factor is recomputed from `A` after every update (`d³/3` multiplications, a few microseconds for
/// some two dozen features), so that a state that went through serialisation is the state that never did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "State", into = "State")]
pub struct RidgePosterior {
    state: State,
    /// Lower Cholesky factor of `A`, `d × d`.
    factor: Vec<f64>,
    mean: Vec<f64>,
}

/// One weighted observation of a reward.
#[derive(Debug, Clone, Copy)]
pub struct Observation<'a> {
    /// The features of the action in its context.
    pub x: &'a [f64],
    /// What followed.
    pub reward: f64,
    /// How often to count it, ≥ 0; 1 for an ordinary observation.
    pub weight: f64,
}

/// What is serialised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct State {
    #[serde(with = "exact::one")]
    ridge: f64,
    #[serde(with = "exact")]
    prior_mean: Vec<f64>,
    /// `A`, `d × d`, row by row.
    #[serde(with = "exact")]
    precision: Vec<f64>,
    /// `b`, `d`.
    #[serde(with = "exact")]
    response: Vec<f64>,
    /// The sum of the weights, after forgetting.
    #[serde(with = "exact::one")]
    weight: f64,
}

impl RidgePosterior {
    /// Starts from the prior: mean `prior_mean`, precision `ridge` times the identity.
    ///
    /// # Errors
    /// [`BanditError::TooFew`] without a feature, [`BanditError::OutOfRange`] where `ridge` is not positive
    /// or the prior mean not finite.
    pub fn new(prior_mean: Vec<f64>, ridge: f64) -> Result<Self, BanditError> {
        let dimension = prior_mean.len();
        check_range(
            "ridge",
            ridge,
            ridge > 0.0 && ridge.is_finite(),
            "a positive number",
        )?;
        let mut precision = vec![0.0; dimension * dimension];
        precision
            .iter_mut()
            .step_by(dimension + 1)
            .for_each(|diagonal| *diagonal = ridge);
        Self::try_from(State {
            ridge,
            response: prior_mean.iter().map(|value| ridge * value).collect(),
            prior_mean,
            precision,
            weight: 0.0,
        })
    }

    /// Learns from a batch of observations; the order does not matter beyond rounding.
    ///
    /// The batch is checked before anything is learnt: on an error the state is unchanged.
    ///
    /// # Errors
    /// [`BanditError::Shape`] for features of another dimension, [`BanditError::OutOfRange`] for a number
    /// that is not finite or a negative weight, [`BanditError::NotPositiveDefinite`] where the numbers are
    /// so large that the factorisation fails.
    pub fn update(&mut self, batch: &[Observation<'_>]) -> Result<(), BanditError> {
        for observation in batch {
            observation.check(self.dimension())?;
        }
        let mut state = self.state.clone();
        for observation in batch {
            state.add(observation);
        }
        *self = Self::try_from(state)?;
        Ok(())
    }

    /// Moves the evidence towards the prior: `A ← γA + (1 − γ)λI`, `b ← γb + (1 − γ)λμ₀`.
    ///
    /// For drift with a half-life h, call it once per period Δt with `factor = 2^(−Δt/h)`.
    ///
    /// # Errors
    /// [`BanditError::OutOfRange`] where `factor` is outside [0, 1].
    pub fn forget(&mut self, factor: f64) -> Result<(), BanditError> {
        let holds = (0.0..=1.0).contains(&factor);
        check_range("factor", factor, holds, "a number in [0, 1]")?;
        let mut state = self.state.clone();
        let dimension = self.dimension();
        let ridge = state.ridge;
        state
            .precision
            .iter_mut()
            .for_each(|entry| *entry *= factor);
        for diagonal in state.precision.iter_mut().step_by(dimension + 1) {
            *diagonal += (1.0 - factor) * ridge;
        }
        for (entry, prior) in state.response.iter_mut().zip(&state.prior_mean) {
            *entry = factor * *entry + (1.0 - factor) * ridge * prior;
        }
        state.weight *= factor;
        *self = Self::try_from(state)?;
        Ok(())
    }

    /// Adds features at the end, with their prior mean and the ridge of the others.
    ///
    /// What was learnt so far stays; it is as if the features had been there from the start and had always
    /// been 0. So a new variant joins a running policy.
    ///
    /// # Errors
    /// [`BanditError::OutOfRange`] where the prior mean is not finite.
    pub fn extend(&mut self, prior_mean: &[f64]) -> Result<(), BanditError> {
        let old = self.dimension();
        let new = old + prior_mean.len();
        let mut state = self.state.clone();
        let ridge = state.ridge;
        state.precision = vec![0.0; new * new];
        for (row, known) in self.state.precision.chunks_exact(old).enumerate() {
            state.precision[row * new..row * new + old].copy_from_slice(known);
        }
        for row in old..new {
            state.precision[row * new + row] = ridge;
        }
        state.prior_mean.extend(prior_mean);
        state
            .response
            .extend(prior_mean.iter().map(|value| ridge * value));
        *self = Self::try_from(state)?;
        Ok(())
    }

    /// The number of features, `d`.
    pub fn dimension(&self) -> usize {
        self.state.prior_mean.len()
    }

    /// The posterior mean `A⁻¹ b`.
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// The precision matrix `A`, `d × d`, row by row.
    pub fn precision(&self) -> &[f64] {
        &self.state.precision
    }

    /// The vector `b`.
    pub(crate) fn response(&self) -> &[f64] {
        &self.state.response
    }

    /// The sum of the weights of all observations, after forgetting.
    pub fn weight(&self) -> f64 {
        self.state.weight
    }

    /// The estimated reward of features `x`: `xᵀ mean`.
    ///
    /// # Errors
    /// [`BanditError::Shape`] where `x` has another dimension.
    pub fn score(&self, x: &[f64]) -> Result<f64, BanditError> {
        check_len("x", self.dimension(), x.len())?;
        Ok(linalg::dot(x, &self.mean))
    }

    /// The width `√(xᵀ A⁻¹ x)`, in units of the noise's standard deviation.
    ///
    /// # Errors
    /// [`BanditError::Shape`] where `x` has another dimension.
    pub fn width(&self, x: &[f64]) -> Result<f64, BanditError> {
        check_len("x", self.dimension(), x.len())?;
        let mut solved = x.to_vec();
        linalg::solve_lower(&self.factor, &mut solved);
        Ok(linalg::dot(&solved, &solved).sqrt())
    }

    /// Replaces standard normal `noise` by `mean + scale · L⁻ᵀ noise`, which has covariance `scale² A⁻¹`.
    pub(crate) fn place(&self, noise: &mut [f64], scale: f64) {
        linalg::solve_upper(&self.factor, noise);
        for (value, mean) in noise.iter_mut().zip(&self.mean) {
            *value = mean + scale * *value;
        }
    }
}

impl Observation<'_> {
    fn check(&self, dimension: usize) -> Result<(), BanditError> {
        check_len("x", dimension, self.x.len())?;
        check_finite("an entry of x", self.x)?;
        check_finite("the reward", &[self.reward])?;
        let holds = self.weight >= 0.0 && self.weight.is_finite();
        check_range(
            "the weight",
            self.weight,
            holds,
            "a finite number of at least 0",
        )
    }
}

impl State {
    fn add(&mut self, observation: &Observation<'_>) {
        let x = observation.x;
        for (row, &left) in self.precision.chunks_exact_mut(x.len()).zip(x) {
            let weighted = observation.weight * left;
            // One-hot features make most rows zero.
            if weighted != 0.0 {
                row.iter_mut()
                    .zip(x)
                    .for_each(|(entry, right)| *entry += weighted * right);
            }
        }
        let weighted = observation.weight * observation.reward;
        for (entry, value) in self.response.iter_mut().zip(x) {
            *entry += weighted * value;
        }
        self.weight += observation.weight;
    }
}

impl TryFrom<State> for RidgePosterior {
    type Error = BanditError;

    fn try_from(state: State) -> Result<Self, BanditError> {
        let dimension = state.prior_mean.len();
        check_count("the list of features", dimension, 1)?;
        check_len("precision", dimension * dimension, state.precision.len())?;
        check_len("response", dimension, state.response.len())?;
        check_finite("an entry of the prior mean", &state.prior_mean)?;
        check_finite("an entry of the response", &state.response)?;
        let factor = linalg::cholesky(&state.precision, dimension)?;
        let mut mean = state.response.clone();
        linalg::solve_lower(&factor, &mut mean);
        linalg::solve_upper(&factor, &mut mean);
        Ok(Self {
            state,
            factor,
            mean,
        })
    }
}

impl From<RidgePosterior> for State {
    fn from(posterior: RidgePosterior) -> Self {
        posterior.state
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{assert_all_close, assert_close, golden, number, numbers};

    fn observe(x: &[f64], reward: f64, weight: f64) -> Observation<'_> {
        Observation { x, reward, weight }
    }

    #[test]
    fn equals_the_reference_posterior() {
        let Some(golden) = golden("bandit.json") else {
            return;
        };
        let golden = &golden["linucb"];
        let rows = numbers(&golden["X"]);
        let rewards = numbers(&golden["reward"]);
        let arms = numbers(&golden["arm"]);
        for (arm, name) in [(0.0, "0"), (1.0, "1")] {
            let batch: Vec<Observation<'_>> = rows
                .chunks_exact(3)
                .zip(rewards.iter().zip(&arms))
                .filter(|(_, (_, of))| (**of - arm).abs() < 0.5)
                .map(|(x, (&reward, _))| observe(x, reward, 1.0))
                .collect();
            let mut posterior = RidgePosterior::new(vec![0.0; 3], 1.0).expect("valid");
            posterior.update(&batch).expect("valid");
            let expected = &golden["arms"][name];
            assert_all_close(posterior.precision(), &numbers(&expected["A"]), 1e-12);
            assert_all_close(posterior.mean(), &numbers(&expected["theta"]), 1e-12);
            assert_all_close(posterior.response(), &numbers(&expected["b"]), 1e-12);
            let diagonal = posterior.factor.iter().step_by(4);
            let log_determinant: f64 = diagonal.map(|pivot| 2.0 * pivot.ln()).sum();
            let reference = number(&expected["sherman_morrison_logdetA"]);
            assert_close(log_determinant, reference, 1e-12);
        }
    }

    #[test]
    fn a_prior_mean_is_what_is_believed_before_any_observation() {
        let prior = vec![0.3, -0.2];
        let mut posterior = RidgePosterior::new(prior.clone(), 4.0).expect("valid");
        assert_all_close(posterior.mean(), &prior, 1e-15);
        // One observation against a prior of precision 4: (4 · 0.3 + 1) / 5.
        posterior
            .update(&[observe(&[1.0, 0.0], 1.0, 1.0)])
            .expect("valid");
        assert_all_close(posterior.mean(), &[0.44, -0.2], 1e-15);
    }

    #[test]
    fn forgetting_leads_back_to_the_prior() {
        let mut posterior = RidgePosterior::new(vec![0.5, 0.0], 2.0).expect("valid");
        let fresh = posterior.clone();
        posterior
            .update(&[observe(&[1.0, 2.0], 3.0, 1.5)])
            .expect("valid");
        posterior.forget(1.0).expect("valid");
        assert_close(posterior.weight(), 1.5, 0.0);
        posterior.forget(0.5).expect("valid");
        assert_close(posterior.weight(), 0.75, 0.0);
        // Half of the evidence: the same as half of the weight.
        let mut half = fresh.clone();
        half.update(&[observe(&[1.0, 2.0], 3.0, 0.75)])
            .expect("valid");
        assert_all_close(posterior.mean(), half.mean(), 1e-14);
        posterior.forget(0.0).expect("valid");
        assert_eq!(posterior, fresh);
        assert!(posterior.forget(1.5).is_err());
    }

    #[test]
    fn features_that_join_later_were_zero_before() {
        let mut late = RidgePosterior::new(vec![0.1], 2.0).expect("valid");
        let mut early = RidgePosterior::new(vec![0.1, -0.3, 0.5], 2.0).expect("valid");
        late.update(&[observe(&[2.0], 1.0, 1.0)]).expect("valid");
        early
            .update(&[observe(&[2.0, 0.0, 0.0], 1.0, 1.0)])
            .expect("valid");
        late.extend(&[-0.3, 0.5]).expect("valid");
        assert_eq!(late, early);
        let before = late.clone();
        assert!(late.extend(&[f64::NAN]).is_err());
        assert_eq!(late, before);
    }

    #[test]
    fn a_bad_batch_changes_nothing() {
        let mut posterior = RidgePosterior::new(vec![0.0; 2], 1.0).expect("valid");
        let before = posterior.clone();
        let good = observe(&[1.0, 0.0], 1.0, 1.0);
        for (bad, message) in [
            (
                observe(&[1.0], 1.0, 1.0),
                "x has 1 entries, expected 2; pass one entry for each",
            ),
            (
                observe(&[1.0, f64::INFINITY], 1.0, 1.0),
                "an entry of x is inf; expected a finite number",
            ),
            (
                observe(&[1.0, 0.0], f64::NAN, 1.0),
                "the reward is NaN; expected a finite number",
            ),
            (
                observe(&[1.0, 0.0], 1.0, -1.0),
                "the weight is -1; expected a finite number of at least 0",
            ),
        ] {
            let fault = posterior.update(&[good, bad]).expect_err("a fault");
            assert_eq!(fault.to_string(), message);
            assert_eq!(posterior, before);
        }
        assert!(RidgePosterior::new(vec![], 1.0).is_err());
        assert!(RidgePosterior::new(vec![0.0], 0.0).is_err());
    }

    #[test]
    fn a_damaged_state_is_refused() {
        let posterior = RidgePosterior::new(vec![0.0; 2], 1.0).expect("valid");
        let mut value = serde_json::to_value(&posterior).expect("serialisable");
        value["precision"] = "1 2 2 1".into();
        let refused: Result<RidgePosterior, _> = serde_json::from_value(value);
        let message = refused.expect_err("a fault").to_string();
        assert!(message.starts_with("the precision matrix is not positive definite"));
    }

    proptest! {
        #[test]
        fn one_batch_equals_many_updates_and_solves_the_normal_equations(
            rows in prop::collection::vec((prop::array::uniform3(-3.0..3.0_f64), -2.0..2.0_f64, 0.0..2.0_f64), 1..20),
        ) {
            let batch: Vec<Observation<'_>> =
                rows.iter().map(|(x, reward, weight)| observe(x, *reward, *weight)).collect();
            let mut at_once = RidgePosterior::new(vec![0.1; 3], 0.7).expect("valid");
            let mut one_by_one = at_once.clone();
            at_once.update(&batch).expect("valid");
            for observation in &batch {
                one_by_one.update(&[*observation]).expect("valid");
            }
            prop_assert_eq!(&at_once, &one_by_one);
            let state = &at_once.state;
            for (row, response) in state.precision.chunks_exact(3).zip(&state.response) {
                assert_close(linalg::dot(row, at_once.mean()), *response, 1e-9);
            }
        }
    }
}
