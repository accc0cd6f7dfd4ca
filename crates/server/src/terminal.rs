//! What the person at the terminal sees: progress on standard error, results on standard output.
#![allow(
    clippy::print_stdout,
    reason = "this is where a command's result goes to standard output"
)]

use std::io::IsTerminal;
use std::time::Duration;

use engine::TrainProgress;
use engine::ingest::ImportProgress;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::Outcome;

/// Where a command writes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terminal {
    json: bool,
}

impl Terminal {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Prints a sentence for people; nothing where a machine reads.
    pub(crate) fn say(self, text: impl std::fmt::Display) {
        if !self.json {
            println!("{text}");
        }
    }

    /// Prints the result for a machine, as one object on one line; nothing where a person reads.
    pub(crate) fn result(self, value: &impl Serialize) -> Outcome<()> {
        if self.json {
            println!("{}", serde_json::to_string(value)?);
        }
        Ok(())
    }

    /// Prints a fault: in words on standard error, and as an object on standard output for a machine.
    pub(crate) fn fault(self, error: &dyn std::error::Error) {
        eprintln!("hawker: {error}");
        if self.json {
            println!("{}", serde_json::json!({"error": error.to_string()}));
        }
    }

    /// A bar over a known number of things.
    pub(crate) fn bar(self, total: u64, what: &str) -> ProgressBar {
        let template = format!(
            "{{spinner}} {what} {{bar:30}} {{human_pos}}/{{human_len}} {{per_sec}} {{eta}} left {{msg}}"
        );
        self.drawn(ProgressBar::new(total), &template)
    }

    /// A bar over the bytes of a file.
    fn byte_bar(self, total: u64, name: &str) -> ProgressBar {
        let template =
            format!("{{spinner}} {name} {{bar:30}} {{bytes}}/{{total_bytes}} {{msg}} {{eta}} left");
        self.drawn(ProgressBar::new(total), &template)
    }

    /// A spinner with a message.
    pub(crate) fn spinner(self, message: &str) -> ProgressBar {
        let bar = self.drawn(ProgressBar::new_spinner(), "{spinner} {msg} {elapsed}");
        bar.set_message(message.to_owned());
        bar
    }

    fn drawn(self, bar: ProgressBar, template: &str) -> ProgressBar {
        if self.json || !std::io::stderr().is_terminal() {
            bar.set_draw_target(indicatif::ProgressDrawTarget::hidden());
        }
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(120));
        bar
    }
}

/// Shows an import, one bar a file.
pub(crate) struct ImportBar {
    terminal: Terminal,
    bar: Option<(std::path::PathBuf, ProgressBar)>,
}

impl ImportBar {
    pub(crate) fn new(terminal: Terminal) -> Self {
        Self {
            terminal,
            bar: None,
        }
    }

    pub(crate) fn show(&mut self, progress: &ImportProgress) {
        if self
            .bar
            .as_ref()
            .is_none_or(|(file, _)| *file != progress.file)
        {
            self.finish();
            let name = progress
                .file
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let bar = self.terminal.byte_bar(progress.bytes_total, &name);
            self.bar = Some((progress.file.clone(), bar));
        }
        if let Some((_, bar)) = &self.bar {
            bar.set_position(progress.bytes_read);
            let seconds = bar.elapsed().as_secs_f64().max(1e-3);
            bar.set_message(format!(
                "{} rows, {:.0} rows/s",
                progress.rows,
                progress.rows as f64 / seconds
            ));
        }
    }

    pub(crate) fn finish(&mut self) {
        if let Some((_, bar)) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

/// Shows training: a line a stage and an epoch, a bar over the steps.
pub(crate) struct TrainBar {
    terminal: Terminal,
    bar: ProgressBar,
    epoch: Option<u64>,
    /// Interactions or tokens that were read in this epoch.
    read: u64,
}

impl TrainBar {
    pub(crate) fn new(terminal: Terminal) -> Self {
        Self {
            terminal,
            bar: terminal.spinner("starting"),
            epoch: None,
            read: 0,
        }
    }

    pub(crate) fn show(&mut self, progress: &TrainProgress<'_>) {
        match progress {
            TrainProgress::Stage(stage) => {
                self.epoch = None;
                self.replace(self.terminal.spinner(stage));
                eprintln!("{stage}");
            }
            TrainProgress::Trial {
                model,
                settings,
                ndcg,
            } => {
                self.bar
                    .set_message(format!("{model} {settings}: NDCG@10 {ndcg:.4}"));
            }
            TrainProgress::Step(step) => {
                if let Some(ndcg) = step.validation_ndcg {
                    eprintln!(
                        "epoch {} of at most {}: NDCG@10 on new items {ndcg:.4}",
                        step.epoch + 1,
                        step.epochs
                    );
                    return;
                }
                let place = (step.epoch, step.step_in_epoch, step.steps_in_epoch);
                self.step(place, step.loss, step.interactions, "interactions");
            }
            TrainProgress::CopyStep(step) => {
                if let Some(loss) = step.validation.and_then(|validation| validation.all) {
                    eprintln!(
                        "epoch {} of at most {}: perplexity {:.1} on held-out texts",
                        step.epoch + 1,
                        step.epochs,
                        loss.exp()
                    );
                    return;
                }
                let place = (step.epoch, step.step_in_epoch, step.steps_in_epoch);
                self.step(place, step.loss, step.tokens, "tokens");
            }
        }
    }

    /// Moves the bar of an epoch: epoch, step and steps; what the step read, and what that is called.
    fn step(&mut self, (epoch, step, steps): (u64, u64, u64), loss: f64, read: usize, unit: &str) {
        if self.epoch != Some(epoch) {
            self.epoch = Some(epoch);
            self.read = 0;
            let name = format!("epoch {}", epoch + 1);
            self.replace(self.terminal.bar(steps, &name));
        }
        self.read += read as u64;
        let seconds = self.bar.elapsed().as_secs_f64().max(1e-3);
        self.bar.set_position(step);
        self.bar.set_message(format!(
            "loss {loss:.3}, {:.0} {unit}/s",
            self.read as f64 / seconds
        ));
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn replace(&mut self, bar: ProgressBar) {
        self.bar.finish_and_clear();
        self.bar = bar;
    }
}
