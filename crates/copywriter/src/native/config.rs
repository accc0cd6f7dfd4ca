use serde::{Deserialize, Serialize};

use crate::CopyError;
use crate::network::Sizes;
use crate::setting::{check_heads, check_optimiser, check_shares, is_positive, refuse};

/// Sizes, training settings and decoding settings of the native model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NativeConfig {
    /// Model width D, a multiple of twice `heads`. Default 128.
    pub width: usize,
    /// Number of Transformer blocks, at least 1. Default 3.
    pub layers: usize,
    /// Attention heads of a block. Default 4.
    pub heads: usize,
    /// Width of a block's feed-forward layer. Default 320.
    pub hidden: usize,
    /// Dropout rate, in [0, 1). Default 0.1.
    pub dropout: f64,
    /// Length of the user state that the soft prefix is projected from, at least 1. Default 64.
    pub user_width: usize,
    /// Soft prefix vectors P in front of the prompt, at least 1. Default 2.
    pub prefix_vectors: usize,
    /// Pieces of the vocabulary beside controls, slots and single characters. Default 3,000.
    pub max_pieces: usize,
    /// Pieces of a prompt and text together, at least 32; longer texts are left out. Default 256.
    pub max_tokens: usize,
    /// Words of the product in a prompt. Default 8.
    pub prompt_words: usize,
    /// Texts composed of the clause bank in an epoch. Default 800.
    pub composed_texts: usize,
    /// Product texts of an epoch, drawn at random. Default 400.
    pub product_texts: usize,
    /// Share of templates and products that are held out for validation, in [0, 1). Default 0.1.
    pub validation_share: f64,
    /// Tokens, padding included, of a training batch. Default 2,048.
    pub batch_tokens: usize,
    /// Most epochs. Default 4.
    pub epochs: u64,
    /// Epochs without a lower validation loss after which training stops. Default 2.
    pub patience: u64,
    /// Most optimiser steps; the learning rate falls over the lesser of these and the epochs. Default 10,000.
    pub max_steps: u64,
    /// Highest learning rate. Default 0.004.
    pub learning_rate: f64,
    /// Share of the steps in which the learning rate rises, in [0, 1). Default 0.05.
    pub warmup_share: f64,
    /// Weight decay of the matrices. Default 0.05.
    pub weight_decay: f64,
    /// Norm to which gradients are clipped. Default 1.
    pub clip_norm: f64,
    /// Steps between two checkpoints, at least 1. Default 100.
    pub checkpoint_steps: u64,
    /// Seed of the initial weights, batches and dropout. Default 1.
    pub seed: u64,
    /// How drafts are sampled and judged.
    pub decoding: DecodingConfig,
}

/// How drafts are sampled and judged.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DecodingConfig {
    /// Divisor of the logits, above 0. Default 1.
    pub temperature: f64,
    /// Probability mass of the nucleus, in (0, 1]. Default 0.95.
    pub top_p: f64,
    /// Pieces across the end of a sentence that must have been read together, within the same language, channel,
    /// strategy and evidence; within a sentence all pieces since its beginning must. 0 leaves the model free.
    /// Default 8.
    pub context: usize,
    /// Nats a token, at least 0, by which a draft may be less likely than composed texts that were held out.
    /// Default 1.
    pub max_surprise: f64,
    /// Highest similarity to a text of the library or to another draft, in [0, 1]; see [`super::similarity`].
    /// Default 0.7.
    pub max_similarity: f64,
}

impl Default for DecodingConfig {
    fn default() -> Self {
        Self {
            temperature: 1.0,
            top_p: 0.95,
            context: 8,
            max_surprise: 1.0,
            max_similarity: 0.7,
        }
    }
}

impl Default for NativeConfig {
    fn default() -> Self {
        Self {
            width: 128,
            layers: 3,
            heads: 4,
            hidden: 320,
            dropout: 0.1,
            user_width: 64,
            prefix_vectors: 2,
            max_pieces: 3_000,
            max_tokens: 256,
            prompt_words: 8,
            composed_texts: 800,
            product_texts: 400,
            validation_share: 0.1,
            batch_tokens: 2_048,
            epochs: 4,
            patience: 2,
            max_steps: 10_000,
            learning_rate: 0.004,
            warmup_share: 0.05,
            weight_decay: 0.05,
            clip_norm: 1.0,
            checkpoint_steps: 100,
            seed: 1,
            decoding: DecodingConfig::default(),
        }
    }
}

impl NativeConfig {
    /// A model that trains in seconds, for tests and first tries.
    pub fn small() -> Self {
        Self {
            width: 32,
            layers: 1,
            heads: 2,
            hidden: 64,
            dropout: 0.0,
            user_width: 8,
            max_pieces: 1_500,
            composed_texts: 60,
            product_texts: 40,
            epochs: 2,
            max_steps: 40,
            checkpoint_steps: 5,
            learning_rate: 0.01,
            ..Self::default()
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
            prefix_vectors: self.prefix_vectors,
            max_tokens: self.max_tokens,
            seed: self.seed,
        }
    }

    /// Verifies every field.
    ///
    /// # Errors
    /// [`CopyError::Setting`] for the first field outside its range.
    pub fn check(&self) -> Result<(), CopyError> {
        check_heads(self.width, self.heads)?;
        let counts = [
            ("layers", self.layers, 1),
            ("hidden", self.hidden, 1),
            ("user_width", self.user_width, 1),
            ("prefix_vectors", self.prefix_vectors, 1),
            ("max_pieces", self.max_pieces, 1),
            ("max_tokens", self.max_tokens, 32),
            ("batch_tokens", self.batch_tokens, 1),
            ("epochs", self.epochs as usize, 1),
            ("max_steps", self.max_steps as usize, 1),
            ("checkpoint_steps", self.checkpoint_steps as usize, 1),
        ];
        if let Some((field, value, least)) = counts.into_iter().find(|(_, v, least)| v < least) {
            let expected = if least == 1 {
                "at least 1"
            } else {
                "at least 32"
            };
            return Err(refuse(field, value, expected));
        }
        check_shares(&[
            ("dropout", self.dropout),
            ("validation_share", self.validation_share),
            ("warmup_share", self.warmup_share),
        ])?;
        check_optimiser(self.learning_rate, self.clip_norm, self.weight_decay)?;
        self.decoding.check()
    }
}

impl DecodingConfig {
    /// Verifies every field.
    ///
    /// # Errors
    /// [`CopyError::Setting`] for the first field outside its range.
    pub fn check(&self) -> Result<(), CopyError> {
        if !is_positive(self.temperature) {
            let expected = "a number above 0";
            return Err(refuse("decoding.temperature", self.temperature, expected));
        }
        if !(self.top_p > 0.0 && self.top_p <= 1.0) {
            let expected = "above 0 and at most 1";
            return Err(refuse("decoding.top_p", self.top_p, expected));
        }
        if !(0.0..=1.0).contains(&self.max_similarity) {
            let (field, value) = ("decoding.max_similarity", self.max_similarity);
            return Err(refuse(field, value, "0 to 1"));
        }
        if self.max_surprise.is_nan() || self.max_surprise < 0.0 {
            return Err(refuse(
                "decoding.max_surprise",
                self.max_surprise,
                "0 or more",
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Change = fn(&mut NativeConfig);

    #[test]
    fn bad_settings_are_named() {
        let cases: [(Change, &str); 8] = [
            (
                |c| c.heads = 3,
                "`width` is 128; expected a multiple of twice `heads`, above 0",
            ),
            (|c| c.layers = 0, "`layers` is 0; expected at least 1"),
            (
                |c| c.max_tokens = 8,
                "`max_tokens` is 8; expected at least 32",
            ),
            (
                |c| c.dropout = 1.0,
                "`dropout` is 1; expected 0 or more and below 1",
            ),
            (
                |c| c.clip_norm = f64::NAN,
                "`clip_norm` is NaN; expected a number above 0",
            ),
            (
                |c| c.decoding.top_p = 0.0,
                "`decoding.top_p` is 0; expected above 0 and at most 1",
            ),
            (
                |c| c.decoding.max_similarity = 1.5,
                "`decoding.max_similarity` is 1.5; expected 0 to 1",
            ),
            (
                |c| c.decoding.max_surprise = -0.1,
                "`decoding.max_surprise` is -0.1; expected 0 or more",
            ),
        ];
        for (change, message) in cases {
            let mut config = NativeConfig::default();
            change(&mut config);
            let error = config.check().expect_err(message);
            assert_eq!(error.to_string(), message);
        }
        for config in [NativeConfig::default(), NativeConfig::small()] {
            config.check().expect("the defaults are valid");
        }
    }
}
