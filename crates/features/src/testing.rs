//! A small shop for the tests of this crate.

use events::{
    Currency, Event, EventKind, LineItem, MessageKey, Money, Product, Properties, Pseudonym,
    Timestamp,
};

use proptest::prelude::*;

use crate::ProductIndex;

/// Noon, UTC, of a day counted from 2026-01-01, a Thursday.
pub(crate) fn at(day: i64) -> Timestamp {
    let start: Timestamp = "2026-01-01T12:00:00Z".parse().expect("valid");
    Timestamp::from_second(start.as_second() + day * 86_400).expect("in range")
}

/// A catalogue of five products.
pub(crate) fn index() -> ProductIndex {
    let product = |id: &str, category: &str, minor| Product {
        id: id.to_owned(),
        title: format!("The {id}"),
        google_product_category: Some(category.to_owned()),
        brand: Some("Wick & Co".to_owned()),
        price: Some(Money {
            minor,
            currency: Currency::GBP,
        }),
        ..Product::default()
    };
    ProductIndex::new(&[
        product("mug", "cup", 100),
        product("cup", "cup", 200),
        product("bag", "bag", 300),
        product("lamp", "灯", 400),
        product("chair", "furniture", 500),
    ])
}

/// An event of one kind about some products, as (id, pieces, price of a piece).
pub(crate) fn event(kind: EventKind, at: Timestamp, lines: &[(&str, u32, i64)]) -> Event {
    let products = lines
        .iter()
        .map(|(id, quantity, price)| LineItem {
            product_id: (*id).to_owned(),
            quantity: *quantity,
            price_minor: Some(*price),
        })
        .collect();
    Event {
        message: MessageKey::of(&format!("{kind:?} {at} {lines:?}")),
        user: Pseudonym([7; 16]),
        kind,
        at,
        properties: Properties {
            products,
            currency: Some(Currency::GBP),
            ..Properties::default()
        },
    }
}

/// An order, or a part of it, at noon of a day.
pub(crate) fn order(order_id: &str, day: i64, lines: &[(&str, u32, i64)]) -> Event {
    named(event(EventKind::OrderCompleted, at(day), lines), order_id)
}

/// A refund that names an order, or none where the id is empty.
pub(crate) fn refund(order_id: &str, day: i64, lines: &[(&str, u32, i64)]) -> Event {
    named(event(EventKind::OrderRefunded, at(day), lines), order_id)
}

fn named(mut event: Event, order_id: &str) -> Event {
    event.properties.order_id = (!order_id.is_empty()).then(|| order_id.to_owned());
    event
}

/// Streams of events of one shopper, in the order of the log.
pub(crate) fn streams() -> impl Strategy<Value = Vec<Event>> {
    let one = (
        0..400i64,
        prop::sample::select(vec![
            EventKind::OrderCompleted,
            EventKind::OrderCompleted,
            EventKind::OrderRefunded,
            EventKind::OrderCancelled,
            EventKind::ProductViewed,
            EventKind::ProductAdded,
            EventKind::ProductReviewed,
            EventKind::EmailLinkClicked,
            EventKind::Unsubscribed,
        ]),
        0..12u32,
        prop::collection::vec((0..6usize, 1..9u32, 0..500i64), 0..4),
    );
    prop::collection::vec(one, 0..60).prop_map(|mut drawn| {
        drawn.sort_by_key(|(day, ..)| *day);
        drawn
            .into_iter()
            .enumerate()
            .map(|(n, (day, kind, order_id, lines))| {
                // The sixth product is not of the catalogue.
                let ids = ["mug", "cup", "bag", "lamp", "chair", "unknown"];
                let lines: Vec<_> = lines.iter().map(|(p, n, m)| (ids[*p], *n, *m)).collect();
                let mut event = event(kind, at(day), &lines);
                // The log counts a message once, so each of a stream is its own.
                event.message = MessageKey::of(&n.to_string());
                event.properties.order_id = (order_id > 0).then(|| order_id.to_string());
                event.properties.rating = (kind == EventKind::ProductReviewed).then_some(4.5);
                event
            })
            .collect()
    })
}
