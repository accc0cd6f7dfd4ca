//! The provider `llm`: copy from any server with `OpenAI`'s chat completions, such as llama.cpp, vLLM or a hosted one.
//!
//! [`Llm::write`] answers a [`Brief`] with [`Written`]: variants that the guard passed as rendered, and a [`Refused`] for
//! everything else. [`Providers::write`] goes on to the native model and the template library where the server comes to
//! nothing. The files follow the data: `slots` (which facts have names) → `prompt` (rules, and facts as data) → `write`
//! (attempts, with `meter` for cost and concurrency and `retry` for waits) → `http`, `stream` and `answer` (one request) →
//! `text` and `judge` (what may be used).
//!
//! # What the model decides, and what it does not
//! It chooses words. It is told values, so that it knows what it writes about, and writes none: an exact value is a slot such
//! as `{{ price }}`, so that the answer is a template that follows the facts, and a digit or a currency sign outside a slot
//! refuses the text. Facts reach it as JSON in a message of their own. If one of them talks it into something else, the
//! answer is still only a template that must parse, use the slots that were offered, and pass the guard.
//!
//! The values of a shopper's history are never sent: the model learns that there is a `{{ last }}` and what it means.
//!
//! ```
//! use std::collections::BTreeMap;
//! use copywriter::llm::{Access, Brief, Llm, LlmConfig, Providers};
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
mod fallback;
mod fault;
mod http;
mod judge;
mod meter;
mod prompt;
mod refused;
mod retry;
mod slots;
mod stream;
mod text;
mod write;

pub use config::LlmConfig;
pub use fallback::{Attempt, Chain, PassedOver, Providers, first_that_writes};
pub use http::Access;
pub use meter::Spent;
pub use refused::Refused;
pub use write::{APPROVED_BY, Brief, Llm, PROVIDER, Written};
