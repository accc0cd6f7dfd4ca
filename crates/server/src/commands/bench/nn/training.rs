//! Training steps at the sizes of the table, over made-up sequences.

use nn::{
    AdamW, AdamWConfig, Decoder, DecoderConfig, Device, NnError, ParameterStore, Pass,
    RotaryScaling, SHARDS, Tensor, generator,
};
use rand::RngExt;

/// Batches that the steps take in turn.
const BATCHES: usize = 4;
const LEARNING_RATE: f64 = 1e-3;

/// The sizes of a training step.
#[derive(Debug, Clone)]
pub(super) struct Work {
    pub(super) name: &'static str,
    /// Sequences a step B.
    pub(super) batch: usize,
    /// Tokens a sequence T.
    pub(super) time: usize,
    pub(super) model: DecoderConfig,
}

/// The user model: a causal Transformer over items, every item a target.
pub(super) fn user_model() -> Work {
    Work {
        name: "user_model",
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

/// The copywriter's decoder.
pub(super) fn decoder() -> Work {
    Work {
        name: "decoder",
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

/// A model in training.
pub(super) struct Training {
    pub(super) store: ParameterStore,
    model: Decoder,
    optimiser: AdamW,
    /// Token ids of each batch, B · (T + 1) of them.
    pub(super) batches: Vec<Vec<u32>>,
    work: Work,
    steps: usize,
}

impl Training {
    pub(super) fn new(work: Work) -> Result<Self, NnError> {
        let mut store = ParameterStore::new(7, &Device::Cpu);
        let model = Decoder::new(&mut store, &work.model)?;
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
            self.model.loss(&inputs, &entries, &mut Pass::Infer)
        };
        let (value, gradients) = nn::sharded_gradients(&self.store, &[], &shards, loss)?;
        self.optimiser
            .step_named(&self.store, &gradients, LEARNING_RATE, f64::INFINITY)?;
        self.steps += 1;
        Ok(value)
    }
}
