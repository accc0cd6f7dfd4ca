//! `cargo xtask soak`: kills `hawker` at random moments and compares the end states.
//!
//! An undisturbed run of a command gives the time it takes and the fingerprint of the state it leaves. Then,
//! for each moment: the command is started in a folder of its own, killed with SIGKILL after a random
//! fraction of that time, run again to its end, and the two fingerprints are compared. They come from
//! `hawker status --json`: `fingerprint` for imports, `model_fingerprint` for training. They have to depend
//! on the logical state alone: not on keys, clocks or the layout of files.
//!
//! The same seed gives the same fractions. How far the program got in that time depends on the machine, so a
//! failed moment keeps its folder for a look.

mod input;
mod options;

use crate::Outcome;
use crate::program_output::{last_line, output_of};
use options::Options;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A command of `hawker` under test.
struct Job<'a> {
    name: &'static str,
    hawker: &'a Path,
    arguments: Vec<String>,
    /// The key of `hawker status --json` that tells end states apart.
    fingerprint: &'static str,
    /// The data directory every run starts from; `None` for an empty one.
    start: Option<PathBuf>,
}

/// Runs the soak tests asked for and says whether all end states were the same.
pub(crate) fn run(arguments: &[String]) -> Outcome<bool> {
    let options = Options::parse(arguments)?;
    let scratch = std::env::temp_dir().join(format!("hawker-soak-{}", std::process::id()));
    fs::create_dir_all(&scratch)?;
    let files = match &options.data {
        Some(folder) => input::files_in(folder)?,
        None => input::generate(&scratch.join("input"), options.seed)?,
    };
    println!(
        "soak: {} moments each, seed {}, in {}",
        options.moments,
        options.seed,
        scratch.display()
    );

    let mut same = true;
    if options.what.import {
        same &= soak(&import_job(&options, &files), &options, &scratch)?;
    }
    if options.what.training {
        let imported = scratch.join("imported");
        import_job(&options, &files).run_to_end(&imported)?;
        same &= soak(&training_job(&options, imported), &options, &scratch)?;
    }
    if same {
        fs::remove_dir_all(&scratch)?;
    }
    Ok(same)
}

fn import_job<'a>(options: &'a Options, files: &[PathBuf]) -> Job<'a> {
    let mut arguments: Vec<String> = ["import", "online-retail"].map(str::to_owned).into();
    arguments.extend(files.iter().map(|file| file.display().to_string()));
    arguments.extend(["--consent", "push:marketing=granted"].map(str::to_owned));
    Job {
        name: "import",
        hawker: &options.hawker,
        arguments,
        fingerprint: "fingerprint",
        start: None,
    }
}

fn training_job(options: &Options, imported: PathBuf) -> Job<'_> {
    let mut arguments = vec!["train".to_owned()];
    arguments.extend(options.training.iter().cloned());
    Job {
        name: "training",
        hawker: &options.hawker,
        arguments,
        fingerprint: "model_fingerprint",
        start: Some(imported),
    }
}

/// Kills a job at `options.moments` random moments and says whether each ended as the undisturbed run did.
fn soak(job: &Job<'_>, options: &Options, scratch: &Path) -> Outcome<bool> {
    let undisturbed = scratch.join(format!("{}-undisturbed", job.name));
    let started = Instant::now();
    job.prepare(&undisturbed)?;
    let whole = job.run_to_end(&undisturbed)?;
    let wanted = job.end_state(&undisturbed)?;
    println!(
        "{}: undisturbed {:.1} s, {} {wanted}",
        job.name,
        started.elapsed().as_secs_f64(),
        job.fingerprint
    );

    let mut rng = ChaCha8Rng::seed_from_u64(options.seed);
    let mut failures = 0;
    for moment in 1..=options.moments {
        let folder = scratch.join(format!("{}-{moment}", job.name));
        let fraction = rng.random_range(0.0..1.0);
        job.prepare(&folder)?;
        let killed = job.run_and_kill(&folder, whole.mul_f64(fraction))?;
        let again = job.run_to_end(&folder).and_then(|_| job.end_state(&folder));
        let end = if killed { "killed" } else { "already done" };
        let place = format!(
            "{} {moment}/{} at {:.1} % ({end})",
            job.name,
            options.moments,
            100.0 * fraction
        );
        match again {
            Ok(state) if state == wanted => {
                println!("{place}: same end state");
                fs::remove_dir_all(&folder)?;
            }
            Ok(state) => {
                println!(
                    "{place}: DIFFERENT end state {state}; kept {}",
                    folder.display()
                );
                failures += 1;
            }
            Err(error) => {
                println!(
                    "{place}: the second run FAILED: {error}; kept {}",
                    folder.display()
                );
                failures += 1;
            }
        }
    }
    println!(
        "{}: {} of {} moments ended the same",
        job.name,
        options.moments - failures,
        options.moments
    );
    Ok(failures == 0)
}

impl Job<'_> {
    fn command(&self, folder: &Path, arguments: &[String]) -> Command {
        let mut command = Command::new(self.hawker);
        command
            .args(arguments)
            .arg("--data-dir")
            .arg(folder)
            .arg("--json")
            .stdin(Stdio::null());
        command
    }

    /// Puts the data directory that the job starts from into `folder`.
    fn prepare(&self, folder: &Path) -> Outcome<()> {
        match &self.start {
            Some(start) => copy_folder(start, folder),
            None => Ok(fs::create_dir_all(folder)?),
        }
    }

    /// Runs the job undisturbed and returns the time it took.
    fn run_to_end(&self, folder: &Path) -> Outcome<Duration> {
        let started = Instant::now();
        output_of(&mut self.command(folder, &self.arguments))?;
        Ok(started.elapsed())
    }

    /// Starts the job, kills it after `delay`, and says whether it was still running then.
    fn run_and_kill(&self, folder: &Path, delay: Duration) -> Outcome<bool> {
        let mut command = self.command(folder, &self.arguments);
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        thread::sleep(delay);
        let was_running = child.try_wait()?.is_none();
        child.kill()?;
        child.wait()?;
        Ok(was_running)
    }

    /// Asks `hawker status` for the fingerprint of the state in `folder`.
    fn end_state(&self, folder: &Path) -> Outcome<String> {
        let status = last_line(&output_of(
            &mut self.command(folder, &["status".to_owned()]),
        )?)?;
        let state = status[self.fingerprint].as_str();
        Ok(state
            .ok_or_else(|| format!("`status --json` has no text `{}`", self.fingerprint))?
            .to_owned())
    }
}

/// Copies a folder and all it holds, with the permissions of its files.
fn copy_folder(from: &Path, to: &Path) -> Outcome<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let copy = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy_folder(&path, &copy)?;
        } else {
            fs::copy(&path, &copy)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
