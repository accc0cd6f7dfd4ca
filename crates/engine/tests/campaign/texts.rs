//! What is said: only texts that the guard passed, only numbers and prices of the catalogue and the log, in the
//! shopper's own language, about products that can be bought.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use engine::DeliveredLine;
use events::{Channel, CopyText, EventKind, Pseudonym, Timestamp};

use crate::shop::{SOLD_OUT, TestShop, is_chinese, messages, number};

/// The digits of a text, run by run.
fn digit_runs(text: &str) -> Vec<&str> {
    let runs = text.split(|c: char| !c.is_ascii_digit());
    runs.filter(|run| !run.is_empty()).collect()
}

fn whole(text: &CopyText) -> String {
    text.fields()
        .map(|(_, field)| field)
        .collect::<Vec<_>>()
        .join("\n")
}

fn plain(line: &DeliveredLine) -> String {
    whole(line.plain_text.as_ref().expect("a message has a text"))
}

fn holds_chinese(text: &str) -> bool {
    text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
}

#[test]
fn every_text_passed_the_guard_and_has_the_fields_of_its_channel() {
    let mut shop = TestShop::new();
    for channel in Channel::ALL {
        for line in messages(&shop.run_at(channel, 0)) {
            assert!(
                !line.checks.is_empty() && line.checks.iter().all(|check| check.passed),
                "{line:?}"
            );
            let text = line.text.as_ref().expect("a message has a text");
            let fields: Vec<&str> = text.fields().map(|(name, _)| name).collect();
            let expected: &[&str] = match channel {
                Channel::Push | Channel::Banner => &["title", "body"],
                Channel::Email => &["subject", "preheader", "body"],
                Channel::Sms | Channel::Social => &["body"],
            };
            assert_eq!(fields, expected, "{channel}");
            assert!(
                text.fields().all(|(_, field)| !field.trim().is_empty()),
                "{text:?}"
            );
            assert!(!whole(text).contains("{{"), "{text:?}");
        }
    }
}

#[test]
fn every_number_in_a_text_is_bound_to_a_value() {
    let mut shop = TestShop::new();
    let mut numbers = 0;
    for channel in Channel::ALL {
        for line in messages(&shop.run_at(channel, 0)) {
            let title = &line
                .product
                .as_ref()
                .expect("a message has a product")
                .title;
            let sources: Vec<&str> = line
                .bindings
                .values()
                .chain([title])
                .map(String::as_str)
                .collect();
            for run in digit_runs(&plain(line)) {
                let bound = sources
                    .iter()
                    .any(|source| digit_runs(source).contains(&run));
                assert!(
                    bound,
                    "{run} in {:?} is in none of {sources:?}",
                    line.plain_text
                );
                numbers += 1;
            }
            assert!(
                line.bindings.keys().eq(line.paths.keys()),
                "a value without the place it comes from"
            );
        }
    }
    assert!(numbers > 100, "{numbers} numbers prove little");
}

#[test]
fn every_price_is_the_catalogues() {
    let mut shop = TestShop::new();
    let mut kinds = BTreeSet::new();
    for channel in Channel::ALL {
        for line in messages(&shop.run_at(channel, 0)) {
            let product = shop.product(&line.product.as_ref().expect("a message has a product").id);
            for (name, path) in &line.paths {
                let price = match path.as_str() {
                    "product.current_price" => product.current_price(),
                    "product.price" => product.price,
                    "product.sale_price" => product.sale_price,
                    _ => continue,
                };
                assert_eq!(line.bindings[name], price.expect("a price").to_string());
                assert!(plain(line).contains(&line.bindings[name]));
                kinds.insert(path.clone());
            }
        }
    }
    assert!(
        kinds.contains("product.current_price") && kinds.contains("product.sale_price"),
        "{kinds:?}"
    );
}

#[test]
fn what_is_sold_out_is_never_spoken_of() {
    let mut shop = TestShop::new();
    for id in SOLD_OUT {
        assert_ne!(shop.product(id).availability, events::Availability::InStock);
    }
    for (channel, hours) in [
        (Channel::Push, 0),
        (Channel::Email, 0),
        (Channel::Push, 24),
        (Channel::Sms, 48),
    ] {
        for line in shop.run_at(channel, hours) {
            for candidate in &line.decision.candidates {
                let product = candidate.product.as_deref().unwrap_or_default();
                assert!(!SOLD_OUT.contains(&product), "{product} on {channel}");
            }
        }
    }
}

#[test]
fn shoppers_are_addressed_in_their_language() {
    let mut shop = TestShop::new();
    let (mut chinese, mut english) = (0, 0);
    for channel in Channel::ALL {
        for line in messages(&shop.run_at(channel, 0)) {
            let wanted = is_chinese(number(line));
            assert_eq!(holds_chinese(&plain(line)), wanted, "{:?}", line.plain_text);
            assert_eq!(holds_chinese(&line.reason), wanted, "{}", line.reason);
            assert_eq!(
                line.decision.context.locale.0,
                if wanted { "zh-CN" } else { "en-GB" }
            );
            *(if wanted { &mut chinese } else { &mut english }) += 1;
        }
    }
    assert!(
        chinese > 20 && english > 60,
        "{chinese} Chinese and {english} English messages"
    );
}

/// What the log says of a shopper's orders: for each product its title, and the day of each order of it.
fn purchases(shop: &TestShop) -> HashMap<Pseudonym, BTreeMap<String, BTreeSet<Timestamp>>> {
    let titles = shop.store.catalogue().expect("readable").products;
    let mut purchases: HashMap<_, BTreeMap<_, BTreeSet<_>>> = HashMap::new();
    let read = shop.store.for_each_event(|_, event| {
        if event.kind == EventKind::OrderCompleted {
            let title = guard::title_case(&titles[&event.properties.products[0].product_id].title);
            let of_shopper = purchases.entry(event.user).or_default();
            of_shopper.entry(title).or_default().insert(event.at);
        }
        Ok(())
    });
    read.expect("readable");
    purchases
}

#[test]
fn reasons_state_what_the_shopper_did() {
    let mut shop = TestShop::new();
    let purchases = purchases(&shop);
    let lines = shop.run_at(Channel::Email, 0);
    let (mut regular, mut bought, mut others) = (0, 0, 0);
    for line in messages(&lines).filter(|line| !is_chinese(number(line))) {
        let reason = line.reason.as_str();
        let own = purchases.get(&line.decision.user);
        let own = || own.into_iter().flatten();
        if reason.starts_with("because you buy it about every ") {
            let product = guard::title_case(&line.product.as_ref().expect("a product").title);
            let (_, days) = own()
                .find(|(title, _)| **title == product)
                .expect("was bought");
            let last = days.last().expect("an order").strftime("%-d %B %Y");
            let facts = format!(" days, {} times so far, and last did on {last}", days.len());
            assert!(
                days.len() >= 3 && reason.ends_with(&facts),
                "{reason}, {days:?}"
            );
            regular += 1;
        } else if let Some(named) = reason.strip_prefix("because you bought ") {
            let claims: Vec<String> = own()
                .flat_map(|(title, days)| days.iter().map(move |day| (title, day)))
                .map(|(title, day)| format!("{title} in {}", day.strftime("%B %Y")))
                .collect();
            let is_true = claims.iter().any(|first| {
                let second = named
                    .strip_prefix(first.as_str())
                    .unwrap_or("nothing of it");
                let second = second.strip_prefix(" and ").unwrap_or(second);
                second.is_empty() || claims.iter().any(|claim| claim == second)
            });
            assert!(is_true, "{reason}, {claims:?}");
            bought += 1;
        } else {
            assert!(
                number(line) < 60 || reason.contains("little is known"),
                "{reason}"
            );
            others += 1;
        }
    }
    assert!(
        regular > 1 && bought > 5 && others > 1,
        "{regular}, {bought}, {others}"
    );
}
