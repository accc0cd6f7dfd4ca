//! Attribution: which decision an answer is credited to, and how much.

use std::collections::HashMap;

use engine::ingest::Format;
use engine::{Attribution, DeliveredLine, LearnReport, MessageOutcome, learn, message_outcomes};
use events::{Channel, Goal};
use serde_json::{Value, json};

use crate::shop::{TestShop, hours_after_noon, messages};

/// The file of one event of a shopper, some hours after noon.
fn event(id: &str, event: &str, user: &str, hours: i64, properties: &Value) -> String {
    let line = json!({
        "messageId": id, "event": event, "userId": user, "timestamp": hours_after_noon(hours).to_string(),
        "properties": properties,
    });
    format!("{line}\n")
}

/// An order of one product, naming a decision or not.
fn order(
    id: &str,
    line: &DeliveredLine,
    hours: i64,
    (order_id, price): (&str, f64),
    decision: Option<&DeliveredLine>,
) -> String {
    let mut properties = json!({
        "order_id": order_id, "currency": "GBP", "products": [{ "product_id": "20001", "price": price, "quantity": 1 }],
    });
    if let Some(decision) = decision {
        properties["decision_id"] = json!(decision.decision.decision_id);
    }
    event(id, "Order Completed", user(line), hours, &properties)
}

fn seen(line: &DeliveredLine, hours: i64) -> String {
    let id = format!("seen {}", line.decision.decision_id);
    let properties = json!({ "decision_id": line.decision.decision_id });
    event(&id, "Promotion Viewed", user(line), hours, &properties)
}

fn user(line: &DeliveredLine) -> &str {
    line.user_id.as_deref().expect("identities were asked for")
}

impl TestShop {
    /// The messages of a campaign whose messages are all drawn evenly.
    fn send(&mut self, channel: Channel, hours: i64) -> Vec<DeliveredLine> {
        self.config.campaign.control_share = 1.0;
        let lines = self.run_at(channel, hours);
        messages(&lines).cloned().collect()
    }

    fn hear(&mut self, events: &str) {
        self.import(Format::Segment, "answers.jsonl", events);
    }

    fn attribute(&mut self, attribution: Attribution) -> LearnReport {
        let late = hours_after_noon(24 * 20);
        learn(&mut self.store, attribution, Goal::Click, late).expect("learns")
    }

    /// What became of each decision.
    fn outcomes(&self) -> HashMap<String, MessageOutcome> {
        let mut outcomes = HashMap::new();
        let read = message_outcomes(&self.store, None, |decision, outcome| {
            outcomes.insert(decision.decision_id.0.clone(), outcome);
        });
        read.expect("readable");
        outcomes
    }

    fn value(&self, line: &DeliveredLine) -> f64 {
        self.outcomes()[&line.decision.decision_id.0].value
    }
}

fn assert_value(shop: &TestShop, line: &DeliveredLine, value: f64) {
    let found = shop.value(line);
    assert!((found - value).abs() < 1e-9, "{found} instead of {value}");
}

#[test]
fn the_orders_over_one_message_add_up() {
    let mut shop = TestShop::new();
    let line = &shop.send(Channel::Push, 0)[0];
    let named = Some(line);
    shop.hear(
        &[
            order("a", line, 2, ("a", 25.0), named),
            // An order in two lines, one of which a second system sends again.
            order("b1", line, 30, ("b", 10.0), named),
            order("b2", line, 30, ("b", 5.5), named),
            order("b2 again", line, 31, ("b", 5.5), named),
        ]
        .concat(),
    );
    let report = shop.attribute(Attribution::Explicit);
    assert_eq!((report.outcomes, report.foreign), (3, 0));
    assert_value(&shop, line, 40.5);
    // An order that comes with a later file adds up, too, and one after a week does not.
    shop.hear(
        &[
            order("c", line, 100, ("c", 1.0), named),
            order("d", line, 24 * 7, ("d", 100.0), named),
        ]
        .concat(),
    );
    shop.attribute(Attribution::Explicit);
    assert_value(&shop, line, 41.5);
}

#[test]
fn an_answer_comes_from_the_shopper_of_its_decision() {
    let mut shop = TestShop::new();
    let sent = shop.send(Channel::Push, 0);
    let (own, other, browser) = (&sent[0], &sent[1], &sent[2]);
    let click = |id: &str, by: &str, line: &DeliveredLine| {
        let properties = json!({ "decision_id": line.decision.decision_id });
        event(id, "Promotion Clicked", by, 1, &properties)
    };
    let linked = json!({ "messageId": "link", "type": "identify", "anonymousId": "tablet", "userId": user(browser),
                         "timestamp": hours_after_noon(3).to_string() });
    let on_tablet = json!({ "messageId": "tablet", "event": "Promotion Clicked", "anonymousId": "tablet",
                            "timestamp": hours_after_noon(2).to_string(),
                            "properties": { "decision_id": browser.decision.decision_id } });
    let unknown = json!({ "decision_id": "d_0123456789abcdef0123" });
    shop.hear(
        &[
            click("own", user(own), own),
            click("foreign", user(own), other),
            event("unknown", "Promotion Clicked", user(own), 1, &unknown),
            format!("{on_tablet}\n{linked}\n"),
        ]
        .concat(),
    );
    let report = shop.attribute(Attribution::LastTouch);
    assert_eq!((report.outcomes, report.foreign, report.learnt), (2, 2, 2));
    let outcomes = shop.outcomes();
    let clicked = |line: &DeliveredLine| outcomes[&line.decision.decision_id.0].clicked;
    assert_eq!(
        [own, other, browser].map(clicked),
        [true, false, true],
        "a browser counts as the shopper who signed in on it, before or after"
    );
}

/// The push message and the mail of some shopper who got both, five hours apart.
fn both(push: &[DeliveredLine], mail: &[DeliveredLine]) -> (DeliveredLine, DeliveredLine) {
    let pair = push.iter().find_map(|push| {
        let mail = mail.iter().find(|mail| user(mail) == user(push))?;
        Some((push.clone(), mail.clone()))
    });
    pair.expect("a shopper with both messages")
}

#[test]
fn an_order_without_a_decision_goes_to_the_last_message_that_was_seen() {
    let mut shop = TestShop::new();
    let (push, mail) = (shop.send(Channel::Push, 0), shop.send(Channel::Email, 5));
    let (first, second) = both(&push, &mail);
    let unseen = push.iter().find(|line| user(line) != user(&first));
    let unseen = unseen.expect("another shopper");
    shop.hear(
        &[
            seen(&first, 1),
            seen(&second, 9),
            order("before", &first, -1, ("before", 1.0), None),
            order("over the push", &first, 4, ("p", 2.0), None),
            order("still over the push", &first, 8, ("q", 4.0), None),
            order("over the mail", &first, 10, ("m", 8.0), None),
            order("last hour", &first, 24 * 7 + 4, ("n", 16.0), None),
            order("too late", &first, 24 * 7 + 5, ("late", 32.0), None),
            order("over nothing", unseen, 4, ("u", 64.0), None),
        ]
        .concat(),
    );
    let mut explicit = shop.copy();
    let report = shop.attribute(Attribution::LastTouch);
    assert_eq!(report.outcomes, 2 + 4);
    assert_value(&shop, &first, 6.0);
    assert_value(&shop, &second, 24.0);
    assert_value(&shop, unseen, 0.0);
    assert_eq!(shop.attribute(Attribution::LastTouch).outcomes, 0);

    assert_eq!(explicit.attribute(Attribution::Explicit).outcomes, 2);
    assert_value(&explicit, &first, 0.0);
}

#[test]
fn an_order_that_names_its_decision_outweighs_the_last_touch() {
    let mut shop = TestShop::new();
    let (push, mail) = (shop.send(Channel::Push, 0), shop.send(Channel::Email, 5));
    let (first, second) = both(&push, &mail);
    // The shop's back end does not know of the message, its app does; the order has two lines.
    let lines = [
        order("back end 1", &first, 10, ("o", 3.0), None),
        order("back end 2", &first, 10, ("o", 4.0), None),
    ];
    let named = order("app", &first, 10, ("o", 3.0), Some(&first));
    let touches = [seen(&first, 1), seen(&second, 9)].concat();
    let mut later = shop.copy();

    shop.hear(
        &[&touches, &lines.concat(), &named]
            .map(String::as_str)
            .concat(),
    );
    shop.attribute(Attribution::LastTouch);
    assert_value(&shop, &first, 7.0);
    assert_value(&shop, &second, 0.0);

    // The same where the app's file comes after the others were taken in.
    later.hear(&[touches, lines.concat()].concat());
    later.attribute(Attribution::LastTouch);
    assert_value(&later, &second, 7.0);
    later.hear(&named);
    later.attribute(Attribution::LastTouch);
    assert_value(&later, &first, 7.0);
    assert_value(&later, &second, 0.0);
}

#[test]
fn a_click_needs_the_decision() {
    let mut shop = TestShop::new();
    let line = &shop.send(Channel::Push, 0)[0];
    let product = line.product.as_ref().map(|product| &product.id);
    let properties = json!({ "product_id": product });
    shop.hear(
        &[
            seen(line, 1),
            event("c", "Product Clicked", user(line), 2, &properties),
        ]
        .concat(),
    );
    shop.attribute(Attribution::LastTouch);
    assert!(!shop.outcomes()[&line.decision.decision_id.0].clicked);
}
