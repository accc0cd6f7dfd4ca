//! `hawker learn`.

use super::{config, grouped, store};
use crate::Outcome;
use crate::cli::{LearnArgs, Shared};
use crate::terminal::Terminal;

pub(crate) fn run(shared: &Shared, args: &LearnArgs, terminal: Terminal) -> Outcome<()> {
    let config = config(shared)?;
    let mut store = store(shared)?;
    let now = match args.at {
        Some(at) => at,
        None => events::Timestamp::from_millisecond(store.log_summary()?.last_ms)?,
    };
    let attribution = config.learning.attribution;
    let report = engine::learn(&mut store, attribution, args.goal, now)?;
    terminal.say(format!(
        "{} new outcomes; learnt from {} messages, {} were never seen, {} have time left",
        report.outcomes, report.learnt, report.unseen, report.open
    ));
    if report.foreign > 0 {
        terminal.say(format!(
            "{} answers name a decision about somebody else, or none of this shop's, and count for nothing; check what your tracking puts into `decision_id`",
            grouped(report.foreign)
        ));
    }
    terminal.result(&report)
}
