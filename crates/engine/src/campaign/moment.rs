//! The moment of a campaign: one at which the log can tell what a shopper wants.

use events::Timestamp;
use jiff::SignedDuration;

use crate::error::{EngineError, Result};
use crate::store::LogSummary;

/// The longest time after the last event at which its shoppers are still taken for the same.
const STALE_AFTER_DAYS: i64 = 365;

/// Refuses a moment before the log's first event, or so long after its last one that the log says nothing of it.
///
/// # Errors
/// [`EngineError::NotReady`] naming the log's extent and the remedy.
pub(super) fn check(log: LogSummary, at: Option<Timestamp>) -> Result<()> {
    let (Some(at), true) = (at, log.events > 0) else {
        return Ok(());
    };
    let moment = |ms: i64| Timestamp::from_millisecond(ms).unwrap_or(at);
    let (first, last) = (moment(log.first_ms), moment(log.last_ms));
    if at < first {
        return Err(EngineError::NotReady {
            missing: format!("nothing is known of {at}: the log begins at {first}"),
            remedy: format!(
                "give a later `--at`, or leave it out to decide at the log's last event, {last}"
            ),
        });
    }
    if at.duration_since(last) > SignedDuration::from_hours(24 * STALE_AFTER_DAYS) {
        return Err(EngineError::NotReady {
            missing: format!(
                "{at} is more than a year after the log's last event, {last}: its shoppers have long changed"
            ),
            remedy: "import what happened since, or leave `--at` out to decide at the last event"
                .to_owned(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(at: &str) -> String {
        let moment = |text: &str| text.parse::<Timestamp>().expect("valid");
        let log = LogSummary {
            events: 10,
            last_position: 10,
            first_ms: moment("2024-01-01T09:00:00Z").as_millisecond(),
            last_ms: moment("2025-12-20T12:00:00Z").as_millisecond(),
        };
        check(log, Some(moment(at))).map_or_else(|error| error.to_string(), |()| "ok".to_owned())
    }

    #[test]
    fn a_moment_is_within_the_log_or_at_most_a_year_after_it() {
        assert_eq!(
            verdict("2024-01-01T08:59:59Z"),
            "nothing is known of 2024-01-01T08:59:59Z: the log begins at 2024-01-01T09:00:00Z; give a later `--at`, or \
             leave it out to decide at the log's last event, 2025-12-20T12:00:00Z"
        );
        assert_eq!(verdict("2024-01-01T09:00:00Z"), "ok");
        assert_eq!(verdict("2026-12-20T12:00:00Z"), "ok");
        assert_eq!(
            verdict("2026-12-20T12:00:01Z"),
            "2026-12-20T12:00:01Z is more than a year after the log's last event, 2025-12-20T12:00:00Z: its shoppers have \
             long changed; import what happened since, or leave `--at` out to decide at the last event"
        );
    }
}
