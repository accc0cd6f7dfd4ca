//! Writes a template with values, and remembers which part of the text came from where.

use super::filter::Flow;
use super::{Node, Output, Template};
use crate::escape::{push_html, push_json, split_tags};
use crate::{Bindings, Escape, GuardError};

/// Where a part of a text came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The template itself.
    Literal,
    /// The binding with this index.
    Value(usize),
}

/// A part of a text: its end as a byte offset into the plain text, and where it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) end: usize,
    pub(crate) origin: Origin,
}

/// A rendered text: what a person reads, the origin of its parts, and what is sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Shown {
    /// The text as a person reads it, without markup and escapes.
    pub(crate) plain: String,
    pub(crate) spans: Vec<Span>,
    /// The text as it is sent, where that differs.
    escaped: Option<String>,
}

impl Shown {
    /// A finished text, none of which comes from a value.
    pub(crate) fn literal(text: &str) -> Self {
        let mut shown = Self::default();
        shown.push(text, Origin::Literal);
        shown
    }

    /// The text as it is sent.
    pub(crate) fn into_text(self) -> String {
        self.escaped.unwrap_or(self.plain)
    }

    /// The text as it is sent, and as it is read.
    pub(crate) fn into_both(self) -> (String, String) {
        match self.escaped {
            Some(escaped) => (escaped, self.plain),
            None => (self.plain.clone(), self.plain),
        }
    }

    /// Each part with its start and origin.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (usize, &str, Origin)> {
        let mut start = 0;
        self.spans.iter().map(move |span| {
            let part = (start, &self.plain[start..span.end], span.origin);
            start = span.end;
            part
        })
    }

    fn push(&mut self, text: &str, origin: Origin) {
        if text.is_empty() {
            return;
        }
        match self.escaped.as_mut() {
            None => self.plain.push_str(text),
            Some(escaped) if origin == Origin::Literal => {
                for (piece, is_tag) in split_tags(text) {
                    if is_tag {
                        escaped.push_str(piece);
                        if piece.starts_with("<br") || piece == "</p>" {
                            self.plain.push('\n');
                        }
                    } else {
                        push_html(escaped, piece);
                        self.plain.push_str(piece);
                    }
                }
            }
            Some(escaped) => {
                push_html(escaped, text);
                self.plain.push_str(text);
            }
        }
        self.mark(origin);
    }

    /// Appends a text as HTML, whatever the channel; an HTML channel does so once and not twice.
    fn push_as_html(&mut self, text: &str, origin: Origin) {
        if self.escaped.is_some() {
            self.push(text, origin);
        } else {
            push_html(&mut self.plain, text);
            self.mark(origin);
        }
    }

    fn mark(&mut self, origin: Origin) {
        let end = self.plain.len();
        match self.spans.last_mut() {
            Some(last) if last.end == end => {}
            Some(last) if last.origin == Origin::Literal && origin == Origin::Literal => {
                last.end = end;
            }
            None if end == 0 => {}
            _ => self.spans.push(Span { end, origin }),
        }
    }
}

/// Renders, asking `holds` which way each condition goes.
pub(super) fn show(
    template: &Template,
    bindings: &Bindings,
    escape: Escape,
    holds: &dyn Fn(usize) -> bool,
) -> Result<Shown, GuardError> {
    let mut shown = Shown {
        escaped: (escape == Escape::Html).then(String::new),
        ..Shown::default()
    };
    write(&template.nodes, bindings, holds, &mut shown)?;
    if escape == Escape::Json {
        let mut escaped = String::with_capacity(shown.plain.len());
        push_json(&mut escaped, &shown.plain);
        shown.escaped = Some(escaped);
    }
    Ok(shown)
}

/// Recurses at most [`Template::MAX_DEPTH`] deep.
fn write(
    nodes: &[Node],
    bindings: &Bindings,
    holds: &dyn Fn(usize) -> bool,
    shown: &mut Shown,
) -> Result<(), GuardError> {
    for node in nodes {
        match node {
            Node::Literal(text) => shown.push(text, Origin::Literal),
            Node::Output(output) => write_output(output, bindings, shown)?,
            Node::If {
                condition,
                then,
                otherwise,
            } => {
                let taken = if holds(*condition) { then } else { otherwise };
                write(taken, bindings, holds, shown)?;
            }
        }
        if shown.plain.len() > Template::FUEL {
            return Err(GuardError::OutOfFuel {
                limit: Template::FUEL,
            });
        }
    }
    Ok(())
}

fn write_output(output: &Output, bindings: &Bindings, shown: &mut Shown) -> Result<(), GuardError> {
    let name = &output.name;
    let index = bindings
        .index(name)
        .ok_or_else(|| GuardError::Undeclared { name: name.clone() })?;
    let bound = bindings.at(index);
    let mut flow = bound.value.as_ref().map_or(Flow::Absent, Flow::Value);
    for filter in &output.filters {
        flow = filter.apply(flow, name)?;
    }
    let origin = Origin::Value(index);
    match flow {
        Flow::Absent => {
            return Err(GuardError::Unbound {
                name: name.clone(),
                path: bound.path.clone(),
            });
        }
        Flow::Value(value) => shown.push(&value.shown(), origin),
        Flow::Text(text) => shown.push(&text, origin),
        Flow::Literal(text) => shown.push(text, Origin::Literal),
        Flow::Escaped(text) => shown.push_as_html(&text, origin),
    }
    Ok(())
}
