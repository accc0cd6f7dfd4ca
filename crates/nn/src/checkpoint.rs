use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use crate::{
    AdamW, NnError, ParameterStore, TensorFile, TrainingRecord, read_checked_json,
    write_checked_json,
};

/// Format of the files; it grows when an older version could not read them.
const FORMAT: u32 = 1;
/// The file that names the weights; a checkpoint exists once it does.
const RECORD: &str = "checkpoint.json";
/// The files of weights.
const PREFIX: &str = "step";

/// A folder that holds the latest state of one training run.
///
/// The weights and the optimiser's moments lie in `step-HASH.safetensors`, and `checkpoint.json` names that file and its
/// hash. The record is replaced last and in one step, so a crash at any moment leaves a whole checkpoint: the new one
/// or the one before.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    folder: PathBuf,
}

/// Where a training run stands, beside its weights.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TrainingState {
    /// Optimiser steps taken.
    pub step: u64,
    /// The epoch in progress, from 0.
    pub epoch: u64,
    /// Steps taken within that epoch.
    pub step_in_epoch: u64,
    /// What the training loop keeps beside.
    pub(crate) extra: Extra,
}

/// What the training loop knows beside weights, moments and position.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Extra {
    /// Tells data and settings apart from others.
    pub(crate) fingerprint: String,
    /// Sum of the losses of the epoch in progress, in millionths: whole numbers survive JSON exactly.
    pub(crate) loss_sum_millionths: i64,
    pub(crate) record: TrainingRecord,
}

#[derive(Serialize, Deserialize)]
struct Record {
    format: u32,
    weights: TensorFile,
    state: TrainingState,
}

impl Checkpoint {
    /// Names the folder of a run and creates it where it is absent.
    ///
    /// # Errors
    /// [`NnError::Io`] where it cannot be created.
    pub fn at(folder: &Path) -> Result<Self, NnError> {
        std::fs::create_dir_all(folder).map_err(|e| NnError::io("create", folder, e))?;
        Ok(Self {
            folder: folder.to_owned(),
        })
    }

    /// Writes parameters, optimiser and state; the checkpoint before is removed once the new one is durable.
    ///
    /// # Errors
    /// [`NnError::Io`] where a file cannot be written; the checkpoint before is then untouched.
    pub fn save(
        &self,
        store: &ParameterStore,
        optimiser: &AdamW,
        state: &TrainingState,
    ) -> Result<(), NnError> {
        let mut tensors = optimiser.snapshot();
        for (name, parameter) in store.iter() {
            let value = parameter.var.as_tensor().detach();
            tensors.insert(format!("parameter/{name}"), value);
        }
        let record = Record {
            format: FORMAT,
            weights: TensorFile::write(&self.folder, PREFIX, &tensors)?,
            state: state.clone(),
        };
        write_checked_json(&self.folder.join(RECORD), &record)?;
        record.weights.remove_others(&self.folder, PREFIX)
    }

    /// Reads the state back into parameters and optimiser; nothing where no checkpoint was written.
    ///
    /// # Errors
    /// [`NnError::Damaged`] where a file is not what was written, [`NnError::Weights`] where it belongs to another
    /// model, [`NnError::Format`] where another version wrote it.
    pub fn load(
        &self,
        store: &ParameterStore,
        optimiser: &mut AdamW,
    ) -> Result<Option<TrainingState>, NnError> {
        let Some(record) = self.record()? else {
            return Ok(None);
        };
        let tensors = record.weights.read(&self.folder, store.device())?;
        let parameters: BTreeMap<String, Tensor> = tensors
            .iter()
            .filter_map(|(key, t)| Some((key.strip_prefix("parameter/")?.to_owned(), t.clone())))
            .collect();
        store.restore(&parameters)?;
        optimiser.restore(store, record.state.step, &tensors)?;
        Ok(Some(record.state))
    }

    /// Reads where the run stands without its weights; nothing where no checkpoint was written.
    ///
    /// # Errors
    /// As [`Checkpoint::load`].
    pub fn state(&self) -> Result<Option<TrainingState>, NnError> {
        Ok(self.record()?.map(|record| record.state))
    }

    fn record(&self) -> Result<Option<Record>, NnError> {
        let path = self.folder.join(RECORD);
        if !path.exists() {
            return Ok(None);
        }
        let record: Record = read_checked_json(&path)?;
        if record.format == FORMAT {
            return Ok(Some(record));
        }
        Err(NnError::Format {
            path,
            found: record.format,
            expected: FORMAT,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AdamWConfig, Device, Linear, losses};

    struct Run {
        store: ParameterStore,
        layer: Linear,
        optimiser: AdamW,
    }

    impl Run {
        fn new(seed: u64) -> Self {
            let mut store = ParameterStore::new(seed, &Device::Cpu);
            let layer = Linear::new(&mut store, "l", 2, 3, true).expect("fresh");
            let optimiser = AdamW::new(AdamWConfig::default());
            Self {
                store,
                layer,
                optimiser,
            }
        }

        fn step(&mut self) {
            let x = Tensor::new(&[[1f32, -0.5], [0.3, 2.0]], &Device::Cpu).expect("fits");
            let logits = self.layer.forward(&x).expect("fits");
            let loss = losses::cross_entropy(&logits, &[0, 2], 0.1).expect("fits");
            let backward = loss.backward().expect("differentiable");
            self.optimiser
                .step(&self.store, &backward, 0.05, 1.0)
                .expect("finite");
        }

        fn bits(&self) -> Vec<u32> {
            let weight = self.layer.weight().flatten_all().expect("a matrix");
            let values: Vec<f32> = weight.to_vec1().expect("f32");
            values.iter().map(|v| v.to_bits()).collect()
        }
    }

    fn state(step: u64) -> TrainingState {
        TrainingState {
            step,
            step_in_epoch: step,
            ..TrainingState::default()
        }
    }

    #[test]
    fn a_resumed_run_is_bit_identical_and_old_weights_are_removed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let checkpoint = Checkpoint::at(folder.path()).expect("writable");
        let mut straight = Run::new(1);
        for _ in 0..2 {
            straight.step();
        }
        checkpoint
            .save(&straight.store, &straight.optimiser, &state(2))
            .expect("writable");
        straight.step();
        let mut resumed = Run::new(99);
        let found = checkpoint
            .load(&resumed.store, &mut resumed.optimiser)
            .expect("whole");
        assert_eq!(found, Some(state(2)));
        resumed.step();
        assert_eq!(straight.bits(), resumed.bits());
        checkpoint
            .save(&resumed.store, &resumed.optimiser, &state(3))
            .expect("writable");
        let mut names: Vec<_> = std::fs::read_dir(folder.path())
            .expect("a folder")
            .map(|e| e.expect("an entry").file_name())
            .collect();
        names.sort();
        assert_eq!(names.len(), 2, "{names:?}");
        assert_eq!(names[0], "checkpoint.json");
    }

    #[test]
    fn a_state_of_an_older_version_is_read() {
        let old = r#"{"step": 7, "epoch": 1, "step_in_epoch": 3, "seed": 9, "best_metric": 0.5, "best_epoch": 0,
            "extra": {"fingerprint": "f", "loss_sum_millionths": 12, "record": {"best_epoch": 0, "epochs":
            [{"epoch": 0, "train_loss": 2.5, "validation_ndcg": 0.5}], "finished": false, "parameters": 4, "steps": 7}}}"#;
        let state: TrainingState = serde_json::from_str(old).expect("an old state");
        assert_eq!((state.step, state.epoch, state.step_in_epoch), (7, 1, 3));
        assert_eq!(state.extra.loss_sum_millionths, 12);
        let best = state.extra.record.best().expect("epoch 0");
        assert_eq!(best.validation["ndcg_at_10"].to_bits(), 0.5f64.to_bits());
    }

    #[test]
    fn an_interrupted_save_leaves_the_checkpoint_before() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let checkpoint = Checkpoint::at(folder.path()).expect("writable");
        let mut run = Run::new(1);
        run.step();
        checkpoint
            .save(&run.store, &run.optimiser, &state(1))
            .expect("writable");
        let before = run.bits();
        // The crash comes after half of the next weights, before the record.
        let half = folder.path().join("step-0123.safetensors.tmp");
        std::fs::write(half, b"half").expect("writable");
        let mut again = Run::new(2);
        let found = checkpoint
            .load(&again.store, &mut again.optimiser)
            .expect("whole");
        assert_eq!(found.map(|s| s.step), Some(1));
        assert_eq!(again.bits(), before);
    }

    #[test]
    fn damage_and_foreign_weights_are_named() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let checkpoint = Checkpoint::at(folder.path()).expect("writable");
        let mut run = Run::new(1);
        let nothing = checkpoint.load(&run.store, &mut run.optimiser);
        assert_eq!(nothing.expect("nothing is fine"), None);
        run.step();
        checkpoint
            .save(&run.store, &run.optimiser, &state(1))
            .expect("writable");
        let mut other = ParameterStore::new(0, &Device::Cpu);
        Linear::new(&mut other, "l", 2, 4, true).expect("fresh");
        let error = checkpoint
            .load(&other, &mut run.optimiser)
            .expect_err("another model");
        assert!(
            error
                .to_string()
                .contains("has shape [3], the model's has [4]")
        );
        let weights = std::fs::read_dir(folder.path())
            .expect("a folder")
            .map(|entry| entry.expect("an entry").path())
            .find(|path| path.extension().is_some_and(|e| e == "safetensors"))
            .expect("the weights");
        let mut content = std::fs::read(&weights).expect("readable");
        let last = content.len() - 1;
        content[last] ^= 1;
        std::fs::write(&weights, content).expect("writable");
        let error = checkpoint
            .load(&run.store, &mut run.optimiser)
            .expect_err("damaged");
        let message = error.to_string();
        assert!(message.contains(".safetensors` is damaged"), "{message}");
        assert!(message.contains("delete the folder"), "{message}");
    }
}
