use std::num::NonZeroU64;

use nn::TrainingSettings;
use serde::{Deserialize, Serialize};

use super::model::LOSS;
use crate::CopyError;
use crate::network::Sizes;
use crate::setting::{check_heads, check_optimiser, check_shares, refuse};

/// The learning rate at the end, as a share of the highest.
const FLOOR: f64 = 0.02;

/// Sizes and training settings of a [`super::Copywriter`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CopywriterConfig {
    /// Tokens of the tokenizer, 256 bytes and the special ones among them. Default 4,096.
    pub vocabulary: usize,
    /// Model width D, a multiple of twice `heads`. Default 192.
    pub width: usize,
    /// Number of Transformer blocks, at least 1. Default 4.
    pub layers: usize,
    /// Attention heads of a block. Default 4.
    pub heads: usize,
    /// Width of a block's feed-forward layer. Default 512.
    pub hidden: usize,
    /// Dropout rate, in [0, 1). Default 0.1.
    pub dropout: f64,
    /// Share of the probability that training spreads over all tokens, in [0, 1). Default 0.1.
    pub label_smoothing: f64,
    /// Length U of the user state; 0 for a model that reads none. Default 0.
    pub user_width: usize,
    /// Soft prefix vectors P in front of the prompt, where there is a user state. Default 4.
    pub prefix_vectors: usize,
    /// Tokens of facts and text together, at least 32; longer examples are left out. Default 256.
    pub max_tokens: usize,
    /// Tokens, padding included, of a training batch. Default 2,048.
    pub batch_tokens: usize,
    /// Most epochs. Default 8.
    pub epochs: u64,
    /// Epochs without a lower validation loss after which training stops. Default 2.
    pub patience: u64,
    /// Most optimiser steps; the learning rate falls over the lesser of these and the epochs. Default 100,000.
    pub max_steps: u64,
    /// Highest learning rate. Default 0.002.
    pub learning_rate: f64,
    /// Share of the steps in which the learning rate rises, in [0, 1). Default 0.05.
    pub warmup_share: f64,
    /// Weight decay of the matrices. Default 0.05.
    pub weight_decay: f64,
    /// Norm to which gradients are clipped. Default 1.
    pub clip_norm: f64,
    /// Steps between two checkpoints, at least 1. Default 500.
    pub checkpoint_steps: u64,
    /// Seed of the initial weights, batches and dropout. Default 1.
    pub seed: u64,
}

impl Default for CopywriterConfig {
    fn default() -> Self {
        Self {
            vocabulary: 4_096,
            width: 192,
            layers: 4,
            heads: 4,
            hidden: 512,
            dropout: 0.1,
            label_smoothing: 0.1,
            user_width: 0,
            prefix_vectors: 4,
            max_tokens: 256,
            batch_tokens: 2_048,
            epochs: 8,
            patience: 2,
            max_steps: 100_000,
            learning_rate: 0.002,
            warmup_share: 0.05,
            weight_decay: 0.05,
            clip_norm: 1.0,
            checkpoint_steps: 500,
            seed: 1,
        }
    }
}

impl CopywriterConfig {
    /// The soft prefix vectors that there are.
    pub(super) fn prefix(&self) -> usize {
        if self.user_width == 0 {
            0
        } else {
            self.prefix_vectors
        }
    }

    /// Verifies every field.
    ///
    /// # Errors
    /// [`CopyError::Setting`] for the first field outside its range.
    pub fn check(&self) -> Result<(), CopyError> {
        check_heads(self.width, self.heads)?;
        let counts = [
            ("vocabulary", self.vocabulary),
            ("layers", self.layers),
            ("hidden", self.hidden),
            ("batch_tokens", self.batch_tokens),
            ("epochs", self.epochs as usize),
            ("max_steps", self.max_steps as usize),
            ("checkpoint_steps", self.checkpoint_steps as usize),
        ];
        if let Some((field, value)) = counts.into_iter().find(|(_, value)| *value == 0) {
            return Err(refuse(field, value, "at least 1"));
        }
        if self.max_tokens < 32 {
            return Err(refuse("max_tokens", self.max_tokens, "at least 32"));
        }
        if self.user_width > 0 && self.prefix_vectors == 0 {
            let expected = "at least 1 where there is a user state";
            return Err(refuse("prefix_vectors", self.prefix_vectors, expected));
        }
        check_shares(&[
            ("dropout", self.dropout),
            ("label_smoothing", self.label_smoothing),
            ("warmup_share", self.warmup_share),
        ])?;
        check_optimiser(self.learning_rate, self.clip_norm, self.weight_decay)
    }

    /// How the training loop runs; `fingerprint` tells data and settings apart from others.
    pub fn training(&self, fingerprint: String) -> TrainingSettings {
        TrainingSettings {
            fingerprint,
            epochs: self.epochs,
            max_steps: self.max_steps,
            patience: self.patience,
            accumulation: NonZeroU64::MIN,
            checkpoint_steps: self.checkpoint_steps,
            learning_rate: self.learning_rate,
            learning_rate_floor: self.learning_rate * FLOOR,
            warmup_share: self.warmup_share,
            weight_decay: self.weight_decay,
            clip_norm: self.clip_norm,
            metric: LOSS,
            lower_is_better: true,
        }
    }

    /// The sizes of the network, for so many tokens.
    pub(super) fn sizes(&self, vocabulary: usize) -> Sizes {
        Sizes {
            vocabulary,
            width: self.width,
            layers: self.layers,
            heads: self.heads,
            hidden: self.hidden,
            dropout: self.dropout,
            user_width: self.user_width,
            prefix_vectors: self.prefix(),
            max_tokens: self.max_tokens,
            seed: self.seed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Change = fn(&mut CopywriterConfig);

    #[test]
    fn bad_settings_are_named() {
        let cases: [(Change, &str); 7] = [
            (
                |c| c.heads = 5,
                "`width` is 192; expected a multiple of twice `heads`, above 0",
            ),
            (|c| c.layers = 0, "`layers` is 0; expected at least 1"),
            (
                |c| c.max_tokens = 8,
                "`max_tokens` is 8; expected at least 32",
            ),
            (
                |c| (c.user_width, c.prefix_vectors) = (8, 0),
                "`prefix_vectors` is 0; expected at least 1 where there is a user state",
            ),
            (
                |c| c.label_smoothing = 1.0,
                "`label_smoothing` is 1; expected 0 or more and below 1",
            ),
            (
                |c| c.learning_rate = f64::NAN,
                "`learning_rate` is NaN; expected a number above 0",
            ),
            (
                |c| c.weight_decay = -1.0,
                "`weight_decay` is -1; expected 0 or more",
            ),
        ];
        CopywriterConfig::default()
            .check()
            .expect("the defaults are valid");
        for (change, message) in cases {
            let mut config = CopywriterConfig::default();
            change(&mut config);
            let error = config.check().expect_err(message);
            assert_eq!(error.to_string(), message);
        }
    }
}
