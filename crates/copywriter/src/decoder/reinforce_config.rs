use std::num::NonZeroU64;

use nn::TrainingSettings;
use serde::{Deserialize, Serialize};

use super::decoding::{DecodingConfig, Search};
use crate::CopyError;
use crate::setting::{check_optimiser, check_shares, refuse};

/// The name of the validation's figure: the mean worth of a greedy text.
pub const REWARD: &str = "reward";

/// How a model learns from what its texts are worth; see [`super::reinforce`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReinforceConfig {
    /// Most epochs. Default 4.
    pub epochs: u64,
    /// Meanings of an epoch; each draws its own. Default 2,000.
    pub meanings_per_epoch: usize,
    /// Epochs without texts of more worth after which training stops. Default 2.
    pub patience: u64,
    /// Meanings M of a step. Default 16.
    pub meanings: usize,
    /// Texts K drawn for a meaning, at least 2. Default 8.
    pub drafts: usize,
    /// What a nat of distance from the model before costs, β: 0 for no leash. Default 0.005.
    pub kl_coefficient: f64,
    /// Tokens that a text may have. Default 128.
    pub max_tokens: usize,
    /// Highest learning rate. Default 0.0003.
    pub learning_rate: f64,
    /// Share of the steps in which the learning rate rises, in [0, 1). Default 0.05.
    pub warmup_share: f64,
    /// Norm to which gradients are clipped. Default 1.
    pub clip_norm: f64,
    /// Steps between two checkpoints, at least 1. Default 50.
    pub checkpoint_steps: u64,
    /// Seed of the order and of the draws. Default 1.
    pub seed: u64,
}

impl Default for ReinforceConfig {
    fn default() -> Self {
        Self {
            epochs: 4,
            meanings_per_epoch: 2_000,
            patience: 2,
            meanings: 16,
            drafts: 8,
            kl_coefficient: 0.005,
            max_tokens: 128,
            learning_rate: 3e-4,
            warmup_share: 0.05,
            clip_norm: 1.0,
            checkpoint_steps: 50,
            seed: 1,
        }
    }
}

impl ReinforceConfig {
    /// Verifies every field.
    ///
    /// # Errors
    /// [`CopyError::Setting`] for the first field outside its range.
    pub fn check(&self) -> Result<(), CopyError> {
        let counts = [
            ("epochs", self.epochs as usize, 1, "at least 1"),
            (
                "meanings_per_epoch",
                self.meanings_per_epoch,
                1,
                "at least 1",
            ),
            ("meanings", self.meanings, 1, "at least 1"),
            (
                "drafts",
                self.drafts,
                2,
                "at least 2, since texts are compared",
            ),
            ("max_tokens", self.max_tokens, 1, "at least 1"),
            (
                "checkpoint_steps",
                self.checkpoint_steps as usize,
                1,
                "at least 1",
            ),
        ];
        for (field, value, least, expected) in counts {
            if value < least {
                return Err(refuse(field, value, expected));
            }
        }
        if !(self.kl_coefficient.is_finite() && self.kl_coefficient >= 0.0) {
            return Err(refuse("kl_coefficient", self.kl_coefficient, "0 or more"));
        }
        check_shares(&[("warmup_share", self.warmup_share)])?;
        check_optimiser(self.learning_rate, self.clip_norm, 0.0)
    }

    /// A way of writing within the room of a text.
    pub(super) fn decoding(&self, search: Search) -> DecodingConfig {
        DecodingConfig {
            search,
            max_tokens: self.max_tokens,
            ..DecodingConfig::default()
        }
    }

    pub(super) fn training(&self, fingerprint: String) -> TrainingSettings {
        TrainingSettings {
            fingerprint,
            epochs: self.epochs,
            max_steps: u64::MAX,
            patience: self.patience,
            accumulation: NonZeroU64::MIN,
            checkpoint_steps: self.checkpoint_steps,
            learning_rate: self.learning_rate,
            learning_rate_floor: 0.0,
            warmup_share: self.warmup_share,
            weight_decay: 0.0,
            clip_norm: self.clip_norm,
            metric: REWARD,
            lower_is_better: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_settings_are_named() {
        type Change = fn(&mut ReinforceConfig);
        let cases: [(Change, &str); 3] = [
            (
                |c| c.drafts = 1,
                "`drafts` is 1; expected at least 2, since texts are compared",
            ),
            (
                |c| c.kl_coefficient = -1.0,
                "`kl_coefficient` is -1; expected 0 or more",
            ),
            (
                |c| c.learning_rate = 0.0,
                "`learning_rate` is 0; expected a number above 0",
            ),
        ];
        ReinforceConfig::default()
            .check()
            .expect("the defaults are valid");
        for (change, message) in cases {
            let mut config = ReinforceConfig::default();
            change(&mut config);
            assert_eq!(config.check().expect_err(message).to_string(), message);
        }
    }
}
