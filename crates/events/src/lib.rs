//! The vocabulary of Hawker: what every other crate means by an event, a product, a consent, a piece of
//! copy, a decision and an outcome.
//!
//! The main type is [`Event`]: one thing a shopper did, under a pseudonym. [`IncomingEvent`] is the same
//! thing as it arrives on the wire, in Segment's envelope, with the identifiers still in it; the engine's
//! vault turns one into the other.
//!
//! ```
//! use events::{EventKind, IncomingEvent};
//!
//! let line = r#"{"messageId":"m-1","type":"track","event":"Product Viewed","userId":"ada",
//!                "timestamp":"2026-05-01T09:30:00Z","properties":{"product_id":"mug-7"}}"#;
//! let incoming = IncomingEvent::from_json(line)?;
//! assert_eq!(incoming.kind, EventKind::ProductViewed);
//! assert_eq!(incoming.properties.products[0].product_id, "mug-7");
//! # Ok::<(), events::EventError>(())
//! ```
//!
//! This crate never does I/O, reads a clock or draws a random number.

mod channel;
mod copy;
mod decision;
mod error;
mod event;
mod event_kind;
mod id;
mod incoming;
mod money;
mod outcome;
mod product;
mod user;

pub use channel::{Channel, Goal, Language, Locale};
pub use copy::{
    Binding, Check, CopyText, CopyVariant, Generator, Premise, Scope, Strategy, VariantStatus,
};
pub use decision::{
    Action, Candidate, Context, Contribution, Decision, Exclusion, Explanation, LiveDraft,
};
pub use error::EventError;
pub use event::{Event, LineItem, Properties};
pub use event_kind::EventKind;
pub use id::{DecisionId, Identity, MessageKey, Pseudonym};
pub use incoming::IncomingEvent;
pub use jiff::Timestamp;
pub use money::{Currency, Money};
pub use outcome::Outcome;
pub use product::{Availability, Fact, Product};
pub use user::{Consent, ConsentState};
