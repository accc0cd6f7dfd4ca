//! The provider `native`: a small decoder language model that writes templates in English and Chinese.
//!
//! [`train`] fits a [`Native`] to [`TrainingTexts`]; [`Native::write`] answers a [`Brief`] with judged [`Drafts`], each an
//! [`events::CopyVariant`]. The files follow the data: `text` and `delexicalise` (products and templates → texts whose
//! facts are slots) → `vocabulary` and `sequence` (tokens) → `corpus` and `batch` → `network` → `train`; then
//! `fence` and `sample` (what may be written next, and what is) → `write` (judged drafts).
//!
//! The objective is the next token's cross-entropy, −log `P_φ(t | ŷ)` with ŷ the shopper's state.
//!
//! Source: Touvron et al., "`LLaMA`: Open and Efficient Foundation Language Models", 2023, for the decoder; Li and Liang,
//! "Prefix-Tuning", 2021, for the soft prefix. How this differs from the papers: the input table serves as output
//! weights too; the prefix is a linear map of the user state instead of free vectors, and stands before the input
//! instead of in every layer; channel, language, strategy and evidence are control tokens (Keskar et al., "CTRL", 2019).
//!
//! What keeps it honest is not the model but the fence around it: slots instead of values, no digit and no currency
//! sign, and only turns of phrase that were read in texts with the same evidence.
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
//!     let drafts = model.write(&brief, &Guard::new(RulePack::general()))?;
//!     assert_eq!(drafts.approved.len() + drafts.refused.len(), 4);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod attested;
mod batch;
mod compose;
mod config;
mod control;
mod corpus;
mod delexicalise;
mod drafts;
mod evidence;
mod fence;
mod model;
mod network;
mod novelty;
mod piece;
mod quotes;
mod record;
mod sample;
mod sequence;
mod text;
mod train;
mod vocabulary;
mod write;

pub use config::{DecodingConfig, NativeConfig};
pub use drafts::{Draft, DraftFigures, Drafts, Refused};
pub use evidence::Evidence;
pub use model::Native;
pub use novelty::{Outline, similarity};
pub use record::{EpochRecord, Progress, TrainingRecord, Validation};
pub use text::{Field, ProductText, StyleText, TrainingTexts};
pub use train::{Training, train};
pub use write::{APPROVED_BY, Brief, PROVIDER};
