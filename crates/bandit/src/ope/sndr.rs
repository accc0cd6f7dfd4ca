//! The self-normalised doubly robust estimator.
//!
//! Thomas & Brunskill, "Data-Efficient Off-Policy Policy Evaluation for Reinforcement Learning", ICML
//! 2016; as in Open Bandit Pipeline: `V = (1/n) Σ q̂(π) + Σ w (r − q̂(a)) / Σ w`.
//! How this differs from the paper: one step instead of trajectories, and an interval by the delta method.

use super::round::{Round, predictions};
use super::{Evaluation, average, evaluation, positive_mean_weight};
use crate::error::BanditError;

/// Estimates a policy's value doubly robustly with normalised weights.
///
/// # Errors
/// [`BanditError::NoRewardModel`] where a round has no predictions,
/// [`BanditError::TooFew`] with fewer than two clusters, [`BanditError::OutOfRange`] for a confidence outside
/// (0, 1) or a log in which every weight is 0.
pub fn sndr(rounds: &[Round], confidence: f64) -> Result<Evaluation, BanditError> {
    let predicted = predictions(rounds)?;
    let mean_weight = positive_mean_weight(rounds)?;
    let direct = average(predicted.iter().map(|model| model.of_policy));
    let errors: Vec<f64> = rounds
        .iter()
        .zip(&predicted)
        .map(|(round, model)| round.reward - model.of_chosen)
        .collect();
    let weighted = rounds
        .iter()
        .zip(&errors)
        .map(|(round, error)| round.weight * error);
    let correction = average(weighted) / mean_weight;
    let influence: Vec<f64> = rounds
        .iter()
        .zip(predicted.iter().zip(&errors))
        .map(|(round, (model, error))| {
            model.of_policy - direct + round.weight * (error - correction) / mean_weight
        })
        .collect();
    let value = direct + correction;
    evaluation(rounds, confidence, |round| round.weight, value, &influence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::assert_close;
    use crate::testing::ope::{estimate, reference};

    #[test]
    fn equals_open_bandit_pipeline() {
        let Some((golden, rounds)) = reference() else {
            return;
        };
        let found = sndr(&rounds, 0.95).expect("valid");
        assert_close(found.value.value, estimate(&golden, "sndr"), 1e-12);
    }
}
