use askama::Template;

use crate::report::chart::{Chart, Shape, Tone, Unit};
use crate::report::data::feedback::{Feedback, Lift, LiftForm, Round};
use crate::report::format::{self, Formats};
use crate::report::whiskers::{Point, Whiskers};

/// How the policy learnt from what shoppers did.
#[derive(Template)]
#[template(path = "report/feedback.html")]
pub(super) struct FeedbackView<'a> {
    feedback: &'a Feedback,
    /// Whether a simulator told the true rates.
    knows_truth: bool,
    charts: Vec<Chart>,
    lifts: Vec<LiftRow<'a>>,
    coefficients: Option<Whiskers>,
}

struct LiftRow<'a> {
    lift: &'a Lift,
    value: String,
    interval: Option<String>,
    truth: Option<String>,
    picture: Option<Whiskers>,
    /// The outcome's means as text: treated, holdout.
    means: Option<(String, String)>,
}

/// Prepares the section.
pub(super) fn view<'a>(feedback: &'a Feedback, formats: &Formats) -> FeedbackView<'a> {
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
    FeedbackView {
        feedback,
        knows_truth: feedback
            .rounds
            .iter()
            .any(|round| round.policy_truth.is_some()),
        charts: charts(&feedback.rounds, formats),
        lifts: feedback.lifts.iter().map(lift_row).collect(),
        coefficients: Whiskers::new("What the policy believes", &points, true, format::signed),
    }
}

fn charts(rounds: &[Round], formats: &Formats) -> Vec<Chart> {
    let knows_truth = rounds.iter().any(|round| round.policy_truth.is_some());
    let values = |get: fn(&Round) -> Option<f64>| rounds.iter().map(get);
    let chart = |title: &str, unit| {
        Chart::new(title, "round", unit, formats)
            .over(rounds.iter().map(|round| round.round.to_string()))
    };
    let rates = chart("Click rate by round", Unit::Percent)
        .note(if knows_truth {
            "Lines are the simulator’s true expected rates; dots are what was observed."
        } else {
            "What was observed, round by round."
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
        );
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
    [rates, regret]
        .into_iter()
        .filter_map(Chart::if_any)
        .collect()
}

fn lift_row(lift: &Lift) -> LiftRow<'_> {
    let text = |value: &f64| lift_text(lift.form, *value);
    let mean = |value: f64| match lift.form {
        LiftForm::Points => format::percent(&value),
        LiftForm::Relative | LiftForm::Absolute => format::number(&value),
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
            .zip(lift.holdout_mean)
            .map(|(treated, holdout)| (mean(treated), mean(holdout))),
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
