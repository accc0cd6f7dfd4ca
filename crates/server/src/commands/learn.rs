//! `hawker learn`.

use super::store;
use crate::Outcome;
use crate::cli::{LearnArgs, Shared};
use crate::terminal::Terminal;

pub(crate) fn run(shared: &Shared, args: &LearnArgs, terminal: Terminal) -> Outcome<()> {
    let mut store = store(shared)?;
    let now = match args.at {
        Some(at) => at,
        None => events::Timestamp::from_millisecond(store.log_summary()?.last_ms)?,
    };
    let report = engine::learn(&mut store, args.goal, now)?;
    terminal.say(format!(
        "{} new outcomes; learnt from {} messages, {} were never seen, {} have time left",
        report.outcomes, report.learnt, report.unseen, report.open
    ));
    terminal.result(&report)
}
