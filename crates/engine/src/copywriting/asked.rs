use std::fmt;
use std::str::FromStr;

use copywriter::llm::Access;
use copywriter::{checkpoint, decoder, llm, native, templates};
use events::{Channel, Language, Locale, Strategy, Timestamp};
use serde_json::{Map, Value};

use crate::config::Config;

/// Who writes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DraftProvider {
    /// The language model of `hawker train copywriter`, from facts.
    #[default]
    Decoder,
    /// The native model of `hawker train`, and the library where it comes to nothing.
    Native,
    /// The language model on a server that is configured, then the one on this machine, the native model, the library.
    Llm,
    /// The language model on this machine that is configured, then the native model, then the library.
    Checkpoint,
    /// The built-in library.
    Templates,
}

/// What drafts are asked for.
#[derive(Debug, Clone, Default)]
pub struct DraftRequest {
    /// Who writes them.
    pub provider: DraftProvider,
    /// The product that they are about, by its id in the catalogue.
    pub product: Option<String>,
    /// Facts instead of a product's, or beside them: an object of names and values.
    pub facts: Map<String, Value>,
    /// How they are to be said; see [`copywriter::decoder::Meaning::controls`].
    pub controls: Vec<String>,
    /// The shopper whom they are for, by an identifier or a pseudonym.
    pub shopper: Option<String>,
    /// Where they are sent.
    pub channel: Option<Channel>,
    /// The argument that they make.
    pub strategy: Option<Strategy>,
    /// The language that they are written in; the shop's where absent.
    pub language: Option<Language>,
    /// When they are sent.
    pub now: Timestamp,
    /// Number of drafts.
    pub count: usize,
    /// Seed of the draws.
    pub seed: u64,
    /// Whether a single text is drawn and told piece by piece, before anybody has checked it.
    pub stream: bool,
    /// Whether the shop keeps those that the guard passes.
    pub keep: bool,
    /// What the caller read from its surroundings for a language model on a server.
    pub access: Access,
}

impl DraftRequest {
    /// The language that is written in: the shop's, unless another is asked for.
    pub(super) fn language_in(&self, config: &Config) -> Language {
        let of_shop = || Locale(config.shop.locale.clone()).language();
        self.language.unwrap_or_else(of_shop)
    }

    pub(super) fn strategy_or_default(&self) -> Strategy {
        self.strategy.unwrap_or(Strategy::Benefit)
    }
}

impl DraftProvider {
    /// Every provider.
    pub const ALL: [Self; 5] = [
        Self::Decoder,
        Self::Native,
        Self::Llm,
        Self::Checkpoint,
        Self::Templates,
    ];

    /// The name, as in [`events::Generator::provider`].
    pub fn name(self) -> &'static str {
        match self {
            Self::Decoder => decoder::PROVIDER,
            Self::Native => native::PROVIDER,
            Self::Llm => llm::PROVIDER,
            Self::Checkpoint => checkpoint::PROVIDER,
            Self::Templates => templates::PROVIDER,
        }
    }
}

impl fmt::Display for DraftProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for DraftProvider {
    type Err = String;

    fn from_str(name: &str) -> std::result::Result<Self, String> {
        let found = Self::ALL
            .into_iter()
            .find(|provider| provider.name() == name);
        found.ok_or_else(|| "give decoder, native, llm, checkpoint or templates".to_owned())
    }
}
