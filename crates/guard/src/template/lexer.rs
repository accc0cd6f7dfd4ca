//! Cuts a template into literals, outputs and tags, and reads the words inside them.

use crate::GuardError;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Piece<'s> {
    Literal(&'s str),
    Output(&'s str),
    Tag(&'s str),
}

/// Builds the error for a fault at a byte offset.
pub(super) fn fault(
    source: &str,
    offset: usize,
    problem: impl Into<String>,
    remedy: impl Into<String>,
) -> GuardError {
    let before = source.get(..offset).unwrap_or(source);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    GuardError::Template {
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
        problem: problem.into(),
        remedy: remedy.into(),
    }
}

/// Cuts the source into pieces with their byte offsets; the offset of an output or tag is that of its inside.
pub(super) fn cut(source: &str) -> Result<Vec<(usize, Piece<'_>)>, GuardError> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while at < source.len() {
        let rest = &source[at..];
        let open = find_any(rest, ["{{", "{%"]).unwrap_or(rest.len());
        let literal = &rest[..open];
        if let Some(stray) = find_any(literal, ["}}", "%}"]) {
            return Err(fault(
                source,
                at + stray,
                format!("`{}` closes nothing", &literal[stray..stray + 2]),
                "open it with `{{` or `{%`, or remove it",
            ));
        }
        if !literal.is_empty() {
            pieces.push((at, Piece::Literal(literal)));
        }
        if open == rest.len() {
            break;
        }
        let is_output = rest[open..].starts_with("{{");
        let close = if is_output { "}}" } else { "%}" };
        let inside = &rest[open + 2..];
        let end = find_close(inside, close).ok_or_else(|| {
            let opened = &rest[open..open + 2];
            fault(
                source,
                at + open,
                format!("`{opened}` is never closed"),
                format!("close it with `{close}`"),
            )
        })?;
        let offset = at + open + 2;
        let inner = &inside[..end];
        if inner.starts_with('-') || inner.ends_with('-') {
            return Err(fault(
                source,
                offset,
                "whitespace control is not supported",
                "remove the `-` and the spaces around the tag",
            ));
        }
        pieces.push((
            offset,
            if is_output {
                Piece::Output(inner)
            } else {
                Piece::Tag(inner)
            },
        ));
        at = offset + end + 2;
    }
    Ok(pieces)
}

fn find_any(text: &str, needles: [&str; 2]) -> Option<usize> {
    needles.iter().filter_map(|needle| text.find(needle)).min()
}

/// Finds the closing mark outside of quoted strings.
fn find_close(inside: &str, close: &str) -> Option<usize> {
    let mut quote = None;
    inside.char_indices().find_map(|(at, c)| {
        let is_quote = c == '"' || c == '\'';
        if quote.is_none() && inside[at..].starts_with(close) {
            return Some(at);
        }
        if quote == Some(c) {
            quote = None;
        } else if quote.is_none() && is_quote {
            quote = Some(c);
        }
        None
    })
}

/// A reader of the words inside an output or a tag.
#[derive(Debug)]
pub(super) struct Words<'s> {
    source: &'s str,
    inner: &'s str,
    offset: usize,
    at: usize,
}

/// One word inside an output or a tag.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Word<'s> {
    Name(&'s str),
    Number(f64),
    Text(&'s str),
    Sign(&'s str),
}

impl<'s> Words<'s> {
    pub(super) fn new(source: &'s str, inner: &'s str, offset: usize) -> Self {
        Self {
            source,
            inner,
            offset,
            at: 0,
        }
    }

    /// The error for a fault at the word that comes next.
    pub(super) fn fault(
        &self,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> GuardError {
        let skipped = self.rest().len() - self.rest().trim_start().len();
        fault(
            self.source,
            self.offset + self.at + skipped,
            problem,
            remedy,
        )
    }

    /// The word that comes next, without taking it.
    pub(super) fn peek(&self) -> Result<Option<Word<'s>>, GuardError> {
        Ok(self.read()?.map(|(word, _)| word))
    }

    /// Takes the next word.
    pub(super) fn next(&mut self) -> Result<Option<Word<'s>>, GuardError> {
        let read = self.read()?;
        if let Some((_, end)) = read {
            self.at = end;
        }
        Ok(read.map(|(word, _)| word))
    }

    fn rest(&self) -> &'s str {
        &self.inner[self.at..]
    }

    fn read(&self) -> Result<Option<(Word<'s>, usize)>, GuardError> {
        let text = self.rest().trim_start();
        let start = self.inner.len() - text.len();
        let Some(first) = text.chars().next() else {
            return Ok(None);
        };
        let span = |accept: fn(char) -> bool| text.find(|c| !accept(c)).unwrap_or(text.len());
        let (word, len) = if first.is_ascii_alphabetic() || first == '_' {
            let len = span(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
            (Word::Name(&text[..len]), len)
        } else if first.is_ascii_digit() || first == '-' {
            let len = 1 + text[1..]
                .find(|c: char| !c.is_ascii_digit() && c != '.')
                .unwrap_or(text.len() - 1);
            let number = text[..len].parse().map_err(|_| {
                self.fault(
                    format!("`{}` is no number", &text[..len]),
                    "write it as 3 or 2.5",
                )
            })?;
            (Word::Number(number), len)
        } else if first == '"' || first == '\'' {
            let len = text[1..].find(first).ok_or_else(|| {
                self.fault(
                    "a text without its closing quote",
                    "close it with the same quote",
                )
            })?;
            (Word::Text(&text[1..=len]), len + 2)
        } else {
            let len = match text.get(..2) {
                Some("==" | "!=" | "<=" | ">=") => 2,
                _ => first.len_utf8(),
            };
            (Word::Sign(&text[..len]), len)
        };
        Ok(Some((word, start + len)))
    }
}
