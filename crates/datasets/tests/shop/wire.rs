use std::collections::{BTreeMap, BTreeSet};

use datasets::{ShopConfig, SimulatedShop, segment_line};
use events::{Consent, ConsentState, EventKind, Identity, IncomingEvent, Language};

use crate::small;

#[test]
fn every_event_survives_its_line_in_time_order_under_a_message_id_of_its_own() {
    let shop = small(1);
    let mut ids = BTreeSet::new();
    let mut last = shop.start();
    for (event, line) in shop.events().zip(shop.segment_lines()) {
        assert_eq!(
            IncomingEvent::from_json(&line).as_ref(),
            Ok(&event),
            "{line}"
        );
        assert!(event.at >= last && event.at < shop.end(), "{line}");
        last = event.at;
        assert!(ids.insert(event.message_id.clone()), "{line}");
    }
    assert!((14_000..20_000).contains(&ids.len()), "{}", ids.len());
}

#[test]
fn consents_arrive_with_the_account_and_withdrawals_with_the_unsubscribe() {
    let shop = small(1);
    let mut granted: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let mut withdrawals = 0;
    for event in shop
        .events()
        .filter(|event| event.personal.contains_key("traits"))
    {
        let traits = &event.personal["traits"];
        let timezone = match traits["locale"].as_str() {
            Some("en-GB") => "Europe/London",
            Some("zh-CN") => "Asia/Shanghai",
            other => panic!("unexpected locale {other:?}"),
        };
        assert_eq!(traits["timezone"], timezone);
        let consents: Vec<Consent> =
            serde_json::from_value(traits["consents"].clone()).expect("consents are readable");
        withdrawals += consents
            .iter()
            .filter(|consent| consent.at == event.at)
            .count()
            * usize::from(event.alias.is_none());
        let open = consents
            .iter()
            .filter(|consent| consent.state == ConsentState::Granted)
            .map(|consent| consent.channel.name())
            .collect();
        granted.insert(event.identity.as_str().to_owned(), open);
    }
    let unsubscribed: Vec<IncomingEvent> = shop
        .events()
        .filter(|event| event.kind == EventKind::Unsubscribed)
        .collect();
    assert!(unsubscribed.len() > 20);
    for event in &unsubscribed {
        let channel = event.personal["properties"]["channel"].as_str();
        let open = &granted[event.identity.as_str()];
        assert!(channel.is_some_and(|channel| !open.contains(channel)));
    }
    // The withdrawal is stated one second after the unsubscribe; its consent is dated back to it.
    assert_eq!(withdrawals, 0);
    assert_eq!(granted.len(), 300);
    let nobody = granted.values().filter(|open| open.is_empty()).count();
    assert!((10..70).contains(&nobody), "{nobody}");
    for (user, open) in granted {
        let identity = Identity::User(user);
        for channel in events::Channel::ALL {
            assert_eq!(
                shop.consents(&identity, channel, shop.end()),
                Ok(open.contains(channel.name()))
            );
        }
    }
}

#[test]
fn devices_browse_before_they_are_linked_to_an_account() {
    let shop = small(1);
    let mut browsing: BTreeSet<String> = BTreeSet::new();
    let (mut linked_later, mut owners) = (0, BTreeMap::new());
    for event in shop.events() {
        match (&event.identity, &event.alias) {
            (Identity::Anonymous(device), None) => {
                assert!(!matches!(event.kind, EventKind::OrderCompleted));
                browsing.insert(device.clone());
            }
            (Identity::User(user), Some(Identity::Anonymous(device))) => {
                linked_later += usize::from(
                    event.kind == EventKind::Identified
                        && browsing.contains(device)
                        && !owners.contains_key(device),
                );
                assert_eq!(owners.entry(device.clone()).or_insert(user.clone()), user);
            }
            (Identity::User(_), None) => {}
            other => panic!("unexpected identities {other:?}"),
        }
    }
    assert!(linked_later > 30, "{linked_later}");
}

#[test]
fn baskets_refunds_and_reviews_are_well_formed() {
    let shop = small(1);
    let prices: BTreeMap<&str, i64> = shop
        .products()
        .map(|product| (product.id.as_str(), product.price.expect("priced").minor))
        .collect();
    let mut orders = BTreeMap::new();
    for event in shop.events() {
        let properties = &event.properties;
        for line in &properties.products {
            let price = prices[line.product_id.as_str()];
            assert!(
                line.price_minor
                    .is_none_or(|paid| paid > 0 && paid <= price)
            );
        }
        match event.kind {
            EventKind::OrderCompleted => {
                assert!((1..=6).contains(&properties.products.len()));
                let known = orders.insert(properties.order_id.clone(), properties.clone());
                assert_eq!(known, None);
            }
            EventKind::OrderRefunded => {
                let order = &orders[&properties.order_id];
                assert_eq!(properties.products[0].price_minor.map(|_| ()), Some(()));
                let returned = &properties.products[0].product_id;
                assert!(
                    order
                        .products
                        .iter()
                        .any(|line| line.product_id == *returned)
                );
            }
            EventKind::ProductReviewed => {
                let stars = properties.rating.expect("stars");
                assert!((1.0..=5.0).contains(&stars));
                let text = event.personal["properties"]["review_body"].as_str();
                assert!(text.is_some_and(|text| !text.contains('{')));
            }
            _ => {}
        }
    }
}

#[test]
fn dirt_adds_repeats_and_refusable_lines_and_loses_nothing() {
    let clean: Vec<String> = small(3).segment_lines().collect();
    let config = ShopConfig {
        dirt: true,
        ..ShopConfig::small()
    };
    let dirty = SimulatedShop::new(config, 3).expect("valid");
    let lines: Vec<String> = dirty.segment_lines().collect();
    let (kept, refused): (Vec<&String>, Vec<&String>) = lines
        .iter()
        .partition(|line| IncomingEvent::from_json(line).is_ok());
    let mut distinct = kept.clone();
    distinct.dedup();
    assert_eq!(distinct.len(), clean.len());
    assert!(distinct.iter().zip(&clean).all(|(a, b)| *a == b));
    let share = |count: usize| count as f64 / clean.len() as f64;
    assert!((0.005..0.015).contains(&share(kept.len() - distinct.len())));
    assert!((0.0008..0.004).contains(&share(refused.len())));
}

#[test]
fn the_catalogue_is_complete_and_its_titles_differ() {
    for language in [Language::En, Language::Zh] {
        let config = ShopConfig {
            products: 600,
            language,
            ..ShopConfig::small()
        };
        let shop = SimulatedShop::new(config, 5).expect("valid");
        let titles: BTreeSet<&str> = shop
            .products()
            .map(|product| product.title.as_str())
            .collect();
        assert_eq!(titles.len(), 600);
        for product in shop.products() {
            let price = product.price.expect("priced");
            assert_eq!(price.currency, shop.currency());
            assert!(product.cost.is_some_and(|cost| cost.minor < price.minor));
            assert!(product.facts.len() >= 4 && product.allowed_claims.len() == 1);
            let chinese = product.title.chars().any(|c| ('一'..='龥').contains(&c));
            assert_eq!(chinese, language == Language::Zh, "{}", product.title);
        }
    }
}

#[test]
fn both_languages_are_searched_in() {
    let shop = small(1);
    let queries: Vec<String> = shop
        .events()
        .filter_map(|event| event.properties.query)
        .collect();
    let chinese = queries
        .iter()
        .filter(|query| query.chars().any(|c| ('一'..='龥').contains(&c)))
        .count();
    assert!((50..queries.len() / 2).contains(&chinese), "{chinese}");
}

#[test]
fn same_seed_same_bytes_and_another_seed_another_shop() {
    let bytes = |seed| small(seed).segment_lines().collect::<String>();
    assert_eq!(bytes(11), bytes(11));
    assert_ne!(bytes(11), bytes(12));
    let event = small(11).events().next().expect("events");
    assert_eq!(small(11).segment_lines().next(), Some(segment_line(&event)));
}

#[test]
fn the_edges_of_the_configuration_make_shops_too() {
    let smallest = ShopConfig {
        products: 60,
        shoppers: 10,
        days: 30,
        zh_share: 1.0,
        ..ShopConfig::default()
    };
    let widest = ShopConfig {
        products: 20_000,
        shoppers: 10,
        days: 3_650,
        zh_share: 0.0,
        ..ShopConfig::default()
    };
    for config in [smallest, widest] {
        let (products, days) = (config.products, config.days);
        let shop = SimulatedShop::new(config, 1).expect("the edges are valid");
        assert_eq!(shop.products().len(), products);
        assert_eq!(
            shop.end().as_second() - shop.start().as_second(),
            i64::from(days) * 86_400
        );
        assert!(shop.events().count() > 20);
    }
}
