use serde::{Deserialize, Serialize};

/// How texts are searched for and which of them may be written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DecodingConfig {
    /// How tokens are chosen.
    pub search: Search,
    /// Slots that a text must use, by name.
    pub required: Vec<String>,
    /// Phrases that a text may not contain, whatever the case of Latin letters.
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
            banned: Vec::new(),
            max_width: None,
            no_repeat: 0,
            max_tokens: 128,
        }
    }
}
