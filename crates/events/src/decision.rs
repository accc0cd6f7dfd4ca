use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Channel, CopyText, DecisionId, Goal, Locale, Pseudonym};

/// What was decided for one shopper, with everything needed to explain it, to learn from it and to replay it.
///
/// The propensities of `candidates` sum to 1, and `nothing` is always one of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// Identifies the decision; outcomes refer to it.
    pub decision_id: DecisionId,
    /// Whom it is about.
    pub user: Pseudonym,
    /// What was known of the situation.
    pub context: Context,
    /// Where the message is shown.
    pub channel: Channel,
    /// The place within the channel.
    pub slot: String,
    /// What it is to achieve.
    pub goal: Goal,
    /// The actions among which the policy chose.
    pub candidates: Vec<Candidate>,
    /// Index of the chosen candidate.
    pub chosen: usize,
    /// The text as shown; absent where the choice is `nothing`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rendered_text: Option<CopyText>,
    /// What was left out before the choice, and why.
    pub exclusions: Vec<Exclusion>,
    /// The experiment that the decision belongs to.
    pub experiment: String,
    /// Whether the shopper is in the holdout, which gets no message.
    pub holdout: bool,
    /// The exact decomposition of the chosen candidate's score.
    pub explanation: Explanation,
    /// The seed of the draw.
    pub seed: u64,
    /// The last event of the log that the decision knows.
    pub log_position: i64,
    /// The version of the policy.
    pub policy_version: String,
    /// The version of the user model or of the ranking that stands for it.
    pub model_version: String,
    /// The version of the catalogue.
    pub catalogue_version: String,
    /// When it was decided.
    pub decided_at: Timestamp,
}

impl Decision {
    /// The chosen candidate.
    ///
    /// # Panics
    /// When `chosen` is not an index of `candidates`, which no constructor of a decision makes.
    pub fn chosen(&self) -> &Candidate {
        self.candidates
            .get(self.chosen)
            .expect("invariant: `chosen` is an index of `candidates`")
    }
}

/// What was known of the situation in which a decision was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Context {
    /// The language in which the shopper is addressed.
    pub locale: Locale,
    /// The IANA name of the shopper's time zone.
    pub timezone: String,
    /// The segments that the shopper is in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<String>,
}

/// One action that could have been chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// What would be done.
    pub action: Action,
    /// The product that a message speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// The variant that a message shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// What wrote the variant, where it is one of the shop's own store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// How the variant was written, where it was written for this decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<LiveDraft>,
    /// P(chosen | context, these candidates), after every constraint.
    pub propensity: f64,
    /// The policy's estimate of the reward.
    pub score: f64,
}

/// How a language model came to a text: what learning from rewards needs, Σ ∂ log P(token) · reward.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LiveDraft {
    /// The provider and the hash of the weights.
    pub model: String,
    /// The tokens of the text, slots in the place of exact values, the end left out.
    pub tokens: Vec<u32>,
    /// log P of each token under the model, and of the end last.
    pub log_probabilities: Vec<f32>,
}

/// What a candidate would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Send a message about a product.
    Message,
    /// Answer a question.
    Reply,
    /// Raise an alert.
    Alert,
    /// Send nothing.
    Nothing,
}

/// A candidate that was left out before the choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exclusion {
    /// What was left out: a product, a variant, or `message` for all of them.
    pub candidate: String,
    /// Why, as a short stable name such as `no_consent`, with detail after a colon.
    pub reason: String,
}

/// A score as the exact sum of its parts: `score = base + Σ contributions`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// What is explained.
    pub score: f64,
    /// The part that no feature accounts for.
    pub base: f64,
    /// The parts, largest first.
    pub contributions: Vec<Contribution>,
    /// The same in a sentence for people.
    pub reason: String,
}

/// The part of a score that one feature accounts for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contribution {
    /// The feature's name.
    pub feature: String,
    /// The feature's value.
    pub value: f64,
    /// Its part of the score.
    pub contribution: f64,
}
