//! The state of one shopper with 50 events: what a decision waits for.

use std::path::Path;
use std::time::Instant;

use nn::inference::{Engine, Precision, Session};
use nn::{Decoder, Device, NnError, ParameterStore, Tensor, generator};
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
    let ids = Tensor::from_vec(events.clone(), (1, work.time), &Device::Cpu)?;
    let mut tensors = store.snapshot()?;
    tensors.insert("ids".to_owned(), ids);
    let mut options = sizes(&work.model);
    options["weights"] = write(scratch, &tensors)?.into();
    options["count"] = COUNT.into();
    let table: Vec<f32> = tensors["model.embed_tokens.weight"]
        .flatten_all()?
        .to_vec1()?;
    let engine = Engine::new(&model, Precision::F32)?;
    let width = engine.width();
    let mut vectors = Vec::new();
    let mut session = engine.session(1, work.time)?;
    let state = last_state(&mut session, (&table, width), &events, &mut vectors)?;
    let check = Check {
        name: "sum of the state's absolute values",
        ours: state.iter().map(|x| f64::from(x.abs())).sum(),
        tolerance: 1e-2,
    };
    let ours = move || {
        let mut session = engine.session(1, work.time)?;
        let started = Instant::now();
        for _ in 0..COUNT {
            last_state(&mut session, (&table, width), &events, &mut vectors)?;
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

/// The state after the last event; of the vectors, so that no item is scored.
fn last_state<'a>(
    session: &'a mut Session<'_>,
    (table, width): (&[f32], usize),
    events: &[u32],
    vectors: &mut Vec<f32>,
) -> Result<&'a [f32], NnError> {
    session.restart(0);
    vectors.clear();
    for event in events {
        vectors.extend_from_slice(&table[*event as usize * width..][..width]);
    }
    session.read_vectors(0, vectors)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nn::Pass;

    #[test]
    fn the_state_of_vectors_is_the_models_last() {
        let mut store = ParameterStore::new(3, &Device::Cpu);
        let model = Decoder::new(&mut store, &training::user_model().model).expect("fits");
        let events = [5, 11_999, 0];
        let ids = Tensor::new(&[events], &Device::Cpu).expect("small");
        let states = model.states(&ids, &mut Pass::Infer).expect("fits");
        let expected: Vec<f32> = states
            .get(0)
            .and_then(|states| states.get(2)?.to_vec1())
            .expect("the last");
        let table = &store.get("model.embed_tokens.weight").expect("exists").var;
        let table: Vec<f32> = table
            .flatten_all()
            .and_then(|table| table.to_vec1())
            .expect("floats");
        let engine = Engine::new(&model, Precision::F32).expect("fits");
        let mut session = engine.session(1, 50).expect("fits");
        for _ in 0..2 {
            let width = engine.width();
            let state = last_state(&mut session, (&table, width), &events, &mut Vec::new());
            for (ours, expected) in state.expect("reads").iter().zip(&expected) {
                assert!((ours - expected).abs() < 1e-4, "{ours} is not {expected}");
            }
        }
    }
}
