//! The user model: a causal Transformer over a shopper's interactions, with its training.
//!
//! [`train`] fits a [`UserModel`] to a corpus; the model gives a shopper's state, scores for every item, interests and
//! purchase probabilities. The files follow the data: `history` (interactions → blocks of tokens) → `window` (what is
//! read at once and asked) → `batch` (tensors) → `network` (states and scores) → `loss` → `train`.

mod batch;
mod config;
mod history;
mod loss;
mod model;
mod network;
mod plan;
mod popularity;
mod record;
mod text_features;
mod train;
mod validation;
mod vocabulary;
mod window;

#[cfg(test)]
mod tests;

pub use config::{LossWeights, UserModelConfig};
pub use model::{Interest, Interests, ScoreParts, UserModel};
pub use record::{EpochRecord, Progress, TrainingRecord};
pub use train::{Training, train};
