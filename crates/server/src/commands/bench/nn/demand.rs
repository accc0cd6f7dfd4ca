//! What each work cannot do without, counted by formula.
//!
//! A product of [N, A] and [A, B] is 2 N A B operations. What is wide (norms, gates, softmax) is left out: it is little, and a
//! fused kernel does it while the data is in the cache.

use nn::DecoderConfig;

use super::floor::Demand;
use super::training::{Encoder, Work};

/// Bytes of an `f32`.
const F32: f64 = 4.0;

/// A training step: forward, and twice as much backward; `AdamW` over every weight.
pub(super) fn training_step(work: &Work) -> Demand {
    let tokens = (work.batch * work.time) as f64;
    let encoder = match work.encoder {
        Encoder::Transformer => {
            let layer = layer_weights(&work.model) + attended(&work.model, mean_keys(work.time));
            work.model.layers as f64 * layer
        }
        Encoder::Gru => recurrent(&work.model, 3.0),
        Encoder::Lstm => recurrent(&work.model, 4.0),
    };
    let forward = 2.0 * tokens * (encoder + table(&work.model));
    // Read forward and backward, gradient written; AdamW reads weight, gradient and two moments and writes all but the gradient.
    let touches = 3.0 + 7.0;
    let weights = match work.encoder {
        Encoder::Transformer => work.model.layers as f64 * layer_weights(&work.model),
        Encoder::Gru | Encoder::Lstm => encoder,
    };
    Demand {
        operations: 3.0 * forward,
        bytes: touches * F32 * (weights + table(&work.model)),
    }
}

/// One token of each sequence, decoded with weights of 8 bits after `before` to `before + tokens` others; counted a token.
pub(super) fn decoded_token(
    model: &DecoderConfig,
    batch: usize,
    before: usize,
    tokens: usize,
) -> Demand {
    let keys = before as f64 + f64::midpoint(tokens as f64, 1.0);
    let layers = model.layers as f64;
    let weights = layers * layer_weights(model) + table(model);
    let cache = 2.0 * layers * keys * key_width(model) * F32;
    Demand {
        operations: 2.0 * (weights + layers * attended(model, keys)),
        bytes: weights / batch as f64 + cache,
    }
}

/// The last state of one sequence: in the last block only keys and values are needed of the other positions.
pub(super) fn last_state(model: &DecoderConfig, time: usize) -> Demand {
    let positions = time as f64;
    let layer = layer_weights(model);
    let keys_and_values = 2.0 * model.width as f64 * key_width(model);
    let full = (model.layers - 1) as f64 * positions * (layer + attended(model, mean_keys(time)));
    let last = (positions - 1.0) * keys_and_values + layer + attended(model, positions);
    Demand {
        operations: 2.0 * (full + last),
        bytes: F32 * model.layers as f64 * layer,
    }
}

/// Multiplications of a token with the matrices of one block, which has as many weights.
fn layer_weights(model: &DecoderConfig) -> f64 {
    let (width, hidden) = (model.width as f64, model.hidden as f64);
    let attention = 2.0 * width * width + 2.0 * width * key_width(model);
    attention + 3.0 * width * hidden
}

/// Multiplications of a token that attends to some keys: scores and sums of values.
fn attended(model: &DecoderConfig, keys: f64) -> f64 {
    2.0 * keys * model.width as f64
}

/// How many keys a token sees, itself among them, on average over a causal sequence.
fn mean_keys(time: usize) -> f64 {
    f64::midpoint(time as f64, 1.0)
}

fn key_width(model: &DecoderConfig) -> f64 {
    (model.width / model.heads * model.key_heads) as f64
}

fn table(model: &DecoderConfig) -> f64 {
    (model.vocabulary * model.width) as f64
}

/// Multiplications of a token with the recurrent layers, inputs and states as wide as the model.
fn recurrent(model: &DecoderConfig, gates: f64) -> f64 {
    let width = model.width as f64;
    model.layers as f64 * gates * 2.0 * width * width
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::bench::nn::training;

    fn close(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-6 * b, "{a} is not {b}");
    }

    #[test]
    fn a_step_of_the_user_model_is_mostly_its_loss() {
        let demand = training_step(&training::user_model());
        // A block has 4 · 64² + 3 · 64 · 176 = 50,176 weights; a token sees 25.5 keys on average.
        let block = 50_176.0 + 2.0 * 25.5 * 64.0;
        close(demand.operations, 6.0 * 6_400.0 * (2.0 * block + 768_000.0));
        close(demand.bytes, 40.0 * (2.0 * 50_176.0 + 768_000.0));
    }

    #[test]
    fn recurrent_layers_have_three_or_four_gates() {
        for (encoder, gates) in [(Encoder::Gru, 3.0), (Encoder::Lstm, 4.0)] {
            let demand = training_step(&training::recurrent_user_model(encoder));
            let weights = 2.0 * gates * 2.0 * 4_096.0;
            close(demand.operations, 6.0 * 6_400.0 * (weights + 768_000.0));
            close(demand.bytes, 40.0 * (weights + 768_000.0));
        }
    }

    #[test]
    fn a_batch_reads_the_weights_once() {
        let model = training::decoder().model;
        // A block has 4 · 256² + 3 · 256 · 704 = 802,816 weights; the cache has 16 + 64.5 keys on average.
        let weights = 6.0 * 802_816.0 + 8_192.0 * 256.0;
        let cache = 2.0 * 6.0 * 80.5 * 256.0 * 4.0;
        let one = decoded_token(&model, 1, 16, 128);
        close(one.operations, 2.0 * (weights + 6.0 * 2.0 * 80.5 * 256.0));
        close(one.bytes, weights + cache);
        let many = decoded_token(&model, 32, 16, 128);
        close(many.operations, one.operations);
        close(many.bytes, weights / 32.0 + cache);
    }

    #[test]
    fn the_last_state_needs_little_of_the_last_block() {
        let model = training::user_model().model;
        let first = 50.0 * (50_176.0 + 2.0 * 25.5 * 64.0);
        let last = 49.0 * 2.0 * 4_096.0 + 50_176.0 + 2.0 * 50.0 * 64.0;
        let demand = last_state(&model, 50);
        close(demand.operations, 2.0 * (first + last));
        close(demand.bytes, 4.0 * 2.0 * 50_176.0);
    }
}
