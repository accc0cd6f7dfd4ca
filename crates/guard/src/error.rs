use thiserror::Error;

/// What can be wrong with a template, a binding or a rule pack.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum GuardError {
    /// The template is outside the checked subset of Liquid.
    #[error("template line {line}, column {column}: {problem}; {remedy}")]
    Template {
        /// Line of the fault, from 1.
        line: usize,
        /// Column of the fault in characters, from 1.
        column: usize,
        /// What stands there.
        problem: String,
        /// What to write instead.
        remedy: String,
    },
    /// A binding whose path has no value for this product or shopper; an expired fact has none.
    #[error(
        "`{name}` has no value at `{path}`; wrap it in `{{% if {name} %}}` or give it a `default`"
    )]
    Unbound {
        /// The name in the template.
        name: String,
        /// Where its value should come from.
        path: String,
    },
    /// The words of a variant rest on a value that is another now, or none.
    #[error(
        "its words rest on `{path}` being `{was}`, which is {} now; write a new text, or correct the catalogue", now.as_deref().map_or("without a value".to_owned(), |now| format!("`{now}`"))
    )]
    Changed {
        /// Where the value comes from.
        path: String,
        /// The value when the text was written.
        was: String,
        /// The value now.
        now: Option<String>,
    },
    /// The template uses a name for which the variant declares no binding.
    #[error(
        "the template uses `{name}` but no binding declares it; add a binding with a path such as `product.title`"
    )]
    Undeclared {
        /// The name in the template.
        name: String,
    },
    /// A binding's path is none of those that facts answer.
    #[error(
        "`{name}` is bound to `{path}`, which is no known path; use product.title, product.price, fact.NAME, stat.NAME or user.NAME"
    )]
    UnknownPath {
        /// The name in the template.
        name: String,
        /// The path as it was given.
        path: String,
    },
    /// Two bindings carry the same name.
    #[error("`{name}` is bound twice; keep one binding for each name")]
    DuplicateBinding {
        /// The name in the template.
        name: String,
    },
    /// A filter was given a value of another kind than it takes.
    #[error("filter `{filter}` cannot take `{name}`, which is {found}; it takes {needs}")]
    FilterInput {
        /// The filter.
        filter: &'static str,
        /// The name in the template.
        name: String,
        /// The kind of the value.
        found: &'static str,
        /// The kinds that the filter takes.
        needs: &'static str,
    },
    /// A template wrote more than any message holds.
    #[error("the template writes more than {limit} bytes; shorten the values with `truncate`")]
    OutOfFuel {
        /// The most bytes that it may write.
        limit: usize,
    },
    /// A rule pack is not of the expected form.
    #[error("rule pack{}: {problem}; {remedy}", in_words(*place))]
    Pack {
        /// Line and column of the fault in characters, from 1, where the pack was read from a text.
        place: Option<(usize, usize)>,
        /// What is wrong, with the rule's id where there is one.
        problem: String,
        /// What to write instead.
        remedy: &'static str,
    },
}

fn in_words(place: Option<(usize, usize)>) -> String {
    place.map_or_else(String::new, |(line, column)| {
        format!(" line {line}, column {column}")
    })
}

impl GuardError {
    /// A short stable name of the fault, such as `unbound:stat.orders_30d`, used to count refusals by reason.
    pub fn reason(&self) -> String {
        match self {
            Self::Template { .. } => "template:syntax".to_owned(),
            Self::Unbound { path, .. } => format!("unbound:{path}"),
            Self::Changed { path, .. } => format!("changed:{path}"),
            Self::Undeclared { name } => format!("undeclared:{name}"),
            Self::UnknownPath { path, .. } => format!("unknown_path:{path}"),
            Self::DuplicateBinding { name } => format!("duplicate_binding:{name}"),
            Self::FilterInput { filter, .. } => format!("filter:{filter}"),
            Self::OutOfFuel { .. } => "template:fuel".to_owned(),
            Self::Pack { .. } => "pack:invalid".to_owned(),
        }
    }
}
