//! Off-policy evaluation: what a policy would have earned, from what another one logged.
//!
//! Each estimator is a function from rounds to an [`Evaluation`]. Only matured decisions belong in the
//! rounds. Notation: reward r, action a, logged propensity p, target probabilities π, importance weight
//! `w = π(a) / p`, predicted rewards q̂, and `q̂(π) = Σₖ πₖ q̂ₖ`.

pub mod clipped_ips;
pub mod dm;
pub mod dr;
pub mod dr_os;
pub mod ips;
pub mod round;
pub mod sndr;
pub mod snips;
pub mod support;
pub mod switch_dr;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{BanditError, check_count, check_range};
use crate::interval::Interval;
use round::Round;

/// The estimated value of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// The expected reward of a decision, with its asymptotic interval.
    pub value: Interval,
    /// The standard error behind the interval, robust to dependence within clusters.
    pub standard_error: f64,
    /// How many rounds of equal weight would be as informative: `(Σ w)² / Σ w²` over the weights that the
    /// estimator uses.
    pub effective_sample_size: f64,
}

/// The mean of one term per round, with its interval.
fn mean_of(
    rounds: &[Round],
    confidence: f64,
    weight: impl Fn(&Round) -> f64,
    terms: &[f64],
) -> Result<Evaluation, BanditError> {
    let value = average(terms.iter().copied());
    let influence: Vec<f64> = terms.iter().map(|term| term - value).collect();
    evaluation(rounds, confidence, weight, value, &influence)
}

/// An estimate whose error is, to first order, the mean of `influence`.
///
/// The standard error sums the influence within clusters first (Liang & Zeger, Biometrika 1986), with
/// the factor `G / (G − 1)` for G clusters; with one round per cluster it is the usual one.
fn evaluation(
    rounds: &[Round],
    confidence: f64,
    weight: impl Fn(&Round) -> f64,
    value: f64,
    influence: &[f64],
) -> Result<Evaluation, BanditError> {
    let mut clusters: BTreeMap<u64, f64> = BTreeMap::new();
    for (round, influence) in rounds.iter().zip(influence) {
        *clusters.entry(round.cluster).or_default() += influence;
    }
    let groups = clusters.len() as f64;
    check_count("the list of clusters in the log", clusters.len(), 2)?;
    let squares: f64 = clusters.values().map(|sum| sum * sum).sum();
    let count = rounds.len() as f64;
    let standard_error = (groups / (groups - 1.0) * squares).sqrt() / count;
    let (sum, sum_of_squares) = rounds
        .iter()
        .map(weight)
        .fold((0.0, 0.0), |(sum, squares), weight| {
            (sum + weight, squares + weight * weight)
        });
    Ok(Evaluation {
        value: Interval::normal(value, standard_error, confidence)?,
        standard_error,
        effective_sample_size: effective_sample_size(sum, sum_of_squares),
    })
}

/// `(Σ w)² / Σ w²`, or 0 where all weights are 0.
fn effective_sample_size(sum: f64, sum_of_squares: f64) -> f64 {
    if sum_of_squares > 0.0 {
        sum * sum / sum_of_squares
    } else {
        0.0
    }
}

fn average(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len().max(1) as f64;
    values.sum::<f64>() / count
}

/// The mean weight of the self-normalised estimators, which must be positive.
fn positive_mean_weight(rounds: &[Round]) -> Result<f64, BanditError> {
    let mean = average(rounds.iter().map(|round| round.weight));
    check_range(
        "the mean importance weight",
        mean,
        mean > 0.0,
        "a positive number: a log in which the policy's actions occur",
    )?;
    Ok(mean)
}
