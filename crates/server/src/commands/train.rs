//! `hawker train`.

use std::time::Instant;

use engine::{Config, Store, TrainReport};

use super::{config, store};
use crate::Outcome;
use crate::cli::Shared;
use crate::terminal::{Terminal, TrainBar};

pub(crate) fn run(shared: &Shared, terminal: Terminal) -> Outcome<()> {
    let config = config(shared)?;
    let started = Instant::now();
    let mut store = store(shared)?;
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
