//! Training steps at the sizes of the table, over made-up sequences.

use std::path::Path;
use std::time::Instant;

use nn::{
    AdamW, AdamWConfig, Cell, Decoder, DecoderConfig, Device, Embedding, NnError, ParameterStore,
    Pass, Recurrent, RotaryScaling, SHARDS, Tensor, generator, losses,
};
use rand::RngExt;

use super::demand;
use super::floor::Machine;
use super::peer::Contender;
use super::race::{Check, Race};
use super::{sizes, write};
use crate::Outcome;

/// Batches that the steps take in turn.
const BATCHES: usize = 4;
const LEARNING_RATE: f64 = 1e-3;
/// Steps a turn.
const STEPS: usize = 4;
/// Standard deviation of a table's first values.
const TABLE_STD: f64 = 0.02;
/// By how much first losses may differ that are sums in another order.
const LOSS_TOLERANCE: f64 = 1e-3;

/// What makes states of a sequence's tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoder {
    Transformer,
    Gru,
    Lstm,
}

/// The sizes of a training step.
#[derive(Debug, Clone)]
pub(super) struct Work {
    pub(super) name: &'static str,
    pub(super) encoder: Encoder,
    /// Sequences a step B.
    pub(super) batch: usize,
    /// Tokens a sequence T.
    pub(super) time: usize,
    pub(super) model: DecoderConfig,
}

/// The user model: a causal Transformer over items, every item a target.
pub(super) fn user_model() -> Work {
    Work {
        name: "user-model step",
        encoder: Encoder::Transformer,
        batch: 128,
        time: 50,
        model: DecoderConfig {
            vocabulary: 12_000,
            width: 64,
            layers: 2,
            heads: 2,
            key_heads: 2,
            hidden: 176,
            positions: 50,
            rotary_base: 10_000.0,
            rotary_scaling: RotaryScaling::Unscaled,
            norm_epsilon: 1e-6,
            attention_bias: false,
            tied: true,
            dropout: 0.0,
        },
    }
}

/// The same sizes with recurrent layers in place of the blocks.
pub(super) fn recurrent_user_model(encoder: Encoder) -> Work {
    Work {
        name: match encoder {
            Encoder::Transformer => "user-model step",
            Encoder::Gru => "GRU user-model step",
            Encoder::Lstm => "LSTM user-model step",
        },
        encoder,
        ..user_model()
    }
}

/// The copywriter's decoder.
pub(super) fn decoder() -> Work {
    Work {
        name: "decoder step",
        encoder: Encoder::Transformer,
        batch: 16,
        time: 128,
        model: DecoderConfig {
            vocabulary: 8_192,
            width: 256,
            layers: 6,
            heads: 4,
            key_heads: 4,
            hidden: 704,
            positions: 256,
            rotary_base: 10_000.0,
            rotary_scaling: RotaryScaling::Unscaled,
            norm_epsilon: 1e-6,
            attention_bias: false,
            tied: true,
            dropout: 0.0,
        },
    }
}

/// Steps of ours beside those of `PyTorch`, from the same weights over the same batches.
pub(super) fn race(work: &Work, machine: Machine, scratch: &Path) -> Outcome<Race<'static>> {
    let mut training = Training::new(work.clone())?;
    let mut tensors = training.store.snapshot()?;
    let shape = (BATCHES, work.batch, work.time + 1);
    let batches = Tensor::from_vec(training.batches.concat(), shape, &Device::Cpu)?;
    tensors.insert("batches".to_owned(), batches);
    let mut options = sizes(&work.model);
    options["weights"] = write(scratch, &tensors)?.into();
    options["steps"] = STEPS.into();
    options["encoder"] = match work.encoder {
        Encoder::Transformer => "transformer",
        Encoder::Gru => "gru",
        Encoder::Lstm => "lstm",
    }
    .into();
    let check = Check {
        name: "first loss",
        ours: training.step()?,
        tolerance: LOSS_TOLERANCE,
    };
    let ours = move || {
        let started = Instant::now();
        for _ in 0..STEPS {
            training.step()?;
        }
        Ok(started.elapsed().as_secs_f64())
    };
    Ok(Race {
        work: work.name,
        unit: "steps/s",
        count: STEPS as f64,
        floor: machine.at_most(demand::training_step(work)),
        ours: Some(Box::new(ours)),
        peers: vec![Contender {
            name: "PyTorch",
            script: "nn_training.py",
            options,
        }],
        check,
    })
}

/// Table, encoder and products with the table.
enum Model {
    Transformer(Box<Decoder>),
    Recurrent(Embedding, Vec<Recurrent>),
}

impl Model {
    fn new(store: &mut ParameterStore, work: &Work) -> Result<Self, NnError> {
        let config = &work.model;
        let cell = match work.encoder {
            Encoder::Transformer => {
                return Ok(Self::Transformer(Box::new(Decoder::new(store, config)?)));
            }
            Encoder::Gru => Cell::Gru,
            Encoder::Lstm => Cell::Lstm,
        };
        let (rows, width) = (config.vocabulary, config.width);
        let table = Embedding::new(store, "model.embed_tokens", rows, width, TABLE_STD)?;
        let layers = (0..config.layers).map(|index| {
            let name = format!("model.layers.{index}");
            Recurrent::new(store, &name, cell, width, width)
        });
        Ok(Self::Recurrent(table, layers.collect::<Result<_, _>>()?))
    }

    fn loss(&self, ids: &Tensor, entries: &[(u32, u32, f32)]) -> Result<Tensor, NnError> {
        let (table, layers) = match self {
            Self::Transformer(decoder) => return decoder.loss(ids, entries, &mut Pass::Infer),
            Self::Recurrent(table, layers) => (table, layers),
        };
        let x = table.forward(ids)?;
        let states = layers.iter().try_fold(x, |x, layer| layer.forward(&x))?;
        let states = states.reshape(((), states.dim(2)?))?;
        losses::linear_cross_entropy(&states, table.table(), entries, 0.0)
    }
}

/// A model in training.
pub(super) struct Training {
    pub(super) store: ParameterStore,
    model: Model,
    optimiser: AdamW,
    /// Token ids of each batch, B · (T + 1) of them.
    pub(super) batches: Vec<Vec<u32>>,
    work: Work,
    steps: usize,
}

impl Training {
    pub(super) fn new(work: Work) -> Result<Self, NnError> {
        let mut store = ParameterStore::new(7, &Device::Cpu);
        let model = Model::new(&mut store, &work)?;
        let mut rng = generator(7, work.name, 0);
        let tokens = work.batch * (work.time + 1);
        let vocabulary = work.model.vocabulary as u32;
        let batches = (0..BATCHES)
            .map(|_| {
                (0..tokens)
                    .map(|_| rng.random_range(0..vocabulary))
                    .collect()
            })
            .collect();
        let optimiser = AdamW::new(AdamWConfig {
            beta2: 0.999,
            ..AdamWConfig::default()
        });
        Ok(Self {
            store,
            model,
            optimiser,
            batches,
            work,
            steps: 0,
        })
    }

    /// One step: forward, backward, update. Returns the loss.
    pub(super) fn step(&mut self) -> Result<f64, NnError> {
        let tokens = &self.batches[self.steps % BATCHES];
        let (batch, time) = (self.work.batch, self.work.time);
        let weight = 1.0 / (batch * time) as f32;
        let sequences: Vec<&[u32]> = tokens.chunks(time + 1).collect();
        let shards: Vec<&[&[u32]]> = sequences.chunks(batch.div_ceil(SHARDS)).collect();
        let loss = |shard: &&[&[u32]], _: &[Tensor]| {
            let inputs: Vec<u32> = shard.iter().flat_map(|s| &s[..time]).copied().collect();
            let inputs = Tensor::from_vec(inputs, (shard.len(), time), &Device::Cpu)?;
            let targets = shard.iter().flat_map(|s| &s[1..]);
            let entries: Vec<(u32, u32, f32)> = (0..)
                .zip(targets)
                .map(|(row, target)| (row, *target, weight))
                .collect();
            self.model.loss(&inputs, &entries)
        };
        let (value, gradients) = nn::sharded_gradients(&self.store, &[], &shards, loss)?;
        self.optimiser
            .step_named(&self.store, &gradients, LEARNING_RATE, f64::INFINITY)?;
        self.steps += 1;
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoder_starts_at_the_loss_of_chance_and_learns() {
        for encoder in [Encoder::Transformer, Encoder::Gru, Encoder::Lstm] {
            let work = Work {
                batch: 4,
                time: 5,
                model: DecoderConfig {
                    vocabulary: 50,
                    ..user_model().model
                },
                ..recurrent_user_model(encoder)
            };
            let mut training = Training::new(work).expect("fits");
            let first = training.step().expect("trains");
            assert!((first - 50f64.ln()).abs() < 0.1, "{encoder:?}: {first}");
            let losses: Vec<f64> = (0..80).map(|_| training.step().expect("trains")).collect();
            assert!(losses[79] < first - 0.3, "{encoder:?}: {losses:?}");
        }
    }

    #[test]
    fn a_race_writes_what_the_peer_reads() {
        let folder = tempfile::tempdir().expect("writable");
        let machine = Machine {
            operations_per_s: 1e9,
            bytes_per_s: 1e9,
        };
        let work = Work {
            batch: 2,
            time: 3,
            ..recurrent_user_model(Encoder::Gru)
        };
        let race = race(&work, machine, folder.path()).expect("starts");
        let options = &race.peers[0].options;
        assert_eq!(
            (&options["encoder"], &options["width"]),
            (&"gru".into(), &64.into())
        );
        let path = options["weights"].as_str().expect("a path");
        let length = std::fs::metadata(path).expect("written").len();
        assert!(
            length as usize > 4 * work.model.vocabulary * work.model.width,
            "{length}"
        );
        assert!(
            (race.check.ours - 12_000f64.ln()).abs() < 0.1,
            "{:?}",
            race.check
        );
    }
}
