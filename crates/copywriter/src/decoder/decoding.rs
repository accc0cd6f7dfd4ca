use serde::{Deserialize, Serialize};

use crate::CopyError;
use crate::setting::{check_shares, is_positive, refuse};

/// How texts are searched for and which of them may be written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DecodingConfig {
    /// How tokens are chosen.
    pub search: Search,
    /// Slots that a text must use, by name.
    pub required: Vec<String>,
    /// What a slot gains in log-probability while a text has not used it; in a beam a text keeps it. 0 for none.
    pub slot_bonus: f64,
    /// Phrases that a text may not contain, whatever the case of Latin letters; values in slots are not looked at.
    pub banned: Vec<String>,
    /// Columns of a display that a text may take, slots with their values; letters of Chinese count two. No limit where
    /// absent.
    pub max_width: Option<usize>,
    /// Length of the runs of tokens that a text may have only once; 0 allows every repetition.
    pub no_repeat: usize,
    /// Tokens that a text may have. Default 128.
    pub max_tokens: usize,
}

/// How tokens are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum Search {
    /// The likeliest token each time.
    Greedy,
    /// The texts that the beam found likeliest.
    Beam {
        /// Texts that are followed at once, in all groups.
        width: usize,
        /// Groups that are kept apart from each other (Vijayakumar et al., "Diverse Beam Search", 2018); 1 for a plain
        /// beam.
        groups: usize,
        /// What a token loses for each earlier group that wrote it in the same place.
        diversity: f64,
        /// Exponent of the length by which log-probabilities are divided before beams are compared.
        length_penalty: f64,
    },
    /// Texts drawn at random.
    Sample {
        /// Number of texts.
        count: usize,
        /// Divisor of the logits, above 0.
        temperature: f64,
        /// Probability mass of the nucleus, in (0, 1] (Holtzman et al., 2020).
        top_p: f64,
        /// Least probability as a share of the likeliest token's, in [0, 1) (Nguyen et al., "Min-p Sampling", 2024).
        min_p: f64,
    },
}

impl DecodingConfig {
    /// Verifies every field.
    ///
    /// # Errors
    /// [`CopyError::Setting`] for the first field outside its range.
    pub fn check(&self) -> Result<(), CopyError> {
        if self.banned.iter().any(String::is_empty) {
            return Err(refuse("banned", "an empty phrase", "phrases with letters"));
        }
        if self.max_tokens == 0 {
            return Err(refuse("max_tokens", 0, "at least 1"));
        }
        if !(self.slot_bonus.is_finite() && self.slot_bonus >= 0.0) {
            return Err(refuse("slot_bonus", self.slot_bonus, "0 or more"));
        }
        self.search.check()
    }
}

impl Search {
    fn check(self) -> Result<(), CopyError> {
        match self {
            Self::Greedy => Ok(()),
            Self::Beam {
                width,
                groups,
                diversity,
                length_penalty,
            } => {
                for (field, value) in [("width", width), ("groups", groups)] {
                    if value == 0 {
                        return Err(refuse(field, value, "at least 1"));
                    }
                }
                for (field, value) in [("diversity", diversity), ("length_penalty", length_penalty)]
                {
                    if !(value.is_finite() && value >= 0.0) {
                        return Err(refuse(field, value, "0 or more"));
                    }
                }
                Ok(())
            }
            Self::Sample {
                count: _,
                temperature,
                top_p,
                min_p,
            } => {
                if !is_positive(temperature) {
                    return Err(refuse("temperature", temperature, "a number above 0"));
                }
                if !(top_p > 0.0 && top_p <= 1.0) {
                    return Err(refuse("top_p", top_p, "above 0 and at most 1"));
                }
                check_shares(&[("min_p", min_p)])
            }
        }
    }
}

impl Default for DecodingConfig {
    fn default() -> Self {
        Self {
            search: Search::Beam {
                width: 8,
                groups: 1,
                diversity: 0.0,
                length_penalty: 1.0,
            },
            required: Vec::new(),
            slot_bonus: 0.0,
            banned: Vec::new(),
            max_width: None,
            no_repeat: 0,
            max_tokens: 128,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_settings_are_named() {
        let beam = |width, diversity| Search::Beam {
            width,
            groups: 1,
            diversity,
            length_penalty: 1.0,
        };
        let sample = |temperature, top_p, min_p| Search::Sample {
            count: 1,
            temperature,
            top_p,
            min_p,
        };
        for (search, message) in [
            (beam(0, 0.0), "`width` is 0; expected at least 1"),
            (beam(1, f64::NAN), "`diversity` is NaN; expected 0 or more"),
            (
                sample(0.0, 1.0, 0.0),
                "`temperature` is 0; expected a number above 0",
            ),
            (
                sample(1.0, 1.5, 0.0),
                "`top_p` is 1.5; expected above 0 and at most 1",
            ),
            (
                sample(1.0, 1.0, 1.0),
                "`min_p` is 1; expected 0 or more and below 1",
            ),
        ] {
            let config = DecodingConfig {
                search,
                ..DecodingConfig::default()
            };
            let error = config.check().expect_err(message);
            assert_eq!(error.to_string(), message);
        }
        let config = DecodingConfig {
            banned: vec![String::new()],
            ..DecodingConfig::default()
        };
        let bonus = DecodingConfig {
            slot_bonus: -1.0,
            ..DecodingConfig::default()
        };
        let message = "`slot_bonus` is -1; expected 0 or more";
        assert_eq!(bonus.check().expect_err(message).to_string(), message);
        let message = "`banned` is an empty phrase; expected phrases with letters";
        assert_eq!(config.check().expect_err(message).to_string(), message);
        DecodingConfig::default()
            .check()
            .expect("the defaults are valid");
    }
}
