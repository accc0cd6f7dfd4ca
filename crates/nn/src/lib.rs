//! Tensors: layers, losses, optimisers, schedules and checkpoints on top of candle.
//!
//! The main type is [`ParameterStore`]: named, seeded, trainable tensors. Layers ([`Linear`], [`Embedding`],
//! [`RmsNorm`], [`MultiHeadAttention`], …) take their parameters from it, losses turn their output into a scalar,
//! [`AdamW`] moves the parameters, and [`Checkpoint`] writes all of it so that a resumed run is bit-identical to one
//! that was never stopped. [`train`] is the loop around them for whatever is a [`TrainingTask`],
//! [`EventFile`] shows a run in `TensorBoard` while it goes on, [`scan`] finds the rows of a trained
//! table that score best for a query, and [`hugging_face`] reads and writes the checkpoints of Llama and Qwen2.
//!
//! Shapes are written with one alphabet throughout the workspace: B batch, T time, D model width, H heads,
//! V vocabulary, K candidates, N rows of whatever else.
//!
//! ```
//! use nn::{AdamW, AdamWConfig, Device, Linear, ParameterStore, Tensor, losses};
//!
//! let mut store = ParameterStore::new(7, &Device::Cpu);
//! let layer = Linear::new(&mut store, "head", 2, 3, true)?;
//! let mut optimiser = AdamW::new(AdamWConfig::default());
//! let x = Tensor::new(&[[1f32, 0.], [0., 1.]], &Device::Cpu)?;
//! let loss = losses::cross_entropy(&layer.forward(&x)?, &[2, 0], 0.0)?;
//! optimiser.step(&store, &loss.backward()?, 0.1, 1.0)?;
//! let after = losses::cross_entropy(&layer.forward(&x)?, &[2, 0], 0.0)?;
//! assert!(after.to_scalar::<f32>()? < loss.to_scalar::<f32>()?);
//! # Ok::<(), nn::NnError>(())
//! ```
//!
//! This crate never draws from a global random generator and never reads a clock: seeds and steps are arguments.

mod checkpoint;
mod durable;
mod error;
mod event_file;
mod gradients;
pub mod hugging_face;
pub mod inference;
mod init;
mod kernels;
mod layers;
pub mod losses;
mod models;
mod optimisers;
mod parameters;
mod per_example;
mod random;
pub mod scan;
mod shards;
pub mod simd;
mod softmax;
mod sparse_matrix;
mod threads;
mod training;

#[cfg(test)]
mod golden;

pub use candle_core::backprop::GradStore;
pub use candle_core::{D, DType, Device, Tensor, Var};

pub use checkpoint::{Checkpoint, TrainingState};
pub use durable::{TensorFile, read_checked_json, replace_file, write_checked_json};
pub use error::NnError;
pub use event_file::EventFile;
pub use gradients::{NamedGradients, global_norm};
pub use init::Init;
pub use kernels::mixture::{MixtureTables, add_mixture};
pub use kernels::recurrent::Cell;
pub use layers::attention::{
    KeyValueCache, MultiHeadAttention, MultiHeadAttentionConfig, Positions,
};
pub use layers::cross::CrossLayer;
pub use layers::dropout::{Dropout, Pass};
pub use layers::embedding::{Embedding, look_up};
pub use layers::feed_forward::{GeluFeedForward, SwiGlu};
pub use layers::layer_norm::LayerNorm;
pub use layers::linear::Linear;
pub use layers::lora::{LoraConfig, LoraLinear};
pub use layers::mask::Mask;
pub use layers::mlp::Mlp;
pub use layers::recurrent::Recurrent;
pub use layers::rms_norm::RmsNorm;
pub use layers::rotary::Rotary;
pub use layers::rotary_scaling::RotaryScaling;
pub use layers::transformer_block::{TransformerBlock, TransformerBlockConfig};
pub use models::decoder::{Decoder, DecoderConfig, LoraTarget};
pub use optimisers::adamw::{AdamW, AdamWConfig};
pub use optimisers::schedule::WarmupCosine;
pub use parameters::{Parameter, ParameterStore};
pub use per_example::{PerExample, per_example_gradients};
pub use random::{generator, name_seed};
pub use shards::{SHARDS, sharded_gradients};
pub use softmax::{log_softmax, log_sum_exp, softmax};
pub use sparse_matrix::SparseMatrix;
pub use threads::one_thread_per_operation;
pub use training::record::{Done, EpochRecord, Figures, Progress, Training, TrainingRecord};
pub use training::settings::{TrainingSettings, run_fingerprint};
pub use training::task::{BatchGradients, BatchPlace, TrainingTask};
pub use training::train;
