//! `hawker import`.

use std::time::Instant;

use engine::Store;
use engine::ingest::{Format, ImportReport, ImportRequest, import};
use events::Timestamp;

use super::{config, grouped};
use crate::cli::{ImportArgs, Shared};
use crate::terminal::{ImportBar, Terminal};
use crate::{Outcome, Told};

pub(crate) fn run(shared: &Shared, args: &ImportArgs, terminal: Terminal) -> Outcome<()> {
    let config = config(shared)?;
    let mut store = Store::open(&shared.data_dir)?;
    let report = import_files(&mut store, &config, args, terminal)?;
    terminal.result(&report)?;
    // What an alarm is about was set aside, but the export is broken and the next one will be too.
    match report.alarms.as_slice() {
        [] => Ok(()),
        _ => Err(Told.into()),
    }
}

/// Imports and says what became of the rows.
pub(crate) fn import_files(
    store: &mut Store,
    config: &engine::Config,
    args: &ImportArgs,
    terminal: Terminal,
) -> Outcome<ImportReport> {
    let request = ImportRequest {
        format: args.format,
        files: args.paths.clone(),
        consents: args.consents.clone(),
        now: Timestamp::now(),
    };
    let started = Instant::now();
    let mut bar = ImportBar::new(terminal);
    let report = import(store, config, &request, &mut |progress| bar.show(progress));
    bar.finish();
    let report = report?;
    engine::note_import(store, args.format, &args.paths, &report)?;
    tell(&report, started.elapsed().as_secs_f64(), terminal);
    let brought_shoppers = !matches!(args.format, Format::MerchantFeed | Format::ShopifyProducts);
    if brought_shoppers && store.consent_summary()?.is_empty() {
        terminal.say("nobody consented to messages, so nobody will be written to; --consent push:marketing=granted records an assumed consent");
    }
    Ok(report)
}

pub(crate) fn tell(report: &ImportReport, seconds: f64, terminal: Terminal) {
    terminal.say(format!(
        "{} rows read in {seconds:.1} s: {} kept, {} merged, {} quarantined",
        grouped(report.rows_read),
        grouped(report.kept),
        grouped(report.merged),
        grouped(report.quarantined),
    ));
    let mut reasons: Vec<(&String, &u64)> = report.by_reason.iter().collect();
    reasons.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
    for (reason, rows) in reasons {
        terminal.say(format!("{:>12}  {reason}", grouped(*rows)));
    }
    if report.expired > 0 {
        terminal.say(format!(
            "{:>12}  rows had waited in the quarantine for too long and are gone",
            grouped(report.expired)
        ));
    }
    for alarm in &report.alarms {
        let (file, line, detail) = (&alarm.file, alarm.line, &alarm.detail);
        eprintln!("hawker: {file}, line {line}: {detail}");
    }
}
