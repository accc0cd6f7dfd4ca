//! `hawker quarantine`.

use std::path::Path;
use std::time::Instant;

use engine::QuarantineEntry;
use engine::ingest::reimport;
use events::Timestamp;

use super::{config, grouped, import, store};
use crate::Outcome;
use crate::cli::{QuarantineAction, QuarantineArgs, Shared};
use crate::terminal::Terminal;

/// Rows shown of each reason.
const EXAMPLES: usize = 3;

pub(crate) fn run(shared: &Shared, args: &QuarantineArgs, terminal: Terminal) -> Outcome<()> {
    match &args.action {
        QuarantineAction::List => list(shared, terminal),
        QuarantineAction::Export { reason, out } => {
            export(shared, reason.as_deref(), out, terminal)
        }
        QuarantineAction::Reimport { path } => take_in(shared, path, terminal),
    }
}

fn list(shared: &Shared, terminal: Terminal) -> Outcome<()> {
    let store = store(shared)?;
    let counts = store.quarantine_counts()?;
    for (reason, rows) in &counts {
        terminal.say(format!("{:>12}  {reason}", grouped(*rows)));
        for entry in store.quarantine_entries(Some(reason), EXAMPLES)? {
            terminal.say(format!(
                "{:>14}{}, line {}: {}",
                "", entry.file, entry.line, entry.detail
            ));
        }
    }
    let counts: std::collections::BTreeMap<String, u64> = counts.into_iter().collect();
    terminal.result(&serde_json::json!({ "by_reason": counts }))
}

fn export(shared: &Shared, reason: Option<&str>, out: &Path, terminal: Terminal) -> Outcome<()> {
    let entries = store(shared)?.quarantine_entries(reason, usize::MAX)?;
    let mut lines = String::new();
    for entry in &entries {
        lines.push_str(&serde_json::to_string(entry)?);
        lines.push('\n');
    }
    engine::write_private_file(out, lines.as_bytes())?;
    terminal.say(format!(
        "wrote {} rows to {}; edit `text`, then `hawker quarantine reimport {}`",
        grouped(entries.len() as u64),
        out.display(),
        out.display()
    ));
    terminal.result(&serde_json::json!({"rows": entries.len(), "file": out}))
}

fn take_in(shared: &Shared, path: &Path, terminal: Terminal) -> Outcome<()> {
    let config = config(shared)?;
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let entries = (1..)
        .zip(text.lines())
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(number, line)| {
            serde_json::from_str::<QuarantineEntry>(line).map_err(|error| {
                format!("{}, line {number}: {error}; keep the form that `hawker quarantine export` wrote", path.display())
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let started = Instant::now();
    let report = reimport(&mut store(shared)?, &config, entries, Timestamp::now())?;
    import::tell(&report, started.elapsed().as_secs_f64(), terminal);
    terminal.result(&report)
}
