//! What a model learns from: facts and the texts that were written from them.

use serde::{Deserialize, Serialize};

use super::slots::Slotted;

/// A property of what is written about, such as `colour` and `red`. A name may come several times.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Fact {
    /// The property's name.
    pub name: String,
    /// Its value; it is data and never parsed.
    pub value: String,
}

/// What a text is to say, how and to whom.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Meaning {
    /// How it is to be said: a channel, a language, a strategy. One that the model was not trained with is not read.
    pub controls: Vec<String>,
    /// What it is to say, in the order in which it is told to the model.
    pub facts: Vec<Fact>,
    /// The state of the shopper whom it is written for, [U]; none is a state of zeros.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_state: Option<Vec<f32>>,
    /// Texts that the shopper wrote or chose before, the oldest first. What they say is no fact; see
    /// [`super::Copywriter::fit_own_words`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub own_texts: Vec<String>,
}

/// A text and what it says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Example {
    /// What is said.
    pub meaning: Meaning,
    /// How a person said it.
    pub text: String,
}

/// All that a model is trained on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Corpus {
    /// What is learnt.
    pub train: Vec<Example>,
    /// What training is stopped by; may be empty.
    pub validation: Vec<Example>,
    /// The names of the facts whose values are exact: the model never reads or writes them, it writes their slots.
    pub slots: Vec<String>,
    /// The names of the facts whose values the model reads as words and writes as slots where a text has them word for
    /// word. It then copies values that it rarely met, and a text can be made to name them.
    pub copied: Vec<String>,
}

impl Corpus {
    /// Which facts have slots.
    pub(super) fn slotted(&self) -> Slotted {
        Slotted {
            exact: self.slots.clone(),
            copied: self.copied.clone(),
        }
    }
}

impl Fact {
    /// A fact.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            value: value.into(),
        }
    }
}

impl Meaning {
    /// A meaning of facts alone.
    pub fn of_facts(facts: Vec<Fact>) -> Self {
        Self {
            facts,
            ..Self::default()
        }
    }
}
