//! Events in Segment's envelope, one JSON object a line: what a shop's tracking writes.

use events::IncomingEvent;

use super::row::{Rejection, Row};

pub(crate) fn map(text: &str) -> Result<Row, Rejection> {
    let event = IncomingEvent::from_json(text)?;
    Ok(Row::Event(Box::new(event), None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_lines_are_quarantined_by_name() {
        for (line, reason) in [
            ("{", "not_an_event"),
            ("[1]", "not_an_event"),
            (r#"{"userId":"u"}"#, "missing_messageId"),
            (
                r#"{"messageId":"m","event":"x","timestamp":"2026-01-01T00:00:00Z"}"#,
                "missing_userId",
            ),
            (
                r#"{"messageId":"m","userId":"u","event":"x"}"#,
                "missing_timestamp",
            ),
            (
                r#"{"messageId":"m","userId":"u","event":"x","timestamp":"soon"}"#,
                "invalid_timestamp",
            ),
        ] {
            assert_eq!(map(line).expect_err(line).reason, reason, "{line}");
        }
    }
}
