//! Dates as exports write them.

use events::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Reads a moment without a time zone: `2010-12-01 08:26:00`, with or without seconds, or `12/1/2010 8:26`
/// in the order month, day, year that the publisher's first export used.
pub(crate) fn read_civil(text: &str) -> Option<DateTime> {
    let text = text.trim();
    text.parse::<DateTime>()
        .ok()
        .or_else(|| DateTime::strptime("%Y-%m-%d %H:%M", text).ok())
        .or_else(|| DateTime::strptime("%m/%d/%Y %H:%M", text).ok())
}

/// Reads a moment: RFC 3339, seconds or milliseconds since 1970, or one without a zone in `timezone`.
pub(crate) fn read_timestamp(text: &str, timezone: &TimeZone) -> Option<Timestamp> {
    if let Ok(timestamp) = text.parse() {
        return Some(timestamp);
    }
    if let Ok(number) = text.parse::<i64>() {
        // Seconds reach this size in the year 5138; anything above is milliseconds.
        return if number.abs() < 100_000_000_000 {
            Timestamp::from_second(number).ok()
        } else {
            Timestamp::from_millisecond(number).ok()
        };
    }
    timezone.to_timestamp(read_civil(text)?).ok()
}

/// Reads Merchant Center's `2026-02-24T13:00-0800/2026-02-28T15:30-0800`; a bare day is its start, or its end.
pub(crate) fn read_period(text: &str) -> Option<(Timestamp, Timestamp)> {
    let (from, until) = text.split_once('/')?;
    let from = read_moment(from).or_else(|| read_timestamp(from.trim(), &TimeZone::UTC))?;
    let until = read_moment(until).or_else(|| {
        let day: jiff::civil::Date = until.trim().parse().ok()?;
        TimeZone::UTC
            .to_timestamp(
                day.tomorrow()
                    .ok()?
                    .to_datetime(jiff::civil::Time::midnight()),
            )
            .ok()
    })?;
    Some((from, until))
}

fn read_moment(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let strptime = |format: &str| Timestamp::strptime(format, text).ok();
    text.parse()
        .ok()
        .or_else(|| strptime("%Y-%m-%dT%H:%M%z"))
        .or_else(|| strptime("%Y-%m-%dT%H:%M:%S%z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_names_the_same_moment() {
        let wanted: Timestamp = "2010-12-01T08:26:00Z".parse().expect("valid");
        for text in [
            "2010-12-01T08:26:00Z",
            "2010-12-01 08:26:00",
            "2010-12-01 08:26",
            "12/1/2010 8:26",
            "1291191960",
            "1291191960000",
        ] {
            assert_eq!(read_timestamp(text, &TimeZone::UTC), Some(wanted), "{text}");
        }
        for text in ["", "yesterday", "2010-13-01 08:26:00", "99/99/2010 8:26"] {
            assert_eq!(read_timestamp(text, &TimeZone::UTC), None, "{text}");
        }
    }
}
