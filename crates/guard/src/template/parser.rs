//! Builds a template from its pieces.

use super::lexer::{Piece, Word, Words, cut, fault};
use super::{Comparison, Condition, Filter, Node, Operand, Output, Template};
use crate::GuardError;

/// The most filters behind one name.
const MAX_FILTERS: usize = 8;

/// An `if` that waits for its `endif`.
struct Open {
    offset: usize,
    condition: usize,
    then: Option<Vec<Node>>,
    /// What stood before the `if` at its own level.
    before: Vec<Node>,
}

pub(super) fn parse(source: &str) -> Result<Template, GuardError> {
    if source.len() > Template::MAX_BYTES {
        return Err(fault(
            source,
            Template::MAX_BYTES,
            format!("the template is longer than {} bytes", Template::MAX_BYTES),
            "shorten it",
        ));
    }
    let mut template = Template {
        nodes: Vec::new(),
        conditions: Vec::new(),
        names: std::collections::BTreeSet::new(),
    };
    let mut open: Vec<Open> = Vec::new();
    let mut nodes: Vec<Node> = Vec::new();
    for (offset, piece) in cut(source)? {
        match piece {
            Piece::Literal(text) => nodes.push(Node::Literal(text.to_owned())),
            Piece::Output(inner) => {
                let output = output(&mut Words::new(source, inner, offset))?;
                template.names.insert(output.name.clone());
                nodes.push(Node::Output(output));
            }
            Piece::Tag(inner) => tag(
                &mut Words::new(source, inner, offset),
                offset,
                &mut template,
                &mut open,
                &mut nodes,
            )?,
        }
    }
    if let Some(unclosed) = open.first() {
        return Err(fault(
            source,
            unclosed.offset,
            "this `if` is never closed",
            "add `{% endif %}`",
        ));
    }
    template.nodes = nodes;
    Ok(template)
}

fn tag(
    words: &mut Words,
    offset: usize,
    template: &mut Template,
    open: &mut Vec<Open>,
    nodes: &mut Vec<Node>,
) -> Result<(), GuardError> {
    let outside = |words: &Words, name: &str| {
        words.fault(
            format!("`{name}` stands outside an `if`"),
            "open one with `{% if name %}`, or remove it",
        )
    };
    match words.peek()? {
        Some(Word::Name("if")) => {
            words.next()?;
            open_if(words, offset, template, open, nodes)?;
        }
        Some(Word::Name("else")) => {
            let innermost = open.last_mut().ok_or_else(|| outside(words, "else"))?;
            if innermost.then.is_some() {
                return Err(words.fault("a second `else` for one `if`", "remove it"));
            }
            innermost.then = Some(std::mem::take(nodes));
            words.next()?;
        }
        Some(Word::Name("endif")) => {
            let closed = open.pop().ok_or_else(|| outside(words, "endif"))?;
            let last = std::mem::replace(nodes, closed.before);
            let (then, otherwise) = match closed.then {
                Some(then) => (then, last),
                None => (last, Vec::new()),
            };
            nodes.push(Node::If {
                condition: closed.condition,
                then,
                otherwise,
            });
            words.next()?;
        }
        Some(Word::Name("elsif" | "elseif" | "elif")) => {
            return Err(words.fault(
                "`elsif` is not supported",
                "write `{% else %}{% if … %}…{% endif %}{% endif %}`",
            ));
        }
        Some(Word::Name("unless")) => {
            return Err(words.fault(
                "`unless` is not supported",
                "write `{% if … %}{% else %}…{% endif %}`",
            ));
        }
        other => {
            return Err(words.fault(
                format!("{} is not supported", spelled(other)),
                "the tags are `if`, `else` and `endif`",
            ));
        }
    }
    end(words, "the tag")
}

/// Opens an `if`: what stood before it at its level waits until it is closed.
fn open_if(
    words: &mut Words,
    offset: usize,
    template: &mut Template,
    open: &mut Vec<Open>,
    nodes: &mut Vec<Node>,
) -> Result<(), GuardError> {
    if open.len() == Template::MAX_DEPTH {
        return Err(words.fault(
            format!("`if` is nested more than {} deep", Template::MAX_DEPTH),
            "write several variants instead",
        ));
    }
    let condition = condition(words)?;
    template.names.insert(condition.name.clone());
    let known = template.conditions.iter().position(|c| *c == condition);
    let condition = known.unwrap_or_else(|| {
        template.conditions.push(condition);
        template.conditions.len() - 1
    });
    open.push(Open {
        offset,
        condition,
        then: None,
        before: std::mem::take(nodes),
    });
    Ok(())
}

fn condition(words: &mut Words) -> Result<Condition, GuardError> {
    let name = name(words)?;
    let comparison = match words.peek()? {
        None => {
            return Ok(Condition { name, test: None });
        }
        Some(Word::Sign("==")) => Comparison::Equal,
        Some(Word::Sign("!=")) => Comparison::NotEqual,
        Some(Word::Sign("<")) => Comparison::Less,
        Some(Word::Sign("<=")) => Comparison::AtMost,
        Some(Word::Sign(">")) => Comparison::Greater,
        Some(Word::Sign(">=")) => Comparison::AtLeast,
        Some(Word::Name(word @ ("and" | "or"))) => {
            return Err(words.fault(
                format!("`{word}` is not supported"),
                "nest one `if` in another",
            ));
        }
        other => {
            return Err(words.fault(
                format!("{} is no comparison", spelled(other)),
                "use ==, !=, <, <=, > or >=",
            ));
        }
    };
    words.next()?;
    let operand = match words.peek()? {
        Some(Word::Number(number)) => Operand::Number(number),
        Some(Word::Text(text)) => Operand::Text(text.to_owned()),
        other => {
            return Err(words.fault(
                format!("{} cannot be compared with", spelled(other)),
                "compare with a number or a quoted text",
            ));
        }
    };
    words.next()?;
    let test = Some((comparison, operand));
    Ok(Condition { name, test })
}

fn output(words: &mut Words) -> Result<Output, GuardError> {
    let name = name(words)?;
    let mut filters = Vec::new();
    while words.peek()? == Some(Word::Sign("|")) {
        words.next()?;
        if filters.len() == MAX_FILTERS {
            return Err(words.fault(format!("more than {MAX_FILTERS} filters"), "use fewer"));
        }
        filters.push(Filter::parse(words)?);
    }
    end(words, "the output")?;
    Ok(Output { name, filters })
}

fn name(words: &mut Words) -> Result<String, GuardError> {
    match words.peek()? {
        Some(Word::Name(name)) if name.contains('.') => Err(words.fault(
            format!("`{name}` is a path"),
            "bind a name to it, and write the name",
        )),
        Some(Word::Name(name)) => {
            words.next()?;
            Ok(name.to_owned())
        }
        other => Err(words.fault(
            format!("{} where a name is expected", spelled(other)),
            "write the name of a binding, such as `title`",
        )),
    }
}

fn end(words: &Words, what: &str) -> Result<(), GuardError> {
    match words.peek()? {
        None => Ok(()),
        other => Err(words.fault(
            format!("{} is left over", spelled(other)),
            format!("close {what} before it"),
        )),
    }
}

pub(super) fn spelled(word: Option<Word>) -> String {
    match word {
        None => "nothing".to_owned(),
        Some(Word::Name(text) | Word::Sign(text)) => format!("`{text}`"),
        Some(Word::Number(number)) => format!("`{number}`"),
        Some(Word::Text(text)) => format!("\"{text}\""),
    }
}
