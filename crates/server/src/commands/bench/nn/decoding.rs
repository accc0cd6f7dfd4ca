//! Decoding of the copywriter's decoder: tokens a second after a short prompt, the likeliest token each time.

use std::path::Path;
use std::time::Instant;

use nn::inference::{Engine, Precision};
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

/// Decoding of ours in 8 bits beside that of each peer from the same weights and prompts.
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
    let engine = Engine::new(&decoder, Precision::Int8)?;
    let ours = move || Ok(seconds(&engine, &prompts)?);
    let demand = demand::decoded_token(&model, batch.size, PROMPT, TOKENS);
    Ok(Race {
        work: batch.work,
        unit: "tokens/s",
        count: (batch.size * TOKENS) as f64,
        floor: machine.at_most(demand),
        ours: Some(Box::new(ours)),
        peers: ["PyTorch f32", "CTranslate2 int8", "llama.cpp Q8_0"]
            .map(contender)
            .to_vec(),
        check,
    })
}

/// Seconds of the tokens after the prompts.
fn seconds(engine: &Engine, prompts: &[Vec<u32>]) -> Result<f64, NnError> {
    let mut session = engine.session(prompts.len(), PROMPT + TOKENS)?;
    let mut next = Vec::with_capacity(prompts.len());
    for (sequence, prompt) in prompts.iter().enumerate() {
        next.push((sequence, likeliest(session.read(sequence, prompt)?)));
    }
    let started = Instant::now();
    for _ in 0..TOKENS {
        let logits = session.step(&next)?;
        for (logits, (_, token)) in logits.chunks_exact(engine.vocabulary()).zip(&mut next) {
            *token = likeliest(logits);
        }
    }
    Ok(started.elapsed().as_secs_f64())
}

/// The token with the highest logit, the first of equals: eight maxima side by side, then the place of the highest.
fn likeliest(logits: &[f32]) -> u32 {
    let mut highest = [f32::NEG_INFINITY; 8];
    for logits in logits.chunks(8) {
        for (highest, logit) in highest.iter_mut().zip(logits) {
            *highest = highest.max(*logit);
        }
    }
    let highest = highest.into_iter().fold(f32::NEG_INFINITY, f32::max);
    let place = logits.iter().position(|logit| *logit >= highest);
    place.unwrap_or_default() as u32
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_the_highest_logits_is_the_token() {
        let mut logits = [0.0f32; 19];
        assert_eq!(likeliest(&logits), 0);
        logits[9] = 2.0;
        logits[18] = 2.0;
        assert_eq!(likeliest(&logits), 9);
        logits[18] = 3.0;
        assert_eq!(likeliest(&logits), 18);
        assert_eq!(likeliest(&[-3.0, -1.0]), 1);
    }

    #[test]
    fn the_peers_get_prompts_and_a_loss_to_agree_with() {
        let folder = tempfile::tempdir().expect("writable");
        let machine = Machine {
            operations_per_s: 1e9,
            bytes_per_s: 1e9,
        };
        let race = race(&BATCHES[0], machine, folder.path()).expect("starts");
        assert!(
            (race.check.ours - 8_192f64.ln()).abs() < 0.5,
            "{:?}",
            race.check
        );
        assert_eq!(race.peers.len(), 3);
        for peer in &race.peers {
            assert_eq!(peer.options["peer"], peer.name);
            assert_eq!(peer.options["tokens"], 128);
        }
    }
}
