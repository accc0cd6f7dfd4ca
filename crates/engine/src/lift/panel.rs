//! The shoppers of the experiment with what was decided for them and what they did.

use std::collections::{BTreeMap, HashMap};

use events::{Channel, Decision, DecisionId, Goal, Money, Pseudonym, Timestamp};

use super::Scope;
use crate::attribution::{CLICK_WINDOW_HOURS, ORDER_WINDOW_HOURS};
use crate::config::Config;
use crate::error::Result;
use crate::learn::{MessageOutcome, message_outcomes};
use crate::store::{Purchase, Store};

const HOUR_MS: i64 = 3_600_000;
/// The windows within which [`message_outcomes`] counts a click and an order.
const DAY_MS: i64 = CLICK_WINDOW_HOURS * HOUR_MS;
const WEEK_MS: i64 = ORDER_WINDOW_HOURS * HOUR_MS;
/// Refusals that do not depend on the arm as long as the shopper has had no message.
const OUTSIDE: [&str; 3] = ["no_consent", "not_in_segment", "quiet_hours"];

/// The shoppers of one goal's campaigns.
pub(crate) struct Panel {
    pub(crate) goal: Goal,
    /// In the order of their pseudonyms.
    pub(crate) subjects: Vec<Subject>,
    /// In the order in which they were decided.
    pub(crate) campaigns: Vec<Campaign>,
    /// Shoppers to whom no campaign could have written.
    pub(crate) not_eligible: u64,
    /// Shoppers left out because a change of the shares moved them to another arm.
    pub(crate) moved: u64,
}

/// A campaign of the period.
pub(crate) struct Campaign {
    pub(crate) run: String,
    pub(crate) channel: Channel,
    pub(crate) decided_at: Timestamp,
}

/// A shopper of the experiment.
pub(crate) struct Subject {
    pub(crate) arm: String,
    /// The decisions of the period since it could first be written to, whatever came of them.
    pub(crate) decisions: Vec<Measured>,
    orders: Vec<Order>,
    left_ms: Vec<i64>,
}

/// One decision with what came of it.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a condition of its own; they come in any combination"
)]
pub(crate) struct Measured {
    pub(crate) id: DecisionId,
    /// Its place in [`Panel::campaigns`].
    pub(crate) campaign: usize,
    decided_ms: i64,
    /// Whether the arm had a choice: consent, caps and the rest allowed a message.
    pub(crate) open: bool,
    /// Whether a message was sent.
    pub(crate) sent: bool,
    pub(crate) outcome: MessageOutcome,
    /// Whether the goal's own window has closed, and whether the week has in which all orders count.
    pub(crate) matured: bool,
    pub(crate) week_over: bool,
}

#[derive(Clone, Copy)]
struct Order {
    at_ms: i64,
    amount: f64,
}

impl Panel {
    /// Reads the campaigns of every goal in the scope; a goal without decisions has no panel.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) fn read(store: &Store, config: &Config, scope: &Scope) -> Result<Vec<Self>> {
        let runs = store.runs_of_decisions()?;
        let mut drafts = [Goal::Click, Goal::Purchase].map(|goal| (goal, Draft::default()));
        message_outcomes(store, None, |decision, outcome| {
            let wanted = scope.goal.is_none_or(|goal| goal == decision.goal);
            let draft = drafts.iter_mut().find(|(goal, _)| *goal == decision.goal);
            if let (true, Some((_, draft))) = (wanted, draft) {
                let run = runs.get(&decision.decision_id.0).map_or("", String::as_str);
                draft.take(decision, outcome, run, scope);
            }
        })?;
        let firsts = drafts.iter().filter_map(|(_, draft)| draft.first_ms());
        let behaviour = match firsts.min() {
            Some(first_ms) => Behaviour::read(store, config, first_ms)?,
            None => return Ok(Vec::new()),
        };
        let panels = drafts
            .into_iter()
            .filter(|(_, draft)| !draft.campaigns.is_empty());
        Ok(panels
            .map(|(goal, draft)| draft.finish(goal, &behaviour))
            .collect())
    }

    /// Whether a decision achieved its goal within the goal's window.
    pub(crate) fn achieved(&self, decision: &Measured) -> bool {
        match self.goal {
            Goal::Click => decision.outcome.clicked,
            Goal::Purchase => decision.outcome.ordered,
        }
    }

    /// The shoppers of an arm.
    pub(crate) fn arm<'a>(&'a self, arm: &'a str) -> impl Iterator<Item = &'a Subject> {
        self.subjects
            .iter()
            .filter(move |subject| subject.arm == arm)
    }

    /// For every shopper of an arm the mean of a number over its open, matured decisions; `None` leaves a decision out.
    pub(crate) fn per_decision(
        &self,
        arm: &str,
        number: impl Fn(&Measured) -> Option<f64>,
    ) -> Vec<f64> {
        let of = |subject: &Subject| {
            let open = subject.decisions.iter();
            let open = open.filter(|decision| decision.open && decision.matured);
            let numbers: Vec<f64> = open.filter_map(&number).collect();
            (!numbers.is_empty()).then(|| numbers.iter().sum::<f64>() / numbers.len() as f64)
        };
        self.arm(arm).filter_map(of).collect()
    }

    /// A number of every shopper of an arm with a decision whose week is over.
    pub(crate) fn per_shopper(&self, arm: &str, number: impl Fn(&Subject) -> f64) -> Vec<f64> {
        self.arm(arm)
            .filter(|subject| subject.decisions.iter().any(|decision| decision.week_over))
            .map(number)
            .collect()
    }
}

impl Subject {
    /// Orders within a week after any decision, each counted once, and their worth in major units.
    pub(crate) fn orders(&self) -> (u64, f64) {
        let counted = self.orders.iter().filter(|order| self.counts(order.at_ms));
        counted.fold((0, 0.0), |(orders, worth), order| {
            (orders + 1, worth + order.amount)
        })
    }

    /// Orders within a week after one decision.
    pub(crate) fn orders_after(&self, decision: &Measured) -> u64 {
        let after = |order: &&Order| decision.within_a_week(order.at_ms);
        self.orders.iter().filter(after).count() as u64
    }

    /// Whether the shopper left a channel within a week after any decision.
    pub(crate) fn left(&self) -> bool {
        self.left_ms.iter().any(|at_ms| self.counts(*at_ms))
    }

    /// Whether a moment lies in the union of the weeks.
    fn counts(&self, at_ms: i64) -> bool {
        self.decisions
            .iter()
            .any(|decision| decision.week_over && decision.within_a_week(at_ms))
    }
}

impl Measured {
    /// Whether a moment lies in the week after. A campaign is decided at the moment of the log's last event, often an
    /// order, which it knew.
    fn within_a_week(&self, at_ms: i64) -> bool {
        (self.decided_ms + 1..self.decided_ms + WEEK_MS).contains(&at_ms)
    }
}

/// A panel while decisions are read.
#[derive(Default)]
struct Draft {
    shoppers: BTreeMap<Pseudonym, Candidate>,
    campaigns: Vec<Campaign>,
    by_run: HashMap<String, usize>,
}

/// A shopper who may turn out to belong to the experiment.
#[derive(Default)]
struct Candidate {
    /// Channels on which it could be written to once.
    entered: Vec<Channel>,
    in_period: bool,
    moved: bool,
    arm: Option<String>,
    decisions: Vec<Measured>,
}

impl Draft {
    fn take(&mut self, decision: &Decision, outcome: MessageOutcome, run: &str, scope: &Scope) {
        let refusal = refusal(decision);
        let shopper = self.shoppers.entry(decision.user).or_default();
        let decided_ms = decision.decided_at.as_millisecond();
        let since_ms = scope.since.map_or(i64::MIN, Timestamp::as_millisecond);
        let at_ms = scope.at.as_millisecond();
        let in_period = (since_ms..=at_ms).contains(&decided_ms);
        shopper.in_period |= in_period;
        if !shopper.entered.contains(&decision.channel) {
            if refusal.is_some_and(|name| OUTSIDE.contains(&name)) {
                return;
            }
            shopper.entered.push(decision.channel);
        }
        if !in_period {
            return;
        }
        let arm = shopper
            .arm
            .get_or_insert_with(|| decision.experiment.clone());
        shopper.moved |= *arm != decision.experiment;
        let campaigns = &mut self.campaigns;
        let campaign = *self.by_run.entry(run.to_owned()).or_insert_with(|| {
            campaigns.push(Campaign {
                run: run.to_owned(),
                channel: decision.channel,
                decided_at: decision.decided_at,
            });
            campaigns.len() - 1
        });
        let window_ms = match decision.goal {
            Goal::Click => DAY_MS,
            Goal::Purchase => WEEK_MS,
        };
        shopper.decisions.push(Measured {
            id: decision.decision_id.clone(),
            campaign,
            decided_ms,
            open: refusal.is_none(),
            sent: decision.chosen().product.is_some(),
            outcome,
            matured: decided_ms + window_ms <= at_ms,
            week_over: decided_ms + WEEK_MS <= at_ms,
        });
    }

    /// The first decision that counts.
    fn first_ms(&self) -> Option<i64> {
        let decisions = self
            .shoppers
            .values()
            .flat_map(|shopper| &shopper.decisions);
        decisions.map(|decision| decision.decided_ms).min()
    }

    fn finish(self, goal: Goal, behaviour: &Behaviour) -> Panel {
        let (mut subjects, mut not_eligible, mut moved) = (Vec::new(), 0, 0);
        for (user, shopper) in self.shoppers {
            match shopper.arm {
                None => not_eligible += u64::from(shopper.in_period),
                Some(_) if shopper.moved => moved += 1,
                Some(arm) => subjects.push(Subject {
                    arm,
                    decisions: shopper.decisions,
                    orders: behaviour.orders_of(user),
                    left_ms: behaviour.left.get(&user).cloned().unwrap_or_default(),
                }),
            }
        }
        Panel {
            goal,
            subjects,
            campaigns: self.campaigns,
            not_eligible,
            moved,
        }
    }
}

/// Why there was no choice, as a short name; `None` where the arm had one.
fn refusal(decision: &Decision) -> Option<&str> {
    let first = decision.exclusions.first()?;
    let name = first.reason.split(':').next().unwrap_or_default();
    (first.candidate == "message").then_some(name)
}

/// What shoppers did by themselves: orders and leaving.
struct Behaviour {
    /// By shopper and order: the first line's moment, and the worth in major units.
    orders: HashMap<Pseudonym, BTreeMap<String, Order>>,
    left: HashMap<Pseudonym, Vec<i64>>,
}

impl Behaviour {
    fn read(store: &Store, config: &Config, from_ms: i64) -> Result<Self> {
        let currency = config.currency()?;
        let mut behaviour = Self {
            orders: HashMap::new(),
            left: HashMap::new(),
        };
        store.for_each_purchase(from_ms, |purchase| {
            let Purchase { user, at_ms, .. } = purchase;
            let Some(order) = purchase.order else {
                behaviour.left.entry(user).or_default().push(at_ms);
                return;
            };
            let minor = purchase.amount_minor;
            let order = behaviour.orders.entry(user).or_default().entry(order);
            let order = order.or_insert(Order { at_ms, amount: 0.0 });
            order.at_ms = order.at_ms.min(at_ms);
            order.amount += Money { minor, currency }.decimal();
        })?;
        Ok(behaviour)
    }

    fn orders_of(&self, user: Pseudonym) -> Vec<Order> {
        let orders = self
            .orders
            .get(&user)
            .into_iter()
            .flat_map(BTreeMap::values);
        orders.copied().collect()
    }
}
