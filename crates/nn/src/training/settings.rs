use std::num::NonZeroU64;

/// How a task is trained.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainingSettings {
    /// Tells the data and the settings of this run apart from others; see [`run_fingerprint`].
    pub fingerprint: String,
    /// Most epochs.
    pub epochs: u64,
    /// Most optimiser steps.
    pub max_steps: u64,
    /// Epochs without a better deciding figure after which training ends.
    pub patience: u64,
    /// Batches whose mean gradient makes one optimiser step: a larger batch in the memory of a small one.
    pub accumulation: NonZeroU64,
    /// Steps between two checkpoints; 0 for one an epoch.
    pub checkpoint_steps: u64,
    /// Highest learning rate.
    pub learning_rate: f64,
    /// Learning rate at the end.
    pub learning_rate_floor: f64,
    /// Share of the steps in which the learning rate rises, in [0, 1).
    pub warmup_share: f64,
    /// Weight decay of the matrices.
    pub weight_decay: f64,
    /// Norm to which gradients are clipped; infinity for no clipping.
    pub clip_norm: f64,
    /// The name of the figure that decides which epoch is kept.
    pub metric: &'static str,
    /// Whether a lower value of it is better, as for a loss.
    pub lower_is_better: bool,
}

/// Names settings and data so that equal runs have equal names: a chain of hashes over their texts.
pub fn run_fingerprint(settings: &str, data: impl IntoIterator<Item = String>) -> String {
    let chain = |hash: u64, part: String| crate::name_seed(&format!("{hash:x}{part}"));
    let hash = data.into_iter().fold(crate::name_seed(settings), chain);
    format!("{hash:016x}")
}
