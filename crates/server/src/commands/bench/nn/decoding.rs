//! Decoding of the copywriter's decoder: tokens a second after a short prompt, the likeliest token each time.

use std::path::Path;

use nn::{Decoder, Device, NnError, ParameterStore, Pass, Tensor, generator};
use rand::RngExt;

use super::floor::Machine;
use super::peer::Contender;
use super::race::{Check, Race};
use super::{demand, sizes, training, write};
use crate::Outcome;

/// Tokens of each prompt.
const PROMPT: usize = 16;
/// Tokens decoded after it.
const TOKENS: usize = 128;
/// By how much the prompts' loss may differ where weights have 8 bits.
const LOSS_TOLERANCE: f64 = 0.01;

/// What is raced with one batch size.
pub(super) struct Batch {
    pub(super) work: &'static str,
    size: usize,
}

/// One sequence, and as many as a campaign's writer takes at once.
pub(super) const BATCHES: [Batch; 2] = [
    Batch {
        work: "decode, batch 1",
        size: 1,
    },
    Batch {
        work: "decode, batch 32",
        size: 32,
    },
];

/// Decoding by each peer from the same weights and prompts.
pub(super) fn race(batch: &Batch, machine: Machine, scratch: &Path) -> Outcome<Race<'static>> {
    let model = training::decoder().model;
    let mut store = ParameterStore::new(7, &Device::Cpu);
    let decoder = Decoder::new(&mut store, &model)?;
    let prompts = prompts(batch.size, model.vocabulary as u32);
    let mut tensors = store.snapshot()?;
    tensors.insert("prompts".to_owned(), ids(&prompts)?);
    let mut options = sizes(&model);
    options["weights"] = write(scratch, &tensors)?.into();
    options["tokens"] = TOKENS.into();
    let contender = |name: &'static str| {
        let mut options = options.clone();
        options["peer"] = name.into();
        Contender {
            name,
            script: "nn_decoding.py",
            options,
        }
    };
    let check = Check {
        name: "prompts' loss",
        ours: loss(&decoder, &prompts)?,
        tolerance: LOSS_TOLERANCE,
    };
    let demand = demand::decoded_token(&model, batch.size, PROMPT, TOKENS);
    Ok(Race {
        work: batch.work,
        unit: "tokens/s",
        count: (batch.size * TOKENS) as f64,
        floor: machine.at_most(demand),
        ours: None,
        peers: ["PyTorch f32", "CTranslate2 int8", "llama.cpp Q8_0"]
            .map(contender)
            .to_vec(),
        check,
    })
}

fn prompts(batch: usize, vocabulary: u32) -> Vec<Vec<u32>> {
    let mut rng = generator(7, "prompts", 0);
    let mut prompt = || {
        (0..PROMPT)
            .map(|_| rng.random_range(0..vocabulary))
            .collect()
    };
    (0..batch).map(|_| prompt()).collect()
}

fn ids(prompts: &[Vec<u32>]) -> Result<Tensor, NnError> {
    let shape = (prompts.len(), PROMPT);
    Ok(Tensor::from_vec(prompts.concat(), shape, &Device::Cpu)?)
}

/// Mean cross-entropy of each token of the prompts but the first, in f32.
fn loss(decoder: &Decoder, prompts: &[Vec<u32>]) -> Result<f64, NnError> {
    let weight = 1.0 / (prompts.len() * (PROMPT - 1)) as f32;
    let entries: Vec<(u32, u32, f32)> = (0..)
        .step_by(PROMPT)
        .zip(prompts)
        .flat_map(|(start, prompt)| (start..).zip(&prompt[1..]))
        .map(|(row, token)| (row, *token, weight))
        .collect();
    let loss = decoder.loss(&ids(prompts)?, &entries, &mut Pass::Infer)?;
    Ok(f64::from(loss.to_scalar::<f32>()?))
}
