//! Numbers in a reduced text: digits, Chinese numerals and English words.

/// The longest number that is read, in bytes.
pub(crate) const MAX_BYTES: usize = 48;

/// English words of numbers; `a` and `one` alone count nothing.
const WORDS: [(&str, f64); 32] = [
    ("one", 1.0),
    ("two", 2.0),
    ("three", 3.0),
    ("four", 4.0),
    ("five", 5.0),
    ("six", 6.0),
    ("seven", 7.0),
    ("eight", 8.0),
    ("nine", 9.0),
    ("ten", 10.0),
    ("eleven", 11.0),
    ("twelve", 12.0),
    ("thirteen", 13.0),
    ("fourteen", 14.0),
    ("fifteen", 15.0),
    ("sixteen", 16.0),
    ("seventeen", 17.0),
    ("eighteen", 18.0),
    ("nineteen", 19.0),
    ("twenty", 20.0),
    ("thirty", 30.0),
    ("forty", 40.0),
    ("fifty", 50.0),
    ("sixty", 60.0),
    ("seventy", 70.0),
    ("eighty", 80.0),
    ("ninety", 90.0),
    ("hundred", 100.0),
    ("thousand", 1e3),
    ("million", 1e6),
    ("billion", 1e9),
    ("dozen", 12.0),
];

/// A number that was read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Number {
    pub(crate) value: f64,
    /// Its bytes in the text.
    pub(crate) len: usize,
    pub(crate) written: Written,
}

impl Number {
    pub(crate) fn is_one(self) -> bool {
        (self.value - 1.0).abs() < f64::EPSILON
    }
}

/// How a number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    Digits,
    Han,
    Words,
}

/// The number with which a text begins.
pub(crate) fn at(text: &str) -> Option<Number> {
    let first = text.chars().next()?;
    if first.is_ascii_digit() {
        return Some(digits(text));
    }
    if han_value(first).is_some() {
        return han(text);
    }
    first.is_ascii_alphabetic().then(|| words(text)).flatten()
}

/// The bytes of the number with which a text begins.
pub(crate) fn length_at(text: &str) -> Option<usize> {
    at(text).map(|number| number.len)
}

/// The bytes of the number with which a text ends.
pub(crate) fn length_before(text: &str) -> Option<usize> {
    let last = text.chars().next_back()?;
    if last.is_ascii_digit() {
        let from = text
            .rfind(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | ','))
            .map_or(0, |at| {
                at + text[at..].chars().next().map_or(0, char::len_utf8)
            });
        let skipped = text[from..].find(|c: char| c.is_ascii_digit())?;
        return Some((text.len() - from - skipped).min(MAX_BYTES));
    }
    if han_value(last).is_some() {
        let chars = text.chars().rev().take_while(|c| han_value(*c).is_some());
        return Some(chars.take(MAX_BYTES / 4).map(char::len_utf8).sum());
    }
    let (mut from, mut end) = (None, text.len());
    loop {
        let word = text[..end]
            .rfind(|c: char| !c.is_ascii_alphabetic())
            .map_or(0, |at| {
                at + text[at..].chars().next().map_or(0, char::len_utf8)
            });
        if word_value(&text[word..end]).is_none() || text.len() - word > MAX_BYTES {
            break;
        }
        from = Some(word);
        match text[..word].chars().next_back() {
            Some(' ' | '-') => end = word - 1,
            _ => break,
        }
    }
    from.map(|from| text.len() - from)
}

fn digits(text: &str) -> Number {
    let bytes = text.as_bytes();
    let mut end = 0;
    let mut plain = String::new();
    while end < bytes.len() && end < MAX_BYTES {
        let follows = bytes.get(end + 1).is_some_and(u8::is_ascii_digit);
        match bytes[end] {
            digit @ b'0'..=b'9' => plain.push(char::from(digit)),
            b'.' if follows && !plain.contains('.') => plain.push('.'),
            // A comma belongs to a number only before three digits.
            b',' if follows && is_group(&bytes[end + 1..]) => {}
            _ => break,
        }
        end += 1;
    }
    let mut value = plain.parse().unwrap_or(f64::INFINITY);
    let mut len = end;
    let rest = &text[end..];
    for (unit, factor) in [("万", 1e4), ("亿", 1e8), ("千", 1e3), ("百", 1e2)] {
        if rest.starts_with(unit) {
            value *= factor;
            len += unit.len();
        }
    }
    for (unit, factor) in [
        (" thousand", 1e3),
        (" million", 1e6),
        (" billion", 1e9),
        ("k", 1e3),
    ] {
        let ends = |rest: &str| !rest.starts_with(|c: char| c.is_ascii_alphanumeric());
        if rest.strip_prefix(unit).is_some_and(ends) {
            value *= factor;
            len += unit.len();
        }
    }
    Number {
        value,
        len,
        written: Written::Digits,
    }
}

fn is_group(bytes: &[u8]) -> bool {
    let digits = bytes
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    digits == 3
}

/// A Chinese numeral as its value and whether it multiplies what stands before it.
fn han_value(c: char) -> Option<(f64, bool)> {
    Some(match c {
        '零' | '〇' => (0.0, false),
        '一' | '壹' => (1.0, false),
        '二' | '两' | '贰' => (2.0, false),
        '三' | '叁' => (3.0, false),
        '四' | '肆' => (4.0, false),
        '五' | '伍' => (5.0, false),
        '六' | '陆' => (6.0, false),
        '七' | '柒' => (7.0, false),
        '八' | '捌' => (8.0, false),
        '九' | '玖' => (9.0, false),
        '十' | '拾' => (10.0, true),
        '百' | '佰' => (1e2, true),
        '千' | '仟' => (1e3, true),
        '万' => (1e4, true),
        '亿' => (1e8, true),
        _ => return None,
    })
}

fn han(text: &str) -> Option<Number> {
    let numerals: Vec<(f64, bool)> = text
        .chars()
        .map_while(han_value)
        .take(MAX_BYTES / 3)
        .collect();
    let len = numerals.len() * '一'.len_utf8();
    let places = numerals.iter().any(|(_, multiplies)| *multiplies);
    let mut value = 0.0_f64;
    if places {
        // 一千二百三十四万五千: sections below 万 and 亿, each a sum of numerals times places.
        let (mut section, mut numeral) = (0.0_f64, None);
        for &(unit, multiplies) in &numerals {
            if !multiplies {
                numeral = Some(unit);
            } else if unit >= 1e4 {
                section += numeral.take().unwrap_or(0.0);
                value = if section == 0.0 {
                    value.max(1.0)
                } else {
                    value + section
                } * unit;
                section = 0.0;
            } else {
                section += numeral.take().unwrap_or(1.0) * unit;
            }
        }
        value += section + numeral.unwrap_or(0.0);
    } else {
        // 二〇二六, 七五: one digit after another.
        for &(unit, _) in &numerals {
            value = value * 10.0 + unit;
        }
    }
    (len > 0).then_some(Number {
        value,
        len,
        written: Written::Han,
    })
}

fn word_value(word: &str) -> Option<f64> {
    if !(3..=9).contains(&word.len())
        || !word.starts_with(['o', 't', 'f', 's', 'e', 'n', 'h', 'm', 'b', 'd'])
    {
        return None;
    }
    let singular = |word: &str| {
        WORDS
            .iter()
            .find(|(name, _)| *name == word)
            .map(|(_, value)| *value)
    };
    singular(word).or_else(|| {
        let plural = word.strip_suffix('s')?;
        singular(plural).filter(|value| *value >= 12.0 && (*value >= 100.0 || plural == "dozen"))
    })
}

fn words(text: &str) -> Option<Number> {
    let (mut total, mut current, mut len, mut at) = (0.0_f64, 0.0_f64, 0, 0);
    while at < text.len() && at < MAX_BYTES {
        let end = text[at..]
            .find(|c: char| !c.is_ascii_alphabetic())
            .map_or(text.len(), |end| at + end);
        let word = &text[at..end];
        match word_value(word) {
            Some(unit) if word.starts_with("dozen") || word.starts_with("hundred") => {
                current = f64::max(current, 1.0) * unit;
            }
            Some(unit) if unit > 100.0 => {
                total += f64::max(current, 1.0) * unit;
                current = 0.0;
            }
            Some(unit) => current += unit,
            None if word == "and" && len > 0 && current % 100.0 == 0.0 && current > 0.0 => {
                // `one hundred and five`; `ten and more` ends before the `and`.
            }
            None => break,
        }
        if word != "and" {
            len = end;
        }
        match text[end..].chars().next() {
            Some(' ' | '-') => at = end + 1,
            _ => break,
        }
    }
    (len > 0).then_some(Number {
        value: total + current,
        len,
        written: Written::Words,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_every_writing() {
        for (text, value, len) in [
            ("20% off", 20.0, 2),
            ("1,299.50 each", 1299.5, 8),
            ("3, 4", 3.0, 1),
            ("3.", 3.0, 1),
            ("1,2", 1.0, 1),
            ("3万人", 3e4, 4),
            ("1.5 million", 1.5e6, 11),
            ("10k", 1e4, 3),
            ("10km", 10.0, 2),
            ("八折", 8.0, 3),
            ("七五折", 75.0, 6),
            ("一百二十九元", 129.0, 15),
            ("十二", 12.0, 6),
            ("三千", 3000.0, 6),
            ("一万二千", 12000.0, 12),
            ("二〇二六年", 2026.0, 12),
            ("万能", 1e4, 3),
            ("two pairs", 2.0, 3),
            ("twenty-five years", 25.0, 11),
            ("one hundred and five", 105.0, 20),
            ("two thousand six hundred", 2600.0, 24),
            ("ten and more", 10.0, 3),
            ("thousands of", 1000.0, 9),
        ] {
            let number = at(text).expect(text);
            assert_eq!((number.value, number.len), (value, len), "{text}");
        }
        for text in ["mug", "often", "% off", "", "杯"] {
            assert_eq!(at(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_are_found_from_behind() {
        for (text, len) in [
            ("only 20", Some(2)),
            ("仅剩三十", Some(6)),
            ("the last five", Some(4)),
            ("1,299.50", Some(8)),
            ("only twenty-five", Some(11)),
            ("often", None),
            ("", None),
        ] {
            assert_eq!(length_before(text), len, "{text}");
        }
    }
}
