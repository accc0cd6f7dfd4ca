//! What may be said: templates whose every number and claim is bound to a fact, rendered for a channel and checked as
//! rendered against a versioned rule pack, in English and Chinese.
//!
//! The main type is [`Guard`]. [`Guard::render`] gives the text with its checks, or a [`Refusal`] with its reason.
//!
//! ```
//! use std::collections::BTreeMap;
//! use guard::{Facts, Guard, RulePack};
//!
//! let variant: events::CopyVariant = serde_json::from_str(r#"{"id": "v1", "scope": "all", "channel": "push",
//!     "slot": "default", "locale": "en-GB", "strategy": "benefit", "generator": {"provider": "templates", "model": "1"},
//!     "template": {"body": "{{ title | title_case }} is waiting"}, "status": "live",
//!     "bindings": [{"name": "title", "path": "product.title"}]}"#)?;
//! let product = events::Product { title: "RED MUG".into(), ..Default::default() };
//! let (stats, user, now) = (BTreeMap::new(), BTreeMap::new(), events::Timestamp::UNIX_EPOCH);
//! let facts = Facts { product: &product, stats: &stats, user: &user, now, version: "1" };
//! let rendered = Guard::new(RulePack::general()).render(&variant, &facts)?;
//! assert_eq!(rendered.text.body, "Red Mug is waiting");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! This crate never does I/O, reads a clock or parses a value as a template.

mod bindings;
mod error;
mod escape;
mod facts;
mod guard;
mod limits;
mod normal;
mod pack;
mod phrase;
mod rules;
mod sample;
pub mod sms;
mod template;
mod value;
mod variant;
mod verdict;
mod width;

pub use bindings::{Bindings, Bound};
pub use error::GuardError;
pub use escape::{Escape, TAGS};
pub use facts::{Facts, resolve, resolve_available};
pub use guard::{Guard, Refusal, Rendered};
pub use limits::{FieldLimit, Unit, limits};
pub use pack::{LimitOverride, PhraseKind, PhraseRule, RulePack, Style, Support};
pub use template::{Branch, Template, title_case};
pub(crate) use template::{Origin, Shown};
pub use value::Value;
pub use variant::CompiledVariant;
pub use verdict::{Verdict, VerdictKey};
pub use width::{display_width, post_weight};
