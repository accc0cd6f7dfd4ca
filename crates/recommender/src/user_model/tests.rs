//! Training on small shops with known habits.

mod pretraining;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use nn::{Device, Pass, SHARDS, generator};
use rand::RngExt;

use super::batch::Batch;
use super::gradients::batch_gradients;
use super::history::History;
use super::window::{Asked, Window};
use super::{
    EncoderKind, LossWeights, Objective, Training, TrainingRecord, UserModel, UserModelConfig,
    VALIDATION_NDCG, train,
};
use crate::fixture::{buy, corpus_of};
use crate::{Corpus, Interaction, InteractionKind, Scorer, hold_out, top_k};

pub(super) const DAY_S: i64 = 86_400;
pub(super) const ITEMS: u32 = 24;

/// What a shopper of this shop buys after an item: a fixed permutation without short cycles.
pub(super) fn after(item: u32) -> u32 {
    (item * 5 + 7) % ITEMS
}

/// Shoppers who follow [`after`] from a random first item, one order of one item a day.
pub(super) fn habitual_shop(shoppers: usize, orders: i64) -> Corpus {
    let mut rng = generator(11, "shop", 0);
    let sequences = (0..shoppers).map(|_| {
        let mut item = rng.random_range(0..ITEMS);
        let line = |order: i64| {
            let line = buy(item, order * DAY_S, Some(order as u32));
            item = after(item);
            line
        };
        (0..orders).map(line).collect()
    });
    let mut corpus = corpus_of(ITEMS as usize, sequences.collect());
    corpus.categories = vec!["even".to_owned(), "odd".to_owned()];
    for (index, item) in (0u32..).zip(&mut corpus.items) {
        item.category = Some(index % 2);
        item.price_band = Some((index % 3) as u8);
    }
    corpus
}

pub(super) fn small() -> UserModelConfig {
    UserModelConfig {
        width: 16,
        hidden: 32,
        layers: 1,
        text_buckets: 32,
        max_length: 8,
        batch_interactions: 120,
        epochs: 2,
        checkpoint_steps: 3,
        dropout: 0.1,
        learning_rate: 0.01,
        ..UserModelConfig::default()
    }
}

pub(super) fn finished(run: Training<UserModel>) -> (UserModel, TrainingRecord) {
    match run {
        Training::Finished(model, record) => (*model, record),
        Training::Paused(record) => panic!("training paused at step {}", record.steps),
    }
}

pub(super) fn train_on(
    corpus: &Corpus,
    config: &UserModelConfig,
    folder: &Path,
) -> Training<UserModel> {
    train(corpus, None, config, folder, &mut |_| {
        ControlFlow::Continue(())
    })
    .expect("trains")
}

fn weights_path(folder: &Path) -> PathBuf {
    let mut paths = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path());
    let path = paths.find(|path| path.extension().is_some_and(|e| e == "safetensors"));
    path.expect("the weights are saved")
}

fn weights(folder: &Path) -> Vec<u8> {
    std::fs::read(weights_path(folder)).expect("saved")
}

fn best_ndcg(record: &TrainingRecord) -> f64 {
    let epochs = record.epochs.iter();
    let figures = epochs.filter_map(|epoch| epoch.validation.get(VALIDATION_NDCG).copied());
    figures.fold(0.0, f64::max)
}

#[test]
fn planted_transitions_are_recovered() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let corpus = habitual_shop(160, 7);
    let split = hold_out(&corpus, 6 * DAY_S, 7 * DAY_S);
    let config = UserModelConfig {
        epochs: 12,
        patience: 12,
        loss_weights: LossWeights {
            category: 1.0,
            purchase: 1.0,
            ..LossWeights::default()
        },
        ..small()
    };
    let run = train(
        &split.training,
        Some(&split),
        &config,
        folder.path(),
        &mut |_| ControlFlow::Continue(()),
    );
    let (model, record) = finished(run.expect("trains"));
    let best = best_ndcg(&record);
    assert!(best > 0.9, "NDCG@10 {best}: {record:?}");
    let first = record.epochs.first().map(|e| e.train_loss);
    let last = record.epochs.last().map(|e| e.train_loss);
    assert!(last < first, "{record:?}");
    // The best epoch of the items comes before the categories are learnt; the last one knows both.
    let folder = tempfile::tempdir().expect("a temporary folder");
    let run = train(&split.training, None, &config, folder.path(), &mut |_| {
        ControlFlow::Continue(())
    });
    let (last_epoch, _) = finished(run.expect("trains"));
    let (mut right, mut right_category) = (0, 0);
    for shopper in &split.shoppers {
        let history = split.history(shopper);
        let scores = model.scores(&[history], split.now_s).expect("scores");
        let expected = after(history[history.len() - 1].item);
        right += usize::from(top_k(&scores[0], &split.candidates, 1) == [expected]);
        let interests = last_epoch.interests(history, split.now_s, 1);
        let interests = interests.expect("interests");
        let probability = interests.categories[0].probability;
        assert!((0.5..=1.0).contains(&probability), "{interests:?}");
        let category = ["even", "odd"][(expected % 2) as usize];
        right_category += usize::from(interests.categories[0].label == category);
    }
    let share = right as f64 / split.shoppers.len() as f64;
    assert!(share > 0.9, "{share} of the next items come first");
    let share = right_category as f64 / split.shoppers.len() as f64;
    assert!(share > 0.9, "{share} of the next categories come first");
    let history = split.history(&split.shoppers[0]);
    let scores = model.scores(&[history], split.now_s).expect("scores");
    let bought = history[0].item;
    let parts = model
        .score_parts(history, split.now_s, &[bought, 3])
        .expect("parts");
    for (parts, item) in parts.iter().zip([bought, 3]) {
        let sum = parts.taste + parts.popularity + parts.own_past;
        assert!((sum - scores[0][item as usize]).abs() < 1e-4, "{parts:?}");
    }
    assert!(parts[0].own_past.abs() > 1e-3, "{parts:?}");
    let next = after(history[history.len() - 1].item);
    let other = after(next);
    let chances = model.purchase_probabilities(history, split.now_s, &[next, other]);
    let chances = chances.expect("probabilities");
    assert!(chances[0] > chances[1], "{chances:?}");
}

#[test]
fn a_run_that_was_paused_anywhere_ends_in_the_same_bytes() {
    let corpus = habitual_shop(60, 5);
    let straight = tempfile::tempdir().expect("a temporary folder");
    let (_, record) = finished(train_on(&corpus, &small(), straight.path()));
    assert!(record.steps > 4, "{record:?}");
    let again = tempfile::tempdir().expect("a temporary folder");
    train_on(&corpus, &small(), again.path());
    assert_eq!(weights(straight.path()), weights(again.path()));
    let paused = tempfile::tempdir().expect("a temporary folder");
    let mut pauses = 0;
    let resumed = loop {
        let mut steps = 0;
        let run = train(&corpus, None, &small(), paused.path(), &mut |_| {
            steps += 1;
            if steps == 2 {
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
    assert_eq!(weights(straight.path()), weights(paused.path()));
    let other_seed = UserModelConfig { seed: 2, ..small() };
    let other = tempfile::tempdir().expect("a temporary folder");
    train_on(&corpus, &other_seed, other.path());
    assert_ne!(weights(straight.path()), weights(other.path()));
}

#[test]
fn a_checkpoint_of_other_data_is_not_resumed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let stop = &mut |_: &super::Progress| ControlFlow::Break(());
    let run = train(&habitual_shop(60, 5), None, &small(), folder.path(), stop);
    assert!(matches!(run, Ok(Training::Paused(_))));
    let corpus = habitual_shop(50, 5);
    train_on(&corpus, &small(), folder.path());
    let fresh = tempfile::tempdir().expect("a temporary folder");
    train_on(&corpus, &small(), fresh.path());
    assert_eq!(weights(folder.path()), weights(fresh.path()));
}

#[test]
fn every_parameter_gets_a_finite_gradient_that_is_not_zero() {
    let mut corpus = habitual_shop(20, 6);
    corpus.brands = vec!["acme".to_owned(), "apex".to_owned()];
    for (index, item) in (0u32..).zip(&mut corpus.items) {
        item.brand = (index % 3 < 2).then_some(index % 3);
    }
    for encoder in EncoderKind::ALL {
        let timed = UserModelConfig { encoder, ..small() };
        assert_gradients(&corpus, &timed);
        let learn_loss_weights = true;
        assert_gradients(
            &corpus,
            &UserModelConfig {
                learn_loss_weights,
                ..timed
            },
        );
        assert_gradients(&corpus, &for_sequences(encoder));
    }
}

/// Small settings for sequences without a clock.
pub(super) fn for_sequences(encoder: EncoderKind) -> UserModelConfig {
    UserModelConfig {
        encoder,
        popularity_half_lives_days: Vec::new(),
        repeat_purchases: false,
        ..small()
    }
}

fn assert_gradients(corpus: &Corpus, config: &UserModelConfig) {
    let model = UserModel::untrained(corpus, config).expect("a good corpus");
    let mut rng = generator(1, "test", 0);
    let windows: Vec<Window> = corpus
        .sequences
        .iter()
        .map(|sequence| {
            let history = History::new(&sequence.interactions, config.repeat_purchases);
            Window::training(
                &history,
                ITEMS as usize,
                Some(4),
                8,
                &Asked::at_most(16),
                &mut rng,
            )
        })
        .collect();
    let gradients = batch_gradients(&model, &windows, SHARDS, 0, &mut rng);
    let (_, gradients) = gradients.expect("fits");
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
fn shards_sum_to_the_whole_batch() {
    let corpus = habitual_shop(23, 6);
    let mut config = UserModelConfig {
        dropout: 0.0,
        item_dropout: 0.0,
        learn_loss_weights: true,
        ..small()
    };
    // Its negatives are drawn shard by shard.
    config.loss_weights.purchase = 0.0;
    let model = UserModel::untrained(&corpus, &config).expect("a good corpus");
    let mut rng = generator(1, "test", 0);
    let windows: Vec<Window> = (0..)
        .zip(&corpus.sequences)
        .map(|(index, sequence)| {
            let history = History::new(&sequence.interactions, true);
            Window::training(
                &history,
                ITEMS as usize,
                Some(index % 4),
                8,
                &Asked::at_most(3),
                &mut rng,
            )
        })
        .collect();
    let gradients = |shards| {
        let mut rng = generator(1, "table", 0);
        batch_gradients(&model, &windows, shards, 0, &mut rng).expect("fits")
    };
    let ((whole, of_whole), (sum, of_shards)) = (gradients(1), gradients(5));
    assert!((whole - sum).abs() < 1e-5, "{whole} is not {sum}");
    for (name, gradient) in of_whole {
        let difference = (gradient - &of_shards[&name]).and_then(|d| d.abs()?.max_all());
        let difference = difference.and_then(|d| d.to_scalar::<f32>()).expect("f32");
        assert!(difference < 1e-5, "{name}: {difference}");
    }
}

#[test]
fn lines_of_an_order_may_come_in_any_order() {
    let corpus = habitual_shop(20, 6);
    let model = UserModel::untrained(&corpus, &small()).expect("a good corpus");
    let lines = [3u32, 9, 1].map(|item| buy(item, DAY_S, Some(1)));
    let mut turned = lines;
    turned.reverse();
    let states = model
        .user_states(&[&lines, &turned], 2 * DAY_S)
        .expect("encodes");
    for (a, b) in states[0].iter().zip(&states[1]) {
        assert!((a - b).abs() < 1e-5, "{a} is not {b}");
    }
    // Answers come in the order of the questions, whatever the lengths.
    let one = model.user_state(&lines[..1], 2 * DAY_S).expect("encodes");
    let both = model
        .user_states(&[&lines, &lines[..1]], 2 * DAY_S)
        .expect("encodes");
    for (together, alone) in both[1].iter().zip(&one) {
        assert!((together - alone).abs() < 1e-5, "{together} is not {alone}");
    }
    let later = buy(5, 3 * DAY_S, Some(2));
    let longer: Vec<Interaction> = lines.into_iter().chain([later]).collect();
    let state = model.user_state(&longer, 4 * DAY_S).expect("encodes");
    assert!(
        state
            .iter()
            .zip(&states[0])
            .any(|(a, b)| (a - b).abs() > 1e-3)
    );
}

#[test]
fn a_saved_model_scores_the_same_and_gives_a_new_product_a_place() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let corpus = habitual_shop(60, 5);
    let (model, _) = finished(train_on(&corpus, &small(), folder.path()));
    let history = &corpus.sequences[0].interactions[..];
    let now_s = 9 * DAY_S;
    let before = model.scores(&[history, &[]], now_s).expect("scores");
    let mut grown = corpus.clone();
    grown.items.push(crate::Item {
        id: "new".to_owned(),
        title: grown.items[4].title.clone(),
        category: Some(0),
        ..crate::Item::default()
    });
    let loaded = UserModel::load(folder.path(), &grown).expect("whole");
    let scores = loaded.scores(&[history, &[]], now_s).expect("scores");
    assert_eq!(scores[0].len(), ITEMS as usize + 1);
    assert!(scores.iter().flatten().all(|score| score.is_finite()));
    for (a, b) in before[0].iter().zip(&scores[0]) {
        // The new title changes how rare each word is, and so the text vectors a little.
        assert!((a - b).abs() < 0.2, "{a} is not {b}");
    }
    let same = UserModel::load(folder.path(), &corpus).expect("whole");
    assert_eq!(same.scores(&[history, &[]], now_s).expect("scores"), before);
}

#[test]
fn damage_and_empty_shops_are_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let corpus = habitual_shop(20, 4);
    train_on(&corpus, &small(), folder.path());
    let path = weights_path(folder.path());
    let content = std::fs::read(&path).expect("saved");
    std::fs::write(&path, &content[..content.len() / 2]).expect("writable");
    let error = UserModel::load(folder.path(), &corpus).expect_err("truncated");
    assert!(
        error.to_string().contains(".safetensors` is damaged"),
        "{error}"
    );
    let empty = tempfile::tempdir().expect("a temporary folder");
    let mut viewed = corpus_of(2, vec![vec![buy(0, 1, None)]]);
    viewed.sequences[0].interactions[0].kind = InteractionKind::View;
    let run = train(&viewed, None, &small(), empty.path(), &mut |_| {
        ControlFlow::Continue(())
    });
    assert_eq!(
        run.expect_err("nobody bought").to_string(),
        "the list of purchases is empty; import orders before training"
    );
}

#[test]
fn a_loss_that_is_no_number_stops_training_and_keeps_the_checkpoint() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = UserModelConfig {
        learning_rate: 1e30,
        warmup_share: 0.0,
        checkpoint_steps: 1,
        ..small()
    };
    let corpus = habitual_shop(60, 5);
    let run = train(&corpus, None, &config, folder.path(), &mut |_| {
        ControlFlow::Continue(())
    });
    let message = run.expect_err("diverges").to_string();
    assert!(
        message.contains("at step 1; lower the learning rate"),
        "{message}"
    );
    let kept = nn::Checkpoint::at(&folder.path().join("checkpoint")).and_then(|c| c.state());
    assert_eq!(kept.expect("whole").map(|state| state.step), Some(1));
}

#[test]
fn a_run_that_was_killed_goes_on_from_its_last_checkpoint() {
    let corpus = habitual_shop(60, 5);
    let straight = tempfile::tempdir().expect("a temporary folder");
    let (_, record) = finished(train_on(&corpus, &small(), straight.path()));
    let killed = tempfile::tempdir().expect("a temporary folder");
    // The first death comes two steps after a checkpoint, the second in the next epoch.
    for deadline in [5, record.steps - 4] {
        let mut steps = 0;
        let death = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            train(&corpus, None, &small(), killed.path(), &mut |_| {
                steps += 1;
                assert!(steps < deadline, "killed on purpose");
                ControlFlow::Continue(())
            })
        }));
        assert!(death.is_err());
    }
    let (_, resumed) = finished(train_on(&corpus, &small(), killed.path()));
    assert_eq!(resumed, record);
    assert_eq!(weights(straight.path()), weights(killed.path()));
}

#[test]
fn every_encoder_and_objective_learns_planted_transitions() {
    let corpus = habitual_shop(160, 7);
    let split = hold_out(&corpus, 6 * DAY_S, 7 * DAY_S);
    let sampled = Objective::Sampled { negatives: 4 };
    let gbce = Objective::Gbce {
        negatives: 8,
        calibration: 0.75,
    };
    let cases = [
        (EncoderKind::Gru, Objective::Full),
        (EncoderKind::Lstm, Objective::Full),
        (EncoderKind::Mlp, Objective::Full),
        (EncoderKind::Transformer, sampled),
        (EncoderKind::Transformer, gbce),
    ];
    for (encoder, objective) in cases {
        let folder = tempfile::tempdir().expect("a temporary folder");
        // A binary loss against few items takes longer.
        let config = UserModelConfig {
            objective,
            epochs: 24,
            patience: 24,
            ..for_sequences(encoder)
        };
        let run = train(
            &split.training,
            Some(&split),
            &config,
            folder.path(),
            &mut |_| ControlFlow::Continue(()),
        );
        let (_, record) = finished(run.expect("trains"));
        let best = best_ndcg(&record);
        assert!(best > 0.9, "{encoder}, {objective:?}: NDCG@10 {best}");
    }
}

#[test]
fn no_encoder_reads_the_future() {
    let corpus = habitual_shop(20, 6);
    let lines: Vec<Interaction> = (0..4u32)
        .map(|n| buy(n, i64::from(n) * DAY_S, None))
        .collect();
    let mut other = lines.clone();
    other[3].item = 9;
    for encoder in EncoderKind::ALL {
        let model = UserModel::untrained(&corpus, &for_sequences(encoder)).expect("a good corpus");
        let windows = [&lines, &other].map(|lines| {
            let history = History::new(lines, false);
            let mut rng = generator(1, "test", 0);
            Window::training(
                &history,
                ITEMS as usize,
                Some(2),
                8,
                &Asked::at_most(16),
                &mut rng,
            )
        });
        let states = windows.map(|window| {
            let batch = Batch::new(&[window], &model.popularity, ITEMS as usize, &Device::Cpu);
            let batch = batch.expect("fits");
            let states = model
                .network
                .states(&batch, model.table(), &mut Pass::Infer);
            states
                .and_then(|s| Ok(s.to_vec2::<f32>()?))
                .expect("encodes")
        });
        // What comes fourth is a target of the third, and read by nobody.
        assert_eq!(states[0], states[1], "{encoder}");
    }
}
