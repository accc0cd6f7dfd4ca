//! `hawker export`.

use crate::Outcome;
use crate::cli::{ExportArgs, Shared};
use crate::terminal::Terminal;

pub(crate) fn run(_shared: &Shared, _args: &ExportArgs, _terminal: Terminal) -> Outcome<()> {
    Err("export is not there yet".into())
}
