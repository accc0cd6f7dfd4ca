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
//! let rendered = Guard::new(RulePack::built_in()).render(&variant, &facts)?;
//! assert_eq!(rendered.text.body, "Red Mug is waiting");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! This crate never does I/O, reads a clock or parses a value as a template.

mod bindings;
mod coverage;
mod envelope;
mod error;
mod escape;
mod facts;
mod grounds;
mod guard;
mod limits;
mod matcher;
mod normal;
mod number;
mod pack;
mod pattern;
mod quantity;
mod rules;
mod sample;
pub mod sms;
mod template;
mod text;
mod value;
mod variant;
mod verdict;
mod voice;
mod width;
pub mod wording;

pub use bindings::{Bindings, Bound};
pub use coverage::Coverage;
pub use envelope::{Mail, unsubscribe_headers};
pub use error::GuardError;
pub use escape::{Escape, TAGS};
pub use facts::{Facts, resolve, resolve_available, value_at};
pub use grounds::Grounds;
pub use guard::{Guard, Refusal, Rendered};
pub use limits::{FieldLimit, Unit, limits};
pub use pack::{Fix, LimitOverride, PhraseKind, PhraseRule, RulePack, Severity, Style, Support};
pub use template::{Branch, Template, title_case};
pub(crate) use template::{Origin, Shown};
pub use text::{Finding, Names, TextContext};
pub use value::Value;
pub use variant::CompiledVariant;
pub use verdict::{Verdict, VerdictKey};
pub use voice::{Tone, Voice};
pub use width::{display_width, post_weight};
pub use wording::WordingRule;
