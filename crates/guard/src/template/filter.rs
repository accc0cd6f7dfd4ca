//! The filters of the subset, which is also the list of what may change a value before it is shown.

use unicode_segmentation::UnicodeSegmentation as _;

use super::lexer::{Word, Words};
use super::parser::spelled;
use super::title_case::{capitalize, title_case};
use crate::value::thousands;
use crate::{GuardError, Value};

/// The filters, as an error message lists them.
const LIST: &str = "the filters are upcase, downcase, capitalize, title_case, truncate, truncate_words, money, \
                    number, date, plural, escape and default";

/// The specifiers that a date's format may use; the order is the reader's.
const DATE_SPECIFIERS: &str = "YmdeBbAa";

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Filter {
    Upcase,
    Downcase,
    Capitalize,
    TitleCase,
    Truncate(usize),
    TruncateWords(usize),
    Money,
    Number,
    Date(Option<String>),
    Plural(String, String),
    Escape,
    Default(String),
}

/// What passes from filter to filter.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Flow<'v> {
    /// The name has no value.
    Absent,
    /// The value as it is bound.
    Value(&'v Value),
    /// A text made of the value.
    Text(String),
    /// A text that stands in the template itself, from `plural` or `default`.
    Literal(&'v str),
    /// A text made of the value, to be written as HTML whatever the channel.
    Escaped(String),
}

impl Filter {
    /// Reads a filter with its arguments.
    pub(super) fn parse(words: &mut Words) -> Result<Self, GuardError> {
        let filter = match words.peek()? {
            Some(Word::Name(name)) => name,
            other => {
                return Err(words.fault(format!("{} is no filter", spelled(other)), LIST));
            }
        };
        let unknown = words.fault(format!("there is no filter `{filter}`"), LIST);
        words.next()?;
        match filter {
            "upcase" => Ok(Self::Upcase),
            "downcase" => Ok(Self::Downcase),
            "capitalize" => Ok(Self::Capitalize),
            "title_case" => Ok(Self::TitleCase),
            "money" => Ok(Self::Money),
            "number" => Ok(Self::Number),
            "escape" => Ok(Self::Escape),
            "truncate" => count(words).map(Self::Truncate),
            "truncate_words" => count(words).map(Self::TruncateWords),
            "date" => date_format(words).map(Self::Date),
            "default" => {
                expect(words, ":")?;
                text(words).map(Self::Default)
            }
            "plural" => {
                expect(words, ":")?;
                let one = text(words)?;
                expect(words, ",")?;
                Ok(Self::Plural(one, text(words)?))
            }
            _ => Err(unknown),
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Upcase => "upcase",
            Self::Downcase => "downcase",
            Self::Capitalize => "capitalize",
            Self::TitleCase => "title_case",
            Self::Truncate(_) => "truncate",
            Self::TruncateWords(_) => "truncate_words",
            Self::Money => "money",
            Self::Number => "number",
            Self::Date(_) => "date",
            Self::Plural(..) => "plural",
            Self::Escape => "escape",
            Self::Default(_) => "default",
        }
    }

    /// Applies the filter. Numbers, money and dates are never cut or recased: a part of a price is a false price.
    pub(super) fn apply<'v>(&'v self, flow: Flow<'v>, name: &str) -> Result<Flow<'v>, GuardError> {
        let wrong = |found, needs| {
            Err(GuardError::FilterInput {
                filter: self.name(),
                name: name.to_owned(),
                found,
                needs,
            })
        };
        match (self, flow) {
            (Self::Default(text), Flow::Absent) => Ok(Flow::Literal(text)),
            // What has a value needs no default, and what the template itself says stays as its author wrote it.
            (Self::Default(_), flow)
            | (_, flow @ (Flow::Absent | Flow::Literal(_) | Flow::Escaped(_))) => Ok(flow),
            (Self::Money, Flow::Value(value @ Value::Money(_)))
            | (Self::Number, Flow::Value(value @ (Value::Count(_) | Value::Number(_)))) => {
                Ok(Flow::Text(thousands(&value.shown())))
            }
            (Self::Date(format), Flow::Value(Value::Date(at))) => {
                let format = format.as_deref().unwrap_or("%Y-%m-%d");
                Ok(Flow::Text(at.strftime(format).to_string()))
            }
            (
                Self::Plural(one, many),
                Flow::Value(value @ (Value::Count(_) | Value::Number(_))),
            ) => {
                let is_one = value.number() == Some(1.0);
                Ok(Flow::Literal(if is_one { one } else { many }))
            }
            (Self::Escape, flow) => Ok(Flow::Escaped(flow.shown())),
            (Self::Money, flow) => wrong(flow.kind(), "an amount of money"),
            (Self::Number | Self::Plural(..), flow) => wrong(flow.kind(), "a count or a number"),
            (Self::Date(_), flow) => wrong(flow.kind(), "a date"),
            (
                _,
                Flow::Value(
                    value @ (Value::Number(_) | Value::Count(_) | Value::Money(_) | Value::Date(_)),
                ),
            ) => wrong(value.kind(), "a text"),
            (text_filter, flow) => Ok(Flow::Text(text_filter.recast(&flow.shown()))),
        }
    }

    fn recast(&self, text: &str) -> String {
        match self {
            Self::Upcase => text.to_uppercase(),
            Self::Downcase => text.to_lowercase(),
            Self::Capitalize => capitalize(text),
            Self::TitleCase => title_case(text),
            Self::Truncate(length) => truncate(text, *length),
            Self::TruncateWords(words) => truncate_words(text, *words),
            _ => text.to_owned(),
        }
    }
}

impl Flow<'_> {
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Absent => String::new(),
            Self::Value(value) => value.shown(),
            Self::Text(text) | Self::Escaped(text) => text.clone(),
            Self::Literal(text) => (*text).to_owned(),
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Value(value) => value.kind(),
            _ => "a text",
        }
    }
}

/// Cuts a text to at most `length` graphemes, the ellipsis included, but never inside a number.
fn truncate(text: &str, length: usize) -> String {
    if text.graphemes(true).nth(length).is_none() {
        return text.to_owned();
    }
    let ellipsis = ellipsis(text);
    let kept = length.saturating_sub(ellipsis.chars().count());
    let end = text
        .grapheme_indices(true)
        .nth(kept)
        .map_or(text.len(), |(at, _)| at);
    shorten(text, word_end(text, end), ellipsis)
}

/// Cuts a text after `words` words; a Chinese character counts as a word.
fn truncate_words(text: &str, words: usize) -> String {
    match text.unicode_word_indices().nth(words) {
        None => text.to_owned(),
        Some((end, _)) => shorten(text, end, ellipsis(text)),
    }
}

/// Three dots keep a text in the GSM alphabet; a Chinese text has left it anyway.
fn ellipsis(text: &str) -> &'static str {
    if text.is_ascii() { "..." } else { "…" }
}

fn shorten(text: &str, end: usize, ellipsis: &str) -> String {
    let (kept, cut) = text.split_at(end);
    let in_number = |c: char| c.is_numeric() || c == '.' || c == ',';
    let kept = if cut.starts_with(in_number) {
        kept.trim_end_matches(|c: char| in_number(c) || "£$€¥".contains(c))
    } else {
        kept
    };
    let kept = kept.trim_end_matches(|c: char| c.is_whitespace() || ",;:-–(&".contains(c));
    format!("{kept}{ellipsis}")
}

/// The end of the last whole word before `end`, where a word is cut there and more than half of the text remains.
fn word_end(text: &str, end: usize) -> usize {
    let (kept, cut) = text.split_at(end);
    let cuts_word = kept.ends_with(char::is_alphanumeric) && cut.starts_with(char::is_alphanumeric);
    match kept.rfind(char::is_whitespace) {
        Some(space) if cuts_word && space * 2 > end => space,
        _ => end,
    }
}

fn expect(words: &mut Words, sign: &str) -> Result<(), GuardError> {
    match words.peek()? {
        Some(Word::Sign(found)) if found == sign => words.next().map(|_| ()),
        other => Err(words.fault(
            format!("{} where `{sign}` is expected", spelled(other)),
            "write it as `truncate: 40` or `plural: \"piece\", \"pieces\"`",
        )),
    }
}

fn count(words: &mut Words) -> Result<usize, GuardError> {
    expect(words, ":")?;
    match words.peek()? {
        Some(Word::Number(number))
            if (1.0..=10_000.0).contains(&number) && number.fract() == 0.0 =>
        {
            words.next()?;
            Ok(number as usize)
        }
        other => Err(words.fault(
            format!("{} is no length", spelled(other)),
            "write a whole number from 1 to 10000",
        )),
    }
}

fn text(words: &mut Words) -> Result<String, GuardError> {
    match words.peek()? {
        Some(Word::Text(text)) => {
            words.next()?;
            Ok(text.to_owned())
        }
        other => Err(words.fault(
            format!("{} where a text is expected", spelled(other)),
            "write it in quotes",
        )),
    }
}

fn date_format(words: &mut Words) -> Result<Option<String>, GuardError> {
    if words.peek()? != Some(Word::Sign(":")) {
        return Ok(None);
    }
    words.next()?;
    let invalid = words.fault(
        "a date's format takes %Y %m %d %e %B %b %A %a, each perhaps with `-`, and no digits",
        "write it as \"%-d %B %Y\" or \"%Y年%-m月%-d日\"",
    );
    let format = text(words)?;
    let mut parts = format.split('%');
    let no_digit = |text: &str| !text.chars().any(char::is_numeric);
    let valid = parts.next().is_some_and(no_digit)
        && parts.all(|part| {
            let part = part.strip_prefix('-').unwrap_or(part);
            part.starts_with(|c| DATE_SPECIFIERS.contains(c)) && no_digit(part)
        });
    if valid {
        Ok(Some(format))
    } else {
        Err(invalid)
    }
}
