//! `hawker status`.

use engine::Status;

use super::{grouped, store};
use crate::Outcome;
use crate::cli::Shared;
use crate::terminal::Terminal;

pub(crate) fn run(shared: &Shared, terminal: Terminal) -> Outcome<()> {
    let status = Status::of(&store(shared)?)?;
    tell(&status, terminal);
    terminal.result(&status)
}

fn tell(status: &Status, terminal: Terminal) {
    let say = |text: String| terminal.say(text);
    say(format!(
        "log        {} events from {} to {}",
        grouped(status.events),
        status.first_event,
        status.last_event
    ));
    say(format!(
        "shoppers   {} known, {} guests and browsers; {} products",
        grouped(status.shoppers),
        grouped(status.guests),
        grouped(status.products)
    ));
    let waiting: u64 = status.quarantine.values().sum();
    say(format!(
        "quarantine {} rows; `hawker quarantine list` shows them",
        grouped(waiting)
    ));
    if status.consents.is_empty() {
        say("consents   none, so nobody can be written to; import them, or `hawker import … --consent push:marketing=granted`".to_owned());
    }
    for consent in &status.consents {
        say(format!(
            "consents   {}:{} {} {} ({})",
            consent.channel,
            consent.purpose,
            consent.state,
            grouped(consent.shoppers),
            consent.source
        ));
    }
    say(format!(
        "decisions  {}, of which {} messages",
        grouped(status.decisions),
        grouped(status.messages)
    ));
    for stage in &status.stages {
        say(format!("{:<10} {}", stage.name, stage.state));
    }
}
