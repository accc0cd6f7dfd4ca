//! The cut dates: as configured, or counted back from the end of the log.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use recommender::TimeSplit;

use crate::config::Config;
use crate::error::{EngineError, Result};
use crate::store::LogSummary;

const WEEK_S: i64 = 7 * 86_400;
/// Weeks of the test window, and of the validation window before it, in a log that is long enough.
const TEST_WEEKS: i64 = 10;
const VALIDATION_WEEKS: i64 = 9;
/// Share of a shorter log that each of the two windows takes.
const SHORT_LOG_SHARE: i64 = 8;

/// The cut dates of a log under a configuration.
///
/// # Errors
/// [`EngineError::Config`] for a date that is malformed or outside the log.
pub fn cut_dates(config: &Config, log: &LogSummary) -> Result<TimeSplit> {
    // The end is exclusive, and the last event belongs to the test window.
    let end_s = log.last_ms.div_euclid(1000) + 1;
    let start_s = log.first_ms.div_euclid(1000);
    let span_s = end_s - start_s;
    let window = |weeks: i64| (weeks * WEEK_S).min(span_s / SHORT_LOG_SHARE);
    let evaluation = &config.evaluation;
    let test_start_s = read_date(config, "evaluation.test_start", &evaluation.test_start)?
        .unwrap_or(end_s - window(TEST_WEEKS));
    let validation_start_s = read_date(
        config,
        "evaluation.validation_start",
        &evaluation.validation_start,
    )?
    .unwrap_or(test_start_s - window(VALIDATION_WEEKS));
    let split = TimeSplit {
        validation_start_s,
        test_start_s,
        end_s,
    };
    split.check().map_err(|error| EngineError::NotReady {
        missing: format!("the log cannot be split by time: {error}"),
        remedy: "set evaluation.validation_start and evaluation.test_start to dates within the log"
            .to_owned(),
    })?;
    Ok(split)
}

/// Midnight of a configured date in the shop's time zone; nothing for `auto`.
fn read_date(config: &Config, key: &str, text: &str) -> Result<Option<i64>> {
    if text == "auto" {
        return Ok(None);
    }
    let fault = |problem: String| EngineError::NotReady {
        missing: format!("`{key}` is `{text}`: {problem}"),
        remedy: "write it as YYYY-MM-DD, or auto".to_owned(),
    };
    let date: Date = text
        .parse()
        .map_err(|error: jiff::Error| fault(error.to_string()))?;
    let zone = TimeZone::get(&config.shop.timezone).unwrap_or(TimeZone::UTC);
    let midnight = zone
        .to_timestamp(date.at(0, 0, 0, 0))
        .map_err(|error| fault(error.to_string()))?;
    Ok(Some(midnight.as_second()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(days: i64) -> LogSummary {
        LogSummary {
            events: 1,
            last_position: 1,
            first_ms: 0,
            last_ms: days * 86_400_000,
        }
    }

    #[test]
    fn windows_are_counted_back_from_the_end() {
        let split = cut_dates(&Config::default(), &log(700)).expect("splits");
        assert_eq!(split.end_s, 700 * 86_400 + 1);
        assert_eq!(split.end_s - split.test_start_s, 10 * WEEK_S);
        assert_eq!(split.test_start_s - split.validation_start_s, 9 * WEEK_S);
        // A month leaves an eighth to each window.
        let split = cut_dates(&Config::default(), &log(32)).expect("splits");
        assert_eq!(split.end_s - split.test_start_s, 4 * 86_400);
    }

    #[test]
    fn dates_are_read_in_the_time_zone_of_the_shop() {
        let mut config = Config::default();
        config.evaluation.validation_start = "1970-06-01".to_owned();
        config.evaluation.test_start = "1970-08-01".to_owned();
        let split = cut_dates(&config, &log(365)).expect("splits");
        // London kept summer time all the year in 1970.
        assert_eq!(split.test_start_s, 212 * 86_400 - 3_600);
        config.evaluation.test_start = "soon".to_owned();
        let message = cut_dates(&config, &log(365)).expect_err("bad").to_string();
        assert!(
            message.starts_with("`evaluation.test_start` is `soon`"),
            "{message}"
        );
        config.evaluation.test_start = "1970-05-01".to_owned();
        let message = cut_dates(&config, &log(365)).expect_err("bad").to_string();
        assert!(
            message.starts_with("the log cannot be split by time"),
            "{message}"
        );
    }
}
