//! The multi-task loss: Σ over tasks of weight × loss; the regulariser `L_reg` is the optimiser's weight decay.

use nn::{NnError, Tensor, losses};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::batch::Batch;
use super::config::UserModelConfig;
use super::network::Network;
use super::vocabulary::{Catalogue, LABELS};

/// Added to a logit to give it no probability.
const OUT: f32 = -1e9;

/// The loss of one batch.
///
/// The next order's distinct products share the target of a softmax over all items evenly; those that the shopper
/// never bought do so once more among all items the shopper never bought, and its categories, brands and price bands
/// among their kind. A product of the order and one of another shopper's order train the purchase head.
///
/// # Shapes
/// states [N, D], table [V, D] → scalar.
pub(super) fn multi_task_loss(
    config: &UserModelConfig,
    network: &Network,
    catalogue: &Catalogue,
    batch: &Batch,
    states: &Tensor,
    table: &Tensor,
    rng: &mut ChaCha8Rng,
) -> Result<Tensor, NnError> {
    let weights = config.loss_weights;
    let smoothing = config.label_smoothing;
    let new_logits = network.new_item_logits(batch, states, table)?;
    let logits = network.add_own_past(new_logits.clone(), batch, states)?;
    let next = losses::cross_entropy_soft(&logits, &entries(&batch.targets), smoothing)?;
    let mut total = (next * weights.next_item)?;
    let new_entries = entries(&batch.new_targets);
    if weights.new_item > 0.0 && !new_entries.is_empty() {
        let logits = without_own_past(new_logits, batch)?;
        let loss = losses::cross_entropy_soft(&logits, &new_entries, 0.0)?;
        total = (total + (loss * weights.new_item)?)?;
    }
    let label_weights: [f64; LABELS] = [weights.category, weights.brand, weights.price_band];
    for (field, weight) in label_weights.into_iter().enumerate() {
        let entries = entries(&labels(batch, &catalogue.label_rows[field]));
        if weight == 0.0 || entries.is_empty() {
            continue;
        }
        if let Some(logits) = network.label_logits(field, states)? {
            let loss = losses::cross_entropy_soft(&logits, &entries, 0.0)?;
            total = (total + (loss * weight)?)?;
        }
    }
    if weights.purchase > 0.0 {
        let loss = purchase_loss(network, batch, states, table, rng)?;
        total = (total + (loss * weights.purchase)?)?;
    }
    Ok(total)
}

/// The targets of all questions as (question, target, weight): even within a question, even among the questions that
/// have any.
fn entries(targets: &[Vec<u32>]) -> Vec<(u32, u32, f32)> {
    let counted = targets.iter().filter(|targets| !targets.is_empty()).count() as f32;
    let entry = |(row, targets): (u32, &Vec<u32>)| {
        let weight = 1.0 / (counted * targets.len().max(1) as f32);
        let entries = targets.iter().map(|target| (row, *target, weight));
        entries.collect::<Vec<_>>()
    };
    (0u32..).zip(targets).flat_map(entry).collect()
}

/// The targets' labels of one field, as outputs of its head.
fn labels(batch: &Batch, label_rows: &[u32]) -> Vec<Vec<u32>> {
    let of_question = |targets: &Vec<u32>| {
        let rows = targets.iter().map(|item| label_rows[*item as usize]);
        // Row 0 is "no label"; the head has one output a label.
        rows.filter_map(|row| row.checked_sub(1)).collect()
    };
    batch.targets.iter().map(of_question).collect()
}

/// Puts what the shoppers bought before out of the running.
fn without_own_past(logits: Tensor, batch: &Batch) -> Result<Tensor, NnError> {
    let Some(own) = &batch.own else {
        return Ok(logits);
    };
    let out = Tensor::full(OUT, own.positions.dims1()?, logits.device())?;
    let flat = logits.flatten_all()?.index_add(&own.positions, &out, 0)?;
    Ok(flat.reshape(logits.shape())?)
}

fn purchase_loss(
    network: &Network,
    batch: &Batch,
    states: &Tensor,
    table: &Tensor,
    rng: &mut ChaCha8Rng,
) -> Result<Tensor, NnError> {
    let (mut rows, mut items, mut bought) = (Vec::new(), Vec::new(), Vec::new());
    for (row, targets) in (0u32..).zip(&batch.targets) {
        rows.push(row);
        items.push(targets[rng.random_range(0..targets.len())]);
        bought.push(1f32);
        let other = &batch.targets[rng.random_range(0..batch.targets.len())];
        let negative = other[rng.random_range(0..other.len())];
        if targets.binary_search(&negative).is_err() {
            rows.push(row);
            items.push(negative);
            bought.push(0.0);
        }
    }
    let device = states.device();
    let states = states.index_select(&Tensor::new(rows, device)?, 0)?;
    let items = table.index_select(&Tensor::new(items, device)?, 0)?;
    let logits = network.purchase_logits(&states, &items)?;
    losses::binary_cross_entropy(&logits, &Tensor::new(bought, device)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{buy, corpus_of};
    use crate::user_model::history::History;
    use crate::user_model::popularity::Popularity;
    use crate::user_model::window::Window;
    use nn::{Device, generator};

    #[test]
    fn weights_are_even_within_and_among_the_questions_that_count() {
        let entries = entries(&[vec![3, 5], vec![], vec![1]]);
        assert_eq!(entries, [(0, 3, 0.25), (0, 5, 0.25), (2, 1, 0.5)]);
    }

    #[test]
    fn the_new_item_loss_is_a_softmax_over_what_was_never_bought() {
        let lines = [
            buy(0, 10, Some(1)),
            buy(1, 10, Some(1)),
            buy(1, 20, Some(2)),
            buy(2, 20, Some(2)),
        ];
        let history = History::new(&lines);
        let popularity = Popularity::new(&corpus_of(4, vec![lines.to_vec()]), &[7.0], 1.0);
        let mut rng = generator(1, "test", 0);
        let window = Window::training(&history, 4, Some(0), 9, 1, &mut rng);
        let batch = Batch::new(&[window], &popularity, 4, &Device::Cpu).expect("small");
        assert_eq!(batch.targets, [[1, 2]]);
        assert_eq!(batch.new_targets, [[2]]);
        // Items 2 and 3 remain, with odds of 3 to 1.
        let logits = Tensor::new(&[[9f32, 9.0, 3f32.ln(), 0.0]], &Device::Cpu).expect("fits");
        let logits = without_own_past(logits, &batch).expect("fits");
        let loss = losses::cross_entropy_soft(&logits, &entries(&batch.new_targets), 0.0);
        let loss = loss
            .and_then(|loss| Ok(loss.to_scalar::<f32>()?))
            .expect("a scalar");
        assert!((loss - (4f32 / 3.0).ln()).abs() < 1e-6, "{loss}");
    }
}
