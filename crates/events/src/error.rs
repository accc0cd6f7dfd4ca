use thiserror::Error;

/// What can be wrong with a value of the vocabulary.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventError {
    /// The text is not JSON, or not of the envelope's shape.
    #[error(
        "not an event in Segment's envelope: {detail}; see the `messageId, type, event, userId, timestamp, properties` fields"
    )]
    Envelope {
        /// What the JSON parser said, with its column.
        detail: String,
    },
    /// A field that the vocabulary requires is absent or empty.
    #[error("`{field}` is missing; {remedy}")]
    Missing {
        /// Name of the field.
        field: &'static str,
        /// What to do about it.
        remedy: &'static str,
    },
    /// A field holds a value outside its range or form.
    #[error("`{field}` is `{value}`; expected {expected}")]
    Invalid {
        /// Name of the field.
        field: &'static str,
        /// The value as it was given, shortened.
        value: String,
        /// The form that is accepted.
        expected: &'static str,
    },
}

impl EventError {
    /// Builds [`EventError::Invalid`] with the value cut to 60 characters, so that a message stays readable.
    pub fn invalid(field: &'static str, value: &str, expected: &'static str) -> Self {
        let value = value.chars().take(60).collect();
        Self::Invalid {
            field,
            value,
            expected,
        }
    }

    /// A short stable name of the fault, used to count quarantined rows by reason.
    pub fn reason(&self) -> String {
        match self {
            Self::Envelope { .. } => "not_an_event".to_owned(),
            Self::Missing { field, .. } => format!("missing_{field}"),
            Self::Invalid { field, .. } => format!("invalid_{field}"),
        }
    }
}
