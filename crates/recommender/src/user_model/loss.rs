//! The multi-task loss: Σ over tasks of weight × loss; the regulariser `L_reg` is the optimiser's weight decay.

use nn::{NnError, Tensor, losses};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::batch::Batch;
use super::config::UserModelConfig;
use super::network::Network;
use super::vocabulary::{Catalogue, LABELS};

/// The loss of one batch.
///
/// The next order's distinct products share the target of a softmax over all items evenly; so do its categories,
/// brands and price bands. A product of the order and one of another shopper's order train the purchase head.
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
    let logits = network.logits(batch, states, table)?;
    let rows = batch.questions() as f32;
    let entries: Vec<(u32, u32, f32)> = each_target(batch)
        .map(|(row, item, count)| (row, item, 1.0 / (rows * count)))
        .collect();
    let next = losses::cross_entropy_soft(&logits, &entries, config.label_smoothing)?;
    let mut total = (next * weights.next_item)?;
    let label_weights: [f64; LABELS] = [weights.category, weights.brand, weights.price_band];
    for (field, weight) in label_weights.into_iter().enumerate() {
        let entries = label_entries(batch, &catalogue.label_rows[field]);
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

/// Question, target and the question's number of targets.
fn each_target(batch: &Batch) -> impl Iterator<Item = (u32, u32, f32)> {
    (0u32..).zip(&batch.targets).flat_map(|(row, targets)| {
        let count = targets.len() as f32;
        targets.iter().map(move |item| (row, *item, count))
    })
}

/// The targets' labels of one field; a question whose targets have none does not count.
fn label_entries(batch: &Batch, label_rows: &[u32]) -> Vec<(u32, u32, f32)> {
    let labelled: Vec<Vec<u32>> = batch
        .targets
        .iter()
        .map(|targets| {
            let rows = targets.iter().map(|item| label_rows[*item as usize]);
            // Row 0 is "no label"; the head has one output a label.
            rows.filter_map(|row| row.checked_sub(1)).collect()
        })
        .collect();
    let counted = labelled.iter().filter(|labels| !labels.is_empty()).count() as f32;
    let entry = |(row, labels): (u32, &Vec<u32>)| {
        let weight = 1.0 / (counted * labels.len().max(1) as f32);
        labels
            .iter()
            .map(|label| (row, *label, weight))
            .collect::<Vec<_>>()
    };
    (0u32..).zip(&labelled).flat_map(entry).collect()
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
