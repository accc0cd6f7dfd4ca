//! What the campaigns brought and how the policy learnt from it; in the demo beside the truth.

use engine::{Comparison, DemoReport, GoalLift, LiftReport, MeasuredLift, Policy, Store};
use events::Goal;

use super::estimate;
use crate::Outcome;
use crate::report::data::feedback::{Arm, Coefficient, Feedback, Lift, LiftForm, Round};

/// Half the width of a 95 % interval, in standard deviations.
const HALF_WIDTH: f64 = 1.96;

/// What a shop's own campaigns brought: every goal of which any message has an answer.
pub(super) fn of_shop(
    store: &Store,
    currency: &str,
    report: &LiftReport,
) -> Outcome<Vec<Feedback>> {
    let answered = report.goals.iter().filter(|goal| goal.is_answered());
    answered
        .map(|goal| {
            let mut feedback = of_goal(store, goal)?;
            feedback.lifts = lifts(goal, currency);
            feedback.notes = notes(goal, report.waiting);
            Ok(feedback)
        })
        .collect()
}

/// What the demo's campaigns brought, beside the truth.
pub(super) fn of_demo(store: &Store, demo: &DemoReport) -> Outcome<Vec<Feedback>> {
    let mut feedback = of_goal(store, &demo.measured)?;
    for (round, known) in feedback.rounds.iter_mut().zip(&demo.rounds) {
        round.name = known.round.to_string();
        round.policy_truth = known.policy_truth;
        round.random_truth = known.random_truth;
        round.oracle_truth = known.oracle_truth;
        round.cumulative_regret = Some(known.cumulative_regret);
        round.random_cumulative_regret = Some(known.random_cumulative_regret);
    }
    feedback.lifts = lifts_of_demo(demo);
    feedback.notes = vec![
        "Once the year’s history has ended, a simulated shopper orders only over a message, so that the holdout has no orders: the lift over it is all that messages brought.".to_owned(),
    ];
    Ok(vec![feedback])
}

/// What a goal's campaigns have in common, with and without a known truth.
fn of_goal(store: &Store, lift: &GoalLift) -> Outcome<Feedback> {
    let campaigns = lift.campaigns.iter();
    let arms = lift.arms.iter();
    Ok(Feedback {
        counted: counted(lift.goal).to_owned(),
        policy: "linear Thompson sampling".to_owned(),
        reward: format!(
            "1 for a {}, −1 for a shopper who leaves the channel",
            lift.goal
        ),
        rounds: campaigns
            .map(|campaign| Round {
                name: campaign.decided_at.strftime("%Y-%m-%d").to_string(),
                messages: campaign.messages,
                policy_rate: campaign.policy.rate,
                random_rate: campaign.random.rate,
                policy_orders: campaign.policy.orders_per_1000,
                holdout_orders: campaign.holdout.orders_per_1000,
                ..Round::default()
            })
            .collect(),
        lifts: Vec::new(),
        arms: arms
            .map(|arm| Arm {
                name: arm.arm.clone(),
                decisions: arm.decisions,
                messages: arm.messages,
                achieved: arm.achieved,
                shoppers: arm.shoppers,
                orders: arm.orders,
                revenue: arm.revenue,
                unsubscribed: arm.unsubscribed,
            })
            .collect(),
        coefficients: coefficients(&Policy::load(store, lift.goal)?),
        notes: Vec::new(),
    })
}

/// What is counted towards a goal.
pub(crate) fn counted(goal: Goal) -> &'static str {
    match goal {
        Goal::Click => "clicks",
        Goal::Purchase => "credited orders",
    }
}

fn lifts(goal: &GoalLift, currency: &str) -> Vec<Lift> {
    let over_random = format!("{} per decision over random messages", counted(goal.goal));
    let revenue = format!("revenue per shopper over the holdout, {currency}");
    let lifts = [
        (&over_random[..], goal.policy_over_random),
        (
            "orders per 1,000 shoppers over the holdout",
            goal.orders_per_1000_over_holdout,
        ),
        (&revenue[..], goal.revenue_over_holdout),
    ];
    let forms = [LiftForm::Relative, LiftForm::Absolute, LiftForm::Absolute];
    let known = lifts.into_iter().zip(forms);
    known
        .filter_map(|((outcome, measured), form)| Some(lift(outcome, form, &measured?, None)))
        .collect()
}

/// What a reader should know of the figures, above all which are missing.
fn notes(goal: &GoalLift, waiting: u64) -> Vec<String> {
    let mut notes = Vec::new();
    if goal.policy_over_random.is_none() {
        notes.push(format!(
            "Too few data for the lift over random messages: it needs ten shoppers and {} in both arms.",
            counted(goal.goal)
        ));
    }
    if goal.orders_per_1000_over_holdout.is_none() {
        notes.push("Too few data for the lift over the holdout: it needs ten shoppers in both arms whose week after a message is over, and orders.".to_owned());
    }
    if waiting > 0 {
        notes.push(format!(
            "{waiting} answers in the log are not counted yet: `hawker learn` takes them in."
        ));
    }
    notes
}

fn lifts_of_demo(demo: &DemoReport) -> Vec<Lift> {
    let known = |outcome, form, measured: &Option<MeasuredLift>| {
        measured.map(|known| lift(outcome, form, &known.measured, Some(known.truth)))
    };
    [
        known(
            "clicks, all campaigns, over random messages",
            LiftForm::Relative,
            &demo.lift_over_random,
        ),
        known(
            "clicks, second half of the campaigns, over random messages",
            LiftForm::Relative,
            &demo.late_lift_over_random,
        ),
        known(
            "orders per 1,000 shoppers over the holdout",
            LiftForm::Absolute,
            &demo.orders_per_1000_over_holdout,
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn lift(outcome: &str, form: LiftForm, measured: &Comparison, truth: Option<f64>) -> Lift {
    let control_name = match form {
        LiftForm::Relative => "random",
        LiftForm::Absolute | LiftForm::Points => "holdout",
    };
    Lift {
        outcome: outcome.to_owned(),
        form,
        estimate: estimate(measured.value, Some(measured.low), Some(measured.high)),
        truth,
        control_name: control_name.to_owned(),
        treated: Some(measured.treated),
        control: Some(measured.control),
        treated_mean: Some(measured.treated_mean),
        control_mean: Some(measured.control_mean),
    }
}

/// The posterior of every coefficient.
fn coefficients(policy: &Policy) -> Vec<Coefficient> {
    engine::FEATURE_NAMES
        .into_iter()
        .enumerate()
        .map(|(feature, name)| {
            let mut x = [0.0; engine::FEATURE_COUNT];
            x[feature] = 1.0;
            let mean = policy.model.mean()[feature];
            let half = policy
                .model
                .score_deviation(&x)
                .map_or(0.0, |deviation| HALF_WIDTH * deviation);
            Coefficient {
                feature: name.to_owned(),
                estimate: estimate(mean, Some(mean - half), Some(mean + half)),
                truth: None,
            }
        })
        .collect()
}
