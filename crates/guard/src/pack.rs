//! Rule packs: what may be said, as data that a lawyer can read and extend.

mod read;

use std::collections::BTreeMap;

use events::Language;
use serde::{Deserialize, Serialize};

use crate::GuardError;
use crate::wording::WordingRule;

/// A versioned set of rules, written as TOML; `packs/general.toml` explains the form.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RulePack {
    /// Names the pack; part of a verdict's key, so every change of a rule needs a new version.
    pub version: String,
    /// What the pack is about, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// Limits on how loud a text may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub style: Option<Style>,
    /// Lists of words that phrases name, as in `{diseases}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub words: BTreeMap<String, Vec<String>>,
    /// The hints of which a marketing text message must hold one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub opt_out: Vec<String>,
    /// Limits that replace those of [`limits`](crate::limits), keyed by channel and field, such as `push.title`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub limits: BTreeMap<String, LimitOverride>,
    /// Whether copy that reads like a breach is refused, though no phrase names it; by default it is not looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wordings: Option<WordingRule>,
    /// The phrases that are forbidden, or that need a fact behind them.
    #[serde(default, rename = "rule")]
    pub rules: Vec<PhraseRule>,
}

/// Limits on how loud a text may be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Style {
    /// The most exclamation marks in one field.
    pub max_exclamations: usize,
    /// The largest share of a field's letters, from 0 to 1, that words in capitals may hold.
    pub max_shouted_share: f64,
}

/// A limit that replaces the default of one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitOverride {
    /// The length up to which it is usually shown whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ideal: Option<usize>,
    /// The length beyond which it is refused.
    pub max: usize,
}

/// Phrases that may not be said, or not without a fact behind them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhraseRule {
    /// Identifies the rule within the pack.
    pub id: String,
    /// What kind of claim it is about, and so the first word of a refusal's reason.
    pub kind: PhraseKind,
    /// Whether a text that breaks it may be sent at all.
    #[serde(default, skip_serializing_if = "Severity::is_error")]
    pub severity: Severity,
    /// The language that the phrases belong to, where it is one; they are looked for in every text all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// Why the phrases are refused, and what to do instead.
    pub reason: String,
    /// The phrases, in the little language of [`RulePack::from_toml`].
    pub phrases: Vec<String>,
    /// Longer phrases within which they pass, such as `feel free` for `free`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub except: Vec<String>,
    /// What makes the claim true.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unless: Vec<Support>,
    /// For [`Support::FactEnding`]: how near the end of the fact must be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_within_hours: Option<u32>,
    /// For [`Support::Stock`]: how many pieces there may be at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stock_at_most: Option<u32>,
    /// For [`PhraseKind::Attribute`]: a product has one value of it, such as its colour, and only another one is refused.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exclusive: bool,
    /// A finished text passes with a warning where the sentence around the phrase reads like innocent copy to the model of
    /// [`RulePack::wordings`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_context: bool,
    /// What may stand in the place of the words, by the language of the words.
    #[serde(default, skip_serializing_if = "Fix::is_empty")]
    pub fix: Fix,
    /// Texts that keep the rule, run as its tests.
    pub passes: Vec<String>,
    /// Texts that break the rule, run as its tests.
    pub fails: Vec<String>,
}

/// What may stand in the place of refused words.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fix {
    /// In an English text.
    pub en: String,
    /// In a Chinese text.
    pub zh: String,
    /// For single phrases, as the pack writes them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub of: BTreeMap<String, String>,
}

impl Fix {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// How grave a finding is.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The text may be sent; a person should look at it.
    Warning,
    /// The text must not be sent.
    #[default]
    Error,
}

impl Severity {
    /// Whether the text must not be sent.
    // Serde's `skip_serializing_if` hands over a reference.
    pub fn is_error(&self) -> bool {
        *self == Self::Error
    }
}

/// The kind of claim that a phrase makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PhraseKind {
    /// It is not said at all.
    Forbidden,
    /// It presses for time or names a scarcity.
    Urgency,
    /// It promises a lower price or a gift.
    Offer,
    /// It is a number in words.
    Numbers,
    /// It is a property of the product, such as its material: each phrase of the rule is one value in all its words, and
    /// a finished text about a product may name those that the product's own texts name.
    Attribute,
}

impl PhraseKind {
    /// The name of the check that the phrases belong to.
    pub fn name(self) -> &'static str {
        match self {
            Self::Forbidden => "forbidden",
            Self::Urgency => "urgency",
            Self::Offer => "offer",
            Self::Numbers => "numbers",
            Self::Attribute => "attribute",
        }
    }
}

/// What makes a claim true. An approved sentence (`Product::allowed_claims`) always does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Support {
    /// The phrase is part of a bound title, brand or category. In a finished text the names of the catalogue are passed over
    /// by every rule.
    Name,
    /// The phrase is part of a fact's value.
    Fact,
    /// The phrase is part of any bound value.
    Value,
    /// The message shows a fact that ends soon; a finished text speaks of a product that has one.
    FactEnding,
    /// The product has a sale price and the variant binds it.
    SalePrice,
    /// The product can be bought now.
    Available,
    /// The message shows a stock figure, bound as `fact.stock…` or `stat.stock…`; a finished text speaks of a product
    /// whose stock is known and low enough.
    Stock,
}

impl RulePack {
    /// The built-in packs, merged: marketing copy in general, China's advertising law, properties of
    /// products, and the form of messages.
    ///
    /// # Panics
    /// Never: a test reads the built-in files.
    pub fn built_in() -> Self {
        let packs = [
            include_str!("../packs/general.toml"),
            include_str!("../packs/china.toml"),
            include_str!("../packs/attributes.toml"),
            include_str!("../packs/messages.toml"),
        ];
        let packs = packs.map(|text| {
            Self::from_toml(text).expect("invariant: the built-in rule packs are valid")
        });
        Self::merge(packs).expect("invariant: the built-in rule packs fit together")
    }

    /// Reads a pack from TOML.
    ///
    /// Phrases are written in a little language: words as they are, whole, in any case, width, spacing or disguise;
    /// `(a|b|)` for alternatives, the last of them empty; `{name}` for a list under `[words]`; `#` for a number in digits or words; `…` for a short stretch
    /// of the same sentence; `~` for the rest of a word; `\#` for the sign itself.
    ///
    /// # Errors
    /// [`GuardError::Pack`] with its line and column when the text is not TOML of this form, when an id is missing or
    /// used twice, or when a phrase is empty or cannot be read.
    pub fn from_toml(text: &str) -> Result<Self, GuardError> {
        read::pack(text)
    }

    /// Joins packs: the rules and hints of all of them, and the style, limits and wordings of the last that has any.
    ///
    /// # Errors
    /// [`GuardError::Pack`] when two of them have a rule of the same id.
    pub fn merge(packs: impl IntoIterator<Item = Self>) -> Result<Self, GuardError> {
        let mut merged = Self::default();
        for pack in packs {
            let join = |all: &mut String, part: &str, between| {
                if !all.is_empty() && !part.is_empty() {
                    all.push_str(between);
                }
                all.push_str(part);
            };
            join(&mut merged.version, &pack.version, "+");
            join(&mut merged.title, &pack.title, "; ");
            merged.style = pack.style.or(merged.style);
            merged.wordings = match pack.wordings {
                Some(wordings) => Some(wordings.after(merged.wordings.take())),
                None => merged.wordings,
            };
            merged.opt_out.extend(pack.opt_out);
            for (name, words) in pack.words {
                if merged.words.get(&name).is_some_and(|other| *other != words) {
                    return Err(GuardError::Pack {
                        place: None,
                        problem: format!(
                            "the list `{name}` of `{}` is another one in a pack before it",
                            pack.version
                        ),
                        remedy: "give each list its own name",
                    });
                }
                merged.words.insert(name, words);
            }
            merged.limits.extend(pack.limits);
            for rule in pack.rules {
                if merged.rules.iter().any(|other| other.id == rule.id) {
                    return Err(GuardError::Pack {
                        place: None,
                        problem: format!(
                            "the id `{}` of `{}` is used by a pack before it",
                            rule.id, pack.version
                        ),
                        remedy: "give each rule its own id",
                    });
                }
                merged.rules.push(rule);
            }
        }
        Ok(merged)
    }
}

impl PhraseRule {
    /// The phrases, and behind them the exceptions, each with whether it is one.
    pub(crate) fn every_phrase(&self) -> impl Iterator<Item = (&String, bool)> {
        let phrases = self.phrases.iter().map(|phrase| (phrase, false));
        phrases.chain(self.except.iter().map(|phrase| (phrase, true)))
    }
}

#[cfg(test)]
mod tests;
