//! What a format makes of a row.

use events::{EventError, IncomingEvent, Product};

/// What a format made of one row.
#[derive(Debug)]
pub(crate) enum Row {
    /// It is an event; an order line may name its product's title.
    Event(Box<IncomingEvent>, Option<String>),
    /// It is a product.
    Product(Box<Product>),
    /// It is a further variant of the product above it, which has what the row leaves out.
    Variant(Box<Product>),
    /// It belongs to another row and adds nothing of its own.
    Merged,
}

/// Why a row is not taken in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Rejection {
    /// Short stable name of the fault.
    pub(crate) reason: String,
    /// The fault in words, with the remedy.
    pub(crate) detail: String,
}

impl Rejection {
    pub(crate) fn new(reason: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            detail: detail.into(),
        }
    }
}

impl From<EventError> for Rejection {
    fn from(error: EventError) -> Self {
        Self::new(error.reason(), error.to_string())
    }
}
