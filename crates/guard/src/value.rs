use std::fmt::Write as _;

use events::{Money, Timestamp};

/// A value that a template's name stands for. It is shown, never parsed.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A text from the catalogue, a fact or the shopper's history.
    Text(String),
    /// A measured number.
    Number(f64),
    /// A count of things.
    Count(u64),
    /// An amount of money.
    Money(Money),
    /// A point in time, shown in UTC.
    Date(Timestamp),
}

impl Value {
    /// The kind of the value in words, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Number(_) => "a number",
            Self::Count(_) => "a count",
            Self::Money(_) => "an amount of money",
            Self::Date(_) => "a date",
        }
    }

    /// The value as it is shown without a filter: texts cleaned, numbers with at most two decimals,
    /// money with its sign, dates as `2026-05-01`.
    pub fn shown(&self) -> String {
        match self {
            Self::Text(text) => crate::escape::clean(text),
            Self::Number(number) => decimal(*number),
            Self::Count(count) => count.to_string(),
            Self::Money(money) => money.to_string(),
            Self::Date(at) => at.strftime("%Y-%m-%d").to_string(),
        }
    }

    /// The value as a number, for comparisons: money in major units, a text where it reads as one.
    pub(crate) fn number(&self) -> Option<f64> {
        match self {
            Self::Text(text) => text.trim().parse().ok().filter(|n: &f64| n.is_finite()),
            Self::Number(number) => Some(*number),
            Self::Count(count) => Some(*count as f64),
            Self::Money(money) => Some(money.decimal()),
            Self::Date(_) => None,
        }
    }

    /// Whether `{% if name %}` holds: unlike in Liquid, neither an empty text nor zero does, so that
    /// nobody reads "bought by 0 people".
    pub(crate) fn truthy(&self) -> bool {
        match self {
            Self::Text(text) => !text.trim().is_empty(),
            Self::Number(number) => *number != 0.0,
            Self::Count(count) => *count != 0,
            Self::Money(money) => money.minor != 0,
            Self::Date(_) => true,
        }
    }

    /// Whether there is anything to show: an empty text and a number that is not finite are no values.
    pub(crate) fn is_present(&self) -> bool {
        match self {
            Self::Text(text) => !text.trim().is_empty(),
            Self::Number(number) => number.is_finite(),
            Self::Count(_) | Self::Money(_) | Self::Date(_) => true,
        }
    }
}

/// Writes a number with at most two decimals and without trailing zeros.
fn decimal(number: f64) -> String {
    let mut text = format!("{number:.2}");
    let kept = text.trim_end_matches('0').trim_end_matches('.').len();
    text.truncate(kept);
    if text == "-0" { "0".to_owned() } else { text }
}

/// Puts a comma between each group of three digits of the integer part.
pub(crate) fn thousands(text: &str) -> String {
    let digits_at = text
        .find(|c: char| c.is_ascii_digit())
        .unwrap_or(text.len());
    let (prefix, number) = text.split_at(digits_at);
    let whole = number.find('.').unwrap_or(number.len());
    let mut out = String::with_capacity(text.len() + text.len() / 3);
    out.push_str(prefix);
    for (at, digit) in number[..whole].chars().enumerate() {
        if at > 0 && (whole - at) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    let _ = write!(out, "{}", &number[whole..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::Currency;

    #[test]
    fn values_are_shown_plainly() {
        let money = Value::Money(Money {
            minor: 123_450,
            currency: Currency::GBP,
        });
        let date = Value::Date("2026-05-01T09:30:00Z".parse().expect("valid"));
        for (value, shown) in [
            (Value::Text(" red \u{202e} mug\n".to_owned()), "red mug"),
            (Value::Number(4.5), "4.5"),
            (Value::Number(-0.001), "0"),
            (Value::Number(100.0), "100"),
            (Value::Count(12_000), "12000"),
            (money, "£1234.50"),
            (date, "2026-05-01"),
        ] {
            assert_eq!(value.shown(), shown);
        }
    }

    #[test]
    fn thousands_are_grouped_in_the_integer_part_only() {
        for (plain, grouped) in [
            ("999", "999"),
            ("1000", "1,000"),
            ("-£1234567.1234", "-£1,234,567.1234"),
            ("BHD 1000.500", "BHD 1,000.500"),
            ("", ""),
        ] {
            assert_eq!(thousands(plain), grouped);
        }
    }
}
