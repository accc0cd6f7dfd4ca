use thiserror::Error;

/// What can go wrong while a data set is made or asked.
#[derive(Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum DatasetError {
    /// A field of a configuration is outside its range.
    #[error("`{field}` is {value}; give {expected}")]
    Config {
        /// Name of the field.
        field: &'static str,
        /// The value as it was given.
        value: String,
        /// The range that is accepted.
        expected: &'static str,
    },
    /// A line of a public set cannot be read.
    #[error(
        "line {line} of the {file}: {what}; `hawker evaluate --help` shows the forms that are read"
    )]
    Line {
        /// Which file: `interactions` or `items`.
        file: &'static str,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
    /// The shop has no such shopper.
    #[error("shopper `{id}` is not one of the simulated shop; use an identity from its events")]
    UnknownShopper {
        /// The identifier that was asked for.
        id: String,
    },
    /// The catalogue has no such product.
    #[error("product `{id}` is not in the simulated catalogue; use an id from `products`")]
    UnknownProduct {
        /// The identifier that was asked for.
        id: String,
    },
}
