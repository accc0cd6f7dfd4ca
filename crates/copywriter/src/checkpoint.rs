//! The provider `checkpoint`: copy from a language model on this machine, such as a small Llama or Qwen2.
//!
//! [`Checkpoint::write`] answers a [`Brief`](crate::brief::Brief) with [`Written`](crate::brief::Written): the model is told
//! the same and judged by the same as one on a server, see [`crate::brief`]. [`fine_tune`] teaches such a model the texts
//! that a shop has approved: an adapter of low rank in PEFT's layout, which is merged into the weights when the model is
//! opened. The files follow the data: `vocabulary` (text into tokens, by the model's own files) → `write` (draws answers and
//! has them judged); `lesson` (an approved text as the answer to its brief) → `fine_tune` (the adapter).
//!
//! ```
//! use copywriter::checkpoint::{Checkpoint, CheckpointConfig};
//!
//! let config = CheckpointConfig { folder: "no/such/model".into(), ..CheckpointConfig::default() };
//! let error = Checkpoint::open(config).expect_err("there is no such folder");
//! assert!(error.to_string().starts_with("cannot read `no/such/model/config.json`"));
//! ```
//!
//! This module never opens a connection, runs a template of a model or shows a text.

mod config;
mod fine_tune;
mod lesson;
mod vocabulary;
mod write;

pub use config::{Chat, CheckpointConfig, CheckpointPrecision};
pub use fine_tune::{LoraTraining, fine_tune};
pub use lesson::Lesson;
pub use write::{Checkpoint, PROVIDER};
