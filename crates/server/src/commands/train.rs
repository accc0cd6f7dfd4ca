//! `hawker train`.

use std::time::Instant;

use engine::{Config, CorpusRequest, Store, TrainProgress, TrainReport, UpdateSettings};
use events::Timestamp;

use super::{config, grouped, store};
use crate::Outcome;
use crate::cli::{Shared, TrainAdapterArgs, TrainArgs, TrainCopywriterArgs, TrainWhat};
use crate::terminal::{Terminal, TrainBar};

pub(crate) fn run(shared: &Shared, args: &TrainArgs, terminal: Terminal) -> Outcome<()> {
    match &args.what {
        Some(TrainWhat::Copywriter(args)) => return copywriter(shared, args, terminal),
        Some(TrainWhat::Adapter(args)) => return adapter(shared, args, terminal),
        None => {}
    }
    let config = config(shared)?;
    let started = Instant::now();
    let mut store = store(shared)?;
    if args.update {
        return update(&store, &config, args.replay, terminal);
    }
    let report = train_models(&mut store, &config, terminal)?;
    let seconds = started.elapsed().as_secs_f64();
    terminal.say(format!("trained in {seconds:.0} s"));
    terminal.result(&serde_json::json!({
        "model_fingerprint": engine::ModelFolders::of(store.dir()).fingerprint()?,
        "epochs": report.record.epochs,
        "best_epoch": report.record.best_epoch,
        "steps": report.record.steps,
        "parameters": report.record.parameters,
        "default": {
            "new-items": report.selection.default_new_items,
            "repeats": report.selection.default_repeats,
            "all": report.selection.default_all,
        },
        "copywriter": {
            "written": report.drafts.written,
            "passed": report.drafts.passed,
            "used": report.drafts.variants.len(),
            "perplexity": report.drafts.perplexity,
        },
        "seconds": seconds,
    }))
}

/// Trains the language model on texts that people wrote from facts.
fn copywriter(shared: &Shared, args: &TrainCopywriterArgs, terminal: Terminal) -> Outcome<()> {
    let settings = engine::copy_settings(args.settings.as_deref())?;
    let corpus = engine::read_corpus(&CorpusRequest {
        path: &args.corpus,
        exact: &args.exact,
        copied: &args.copied,
        data_dir: &shared.data_dir,
        config: &config(shared)?,
    })?;
    let started = Instant::now();
    let mut bar = TrainBar::new(terminal);
    let record = engine::train_writer(&shared.data_dir, &corpus, &settings, &mut |step| {
        bar.show(&TrainProgress::CopyStep(step));
    });
    bar.finish();
    let record = record?;
    terminal.say(format!(
        "learnt from {} texts in {:.0} s, {} epochs; write with `hawker copy draft`",
        grouped(corpus.texts.train.len() as u64),
        started.elapsed().as_secs_f64(),
        record.epochs.len()
    ));
    terminal.result(&record)
}

/// Teaches a language model on this machine the texts that were approved.
fn adapter(shared: &Shared, args: &TrainAdapterArgs, terminal: Terminal) -> Outcome<()> {
    let config = config(shared)?;
    let settings = engine::adapter_settings(args.settings.as_deref())?;
    let store = store(shared)?;
    let now = args.at.unwrap_or_else(Timestamp::now);
    let started = Instant::now();
    let mut bar = TrainBar::new(terminal);
    let report = engine::train_adapter(&store, &config, &settings, now, &mut |step| {
        bar.show(&TrainProgress::CopyStep(step));
    });
    bar.finish();
    let report = report?;
    for (reason, count) in &report.passed_over {
        terminal.say(format!(
            "passed over: {reason} ({})",
            grouped(*count as u64)
        ));
    }
    terminal.say(format!(
        "learnt from {} approved texts in {:.0} s, {} epochs; write with `hawker copy draft --provider checkpoint`",
        grouped(report.lessons as u64),
        started.elapsed().as_secs_f64(),
        report.record.epochs.len()
    ));
    terminal.result(&report)
}

/// Trains the model that serves on and says what it learnt from.
fn update(store: &Store, config: &Config, replay: f64, terminal: Terminal) -> Outcome<()> {
    let settings = UpdateSettings {
        replay,
        ..UpdateSettings::default()
    };
    let mut bar = TrainBar::new(terminal);
    let report = engine::update(store, config, &settings, &mut |told| bar.show(told));
    bar.finish();
    let report = report?;
    terminal.say(format!(
        "the user model that serves learnt from {} new order lines; it had not met {} of the products",
        grouped(report.new_lines as u64),
        grouped(report.new_products as u64)
    ));
    terminal.result(&report)
}

/// Trains and says what serves from now on.
pub(crate) fn train_models(
    store: &mut Store,
    config: &Config,
    terminal: Terminal,
) -> Outcome<TrainReport> {
    let mut bar = TrainBar::new(terminal);
    let report = engine::train(store, config, &mut |progress| bar.show(progress));
    bar.finish();
    let report = report?;
    terminal.say(format!(
        "new items are ranked by {}, repeats by {}; the user model stopped after {} epochs",
        report.selection.default_new_items,
        report.selection.default_repeats,
        report.record.epochs.len(),
    ));
    if report.drafts.written > 0 {
        terminal.say(format!(
            "the copywriter drafted {} texts, {} passed the guard and are new, {} are used",
            report.drafts.written,
            report.drafts.passed,
            report.drafts.variants.len()
        ));
    }
    Ok(report)
}
