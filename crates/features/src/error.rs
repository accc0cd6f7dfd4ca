use jiff::Timestamp;
use thiserror::Error;

/// What can be wrong with a segment, a row of features or a time.
#[derive(Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum FeatureError {
    /// A segment does not follow the language.
    #[error("column {column} of segment `{segment}`: {problem}")]
    Segment {
        /// The segment as it was written.
        segment: String,
        /// Character at which the problem lies, from 1.
        column: usize,
        /// What was found and what to write in its place.
        problem: String,
    },
    /// Rows of different widths, or of another width than the standardiser was fitted on.
    #[error(
        "row {row} has {found} columns where {expected} are expected; build every row with the same version of the features"
    )]
    Width {
        /// Number of the row, from 0.
        row: usize,
        /// Columns that it has.
        found: usize,
        /// Columns that it should have.
        expected: usize,
    },
    /// A value that is not finite.
    #[error("row {row}, column {column} is {value}; repair the row before it is used")]
    NotFinite {
        /// Number of the row, from 0.
        row: usize,
        /// Number of the column, from 0.
        column: usize,
        /// The value.
        value: f64,
    },
    /// A table without rows.
    #[error("there are no rows to fit on; fold at least one shopper first")]
    NoRows,
    /// The profile has seen events that lie after the time it is asked about.
    #[error(
        "the profile knows an event of {last_event}, after {now}; fold the events up to {now} alone"
    )]
    Leak {
        /// Time of the latest event folded.
        last_event: Timestamp,
        /// The time asked about.
        now: Timestamp,
    },
}
