//! `hawker bench nn`: training steps, decoding and states beside the tools that people use for them.
//!
//! Everybody has the same weights, the same tokens and as many threads as there are cores. Every figure is a rate, so that a
//! ratio above 1 says that ours is faster; beside it stands what the machine's measured rates would allow at most.

mod decoding;
mod demand;
mod floor;
mod peer;
mod race;
mod state;
mod training;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use nn::{DecoderConfig, Tensor, TensorFile};

use super::Report;
use crate::Outcome;
use crate::cli::{BenchArgs, Shared};
use crate::terminal::Terminal;
use floor::Machine;
use race::{Race, Results};
use training::Encoder;

pub(super) const PEERS: &str = "PyTorch, CTranslate2, llama.cpp, ONNX Runtime";

/// Makes a race's model, writes its weights into the folder and counts what it cannot do without.
type Start = Box<dyn Fn(Machine, &Path) -> Outcome<Race<'static>>>;

pub(super) fn run(shared: &Shared, args: &BenchArgs, terminal: Terminal) -> Outcome<Report> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let wanted = |work: &str| args.only.as_deref().is_none_or(|only| work.contains(only));
    let races: Vec<_> = races().into_iter().filter(|race| wanted(race.0)).collect();
    if races.is_empty() {
        let names: Vec<_> = self::races().iter().map(|race| race.0).collect();
        return Err(format!("--only names no work; they are: {}", names.join("; ")).into());
    }
    let bar = terminal.bar(u64::from(args.runs) * races.len() as u64, "rounds");
    bar.set_message("the machine's rates");
    let machine = Machine::measure(cores)?;
    let mut results = Results::default();
    for (_, start) in races {
        // One at a time: weights and processes of the one before are gone.
        let scratch = Scratch::new(&shared.data_dir)?;
        let race = start(machine, &scratch.folder)?;
        race.run(args, cores, &scratch.folder, &bar, &mut results)?;
    }
    bar.finish_and_clear();
    terminal.say(format!(
        "{:.0} GFLOP/s in f32 products, {:.1} GB/s from memory",
        machine.operations_per_s / 1e9,
        machine.bytes_per_s / 1e9
    ));
    Ok(Report {
        rows: results.rows,
        skipped: results.skipped,
        disagreements: results.disagreements,
        runs: args.runs,
        cores,
    })
}

/// Every work by name, in the order of the table.
fn races() -> Vec<(&'static str, Start)> {
    let steps = [
        training::user_model(),
        training::decoder(),
        training::recurrent_user_model(Encoder::Gru),
        training::recurrent_user_model(Encoder::Lstm),
    ];
    let mut races: Vec<(&str, Start)> = Vec::new();
    for work in steps {
        let name = work.name;
        let start = move |machine, scratch: &Path| training::race(&work, machine, scratch);
        races.push((name, Box::new(start)));
    }
    for batch in decoding::BATCHES {
        let name = batch.work;
        let start = move |machine, scratch: &Path| decoding::race(&batch, machine, scratch);
        races.push((name, Box::new(start)));
    }
    races.push((state::WORK, Box::new(state::race)));
    races
}

/// A model's sizes for a peer.
fn sizes(model: &DecoderConfig) -> serde_json::Value {
    serde_json::json!({
        "vocabulary": model.vocabulary,
        "width": model.width,
        "layers": model.layers,
        "heads": model.heads,
        "hidden": model.hidden,
        "positions": model.positions,
        "rotary_base": model.rotary_base,
        "norm_epsilon": model.norm_epsilon,
    })
}

/// Writes tensors for a peer and returns the file's path.
fn write(folder: &Path, tensors: &BTreeMap<String, Tensor>) -> Outcome<String> {
    let file = TensorFile::write(folder, "bench", tensors)?;
    let path = std::path::absolute(folder.join(file.file))?;
    Ok(path.to_string_lossy().into_owned())
}

/// A folder in the data directory that goes away, and the data directory with it where it was not there.
struct Scratch {
    folder: PathBuf,
    made: Option<PathBuf>,
}

impl Scratch {
    fn new(data_dir: &Path) -> Outcome<Self> {
        let made = (!data_dir.exists()).then(|| data_dir.to_owned());
        let folder = data_dir.join("bench");
        std::fs::create_dir_all(&folder)?;
        Ok(Self { folder, made })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is in nobody's way.
        let _ = std::fs::remove_dir_all(&self.folder);
        if let Some(made) = &self.made {
            let _ = std::fs::remove_dir(made);
        }
    }
}
