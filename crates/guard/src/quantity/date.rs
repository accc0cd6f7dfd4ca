//! Days of the calendar: 11月30日, `30 November`, `Nov 30th`, `2026-11-30`.

use events::Timestamp;

use super::{Quantity, Stated};
use crate::number;

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// A day, with its year where it is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Day {
    pub(crate) year: Option<u16>,
    pub(crate) month: u8,
    pub(crate) of_month: u8,
}

impl Day {
    /// The day of a moment, in UTC shifted by some hours.
    pub(crate) fn of(at: Timestamp, hours_east: i64) -> Option<Self> {
        let shifted = Timestamp::from_second(at.as_second() + hours_east * 3600).ok()?;
        let text = shifted.strftime("%Y-%m-%d").to_string();
        days(&text)
            .into_iter()
            .find_map(|stated| match stated.quantity {
                Quantity::Date(day) => Some(day),
                _ => None,
            })
    }

    pub(super) fn agrees(self, other: Self) -> bool {
        let same_year = self.year.is_none() || other.year.is_none() || self.year == other.year;
        same_year && (self.month, self.of_month) == (other.month, other.of_month)
    }
}

/// Every day that a text names.
pub(super) fn days(text: &str) -> Vec<Stated> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices('月') {
        found.extend(chinese(text, at));
    }
    for (at, _) in text.match_indices('-') {
        found.extend(numeric(text, at));
    }
    let mut at = 0;
    for word in text.split(|c: char| !c.is_ascii_alphabetic()) {
        if word.len() >= 3
            && let Some(month) = MONTHS.iter().position(|month| is_month(word, month))
        {
            found.extend(english(text, at, at + word.len(), month as u8 + 1));
        }
        // Separators may take more than one byte; find the next word from here.
        at += word.len();
        at += text[at..].chars().next().map_or(0, char::len_utf8);
    }
    found
}

fn is_month(word: &str, month: &str) -> bool {
    word == month
        || word.len() == 3 && month.starts_with(word)
        || word == "sept" && month == "september"
}

fn stated(
    year: Option<f64>,
    month: f64,
    day: f64,
    range: std::ops::Range<usize>,
) -> Option<Stated> {
    let fits = (1.0..=12.0).contains(&month) && (1.0..=31.0).contains(&day);
    fits.then_some(Stated {
        quantity: Quantity::Date(Day {
            year: year.map(|year| year as u16),
            month: month as u8,
            of_month: day as u8,
        }),
        range,
    })
}

/// 11月30日 and 2026年11月30号, around the 月.
fn chinese(text: &str, at: usize) -> Option<Stated> {
    let len = number::length_before(&text[..at])?;
    let month = number::at(&text[at - len..])?.value;
    let behind = at + '月'.len_utf8();
    let day = number::at(&text[behind..])?;
    let mut end = behind + day.len;
    let sign = ["日", "号"]
        .iter()
        .find(|sign| text[end..].starts_with(**sign))?;
    end += sign.len();
    let mut from = at - len;
    let year = text[..from].strip_suffix('年').and_then(|head| {
        let len = number::length_before(head)?;
        from = head.len() - len;
        Some(number::at(&head[head.len() - len..])?.value)
    });
    stated(year, month, day.value, from..end)
}

/// 2026-11-30, around its first hyphen.
fn numeric(text: &str, at: usize) -> Option<Stated> {
    let part = |from: usize, len: usize| {
        let part = text.get(from..from + len)?;
        part.bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| part.parse().ok())?
    };
    let from = at.checked_sub(4)?;
    let (year, month, day): (f64, f64, f64) = (part(from, 4)?, part(at + 1, 2)?, part(at + 4, 2)?);
    (text.get(at + 3..at + 4) == Some("-"))
        .then(|| stated(Some(year), month, day, from..at + 6))
        .flatten()
}

/// `30 November 2026`, `30th of Nov`, `November 30th, 2026`, around the month.
fn english(text: &str, from: usize, to: usize, month: u8) -> Option<Stated> {
    let ordinal = |rest: &str| {
        ["st", "nd", "rd", "th"]
            .iter()
            .any(|end| rest.starts_with(end))
    };
    let before = text[..from].trim_end();
    let before = before.strip_suffix("of").map_or(before, str::trim_end);
    let head = if ["st", "nd", "rd", "th"]
        .iter()
        .any(|end| before.ends_with(end))
    {
        &before[..before.len() - 2]
    } else {
        before
    };
    let digits = head.bytes().rev().take_while(u8::is_ascii_digit).count();
    let year_at = |at: usize| {
        let rest = text[at..].trim_start_matches([' ', ',']);
        let year = rest.bytes().take_while(u8::is_ascii_digit).count() == 4;
        year.then(|| (rest[..4].parse::<f64>().ok(), text.len() - rest.len() + 4))
    };
    if (1..=2).contains(&digits) {
        let begin = head.len() - digits;
        let (year, end) = year_at(to).unwrap_or((None, to));
        return stated(
            year,
            f64::from(month),
            head[begin..].parse().ok()?,
            begin..end,
        );
    }
    let rest = text[to..].trim_start_matches([' ', '.']);
    let begin = text.len() - rest.len();
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    if !(1..=2).contains(&digits) {
        return None;
    }
    let end = begin + digits + if ordinal(&rest[digits..]) { 2 } else { 0 };
    let (year, end) = year_at(end).unwrap_or((None, end));
    stated(
        year,
        f64::from(month),
        rest[..digits].parse().ok()?,
        from..end,
    )
}
