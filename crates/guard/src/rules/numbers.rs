//! Every number that a reader sees comes from a value.

use super::{Fault, Field, Message};
use crate::{Bound, Origin, Value};

/// Words that multiply a number before them, in the template's own text.
const MAGNITUDES: [&str; 15] = [
    "万", "千", "百", "亿", "萬", "億", "k", "m", "bn", "hundred", "thousand", "million",
    "billion", "dozen", "x",
];
/// Words that make a price of a number before them.
const CURRENCY_WORDS: [&str; 10] = [
    "元", "块", "圆", "yuan", "rmb", "pounds", "dollars", "euros", "gbp", "usd",
];
/// Signs that make a price of a number beside them.
const CURRENCY_SIGNS: [char; 6] = ['£', '$', '€', '¥', '￥', '₩'];
/// Chinese numerals that count when a measure word follows; 一 is left out, it is in 一起, 一个 and 一下.
const NUMERALS: &str = "两二三四五六七八九十百千万兩萬零〇贰叁肆伍陆柒捌玖拾佰仟";
/// Measure words of goods, money, people and time.
const MEASURES: &str = "件折倍元块塊人位款套份瓶杯只個个年月";

pub(super) fn check(message: &Message, field: &Field, findings: &mut Vec<Fault>) {
    let text = field.plain();
    let mut before: Option<(&str, Option<&Bound>)> = None;
    for (start, part, origin) in field.shown.parts() {
        let bound = message.bound(origin);
        if origin == Origin::Literal {
            if let Some(number) = free_number(field, start, part) {
                findings.push(Fault::new(
                    "numbers",
                    &number,
                    format!(
                        "the {} says `{number}` itself; bind it to a field or a fact",
                        field.name
                    ),
                ));
            }
            if let Some((_, Some(bound))) = before
                && let Some(magnitude) = multiplied(bound, part)
            {
                findings.push(Fault::new(
                    "numbers",
                    magnitude,
                    format!(
                        "`{magnitude}` behind `{}` changes the number; bind the whole",
                        bound.name
                    ),
                ));
            }
        }
        let touches = |previous: &str| {
            previous.ends_with(char::is_numeric) && part.starts_with(char::is_numeric)
        };
        if before.is_some_and(|(previous, _)| touches(previous)) || is_separator(part, text, start)
        {
            findings.push(Fault::new(
                "numbers",
                "joined",
                format!(
                    "the {} joins numbers into another one; put words between them",
                    field.name
                ),
            ));
        }
        before = Some((part, bound));
    }
}

/// The first number in a part of the template's own text that no approved sentence holds.
fn free_number(field: &Field, start: usize, part: &str) -> Option<String> {
    let approved = |at: usize, len: usize| field.is_approved(&(start + at..start + at + len));
    for (at, c) in part.char_indices() {
        let found = if c.is_ascii() {
            match c {
                '0'..='9' => number_at(&part[at..]),
                '$' => "$",
                _ => continue,
            }
        } else if c.is_numeric() {
            number_at(&part[at..])
        } else if CURRENCY_SIGNS.contains(&c) {
            &part[at..at + c.len_utf8()]
        } else if NUMERALS.contains(c) {
            let Some(measured) = measured_at(part, at) else {
                continue;
            };
            measured
        } else {
            continue;
        };
        if !approved(at, found.len()) {
            return Some(found.to_owned());
        }
    }
    None
}

/// A run of digits with the signs that belong to it.
fn number_at(text: &str) -> &str {
    let end = text
        .find(|c: char| !c.is_numeric() && !matches!(c, '.' | ',' | '%' | '％'))
        .unwrap_or(text.len());
    text[..end].trim_end_matches(['.', ','])
}

/// A Chinese numeral with its measure word, such as 三件; 十分 and 四季 are none.
fn measured_at(text: &str, at: usize) -> Option<&str> {
    let numerals = text[at..].find(|c| !NUMERALS.contains(c))?;
    let measure = text[at + numerals..].chars().next()?;
    MEASURES
        .contains(measure)
        .then(|| &text[at..at + numerals + measure.len_utf8()])
}

/// The word at the beginning of a part that multiplies the number before it, or makes a price of it.
fn multiplied(before: &Bound, part: &str) -> Option<&'static str> {
    let (is_number, is_money) = match before.value {
        Some(Value::Count(_) | Value::Number(_)) => (true, false),
        Some(Value::Money(_)) => (true, true),
        _ => (false, false),
    };
    let text = part.trim_start_matches([' ', '-']);
    let begins = |word: &&str| {
        let Some((head, rest)) = text.split_at_checked(word.len()) else {
            return false;
        };
        let runs_on = word.is_ascii() && rest.starts_with(|c: char| c.is_ascii_alphanumeric());
        head.eq_ignore_ascii_case(word) && !runs_on
    };
    let currencies = CURRENCY_WORDS.into_iter().filter(|_| !is_money);
    MAGNITUDES
        .into_iter()
        .chain(currencies)
        .filter(|_| is_number)
        .find(begins)
}

/// Whether a part is a point or comma between two digits: `{{ a }}.{{ b }}` would read as one number.
fn is_separator(part: &str, text: &str, start: usize) -> bool {
    matches!(part, "." | "," | "/" | ":" | "．")
        && text[..start].ends_with(char::is_numeric)
        && text[start + part.len()..].starts_with(char::is_numeric)
}
