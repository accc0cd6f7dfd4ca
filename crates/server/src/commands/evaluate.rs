//! `hawker evaluate`.

use std::path::Path;

use engine::ingest::Format;
use engine::{
    Config, CopyReport, CopyRequest, CopySample, EncoderKind, EvaluationReport, FactTextDataset,
    SequenceReport, SequenceRequest, Store, UserStateDataset, UserStateReport, UserStateRequest,
};

use super::{config, import, sequences, store, train};
use crate::Outcome;
use crate::cli::{EvaluateArgs, ImportArgs, Shared};
use crate::terminal::{Terminal, TrainBar};

pub(crate) fn run(shared: &Shared, args: &EvaluateArgs, terminal: Terminal) -> Outcome<()> {
    let config = config(shared)?;
    let Some(name) = args.dataset.as_deref() else {
        return terminal.result(&evaluate_models(&store(shared)?, &config, terminal)?);
    };
    if let Some(set) = UserStateDataset::named(name) {
        return terminal.result(&on_shoppers_texts(shared, args, set, terminal)?);
    }
    let path = args
        .path
        .as_deref()
        .ok_or("name the data set's files with `--path`")?;
    if name == "online-retail" {
        terminal.result(&on_online_retail(shared, &config, path, terminal)?)
    } else if let Some(set) = FactTextDataset::named(name) {
        terminal.result(&on_texts(shared, args, set, path, terminal)?)
    } else {
        terminal.result(&on_sequences(shared, &config, args, name, path, terminal)?)
    }
}

/// Judges the copywriter on texts that were written from facts, in a folder of its own, where it can be resumed.
fn on_texts(
    shared: &Shared,
    args: &EvaluateArgs,
    dataset: FactTextDataset,
    path: &Path,
    terminal: Terminal,
) -> Outcome<CopyReport> {
    let request = CopyRequest {
        dataset,
        settings: engine::copy_settings(args.settings.as_deref())?,
        on_validation: args.on_validation,
    };
    let set = dataset.read(path)?;
    let folder = shared.data_dir.join(format!("dataset-{}", dataset.name()));
    let mut bar = TrainBar::new(terminal);
    let report = engine::evaluate_copy(&set, &request, &folder, &mut |told| bar.show(told));
    bar.finish();
    let report = report?;
    terminal.say(report.heading());
    terminal.say(report.table());
    terminal.say(report.times());
    for sample in &report.samples {
        let CopySample {
            facts,
            text,
            reference,
        } = sample;
        terminal.say(format!(
            "{}\n  {text}\n  people: {reference}\n",
            facts.join(", ")
        ));
    }
    Ok(report)
}

/// Judges whether the user state matters to texts, in a folder of its own, where it can be resumed.
fn on_shoppers_texts(
    shared: &Shared,
    args: &EvaluateArgs,
    dataset: UserStateDataset,
    terminal: Terminal,
) -> Outcome<UserStateReport> {
    let request = UserStateRequest {
        dataset,
        path: args.path.clone(),
        settings: engine::user_state_settings(args.settings.as_deref())?,
        on_validation: args.on_validation,
    };
    let folder = shared.data_dir.join(format!("dataset-{}", dataset.name()));
    let mut bar = TrainBar::new(terminal);
    let report = engine::evaluate_user_states(&request, &folder, &mut |told| bar.show(told));
    bar.finish();
    let report = report?;
    terminal.say(report.heading());
    terminal.say(report.table());
    terminal.say(report.samples_text());
    Ok(report)
}

/// Judges the user model by leave-one-out, in a folder of its own, where it can be resumed.
fn on_sequences(
    shared: &Shared,
    config: &Config,
    args: &EvaluateArgs,
    dataset: &str,
    path: &Path,
    terminal: Terminal,
) -> Outcome<SequenceReport> {
    let set = sequences::read(dataset, path, args.items.as_deref())?;
    let encoder = |name: &String| {
        let mut all = EncoderKind::ALL.into_iter();
        let unknown =
            || format!("there is no encoder `{name}`; known are transformer, gru, lstm and mlp");
        all.find(|encoder| encoder.name() == name)
            .ok_or_else(unknown)
    };
    let request = SequenceRequest {
        dataset: dataset.to_owned(),
        encoders: args
            .encoders
            .iter()
            .map(encoder)
            .collect::<Result<_, _>>()?,
        settings: engine::sequence_settings(args.settings.as_deref())?,
        seeds: args.seeds,
        resamples: config.evaluation.bootstrap_resamples,
    };
    let folder = shared.data_dir.join(format!("dataset-{dataset}"));
    let mut bar = TrainBar::new(terminal);
    let evaluate = if args.cold_start {
        engine::evaluate_cold_start
    } else {
        engine::evaluate_sequences
    };
    let report = evaluate(&set, &request, &folder, &mut |progress| bar.show(progress));
    bar.finish();
    let report = report?;
    terminal.say(report.heading(args.cold_start));
    terminal.say(report.table());
    terminal.say(report.times());
    Ok(report)
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

/// Imports, trains and evaluates UCI Online Retail in a folder of its own, where it can be resumed.
fn on_online_retail(
    shared: &Shared,
    config: &Config,
    path: &Path,
    terminal: Terminal,
) -> Outcome<EvaluationReport> {
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
    let mut store = Store::open(&shared.data_dir.join("dataset-online-retail"))?;
    let mut config = config.clone();
    "online-retail".clone_into(&mut config.shop.name);
    let files = ImportArgs {
        format: Format::OnlineRetail,
        paths,
        consents: Vec::new(),
    };
    import::import_files(&mut store, &config, &files, terminal)?;
    train::train_models(&mut store, &config, terminal)?;
    evaluate_models(&store, &config, terminal)
}
