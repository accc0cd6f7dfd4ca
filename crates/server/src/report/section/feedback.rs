use askama::Template;

use crate::report::chart::{Chart, Shape, Tone, Unit};
use crate::report::data::feedback::{Arm, Feedback, Lift, LiftForm, Round};
use crate::report::format::{self, Formats};
use crate::report::whiskers::{Point, Whiskers};

/// What the campaigns brought and how the policy learnt from it, goal by goal.
#[derive(Template)]
#[template(path = "report/feedback.html")]
pub(super) struct FeedbackView<'a> {
    goals: Vec<GoalView<'a>>,
}

/// The campaigns towards one goal.
struct GoalView<'a> {
    feedback: &'a Feedback,
    /// Whether a simulator told the true rates.
    knows_truth: bool,
    charts: Vec<Chart>,
    lifts: Vec<LiftRow<'a>>,
    /// What each arm earned, as text.
    arms: Vec<(&'a Arm, String)>,
    coefficients: Option<Whiskers>,
}

struct LiftRow<'a> {
    lift: &'a Lift,
    value: String,
    interval: Option<String>,
    truth: Option<String>,
    picture: Option<Whiskers>,
    /// The outcome's means as text: treated, control.
    means: Option<(String, String)>,
}

/// Prepares the section; nothing where nothing was measured.
pub(super) fn view<'a>(goals: &'a [Feedback], formats: &Formats) -> Option<FeedbackView<'a>> {
    let goals: Vec<GoalView<'_>> = goals.iter().map(|goal| goal_view(goal, formats)).collect();
    (!goals.is_empty()).then_some(FeedbackView { goals })
}

fn goal_view<'a>(feedback: &'a Feedback, formats: &Formats) -> GoalView<'a> {
    let names = feedback
        .coefficients
        .iter()
        .map(|coefficient| format::feature(&coefficient.feature));
    let names: Vec<String> = names.collect();
    let points: Vec<Point<'_>> = feedback
        .coefficients
        .iter()
        .zip(&names)
        .map(|(coefficient, name)| Point {
            label: name,
            estimate: coefficient.estimate,
            truth: coefficient.truth,
            strong: true,
        })
        .collect();
    let arms = feedback.arms.iter();
    GoalView {
        feedback,
        knows_truth: knows_truth(&feedback.rounds),
        charts: charts(feedback, formats),
        lifts: feedback.lifts.iter().map(lift_row).collect(),
        arms: arms.map(|arm| (arm, formats.money(&arm.revenue))).collect(),
        coefficients: Whiskers::new("What the policy believes", &points, true, format::signed),
    }
}

fn knows_truth(rounds: &[Round]) -> bool {
    rounds.iter().any(|round| round.policy_truth.is_some())
}

fn charts(feedback: &Feedback, formats: &Formats) -> Vec<Chart> {
    let chart = |title: &str, unit| {
        let names = feedback.rounds.iter().map(|round| round.name.clone());
        Chart::new(title, "campaign", unit, formats).over(names)
    };
    let values = |get: fn(&Round) -> Option<f64>| feedback.rounds.iter().map(get);
    let title = format!("{} per decision", format::words(&feedback.counted));
    let rates = rates(chart(&title, Unit::Percent), &feedback.rounds);
    let orders = chart(
        "Orders per 1,000 shoppers within a week after a campaign",
        Unit::Decimal,
    )
    .note("All orders of the shoppers, whether or not they name a message. The weeks of close campaigns overlap.")
    .series("Policy", Shape::Line, Tone::Accent, values(|round| round.policy_orders))
    .series("Holdout", Shape::Line, Tone::Second, values(|round| round.holdout_orders));
    let regret = chart(
        "Clicks lost against the best choices, summed",
        Unit::Decimal,
    )
    .note("Cumulative regret: the flatter the line, the less is left to learn.")
    .series(
        "Policy",
        Shape::Line,
        Tone::Accent,
        values(|round| round.cumulative_regret),
    )
    .series(
        "Random",
        Shape::Line,
        Tone::Second,
        values(|round| round.random_cumulative_regret),
    );
    [rates, orders, regret]
        .into_iter()
        .filter_map(Chart::if_any)
        .collect()
}

/// Rates by arm, as observed and where it is known as they truly are.
fn rates(chart: Chart, rounds: &[Round]) -> Chart {
    let values = |get: fn(&Round) -> Option<f64>| rounds.iter().map(get);
    chart
        .note(if knows_truth(rounds) {
            "Lines are the simulator’s true expected rates; dots are what was observed."
        } else {
            "What was observed, campaign by campaign; silence counts as a decision."
        })
        .series(
            "Best possible",
            Shape::Dashed,
            Tone::Third,
            values(|round| round.oracle_truth),
        )
        .series(
            "Policy, expected",
            Shape::Line,
            Tone::Accent,
            values(|round| round.policy_truth),
        )
        .series(
            "Random, expected",
            Shape::Line,
            Tone::Second,
            values(|round| round.random_truth),
        )
        .series(
            "Policy, observed",
            Shape::Points,
            Tone::Accent,
            values(|round| round.policy_rate),
        )
        .series(
            "Random, observed",
            Shape::Points,
            Tone::Second,
            values(|round| round.random_rate),
        )
}

fn lift_row(lift: &Lift) -> LiftRow<'_> {
    let text = |value: &f64| lift_text(lift.form, *value);
    let mean = |value: f64| match lift.form {
        LiftForm::Relative | LiftForm::Points => format::percent(&value),
        LiftForm::Absolute => format::number(&value),
    };
    let ends = lift.estimate.low.zip(lift.estimate.high);
    let point = Point {
        label: "Estimate",
        estimate: lift.estimate,
        truth: lift.truth,
        strong: true,
    };
    LiftRow {
        lift,
        value: text(&lift.estimate.value),
        interval: ends.map(|(low, high)| format!("{} to {}", text(&low), text(&high))),
        truth: lift.truth.as_ref().map(text),
        picture: Whiskers::new(&lift.outcome, &[point], true, text),
        means: lift
            .treated_mean
            .zip(lift.control_mean)
            .map(|(treated, control)| (mean(treated), mean(control))),
    }
}

/// A lift as people say it: `+12.3%`, `+1.2 pp`, `+0.34`.
pub(in crate::report) fn lift_text(form: LiftForm, value: f64) -> String {
    let text = match form {
        LiftForm::Relative => format::percent(&value),
        LiftForm::Points => format!("{} pp", format::number(&(value * 100.0))),
        LiftForm::Absolute => format::number(&value),
    };
    format::with_plus(value, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lift_is_written_in_its_form() {
        assert_eq!(lift_text(LiftForm::Relative, 0.123), "+12.3%");
        assert_eq!(lift_text(LiftForm::Points, 0.0123), "+1.23 pp");
        assert_eq!(lift_text(LiftForm::Absolute, -0.34), "−0.34");
        assert_eq!(lift_text(LiftForm::Relative, 0.0), "0%");
    }
}
