//! Losses: one scalar from a model's output.

mod binary_cross_entropy;
mod bpr;
mod cross_entropy;
mod distillation;
mod gbce;
mod linear_cross_entropy;
mod log_sigmoid;
mod multi_task;
mod negatives;
mod sampled_softmax;

pub use binary_cross_entropy::binary_cross_entropy;
pub use bpr::bayesian_personalised_ranking;
pub use cross_entropy::{cross_entropy, cross_entropy_adjusted, cross_entropy_soft};
pub use distillation::{DistillationConfig, distillation, distillation_divergence};
pub use gbce::{gbce, gbce_beta};
pub use linear_cross_entropy::linear_cross_entropy;
pub use multi_task::{UncertaintyWeights, weighted_losses};
pub use negatives::{NegativeSampler, Negatives, accidental_hits};
pub use sampled_softmax::{Correction, sampled_softmax};
