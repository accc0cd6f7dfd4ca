//! Learning from what happened: what answers a decision is credited to it, matured decisions update the policy.

use bandit::Observation;
use events::{Decision, Goal, Timestamp};
use serde::Serialize;

use crate::attribution::{Attribution, CLICK_WINDOW_HOURS, ORDER_WINDOW_HOURS, attribute};
use crate::error::Result;
use crate::policy::{FEATURE_COUNT, Policy};
use crate::store::{LoggedOutcome, Store};

/// What a shopper who leaves the channel costs, in rewards.
const UNSUBSCRIBE_COST: f64 = 1.0;

/// What a round of learning took in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct LearnReport {
    /// New outcomes.
    pub outcomes: u64,
    /// Answers that name a decision about somebody else, or one that the log does not hold; they count for nothing.
    pub foreign: u64,
    /// Messages from which the policy has learnt, in this round.
    pub learnt: u64,
    /// Messages that were never shown and so teach nothing.
    pub unseen: u64,
    /// Messages whose window is still open.
    pub open: u64,
}

/// What became of one message.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an outcome of its own; they come in any combination"
)]
pub struct MessageOutcome {
    /// Whether the shopper saw it.
    pub seen: bool,
    /// Whether the shopper clicked it within the window.
    pub clicked: bool,
    /// Worth of the orders within the window, in major units.
    pub value: f64,
    /// Whether there was an order within the window.
    pub ordered: bool,
    /// Whether the shopper left the channel over it.
    pub unsubscribed: bool,
}

impl MessageOutcome {
    /// The reward under a goal.
    pub fn reward(&self, goal: Goal) -> f64 {
        let achieved = match goal {
            Goal::Click => self.clicked,
            Goal::Purchase => self.ordered,
        };
        f64::from(u8::from(achieved)) - UNSUBSCRIBE_COST * f64::from(u8::from(self.unsubscribed))
    }
}

/// Takes in what happened until `now` and updates the policy of a goal by every decision whose window has closed.
///
/// `attribution` says what an order is credited to that names no decision.
///
/// # Errors
/// Those of the store and of the policy.
pub fn learn(
    store: &mut Store,
    attribution: Attribution,
    goal: Goal,
    now: Timestamp,
) -> Result<LearnReport> {
    let attributed = attribute(store, attribution)?;
    let mut report = LearnReport {
        outcomes: attributed.outcomes,
        foreign: attributed.foreign,
        ..LearnReport::default()
    };
    let mut policy = Policy::load(store, goal)?;
    let (from_ms, known_until) = (policy.learnt_until_ms, policy.outcomes_until);
    let outcomes = store.outcomes()?;
    let (mut rows, mut rewards): (Vec<[f64; FEATURE_COUNT]>, Vec<f64>) = (Vec::new(), Vec::new());
    let mut until_ms = from_ms;
    store.for_each_unlearnt(from_ms, known_until, |decision| {
        let decided_ms = decision.decided_at.as_millisecond();
        if decision.goal != goal || decision.chosen().product.is_none() {
            return Ok(());
        }
        let answers = outcomes.get(&decision.decision_id.0);
        // An impression may be reported after its window has closed: the first answer is learnt whenever it comes.
        let is_answered_late = || {
            let first = answers.and_then(|answers| answers.first());
            first.is_some_and(|first| known_until.is_some_and(|until| first.position > until))
        };
        if decided_ms <= from_ms && !is_answered_late() {
            return Ok(());
        }
        if decision.decided_at + window(goal) > now {
            report.open += 1;
            return Ok(());
        }
        until_ms = until_ms.max(decided_ms);
        let outcome = outcome_of(&decision, answers);
        if !outcome.seen {
            report.unseen += 1;
            return Ok(());
        }
        rows.push(Policy::features_of(&decision.explanation));
        rewards.push(outcome.reward(goal));
        Ok(())
    })?;
    let batch: Vec<Observation<'_>> = rows
        .iter()
        .zip(&rewards)
        .map(|(x, reward)| Observation {
            x,
            reward: *reward,
            weight: 1.0,
        })
        .collect();
    report.learnt = batch.len() as u64;
    policy.model.update_batch(&batch)?;
    policy.learnt += report.learnt;
    policy.learnt_until_ms = until_ms;
    let positions = outcomes.values().flatten().map(|outcome| outcome.position);
    policy.outcomes_until = Some(positions.max().unwrap_or(0));
    store.transaction(|store| policy.save(store, goal))?;
    Ok(report)
}

/// What became of every message decided since `from`, with its decision.
///
/// # Errors
/// Those of the store.
pub fn message_outcomes(
    store: &Store,
    from: Option<Timestamp>,
    mut visit: impl FnMut(&Decision, MessageOutcome),
) -> Result<()> {
    let outcomes = store.outcomes()?;
    store.for_each_decision(None, |decision| {
        if from.is_none_or(|from| decision.decided_at >= from) {
            let outcome = outcome_of(&decision, outcomes.get(&decision.decision_id.0));
            visit(&decision, outcome);
        }
        Ok(())
    })
}

/// Sums the outcomes of a decision within its windows.
fn outcome_of(decision: &Decision, outcomes: Option<&Vec<LoggedOutcome>>) -> MessageOutcome {
    let mut sum = MessageOutcome::default();
    for outcome in outcomes.into_iter().flatten() {
        let hours = (outcome.at_ms - decision.decided_at.as_millisecond()) / 3_600_000;
        let within = |window: i64| (0..window).contains(&hours);
        // Whoever clicked has seen it, whether or not the impression arrived.
        sum.seen = true;
        match outcome.event.as_str() {
            "click" => sum.clicked |= within(CLICK_WINDOW_HOURS),
            "order" if within(ORDER_WINDOW_HOURS) => {
                sum.ordered = true;
                sum.value += outcome.value;
            }
            "unsubscribe" => sum.unsubscribed |= within(ORDER_WINDOW_HOURS),
            _ => {}
        }
    }
    sum
}

/// How long after a decision its outcomes count.
fn window(goal: Goal) -> jiff::SignedDuration {
    jiff::SignedDuration::from_hours(match goal {
        Goal::Click => CLICK_WINDOW_HOURS,
        Goal::Purchase => ORDER_WINDOW_HOURS,
    })
}
