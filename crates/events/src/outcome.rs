use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Currency, DecisionId};

/// What happened after a decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The decision it is credited to.
    pub decision_id: DecisionId,
    /// The event's name: `impression`, `click`, `order`, `unsubscribe`.
    pub event: String,
    /// What it was worth, in major units; 0 where worth has no meaning.
    #[serde(default)]
    pub value: f64,
    /// The currency of the value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// When it happened.
    pub at: Timestamp,
}
