//! The state of one shopper with 50 events: what a decision waits for.

use std::path::Path;
use std::time::Instant;

use nn::{Decoder, Device, NnError, ParameterStore, Pass, Tensor, generator};
use rand::RngExt;

use super::floor::Machine;
use super::peer::Contender;
use super::race::{Check, Race};
use super::{demand, sizes, training, write};
use crate::Outcome;

pub(super) const WORK: &str = "user state, 50 events, batch 1";
/// States a turn.
const COUNT: usize = 200;

/// States of ours beside those of ONNX Runtime, from the same weights and events.
pub(super) fn race(machine: Machine, scratch: &Path) -> Outcome<Race<'static>> {
    let work = training::user_model();
    let mut store = ParameterStore::new(7, &Device::Cpu);
    let model = Decoder::new(&mut store, &work.model)?;
    let mut rng = generator(7, "events", 0);
    let items = 0..work.model.vocabulary as u32;
    let events: Vec<u32> = (0..work.time)
        .map(|_| rng.random_range(items.clone()))
        .collect();
    let ids = Tensor::from_vec(events, (1, work.time), &Device::Cpu)?;
    let mut tensors = store.snapshot()?;
    tensors.insert("ids".to_owned(), ids.clone());
    let mut options = sizes(&work.model);
    options["weights"] = write(scratch, &tensors)?.into();
    options["count"] = COUNT.into();
    let magnitude = last_state(&model, &ids)?.abs()?.sum_all()?;
    let check = Check {
        name: "sum of the state's absolute values",
        ours: f64::from(magnitude.to_scalar::<f32>()?),
        tolerance: 1e-2,
    };
    let ours = move || {
        let started = Instant::now();
        for _ in 0..COUNT {
            last_state(&model, &ids)?;
        }
        Ok(started.elapsed().as_secs_f64())
    };
    Ok(Race {
        work: WORK,
        unit: "states/s",
        count: COUNT as f64,
        floor: machine.at_most(demand::last_state(&work.model, work.time)),
        ours: Some(Box::new(ours)),
        peers: vec![Contender {
            name: "ONNX Runtime",
            script: "nn_state.py",
            options,
        }],
        check,
    })
}

fn last_state(model: &Decoder, ids: &Tensor) -> Result<Tensor, NnError> {
    let states = model.states(ids, &mut Pass::Infer)?;
    Ok(states.narrow(1, states.dim(1)? - 1, 1)?)
}
