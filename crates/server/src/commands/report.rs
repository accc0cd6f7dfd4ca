//! `hawker report`.

use std::path::Path;

use engine::{Config, Store};

use super::{config, store};
use crate::cli::{ReportArgs, Shared};
use crate::terminal::Terminal;
use crate::{Outcome, measured, report};

pub(crate) fn run(shared: &Shared, args: &ReportArgs, terminal: Terminal) -> Outcome<()> {
    let store = store(shared)?;
    let path = args
        .out
        .clone()
        .unwrap_or_else(|| shared.data_dir.join("report.html"));
    write(&store, &config(shared)?, &path)?;
    terminal.say(format!("open {}", path.display()));
    terminal.result(&serde_json::json!({"report": path}))
}

/// Gathers, renders and writes the report.
pub(crate) fn write(store: &Store, config: &Config, path: &Path) -> Outcome<()> {
    let report = measured::gather(store, config)?;
    engine::write_file(path, report::render(&report)?.as_bytes())?;
    Ok(())
}
