//! `hawker drift`.

use engine::{DriftReport, DriftRequest, UpdateSettings, Upkeep};

use super::{config, store};
use crate::Outcome;
use crate::cli::{DriftArgs, Shared};
use crate::svg::{Axis, COLOURS, Plot};
use crate::terminal::{Terminal, TrainBar};

/// Size of the picture, axes left out.
const SIZE: (f64, f64) = (640.0, 360.0);

pub(crate) fn run(shared: &Shared, args: &DriftArgs, terminal: Terminal) -> Outcome<()> {
    let config = config(shared)?;
    let store = store(shared)?;
    let update = UpdateSettings {
        replay: args.replay,
        epochs: args.epochs,
        ..UpdateSettings::default()
    };
    let request = DriftRequest {
        periods: args.periods,
        days: args.days,
        update,
        anew: !args.no_anew,
    };
    let mut bar = TrainBar::new(terminal);
    let report = engine::drift(&store, &config, &request, &mut |told| bar.show(told));
    bar.finish();
    let report = report?;
    terminal.say(format!(
        "{} periods of {} days; {} shoppers were never learnt from and are asked about the past\n\n{}\n{}",
        report.periods.len(),
        report.days,
        report.aside,
        report.table(),
        report.shifts()
    ));
    for sentence in report.verdict() {
        terminal.say(sentence);
    }
    let plot = match &args.plot {
        Some(path) => path.clone(),
        None => store.dir().join("drift.svg"),
    };
    engine::write_file(&plot, curves(&report).as_bytes())?;
    terminal.say(format!("curves in {}", plot.display()));
    terminal.result(&report)
}

/// NDCG@10 on what comes next, period by period, a line an upkeep.
fn curves(report: &DriftReport) -> String {
    let all = || report.periods.iter().flat_map(|period| &period.figures);
    let highest = all()
        .map(|figures| figures.coming.value)
        .fold(0.0, f64::max);
    let periods = report.periods.len() as u32;
    let x = Axis {
        label: "period",
        from: 1.0,
        to: f64::from(periods),
        digits: 0,
    };
    let y = Axis {
        label: "NDCG@10 on new items of the period",
        from: 0.0,
        to: highest * 1.1,
        digits: 3,
    };
    let ticks = periods.saturating_sub(1).max(1);
    let mut plot = Plot::new("Drift", SIZE, x, y, ticks);
    let upkeeps = [
        Upkeep::Once,
        Upkeep::Updated,
        Upkeep::Replayed,
        Upkeep::Anew,
    ];
    for (upkeep, colour) in upkeeps.into_iter().zip(COLOURS) {
        let mut points = Vec::new();
        for (number, period) in (1u32..).zip(&report.periods) {
            // Before the first period all of them are one.
            let own = period.figures.iter().find(|f| f.upkeep == upkeep);
            let shared = period.figures.first().filter(|_| number == 1);
            if let Some(figures) = own.or(shared) {
                points.push((f64::from(number), figures.coming.value));
            }
        }
        if points.len() < 2 {
            continue;
        }
        plot.line(&points, colour, 1.8);
        for point in points {
            let says = format!("{}: {:.4}", upkeep.words(), point.1);
            plot.disc(point, 4.0, colour, &says);
        }
        plot.legend(upkeep.words(), colour);
    }
    plot.finish()
}
