//! Templates in a checked subset of Liquid.
//!
//! The subset: `{{ name | filter: arg }}`, `{% if name %}`, `{% if name >= 3 %}`, `{% else %}`, `{% endif %}`.
//! Everything else of Liquid is refused with a remedy; nothing loops, includes or assigns, so that the branches
//! of a template can be listed and each of them checked.

mod branch;
mod filter;
mod lexer;
mod parser;
mod render;
mod title_case;

use std::collections::BTreeSet;

pub use branch::Branch;
pub(crate) use filter::Filter;
pub(crate) use render::{Origin, Shown};
pub use title_case::title_case;

use crate::{Bindings, Escape, GuardError, Value};

/// A parsed template.
///
/// `{% if name %}` holds when the name has a value that is neither empty nor zero; a comparison with a name that has no
/// value never holds. Numbers, money and dates are never cut or recased. The filters:
///
/// | filter | takes | gives |
/// |---|---|---|
/// | `upcase`, `downcase`, `capitalize` | text | the text recased |
/// | `title_case` | text | `WHITE T-LIGHT HOLDER` as `White T-Light Holder` |
/// | `truncate: 40` | text | at most 40 characters with the ellipsis, never cut inside a number, nor inside a word where the words before it are most of it |
/// | `truncate_words: 6` | text | at most 6 words, a Chinese character counting as one |
/// | `money` | money | `£1,234.50` |
/// | `number` | count, number | `1,234` |
/// | `date`, `date: "%-d %B %Y"`, `date: "%Y年%-m月%-d日"` | date | `2026-05-01`, `1 May 2026`, `2026年5月1日` |
/// | `plural: "order", "orders"` | count, number | the first text for 1, else the second |
/// | `escape` | any | escaped for HTML, once |
/// | `default: "you"` | no value | the text, which counts as the template's own |
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    nodes: Vec<Node>,
    /// The distinct conditions; an `if` refers to one by index, so that equal conditions go the same way.
    conditions: Vec<Condition>,
    names: BTreeSet<String>,
}

#[derive(Debug, Clone, PartialEq)]
enum Node {
    Literal(String),
    Output(Output),
    If {
        condition: usize,
        then: Vec<Node>,
        otherwise: Vec<Node>,
    },
}

#[derive(Debug, Clone, PartialEq)]
struct Output {
    name: String,
    filters: Vec<Filter>,
}

/// What an `if` asks.
#[derive(Debug, Clone, PartialEq)]
struct Condition {
    name: String,
    test: Option<(Comparison, Operand)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    NotEqual,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

#[derive(Debug, Clone, PartialEq)]
enum Operand {
    Number(f64),
    Text(String),
}

impl Template {
    /// The longest template that is read, in bytes.
    pub const MAX_BYTES: usize = 20_000;
    /// The bytes that a template may write; a message is never as long, a fault in a fact may be.
    pub const FUEL: usize = 200_000;
    /// The deepest nesting of `if`.
    pub const MAX_DEPTH: usize = 8;
    /// The most branches that a template may have, since each is checked.
    pub const MAX_BRANCHES: usize = 64;

    /// Reads a template.
    ///
    /// # Errors
    /// [`GuardError::Template`] with line, column and remedy for anything outside the subset, and for a template
    /// over [`Self::MAX_BYTES`], [`Self::MAX_DEPTH`] or [`Self::MAX_BRANCHES`].
    pub fn parse(source: &str) -> Result<Self, GuardError> {
        let template = parser::parse(source)?;
        if template.branches().len() > Self::MAX_BRANCHES {
            return Err(lexer::fault(
                source,
                0,
                format!("the template has more than {} branches", Self::MAX_BRANCHES),
                "use fewer conditions, or write several variants",
            ));
        }
        Ok(template)
    }

    /// Writes the text for these values.
    ///
    /// # Errors
    /// [`GuardError::Unbound`] when a name that is shown has no value, [`GuardError::Undeclared`] when it has no
    /// binding, [`GuardError::FilterInput`] when a filter is given a value of the wrong kind, [`GuardError::OutOfFuel`]
    /// beyond [`Self::FUEL`].
    pub fn render(&self, bindings: &Bindings, escape: Escape) -> Result<String, GuardError> {
        Ok(self.show(bindings, escape)?.into_text())
    }

    /// Writes the text with the origin of each of its parts.
    pub(crate) fn show(&self, bindings: &Bindings, escape: Escape) -> Result<Shown, GuardError> {
        render::show(self, bindings, escape, &|index| {
            self.conditions[index].holds(bindings)
        })
    }

    /// Every way through the conditions, at most [`Self::MAX_BRANCHES`] of them.
    pub fn branches(&self) -> Vec<Branch> {
        branch::branches(self)
    }

    /// The filters that the template applies to a name.
    pub(crate) fn filters_of(&self, name: &str) -> Vec<&Filter> {
        fn walk<'t>(nodes: &'t [Node], name: &str, out: &mut Vec<&'t Filter>) {
            for node in nodes {
                match node {
                    Node::Output(output) if output.name == name => out.extend(&output.filters),
                    Node::Literal(_) | Node::Output(_) => {}
                    Node::If {
                        then, otherwise, ..
                    } => {
                        walk(then, name, out);
                        walk(otherwise, name, out);
                    }
                }
            }
        }
        let mut filters = Vec::new();
        walk(&self.nodes, name, &mut filters);
        filters
    }

    /// The names that the template shows or tests, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }
}

impl Condition {
    /// Whether the condition holds; a name without a value fails every condition, and so does a comparison between
    /// values that do not compare.
    fn holds(&self, bindings: &Bindings) -> bool {
        let Some(value) = bindings.value(&self.name) else {
            return false;
        };
        match &self.test {
            None => value.truthy(),
            Some((comparison, Operand::Number(number))) => value
                .number()
                .and_then(|value| value.partial_cmp(number))
                .is_some_and(|ordering| comparison.accepts(ordering)),
            Some((comparison, Operand::Text(text))) => match value {
                Value::Text(value) => comparison.accepts(value.trim().cmp(text)),
                _ => false,
            },
        }
    }
}

impl Comparison {
    fn accepts(self, ordering: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::NotEqual => ordering.is_ne(),
            Self::Less => ordering.is_lt(),
            Self::AtMost => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::AtLeast => ordering.is_ge(),
        }
    }

    fn sign(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
        }
    }
}

#[cfg(test)]
mod tests;
