//! Delimited records: where one ends, its fields, and fields written as a record.
//!
//! A quote counts only at the start of a field, as in RFC 4180; elsewhere it is a character like any other, so that
//! an inch mark (`15" CAKE STAND`) in a tab-separated feed swallows nothing.

use std::borrow::Cow;

/// Whether a record goes on behind a line break, since a quoted field is still open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quotes {
    delimiter: u8,
    place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Start,
    Plain,
    Quoted,
    /// Behind a quote within a quoted field: the field's end, or the first half of a doubled quote.
    Quote,
}

impl Quotes {
    pub(crate) fn new(delimiter: u8) -> Self {
        Self {
            delimiter,
            place: Place::Start,
        }
    }

    /// Reads on through `line`; says whether a quoted field is open at its end.
    pub(crate) fn open_after(&mut self, line: &[u8]) -> bool {
        if self.place != Place::Quoted && !line.contains(&b'"') {
            return false;
        }
        for &byte in line {
            self.place = match (self.place, byte) {
                (Place::Quoted, b'"') => Place::Quote,
                (Place::Quoted, _) | (Place::Start | Place::Quote, b'"') => Place::Quoted,
                (_, byte) if byte == self.delimiter => Place::Start,
                _ => Place::Plain,
            };
        }
        self.place == Place::Quoted
    }
}

/// Splits one delimited record into its fields.
pub(crate) fn split_fields(text: &str, delimiter: u8) -> Vec<Cow<'_, str>> {
    let delimiter = char::from(delimiter);
    if !text.contains('"') {
        return text.split(delimiter).map(Cow::Borrowed).collect();
    }
    let mut fields = Vec::with_capacity(16);
    let mut rest = text;
    loop {
        let (field, behind) = match rest.strip_prefix('"') {
            Some(quoted) => take_quoted(quoted, delimiter),
            None => match rest.split_once(delimiter) {
                Some((field, behind)) => (Cow::Borrowed(field), Some(behind)),
                None => (Cow::Borrowed(rest), None),
            },
        };
        fields.push(field);
        match behind {
            Some(behind) => rest = behind,
            None => return fields,
        }
    }
}

/// The field behind an opening quote and what follows its delimiter.
fn take_quoted(quoted: &str, delimiter: char) -> (Cow<'_, str>, Option<&str>) {
    let mut field = Cow::Borrowed("");
    let mut rest = quoted;
    let tail = loop {
        let Some((inside, behind)) = rest.split_once('"') else {
            append(&mut field, rest);
            return (field, None);
        };
        append(&mut field, inside);
        match behind.strip_prefix('"') {
            Some(doubled) => {
                append(&mut field, "\"");
                rest = doubled;
            }
            None => break behind,
        }
    };
    let (stray, behind) = match tail.split_once(delimiter) {
        Some((stray, behind)) => (stray, Some(behind)),
        None => (tail, None),
    };
    append(&mut field, stray);
    (field, behind)
}

fn append<'a>(field: &mut Cow<'a, str>, more: &'a str) {
    if field.is_empty() {
        *field = Cow::Borrowed(more);
    } else if !more.is_empty() {
        field.to_mut().push_str(more);
    }
}

/// Writes fields as one comma-separated record, for sources that are not text.
pub(crate) fn join_fields<'a>(fields: impl Iterator<Item = &'a str>) -> String {
    let mut joined = String::new();
    for (index, field) in fields.enumerate() {
        if index > 0 {
            joined.push(',');
        }
        if field.contains(['"', ',', '\n', '\r']) {
            joined.push('"');
            joined.push_str(&field.replace('"', "\"\""));
            joined.push('"');
        } else {
            joined.push_str(field);
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_split_as_the_standard_says() {
        for (text, fields) in [
            ("", vec![""]),
            ("a,b,", vec!["a", "b", ""]),
            ("\"a,b\",c", vec!["a,b", "c"]),
            ("\"say \"\"hi\"\"\",\"\"", vec!["say \"hi\"", ""]),
            ("15\" STAND,x", vec!["15\" STAND", "x"]),
            ("\"a\"b,c", vec!["ab", "c"]),
            ("\"never closed,c", vec!["never closed,c"]),
            ("\"x\ny\",z", vec!["x\ny", "z"]),
        ] {
            assert_eq!(split_fields(text, b','), fields, "{text}");
        }
    }

    #[test]
    fn joined_fields_split_again() {
        let fields = ["plain", "a,b", "say \"hi\"", "", "两行\n字"];
        assert_eq!(split_fields(&join_fields(fields.into_iter()), b','), fields);
    }

    #[test]
    fn only_a_quote_at_the_start_of_a_field_opens_it() {
        for (line, open) in [
            ("a,\"b", true),
            ("a,\"b\"", false),
            ("a,\"b\"\"", true),
            ("a,15\" stand", false),
            ("\"a\",\"b\",\"", true),
        ] {
            assert_eq!(
                Quotes::new(b',').open_after(line.as_bytes()),
                open,
                "{line}"
            );
        }
        let mut quotes = Quotes::new(b',');
        assert!(quotes.open_after(b"1,\"x\n"));
        assert!(quotes.open_after(b"no quote here, none\n"));
        assert!(!quotes.open_after(b"y\",2\n"));
    }
}
