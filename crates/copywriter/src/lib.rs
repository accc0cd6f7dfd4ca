//! Words to sell with: a library of honest marketing copy for every channel, in English and Chinese, and the
//! metrics that say how varied and how close to a reference a set of texts is.
//!
//! The way in is [`templates::library`], which returns [`events::CopyVariant`]s: templates whose every price,
//! number and name is bound to a fact. [`metrics::Diversity`] summarises the texts of a campaign.
//!
//! ```
//! use copywriter::{metrics::Diversity, templates, tokenise};
//! use events::{Channel, Language};
//!
//! let variants = templates::library(Channel::Push, Language::En);
//! assert!(variants.iter().all(|variant| variant.template.title.is_some()));
//!
//! let texts = ["Back in stock: the blue mug", "回来了：蓝色马克杯"];
//! let diversity = Diversity::of(&texts.map(tokenise));
//! assert_eq!(diversity.distinct_1, 1.0);
//! ```
//!
//! This crate never decides who is written to and never shows a text: what it writes is checked by `guard`
//! and chosen by the policy.

pub mod brief;
pub mod checkpoint;
pub mod decoder;
mod error;
pub mod llm;
pub mod metrics;
pub mod native;
mod network;
pub mod providers;
mod sampling;
mod setting;
pub mod templates;
mod tokenise;

pub use error::CopyError;
pub use tokenise::{characters, tokenise};
