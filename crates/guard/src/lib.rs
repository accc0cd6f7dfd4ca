//! What may be said: templates whose every number and claim is bound to a fact, rendered for a channel and checked as
//! rendered against a versioned rule pack, in English and Chinese.
//!
//! The main type is [`Guard`]. [`Guard::render`] gives the text with its checks, or a [`Refusal`] with its reason.
//!
//! ```
//! use std::collections::BTreeMap;
//! use guard::{Bindings, Bound, Escape, Guard, RulePack, Template, Value};
//!
//! let template = Template::parse("{{ title | title_case }}{% if orders > 9 %}, {{ orders }} orders{% endif %}")?;
//! let bound = |name: &str, path: &str, value| Bound { name: name.into(), path: path.into(), value: Some(value), ends: None };
//! let bindings = Bindings::new(vec![
//!     bound("title", "product.title", Value::Text("RED MUG".into())),
//!     bound("orders", "stat.orders_30d", Value::Count(12)),
//! ])?;
//! assert_eq!(template.render(&bindings, Escape::None)?, "Red Mug, 12 orders");
//! assert_eq!(Guard::new(RulePack::general()).pack().version, "general-1");
//! # Ok::<(), guard::GuardError>(())
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
pub use template::{Branch, Template};
pub(crate) use template::{Origin, Shown};
pub use value::Value;
pub use variant::CompiledVariant;
pub use verdict::{Verdict, VerdictKey};
pub use width::{display_width, post_weight};
