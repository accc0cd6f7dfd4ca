use thiserror::Error;

/// What can go wrong between a shop's corpus and a ranked list.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RecommenderError {
    /// An interaction names an item that the corpus does not have.
    #[error(
        "interaction {position} of shopper {user} names item {item}, but the corpus has {items} items; rebuild the corpus from one catalogue"
    )]
    UnknownItem {
        /// The shopper's pseudonym.
        user: String,
        /// Position of the interaction within the shopper's sequence.
        position: usize,
        /// The index that was named.
        item: u32,
        /// Number of items of the corpus.
        items: usize,
    },
    /// A shopper's interactions are not in time order.
    #[error(
        "interaction {position} of shopper {user} is earlier than the one before it; sort each sequence by time"
    )]
    OutOfOrder {
        /// The shopper's pseudonym.
        user: String,
        /// Position of the interaction within the shopper's sequence.
        position: usize,
    },
    /// An item names a category or brand that the corpus does not have.
    #[error(
        "item {item} names {field} {index}, but the corpus has {count}; rebuild the corpus from one catalogue"
    )]
    UnknownLabel {
        /// The shop's identifier of the item.
        item: String,
        /// `category` or `brand`.
        field: &'static str,
        /// The index that was named.
        index: u32,
        /// Number of labels of that field.
        count: usize,
    },
    /// The cut dates of a time split do not follow one another.
    #[error(
        "the split's dates are {validation_start_s}, {test_start_s} and {end_s}; expected validation before test before end (Unix seconds)"
    )]
    SplitDates {
        /// Start of the validation window.
        validation_start_s: i64,
        /// Start of the test window.
        test_start_s: i64,
        /// End of the test window.
        end_s: i64,
    },
    /// A setting is outside its range.
    #[error("`{field}` is {value}; expected {expected}")]
    Setting {
        /// Name of the setting.
        field: &'static str,
        /// The value as it was given.
        value: String,
        /// The range that is accepted.
        expected: &'static str,
    },
    /// There is nothing to learn from.
    #[error("{what} is empty; {remedy}")]
    Empty {
        /// What is empty.
        what: &'static str,
        /// What to do about it.
        remedy: &'static str,
    },
    /// A table of impressions is wrong as a whole.
    #[error("{problem}; {remedy}")]
    Table {
        /// What is wrong, by the table's own names.
        problem: String,
        /// What to do about it.
        remedy: &'static str,
    },
    /// A table of impressions is wrong at one line.
    #[error("line {line}: {problem}; {remedy}")]
    TableLine {
        /// The line, counted from 1, the header's being 1.
        line: u64,
        /// What is wrong, by the names of its columns.
        problem: String,
        /// What to do about it.
        remedy: &'static str,
    },
    /// A scorer returned something other than one finite score per history and item.
    #[error(
        "scorer {name} returned {found} where {expected} was expected; check its `scores` function"
    )]
    Scores {
        /// Name of the scorer.
        name: String,
        /// What came back.
        found: String,
        /// What was expected.
        expected: String,
    },
    /// The table has no default model for a task, or a default that was not evaluated.
    #[error(
        "task {task} has no evaluated model named {name}; name one of the scorers as its default"
    )]
    Default {
        /// The task's name.
        task: &'static str,
        /// The name that was given, or `none`.
        name: String,
    },
    /// The graph over the items cannot be built or searched.
    #[error(
        "the index of the items failed: {detail}; free some memory, or raise `retrieval.exact_up_to` above the number of items"
    )]
    Index {
        /// What the library said.
        detail: String,
    },
    /// The user model's tensors or files fail.
    #[error(transparent)]
    Nn(#[from] nn::NnError),
}

/// The error of a setting outside its range.
pub(crate) fn refuse(
    field: &'static str,
    value: impl std::fmt::Display,
    expected: &'static str,
) -> RecommenderError {
    RecommenderError::Setting {
        field,
        value: value.to_string(),
        expected,
    }
}
