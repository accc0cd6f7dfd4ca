use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use nn::{Device, Pass, Tensor, generator};

use super::super::vocabulary::Vocabulary;
use super::*;
use crate::CopyError;
use crate::network::{Batch, Sequence};

fn weights_path(folder: &Path) -> PathBuf {
    let mut paths = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path());
    let path = paths.find(|path| path.extension().is_some_and(|e| e == "safetensors"));
    path.expect("the weights are saved")
}

#[test]
fn every_parameter_gets_a_finite_gradient_that_is_not_zero() {
    let texts = texts();
    let config = NativeConfig {
        dropout: 0.1,
        ..NativeConfig::small()
    };
    let vocabulary = Vocabulary::of_training(&texts, config.max_pieces);
    let sequences: Vec<Sequence> = texts.styles[..8]
        .iter()
        .map(|text| {
            let mut sequence = Sequence::of_style(text, &[], &vocabulary, 8);
            sequence.user_state = Some((0..8).map(|at| (at as f32 - 3.5) / 4.0).collect());
            sequence
        })
        .collect();
    let model = Native::untrained(vocabulary, texts.styles, &config).expect("fits");
    let batch = Batch::new(&sequences.iter().collect::<Vec<_>>(), 8).expect("fits");
    let mut rng = generator(1, "test", 0);
    let loss = model.network.loss(&batch, 0.0, &mut Pass::Train(&mut rng));
    let backward = loss.expect("fits").backward().expect("differentiable");
    let gradients = model.network.store.gradients(&backward);
    for (name, _) in model.network.store.iter() {
        let gradient = gradients
            .get(name)
            .unwrap_or_else(|| panic!("{name} has no gradient"));
        let size = gradient.sqr().and_then(|g| g.sum_all()).expect("floats");
        let size = size.to_scalar::<f32>().expect("a scalar");
        assert!(
            size.is_finite() && size > 0.0,
            "{name}: squared norm {size}"
        );
    }
}

#[test]
fn a_few_texts_are_learnt_by_heart() {
    let mut texts = TrainingTexts::from_library().expect("valid");
    // One text a kind: the prompt then says all that there is to know.
    let mut kinds = BTreeSet::new();
    texts.styles.retain(|text| {
        kinds.insert((text.language, text.channel, text.strategy, text.evidence))
            && kinds.len() <= 12
    });
    let config = NativeConfig {
        composed_texts: 0,
        validation_share: 0.0,
        epochs: 120,
        max_steps: 240,
        batch_tokens: 512,
        checkpoint_steps: 1_000,
        ..NativeConfig::small()
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let run = train(&texts, &config, folder.path(), &mut go_on);
    let (_, record) = finished(run.expect("trains"));
    let losses: Vec<f64> = record.epochs.iter().map(|epoch| epoch.train_loss).collect();
    let (first, last) = (losses[0], losses[losses.len() - 1]);
    assert!(
        first > 5.0 && last < 0.1,
        "from {first} to {last} nats a token"
    );
}

#[test]
fn a_run_that_was_paused_anywhere_ends_in_the_same_bytes() {
    let (texts, config) = (texts(), quick());
    let straight = tempfile::tempdir().expect("a temporary folder");
    let run = train(&texts, &config, straight.path(), &mut go_on);
    let (_, record) = finished(run.expect("trains"));
    assert_eq!(record.steps, 12);
    let paused = tempfile::tempdir().expect("a temporary folder");
    let mut pauses = 0;
    let resumed = loop {
        let mut steps = 0;
        let run = train(&texts, &config, paused.path(), &mut |_| {
            steps += 1;
            if steps == 5 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        match run.expect("trains") {
            Training::Paused(_) => pauses += 1,
            Training::Finished(_, record) => break record,
        }
    };
    assert!(pauses >= 2);
    assert_eq!(resumed, record);
    let weights = |folder: &Path| std::fs::read(weights_path(folder)).expect("saved");
    assert_eq!(weights(straight.path()), weights(paused.path()));
    let other = tempfile::tempdir().expect("a temporary folder");
    let config = NativeConfig { seed: 2, ..config };
    train(&texts, &config, other.path(), &mut go_on).expect("trains");
    assert_ne!(weights(straight.path()), weights(other.path()));
}

#[test]
fn decoding_and_training_see_the_same_probabilities() {
    let texts = texts();
    let config = NativeConfig::small();
    let vocabulary = Vocabulary::of_training(&texts, config.max_pieces);
    let model = Native::untrained(vocabulary, texts.styles.clone(), &config).expect("fits");
    let sequence = Sequence::of_style(&texts.styles[0], &[], &model.vocabulary, 8);
    let (loss, _) = model
        .loss_of(std::slice::from_ref(&sequence))
        .expect("fits");
    let row = |tokens: &[u32]| {
        let shape = (1, tokens.len());
        Tensor::from_vec(tokens.to_vec(), shape, &Device::Cpu).expect("fits")
    };
    let states = Tensor::new(&[[0f32; 8]], &Device::Cpu).expect("fits");
    let (prompt, text) = sequence.tokens.split_at(sequence.prompt);
    let (mut state, mut scores) = model.network.begin(&row(prompt), &states).expect("fits");
    let mut total = 0.0;
    for token in text {
        let row_of = scores.to_vec2::<f32>().expect("floats");
        total -= f64::from(row_of[0][*token as usize]);
        scores = model
            .network
            .advance(&row(&[*token]), &mut state)
            .expect("fits");
    }
    assert!((total - loss).abs() < 1e-3 * loss, "{total} and {loss}");
}

#[test]
fn damage_and_missing_texts_are_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = NativeConfig {
        max_steps: 1,
        ..quick()
    };
    train(&texts(), &config, folder.path(), &mut go_on).expect("trains");
    let loaded = Native::load(folder.path()).expect("whole");
    assert_eq!(loaded.config(), &config);
    let path = weights_path(folder.path());
    let content = std::fs::read(&path).expect("saved");
    std::fs::write(&path, &content[..content.len() / 2]).expect("writable");
    let message = Native::load(folder.path())
        .expect_err("truncated")
        .to_string();
    assert!(message.contains(".safetensors` is damaged"), "{message}");
    let record = folder.path().join("checkpoint").join("checkpoint.json");
    std::fs::write(&record, "{\"format\": 1").expect("writable");
    let run = train(&texts(), &config, folder.path(), &mut go_on);
    let message = run.expect_err("damaged").to_string();
    assert!(
        message.contains("checkpoint.json` is damaged: not JSON"),
        "{message}"
    );
    let nothing = folder.path().join("nothing");
    let run = train(&TrainingTexts::default(), &config, &nothing, &mut go_on);
    assert!(matches!(run, Err(CopyError::NoTexts)));
}
