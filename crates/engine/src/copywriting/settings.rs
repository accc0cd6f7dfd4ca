use std::path::Path;

use copywriter::decoder::{Consensus, CopywriterConfig, DecodingConfig, ReinforceConfig, Search};
use serde::{Deserialize, Serialize};

use super::rewards::RewardSettings;
use crate::error::{EngineError, Result};

/// How texts of a public set are learnt and written.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CopySettings {
    /// The language model.
    pub model: CopywriterConfig,
    /// How it goes on learning from what its own texts are worth, if it does.
    pub reinforce: Option<ReinforceConfig>,
    /// What they are worth; the defaults where absent.
    pub reward: Option<RewardSettings>,
    /// How its texts are drawn and chosen.
    pub drafts: DraftSettings,
}

/// How texts are drawn and chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DraftSettings {
    /// Texts that the beam follows at once. Default 8.
    pub beam: usize,
    /// Exponent of the length by which a beam's log-probabilities are divided. Default 1.
    pub length_penalty: f64,
    /// Texts drawn at random, whose agreement decides. Default 64.
    pub samples: usize,
    /// Divisor of their logits, above 0. Default 1.
    pub temperature: f64,
    /// Probability mass of their nucleus, in (0, 1]. Default 0.9.
    pub top_p: f64,
    /// Texts R with one of which an n-gram must be shared; see [`copywriter::decoder::Consensus`]. Default 4.
    pub references: f64,
    /// Whether a text must name every exact value. Default true.
    pub require_slots: bool,
    /// What a slot gains in log-probability while a text has not used it. Default 0.
    pub slot_bonus: f64,
    /// Whether a text may not state a value of a property that its facts do not have. Default false.
    pub forbid_unfounded: bool,
    /// How much unlikeness counts beside quality among the drafts that are shown, in [0, 1]; see
    /// [`copywriter::decoder::different`]. Default 0.3.
    pub difference: f64,
    /// Length of the runs of tokens that a text may have only once; 0 allows every repetition. Default 0.
    pub no_repeat: usize,
    /// Tokens that a text may have. Default 128.
    pub max_tokens: usize,
    /// Seed of the draws. Default 1.
    pub seed: u64,
}

impl Default for DraftSettings {
    fn default() -> Self {
        Self {
            beam: 8,
            length_penalty: 1.0,
            samples: 64,
            temperature: 1.0,
            top_p: 0.9,
            references: 4.0,
            require_slots: true,
            slot_bonus: 0.0,
            forbid_unfounded: false,
            difference: 0.3,
            no_repeat: 0,
            max_tokens: 128,
            seed: 1,
        }
    }
}

impl CopySettings {
    /// Refuses settings that cannot be meant, before anything is learnt.
    pub(super) fn check(&self) -> Result<()> {
        self.model.check()?;
        if let Some(reinforce) = &self.reinforce {
            reinforce.check()?;
        }
        if let Some(reward) = &self.reward {
            reward.check()?;
            if self.reinforce.is_none() {
                return Err(EngineError::NotReady {
                    missing: "[reward] says what texts are worth, and nothing learns from that"
                        .to_owned(),
                    remedy: "add [reinforce], which may be empty, or leave [reward] out".to_owned(),
                });
            }
        }
        self.drafts.check()
    }

    /// How the model goes on learning from its own texts and what they are worth, if it does.
    pub(super) fn reinforcement(&self) -> Option<(&ReinforceConfig, RewardSettings)> {
        let config = self.reinforce.as_ref()?;
        Some((config, self.reward.clone().unwrap_or_default()))
    }
}

impl DraftSettings {
    /// The likeliest texts.
    pub(super) fn beam(&self) -> DecodingConfig {
        self.decoding(Search::Beam {
            width: self.beam,
            groups: 1,
            diversity: 0.0,
            length_penalty: self.length_penalty,
        })
    }

    /// The texts whose agreement decides.
    pub(super) fn draws(&self) -> DecodingConfig {
        self.decoding(Search::Sample {
            count: self.samples,
            temperature: self.temperature,
            top_p: self.top_p,
            min_p: 0.0,
        })
    }

    /// How the agreement of drawn texts is counted.
    pub(super) fn consensus(&self) -> Consensus {
        Consensus {
            references: self.references,
        }
    }

    /// What holds however tokens are chosen, and whatever the facts are.
    pub(super) fn decoding(&self, search: Search) -> DecodingConfig {
        DecodingConfig {
            search,
            slot_bonus: self.slot_bonus,
            no_repeat: self.no_repeat,
            max_tokens: self.max_tokens,
            ..DecodingConfig::default()
        }
    }

    /// Refuses ways of writing in which no text could be written.
    pub(super) fn check(&self) -> Result<()> {
        if !(0.0..=1.0).contains(&self.difference) {
            return Err(EngineError::Copy(copywriter::CopyError::Setting {
                field: "difference",
                value: self.difference.to_string(),
                expected: "a share from 0 to 1",
            }));
        }
        self.beam().check()?;
        Ok(self.draws().check()?)
    }
}

/// The settings of a public set: the defaults, under what a TOML file says.
///
/// # Errors
/// [`EngineError::Config`] where the file cannot be read or has a key or value that does not fit.
pub fn copy_settings(path: Option<&Path>) -> Result<CopySettings> {
    let Some(path) = path else {
        return Ok(CopySettings::default());
    };
    let text = std::fs::read_to_string(path).map_err(EngineError::io("read", path))?;
    let settings: CopySettings = toml::from_str(&text).map_err(|error| EngineError::Config {
        path: path.to_owned(),
        problem: error.to_string(),
        remedy:
            "its tables are [model], [reinforce], [reward] and [drafts]; see `bench/copy/advertisegen.toml`"
                .to_owned(),
    })?;
    settings.check()?;
    Ok(settings)
}
