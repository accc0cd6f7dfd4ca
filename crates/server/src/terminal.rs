//! What the person at the terminal sees: progress on standard error, results on standard output.
#![allow(
    clippy::print_stdout,
    reason = "this is where a command's result goes to standard output"
)]

use std::io::{IsTerminal, Write};
use std::time::Duration;

use engine::ingest::ImportProgress;
use engine::{Done, Figures, Progress, TrainProgress};
use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressStyle};
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

    /// Prints a piece of a text as it comes; nothing where a machine reads.
    pub(crate) fn piece(self, piece: &str) {
        if !self.json {
            print!("{piece}");
            // A person who sees no more than whole lines misses nothing but the pace.
            let _ = std::io::stdout().flush();
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
    pace: Option<Pace>,
}

impl TrainBar {
    pub(crate) fn new(terminal: Terminal) -> Self {
        Self {
            terminal,
            bar: terminal.spinner("starting"),
            pace: None,
        }
    }

    pub(crate) fn show(&mut self, progress: &TrainProgress<'_>) {
        match progress {
            TrainProgress::Stage(stage) => {
                self.pace = None;
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
            TrainProgress::Step(progress) => self.trained(progress, "interactions", |figures| {
                let ndcg = figures.get(engine::VALIDATION_NDCG)?;
                Some(format!("NDCG@10 on new items {ndcg:.4}"))
            }),
            TrainProgress::CopyStep(progress) => self.trained(progress, "tokens", |figures| {
                if let Some(worth) = figures.get(engine::COPYWRITER_REWARD) {
                    return Some(format!("held-out texts are worth {worth:.4}"));
                }
                let loss = figures
                    .get(engine::LOSS_ALL)
                    .or_else(|| figures.get(engine::COPYWRITER_LOSS))?;
                Some(format!("perplexity {:.1} on held-out texts", loss.exp()))
            }),
        }
    }

    /// Moves the bar after a step, and tells an epoch in a line that also a log without a bar shows.
    fn trained(
        &mut self,
        progress: &Progress,
        unit: &str,
        measured: impl Fn(&Figures) -> Option<String>,
    ) {
        match &progress.done {
            Done::Step { loss, tokens, .. } => {
                match &mut self.pace {
                    Some(pace) if progress.step > pace.first_step => pace.tokens += tokens,
                    // The first step, of all or of another run after one that was resumed.
                    _ => self.begin(progress),
                }
                self.bar.set_position(progress.step);
                let pace = self.pace_text(progress, unit);
                self.bar.set_message(format!("loss {loss:.3}{pace}"));
            }
            Done::Epoch(record) => {
                let measured = measured(&record.validation)
                    .unwrap_or_else(|| format!("loss {:.3}", record.train_loss));
                let pace = self.pace_text(progress, unit);
                let (epoch, epochs) = (progress.epoch + 1, progress.epochs);
                self.bar
                    .suspend(|| eprintln!("epoch {epoch} of at most {epochs}: {measured}{pace}"));
            }
        }
    }

    /// Opens the bar of a model with the first step that is told of it, which is not the first one of a resumed run.
    fn begin(&mut self, progress: &Progress) {
        let template = "{spinner} step {human_pos}/{human_len} {bar:30} {msg}";
        let bar = ProgressBar::new(progress.total_steps);
        self.replace(self.terminal.drawn(bar, template));
        self.pace = Some(Pace {
            first_step: progress.step,
            tokens: 0,
        });
    }

    fn pace_text(&self, progress: &Progress, unit: &str) -> String {
        let pace = self.pace.as_ref();
        let text = pace.and_then(|pace| pace.text(self.bar.elapsed(), progress, unit));
        text.unwrap_or_default()
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn replace(&mut self, bar: ProgressBar) {
        self.bar.finish_and_clear();
        self.bar = bar;
    }
}

/// How fast a model is trained since its first step was told.
struct Pace {
    first_step: u64,
    /// Tokens of the steps after the first one told.
    tokens: u64,
}

impl Pace {
    /// Tokens a second and the time left, the validations included; nothing before a second step was told.
    fn text(&self, elapsed: Duration, progress: &Progress, unit: &str) -> Option<String> {
        let steps = progress.step - self.first_step;
        if steps == 0 {
            return None;
        }
        let seconds = elapsed.as_secs_f64().max(1e-3);
        let rate = HumanCount((self.tokens as f64 / seconds) as u64);
        let pace = format!(", {rate} {unit}/s");
        let to_come = progress.total_steps.saturating_sub(progress.step);
        if to_come == 0 {
            return Some(pace);
        }
        let left = HumanDuration(elapsed.mul_f64(to_come as f64 / steps as f64));
        Some(format!("{pace}, at most {left:#} left"))
    }
}

#[cfg(test)]
mod tests {
    use engine::EpochRecord;

    use super::*;

    #[test]
    fn the_pace_counts_from_the_first_step_told() {
        let mut progress = Progress {
            step: 40,
            total_steps: 100,
            epoch: 1,
            epochs: 4,
            step_in_epoch: 15,
            steps_in_epoch: 25,
            done: Done::Epoch(EpochRecord::default()),
        };
        // A resumed run: the 40 steps before say nothing about the time that they took.
        let mut pace = Pace {
            first_step: 40,
            tokens: 0,
        };
        assert_eq!(pace.text(Duration::from_secs(3), &progress, "tokens"), None);
        progress.step = 60;
        pace.tokens = 20_480;
        let text = pace.text(Duration::from_secs(10), &progress, "tokens");
        let expected = ", 2,048 tokens/s, at most 20s left";
        assert_eq!(text.as_deref(), Some(expected));
        // An epoch may have more batches than the first one, by which the total was counted.
        progress.step = 101;
        let text = pace.text(Duration::from_secs(10), &progress, "tokens");
        assert_eq!(text.as_deref(), Some(", 2,048 tokens/s"));
    }

    #[test]
    fn a_second_run_is_told_from_its_own_beginning() {
        let mut bar = TrainBar::new(Terminal::new(true));
        // The first was taken up at its step 5,000.
        for (step, total_steps) in [(5_000, 5_002), (5_001, 5_002), (1, 40), (2, 40)] {
            bar.show(&TrainProgress::CopyStep(&Progress {
                step,
                total_steps,
                epoch: 0,
                epochs: 4,
                step_in_epoch: step,
                steps_in_epoch: total_steps,
                done: Done::Step {
                    loss: 1.0,
                    learning_rate: 0.1,
                    gradient_norm: 1.0,
                    tokens: 10,
                },
            }));
        }
        let pace = bar.pace.as_ref().expect("steps were told");
        assert_eq!((pace.first_step, pace.tokens), (1, 10));
        assert_eq!(bar.bar.length(), Some(40));
    }
}
