//! The training loop: epochs, early stopping, checkpoints, progress.

pub(crate) mod record;
pub(crate) mod settings;
pub(crate) mod task;

#[cfg(test)]
mod tests;

use std::ops::ControlFlow;
use std::path::Path;

use crate::gradients::add_gradients;
use crate::{
    AdamW, AdamWConfig, BatchGradients, BatchPlace, Checkpoint, Done, EpochRecord, NnError,
    Progress, TrainingRecord, TrainingSettings, TrainingState, TrainingTask, WarmupCosine,
};
use record::round9;

/// The folder of the run's checkpoint, inside the model's folder.
const CHECKPOINT: &str = "checkpoint";

/// Trains a task, which comes with its first parameters, and keeps its checkpoint and learning curve in a folder.
///
/// An optimiser step reads [`TrainingSettings::accumulation`] batches. After every epoch the task measures itself; the
/// weights are kept where the deciding figure is the best so far, and training ends once it has not improved for
/// [`TrainingSettings::patience`] epochs, after all epochs, or after [`TrainingSettings::max_steps`]. Without such a
/// figure every epoch is kept.
///
/// `progress` is called after every step and after every epoch. Where it breaks, a checkpoint is written and the record
/// comes back with `finished` false. The next call goes on from the checkpoint if its fingerprint is the same, and ends
/// in the bytes of a run that was never stopped; otherwise it starts anew.
///
/// # Errors
/// [`NnError::Diverged`] where a loss, the gradient norm or a figure is no longer finite, and the last checkpoint is then
/// still on disk; what the files and the task report.
pub fn train<T: TrainingTask>(
    task: &mut T,
    settings: &TrainingSettings,
    folder: &Path,
    progress: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<TrainingRecord, T::Error> {
    let mut run = Run::start(task, settings, folder)?;
    while run.is_unfinished() {
        let flow = run.epoch(progress)?;
        run.save_checkpoint()?;
        if flow.is_break() {
            return Ok(run.state.extra.record);
        }
    }
    run.finish()
}

/// A training run in progress.
struct Run<'a, T> {
    task: &'a mut T,
    settings: &'a TrainingSettings,
    folder: &'a Path,
    checkpoint: Checkpoint,
    optimiser: AdamW,
    schedule: WarmupCosine,
    state: TrainingState,
}

impl<'a, T: TrainingTask> Run<'a, T> {
    /// Begins a run, or takes it up where its checkpoint stands.
    fn start(
        task: &'a mut T,
        settings: &'a TrainingSettings,
        folder: &'a Path,
    ) -> Result<Self, T::Error> {
        let checkpoint = Checkpoint::at(&folder.join(CHECKPOINT))?;
        let mut optimiser = AdamW::new(AdamWConfig {
            weight_decay: settings.weight_decay,
            ..AdamWConfig::default()
        });
        let mut state = TrainingState::default();
        match checkpoint.state()? {
            Some(found) if found.extra.fingerprint == settings.fingerprint => {
                checkpoint.load(task.store(), &mut optimiser)?;
                state = found;
            }
            _ => {
                state.extra.fingerprint.clone_from(&settings.fingerprint);
                state.extra.record.parameters = task.store().element_count();
            }
        }
        let batches = task.plan_epoch(0)?;
        let steps_of_an_epoch = batches.div_ceil(settings.accumulation.get());
        let planned_steps = settings.epochs.saturating_mul(steps_of_an_epoch);
        let total_steps = planned_steps.min(settings.max_steps);
        Ok(Self {
            task,
            settings,
            folder,
            checkpoint,
            optimiser,
            schedule: WarmupCosine {
                peak: settings.learning_rate,
                floor: settings.learning_rate_floor,
                warmup_steps: (settings.warmup_share * total_steps as f64) as u64,
                total_steps,
            },
            state,
        })
    }

    /// Whether a further epoch is to be read, or the one in progress to be closed.
    fn is_unfinished(&self) -> bool {
        let record = &self.state.extra.record;
        let best = record.best_epoch.unwrap_or(0);
        let last_useful = best.saturating_add(self.settings.patience);
        let has_steps = self.state.step < self.settings.max_steps || self.state.step_in_epoch > 0;
        !record.finished
            && self.state.epoch < self.settings.epochs
            && has_steps
            && record.epochs.len() as u64 <= last_useful
    }

    /// Reads the rest of an epoch and closes it, unless `progress` breaks.
    fn epoch(
        &mut self,
        progress: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, T::Error> {
        let batches = self.task.plan_epoch(self.state.epoch)?;
        let steps = batches.div_ceil(self.settings.accumulation.get());
        while self.state.step_in_epoch < steps && self.state.step < self.settings.max_steps {
            let done = self.step(batches)?;
            if progress(&self.progress(steps, done)).is_break() {
                return Ok(ControlFlow::Break(()));
            }
            if self
                .state
                .step
                .is_multiple_of(self.settings.checkpoint_steps)
            {
                self.save_checkpoint()?;
            }
        }
        let closed = self.validate()?;
        let told = self.progress(steps, Done::Epoch(closed));
        self.state.epoch += 1;
        self.state.step_in_epoch = 0;
        self.state.extra.loss_sum_millionths = 0;
        Ok(progress(&told))
    }

    /// Moves the parameters once.
    fn step(&mut self, batches: u64) -> Result<Done, T::Error> {
        let BatchGradients {
            loss,
            gradients,
            tokens,
        } = self.accumulate(batches)?;
        let learning_rate = self.schedule.at(self.state.step);
        let store = self.task.store();
        let clip_norm = self.settings.clip_norm;
        let moved = self
            .optimiser
            .step_named(store, &gradients, learning_rate, clip_norm);
        let gradient_norm = match moved {
            Err(NnError::NotFinite {
                quantity, value, ..
            }) => return Err(self.diverged(quantity, value, 0).into()),
            moved => moved?,
        };
        self.state.step += 1;
        self.state.step_in_epoch += 1;
        self.state.extra.loss_sum_millionths += (loss * 1e6).round() as i64;
        self.state.extra.record.steps = self.state.step;
        self.state.extra.record.tokens += tokens;
        Ok(Done::Step {
            loss,
            learning_rate,
            gradient_norm,
            tokens,
        })
    }

    /// The mean over the batches of the next step, summed in their order.
    fn accumulate(&self, batches: u64) -> Result<BatchGradients, T::Error> {
        let most = self.settings.accumulation.get();
        let first = self.state.step_in_epoch * most;
        let count = most.min(batches - first);
        let batch = |index| -> Result<BatchGradients, T::Error> {
            let batch = self.task.gradients(BatchPlace {
                in_epoch: first + index,
                number: self.state.step * most + index,
            })?;
            if batch.loss.is_finite() {
                return Ok(batch);
            }
            Err(self.diverged("the loss", batch.loss, index).into())
        };
        let mut sum = batch(0)?;
        for index in 1..count {
            let next = batch(index)?;
            sum.loss += next.loss;
            sum.tokens += next.tokens;
            add_gradients(&mut sum.gradients, next.gradients)?;
        }
        // The sum over one batch is its mean, bit by bit.
        if count > 1 {
            sum.loss /= count as f64;
            for gradient in sum.gradients.values_mut() {
                *gradient = (&*gradient / count as f64).map_err(NnError::from)?;
            }
        }
        Ok(sum)
    }

    /// Measures what was held out and keeps the parameters where they are the best so far.
    fn validate(&mut self) -> Result<EpochRecord, T::Error> {
        let mut validation = self.task.validate()?;
        for figure in validation.values_mut() {
            *figure = round9(*figure);
        }
        if let Some(figure) = validation.values().find(|figure| !figure.is_finite()) {
            return Err(self
                .diverged("a figure of the validation", *figure, 0)
                .into());
        }
        let steps = self.state.step_in_epoch.max(1) as f64;
        let closed = EpochRecord {
            epoch: self.state.epoch,
            train_loss: round9(self.state.extra.loss_sum_millionths as f64 / 1e6 / steps),
            validation,
        };
        let figure = closed.validation.get(self.settings.metric);
        let is_best = match (figure, self.best_figure()) {
            (Some(figure), Some(best)) if self.settings.lower_is_better => *figure < best,
            (Some(figure), Some(best)) => *figure > best,
            _ => true,
        };
        if is_best {
            self.task.keep_best(&closed.validation)?;
            self.state.extra.record.best_epoch = Some(self.state.epoch);
        }
        self.state.extra.record.epochs.push(closed.clone());
        self.save_record()?;
        Ok(closed)
    }

    /// The deciding figure of the kept epoch.
    fn best_figure(&self) -> Option<f64> {
        let best = self.state.extra.record.best()?;
        best.validation.get(self.settings.metric).copied()
    }

    /// Names what is no longer finite and the batch among those of the present step.
    fn diverged(&self, quantity: &'static str, value: f64, batch: u64) -> NnError {
        let first = self.state.step_in_epoch * self.settings.accumulation.get();
        NnError::Diverged {
            quantity,
            value,
            step: self.state.step,
            epoch: self.state.epoch,
            batch: first + batch,
        }
    }

    fn progress(&self, steps_in_epoch: u64, done: Done) -> Progress {
        Progress {
            step: self.state.step,
            total_steps: self.schedule.total_steps,
            epoch: self.state.epoch,
            epochs: self.settings.epochs,
            step_in_epoch: self.state.step_in_epoch,
            steps_in_epoch,
            done,
        }
    }

    fn save_checkpoint(&self) -> Result<(), NnError> {
        self.checkpoint
            .save(self.task.store(), &self.optimiser, &self.state)
    }

    fn save_record(&self) -> Result<(), NnError> {
        self.state.extra.record.save(self.folder)
    }

    /// Closes a run that came to its end.
    fn finish(mut self) -> Result<TrainingRecord, T::Error> {
        if !self.state.extra.record.finished {
            self.state.extra.record.finished = true;
            self.save_checkpoint()?;
        }
        self.save_record()?;
        Ok(self.state.extra.record)
    }
}
