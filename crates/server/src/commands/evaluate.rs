//! `hawker evaluate`.

use std::path::Path;

use engine::ingest::Format;
use engine::{Config, EvaluationReport, Store};

use super::{config, import, store, train};
use crate::Outcome;
use crate::cli::{EvaluateArgs, ImportArgs, Shared};
use crate::terminal::{Terminal, TrainBar};

pub(crate) fn run(shared: &Shared, args: &EvaluateArgs, terminal: Terminal) -> Outcome<()> {
    let config = config(shared)?;
    let report = match (&args.dataset, &args.path) {
        (Some(dataset), Some(path)) => on_dataset(shared, &config, dataset, path, terminal)?,
        _ => evaluate_models(&store(shared)?, &config, terminal)?,
    };
    terminal.result(&report)
}

/// Judges the models on the test window and prints the table.
pub(crate) fn evaluate_models(
    store: &Store,
    config: &Config,
    terminal: Terminal,
) -> Outcome<EvaluationReport> {
    let mut bar = TrainBar::new(terminal);
    let report = engine::evaluate(store, config, &mut |progress| bar.show(progress));
    bar.finish();
    let report = report?;
    terminal.say(format!(
        "test window {} to {}; {} shoppers without history left out",
        report.test_start, report.end, report.cold
    ));
    terminal.say(report.table());
    for difference in &report.differences {
        terminal.say(difference);
    }
    Ok(report)
}

/// Imports, trains and evaluates a public data set in a folder of its own, where it can be resumed.
fn on_dataset(
    shared: &Shared,
    config: &Config,
    dataset: &str,
    path: &Path,
    terminal: Terminal,
) -> Outcome<EvaluationReport> {
    let format = match dataset {
        "online-retail" => Format::OnlineRetail,
        _ => {
            return Err(format!("there is no data set `{dataset}`; known is online-retail").into());
        }
    };
    let mut paths: Vec<_> = std::fs::read_dir(path)
        .map_err(|error| format!("cannot read the folder {}: {error}", path.display()))?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|file| {
            let name = file
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .to_lowercase();
            [".csv", ".csv.xz", ".xlsx"]
                .iter()
                .any(|ending| name.ends_with(ending))
        })
        .collect();
    paths.sort();
    if paths.is_empty() {
        return Err(format!("{} holds no .csv, .csv.xz or .xlsx file", path.display()).into());
    }
    let mut store = Store::open(&shared.data_dir.join(format!("dataset-{dataset}")))?;
    let mut config = config.clone();
    dataset.clone_into(&mut config.shop.name);
    let files = ImportArgs {
        format,
        paths,
        consents: Vec::new(),
    };
    import::import_files(&mut store, &config, &files, terminal)?;
    train::train_models(&mut store, &config, terminal)?;
    evaluate_models(&store, &config, terminal)
}
