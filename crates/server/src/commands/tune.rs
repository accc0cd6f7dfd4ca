//! `hawker tune`.

use std::path::PathBuf;

use engine::{SearchSpace, TrainProgress, TuneReport, TuneRequest, tune_sequences, tune_shop};

use super::{config, sequences, store};
use crate::Outcome;
use crate::cli::{Shared, TuneArgs};
use crate::svg::{Axis, COLOURS, GREY, Plot};
use crate::terminal::{Terminal, TrainBar};

/// Size of the picture, axes left out.
const SIZE: (f64, f64) = (640.0, 360.0);

pub(crate) fn run(shared: &Shared, args: &TuneArgs, terminal: Terminal) -> Outcome<()> {
    let config = config(shared)?;
    let settings = match &args.dataset {
        Some(_) => engine::sequence_settings(args.settings.as_deref())?,
        None => config.model.clone(),
    };
    let request = TuneRequest {
        settings,
        space: SearchSpace::read(args.space.as_deref())?,
        trials: args.trials,
        reduction: args.reduction,
        seed: args.seed,
    };
    let mut bar = TrainBar::new(terminal);
    let mut tell = |told: &TrainProgress<'_>| bar.show(told);
    let (folder, report) = if let (Some(dataset), Some(path)) = (&args.dataset, &args.path) {
        let set = sequences::read(dataset, path, args.items.as_deref())?;
        let folder = shared.data_dir.join(format!("tune-{dataset}"));
        let report = tune_sequences(&set, &request, &folder, &mut tell);
        (folder, report)
    } else {
        let store = store(shared)?;
        let report = tune_shop(&store, &config, &request, &mut tell);
        (store.dir().join("tune"), report)
    };
    bar.finish();
    let report = report?;
    terminal.say(report.table());
    let file = |given: &Option<PathBuf>, name: &str| match given {
        Some(path) => path.clone(),
        None => folder.join(name),
    };
    let (out, plot) = (file(&args.out, "tuned.toml"), file(&args.plot, "tune.svg"));
    engine::write_file(
        &out,
        report.settings_file(args.dataset.is_none()).as_bytes(),
    )?;
    engine::write_file(&plot, curves(&report).as_bytes())?;
    terminal.say(match args.dataset {
        Some(_) => format!(
            "the best settings are in {}; pass them to `hawker evaluate --settings`, whose test this search has not seen",
            out.display()
        ),
        None => format!(
            "the best settings are in {}; put them into your hawker.toml and run `hawker train`",
            out.display()
        ),
    });
    terminal.say(format!("learning curves in {}", plot.display()));
    terminal.result(&report)
}

/// The learning curves, the best three trials in colour, with a dashed line at each cut.
fn curves(report: &TuneReport) -> String {
    let figures = || {
        report
            .trials
            .iter()
            .flat_map(|trial| trial.curves.iter().flatten())
    };
    let highest = figures().copied().fold(0.0, f64::max);
    let last = report.cuts.last().copied().unwrap_or(1) as f64;
    let x = Axis {
        label: "epochs",
        from: 0.0,
        to: last,
        digits: usize::from(last < 5.0),
    };
    let y = Axis {
        label: "NDCG@10 on the validation split",
        from: 0.0,
        to: highest * 1.05,
        digits: 3,
    };
    let mut plot = Plot::new("Search for settings", SIZE, x, y, 5);
    for cut in &report.cuts {
        plot.dashes((*cut as f64, 0.0), (*cut as f64, y.to));
    }
    let ranked = report.ranked();
    // The best ones are drawn last, over the others.
    for (place, number) in ranked.iter().enumerate().rev() {
        let colour = if place < 3 { COLOURS[place] } else { GREY };
        for curve in &report.trials[*number].curves {
            let points = (1u32..).map(f64::from).zip(curve.iter().copied());
            let points: Vec<(f64, f64)> = points.collect();
            plot.line(&points, colour, if place == 0 { 2.5 } else { 1.2 });
            if let Some(end) = points.last() {
                plot.disc(*end, 3.0, colour, &format!("trial {number}"));
            }
        }
    }
    for (number, colour) in ranked.iter().zip(COLOURS).take(3) {
        if let Some(best) = report.trials[*number].best() {
            plot.legend(&format!("trial {number}: {best:.4}"), colour);
        }
    }
    plot.finish()
}
