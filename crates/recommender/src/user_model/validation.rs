//! The figure that decides when training stops.

use super::model::UserModel;
use crate::metrics::{ndcg, ranks_of};
use crate::{HeldOut, HeldOutShopper, Interaction, RecommenderError, Scorer, Task, bought};

/// Length of the judged list.
const LIST: usize = 10;
/// Shoppers that are scored together, which bounds the memory for their scores.
const CHUNK: usize = 256;

/// Mean NDCG@10 over evenly spread shoppers on the products that are new to them, or on all products where no next
/// order holds a new one.
pub(super) fn validation_ndcg(
    model: &UserModel,
    held_out: &HeldOut,
    shoppers: usize,
) -> Result<f64, RecommenderError> {
    let has_new = |shopper: &&HeldOutShopper| !shopper.new_items.is_empty();
    let task = match held_out.shoppers.iter().find(has_new) {
        Some(_) => Task::NewItems,
        None => Task::All,
    };
    let judged: Vec<&HeldOutShopper> = held_out
        .shoppers
        .iter()
        .filter(|shopper| !shopper.targets(task).is_empty())
        .collect();
    let stride = judged.len().div_ceil(shoppers.max(1)).max(1);
    let judged: Vec<&HeldOutShopper> = judged.into_iter().step_by(stride).collect();
    if judged.is_empty() {
        return Err(RecommenderError::Empty {
            what: "the validation window",
            remedy: "move its start so that shoppers with a history order in it",
        });
    }
    let mut total = 0.0;
    for chunk in judged.chunks(CHUNK) {
        let histories: Vec<&[Interaction]> = chunk.iter().map(|s| held_out.history(s)).collect();
        let scores = model.scores(&histories, held_out.now_s)?;
        for ((shopper, history), scores) in chunk.iter().zip(&histories).zip(&scores) {
            let mask = task.mask(&held_out.candidates, &bought(history));
            total += ndcg(&ranks_of(scores, &mask, &shopper.targets(task)), LIST);
        }
    }
    Ok(total / judged.len() as f64)
}
