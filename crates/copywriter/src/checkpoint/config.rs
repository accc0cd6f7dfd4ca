use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::CopyError;
use crate::sampling::Chance;
use crate::setting::{check_shares, is_positive, refuse};

/// Which model writes, in which form it is kept in memory, and how its answers are drawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CheckpointConfig {
    /// Folder of the model in the Hugging Face layout: `config.json`, safetensors and `tokenizer.json`. Default `model`.
    pub folder: PathBuf,
    /// How the weights are kept in memory. Default `int8`.
    pub precision: CheckpointPrecision,
    /// How a conversation is written for the model. Default `auto`.
    pub chat: Chat,
    /// Folder of an adapter in PEFT's layout, such as `hawker train adapter` writes. Default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adapter: Option<PathBuf>,
    /// Tokens of an answer, at least 1. Default 400.
    pub max_tokens: usize,
    /// Longest time for all answers to a brief, in milliseconds, at least 1. Default 120,000.
    pub timeout_ms: u64,
    /// Divisor of the logits, above 0. Default 0.8.
    pub temperature: f64,
    /// Probability mass of the nucleus, in (0, 1] (Holtzman et al., 2020). Default 1.
    pub top_p: f64,
    /// Least probability as a share of the likeliest token's, in [0, 1) (Nguyen et al., "Min-p Sampling", 2024). Default
    /// 0.1.
    pub min_p: f64,
}

/// How weights are kept in memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckpointPrecision {
    /// 8 bits with a scale a row: a quarter of the memory, and faster.
    #[default]
    Int8,
    /// Single precision.
    F32,
}

/// How a conversation is written for a model. Templates in Jinja are not run: the common families are known by name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Chat {
    /// By the special tokens of the tokenizer.
    #[default]
    Auto,
    /// `<|im_start|>role` … `<|im_end|>`, as Qwen writes it.
    Chatml,
    /// `<|start_header_id|>role<|end_header_id|>` … `<|eot_id|>`, as Llama 3 writes it, without its lines on dates.
    Llama3,
    /// No special tokens: rules, data and the cue `Answer:`.
    Plain,
}

impl Default for CheckpointConfig {
    fn default() -> Self {
        Self {
            folder: PathBuf::from("model"),
            precision: CheckpointPrecision::default(),
            chat: Chat::default(),
            adapter: None,
            max_tokens: 400,
            timeout_ms: 120_000,
            temperature: 0.8,
            top_p: 1.0,
            min_p: 0.1,
        }
    }
}

impl CheckpointConfig {
    /// Verifies every field; the folders are looked at when the model is opened.
    ///
    /// # Errors
    /// [`CopyError::Setting`] for the first field outside its range.
    pub fn check(&self) -> Result<(), CopyError> {
        if self.max_tokens == 0 {
            return Err(refuse("checkpoint.max_tokens", 0, "at least 1"));
        }
        if self.timeout_ms == 0 {
            return Err(refuse("checkpoint.timeout_ms", 0, "at least 1"));
        }
        if !is_positive(self.temperature) {
            let field = "checkpoint.temperature";
            return Err(refuse(field, self.temperature, "a number above 0"));
        }
        if !(self.top_p > 0.0 && self.top_p <= 1.0) {
            let field = "checkpoint.top_p";
            return Err(refuse(field, self.top_p, "above 0 and at most 1"));
        }
        check_shares(&[("checkpoint.min_p", self.min_p)])
    }

    pub(super) fn chance(&self) -> Chance {
        Chance {
            temperature: self.temperature,
            top_p: self.top_p,
            min_p: self.min_p,
        }
    }
}

impl From<CheckpointPrecision> for nn::inference::Precision {
    fn from(precision: CheckpointPrecision) -> Self {
        match precision {
            CheckpointPrecision::Int8 => Self::Int8,
            CheckpointPrecision::F32 => Self::F32,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_setting_has_its_range() {
        type Change = fn(&mut CheckpointConfig);
        let cases: [(Change, &str); 5] = [
            (
                |c| c.max_tokens = 0,
                "`checkpoint.max_tokens` is 0; expected at least 1",
            ),
            (
                |c| c.timeout_ms = 0,
                "`checkpoint.timeout_ms` is 0; expected at least 1",
            ),
            (
                |c| c.temperature = f64::NAN,
                "`checkpoint.temperature` is NaN; expected a number above 0",
            ),
            (
                |c| c.top_p = 0.0,
                "`checkpoint.top_p` is 0; expected above 0 and at most 1",
            ),
            (
                |c| c.min_p = 1.0,
                "`checkpoint.min_p` is 1; expected 0 or more and below 1",
            ),
        ];
        for (change, message) in cases {
            let mut config = CheckpointConfig::default();
            change(&mut config);
            let error = config.check().expect_err(message);
            assert_eq!(error.to_string(), message);
        }
        CheckpointConfig::default()
            .check()
            .expect("the defaults are valid");
    }

    #[test]
    fn a_file_may_name_what_it_changes_alone() {
        let config: CheckpointConfig =
            toml::from_str("folder = \"qwen\"\nchat = \"chatml\"\nprecision = \"f32\"")
                .expect("known keys");
        assert_eq!(config.chat, Chat::Chatml);
        assert_eq!(config.precision, CheckpointPrecision::F32);
        let error = toml::from_str::<CheckpointConfig>("model = \"x\"").expect_err("unknown");
        assert!(error.message().starts_with("unknown field `model`"));
    }
}
