//! Learning: what answers a decision becomes an outcome once, and only what shoppers saw teaches, when its time is over.

use std::fmt::Write;

use engine::ingest::Format;
use engine::{
    Attribution, DeliveredLine, FEATURE_NAMES, LearnReport, Policy, learn, message_outcomes,
};
use events::{Channel, Goal};
use serde_json::json;

use crate::shop::{TestShop, hours_after_noon, messages, number, refusal};

/// An event that answers a line's message, some hours after noon.
fn answer(line: &DeliveredLine, event: &str, hours: i64) -> String {
    let decision = &line.decision.decision_id.0;
    let mut properties = json!({ "decision_id": decision });
    if event == "Unsubscribed" {
        properties["channel"] = json!(line.decision.channel);
    }
    if event == "Order Completed" {
        properties["order_id"] = json!(format!("o-{decision}"));
        properties["currency"] = json!("GBP");
        properties["products"] = json!([{ "product_id": line.product.as_ref().map(|p| &p.id), "price": 12.5, "quantity": 2 }]);
    }
    let event = json!({
        "messageId": format!("{decision} {event} {hours}"),
        "event": event,
        "userId": line.user_id,
        "timestamp": hours_after_noon(hours).to_string(),
        "properties": properties,
    });
    format!("{event}\n")
}

/// A shop whose messages are all drawn evenly, and the messages of its first campaign.
fn even_shop() -> (TestShop, Vec<DeliveredLine>) {
    let mut shop = TestShop::new();
    shop.config.campaign.control_share = 1.0;
    let lines = shop.run_at(Channel::Push, 0);
    let sent: Vec<DeliveredLine> = messages(&lines).cloned().collect();
    assert!(sent.len() > 30, "{} messages", sent.len());
    (shop, sent)
}

impl TestShop {
    /// Imports answers, some of them to each message.
    fn answer(
        &mut self,
        sent: &[DeliveredLine],
        answers: impl Fn(&DeliveredLine) -> Vec<(&'static str, i64)>,
    ) {
        let mut events = String::new();
        for line in sent {
            for (event, hours) in answers(line) {
                write!(events, "{}", answer(line, event, hours)).expect("fits");
            }
        }
        self.import(Format::Segment, "answers.jsonl", &events);
    }

    fn learn(&mut self, hours: i64) -> LearnReport {
        learn(
            &mut self.store,
            Attribution::LastTouch,
            Goal::Click,
            hours_after_noon(hours),
        )
        .expect("learns")
    }

    fn policy(&self) -> Policy {
        Policy::load(&self.store, Goal::Click).expect("readable")
    }
}

fn coefficient(policy: &Policy, feature: &str) -> f64 {
    let place = FEATURE_NAMES.iter().position(|name| *name == feature);
    policy.model.mean()[place.expect("a feature")]
}

/// The expected messages of some decisions, and those among them that make an argument.
fn expected(lines: &[DeliveredLine], strategy: &str) -> (f64, f64) {
    let part = format!("/{strategy}/");
    let candidates = lines.iter().flat_map(|line| &line.decision.candidates);
    let (mut all, mut of) = (0.0, 0.0);
    for candidate in candidates {
        let Some(variant) = &candidate.variant else {
            continue;
        };
        all += candidate.propensity;
        of += if variant.contains(&part) {
            candidate.propensity
        } else {
            0.0
        };
    }
    (all, of)
}

#[test]
fn an_answer_becomes_an_outcome_once() {
    let (mut shop, sent) = even_shop();
    let clicked = |line: &DeliveredLine| match number(line) % 5 {
        0 => vec![("Promotion Viewed", 1), ("Promotion Clicked", 2)],
        _ => vec![("Promotion Viewed", 1)],
    };
    shop.answer(&sent, clicked);
    let clicks = sent
        .iter()
        .filter(|line| number(line).is_multiple_of(5))
        .count();
    let report = shop.learn(25);
    assert_eq!(
        (report.outcomes, report.learnt),
        ((sent.len() + clicks) as u64, sent.len() as u64)
    );
    let policy = shop.policy();

    // Neither the same call, nor the same file, nor the same click once more under another id teaches again.
    let again = shop.learn(25);
    assert_eq!((again.outcomes, again.learnt), (0, 0));
    shop.answer(&sent, clicked);
    shop.answer(&sent[..1], |_| vec![("Promotion Clicked", 3)]);
    assert_eq!(shop.learn(26).learnt, 0);
    assert_eq!(shop.policy().model, policy.model);
}

#[test]
fn each_message_has_the_outcome_of_its_own_answers() {
    let (mut shop, sent) = even_shop();
    shop.answer(&sent, |line| match number(line) % 5 {
        0 => vec![
            ("Promotion Viewed", 1),
            ("Promotion Clicked", 2),
            ("Order Completed", 3),
        ],
        1 => vec![("Promotion Viewed", 1), ("Unsubscribed", 2)],
        2 => vec![
            ("Promotion Viewed", 1),
            ("Promotion Clicked", 30),
            ("Order Completed", 24 * 8),
        ],
        3 => vec![("Promotion Viewed", 1), ("Email Opened", 2)],
        _ => vec![],
    });
    shop.learn(25);
    let numbers: std::collections::HashMap<_, _> = sent
        .iter()
        .map(|line| (line.decision.decision_id.clone(), number(line)))
        .collect();
    let mut seen = 0;
    let read = message_outcomes(&shop.store, None, |decision, outcome| {
        let Some(number) = numbers.get(&decision.decision_id) else {
            return;
        };
        let clicked_and_ordered = number % 5 == 0;
        assert_eq!(
            (outcome.clicked, outcome.ordered),
            (clicked_and_ordered, clicked_and_ordered),
            "{number}"
        );
        assert!(
            (outcome.value - if clicked_and_ordered { 25.0 } else { 0.0 }).abs() < 1e-9,
            "{number}"
        );
        assert_eq!(outcome.unsubscribed, number % 5 == 1, "{number}");
        assert_eq!(outcome.seen, number % 5 != 4, "{number}");
        let reward = match number % 5 {
            0 => 1.0,
            1 => -1.0,
            _ => 0.0,
        };
        assert!(
            (outcome.reward(Goal::Click) - reward).abs() < 1e-12,
            "{number}"
        );
        seen += 1;
    });
    read.expect("readable");
    assert_eq!(seen, sent.len());
}

#[test]
fn the_earliest_answer_counts_in_whatever_order_they_arrive() {
    let (mut shop, sent) = even_shop();
    // The click of the second day is logged before that of the first.
    shop.answer(&sent, |_| {
        vec![("Promotion Clicked", 30), ("Promotion Clicked", 2)]
    });
    shop.learn(25);
    let mut clicked = 0;
    let read = message_outcomes(&shop.store, None, |_, outcome| {
        clicked += usize::from(outcome.clicked);
    });
    read.expect("readable");
    assert_eq!(clicked, sent.len());
}

#[test]
fn what_nobody_saw_teaches_nothing() {
    let (mut shop, sent) = even_shop();
    shop.answer(&sent, |line| match number(line) % 2 {
        0 => vec![("Promotion Viewed", 1)],
        _ => vec![],
    });
    let shown = sent
        .iter()
        .filter(|line| number(line).is_multiple_of(2))
        .count() as u64;
    let report = shop.learn(25);
    assert_eq!(
        (report.learnt, report.unseen),
        (shown, sent.len() as u64 - shown)
    );
    assert_eq!(shop.policy().learnt, shown);
}

#[test]
fn an_impression_that_is_reported_late_still_teaches_once() {
    let (mut shop, sent) = even_shop();
    let early = |line: &DeliveredLine| number(line).is_multiple_of(2);
    let shown = vec![("Promotion Viewed", 1)];
    shop.answer(
        &sent,
        |line| if early(line) { shown.clone() } else { vec![] },
    );
    let first = shop.learn(25).learnt;
    assert!(first > 10);
    // The other half of the impressions arrives with the next file.
    shop.answer(
        &sent,
        |line| if early(line) { vec![] } else { shown.clone() },
    );
    let late = shop.learn(49);
    assert_eq!((late.learnt, late.unseen), (sent.len() as u64 - first, 0));
    assert_eq!(shop.learn(73).learnt, 0);
    assert_eq!(shop.policy().learnt, sent.len() as u64);
}

#[test]
fn a_message_waits_until_its_window_is_over() {
    let (mut shop, sent) = even_shop();
    shop.answer(&sent, |_| vec![("Promotion Viewed", 1)]);
    let early = shop.learn(23);
    assert_eq!((early.learnt, early.open), (0, sent.len() as u64));
    assert_eq!(
        early.outcomes,
        sent.len() as u64,
        "an outcome is kept before its message is learnt"
    );
    let late = shop.learn(25);
    assert_eq!((late.learnt, late.open), (sent.len() as u64, 0));
}

#[test]
fn an_argument_that_is_clicked_is_made_more_often() {
    const LIKED: &str = "social_proof";
    let (mut shop, sent) = even_shop();
    shop.answer(&sent, |line| match line.strategy.as_deref() {
        Some(LIKED) => vec![("Promotion Viewed", 1), ("Promotion Clicked", 2)],
        _ => vec![("Promotion Viewed", 1)],
    });
    // The next campaign is the policy's own, before and after it has learnt.
    shop.config.campaign.control_share = 0.0;
    let mut ignorant = shop.copy();
    let share = |lines: &[DeliveredLine]| {
        let (all, liked) = expected(lines, LIKED);
        liked / all
    };
    let before = share(&ignorant.run_at(Channel::Push, 48));
    let prior = coefficient(&shop.policy(), LIKED);
    assert!(shop.learn(25).learnt > 30);
    let after = share(&shop.run_at(Channel::Push, 48));
    let policy = shop.policy();
    assert!(
        coefficient(&policy, LIKED) > prior + 0.02,
        "{}",
        coefficient(&policy, LIKED)
    );
    for other in ["benefit", "novelty", "complement", "value"] {
        assert!(
            coefficient(&policy, other) < coefficient(&policy, LIKED) / 2.0,
            "{other}"
        );
    }
    assert!(
        after > before + 0.1,
        "{LIKED} went from {before} to {after} of the messages"
    );
}

#[test]
fn a_shopper_who_leaves_costs_and_is_not_written_to_again() {
    const RESENTED: &str = "benefit";
    let (mut shop, sent) = even_shop();
    let leaves = |line: &DeliveredLine| line.strategy.as_deref() == Some(RESENTED);
    shop.answer(&sent, |line| {
        if leaves(line) {
            vec![("Promotion Viewed", 1), ("Unsubscribed", 2)]
        } else {
            vec![("Promotion Viewed", 1)]
        }
    });
    shop.config.campaign.control_share = 0.0;
    let mut ignorant = shop.copy();
    let (all_before, before) = expected(&ignorant.run_at(Channel::Push, 48), RESENTED);
    shop.learn(25);
    let policy = shop.policy();
    assert!(
        coefficient(&policy, RESENTED) < -0.02,
        "{}",
        coefficient(&policy, RESENTED)
    );
    let next = shop.run_at(Channel::Push, 48);
    let left: Vec<u32> = sent
        .iter()
        .filter(|line| leaves(line))
        .map(number)
        .collect();
    assert!(left.len() > 3, "{left:?}");
    for line in next.iter().filter(|line| left.contains(&number(line))) {
        assert_eq!(refusal(line), "no_consent");
    }
    // So many left that silence is worth more than most messages, and this argument is avoided above all.
    let (all_after, after) = expected(&next, RESENTED);
    assert!(
        all_after < all_before / 2.0,
        "{all_before}, then {all_after} messages"
    );
    assert!(
        after < before / 3.0,
        "{RESENTED} went from {before} to {after} messages"
    );
}

#[test]
fn a_goal_learns_from_its_own_messages_alone() {
    let (mut shop, sent) = even_shop();
    shop.answer(&sent, |_| {
        vec![("Promotion Viewed", 1), ("Order Completed", 4)]
    });
    let report = learn(
        &mut shop.store,
        Attribution::LastTouch,
        Goal::Purchase,
        hours_after_noon(24 * 8),
    )
    .expect("learns");
    assert_eq!((report.learnt, report.unseen, report.open), (0, 0, 0));
    assert_eq!(shop.learn(25).learnt, sent.len() as u64);
}
