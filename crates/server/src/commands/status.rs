//! `hawker status`.

use engine::{Status, UnfinishedDelivery};
use events::Timestamp;
use serde::Serialize;

use super::{config, grouped, store};
use crate::Outcome;
use crate::cli::Shared;
use crate::terminal::Terminal;

/// How far ahead expiring rows are announced.
const SOON_DAYS: u32 = 30;

pub(crate) fn run(shared: &Shared, terminal: Terminal) -> Outcome<()> {
    let store = store(shared)?;
    let days = config(shared)?.privacy.quarantine_days;
    let report = Report {
        status: Status::of(&store)?,
        quarantine_expiring: store.quarantine_expiring(days, Timestamp::now(), SOON_DAYS)?,
    };
    tell(&report, terminal);
    terminal.result(&report)
}

/// What a machine reads.
#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    status: Status,
    /// Rows of the quarantine that the import in [`SOON_DAYS`] days would remove.
    quarantine_expiring: u64,
}

fn tell(report: &Report, terminal: Terminal) {
    let status = &report.status;
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
    if report.quarantine_expiring > 0 {
        say(format!(
            "           {} of them expire within {SOON_DAYS} days",
            grouped(report.quarantine_expiring)
        ));
    }
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
    if status.messages > 0 {
        say("lift       `hawker lift` measures what they brought".to_owned());
    }
    if let Some(delivery) = &status.unfinished_delivery {
        say(format!("unfinished {}", unfinished(delivery)));
    }
    for stage in &status.stages {
        say(format!("{:<10} {}", stage.name, stage.state));
    }
}

/// What a delivery that broke off means and how to finish it.
fn unfinished(delivery: &UnfinishedDelivery) -> String {
    let known = format!(
        "the {} messages of the campaign of {} count as sent, but its file was not finished",
        grouped(delivery.messages),
        delivery.decided_at
    );
    match (&delivery.part, delivery.command.as_str()) {
        (Some(_), "") => format!("{known}; run the same `hawker campaign` command again"),
        (Some(_), command) => {
            format!("{known}; `{command}` finishes it without deciding again")
        }
        (None, _) => format!(
            "{known} and is gone; `hawker export decisions` still holds run {}",
            delivery.run
        ),
    }
}
