//! How the demo's policy learnt, beside the truth.

use engine::{DemoReport, MeasuredLift, Policy, Store};
use events::Goal;

use super::estimate;
use crate::Outcome;
use crate::report::data::feedback::{Coefficient, Feedback, Lift, LiftForm, Round};

/// Half the width of a 95 % interval, in standard deviations.
const HALF_WIDTH: f64 = 1.96;

/// What was learnt from the shoppers' reactions.
pub(super) fn feedback(store: &Store, demo: &DemoReport) -> Outcome<Feedback> {
    let goal: Goal = demo.goal.parse()?;
    Ok(Feedback {
        policy: "linear Thompson sampling".to_owned(),
        reward: format!(
            "1 for a {}, −1 for a shopper who leaves the channel",
            demo.goal
        ),
        rounds: demo
            .rounds
            .iter()
            .map(|round| Round {
                round: round.round,
                messages: round.messages,
                policy_rate: round.policy_rate,
                random_rate: round.random_rate,
                policy_truth: round.policy_truth,
                random_truth: round.random_truth,
                oracle_truth: round.oracle_truth,
                cumulative_regret: Some(round.cumulative_regret),
                random_cumulative_regret: Some(round.random_cumulative_regret),
            })
            .collect(),
        lifts: lifts(demo),
        coefficients: coefficients(&Policy::load(store, goal)?),
    })
}

fn lifts(demo: &DemoReport) -> Vec<Lift> {
    let lift = |outcome: &str, form, measured: &Option<MeasuredLift>| {
        measured.map(|measured| Lift {
            outcome: outcome.to_owned(),
            form,
            estimate: estimate(measured.value, Some(measured.low), Some(measured.high)),
            truth: Some(measured.truth),
            treated: Some(measured.treated),
            holdout: Some(measured.control),
            treated_mean: Some(measured.treated_mean),
            holdout_mean: Some(measured.control_mean),
        })
    };
    [
        lift(
            "clicks, second half of the campaigns, over random messages",
            LiftForm::Relative,
            &demo.late_lift_over_random,
        ),
        lift(
            "clicks, all campaigns, over random messages",
            LiftForm::Relative,
            &demo.lift_over_random,
        ),
        lift(
            "orders per shopper over the holdout",
            LiftForm::Absolute,
            &demo.orders_over_holdout,
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
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
