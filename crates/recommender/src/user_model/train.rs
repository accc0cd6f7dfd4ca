//! What the training loop needs to know of the user model.

use std::num::NonZeroU64;
use std::ops::ControlFlow;
use std::path::Path;

use nn::{
    BatchGradients, BatchPlace, Figures, ParameterStore, Progress, SHARDS, Training,
    TrainingSettings, TrainingTask, generator,
};

use super::config::UserModelConfig;
use super::gradients::batch_gradients;
use super::history::History;
use super::model::UserModel;
use super::plan::{Lessons, Planned, epoch_batches};
use super::validation::validation_ndcg;
use super::window::{Asked, Window};
use crate::{Corpus, HeldOut, RecommenderError, Sequence};

/// The name of the figure that is measured on the validation window: NDCG@10 of the task `new-items`.
pub const VALIDATION_NDCG: &str = "ndcg_at_10";

/// The folder of what was learnt before there were labels, inside the model's.
const PRETRAINING: &str = "pretraining";

/// The highest learning rate as a multiple of that at the end.
const FALL: f64 = 100.0;

/// Trains a user model on a corpus and saves it in a folder.
///
/// With a validation window, training stops once its NDCG@10 on new items has not risen for `patience` epochs, and the
/// best epoch's weights are kept; without one it runs all epochs and keeps the last. `training` must end before the
/// validation window: pass [`HeldOut::training`].
///
/// A checkpoint in the folder is resumed when it belongs to the same data and settings, and the result is then
/// bit-identical to a run that was never stopped; otherwise training starts anew. `progress` is called after every
/// step and every epoch; a token is an interaction.
///
/// # Errors
/// [`RecommenderError::Setting`] for a bad configuration, [`RecommenderError::Empty`] where nobody bought anything,
/// [`RecommenderError::Nn`] where a file cannot be read or written, or the loss is no longer finite, and what
/// [`Corpus::check`] finds.
///
/// Source of what the settings add to learning from orders alone: for pretraining, predicting what comes next in
/// unlabelled sequences, Radford et al., "Improving Language Understanding by Generative Pre-Training", 2018; for masked
/// events and cropped windows, Xie et al., "Contrastive Learning for Sequential Recommendation", 2020. How this differs
/// from the latter: what is changed is learnt from as it is, without a second loss over pairs of views.
pub fn train(
    training: &Corpus,
    validation: Option<&HeldOut>,
    config: &UserModelConfig,
    folder: &Path,
    progress: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Training<UserModel>, RecommenderError> {
    let model = UserModel::untrained(training, config)?;
    if training.purchases().next().is_none() {
        return Err(RecommenderError::Empty {
            what: "the list of purchases",
            remedy: "import orders before training",
        });
    }
    let mut run = Run {
        lessons: Lessons::All,
        base: String::new(),
        epochs: config.epochs,
        learning_rate: config.learning_rate,
    };
    if config.pretraining_epochs == 0 {
        return fit(model, training, validation, &run, folder, progress);
    }
    let first = Run {
        lessons: Lessons::Unlabelled,
        base: String::new(),
        epochs: config.pretraining_epochs,
        learning_rate: config.learning_rate,
    };
    let pretraining = folder.join(PRETRAINING);
    match fit(model, training, None, &first, &pretraining, progress)? {
        Training::Paused(record) => Ok(Training::Paused(record)),
        Training::Finished(..) => {
            let (model, base) = UserModel::grown(&pretraining, training)?;
            run.base = base;
            fit(model, training, validation, &run, folder, progress)
        }
    }
}

/// What a run of training does that its model's settings do not say.
#[derive(Debug)]
pub(super) struct Run {
    /// What it reads.
    pub(super) lessons: Lessons,
    /// Which weights it starts from; empty for those that the seed gives.
    pub(super) base: String,
    /// Most passes.
    pub(super) epochs: u64,
    /// Highest learning rate.
    pub(super) learning_rate: f64,
}

/// Trains a model from where it stands; see [`train`].
pub(super) fn fit(
    model: UserModel,
    training: &Corpus,
    validation: Option<&HeldOut>,
    run: &Run,
    folder: &Path,
    progress: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Training<UserModel>, RecommenderError> {
    let settings = settings(training, &model.config, run);
    let repeats = model.config.repeat_purchases;
    let history = |sequence: &Sequence| match run.lessons {
        Lessons::Unlabelled => History::unlabelled(&sequence.interactions),
        Lessons::All | Lessons::Since { .. } => History::new(&sequence.interactions, repeats),
    };
    let mut task = Task {
        histories: training.sequences.iter().map(history).collect(),
        model,
        lessons: run.lessons,
        batches: Vec::new(),
        validation,
        folder,
    };
    let record = nn::train(&mut task, &settings, folder, progress)?;
    if !record.finished {
        return Ok(Training::Paused(record));
    }
    // The saved weights are the best epoch's, those in memory the last one's.
    let model = UserModel::load(folder, training)?;
    Ok(Training::Finished(Box::new(model), record))
}

fn settings(training: &Corpus, config: &UserModelConfig, run: &Run) -> TrainingSettings {
    let items = training.items.iter().map(|item| format!("{item:?}"));
    let interactions = training.sequences.iter().flat_map(|s| &s.interactions);
    let data = items.chain(interactions.map(|interaction| format!("{interaction:?}")));
    TrainingSettings {
        fingerprint: nn::run_fingerprint(
            &format!(
                "{config:?} {:?} {} {}",
                run.lessons, run.base, run.learning_rate
            ),
            data,
        ),
        epochs: run.epochs,
        max_steps: u64::MAX,
        patience: config.patience,
        accumulation: NonZeroU64::MIN,
        checkpoint_steps: config.checkpoint_steps,
        learning_rate: run.learning_rate,
        learning_rate_floor: run.learning_rate / FALL,
        warmup_share: config.warmup_share,
        weight_decay: config.weight_decay,
        clip_norm: config.clip_norm,
        metric: VALIDATION_NDCG,
        lower_is_better: false,
    }
}

struct Task<'a> {
    model: UserModel,
    histories: Vec<History>,
    lessons: Lessons,
    /// The batches of the planned epoch.
    batches: Vec<Vec<Planned>>,
    validation: Option<&'a HeldOut>,
    folder: &'a Path,
}

impl TrainingTask for Task<'_> {
    type Error = RecommenderError;

    fn store(&self) -> &ParameterStore {
        &self.model.network.store
    }

    fn plan_epoch(&mut self, epoch: u64) -> Result<u64, RecommenderError> {
        self.batches = epoch_batches(&self.histories, self.lessons, &self.model.config, epoch);
        Ok(self.batches.len() as u64)
    }

    fn gradients(&self, batch: BatchPlace) -> Result<BatchGradients, RecommenderError> {
        let config = &self.model.config;
        let items = self.model.catalogue.len();
        let mut rng = generator(config.seed, "step", batch.number);
        let windows: Vec<Window> = self.batches[batch.in_epoch as usize]
            .iter()
            .map(|window| {
                Window::training(
                    &self.histories[window.history],
                    items,
                    window.last_block,
                    config.max_length,
                    &Asked {
                        most: config.targets_per_window,
                        about: window.about,
                        mask: config.mask_events,
                        crop: config.crop_windows,
                        weak: config.weak_labels,
                    },
                    &mut rng,
                )
            })
            .collect();
        let (loss, gradients) =
            batch_gradients(&self.model, &windows, SHARDS, batch.number, &mut rng)?;
        Ok(BatchGradients {
            loss,
            gradients,
            tokens: windows.iter().map(|w| w.tokens.len() as u64 - 1).sum(),
        })
    }

    fn validate(&mut self) -> Result<Figures, RecommenderError> {
        self.model.refresh()?;
        let Some(held_out) = self.validation else {
            return Ok(Figures::new());
        };
        let shoppers = self.model.config.validation_shoppers;
        let ndcg = validation_ndcg(&self.model, held_out, shoppers)?;
        Ok(Figures::from([(VALIDATION_NDCG.to_owned(), ndcg)]))
    }

    fn keep_best(&mut self, _: &Figures) -> Result<(), RecommenderError> {
        self.model.save(self.folder)
    }
}
