//! `hawker lift`.

use engine::{Comparison, GoalLift, LiftReport, LiftRequest};
use events::Goal;

use super::{config, grouped, store};
use crate::Outcome;
use crate::cli::{LiftArgs, Shared};
use crate::measured::feedback::counted;
use crate::terminal::Terminal;

pub(crate) fn run(shared: &Shared, args: &LiftArgs, terminal: Terminal) -> Outcome<()> {
    let config = config(shared)?;
    let store = store(shared)?;
    let request = LiftRequest {
        goal: args.goal,
        since: args.since,
        at: args.at,
    };
    let report = engine::lift(&store, &config, &request)?;
    for line in lines(&report, &config.shop.currency) {
        terminal.say(line);
    }
    terminal.result(&report)
}

/// The report for a person.
fn lines(report: &LiftReport, currency: &str) -> Vec<String> {
    let mut lines = Vec::new();
    if report.goals.is_empty() {
        lines.push("no decision in this period; `hawker campaign` takes some".to_owned());
    }
    for goal in &report.goals {
        lines.extend(of_goal(goal, report, currency));
    }
    if report.waiting > 0 {
        lines.push(format!(
            "{} answers are in the log but not counted yet; `hawker learn` takes them in",
            grouped(report.waiting)
        ));
    }
    lines
}

fn of_goal(goal: &GoalLift, report: &LiftReport, currency: &str) -> Vec<String> {
    let since = report
        .since
        .map_or_else(String::new, |since| format!(" since {since}"));
    let mut lines = vec![format!(
        "goal {}, {} campaigns{since}, decisions whose time was over at {}",
        goal.goal,
        goal.campaigns.len(),
        report.at
    )];
    let what = counted(goal.goal);
    lines.push(match &goal.policy_over_random {
        Some(lift) => format!(
            "  {what} per decision over random messages: {:+.1} % [{:+.1}, {:+.1}]; {:.4} against {:.4}, {}",
            100.0 * lift.value,
            100.0 * lift.low,
            100.0 * lift.high,
            lift.treated_mean,
            lift.control_mean,
            shoppers(lift),
        ),
        None => format!("  {what} per decision over random messages: too few data, it needs ten shoppers and {what} in both arms"),
    });
    let over_holdout = [
        (
            "orders per 1,000 shoppers".to_owned(),
            &goal.orders_per_1000_over_holdout,
        ),
        (
            format!("revenue per shopper, {currency}"),
            &goal.revenue_over_holdout,
        ),
    ];
    for (name, lift) in over_holdout {
        lines.push(match lift {
            Some(lift) => format!(
                "  {name}, over the holdout: {:+.2} [{:+.2}, {:+.2}]; {:.2} against {:.2}, {}",
                lift.value,
                lift.low,
                lift.high,
                lift.treated_mean,
                lift.control_mean,
                shoppers(lift),
            ),
            None => format!("  {name}, over the holdout: too few data, it needs ten shoppers in both arms whose week is over, and orders"),
        });
    }
    lines.extend(table(goal));
    for (number, text) in [
        (goal.open, "decisions whose time is not over"),
        (goal.not_eligible, "shoppers to whom nothing could be sent"),
        (
            goal.moved,
            "shoppers left out, moved by a change of the shares",
        ),
    ] {
        if number > 0 {
            lines.push(format!("{:>10}  {text}", grouped(number)));
        }
    }
    lines
}

/// The arms, row by row.
fn table(goal: &GoalLift) -> Vec<String> {
    let achieved = match goal.goal {
        Goal::Click => "clicks",
        Goal::Purchase => "orders",
    };
    let mut lines = vec![format!(
        "  {:<8} {:>10} {:>10} {:>8}   {:>10} {:>8} {:>12} {:>6}",
        "arm", "decisions", "messages", achieved, "week over", "orders", "revenue", "left"
    )];
    for arm in &goal.arms {
        lines.push(format!(
            "  {:<8} {:>10} {:>10} {:>8}   {:>10} {:>8} {:>12.2} {:>6}",
            arm.arm,
            grouped(arm.decisions),
            grouped(arm.messages),
            grouped(arm.achieved),
            grouped(arm.shoppers),
            grouped(arm.orders),
            arm.revenue,
            grouped(arm.unsubscribed),
        ));
    }
    lines
}

fn shoppers(lift: &Comparison) -> String {
    format!(
        "{} and {} shoppers",
        grouped(lift.treated),
        grouped(lift.control)
    )
}
