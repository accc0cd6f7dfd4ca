//! The user model: a causal Transformer over a shopper's interactions, with its training.
//!
//! [`train`] fits a [`UserModel`] to a corpus; the model gives a shopper's state, scores for every item, interests and
//! purchase probabilities. The files follow the data: `history` (interactions → blocks of tokens) → `window` (what is
//! read at once and asked) → `batch` (tensors) → `network` (states and scores) → `loss` → `train`.
//!
//! ```
//! use std::ops::ControlFlow;
//! use recommender::user_model::{Training, UserModelConfig, train};
//! use recommender::{Corpus, Interaction, InteractionKind, Item, Scorer, Sequence};
//!
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path();
//! let line = |item, at_s| Interaction { item, kind: InteractionKind::Purchase, at_s, order: None };
//! let corpus = Corpus {
//!     items: ["tea", "pot"].map(|id| Item { id: id.into(), title: id.into(), ..Item::default() }).into(),
//!     sequences: vec![Sequence { user: events::Pseudonym([1; 16]), interactions: vec![line(0, 10), line(1, 20)] }],
//!     ..Corpus::default()
//! };
//! let config = UserModelConfig { epochs: 1, ..UserModelConfig::default() };
//! let run = train(&corpus, None, &config, folder, &mut |_| ControlFlow::Continue(()))?;
//! if let Training::Finished(model, _) = run {
//!     assert_eq!(model.scores(&[&[line(0, 10)]], 30)?[0].len(), 2);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod batch;
mod config;
mod encoder;
mod gradients;
mod history;
mod loss;
mod model;
mod network;
mod plan;
mod popularity;
mod reasons;
mod retrieval;
mod sampling;
mod text_features;
mod train;
mod update;
mod validation;
mod vocabulary;
mod window;

#[cfg(test)]
mod tests;

pub use nn::{Done, EpochRecord, Progress, Training, TrainingRecord};

pub use config::{LossWeights, Objective, UserModelConfig, WeakLabels};
pub use encoder::EncoderKind;
pub use model::{Interest, Interests, ScoreParts, UserModel};
pub use reasons::{EventReason, FieldReasons, Reasons};
pub use retrieval::ItemRows;
pub use train::{VALIDATION_NDCG, train};
pub use update::{UpdateSettings, update};
