use std::time::Duration;

use super::config::LlmConfig;
use crate::brief::Refused;

/// What went wrong with one request.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Fault {
    /// The server answered with another status than 200.
    Status {
        status: u16,
        /// How long the server asks to be left alone.
        retry_after: Option<Duration>,
        /// What it says, shortened.
        detail: String,
    },
    /// The server's content filter stopped the request.
    Filtered,
    /// A time limit passed.
    Timeout(Limit),
    /// There was no connection, or it broke off.
    Connection { detail: String },
    /// No known authority vouches for the server.
    Untrusted { detail: String },
    /// What came is no chat completion.
    Malformed { detail: String },
}

/// A time limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limit {
    Connect,
    Answer,
    Chunk,
}

impl Fault {
    /// Whether the same request may succeed later. A request that ran into its time limit is not repeated: the server has
    /// worked on it, and may charge for it.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Status { status, .. } => matches!(status, 429 | 500..=599),
            Self::Connection { .. } | Self::Timeout(Limit::Connect) => true,
            Self::Timeout(_) | Self::Filtered | Self::Untrusted { .. } | Self::Malformed { .. } => {
                false
            }
        }
    }

    /// Whether the server may have stumbled over a field that not every server knows.
    pub(super) fn is_about_the_request(&self) -> bool {
        matches!(
            self,
            Self::Status {
                status: 400 | 422,
                ..
            }
        )
    }

    /// How long the server asks to be left alone.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// The reason that is handed out after so many attempts.
    pub(super) fn into_refused(self, attempts: u32, config: &LlmConfig) -> Refused {
        match self {
            Self::Status {
                status: status @ (401 | 403),
                ..
            } => Refused::WrongKey { status },
            Self::Status { status: 429, .. } => Refused::Busy { attempts },
            Self::Status {
                status: status @ 500..=599,
                detail,
                ..
            } => Refused::ServerDown {
                attempts,
                detail: format!("HTTP {status}: {detail}"),
            },
            Self::Status { status, detail, .. } => Refused::Rejected { status, detail },
            Self::Filtered => Refused::ContentFilter,
            Self::Timeout(limit) => limit.into_refused(config),
            Self::Connection { detail } => Refused::ServerDown { attempts, detail },
            Self::Untrusted { detail } => Refused::Untrusted { detail },
            Self::Malformed { detail } => Refused::MalformedJson { detail },
        }
    }
}

impl Limit {
    fn into_refused(self, config: &LlmConfig) -> Refused {
        let (setting, limit_ms) = match self {
            Self::Connect => ("llm.connect_timeout_ms", config.connect_timeout_ms),
            Self::Answer => ("llm.answer_timeout_ms", config.answer_timeout_ms),
            Self::Chunk => ("llm.chunk_timeout_ms", config.chunk_timeout_ms),
        };
        Refused::Timeout { setting, limit_ms }
    }
}
