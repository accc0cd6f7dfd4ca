use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Channel, EventError, Locale};

/// A text that may be shown: a template whose every price, number and claim is bound to a fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyVariant {
    /// Identifies the variant.
    pub id: String,
    /// The products it may speak of.
    pub scope: Scope,
    /// The channel it is written for.
    pub channel: Channel,
    /// The place within the channel, such as `default`.
    pub slot: String,
    /// The language it is written in.
    pub locale: Locale,
    /// The argument it makes.
    pub strategy: Strategy,
    /// The text, in the checked subset of Liquid.
    pub template: CopyText,
    /// What the template's names stand for.
    pub bindings: Vec<Binding>,
    /// What its words rest on beside the bindings: where one of these values is another now, the words may be untrue.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub premises: Vec<Premise>,
    /// Pictures that go with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assets: Vec<String>,
    /// What wrote it.
    pub generator: Generator,
    /// What the guard found when it was last checked.
    #[serde(default)]
    pub checks: Vec<Check>,
    /// Where it stands in its life.
    pub status: VariantStatus,
    /// The person or the named standing policy that approved it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<String>,
    /// The variant it was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
}

/// The fields of a message: templates in a [`CopyVariant`], the finished text in a decision.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CopyText {
    /// The headline of a push message or banner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The subject of a mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The line that a mail program shows beside the subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preheader: Option<String>,
    /// The text itself.
    pub body: String,
}

impl CopyText {
    /// The fields that are present, with their names, in reading order.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("title", self.title.as_deref()),
            ("subject", self.subject.as_deref()),
            ("preheader", self.preheader.as_deref()),
            ("body", Some(self.body.as_str())),
        ]
        .into_iter()
        .filter_map(|(name, text)| text.map(|text| (name, text)))
    }

    /// Applies `f` to every field that is present.
    ///
    /// # Errors
    /// The first error of `f`.
    pub fn try_map<E>(
        &self,
        mut f: impl FnMut(&'static str, &str) -> Result<String, E>,
    ) -> Result<Self, E> {
        let mut optional =
            |name, text: &Option<String>| text.as_deref().map(|text| f(name, text)).transpose();
        Ok(Self {
            title: optional("title", &self.title)?,
            subject: optional("subject", &self.subject)?,
            preheader: optional("preheader", &self.preheader)?,
            body: f("body", &self.body)?,
        })
    }
}

/// The products a variant may speak of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Every product for which its bindings have values.
    All,
    /// These products alone.
    ProductIds(Vec<String>),
}

/// The argument that a text makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// What the product is good for.
    Benefit,
    /// It is new in the shop.
    Novelty,
    /// How many others bought it, from real counts.
    SocialProof,
    /// The shopper buys it regularly and may be running out.
    Replenishment,
    /// It goes with what the shopper has.
    Complement,
    /// What it costs.
    Value,
}

impl Strategy {
    /// Every strategy, in the order of their declaration.
    pub const ALL: [Self; 6] = [
        Self::Benefit,
        Self::Novelty,
        Self::SocialProof,
        Self::Replenishment,
        Self::Complement,
        Self::Value,
    ];

    /// The strategy's name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Benefit => "benefit",
            Self::Novelty => "novelty",
            Self::SocialProof => "social_proof",
            Self::Replenishment => "replenishment",
            Self::Complement => "complement",
            Self::Value => "value",
        }
    }
}

/// What a name of a template stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// The name as the template uses it, such as `price`.
    pub name: String,
    /// Where the value comes from: `product.FIELD`, `fact.NAME`, `stat.NAME` (counts over the log) or
    /// `user.NAME` (the shopper's own history).
    pub path: String,
}

/// A value that whoever wrote a text was told, and may have put into words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Premise {
    /// Where the value comes from: `product.FIELD` or `fact.NAME`.
    pub path: String,
    /// The value as it was shown when the text was written.
    pub value: String,
}

/// What wrote a text, closely enough to write it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generator {
    /// `templates`, `native`, `decoder`, `llm` or `checkpoint`.
    pub provider: String,
    /// The model, or the version of the template library.
    pub model: String,
    /// Hash of what the model was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_hash: Option<String>,
    /// The seed of its sampling.
    #[serde(default)]
    pub seed: u64,
}

/// One finding of the guard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// The rule, such as `length`.
    pub rule: String,
    /// Whether the text keeps it.
    pub passed: bool,
    /// What was found, in words; empty where there is nothing to say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// Where a variant stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VariantStatus {
    /// Written, not yet allowed.
    Draft,
    /// Allowed by a person or a standing policy.
    Approved,
    /// Shown to shoppers.
    Live,
    /// Held back, for instance because a fact expired.
    Paused,
    /// No longer used.
    Retired,
}

impl VariantStatus {
    /// Every status, in the order of a variant's life.
    pub const ALL: [Self; 5] = [
        Self::Draft,
        Self::Approved,
        Self::Live,
        Self::Paused,
        Self::Retired,
    ];

    /// The status's name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Approved => "approved",
            Self::Live => "live",
            Self::Paused => "paused",
            Self::Retired => "retired",
        }
    }

    /// Whether a variant of this status may be shown to shoppers.
    pub fn may_show(self) -> bool {
        matches!(self, Self::Approved | Self::Live)
    }
}

impl fmt::Display for VariantStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for VariantStatus {
    type Err = EventError;

    fn from_str(name: &str) -> Result<Self, EventError> {
        let found = Self::ALL.into_iter().find(|status| status.name() == name);
        found.ok_or_else(|| {
            let expected = "draft, approved, live, paused or retired";
            EventError::invalid("status", name, expected)
        })
    }
}

impl FromStr for Strategy {
    type Err = EventError;

    fn from_str(name: &str) -> Result<Self, EventError> {
        let found = Self::ALL
            .into_iter()
            .find(|strategy| strategy.name() == name);
        found.ok_or_else(|| {
            let expected = "benefit, novelty, social_proof, replenishment, complement or value";
            EventError::invalid("strategy", name, expected)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for status in VariantStatus::ALL {
            assert_eq!(status.name().parse::<VariantStatus>(), Ok(status));
            assert_eq!(
                serde_json::to_value(status).expect("JSON"),
                status.to_string()
            );
        }
        for strategy in Strategy::ALL {
            assert_eq!(strategy.name().parse::<Strategy>(), Ok(strategy));
        }
        let wrong = "lively".parse::<VariantStatus>().expect_err("no status");
        assert!(
            wrong.to_string().contains("draft, approved, live"),
            "{wrong}"
        );
    }
}
