//! Local time of the two places where the shoppers live, from rules and not from the machine's zone files.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Seconds of a day.
pub(crate) const DAY: i64 = 86_400;

/// Where a shopper lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Zone {
    London,
    Shanghai,
}

impl Zone {
    /// The IANA name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::London => "Europe/London",
            Self::Shanghai => "Asia/Shanghai",
        }
    }
}

/// The rules of both zones.
#[derive(Debug, Clone)]
pub(crate) struct Calendar {
    london: TimeZone,
    shanghai: TimeZone,
}

impl Calendar {
    pub(crate) fn new() -> Self {
        let rule = |rule| TimeZone::posix(rule).expect("invariant: a valid POSIX rule");
        Self {
            london: rule("GMT0BST,M3.5.0/1,M10.5.0"),
            shanghai: rule("CST-8"),
        }
    }

    /// What the clock on the wall shows.
    pub(crate) fn local(&self, zone: Zone, unix: i64) -> DateTime {
        self.zone(zone).to_datetime(timestamp(unix))
    }

    /// The hour of the day as a fraction, 0 to 24.
    pub(crate) fn hour(&self, zone: Zone, unix: i64) -> f64 {
        let local = self.local(zone, unix);
        f64::from(local.hour()) + f64::from(local.minute()) / 60.0
    }

    /// Moves `unix` within its local day to the given hour.
    pub(crate) fn at_hour(&self, zone: Zone, unix: i64, hour: f64) -> i64 {
        let offset = i64::from(self.zone(zone).to_offset(timestamp(unix)).seconds());
        let midnight = (unix + offset).div_euclid(DAY) * DAY - offset;
        midnight + (hour * 3600.0) as i64
    }

    fn zone(&self, zone: Zone) -> &TimeZone {
        match zone {
            Zone::London => &self.london,
            Zone::Shanghai => &self.shanghai,
        }
    }
}

/// A count of seconds since 1970 as a timestamp; out of range becomes the nearest one.
pub(crate) fn timestamp(unix: i64) -> Timestamp {
    Timestamp::from_second(unix).unwrap_or(if unix < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unix(text: &str) -> i64 {
        text.parse::<Timestamp>().expect("valid").as_second()
    }

    #[test]
    fn summer_time_is_kept_in_london_and_not_in_shanghai() {
        let calendar = Calendar::new();
        for (zone, at, hour) in [
            (Zone::London, "2026-01-15T12:30:00Z", 12.5),
            (Zone::London, "2026-03-29T00:59:00Z", 59.0 / 60.0),
            (Zone::London, "2026-03-29T01:00:00Z", 2.0),
            (Zone::London, "2026-07-15T12:30:00Z", 13.5),
            (Zone::London, "2026-10-25T01:00:00Z", 1.0),
            (Zone::Shanghai, "2026-07-15T12:30:00Z", 20.5),
            (Zone::Shanghai, "2026-01-15T18:00:00Z", 2.0),
        ] {
            assert!(
                (calendar.hour(zone, unix(at)) - hour).abs() < 1e-9,
                "{zone:?} {at}"
            );
        }
    }

    #[test]
    fn an_hour_is_set_on_the_local_day() {
        let calendar = Calendar::new();
        let moved = calendar.at_hour(Zone::Shanghai, unix("2026-07-15T17:00:00Z"), 9.5);
        assert_eq!(moved, unix("2026-07-16T01:30:00Z"));
    }
}
