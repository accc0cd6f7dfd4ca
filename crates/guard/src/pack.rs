//! Rule packs: what may be said, as data that a lawyer can read and extend.

use std::collections::{BTreeMap, BTreeSet};

use events::{Channel, Language};
use serde::{Deserialize, Serialize};

use crate::{GuardError, limits};

/// A versioned set of rules.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RulePack {
    /// Names the pack; part of a verdict's key, so every change of a rule needs a new version.
    pub version: String,
    /// Limits on how loud a text may be.
    pub style: Style,
    /// The hints of which a marketing text message must hold one.
    pub opt_out: Vec<String>,
    /// Limits that replace those of [`limits`](crate::limits), keyed by channel and field, such as `push.title`.
    pub limits: BTreeMap<String, LimitOverride>,
    /// The phrases that are forbidden, or that need a fact behind them.
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
    /// The language that the phrases belong to, where it is one; they are looked for in every text all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// Why the phrases are refused, and what to do instead.
    pub reason: String,
    /// The phrases. English ones match whole words; case, width, spacing and look-alike letters make no difference.
    pub phrases: Vec<String>,
    /// Longer phrases within which they pass, such as `feel free` for `free`.
    pub except: Vec<String>,
    /// What makes the claim true.
    pub unless: Vec<Support>,
    /// For [`Support::FactEnding`]: how near the end of the fact must be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_within_hours: Option<u32>,
    /// Texts that keep the rule, run as its tests.
    pub passes: Vec<String>,
    /// Texts that break the rule, run as its tests.
    pub fails: Vec<String>,
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
}

impl PhraseKind {
    /// The name of the check that the phrases belong to.
    pub fn name(self) -> &'static str {
        match self {
            Self::Forbidden => "forbidden",
            Self::Urgency => "urgency",
            Self::Offer => "offer",
            Self::Numbers => "numbers",
        }
    }
}

/// What makes a claim true. An approved sentence (`Product::allowed_claims`) always does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Support {
    /// The phrase is part of the product's title, brand or category.
    Name,
    /// The phrase is part of a fact's value.
    Fact,
    /// The phrase is part of any bound value.
    Value,
    /// The message shows a fact that ends soon.
    FactEnding,
    /// The product has a sale price and the variant binds it.
    SalePrice,
    /// The message shows a stock figure, bound as `fact.stock…` or `stat.stock…`.
    Stock,
}

impl RulePack {
    /// The built-in pack: advertising law, spam and false urgency, in English and Chinese.
    ///
    /// # Panics
    /// Never: a test reads the built-in file.
    pub fn general() -> Self {
        Self::from_json(include_str!("../packs/general.json"))
            .expect("invariant: the built-in rule pack is valid")
    }

    /// Reads a pack.
    ///
    /// # Errors
    /// [`GuardError::Pack`] when the text is not JSON of this form, when an id is missing or used twice, or when a
    /// rule holds no phrase or an empty one.
    pub fn from_json(text: &str) -> Result<Self, GuardError> {
        let pack: Self = serde_json::from_str(text).map_err(|error| GuardError::Pack {
            problem: error.to_string(),
            remedy: "compare it with the built-in pack `packs/general.json`",
        })?;
        pack.check()?;
        Ok(pack)
    }

    fn check(&self) -> Result<(), GuardError> {
        let fault = |problem: String, remedy| Err(GuardError::Pack { problem, remedy });
        if self.version.trim().is_empty() {
            return fault(
                "the version is empty".to_owned(),
                "name it, such as `general-2`",
            );
        }
        if !(0.0..=1.0).contains(&self.style.max_shouted_share) {
            let problem = format!("`max_shouted_share` is {}", self.style.max_shouted_share);
            return fault(problem, "write a share from 0 to 1");
        }
        if let Some(key) = self.limits.keys().find(|key| !is_field(key)) {
            return fault(
                format!("`{key}` is no field of a channel"),
                "write it as `push.title` or `email.subject`",
            );
        }
        let mut ids = BTreeSet::new();
        for rule in &self.rules {
            if rule.id.is_empty() || !ids.insert(&rule.id) {
                return fault(
                    format!("the id `{}` is empty or used twice", rule.id),
                    "give each rule its own id",
                );
            }
            rule.check()?;
        }
        Ok(())
    }
}

impl PhraseRule {
    fn check(&self) -> Result<(), GuardError> {
        let fault = |problem: &str, remedy| {
            Err(GuardError::Pack {
                problem: format!("rule `{}` {problem}", self.id),
                remedy,
            })
        };
        let mut phrases = self.phrases.iter().chain(&self.except);
        if self.phrases.is_empty() || phrases.any(|phrase| phrase.trim().is_empty()) {
            return fault(
                "holds no phrase or an empty one",
                "list at least one phrase, none of them empty",
            );
        }
        if self.ends_within_hours.is_some() != self.unless.contains(&Support::FactEnding) {
            return fault(
                "has one of `ends_within_hours` and `fact_ending` without the other",
                "give both, or neither",
            );
        }
        Ok(())
    }
}

/// Whether a key names a field of a channel, such as `push.title`.
fn is_field(key: &str) -> bool {
    Channel::ALL.iter().any(|&channel| {
        limits(channel, Language::En)
            .iter()
            .any(|limit| key == format!("{channel}.{}", limit.field))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_general_pack_is_valid_and_survives_json() {
        let pack = RulePack::general();
        let json = serde_json::to_string(&pack).expect("serializes");
        assert_eq!(RulePack::from_json(&json), Ok(pack));
    }

    #[test]
    fn faults_of_a_pack_are_named() {
        let general = RulePack::general();
        let broken = |change: fn(&mut RulePack)| {
            let mut pack = general.clone();
            change(&mut pack);
            RulePack::from_json(&serde_json::to_string(&pack).expect("serializes"))
                .expect_err("broken")
                .to_string()
        };
        for (error, part) in [
            (broken(|pack| pack.version.clear()), "the version is empty"),
            (
                broken(|pack| pack.rules[1].id = pack.rules[0].id.clone()),
                "`superlative_zh` is empty or used twice",
            ),
            (
                broken(|pack| pack.rules[0].phrases.clear()),
                "rule `superlative_zh` holds no phrase",
            ),
            (
                broken(|pack| pack.rules[0].except.push(" ".to_owned())),
                "rule `superlative_zh` holds no phrase",
            ),
            (
                broken(|pack| pack.style.max_shouted_share = 1.5),
                "`max_shouted_share` is 1.5",
            ),
            (
                broken(|pack| {
                    let limit = LimitOverride {
                        ideal: None,
                        max: 9,
                    };
                    pack.limits.insert("sms.title".to_owned(), limit);
                }),
                "`sms.title` is no field of a channel",
            ),
            (
                broken(|pack| pack.rules[0].ends_within_hours = Some(1)),
                "rule `superlative_zh` has one of `ends_within_hours`",
            ),
        ] {
            assert!(error.starts_with("rule pack: "), "{error}");
            assert!(error.contains(part), "{error}");
        }
        let error = RulePack::from_json("{\"version\": 1}")
            .expect_err("broken")
            .to_string();
        assert!(error.contains("line 1"), "{error}");
    }
}
