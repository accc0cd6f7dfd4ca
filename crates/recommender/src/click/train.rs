//! What the training loop needs to know of a click model.

use std::num::NonZeroU64;
use std::ops::ControlFlow;
use std::path::Path;

use nn::{
    BatchGradients, BatchPlace, Device, Figures, NnError, ParameterStore, Progress, SHARDS,
    TensorFile, Training, TrainingSettings, TrainingTask, generator, losses,
};
use rand::seq::SliceRandom;

use super::config::ClickSettings;
use super::data::ClickData;
use super::examples::Batch;
use super::model::ClickModel;
use crate::RecommenderError;
use crate::metrics::log_loss;

/// The name of the figure that decides which epoch is kept: the validation part's log-loss.
pub const VALIDATION_LOG_LOSS: &str = "log_loss";

const BEST: &str = "click";
const DESCRIPTION: &str = "click.json";
/// The highest learning rate as a multiple of that at the end.
const FALL: f64 = 20.0;

/// Trains a click model; the epoch with the lowest log-loss on the validation part is the one that answers.
///
/// `folder` holds the checkpoint: a run that `progress` or a kill broke off goes on there, and ends in the bytes of one
/// that was never stopped. Another run's checkpoint is replaced. A token of the progress is an example.
///
/// # Errors
/// [`RecommenderError::Setting`] for a bad setting, [`RecommenderError::Nn`] where a file cannot be written or the loss is
/// no longer finite.
pub fn train(
    data: &ClickData,
    settings: &ClickSettings,
    folder: &Path,
    progress: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Training<ClickModel>, RecommenderError> {
    let mut task = Task {
        model: ClickModel::untrained(data, settings)?,
        data,
        batches: Vec::new(),
        folder,
    };
    let record = nn::train(&mut task, &run_settings(data, settings), folder, progress)?;
    if !record.finished {
        return Ok(Training::Paused(record));
    }
    // The parameters in memory are the last epoch's.
    let best: TensorFile = nn::read_checked_json(&folder.join(DESCRIPTION))?;
    let store = &task.model.network.store;
    store.restore(&best.read(folder, &Device::Cpu)?)?;
    Ok(Training::Finished(Box::new(task.model), record))
}

/// Tells runs of other data or settings apart.
pub fn run_fingerprint(data: &ClickData, settings: &ClickSettings) -> String {
    let (training, validation) = (data.training.texts(), data.validation.texts());
    // The middle keeps an example from changing parts unseen.
    let middle = std::iter::once(String::new());
    nn::run_fingerprint(
        &format!("{settings:?}"),
        training.chain(middle).chain(validation),
    )
}

fn run_settings(data: &ClickData, settings: &ClickSettings) -> TrainingSettings {
    let epochs = settings.epochs(data.training.len());
    TrainingSettings {
        fingerprint: run_fingerprint(data, settings),
        epochs,
        max_steps: u64::MAX,
        patience: (epochs as f64 * settings.patience_share).ceil() as u64,
        accumulation: NonZeroU64::MIN,
        checkpoint_steps: 0,
        learning_rate: settings.learning_rate,
        learning_rate_floor: settings.learning_rate / FALL,
        warmup_share: 0.02,
        weight_decay: settings.weight_decay,
        clip_norm: 1.0,
        metric: VALIDATION_LOG_LOSS,
        lower_is_better: true,
    }
}

struct Task<'a> {
    model: ClickModel,
    data: &'a ClickData,
    /// The rows of the training part in the batches of the planned epoch.
    batches: Vec<Vec<usize>>,
    folder: &'a Path,
}

impl TrainingTask for Task<'_> {
    type Error = RecommenderError;

    fn store(&self) -> &ParameterStore {
        &self.model.network.store
    }

    fn plan_epoch(&mut self, epoch: u64) -> Result<u64, RecommenderError> {
        let settings = &self.model.settings;
        let mut rows: Vec<usize> = (0..self.data.training.len()).collect();
        let batch_len = settings.batch_len(rows.len());
        rows.shuffle(&mut generator(settings.seed, "click epoch", epoch));
        self.batches = rows.chunks(batch_len).map(<[usize]>::to_vec).collect();
        Ok(self.batches.len() as u64)
    }

    fn gradients(&self, batch: BatchPlace) -> Result<BatchGradients, RecommenderError> {
        let rows = &self.batches[batch.in_epoch as usize];
        let shards = rows
            .chunks(rows.len().div_ceil(SHARDS))
            .map(|rows| self.data.training.batch(rows))
            .collect::<Result<Vec<_>, _>>()?;
        let network = &self.model.network;
        let loss = |shard: &Batch, _: &[nn::Tensor]| {
            let logits = network.logits(shard)?;
            let share = logits.dim(0)? as f64 / rows.len() as f64;
            Ok((losses::binary_cross_entropy(&logits, &shard.targets)? * share)?)
        };
        let (loss, gradients) = nn::sharded_gradients(&network.store, &[], &shards, loss)?;
        Ok(BatchGradients {
            loss,
            gradients,
            tokens: rows.len() as u64,
        })
    }

    fn validate(&mut self) -> Result<Figures, RecommenderError> {
        let validation = &self.data.validation;
        let loss = log_loss(validation.labels(), &self.model.probabilities(validation)?);
        Ok(Figures::from([(VALIDATION_LOG_LOSS.to_owned(), loss)]))
    }

    fn keep_best(&mut self, _: &Figures) -> Result<(), RecommenderError> {
        let folder = self.folder;
        std::fs::create_dir_all(folder).map_err(|e| NnError::io("create", folder, e))?;
        let best = TensorFile::write(folder, BEST, &self.model.network.store.snapshot()?)?;
        nn::write_checked_json(&folder.join(DESCRIPTION), &best)?;
        Ok(best.remove_others(folder, BEST)?)
    }
}
