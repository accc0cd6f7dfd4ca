//! Runs of a small model that are stopped, killed and poisoned at every step.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::ops::ControlFlow;
use std::path::Path;

use rand::RngExt;
use rand::seq::SliceRandom;

use super::train;
use crate::{
    BatchGradients, BatchPlace, Checkpoint, Device, Done, Figures, Linear, NnError, ParameterStore,
    Progress, Tensor, TrainingRecord, TrainingSettings, TrainingTask, generator, losses,
};

/// Numbers of batches of the epochs: they differ, as they do where windows are drawn anew.
const BATCHES: [u64; 3] = [4, 5, 3];
const SEED: u64 = 3;

/// A linear classifier of noisy points whose batches are planned anew every epoch.
struct Noise {
    store: ParameterStore,
    layer: Linear,
    plan: Vec<u64>,
    fault: Fault,
    /// The figures of successive validations; empty for none.
    scores: Vec<f64>,
    validated: usize,
    kept: Option<Vec<u32>>,
}

/// What goes wrong at a batch, by its number.
#[derive(Clone, Copy)]
enum Fault {
    None,
    Loss(u64),
    Gradient(u64),
    Death(u64),
}

impl Noise {
    fn new(fault: Fault) -> Self {
        let mut store = ParameterStore::new(SEED, &Device::Cpu);
        let layer = Linear::new(&mut store, "layer", 4, 3, true).expect("fresh");
        Self {
            store,
            layer,
            plan: Vec::new(),
            fault,
            scores: Vec::new(),
            validated: 0,
            kept: None,
        }
    }

    fn bits(&self) -> Vec<u32> {
        let weight = self.layer.weight().flatten_all().expect("a matrix");
        let values: Vec<f32> = weight.to_vec1().expect("f32");
        values.iter().map(|value| value.to_bits()).collect()
    }
}

impl TrainingTask for Noise {
    type Error = NnError;

    fn store(&self) -> &ParameterStore {
        &self.store
    }

    fn plan_epoch(&mut self, epoch: u64) -> Result<u64, NnError> {
        let batches = BATCHES[epoch as usize % BATCHES.len()];
        self.plan = (0..batches).map(|batch| epoch * 100 + batch).collect();
        self.plan.shuffle(&mut generator(SEED, "epoch", epoch));
        Ok(batches)
    }

    fn gradients(&self, batch: BatchPlace) -> Result<BatchGradients, NnError> {
        if matches!(self.fault, Fault::Death(at) if at == batch.number) {
            return Err(NnError::DuplicateParameter {
                name: "killed on purpose".to_owned(),
            });
        }
        let mut points = generator(SEED, "points", self.plan[batch.in_epoch as usize]);
        let mut noise = generator(SEED, "noise", batch.number);
        let x: Vec<f32> = (0..8 * 4)
            .map(|_| points.random::<f32>() + noise.random::<f32>())
            .collect();
        let targets: Vec<u32> = (0..8).map(|_| points.random_range(0..3)).collect();
        let x = Tensor::from_vec(x, (8, 4), &Device::Cpu)?;
        let loss = losses::cross_entropy(&self.layer.forward(&x)?, &targets, 0.0)?;
        let mut gradients = self.store.gradients(&loss.backward()?);
        if matches!(self.fault, Fault::Gradient(at) if at == batch.number) {
            let bias = gradients.get_mut("layer.bias").expect("a bias");
            *bias = (&*bias * f64::NAN)?;
        }
        let loss = match self.fault {
            Fault::Loss(at) if at == batch.number => f64::INFINITY,
            _ => f64::from(loss.to_scalar::<f32>()?),
        };
        Ok(BatchGradients {
            loss,
            gradients,
            tokens: 8,
        })
    }

    fn validate(&mut self) -> Result<Figures, NnError> {
        let score = self.scores.get(self.validated).copied();
        self.validated += 1;
        Ok(score.map(|s| ("score".to_owned(), s)).into_iter().collect())
    }

    fn keep_best(&mut self, _: &Figures) -> Result<(), NnError> {
        self.kept = Some(self.bits());
        Ok(())
    }
}

fn settings() -> TrainingSettings {
    TrainingSettings {
        fingerprint: "noise".to_owned(),
        epochs: 3,
        max_steps: u64::MAX,
        patience: 3,
        accumulation: NonZeroU64::MIN,
        checkpoint_steps: 3,
        learning_rate: 0.05,
        learning_rate_floor: 0.0005,
        warmup_share: 0.2,
        clip_norm: 0.5,
        weight_decay: 0.01,
        metric: "score",
        lower_is_better: false,
    }
}

fn batches(count: u64) -> NonZeroU64 {
    NonZeroU64::new(count).expect("above 0")
}

fn go_on(_: &Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// Trains to the end and returns the last and the kept bits, and the record.
fn trained(settings: &TrainingSettings, folder: &Path) -> (Noise, TrainingRecord) {
    let mut task = Noise::new(Fault::None);
    let record = train(&mut task, settings, folder, &mut go_on).expect("trains");
    assert!(record.finished);
    (task, record)
}

/// Settings under which a run ends in each of the ways it can.
fn endings() -> [TrainingSettings; 4] {
    let all = settings();
    let halves = TrainingSettings {
        accumulation: batches(2),
        ..settings()
    };
    // The run ends within an epoch.
    let cut = TrainingSettings {
        max_steps: 6,
        ..settings()
    };
    let cut_halves = TrainingSettings {
        max_steps: 5,
        ..halves.clone()
    };
    [all, halves, cut, cut_halves]
}

#[test]
fn a_run_that_is_stopped_at_any_moment_ends_in_the_same_bits() {
    for settings in endings() {
        let straight = tempfile::tempdir().expect("a temporary folder");
        let (reference, record) = trained(&settings, straight.path());
        let moments = record.steps + record.epochs.len() as u64;
        for moment in 1..=moments {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let mut told = 0;
            let mut stop = |_: &Progress| {
                told += 1;
                if told == moment {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            };
            let mut first = Noise::new(Fault::None);
            let paused = train(&mut first, &settings, folder.path(), &mut stop).expect("trains");
            assert!(!paused.finished, "moment {moment}");
            let (resumed, end) = trained(&settings, folder.path());
            assert_eq!(end, record, "moment {moment}");
            assert_eq!(resumed.bits(), reference.bits(), "moment {moment}");
            // What was kept before the pause is on disk, not in the second task.
            let kept = resumed.kept.or(first.kept);
            assert_eq!(kept, reference.kept, "moment {moment}");
        }
    }
}

#[test]
fn a_run_that_dies_at_any_batch_ends_in_the_same_bits() {
    let [_, halves, cut, _] = endings();
    for settings in [halves, cut] {
        let straight = tempfile::tempdir().expect("a temporary folder");
        let (reference, record) = trained(&settings, straight.path());
        for batch in 0..record.steps * settings.accumulation.get() {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let mut first = Noise::new(Fault::Death(batch));
            // The last step of an epoch may have one batch fewer than the others.
            if train(&mut first, &settings, folder.path(), &mut go_on).is_ok() {
                continue;
            }
            let (resumed, end) = trained(&settings, folder.path());
            assert_eq!(end, record, "batch {batch}");
            assert_eq!(resumed.bits(), reference.bits(), "batch {batch}");
        }
    }
}

#[test]
fn what_is_not_finite_is_named_and_the_checkpoint_stays() {
    let straight = tempfile::tempdir().expect("a temporary folder");
    let (reference, _) = trained(&settings(), straight.path());
    let cases = [
        (
            Fault::Loss(7),
            "the loss became inf in batch 3 of epoch 1, at step 7; ",
        ),
        (
            Fault::Gradient(7),
            "the gradient norm became NaN in batch 3 of epoch 1, at step 7; ",
        ),
    ];
    for (fault, beginning) in cases {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let seen = Cell::new(None);
        let mut watch = |progress: &Progress| {
            if progress.step == 7 {
                seen.set(Some(files(folder.path())));
            }
            ControlFlow::Continue(())
        };
        let mut task = Noise::new(fault);
        let error = train(&mut task, &settings(), folder.path(), &mut watch);
        let message = error.expect_err("not finite").to_string();
        assert!(message.starts_with(beginning), "{message}");
        assert_eq!(Some(files(folder.path())), seen.take());
        let checkpoint = Checkpoint::at(&folder.path().join("checkpoint")).expect("a folder");
        let state = checkpoint.state().expect("whole").expect("written");
        assert_eq!((state.step, state.epoch, state.step_in_epoch), (6, 1, 2));
        let (resumed, _) = trained(&settings(), folder.path());
        assert_eq!(resumed.bits(), reference.bits());
    }
}

#[test]
fn a_validation_that_is_not_finite_is_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut task = Noise::new(Fault::None);
    task.scores = vec![0.5, f64::NAN];
    let error = train(&mut task, &settings(), folder.path(), &mut go_on);
    let message = error.expect_err("not finite").to_string();
    let beginning = "a figure of the validation became NaN in batch 5 of epoch 1, at step 9; ";
    assert!(message.starts_with(beginning), "{message}");
}

#[test]
fn the_batch_that_is_named_is_the_one_within_its_step() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let settings = TrainingSettings {
        accumulation: batches(2),
        ..settings()
    };
    let mut task = Noise::new(Fault::Loss(7));
    let error = train(&mut task, &settings, folder.path(), &mut go_on);
    let message = error.expect_err("not finite").to_string();
    let expected = "the loss became inf in batch 3 of epoch 1, at step 3; lower the learning rate or the clipping norm and train again: the last checkpoint was left as it is";
    assert_eq!(message, expected);
}

/// Every file below a folder with its content.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let content = std::fs::read(&path).expect("readable");
            found.insert(path.to_string_lossy().into_owned(), content);
        }
    }
    found
}

#[test]
fn training_ends_once_patience_is_out_and_the_best_epoch_is_kept() {
    // Scores, whether lower is better, epochs read, epoch kept.
    let cases: [(&[f64], bool, usize, u64); 5] = [
        (&[0.1, 0.3, 0.2, 0.3, 0.9], false, 4, 1),
        (&[0.3, 0.1, 0.2, 0.1, 0.0], true, 4, 1),
        (&[0.1, 0.2, 0.3, 0.4, 0.5], false, 5, 4),
        (&[0.5, 0.4, 0.3, 0.2, 0.6], false, 3, 0),
        (&[], false, 5, 4),
    ];
    for (scores, lower_is_better, epochs, kept) in cases {
        let settings = TrainingSettings {
            epochs: 5,
            patience: 2,
            lower_is_better,
            ..settings()
        };
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut task = Noise::new(Fault::None);
        task.scores = scores.to_vec();
        let record = train(&mut task, &settings, folder.path(), &mut go_on).expect("trains");
        assert_eq!(record.epochs.len(), epochs, "{scores:?}");
        assert_eq!(record.best_epoch, Some(kept), "{scores:?}");
        let saved = crate::read_checked_json(&folder.path().join("training.json"));
        let saved: TrainingRecord = saved.expect("whole");
        assert_eq!(saved, record);
    }
}

#[test]
fn accumulated_batches_are_their_mean() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let settings = TrainingSettings {
        accumulation: batches(3),
        ..settings()
    };
    let mut task = Noise::new(Fault::None);
    task.plan_epoch(0).expect("planned");
    let batches = (0..3).map(|number| {
        let place = BatchPlace {
            in_epoch: number,
            number,
        };
        task.gradients(place).expect("fits").loss
    });
    let mean = batches.sum::<f64>() / 3.0;
    let mut told = Vec::new();
    let mut listen = |progress: &Progress| {
        told.push(progress.clone());
        ControlFlow::Continue(())
    };
    train(&mut task, &settings, folder.path(), &mut listen).expect("trains");
    let Done::Step { loss, tokens, .. } = told[0].done else {
        panic!("the first thing told is a step");
    };
    assert!((loss - mean).abs() < 1e-12 && tokens == 24);
    // Epochs of 4, 5 and 3 batches: a step of three and one of the rest.
    let steps: Vec<(u64, u64)> = told
        .iter()
        .filter(|progress| matches!(progress.done, Done::Step { .. }))
        .map(|progress| match progress.done {
            Done::Step { tokens, .. } => (progress.step, tokens),
            Done::Epoch(_) => (0, 0),
        })
        .collect();
    assert_eq!(steps, [(1, 24), (2, 8), (3, 24), (4, 16), (5, 24)]);
    assert!(told.iter().all(|progress| progress.total_steps == 6));
}

#[test]
fn a_run_of_other_data_or_settings_starts_anew() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut task = Noise::new(Fault::None);
    let stop = &mut |_: &Progress| ControlFlow::Break(());
    train(&mut task, &settings(), folder.path(), stop).expect("trains");
    let other = TrainingSettings {
        fingerprint: "other".to_owned(),
        ..settings()
    };
    let mut steps = Vec::new();
    let mut listen = |progress: &Progress| {
        steps.push(progress.step);
        ControlFlow::Break(())
    };
    train(&mut task, &other, folder.path(), &mut listen).expect("trains");
    assert_eq!(steps, [1]);
}

#[test]
fn a_fingerprint_depends_on_settings_and_data_in_their_order() {
    let of = |settings: &str, data: &[&str]| {
        crate::run_fingerprint(settings, data.iter().map(|part| (*part).to_owned()))
    };
    assert_eq!(of("a", &[]), "af63dc4c8601ec8c");
    assert_eq!(of("a", &["b", "c"]), of("a", &["b", "c"]));
    assert_ne!(of("a", &["b", "c"]), of("a", &["c", "b"]));
    assert_ne!(of("a", &["b", "c"]), of("b", &["b", "c"]));
}
