//! What messages are worth: the policy against messages drawn evenly, and messages against none.
//!
//! The unit is the shopper, since a shopper stays in its arm from campaign to campaign. Two questions are answered:
//!
//! - **Is the policy better than chance?** Clicks per decision, or for the goal `purchase` orders per decision that are
//!   credited to it, of the policy arm over those of the random arm. A decision counts when the arm had a choice,
//!   whether it chose a message or silence; each shopper's mean counts once.
//! - **Are messages better than none?** By intention to treat: every order of a shopper within a week after any of its
//!   decisions, whether or not it names one, of the policy arm less the holdout. The random arm is left out: it is there
//!   to be compared with, and pooled with the policy the figure would depend on the share that is drawn evenly.
//!
//! Who belongs to the experiment must not depend on the arm. A shopper enters with the first decision that neither
//! consent nor segment nor quiet hours forbade, all of which are asked before the holdout is; from then on all its
//! decisions count, in every arm. A later refusal may be an effect of the messages themselves (the frequency cap, a
//! consent that was withdrawn over a message), and leaving those shoppers' weeks out would count the annoyed ones less
//! in the arm that annoyed them. For the same reason a decision before the period lets a shopper enter.
//!
//! Only decisions whose window had closed at the moment of the measurement count.

mod compare;
mod panel;
#[cfg(test)]
mod tests;

use events::{Goal, Timestamp};
use serde::{Deserialize, Serialize};

pub use compare::Comparison;
pub(crate) use panel::{Measured, Panel};

use crate::config::Config;
use crate::error::Result;
use crate::store::Store;

/// The arms, as decisions name them.
pub(crate) const POLICY: &str = "policy";
pub(crate) const RANDOM: &str = "random";
pub(crate) const HOLDOUT: &str = "holdout";

/// What is asked of a measurement.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LiftRequest {
    /// The goal; all goals where absent.
    pub goal: Option<Goal>,
    /// The first moment whose decisions count; all decisions where absent.
    pub since: Option<Timestamp>,
    /// The moment at which windows must have closed; that of the log's last event where absent.
    pub at: Option<Timestamp>,
}

/// A request whose moment is known.
pub(crate) struct Scope {
    pub(crate) goal: Option<Goal>,
    pub(crate) since: Option<Timestamp>,
    pub(crate) at: Timestamp,
}

/// The lift of a shop's campaigns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LiftReport {
    /// The first moment whose decisions count; absent where all do.
    pub since: Option<Timestamp>,
    /// The moment at which windows must have closed.
    pub at: Timestamp,
    /// One entry a goal with decisions in the period.
    pub goals: Vec<GoalLift>,
    /// Answers in the log that `learn` has not taken in yet; they are not counted.
    pub waiting: u64,
}

/// The lift of the campaigns towards one goal. A comparison is absent where there are too few data for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GoalLift {
    /// What the campaigns were to achieve.
    pub goal: Goal,
    /// Clicks or orders per decision of the policy over those of even draws, less 1.
    pub policy_over_random: Option<Comparison>,
    /// All orders per 1,000 shoppers of the policy arm less those of the holdout.
    pub orders_per_1000_over_holdout: Option<Comparison>,
    /// Revenue per shopper of the policy arm less that of the holdout, in major units; returns are not taken off.
    pub revenue_over_holdout: Option<Comparison>,
    /// Policy, random, holdout.
    pub arms: Vec<ArmSummary>,
    /// Every campaign with a decision whose window has closed.
    pub campaigns: Vec<CampaignRates>,
    /// Shoppers to whom no campaign of the period could have written.
    pub not_eligible: u64,
    /// Shoppers left out because a change of the shares moved them to another arm.
    pub moved: u64,
    /// Decisions whose window was still open.
    pub open: u64,
}

/// One arm in sums.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ArmSummary {
    /// `policy`, `random` or `holdout`.
    pub arm: String,
    /// Decisions at which the arm had a choice and whose window has closed; 0 in the holdout.
    pub decisions: u64,
    /// Messages among them.
    pub messages: u64,
    /// Messages of which the log knows an answer: an impression, a click, an order or an unsubscription.
    pub answered: u64,
    /// Decisions that achieved their goal.
    pub achieved: u64,
    /// Shoppers with a decision whose week is over; what follows is about them.
    pub shoppers: u64,
    /// Their orders within a week after a decision.
    pub orders: u64,
    /// Worth of these in major units.
    pub revenue: f64,
    /// Shoppers among them who left a channel within a week after a decision.
    pub unsubscribed: u64,
}

/// What one campaign came to, by arm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CampaignRates {
    /// The campaign's name.
    pub run: String,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// Where its messages were shown.
    pub channel: String,
    /// Its messages.
    pub messages: u64,
    /// Of the policy arm.
    pub policy: ArmRates,
    /// Of the arm that draws evenly.
    pub random: ArmRates,
    /// Of the holdout.
    pub holdout: ArmRates,
}

/// One arm of one campaign.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct ArmRates {
    /// Decisions at which the arm had a choice and whose window has closed.
    pub decisions: u64,
    /// Share of these that achieved their goal.
    pub rate: Option<f64>,
    /// Orders per 1,000 shoppers of the experiment within a week after the campaign, once the week is over. The weeks
    /// of close campaigns overlap, so that one order may count in several.
    pub orders_per_1000: Option<f64>,
}

/// Measures the lift of the campaigns in the log.
///
/// # Errors
/// Those of the store and of the configured currency.
pub fn lift(store: &Store, config: &Config, request: &LiftRequest) -> Result<LiftReport> {
    let scope = Scope {
        goal: request.goal,
        since: request.since,
        at: match request.at {
            Some(at) => at,
            None => Timestamp::from_millisecond(store.log_summary()?.last_ms).unwrap_or_default(),
        },
    };
    let panels = Panel::read(store, config, &scope)?;
    Ok(LiftReport {
        since: scope.since,
        at: scope.at,
        goals: panels.iter().map(GoalLift::of).collect::<Result<_>>()?,
        waiting: store.waiting_responses()?,
    })
}

impl GoalLift {
    /// Compares the arms of a panel.
    pub(crate) fn of(panel: &Panel) -> Result<Self> {
        let achieved = |decision: &Measured| Some(f64::from(u8::from(panel.achieved(decision))));
        let rates = |arm| panel.per_decision(arm, achieved);
        let orders = |arm| panel.per_shopper(arm, |subject| 1e3 * subject.orders().0 as f64);
        let revenue = |arm| panel.per_shopper(arm, |subject| subject.orders().1);
        let decisions = panel.subjects.iter().flat_map(|subject| &subject.decisions);
        Ok(Self {
            goal: panel.goal,
            policy_over_random: Comparison::relative(&rates(RANDOM), &rates(POLICY))?,
            orders_per_1000_over_holdout: Comparison::difference(
                &orders(HOLDOUT),
                &orders(POLICY),
            )?,
            revenue_over_holdout: Comparison::difference(&revenue(HOLDOUT), &revenue(POLICY))?,
            arms: [POLICY, RANDOM, HOLDOUT]
                .map(|arm| ArmSummary::of(panel, arm))
                .into(),
            campaigns: campaigns(panel),
            not_eligible: panel.not_eligible,
            moved: panel.moved,
            open: decisions.filter(|decision| !decision.matured).count() as u64,
        })
    }

    /// Whether any message has an answer, so that there is something to show.
    pub fn is_answered(&self) -> bool {
        self.arms.iter().any(|arm| arm.answered > 0)
    }
}

impl ArmSummary {
    fn of(panel: &Panel, arm: &str) -> Self {
        let mut sum = Self {
            arm: arm.to_owned(),
            ..Self::default()
        };
        for subject in panel.arm(arm) {
            let matured = subject.decisions.iter();
            for decision in matured.filter(|decision| decision.open && decision.matured) {
                sum.decisions += 1;
                sum.messages += u64::from(decision.sent);
                sum.answered += u64::from(decision.outcome.seen);
                sum.achieved += u64::from(panel.achieved(decision));
            }
            if subject.decisions.iter().any(|decision| decision.week_over) {
                let (orders, revenue) = subject.orders();
                sum.shoppers += 1;
                sum.orders += orders;
                sum.revenue += revenue;
                sum.unsubscribed += u64::from(subject.left());
            }
        }
        sum
    }
}

/// The campaigns with a decision whose window has closed.
fn campaigns(panel: &Panel) -> Vec<CampaignRates> {
    let mut tallies = vec![[Tally::default(); 3]; panel.campaigns.len()];
    for (place, arm) in [POLICY, RANDOM, HOLDOUT].into_iter().enumerate() {
        for subject in panel.arm(arm) {
            for decision in &subject.decisions {
                let tally = &mut tallies[decision.campaign][place];
                tally.matured |= decision.matured;
                if decision.open && decision.matured {
                    tally.decisions += 1;
                    tally.messages += u64::from(decision.sent);
                    tally.achieved += u64::from(panel.achieved(decision));
                }
                if decision.week_over {
                    tally.shoppers += 1;
                    tally.orders += subject.orders_after(decision);
                }
            }
        }
    }
    let matured = panel.campaigns.iter().zip(tallies);
    matured
        .filter(|(_, arms)| arms.iter().any(|arm| arm.matured))
        .map(|(campaign, arms)| CampaignRates {
            run: campaign.run.clone(),
            decided_at: campaign.decided_at,
            channel: campaign.channel.to_string(),
            messages: arms.iter().map(|arm| arm.messages).sum(),
            policy: arms[0].rates(),
            random: arms[1].rates(),
            holdout: arms[2].rates(),
        })
        .collect()
}

/// One arm of one campaign, counted.
#[derive(Clone, Copy, Default)]
struct Tally {
    matured: bool,
    decisions: u64,
    messages: u64,
    achieved: u64,
    shoppers: u64,
    orders: u64,
}

impl Tally {
    fn rates(self) -> ArmRates {
        let share = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
        ArmRates {
            decisions: self.decisions,
            rate: share(self.achieved, self.decisions),
            orders_per_1000: share(1_000 * self.orders, self.shoppers),
        }
    }
}
