//! The multi-task loss: Σ over tasks of weight × loss; the regulariser `L_reg` is the optimiser's weight decay.

use std::collections::BTreeMap;

use nn::{NnError, Tensor, losses};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::batch::Batch;
use super::config::{Objective, WeakLabels};
use super::model::UserModel;
use super::network::{ItemTable, Network};
use super::vocabulary::{Catalogue, LABELS};

/// Added to a logit to give it no probability.
const OUT: f32 = -1e9;

/// What the losses of a batch are averaged over: its questions, and those of them that have a target of each kind.
///
/// A batch is cut into shards, whose losses sum to the batch's only if all of them divide by the same counts.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    questions: usize,
    new: usize,
    labels: [usize; LABELS],
}

impl Counts {
    /// Counts over all shards of a batch.
    pub(super) fn of(shards: &[Batch], catalogue: &Catalogue, weak: &WeakLabels) -> Self {
        let mut counts = Self::default();
        for batch in shards {
            counts.questions += batch.targets.len();
            counts.new += with_target(&batch.new_targets);
            for (count, rows) in counts.labels.iter_mut().zip(&catalogue.label_rows) {
                let ordered = labels(batch, rows);
                let weak = weak_labels(batch, rows, &ordered, weak);
                let either = ordered.iter().zip(&weak);
                *count += either
                    .filter(|(a, b)| !(a.is_empty() && b.is_empty()))
                    .count();
            }
        }
        counts
    }
}

fn with_target(targets: &[Vec<u32>]) -> usize {
    targets.iter().filter(|targets| !targets.is_empty()).count()
}

/// The loss of one shard of a batch; the shards' losses sum to that of the batch.
///
/// The next order's distinct products share the target of a softmax over all items evenly; those that the shopper
/// never bought do so once more among all items the shopper never bought, and its categories, brands and price bands
/// among their kind. A product of the order and one of another shopper's order train the purchase head.
///
/// # Shapes
/// states [N, D] → scalar.
pub(super) fn multi_task_loss(
    model: &UserModel,
    counts: &Counts,
    batch: &Batch,
    states: &Tensor,
    table: &ItemTable,
    rng: &mut ChaCha8Rng,
) -> Result<Tensor, NnError> {
    let (network, catalogue) = (&model.network, &model.catalogue);
    let weights = model.config.loss_weights;
    let queries = if model.config.repeat_purchases {
        None
    } else {
        network.queries(states)?
    };
    let products = match queries {
        Some(queries) => {
            let all = entries(&batch.targets, counts.questions);
            let loss = product_loss(model, &queries, table, all)?;
            // Where nothing is bought again every item is new, and the two losses are one.
            (loss * (weights.next_item + weights.new_item))?
        }
        None => item_losses(model, counts, batch, states, table)?,
    };
    let mut tasks = vec![products];
    let label_weights: [f64; LABELS] = [weights.category, weights.brand, weights.price_band];
    for (field, weight) in label_weights.into_iter().enumerate() {
        let Some(logits) = network.label_logits(field, states)? else {
            continue;
        };
        let rows = &catalogue.label_rows[field];
        let labels = labels(batch, rows);
        let weak = weak_labels(batch, rows, &labels, &model.config.weak_labels);
        let trust = model.config.weak_labels.weight as f32;
        let entries = label_entries(&labels, &weak, trust, counts.labels[field]);
        let loss = if entries.is_empty() {
            nothing(states)?
        } else {
            (losses::cross_entropy_soft(&logits, &entries, 0.0)? * weight)?
        };
        tasks.push(loss);
    }
    let share = batch.targets.len() as f64 / counts.questions as f64;
    if weights.purchase > 0.0 {
        let loss = purchase_loss(network, batch, states, table, rng)?;
        tasks.push((loss * (weights.purchase * share))?);
    }
    if let Some(learnt) = &network.task_weights {
        return learnt.combine_part(&tasks, share);
    }
    let mut total = nothing(states)?;
    for loss in tasks {
        total = (total + loss)?;
    }
    Ok(total)
}

fn nothing(like: &Tensor) -> Result<Tensor, NnError> {
    Ok(Tensor::zeros((), like.dtype(), like.device())?)
}

/// The loss of the next items where scores are one product, which needs not be held.
///
/// # Shapes
/// queries [N, D + 1] → scalar.
fn product_loss(
    model: &UserModel,
    queries: &Tensor,
    table: &ItemTable,
    mut entries: Vec<(u32, u32, f32)>,
) -> Result<Tensor, NnError> {
    let items = &table.outputs;
    for entry in &mut entries {
        entry.1 = table.place(entry.1);
    }
    let config = &model.config;
    match (config.objective, &table.chosen) {
        (Objective::Sampled { .. }, Some(chosen)) => chosen.softmax(queries, items, &entries),
        (Objective::Gbce { calibration, .. }, Some(chosen)) => {
            let all = model.catalogue.len();
            chosen.gbce(queries, items, &entries, all, calibration)
        }
        _ => losses::linear_cross_entropy(queries, items, &entries, config.label_smoothing),
    }
}

/// The softmax over all items and that over what the shoppers never bought, each with its weight.
fn item_losses(
    model: &UserModel,
    counts: &Counts,
    batch: &Batch,
    states: &Tensor,
    table: &ItemTable,
) -> Result<Tensor, NnError> {
    let (network, weights) = (&model.network, model.config.loss_weights);
    let logits = network.new_item_logits(batch, states, table)?;
    let smoothing = model.config.label_smoothing;
    let next = next_item_loss(network, counts, batch, states, &logits, smoothing)?;
    let mut total = (next * weights.next_item)?;
    let new_entries = entries(&batch.new_targets, counts.new);
    if weights.new_item > 0.0 && !new_entries.is_empty() {
        let loss = new_item_loss(&logits, batch, &new_entries)?;
        total = (total + (loss * weights.new_item)?)?;
    }
    Ok(total)
}

/// The softmax over all items, the bonus of the shoppers' own added.
fn next_item_loss(
    network: &Network,
    counts: &Counts,
    batch: &Batch,
    states: &Tensor,
    logits: &Tensor,
    smoothing: f64,
) -> Result<Tensor, NnError> {
    let entries = entries(&batch.targets, counts.questions);
    match &batch.own {
        Some(own) => {
            let bonus = network.own_past(own, states)?;
            losses::cross_entropy_adjusted(logits, &own.places, &bonus, &entries, smoothing)
        }
        None => losses::cross_entropy_soft(logits, &entries, smoothing),
    }
}

/// The softmax over what the shoppers never bought.
fn new_item_loss(
    logits: &Tensor,
    batch: &Batch,
    entries: &[(u32, u32, f32)],
) -> Result<Tensor, NnError> {
    match &batch.own {
        Some(own) => {
            let out = Tensor::full(OUT, own.places.len(), logits.device())?;
            losses::cross_entropy_adjusted(logits, &own.places, &out, entries, 0.0)
        }
        None => losses::cross_entropy_soft(logits, entries, 0.0),
    }
}

/// The targets of all questions as (question, target, weight): even within a question, even among the `counted`
/// questions that have any.
fn entries(targets: &[Vec<u32>], counted: usize) -> Vec<(u32, u32, f32)> {
    let entry = |(row, targets): (u32, &Vec<u32>)| {
        let weight = 1.0 / (counted as f32 * targets.len().max(1) as f32);
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

/// The labels of one field that the rule finds in what was looked at, but for those of the order, ascending.
fn weak_labels(
    batch: &Batch,
    label_rows: &[u32],
    ordered: &[Vec<u32>],
    rule: &WeakLabels,
) -> Vec<Vec<u32>> {
    let of_question = |(looked_at, ordered): (&Vec<u32>, &Vec<u32>)| {
        let mut views: BTreeMap<u32, usize> = BTreeMap::new();
        for item in looked_at {
            if let Some(label) = label_rows[*item as usize].checked_sub(1) {
                *views.entry(label).or_default() += 1;
            }
        }
        let enough = |(label, views)| (views >= rule.views).then_some(label);
        let labels = views.into_iter().filter_map(enough);
        labels.filter(|label| !ordered.contains(label)).collect()
    };
    let questions = batch.looked_at.iter().zip(ordered);
    questions.map(of_question).collect()
}

/// The labels of all questions as (question, label, weight): ordered ones share 1 and weak ones `trust`, and a question
/// with both has a weight of 1 in all.
fn label_entries(
    labels: &[Vec<u32>],
    weak: &[Vec<u32>],
    trust: f32,
    counted: usize,
) -> Vec<(u32, u32, f32)> {
    let mut all = entries(labels, counted);
    if trust == 0.0 {
        return all;
    }
    for entry in &mut all {
        if !weak[entry.0 as usize].is_empty() {
            entry.2 /= 1.0 + trust;
        }
    }
    let with_both = |row: u32| {
        if labels[row as usize].is_empty() {
            1.0
        } else {
            1.0 + trust
        }
    };
    let weak = entries(weak, counted).into_iter();
    all.extend(weak.map(|(row, label, weight)| (row, label, weight * trust / with_both(row))));
    all
}

fn purchase_loss(
    network: &Network,
    batch: &Batch,
    states: &Tensor,
    table: &ItemTable,
    rng: &mut ChaCha8Rng,
) -> Result<Tensor, NnError> {
    let (mut rows, mut items, mut bought) = (Vec::new(), Vec::new(), Vec::new());
    for (row, targets) in (0u32..).zip(&batch.targets) {
        rows.push(row);
        items.push(table.place(targets[rng.random_range(0..targets.len())]));
        bought.push(1f32);
        let other = &batch.targets[rng.random_range(0..batch.targets.len())];
        let negative = other[rng.random_range(0..other.len())];
        if targets.binary_search(&negative).is_err() {
            rows.push(row);
            items.push(table.place(negative));
            bought.push(0.0);
        }
    }
    let device = states.device();
    let states = states.index_select(&Tensor::new(rows, device)?, 0)?;
    let items = table.inputs.index_select(&Tensor::new(items, device)?, 0)?;
    match network.purchase_logits(&states, &items)? {
        Some(logits) => losses::binary_cross_entropy(&logits, &Tensor::new(bought, device)?),
        None => nothing(&states),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{buy, corpus_of};
    use crate::user_model::history::History;
    use crate::user_model::popularity::Popularity;
    use crate::user_model::window::{Asked, Window};
    use nn::{Device, generator};

    #[test]
    fn weights_are_even_within_and_among_the_questions_that_count() {
        let entries = entries(&[vec![3, 5], vec![], vec![1]], 2);
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
        let history = History::new(&lines, true);
        let popularity = Popularity::new(&corpus_of(4, vec![lines.to_vec()]), &[7.0], 1.0);
        let mut rng = generator(1, "test", 0);
        let window = Window::training(&history, 4, Some(0), 9, &Asked::at_most(1), &mut rng);
        let batch = Batch::new(&[window], &popularity, 4, &Device::Cpu).expect("small");
        assert_eq!(batch.targets, [[1, 2]]);
        assert_eq!(batch.new_targets, [[2]]);
        // Items 2 and 3 remain, with odds of 3 to 1.
        let logits = Tensor::new(&[[9f32, 9.0, 3f32.ln(), 0.0]], &Device::Cpu).expect("fits");
        let loss = new_item_loss(&logits, &batch, &entries(&batch.new_targets, 1));
        let loss = loss
            .and_then(|loss| Ok(loss.to_scalar::<f32>()?))
            .expect("a scalar");
        assert!((loss - (4f32 / 3.0).ln()).abs() < 1e-6, "{loss}");
    }

    #[test]
    fn what_is_looked_at_often_is_a_weak_label() {
        // Rows of the items' labels: none, 0, 0, 1, 2.
        let rows = [0, 1, 1, 2, 3];
        let batch = |targets: Vec<u32>, looked_at: Vec<u32>| {
            let history = History::new(&[buy(0, 5, None), buy(1, 9, None)], true);
            let asked = Asked::at_most(1);
            let mut rng = generator(1, "test", 0);
            let mut window = Window::training(&history, 5, Some(0), 9, &asked, &mut rng);
            window.questions[0].targets = targets;
            window.questions[0].looked_at = looked_at;
            let corpus = corpus_of(5, vec![vec![buy(0, 5, None)]]);
            let popularity = Popularity::new(&corpus, &[1.0], 1.0);
            Batch::new(&[window], &popularity, 5, &Device::Cpu).expect("fits")
        };
        let entries = |batch: &Batch, weight| {
            let rule = WeakLabels {
                weight,
                ..WeakLabels::default()
            };
            let ordered = labels(batch, &rows);
            let weak = weak_labels(batch, &rows, &ordered, &rule);
            label_entries(&ordered, &weak, weight as f32, 2)
        };
        // Items 1 and 2 are two views of label 0, item 3 was put into the cart, item 4 viewed once.
        let looked_at = vec![0, 1, 2, 3, 3, 4];
        let both = batch(vec![4], looked_at.clone());
        assert_eq!(entries(&both, 0.0), [(0, 2, 0.5)]);
        let third = 0.5f32 / 1.5;
        assert_eq!(
            entries(&both, 0.5),
            [(0, 2, third), (0, 0, 0.125 / 1.5), (0, 1, 0.125 / 1.5)]
        );
        // What was ordered is no weak label as well; without an ordered label the weak ones have their own weight.
        let ordered = batch(vec![1, 3], looked_at.clone());
        assert_eq!(entries(&ordered, 0.5), [(0, 0, 0.25), (0, 1, 0.25)]);
        let unlabelled = batch(vec![0], looked_at);
        assert_eq!(entries(&unlabelled, 0.5), [(0, 0, 0.125), (0, 1, 0.125)]);
    }
}
