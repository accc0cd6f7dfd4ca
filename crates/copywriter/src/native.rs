//! The provider `native`: a small decoder language model that writes templates in English and Chinese.
//!
//! [`train`] fits a [`Native`] to [`TrainingTexts`]; [`Native::write`] answers a [`Brief`] with judged [`Drafts`], each an
//! [`events::CopyVariant`]. The files follow the data: `text`, `delexicalise` and `compose` (templates, products and
//! clauses → texts whose facts are slots) → `vocabulary` and `sequence` (tokens) → `corpus` and `batch` → `network` →
//! `train`; then `fence` and `sample` (what may be written next, and what is) → `write` → `judge`.
//!
//! The objective is the next token's cross-entropy, −log `P_φ(t | ŷ)` with ŷ the shopper's state.
//!
//! Source: Touvron et al., "`LLaMA`: Open and Efficient Foundation Language Models", 2023, for the decoder; Li and Liang,
//! "Prefix-Tuning", 2021, for the soft prefix. How this differs from the papers: the input table serves as output
//! weights too; the prefix is a linear map of the user state instead of free vectors, and stands before the input
//! instead of in every layer; channel, language, strategy and evidence are control tokens (Keskar et al., "CTRL", 2019).
//!
//! # What the model decides, and what it does not
//! A shop's texts and the library are some ten thousand words: too few to learn a language from. Left alone the model
//! writes gibberish (see `LOG.md`), so it writes inside a fence (`fence`, `attested`):
//! - It chooses and orders *sentences*. Each is one that it read, in the library or composed of the clause bank
//!   (`library/clauses`), and it follows only what such a sentence followed. What is new is their combination.
//! - A sentence is used only with the *evidence* that makes it true: "others chose this" where a count of orders is shown.
//! - Facts are slots; a digit, a currency sign or a slot without a value cannot be written.
//! - Of a product's own description it may *quote* clauses, word for word; which ones is the model's choice, and such a
//!   draft speaks of that product alone.
//! - Each value is taken at its longest, so a text fits its field whatever is bound.
//!
//! With more text the fence can be widened by one setting, [`DecodingConfig::context`].
//!
//! ```
//! use std::ops::ControlFlow;
//! use copywriter::native::{Brief, NativeConfig, Training, TrainingTexts, train};
//! use events::{Channel, Language, Strategy};
//! use guard::{Guard, RulePack};
//!
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path();
//! let texts = TrainingTexts::from_library()?;
//! let config = NativeConfig { max_steps: 1, ..NativeConfig::small() };
//! let run = train(&texts, &config, folder, &mut |_| ControlFlow::Continue(()))?;
//! if let Training::Finished(model, _) = run {
//!     let brief = Brief {
//!         channel: Channel::Push,
//!         language: Language::En,
//!         strategy: Strategy::Novelty,
//!         product: None,
//!         user_state: None,
//!         seed: 1,
//!         count: 4,
//!     };
//!     let drafts = model.write(&brief, &Guard::new(RulePack::built_in()))?;
//!     assert_eq!(drafts.approved.len() + drafts.refused.len(), 4);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod attested;
mod clauses;
mod compose;
mod config;
mod control;
mod corpus;
mod delexicalise;
mod drafts;
mod echo;
mod evidence;
mod fence;
mod judge;
mod model;
mod novelty;
mod piece;
mod quotes;
mod ruler;
mod rules;
mod sample;
mod sequence;
mod text;
mod train;
mod vocabulary;
mod write;

#[cfg(test)]
mod tests;

pub use nn::{Done, EpochRecord, Progress, Training, TrainingRecord};

pub use config::{DecodingConfig, NativeConfig};
pub use drafts::{Draft, DraftFigures, Drafts, Refused};
pub use evidence::Evidence;
pub use model::{LOSS_ALL, LOSS_COMPOSED, LOSS_PRODUCTS, LOSS_TEMPLATES, Native};
pub use novelty::{Outline, similarity};
pub use text::{Field, ProductText, StyleText, TrainingTexts};
pub use train::train;
pub use write::{APPROVED_BY, Brief, PROVIDER};
