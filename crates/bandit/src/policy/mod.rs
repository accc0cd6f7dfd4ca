//! Policies: from what is known of the actions to the probabilities with which they are chosen.

pub mod beta_thompson;
pub mod caps;
pub mod epsilon_greedy;
pub mod exp3;
pub mod lin_thompson;
pub mod lin_ucb;
pub mod normal_inverse_gamma;
pub mod ridge;
pub mod sampled;
pub mod softmax;
pub mod square_cb;
pub mod ucb1;
pub mod uniform;

use crate::error::{BanditError, check_finite};

/// Checks scores and returns the index of the highest, the first where several are.
fn highest(scores: &[f64]) -> Result<usize, BanditError> {
    check_finite("a score", scores)?;
    let mut best = 0;
    for (action, score) in scores.iter().enumerate() {
        if *score > scores[best] {
            best = action;
        }
    }
    if scores.is_empty() {
        return Err(BanditError::NoAllowedAction { actions: 0 });
    }
    Ok(best)
}
