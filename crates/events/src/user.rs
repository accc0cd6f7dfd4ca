use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Channel;

/// What a shopper allowed or withdrew, per channel and purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// The channel it is about.
    pub channel: Channel,
    /// What for, such as `marketing`.
    pub purpose: String,
    /// Granted or withdrawn.
    pub state: ConsentState,
    /// Since when.
    pub at: Timestamp,
    /// Where it was given, such as `checkout` or `assumed at import`.
    pub source: String,
}

/// Whether a consent was given or taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConsentState {
    /// The shopper agreed.
    Granted,
    /// The shopper withdrew.
    Withdrawn,
}
