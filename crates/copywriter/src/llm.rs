//! The provider `llm`: copy from any server with `OpenAI`'s chat completions, such as llama.cpp, vLLM or a hosted one.
//!
//! [`Llm::write`] answers a [`Brief`](crate::brief::Brief) with [`Written`](crate::brief::Written); what the model is told
//! and how its answer is judged is in [`crate::brief`]. [`Providers::write`](crate::providers::Providers::write) goes on
//! where the server comes to nothing. The files follow the data: `write` (attempts, with `meter` for cost and concurrency and
//! `retry` for waits) → `request` (the prompt as a body) → `http`, `stream` and `answer` (one request).
//!
//! ```
//! use std::collections::BTreeMap;
//! use copywriter::brief::Brief;
//! use copywriter::llm::{Access, Llm, LlmConfig};
//! use copywriter::providers::Providers;
//! use events::{Channel, Language, Product, Strategy, Timestamp};
//! use guard::{Facts, Guard, RulePack};
//!
//! let product = Product { title: "Blue mug".into(), ..Product::default() };
//! let (stats, user, now) = (BTreeMap::new(), BTreeMap::new(), Timestamp::UNIX_EPOCH);
//! let brief = Brief {
//!     channel: Channel::Push,
//!     language: Language::En,
//!     strategy: Strategy::SocialProof,
//!     facts: Facts { product: &product, stats: &stats, user: &user, now, version: "1" },
//!     brand: "Warm and dry, no exclamation marks.",
//!     count: 3,
//!     seed: 1,
//! };
//! let llm = Llm::new(LlmConfig::default(), Access::default())?;
//! let guard = Guard::new(RulePack::built_in());
//! // Nobody bought the mug yet, so there is nothing to say about others, and nobody is asked.
//! assert_eq!(llm.write(&brief, &guard).refusals(), BTreeMap::from([("no_evidence", 1)]));
//! let chain = Providers { llm: Some(&llm), ..Providers::default() }.write(&brief, &guard);
//! assert_eq!(chain.passed_over[0].provider, "llm");
//! # Ok::<(), copywriter::CopyError>(())
//! ```
//!
//! This module never reads the environment, a file or a clock, and never shows a text: the key and the certificates are
//! arguments.

mod answer;
mod config;
mod fault;
mod http;
mod meter;
mod request;
mod retry;
mod stream;
mod write;

pub use config::LlmConfig;
pub use http::Access;
pub use meter::Spent;
pub use write::{Llm, PROVIDER};
