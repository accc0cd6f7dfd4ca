use candle_core::{Device, Tensor};

use super::{Engine, Precision};
use crate::{Decoder, DecoderConfig, Init, ParameterStore, Pass, RotaryScaling, generator};

fn decoder(tied: bool, key_heads: usize) -> Decoder {
    let mut store = ParameterStore::new(3, &Device::Cpu);
    let config = DecoderConfig {
        vocabulary: 37,
        width: 32,
        layers: 3,
        heads: 4,
        key_heads,
        hidden: 40,
        positions: 90,
        rotary_base: 100.0,
        rotary_scaling: RotaryScaling::Unscaled,
        norm_epsilon: 1e-6,
        attention_bias: !tied,
        tied,
        dropout: 0.0,
    };
    let decoder = Decoder::new(&mut store, &config).expect("fits");
    // Large weights, so that logits differ and positions matter; biases and gains as well.
    for (name, parameter) in store.iter() {
        let shape = parameter.var.shape().clone();
        let normal = Init::Normal { std: 0.3 };
        let values = normal.draw(shape.elem_count(), &mut generator(5, name, 0));
        let value = Tensor::from_vec(values, shape, &Device::Cpu).expect("fits");
        store.set(name, &value).expect("exists");
    }
    decoder
}

fn tokens(seed: u64, count: usize) -> Vec<u32> {
    let values = Init::Normal { std: 40.0 }.draw(count, &mut generator(seed, "t", 0));
    values.into_iter().map(|x| x.abs() as u32 % 37).collect()
}

/// The decoder's logits after each token, [T, V].
fn whole(decoder: &Decoder, tokens: &[u32]) -> Vec<Vec<f32>> {
    let ids = Tensor::from_slice(tokens, (1, tokens.len()), &Device::Cpu).expect("fits");
    let logits = decoder.logits(&ids, &mut Pass::Infer).expect("fits");
    logits.squeeze(0).and_then(|l| l.to_vec2()).expect("f32")
}

/// The largest gap between two rows of logits, relative to the larger of 1 and the largest logit.
fn gap(a: &[f32], b: &[f32]) -> f32 {
    let largest = a.iter().fold(1f32, |most, x| most.max(x.abs()));
    let gaps = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    gaps.fold(0f32, f32::max) / largest
}

#[test]
fn prompts_and_steps_give_the_logits_of_the_decoder() {
    for (tied, key_heads) in [(true, 4), (false, 2)] {
        let decoder = decoder(tied, key_heads);
        for (precision, tolerance) in [(Precision::F32, 1e-5), (Precision::Int8, 0.06)] {
            let engine = Engine::new(&decoder, precision).expect("has blocks");
            let mut session = engine.session(3, 90).expect("has positions");
            // Three sequences: one prompt longer than a chunk, one that ends early.
            let sequences = [tokens(1, 80), tokens(2, 12), tokens(3, 9)];
            let expected = [0, 1, 2].map(|s: usize| whole(&decoder, &sequences[s]));
            let prompts = [70, 3, 1];
            for (sequence, prompt) in prompts.into_iter().enumerate() {
                let logits = session.read(sequence, &sequences[sequence][..prompt]);
                let gap = gap(&expected[sequence][prompt - 1], logits.expect("fits"));
                assert!(gap < tolerance, "{precision:?} prompt of {prompt}: {gap}");
            }
            for step in 0..10 {
                let next: Vec<(usize, u32)> = (0..3)
                    .filter_map(|s| Some((s, *sequences[s].get(prompts[s] + step)?)))
                    .collect();
                let logits = session.step(&next).expect("fits");
                for ((sequence, _), logits) in next.iter().zip(logits.chunks_exact(37)) {
                    let gap = gap(&expected[*sequence][prompts[*sequence] + step], logits);
                    assert!(
                        gap < tolerance,
                        "{precision:?} step {step} of {sequence}: {gap}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_sequence_does_not_see_its_neighbours_nor_what_was_there_before() {
    let decoder = decoder(true, 2);
    let engine = Engine::new(&decoder, Precision::Int8).expect("has blocks");
    let (first, second) = (tokens(1, 20), tokens(2, 9));
    let alone = {
        let mut session = engine.session(1, 40).expect("has positions");
        session.read(0, &second).expect("fits").to_vec()
    };
    let mut session = engine.session(2, 40).expect("has positions");
    session.read(1, &first).expect("fits");
    session.restart(1);
    session.read(0, &first).expect("fits");
    assert_eq!(session.read(1, &second).expect("fits"), alone);
    // A copy goes on as the original does.
    session.copy(1, 0);
    assert_eq!(session.length(0), 9);
    let both = session.step(&[(0, 5), (1, 5)]).expect("fits");
    let (a, b) = both.split_at(37);
    assert_eq!(a, b);
}

#[test]
fn vectors_in_place_of_tokens_give_the_same_state() {
    let decoder = decoder(false, 4);
    let engine = Engine::new(&decoder, Precision::F32).expect("has blocks");
    let read = tokens(1, 5);
    let mut session = engine.session(2, 10).expect("has positions");
    let state = session.read_state(0, &read).expect("fits").to_vec();
    let mut vectors = vec![0f32; 5 * 32];
    for (token, vector) in read.iter().zip(vectors.chunks_exact_mut(32)) {
        engine.vector(*token, vector);
    }
    assert_eq!(session.read_vectors(1, &vectors).expect("fits"), state);
}

#[test]
fn what_does_not_fit_is_named() {
    let decoder = decoder(true, 4);
    let engine = Engine::new(&decoder, Precision::F32).expect("has blocks");
    let error = engine.session(1, 91).expect_err("the model has 90");
    assert_eq!(
        error.to_string(),
        "inference session: expected at most the model's 90 positions, got 91; check the sizes given to the layer"
    );
    let mut session = engine.session(2, 4).expect("has positions");
    let remedy = "; check the sizes given to the layer";
    let cases: [(Result<(), crate::NnError>, &str); 6] = [
        (
            session.read(2, &[1]).map(drop),
            "expected a sequence below 2, got sequence 2",
        ),
        (
            session.read(0, &[]).map(drop),
            "expected at least one token, got none",
        ),
        (
            session.read(0, &[1; 5]).map(drop),
            "expected at most 4 tokens a sequence, got 5",
        ),
        (
            session.read(0, &[37]).map(drop),
            "expected tokens below 37, got token 37",
        ),
        (
            session.step(&[(1, 0), (1, 0)]).map(drop),
            "expected each sequence once, got sequence 1 twice",
        ),
        (
            session.read_vectors(0, &[0.0; 31]).map(drop),
            "expected rows of 32 numbers, got 31 numbers",
        ),
    ];
    for (result, message) in cases {
        let error = result.expect_err(message).to_string();
        assert_eq!(error, format!("inference: {message}{remedy}"));
    }
    assert_eq!(session.length(0) + session.length(1), 0);
}
