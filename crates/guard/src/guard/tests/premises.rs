//! What the words of a text rest on beside its bindings.

use super::*;
use events::Premise;

/// A text whose words rest on a value.
fn resting_on(path: &str, value: &str) -> CopyVariant {
    CopyVariant {
        premises: vec![Premise {
            path: path.to_owned(),
            value: value.to_owned(),
        }],
        ..variant(Channel::Push, None, "{{ title | title_case }}, in red")
    }
}

#[test]
fn words_are_refused_when_what_they_rest_on_is_another() {
    let mut painted = product();
    painted.facts.push(fact("colour", "red", None));
    painted.facts.push(fact("colour", "white", None));
    painted
        .facts
        .push(fact("made in", "Delft", Some("2026-05-02T00:00:00Z")));
    painted.google_product_category = Some("Home > Mugs".to_owned());
    for (path, value, reason) in [
        ("fact.colour", "red", "ok"),
        ("fact.colour", "white", "ok"),
        ("fact.colour", "blue", "changed:fact.colour"),
        ("fact.made in", "Delft", "ok"),
        ("fact.offer", "2 for 1", "ok"),
        ("fact.size", "large", "changed:fact.size"),
        ("product.category", "Mugs", "ok"),
        ("product.category", "Cups", "changed:product.category"),
        ("product.price", "£12.50", "ok"),
        ("product.brand", "Acme", "changed:product.brand"),
        ("stat.orders_30d", "1204", "changed:stat.orders_30d"),
    ] {
        let found = verdict_of(&resting_on(path, value), &painted);
        assert_eq!(found, reason, "{path} = {value}");
    }
}

#[test]
fn an_ended_fact_bears_nothing_out() {
    let mut ended = product();
    ended.facts[0].valid_until = Some("2026-05-01T00:00:00Z".parse().expect("valid"));
    let refusal = try_render(&resting_on("fact.offer", "2 for 1"), &ended).expect_err("ended");
    assert_eq!(refusal.reason, "changed:fact.offer");
    let failed = refusal.checks.iter().find(|check| !check.passed);
    assert_eq!(
        failed.expect("one failed").detail,
        "its words rest on `fact.offer` being `2 for 1`, which is without a value now; write a new text, or correct the \
         catalogue"
    );
}
