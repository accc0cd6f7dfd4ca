//! Losses: one scalar from a model's output.

mod binary_cross_entropy;
mod cross_entropy;
mod linear_cross_entropy;

pub use binary_cross_entropy::binary_cross_entropy;
pub use cross_entropy::{cross_entropy, cross_entropy_adjusted, cross_entropy_soft};
pub use linear_cross_entropy::linear_cross_entropy;
