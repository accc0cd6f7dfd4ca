use serde::{Deserialize, Serialize};

use super::Estimate;

/// How the policy learnt from what shoppers did.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Feedback {
    /// The policy, such as `linear Thompson sampling`.
    pub(crate) policy: String,
    /// What it is rewarded for, such as `clicks`.
    pub(crate) reward: String,
    /// The rounds of sending and learning.
    pub(crate) rounds: Vec<Round>,
    /// What the messages brought against the holdout, the most important first.
    pub(crate) lifts: Vec<Lift>,
    /// What the policy believes after the last round.
    pub(crate) coefficients: Vec<Coefficient>,
}

/// One round: messages are sent, shoppers react, the policy learns.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_field_names, reason = "a round is called by its number")]
pub(crate) struct Round {
    /// The round, from 1.
    pub(crate) round: u64,
    /// Messages that the policy sent.
    pub(crate) messages: u64,
    /// Observed click rate of the policy's messages.
    pub(crate) policy_rate: Option<f64>,
    /// Observed click rate of the arm that chooses at random.
    pub(crate) random_rate: Option<f64>,
    /// The simulator's true expected click rate of the policy's choices.
    pub(crate) policy_truth: Option<f64>,
    /// The simulator's true expected click rate of random choices.
    pub(crate) random_truth: Option<f64>,
    /// The simulator's true expected click rate of the best choices.
    pub(crate) oracle_truth: Option<f64>,
    /// Expected clicks lost to the best choices by the policy since the first round.
    pub(crate) cumulative_regret: Option<f64>,
    /// The same, had every choice been random.
    pub(crate) random_cumulative_regret: Option<f64>,
}

/// What the messages brought against shoppers who got none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Lift {
    /// What is compared, such as `orders per shopper`.
    pub(crate) outcome: String,
    /// How the lift is expressed.
    pub(crate) form: LiftForm,
    /// The lift with its interval.
    pub(crate) estimate: Estimate,
    /// The simulator's true lift, where it is known.
    pub(crate) truth: Option<f64>,
    /// Shoppers who could get messages.
    pub(crate) treated: Option<u64>,
    /// Shoppers held out.
    pub(crate) holdout: Option<u64>,
    /// The outcome's mean among the treated.
    pub(crate) treated_mean: Option<f64>,
    /// The outcome's mean among the held out.
    pub(crate) holdout_mean: Option<f64>,
}

/// How a lift is expressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LiftForm {
    /// (treated − holdout) / holdout: 0.12 is shown as +12 %.
    #[default]
    Relative,
    /// treated − holdout of a rate: 0.012 is shown as +1.2 percentage points.
    Points,
    /// treated − holdout of a plain number, shown as it is.
    Absolute,
}

/// What the policy believes of one feature.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Coefficient {
    /// The feature's name.
    pub(crate) feature: String,
    /// Posterior mean with its 95 % interval.
    pub(crate) estimate: Estimate,
    /// The simulator's true value, where there is one to compare with.
    pub(crate) truth: Option<f64>,
}
