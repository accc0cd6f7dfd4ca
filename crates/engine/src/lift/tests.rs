//! A tiny log, written decision by decision, and what is measured on it by hand.

use events::{
    Action, Candidate, Channel, Context, Currency, Decision, DecisionId, EventKind, Exclusion,
    Explanation, Goal, LineItem, Locale, MessageKey, Properties, Pseudonym, Timestamp,
};
use tempfile::TempDir;

use super::{ArmSummary, GoalLift, LiftReport, LiftRequest, lift};
use crate::Attribution;
use crate::config::Config;
use crate::learn::learn;
use crate::store::{NewEvent, Store};

/// Ten shoppers of each arm, just enough to be compared; the first ten are those of the policy.
const RANDOM: std::ops::Range<u8> = 10..20;
const HOLDOUT: std::ops::Range<u8> = 20..30;

fn hour(hours: i64) -> Timestamp {
    "2026-05-01T12:00:00Z".parse::<Timestamp>().expect("valid")
        + jiff::SignedDuration::from_hours(hours)
}

fn day(days: i64) -> i64 {
    24 * days
}

fn user(number: u8) -> Pseudonym {
    Pseudonym([number; 16])
}

fn arm(shopper: u8) -> &'static str {
    match shopper {
        shopper if RANDOM.contains(&shopper) => "random",
        shopper if HOLDOUT.contains(&shopper) => "holdout",
        _ => "policy",
    }
}

struct Log {
    store: Store,
    goal: Goal,
    events: u128,
    _folder: TempDir,
}

impl Log {
    fn new(goal: Goal) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self {
            store: Store::open(folder.path()).expect("opens"),
            goal,
            events: 0,
            _folder: folder,
        }
    }

    /// A campaign in which nobody is refused but the holdout.
    fn campaign(&mut self, run: &str, hours: i64) {
        for shopper in 0..30 {
            let refusal = HOLDOUT.contains(&shopper).then_some("holdout");
            self.decide(run, shopper, arm(shopper), hours, refusal);
        }
    }

    /// One decision: a message where nothing refuses it.
    fn decide(&mut self, run: &str, shopper: u8, arm: &str, hours: i64, refusal: Option<&str>) {
        let candidate = |action, product: Option<&str>, propensity| Candidate {
            action,
            product: product.map(str::to_owned),
            variant: None,
            provider: None,
            live: None,
            propensity,
            score: 0.0,
        };
        let nothing = candidate(Action::Nothing, None, 0.5);
        let exclusion = refusal.map(|name| Exclusion {
            candidate: "message".to_owned(),
            reason: format!("{name}: why"),
        });
        let decision = Decision {
            decision_id: id(run, shopper),
            user: user(shopper),
            context: Context {
                locale: Locale("en".to_owned()),
                timezone: "UTC".to_owned(),
                segments: Vec::new(),
            },
            channel: Channel::Push,
            slot: "default".to_owned(),
            goal: self.goal,
            candidates: match refusal {
                Some(_) => vec![nothing],
                None => vec![candidate(Action::Message, Some("mug"), 0.5), nothing],
            },
            chosen: 0,
            rendered_text: None,
            exclusions: exclusion.into_iter().collect(),
            experiment: arm.to_owned(),
            holdout: arm == "holdout",
            explanation: Explanation::default(),
            seed: 1,
            log_position: 0,
            policy_version: String::new(),
            model_version: String::new(),
            catalogue_version: String::new(),
            decided_at: hour(hours),
        };
        self.store.put_decision(run, &decision).expect("writes");
    }

    fn event(&mut self, shopper: u8, kind: EventKind, hours: i64, properties: &Properties) {
        self.events += 1;
        let event = NewEvent {
            message: MessageKey(self.events.to_le_bytes()),
            user: user(shopper),
            kind,
            at_ms: hour(hours).as_millisecond(),
            properties: serde_json::to_string(properties).expect("serialises"),
            sealed: None,
        };
        assert!(self.store.append(&event).expect("appends"));
    }

    /// A click that names its decision.
    fn click(&mut self, run: &str, shopper: u8, hours: i64) {
        let properties = Properties {
            decision_id: Some(id(run, shopper)),
            ..Properties::default()
        };
        self.event(shopper, EventKind::PromotionClicked, hours, &properties);
    }

    /// A line of an order that names no decision.
    fn order(&mut self, order: &str, shopper: u8, hours: i64, pounds: i64) {
        let properties = Properties {
            order_id: Some(order.to_owned()),
            products: vec![LineItem {
                product_id: "mug".to_owned(),
                quantity: 1,
                price_minor: Some(100 * pounds),
            }],
            currency: Some(Currency::parse("GBP").expect("valid")),
            ..Properties::default()
        };
        self.event(shopper, EventKind::OrderCompleted, hours, &properties);
    }

    fn report(&mut self, at: i64, since: Option<i64>) -> LiftReport {
        learn(&mut self.store, Attribution::LastTouch, self.goal, hour(at)).expect("learns");
        let request = LiftRequest {
            goal: None,
            since: since.map(hour),
            at: Some(hour(at)),
        };
        lift(&self.store, &Config::default(), &request).expect("measures")
    }

    /// The lift of the log's one goal.
    fn lift(&mut self, at: i64) -> GoalLift {
        let mut goals = self.report(at, None).goals;
        assert_eq!(goals.len(), 1);
        goals.remove(0)
    }
}

fn id(run: &str, shopper: u8) -> DecisionId {
    DecisionId::derive(run, user(shopper))
}

fn sums(lift: &GoalLift, arm: &str) -> ArmSummary {
    let sums = lift.arms.iter().find(|sums| sums.arm == arm);
    sums.expect("an arm").clone()
}

fn close(value: f64, expected: f64) -> bool {
    (value - expected).abs() < 1e-9
}

#[test]
fn the_policy_is_compared_with_random_messages_shopper_by_shopper() {
    let mut log = Log::new(Goal::Click);
    log.campaign("first", 0);
    // The second campaign reaches half of the shoppers; a cap refuses the others, which takes nothing from their rate.
    for shopper in 0..20 {
        let refusal = (shopper % 2 == 1).then_some("frequency_cap");
        log.decide("second", shopper, arm(shopper), 72, refusal);
    }
    // 0 clicks both messages, 2 one of two, 1 its only one.
    for (run, shopper) in [("first", 0), ("second", 0), ("second", 2), ("first", 1)] {
        let hours = if run == "first" { 2 } else { 74 };
        log.click(run, shopper, hours);
    }
    log.click("first", 12, 23);
    log.click("first", 11, 1);
    // A day later is too late.
    log.click("first", 13, 24);
    let lift = log.lift(72 + 24);
    let found = lift.policy_over_random.expect("enough data");
    assert!(close(found.treated_mean, 0.25), "{found:?}");
    assert!(close(found.control_mean, 0.15), "{found:?}");
    assert!(close(found.value, 0.25 / 0.15 - 1.0), "{found:?}");
    assert!(found.low > -1.0 && found.low < found.value && found.value < found.high);
    assert_eq!((found.treated, found.control), (10, 10));
    let policy = sums(&lift, "policy");
    assert_eq!(
        (
            policy.decisions,
            policy.messages,
            policy.achieved,
            policy.answered
        ),
        (15, 15, 4, 4)
    );
    let rates: Vec<_> = lift
        .campaigns
        .iter()
        .map(|campaign| {
            (
                campaign.run.as_str(),
                campaign.policy.decisions,
                campaign.policy.rate,
            )
        })
        .collect();
    assert_eq!(rates, [("first", 10, Some(0.2)), ("second", 5, Some(0.4))]);
    assert_eq!(lift.campaigns[0].random.rate, Some(0.2));
    assert_eq!(lift.campaigns[0].holdout.rate, None);
    assert_eq!(lift.campaigns[0].messages, 20);
}

#[test]
fn a_decision_counts_when_its_time_is_over() {
    let mut log = Log::new(Goal::Click);
    log.campaign("first", 0);
    log.click("first", 0, 1);
    let early = log.lift(23);
    assert_eq!((sums(&early, "policy").decisions, early.open), (0, 30));
    assert!(early.campaigns.is_empty() && early.policy_over_random.is_none());
    assert!(!early.is_answered());
    let day_after = log.lift(24);
    assert_eq!(
        (sums(&day_after, "policy").decisions, day_after.open),
        (10, 0)
    );
    // Clicks have had their day, orders have had no week.
    assert_eq!(sums(&day_after, "policy").shoppers, 0);
    assert_eq!(day_after.campaigns[0].policy.orders_per_1000, None);
    assert_eq!(sums(&log.lift(day(7)), "policy").shoppers, 10);
    // Without a moment, that of the last event is taken.
    let request = LiftRequest::default();
    let report = lift(&log.store, &Config::default(), &request).expect("measures");
    assert_eq!((report.at, report.goals[0].open), (hour(1), 30));
}

#[test]
fn every_order_within_a_week_counts_once_against_the_holdout() {
    let mut log = Log::new(Goal::Click);
    log.campaign("first", 0);
    log.campaign("second", 72);
    // In the weeks of both campaigns, in two lines.
    log.order("a", 0, day(4), 30);
    log.order("a", 0, day(4), 10);
    // In the week of the second alone, by the last hour.
    log.order("b", 1, 72 + day(7) - 1, 20);
    // After both weeks; before the first; at the very moment of its decision, which knew it.
    log.order("c", 2, 72 + day(7), 100);
    log.order("g", 4, 0, 100);
    log.order("d", 3, -1, 100);
    log.order("e", 20, 5, 50);
    // The random arm takes no part.
    log.order("f", 10, 5, 70);
    let lift = log.lift(day(30));
    let orders = lift.orders_per_1000_over_holdout.expect("enough data");
    assert!(close(orders.treated_mean, 200.0) && close(orders.control_mean, 100.0));
    assert!(close(orders.value, 100.0));
    // Both arms have shares of orders, p · (1 − p) / 9 is the variance of the mean; t is near 2.1.
    let half = 1e3 * ((0.2 * 0.8 + 0.1 * 0.9) / 9.0_f64).sqrt();
    assert!(
        ((orders.high - orders.value) / half - 2.1).abs() < 0.02,
        "{orders:?}"
    );
    let revenue = lift.revenue_over_holdout.expect("enough data");
    assert!(close(revenue.treated_mean, 6.0) && close(revenue.control_mean, 5.0));
    assert_eq!(sums(&lift, "policy").orders, 2);
    assert!(close(sums(&lift, "random").revenue, 70.0));
    let by_campaign = lift.campaigns.iter();
    let by_campaign: Vec<_> = by_campaign
        .map(|campaign| campaign.policy.orders_per_1000)
        .collect();
    assert_eq!(by_campaign, [Some(100.0), Some(200.0)]);
    assert_eq!(lift.campaigns[0].holdout.orders_per_1000, Some(100.0));
}

#[test]
fn only_shoppers_who_could_be_written_to_belong_to_the_experiment() {
    let mut log = Log::new(Goal::Click);
    log.campaign("first", 0);
    for (shopper, refusal) in [
        (40, "no_consent"),
        (41, "not_in_segment"),
        (42, "quiet_hours"),
    ] {
        log.decide("first", shopper, "policy", 0, Some(refusal));
        log.order(&format!("outside {shopper}"), shopper, 5, 10);
    }
    // Who never had anything eligible would have had nothing in the holdout either, where nobody asks.
    log.decide("first", 43, "policy", 0, Some("nothing_eligible"));
    let lift = log.lift(day(7));
    assert_eq!(lift.not_eligible, 3);
    assert_eq!(
        (sums(&lift, "policy").shoppers, sums(&lift, "policy").orders),
        (11, 0)
    );
    assert_eq!(sums(&lift, "policy").decisions, 10);
    assert_eq!(lift.orders_per_1000_over_holdout, None, "nobody ordered");
}

#[test]
fn what_a_message_did_to_a_shopper_does_not_take_it_out() {
    let mut log = Log::new(Goal::Click);
    log.campaign("first", 0);
    log.event(0, EventKind::Unsubscribed, 5, &Properties::default());
    // After the first week, 0 has left, and 1 is capped; both order.
    log.decide("second", 0, "policy", day(8), Some("no_consent"));
    log.decide("second", 1, "policy", day(8), Some("frequency_cap"));
    log.order("a", 0, day(9), 10);
    log.order("b", 1, day(9), 10);
    let lift = log.lift(day(20));
    let policy = sums(&lift, "policy");
    assert_eq!((policy.orders, policy.unsubscribed), (2, 1));
    assert_eq!((policy.shoppers, policy.decisions), (10, 10));
    // Who entered before the period has entered.
    let late = log.report(day(20), Some(day(1)));
    let policy = sums(&late.goals[0], "policy");
    assert_eq!(
        (policy.shoppers, policy.orders, policy.decisions),
        (2, 2, 0)
    );
}

#[test]
fn a_shopper_who_changed_arms_is_left_out() {
    let mut log = Log::new(Goal::Click);
    log.campaign("first", 0);
    log.decide("second", 0, "random", 72, None);
    let lift = log.lift(day(20));
    assert_eq!(lift.moved, 1);
    assert_eq!(sums(&lift, "policy").shoppers, 9);
    assert_eq!(sums(&lift, "random").shoppers, 10);
}

#[test]
fn orders_credited_to_a_decision_measure_the_goal_purchase() {
    let mut log = Log::new(Goal::Purchase);
    log.campaign("first", 0);
    for shopper in [0, 1, 10] {
        let properties = Properties {
            order_id: Some(format!("o{shopper}")),
            decision_id: Some(id("first", shopper)),
            ..Properties::default()
        };
        log.event(shopper, EventKind::OrderCompleted, day(6), &properties);
    }
    assert_eq!(log.lift(day(6)).policy_over_random, None);
    let lift = log.lift(day(7));
    assert_eq!(lift.goal, Goal::Purchase);
    let found = lift.policy_over_random.expect("enough data");
    assert!(close(found.value, 1.0), "{found:?}");
}

#[test]
fn answers_that_were_not_taken_in_are_told() {
    let mut log = Log::new(Goal::Click);
    log.campaign("first", 0);
    log.click("first", 0, 1);
    let request = LiftRequest::default();
    let before = lift(&log.store, &Config::default(), &request).expect("measures");
    assert_eq!(before.waiting, 1);
    assert_eq!(log.report(30, None).waiting, 0);
    log.click("first", 10, 2);
    log.click("first", 11, 2);
    let after = lift(&log.store, &Config::default(), &request).expect("measures");
    assert_eq!(after.waiting, 2);
}

#[test]
fn a_goal_without_decisions_is_not_there() {
    let mut log = Log::new(Goal::Click);
    assert!(log.report(0, None).goals.is_empty());
    log.campaign("first", 0);
    let request = LiftRequest {
        goal: Some(Goal::Purchase),
        ..LiftRequest::default()
    };
    let report = lift(&log.store, &Config::default(), &request).expect("measures");
    assert!(report.goals.is_empty());
    assert!(log.report(day(9), Some(day(8))).goals.is_empty());
}
