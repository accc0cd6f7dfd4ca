//! Numbers, days and names as the page shows them.
//!
//! They take references because that is how templates call them.

#![expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "templates pass references"
)]

use askama::Template;
use events::Currency;

/// Stands for a figure that is not a number.
const NOTHING: &str = "–";

/// How the figures of one report are written; it knows the currency.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Formats {
    /// The sign placed before an amount.
    pub(super) sign: String,
    /// Digits after the decimal point of an amount.
    digits: usize,
}

impl Formats {
    /// The formats of a report in the currency with this code; a code that is none is shown as it is.
    pub(super) fn new(currency: &str) -> Self {
        match Currency::parse(currency) {
            Ok(known) => Self {
                sign: known.sign(),
                digits: known.exponent() as usize,
            },
            Err(_) => Self {
                sign: currency.to_owned(),
                digits: 2,
            },
        }
    }

    /// An amount: `£2.95`, and without pence from a thousand on: `£12,408`.
    pub(super) fn money(&self, amount: &f64) -> String {
        let digits = if amount.abs() < 1000.0 {
            self.digits
        } else {
            0
        };
        let text = grouped(*amount, digits);
        match text.strip_prefix('−') {
            Some(size) => format!("−{}{size}", self.sign),
            None => format!("{}{text}", self.sign),
        }
    }
}

/// A count: `1,056,743`.
pub(super) fn count(value: &u64) -> String {
    group(&value.to_string())
}

/// A share of one: `12.3%`, with two digits below one per cent.
pub(super) fn percent(share: &f64) -> String {
    if !share.is_finite() {
        return NOTHING.to_owned();
    }
    let value = share * 100.0;
    let digits = match value.abs() {
        size if size == 0.0 || size >= 99.95 => 0,
        size if size < 1.0 => 2,
        _ => 1,
    };
    match format!("{}%", grouped(value, digits)) {
        text if text == "0.00%" => "<0.01%".to_owned(),
        text => text,
    }
}

/// The share of `part` in `whole`; nothing of nothing is none.
pub(super) fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

/// The same as a width in the style sheet's terms, at most all of it.
pub(super) fn width(part: f64, whole: f64) -> String {
    let share = if whole > 0.0 { part / whole } else { 0.0 };
    format!("{:.2}%", 100.0 * share.clamp(0.0, 1.0))
}

/// A metric or score with four decimals: `0.0842`.
pub(super) fn decimal(value: &f64) -> String {
    grouped(*value, 4)
}

/// The same with its sign: `+0.0842`.
pub(super) fn signed(value: &f64) -> String {
    with_plus(*value, decimal(value))
}

/// Puts a plus before the text of a positive value.
pub(super) fn with_plus(value: f64, text: String) -> String {
    let shows_zero = !text.contains(|c: char| ('1'..='9').contains(&c));
    if value > 0.0 && !shows_zero {
        format!("+{text}")
    } else {
        text
    }
}

/// A plain number of unknown size with about four significant digits: `80,995`, `3.25`, `0.0071`.
pub(super) fn number(value: &f64) -> String {
    let size = value.abs();
    let digits = match size {
        _ if size >= 1000.0 => 0,
        _ if size >= 100.0 => 1,
        _ if size >= 1.0 => 2,
        _ if size >= 0.01 || size == 0.0 => 3,
        // Three significant digits of what is small, down to a millionth of a millionth.
        _ => (2.0 - size.max(1e-12).log10().floor()) as usize,
    };
    let text = grouped(*value, digits);
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// The same with its sign: `+3.25`.
pub(super) fn signed_number(value: &f64) -> String {
    with_plus(*value, number(value))
}

/// A time span: `0.8 s`, `12 s`, `3 min 12 s`, `2 h 5 min`.
pub(super) fn seconds(value: &f64) -> String {
    let whole = value.round().max(0.0) as u64;
    match whole {
        _ if !value.is_finite() => NOTHING.to_owned(),
        0..=9 => format!("{} s", grouped(value.max(0.0), 1)),
        10..=119 => format!("{whole} s"),
        120..=7199 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

/// A stable name as words: `social_proof` becomes `Social proof`.
pub(super) fn words(name: &str) -> String {
    if name == "sms" {
        return "SMS".to_owned();
    }
    sentence(&name.replace(['_', '-'], " "))
}

/// The same for a feature of a score, whose products are written with a colon: `value:on_sale` becomes `Value × on sale`.
pub(super) fn feature(name: &str) -> String {
    let factors: Vec<&str> = name.split(':').map(str::trim).collect();
    words(&factors.join(" × "))
}

/// A text that stands alone begins with a capital: `because you bought …` becomes `Because you bought …`.
pub(super) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

/// The first characters of a pseudonym or id, enough to tell it from the others on the page.
pub(super) fn short(id: &str) -> String {
    const SHOWN: usize = 10;
    match id.char_indices().nth(SHOWN) {
        Some((cut, _)) if id.chars().count() > SHOWN + 2 => format!("{}…", &id[..cut]),
        _ => id.to_owned(),
    }
}

/// A sentence in which names stand between backticks, as they do in error messages.
#[derive(Debug, Template)]
#[template(
    ext = "html",
    source = "{% for (text, is_name) in parts %}{% if *is_name %}<code>{{ text }}</code>{% else %}{{ text }}{% endif %}{% endfor %}"
)]
pub(super) struct Prose<'a> {
    parts: Vec<(&'a str, bool)>,
}

/// Sets names between backticks apart; a backtick without a partner stays.
pub(super) fn prose(text: &str) -> Prose<'_> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, name, after)) = first_name(rest) {
        parts.extend([(before, false), (name, true)]);
        rest = after;
    }
    parts.push((rest, false));
    Prose { parts }
}

fn first_name(text: &str) -> Option<(&str, &str, &str)> {
    let (before, after) = text.split_once('`')?;
    let (name, after) = after.split_once('`')?;
    Some((before, name, after))
}

/// A day or month as people write it: `2010-12-01` becomes `1 Dec 2010`, `2010-12` becomes `Dec 2010`, and of an
/// instant the day and the minute are shown. A text of another form is shown as it is.
pub(super) fn day(text: &str) -> String {
    written_day(text).unwrap_or_else(|| text.to_owned())
}

fn written_day(text: &str) -> Option<String> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let (date, time) = text
        .split_once('T')
        .map_or((text, None), |(date, time)| (date, Some(time)));
    let mut parts = date.split('-');
    let year = parts.next().filter(|year| year.len() == 4)?;
    let month: usize = parts.next()?.parse().ok()?;
    let month = MONTHS.get(month.checked_sub(1)?)?;
    let written = match parts.next() {
        Some(day) => format!("{} {month} {year}", day.parse::<u8>().ok()?),
        None => format!("{month} {year}"),
    };
    Some(match time.and_then(|time| Some((time.get(..5)?, time))) {
        Some((minute, time)) if time.ends_with('Z') => format!("{written}, {minute} UTC"),
        Some((minute, _)) => format!("{written}, {minute}"),
        None => written,
    })
}

/// The number with `digits` decimals, its thousands grouped and a true minus sign.
fn grouped(value: f64, digits: usize) -> String {
    if !value.is_finite() {
        return NOTHING.to_owned();
    }
    let text = format!("{:.digits$}", value.abs());
    let zero = !text.contains(|c: char| ('1'..='9').contains(&c));
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let mut out = group(whole);
    if !fraction.is_empty() {
        out.push('.');
        out.push_str(fraction);
    }
    if value < 0.0 && !zero {
        out.insert(0, '−');
    }
    out
}

fn group(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_well() {
        let pounds = Formats::new("GBP");
        let cases = [
            (count(&1_056_743), "1,056,743"),
            (count(&999), "999"),
            (pounds.money(&2.95), "£2.95"),
            (pounds.money(&9_747_747.9), "£9,747,748"),
            (pounds.money(&-12.5), "−£12.50"),
            (Formats::new("JPY").money(&250.0), "¥250"),
            (Formats::new("beads").money(&1.0), "beads1.00"),
            (percent(&0.1234), "12.3%"),
            (percent(&0.00042), "0.04%"),
            (percent(&0.000_004), "<0.01%"),
            (percent(&1.0), "100%"),
            (percent(&0.0), "0%"),
            (percent(&f64::NAN), "–"),
            (decimal(&-0.00001), "0.0000"),
            (signed(&0.0123), "+0.0123"),
            (signed(&0.000_001), "0.0000"),
            (signed(&-0.5), "−0.5000"),
            (number(&80995.0), "80,995"),
            (number(&3.25), "3.25"),
            (number(&120.0), "120"),
            (number(&0.0), "0"),
            (number(&0.000_021_34), "0.0000213"),
            (feature("value:on_sale"), "Value × on sale"),
            (feature("taste"), "Taste"),
            (sentence("because"), "Because"),
            (sentence("因为"), "因为"),
            (seconds(&0.84), "0.8 s"),
            (seconds(&192.0), "3 min 12 s"),
            (seconds(&7500.0), "2 h 5 min"),
            (words("social_proof"), "Social proof"),
            (words("user-model"), "User model"),
            (words(""), ""),
            (short("p_0123456789abcdef"), "p_01234567…"),
            (short("536365"), "536365"),
            (day("2010-12-01"), "1 Dec 2010"),
            (day("2010-12"), "Dec 2010"),
            (day("2026-05-01T09:30:00Z"), "1 May 2026, 09:30 UTC"),
            (day("2010-13-01"), "2010-13-01"),
            (day("last week"), "last week"),
        ];
        for (found, expected) in cases {
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn names_between_backticks_are_set_apart() {
        let shown = |text| prose(text).to_string();
        assert_eq!(
            shown("code `<M>` is none"),
            "code <code>&#60;M&#62;</code> is none"
        );
        assert_eq!(shown("one ` alone"), "one ` alone");
        assert_eq!(shown(""), "");
    }

    #[test]
    fn a_share_of_nothing_is_none() {
        assert!(share(3, 0).abs() < f64::EPSILON);
        assert!((share(1, 4) - 0.25).abs() < f64::EPSILON);
    }
}
