//! The lift of a real shop: as a table, as an object and in the report.

use serde_json::{Value, json};

use crate::hawker::{CONSENT, Hawker, small_shop};

/// Arms that ninety shoppers can fill, and ranking without a model.
const EVEN_ARMS: &str =
    "[campaign]\nmax_product_share = 0.3\ncontrol_share = 0.5\nholdout_share = 0.3\n";
const LATER: [&str; 2] = ["--at", "2026-01-01T00:00:00Z"];

/// The day after the last order and the campaign.
const NEXT_DAY: &str = "2025-05-03T10:00:00Z";

/// A shop with one campaign.
fn shop_with_campaign() -> Hawker {
    let hawker = Hawker::new();
    hawker.file("hawker.toml", EVEN_ARMS);
    hawker.file("orders.csv", small_shop());
    hawker.json(&[&["import", "online-retail", "orders.csv"][..], &CONSENT].concat());
    let campaign = "campaign --channel push --goal click --out out.jsonl --identities";
    hawker.json(&campaign.split(' ').collect::<Vec<_>>());
    hawker
}

/// Every other message is clicked; every third shopper of the campaign orders, whether or not it got one.
fn answer(hawker: &Hawker) {
    let lines = std::fs::read_to_string(hawker.path("out.jsonl")).expect("written");
    let lines = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    let (mut events, mut messages) = (String::new(), 0);
    for (place, line) in lines.enumerate() {
        let line: Value = line;
        let mut add = |name: &str, at: &Value, properties: Value| {
            let event = json!({
                "messageId": format!("{place} {name}"), "event": name, "userId": line["user_id"],
                "timestamp": at, "properties": properties,
            });
            events.push_str(&(event.to_string() + "\n"));
        };
        if line["nothing"].is_null() {
            messages += 1;
            if messages % 2 == 0 {
                let properties = json!({ "decision_id": line["decision_id"] });
                add("Promotion Clicked", &line["decided_at"], properties);
            }
        }
        if place % 3 == 0 {
            let product = json!({ "product_id": "20001", "price": 5.0, "quantity": 2 });
            let order = json!({ "order_id": format!("late {place}"), "products": [product], "currency": "GBP" });
            add("Order Completed", &json!(NEXT_DAY), order);
        }
    }
    hawker.file("answers.jsonl", events);
    hawker.json(&["import", "segment", "answers.jsonl"]);
}

fn page(hawker: &Hawker) -> String {
    let report = hawker.json(&["report"]);
    std::fs::read_to_string(hawker.path(report["report"].as_str().expect("a path")))
        .expect("written")
}

#[test]
fn a_shop_sees_what_its_messages_brought() {
    let hawker = shop_with_campaign();
    let before = hawker.json(&["lift"]);
    assert_eq!(before["goals"][0]["policy_over_random"], Value::Null);
    assert!(
        !page(&hawker).contains("<section id=\"feedback\""),
        "nothing to show yet"
    );
    answer(&hawker);
    assert!(
        hawker
            .says(&["lift"])
            .contains("`hawker learn` takes them in")
    );
    hawker.json(&[&["learn", "--goal", "click"][..], &LATER].concat());

    let lift = hawker.json(&[&["lift"][..], &LATER].concat());
    assert_eq!(
        (&lift["waiting"], &lift["since"]),
        (&json!(0), &Value::Null)
    );
    let goal = &lift["goals"][0];
    assert_eq!(goal["goal"], "click");
    for name in [
        "policy_over_random",
        "orders_per_1000_over_holdout",
        "revenue_over_holdout",
    ] {
        let [low, value, high] =
            ["low", "value", "high"].map(|key| goal[name][key].as_f64().expect("a figure"));
        assert!(low < value && value < high, "{name}: {goal}");
        for key in ["treated", "control"] {
            assert!(
                goal[name][key].as_u64().expect("a count") >= 10,
                "{name}: {goal}"
            );
        }
    }
    let arms = goal["arms"].as_array().expect("arms");
    let orders: u64 = arms.iter().filter_map(|arm| arm["orders"].as_u64()).sum();
    assert_eq!(orders, 30, "every order of the ninety shoppers: {goal}");
    assert_eq!(goal["campaigns"].as_array().expect("campaigns").len(), 1);
    let purchases = hawker.json(&["lift", "--goal", "purchase"]);
    assert_eq!(purchases["goals"], json!([]));

    let said = hawker.says(&[&["lift"][..], &LATER].concat());
    for words in [
        "clicks per decision over random messages",
        "over the holdout",
        "holdout ",
    ] {
        assert!(said.contains(words), "{said}");
    }
    assert!(hawker.says(&["status"]).contains("`hawker lift` measures"));
}

#[test]
fn the_report_shows_the_lift_once_messages_have_had_their_time() {
    let hawker = shop_with_campaign();
    answer(&hawker);
    // An event two weeks later ends the log, and with it every window.
    let later = json!({
        "messageId": "later", "event": "Product Viewed", "userId": "12000", "timestamp": "2025-12-31T00:00:00Z",
        "properties": { "product_id": "20001" },
    });
    hawker.file("later.jsonl", later.to_string());
    hawker.json(&["import", "segment", "later.jsonl"]);
    hawker.json(&["learn", "--goal", "click"]);
    let page = page(&hawker);
    for words in [
        "<section id=\"feedback\"",
        "Clicks per decision",
        "over the holdout",
        "Left a channel",
    ] {
        assert!(page.contains(words), "{words}");
    }
}
