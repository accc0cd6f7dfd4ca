use serde::{Deserialize, Serialize};

use super::Estimate;

/// What the campaigns towards one goal brought, and how the policy learnt from it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Feedback {
    /// What was counted, such as `clicks`.
    pub(crate) counted: String,
    /// The policy, such as `linear Thompson sampling`.
    pub(crate) policy: String,
    /// What it is rewarded for, such as `clicks`.
    pub(crate) reward: String,
    /// The campaigns, in their order.
    pub(crate) rounds: Vec<Round>,
    /// What the messages brought, the most important first.
    pub(crate) lifts: Vec<Lift>,
    /// What each arm came to.
    pub(crate) arms: Vec<Arm>,
    /// What a reader should know of these figures, a sentence each.
    pub(crate) notes: Vec<String>,
    /// What the policy believes after the last round.
    pub(crate) coefficients: Vec<Coefficient>,
}

/// One campaign: messages are sent, shoppers react, the policy learns.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Round {
    /// What the campaign is called on the page: its number or its day.
    pub(crate) name: String,
    /// Messages that were sent.
    pub(crate) messages: u64,
    /// What the policy's decisions achieved, as a share of them.
    pub(crate) policy_rate: Option<f64>,
    /// The same of the arm that chooses at random.
    pub(crate) random_rate: Option<f64>,
    /// The simulator's true expected rate of the policy's choices.
    pub(crate) policy_truth: Option<f64>,
    /// The simulator's true expected rate of random choices.
    pub(crate) random_truth: Option<f64>,
    /// The simulator's true expected rate of the best choices.
    pub(crate) oracle_truth: Option<f64>,
    /// Expected clicks lost to the best choices by the policy since the first round.
    pub(crate) cumulative_regret: Option<f64>,
    /// The same, had every choice been random.
    pub(crate) random_cumulative_regret: Option<f64>,
    /// Orders per 1,000 shoppers of the policy arm within a week after the campaign.
    pub(crate) policy_orders: Option<f64>,
    /// The same of the holdout.
    pub(crate) holdout_orders: Option<f64>,
}

/// One arm in sums.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Arm {
    /// The arm's name.
    pub(crate) name: String,
    /// Decisions at which it had a choice.
    pub(crate) decisions: u64,
    /// Messages among them.
    pub(crate) messages: u64,
    /// Decisions that achieved their goal.
    pub(crate) achieved: u64,
    /// Its shoppers whose week after a decision is over.
    pub(crate) shoppers: u64,
    /// Their orders in these weeks.
    pub(crate) orders: u64,
    /// Worth of these.
    pub(crate) revenue: f64,
    /// Shoppers among them who left a channel in these weeks.
    pub(crate) unsubscribed: u64,
}

/// What the messages of an arm brought against another arm.
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
    /// The arm that is compared with, such as `holdout`.
    pub(crate) control_name: String,
    /// Shoppers treated.
    pub(crate) treated: Option<u64>,
    /// Shoppers of the control.
    pub(crate) control: Option<u64>,
    /// The outcome's mean among the treated.
    pub(crate) treated_mean: Option<f64>,
    /// The outcome's mean in the control.
    pub(crate) control_mean: Option<f64>,
}

/// How a lift is expressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LiftForm {
    /// (treated − control) / control: 0.12 is shown as +12 %.
    #[default]
    Relative,
    /// treated − control of a rate: 0.012 is shown as +1.2 percentage points.
    Points,
    /// treated − control of a plain number, shown as it is.
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
