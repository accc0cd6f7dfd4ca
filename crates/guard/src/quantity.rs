//! The quantities of a text: prices, reductions, shares, offers, dates and counts, in English and Chinese.

mod date;
mod offer;
mod unit;

use std::ops::Range;

pub(crate) use date::Day;
use events::Money;
use unit::Unit;

use crate::normal::Normal;
use crate::number::{self, Number, Written};

/// A quantity that a text states.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Quantity {
    /// An amount of money, with its currency where the text says it.
    Money(f64, Option<&'static str>),
    /// An amount that the price does not exceed: `under $50`, 不到一百元.
    AtMost(f64),
    /// Money taken off a price.
    MoneyOff(f64),
    /// Percent taken off a price: `20% off`, 八折, `half price`.
    PercentOff(f64),
    /// Any other share in percent.
    Percent(f64),
    /// So many for the price of so many: `2 for 1`, 买二送一.
    Bundle {
        /// How many one gets.
        get: f64,
        /// How many one pays for.
        pay: f64,
    },
    /// A day of the calendar.
    Date(Day),
    /// A number of things, with its unit where it is known.
    Count(f64, Option<Unit>),
}

/// A quantity with the bytes of the reduced text that state it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stated {
    pub(crate) quantity: Quantity,
    pub(crate) range: Range<usize>,
}

impl Quantity {
    /// A price, with its currency where a text could name it.
    pub(crate) fn of_money(money: &Money) -> Self {
        let currency = ["CNY", "USD", "GBP", "EUR"]
            .into_iter()
            .find(|code| *code == money.currency.code());
        Self::Money(money.decimal(), currency)
    }

    /// Whether one statement bears out the other.
    pub(crate) fn agrees(&self, other: &Self) -> bool {
        let near = |a: f64, b: f64| (a - b).abs() < 0.005;
        match (self, other) {
            (Self::Money(a, in_a), Self::Money(b, in_b)) => {
                near(*a, *b) && (in_a.is_none() || in_b.is_none() || in_a == in_b)
            }
            (Self::PercentOff(a), Self::PercentOff(b) | Self::Percent(b))
            | (Self::Percent(a), Self::Percent(b))
            | (Self::MoneyOff(a), Self::MoneyOff(b) | Self::Money(b, _))
            // A number without a unit is borne out by any statement of it.
            | (Self::Count(a, None), Self::Money(b, _) | Self::Percent(b)) => near(*a, *b),
            (Self::Bundle { get, pay }, Self::Bundle { get: g, pay: p }) => {
                near(*get, *g) && near(*pay, *p)
            }
            (Self::AtMost(limit), Self::Money(price, _)) => *price > 0.0 && price <= limit,
            // 酒精度12.5度 is 12.5% vol.
            (Self::Count(a, Some(unit)), Self::Percent(b)) => unit.is_degrees() && near(*a, *b),
            (Self::Count(a, None), Self::Bundle { get, pay }) => {
                [*get, *pay, get - pay].iter().any(|count| near(*a, *count))
            }
            (Self::Date(a), Self::Date(b)) => a.agrees(*b),
            (Self::Count(a, in_a), Self::Count(b, in_b)) => match (in_a, in_b) {
                (Some(in_a), Some(in_b)) => {
                    near(in_a.base(*a), in_b.base(*b)) && in_a.kind() == in_b.kind()
                }
                _ => near(*a, *b),
            },
            _ => false,
        }
    }
}

/// The quantities of a text in reading order. `every` says whether small numbers in words are wanted as well: a text's own
/// `two of us` states nothing, but a fact that says `two` bears out a text that says 2.
pub(crate) fn stated(normal: &Normal, every: bool) -> Vec<Stated> {
    let text = normal.text.as_str();
    let mut found = offer::bundles(text);
    found.extend(offer::shares(text));
    found.extend(date::days(text));
    found.sort_by_key(|stated| stated.range.start);
    let special: Vec<Range<usize>> = found.iter().map(|stated| stated.range.clone()).collect();
    let mut special = special.into_iter().peekable();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        while special.next_if(|range| range.end <= at).is_some() {}
        if let Some(inside) = special.peek().filter(|range| range.contains(&at)) {
            at = inside.end;
            continue;
        }
        let before = text[..at].chars().next_back();
        let starts = !before.is_some_and(|before| before.is_ascii_alphanumeric());
        let number = if starts {
            number::at(&text[at..])
        } else {
            None
        };
        let Some(number) = number else {
            at += c.len_utf8();
            // Digits behind letters are a model's name: `v3`.
            if c.is_ascii_alphanumeric() {
                at += text[at..]
                    .bytes()
                    .take_while(u8::is_ascii_alphanumeric)
                    .count();
            }
            continue;
        };
        let end = at + number.len;
        if let Some(stated) = read(text, at, number, every) {
            at = stated.range.end.max(end);
            found.push(stated);
        } else {
            at = end;
        }
    }
    found.sort_by_key(|stated| stated.range.start);
    found
}

/// What a number at a place states, with the words around it.
fn read(text: &str, at: usize, number: Number, every: bool) -> Option<Stated> {
    let end = at + number.len;
    let (before, after) = (&text[..at], &text[end..]);
    let stated = |quantity, from, to| {
        Some(Stated {
            quantity,
            range: from..to,
        })
    };
    if let Some((percent, len)) = discount_zh(number, after) {
        return stated(Quantity::PercentOff(percent), at, end + len);
    }
    if let Some((currency, from, to)) = money(before, after) {
        let (from, to) = (at - from, end + to);
        let quantity = if is_reduction(&text[..from], &text[to..]) {
            Quantity::MoneyOff(number.value)
        } else if is_limit(&text[..from], &text[to..]) {
            Quantity::AtMost(number.value)
        } else {
            Quantity::Money(number.value, currency)
        };
        return stated(quantity, from, to);
    }
    let percent = ["%", " %", " percent", " per cent"]
        .iter()
        .find(|sign| after.starts_with(**sign))
        .map(|sign| sign.len());
    let hundredths = before.ends_with("百分之").then_some("百分之".len());
    if percent.is_some() || hundredths.is_some() {
        let (from, to) = (at - hundredths.unwrap_or(0), end + percent.unwrap_or(0));
        let quantity = if is_reduction(&text[..from], &text[to..]) {
            Quantity::PercentOff(number.value)
        } else {
            Quantity::Percent(number.value)
        };
        return stated(quantity, from, to);
    }
    let (unit, len) = unit::at(after);
    if is_idle(number, unit, before, after, every) {
        return None;
    }
    stated(Quantity::Count(number.value, unit), at, end + len)
}

/// Whether a number in words counts nothing: 一起, `one of`, 十分, 万能, 三餐 without a unit.
fn is_idle(number: Number, unit: Option<Unit>, before: &str, after: &str, every: bool) -> bool {
    match number.written {
        Written::Digits => {
            let ordinal = ["st ", "nd ", "rd ", "th "]
                .iter()
                .any(|end| after.starts_with(end));
            let always = before.ends_with("24/") || after.starts_with("/7");
            (ordinal || always) && !every
        }
        Written::Han => {
            // 一年 may be a warranty; 一天 and 一年四季 are a way to speak.
            let speaks = ["天", "日", "年四季", "年一度", "年之计"]
                .iter()
                .any(|word| after.starts_with(word));
            let once = number.is_one() && (speaks || !unit.is_some_and(Unit::is_time));
            let wanted = unit.is_some() && (every || !once);
            !wanted || before.ends_with('第') || before.ends_with("星期") || before.ends_with('周')
        }
        Written::Words => !every && number.is_one() && !unit.is_some_and(Unit::is_time),
    }
}

/// The percent that 八折, 7.5折 or 75折 takes off.
fn discount_zh(number: Number, after: &str) -> Option<(f64, usize)> {
    let rest = after.strip_prefix('折')?;
    if ["叠", "痕", "射", "腾", "边", "纸"]
        .iter()
        .any(|word| rest.starts_with(word))
    {
        return None;
    }
    let tenths = if number.value < 10.0 {
        number.value * 10.0
    } else {
        number.value
    };
    (tenths < 100.0).then_some((100.0 - tenths, '折'.len_utf8()))
}

/// The currency of an amount, and how many bytes of sign stand before and behind it.
fn money(before: &str, after: &str) -> Option<(Option<&'static str>, usize, usize)> {
    const SIGNS: [(&str, Option<&str>); 13] = [
        ("us$", Some("USD")),
        ("$", Some("USD")),
        ("£", Some("GBP")),
        ("€", Some("EUR")),
        ("¥", Some("CNY")),
        ("￥", Some("CNY")),
        ("rmb", Some("CNY")),
        ("cny", Some("CNY")),
        ("usd", Some("USD")),
        ("gbp", Some("GBP")),
        ("eur", Some("EUR")),
        ("₩", None),
        ("₹", None),
    ];
    const WORDS: [(&str, Option<&str>); 15] = [
        ("人民币", Some("CNY")),
        ("美元", Some("USD")),
        ("欧元", Some("EUR")),
        ("英镑", Some("GBP")),
        ("元", Some("CNY")),
        ("块钱", Some("CNY")),
        ("块", Some("CNY")),
        ("圆", Some("CNY")),
        ("dollar", Some("USD")),
        ("pound", Some("GBP")),
        ("euro", Some("EUR")),
        ("yuan", Some("CNY")),
        ("bucks", Some("USD")),
        ("quid", Some("GBP")),
        ("€", Some("EUR")),
    ];
    let trimmed = before.trim_end();
    let space = before.len() - trimmed.len();
    if let Some((sign, currency)) = SIGNS.iter().find(|(sign, _)| trimmed.ends_with(sign)) {
        return Some((*currency, sign.len() + space, 0));
    }
    let trimmed = after.trim_start_matches([' ', '-']);
    let space = after.len() - trimmed.len();
    let codes = SIGNS
        .iter()
        .filter(|(sign, _)| sign.is_ascii() && sign.len() == 3);
    let (word, currency) = WORDS
        .iter()
        .chain(codes)
        .find(|(word, _)| trimmed.starts_with(word))?;
    // `元` also begins 元素 and 元气, `块` counts cakes: 两块蛋糕.
    let rest = &trimmed[word.len()..];
    let other = ["素", "气", "旦", "宵", "年", "件", "蛋糕", "巧克力", "肥皂"];
    if !word.is_ascii() && other.iter().any(|word| rest.starts_with(word)) {
        return None;
    }
    let tail = rest.bytes().take_while(u8::is_ascii_lowercase).count();
    Some((*currency, 0, space + word.len() + tail.min(1)))
}

/// Whether the words around an amount make it one that a price stays below.
fn is_limit(before: &str, after: &str) -> bool {
    let before = before.trim_end();
    let after = after.trim_start();
    let words = [
        "under",
        "below",
        "less than",
        "within",
        "up to",
        "不到",
        "低于",
        "不超过",
        "没到",
        "少于",
    ];
    words.iter().any(|word| before.ends_with(word))
        || ["以内", "以下", "出头都不到", "or less", "and under"]
            .iter()
            .any(|word| after.starts_with(word))
}

/// Whether the words around an amount take it off a price.
fn is_reduction(before: &str, after: &str) -> bool {
    const BEFORE: [&str; 27] = [
        "saves",
        "you save",
        "省了",
        "便宜了",
        "降了",
        "减了",
        "少了",
        "save",
        "save up to",
        "saving",
        "savings of",
        "saving you",
        "off",
        "reduced by",
        "minus",
        "discount of",
        "省",
        "立省",
        "减",
        "立减",
        "直降",
        "便宜",
        "优惠",
        "已省",
        "可省",
        "降",
        "少",
    ];
    const AFTER: [&str; 6] = ["off", "discount", "less", "reduction", "cheaper", "优惠"];
    let before = before.trim_end();
    let after = after.trim_start_matches([' ', '-']);
    let ends = |word: &str| {
        let runs_on =
            |head: &str| word.is_ascii() && head.ends_with(|c: char| c.is_ascii_alphanumeric());
        before.strip_suffix(word).is_some_and(|head| !runs_on(head))
    };
    let begins = |word: &str| {
        let runs_on =
            |rest: &str| word.is_ascii() && rest.starts_with(|c: char| c.is_ascii_alphanumeric());
        after.strip_prefix(word).is_some_and(|rest| !runs_on(rest))
    };
    BEFORE.iter().any(|word| ends(word)) || AFTER.iter().any(|word| begins(word))
}

#[cfg(test)]
mod tests;
