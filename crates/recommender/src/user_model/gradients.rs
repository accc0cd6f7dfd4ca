//! The loss of a batch and its gradients, the batch cut into parts that are computed side by side.

use std::sync::Arc;

use nn::{Device, NamedGradients, NnError, Pass, Tensor, generator};
use rand_chacha::ChaCha8Rng;

use super::batch::Batch;
use super::loss::{Counts, multi_task_loss};
use super::model::UserModel;
use super::network::ItemTable;
use super::sampling::Chosen;
use super::window::Window;

/// The loss of the windows of one training step, and its gradients.
///
/// The items' table is made once, from `rng`; each shard draws from a generator of its own, named after the step.
pub(super) fn batch_gradients(
    model: &UserModel,
    windows: &[Window],
    shards: usize,
    step: u64,
    rng: &mut ChaCha8Rng,
) -> Result<(f64, NamedGradients), NnError> {
    let items = model.catalogue.len();
    let batches = windows
        .chunks(windows.len().div_ceil(shards).max(1))
        .map(|windows| Batch::new(windows, &model.popularity, items, &Device::Cpu))
        .collect::<Result<Vec<_>, _>>()?;
    let counts = Counts::of(&batches, &model.catalogue, &model.config.weak_labels);
    let network = &model.network;
    let table = match Chosen::draw(model, &batches, rng) {
        Some(chosen) => {
            let part = model.catalogue.part(&chosen.items)?;
            let mut table = network.item_table(&part, &mut Pass::Train(rng))?;
            table.chosen = Some(Arc::new(chosen));
            table
        }
        None => network.item_table(&model.catalogue, &mut Pass::Train(rng))?,
    };
    let chosen = table.chosen.clone();
    let loss = |(index, batch): &(u64, Batch), shared: &[Tensor]| {
        let name = format!("step {step} shard");
        let mut rng = generator(model.config.seed, &name, *index);
        let table = &ItemTable {
            inputs: shared[0].clone(),
            outputs: shared[1].clone(),
            chosen: chosen.clone(),
        };
        let states = network.states(batch, table, &mut Pass::Train(&mut rng))?;
        multi_task_loss(model, &counts, batch, &states, table, &mut rng)
    };
    let batches: Vec<(u64, Batch)> = (0..).zip(batches).collect();
    nn::sharded_gradients(
        &network.store,
        &[table.inputs, table.outputs],
        &batches,
        loss,
    )
}
