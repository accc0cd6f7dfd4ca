//! A second, slow definition of what the fold computes, from the whole list of events, and the property that both agree.

use std::collections::{BTreeMap, BTreeSet};

use events::{Event, EventKind, Timestamp};
use proptest::prelude::*;

use crate::{
    InterestKind, Profile, Segment,
    testing::{at, index, streams},
};

/// When an order began, and its lines.
type LedgerOrder<'e> = (Timestamp, Vec<LedgerLine<'e>>);

/// A line as an event brought it.
struct LedgerLine<'e> {
    product: &'e str,
    at: Timestamp,
    amount_minor: i64,
}

/// The events of one shopper without returns, as a database would hold them.
struct Ledger<'e> {
    events: &'e [Event],
}

impl Ledger<'_> {
    /// Order id → when it began, with the lines of all its events. An order without an id stands under its message.
    fn orders(&self) -> BTreeMap<String, LedgerOrder<'_>> {
        let mut orders = BTreeMap::new();
        for event in self
            .events
            .iter()
            .filter(|e| e.kind == EventKind::OrderCompleted)
        {
            let id = event.properties.order_id.clone();
            let id = id.unwrap_or_else(|| format!("{:?}", event.message));
            let (_, lines) = orders.entry(id).or_insert((event.at, Vec::new()));
            for line in &event.properties.products {
                lines.push(LedgerLine {
                    product: &line.product_id,
                    at: event.at,
                    amount_minor: line.price_minor.unwrap_or(0) * i64::from(line.quantity),
                });
            }
        }
        orders
    }

    fn distinct_products(&self) -> usize {
        let orders = self.orders();
        let products = orders.values().flat_map(|(_, lines)| lines);
        products
            .map(|line| line.product)
            .collect::<BTreeSet<&str>>()
            .len()
    }

    fn spend_minor(&self) -> i64 {
        let orders = self.orders();
        let lines = orders.values().flat_map(|(_, lines)| lines);
        lines.map(|line| line.amount_minor).sum()
    }

    /// The decayed weight of each category: the sum over all events, each decayed from its own time.
    fn category_weights(&self, now: Timestamp) -> BTreeMap<String, f64> {
        let index = index();
        let mut weights = BTreeMap::new();
        let mut seen_lines = BTreeSet::new();
        for event in self.events {
            let order = event.properties.order_id.clone();
            let order = order.unwrap_or_else(|| format!("{:?}", event.message));
            for line in &event.properties.products {
                let weight = match event.kind {
                    EventKind::ProductViewed | EventKind::EmailLinkClicked => 1.0,
                    EventKind::ProductAdded => 3.0,
                    // The tests' reviews have 4.5 stars.
                    EventKind::ProductReviewed => 4.0,
                    EventKind::OrderCompleted
                        if seen_lines.insert((order.clone(), line.product_id.clone())) =>
                    {
                        5.0
                    }
                    _ => 0.0,
                };
                let category = index.get(&line.product_id).and_then(|p| p.category.clone());
                let days = (now.as_second() - event.at.as_second()) as f64 / 86_400.0;
                if let Some(category) = category.filter(|_| weight > 0.0) {
                    *weights.entry(category).or_insert(0.0) += weight * 0.5f64.powf(days / 90.0);
                }
            }
        }
        weights
    }
}

fn without_returns(events: Vec<Event>) -> Vec<Event> {
    let is_return = |event: &Event| {
        matches!(
            event.kind,
            EventKind::OrderRefunded | EventKind::OrderCancelled
        )
    };
    events
        .into_iter()
        .filter(|event| !is_return(event))
        .collect()
}

proptest! {
    #[test]
    fn the_fold_agrees_with_the_ledger(events in streams()) {
        let events = without_returns(events);
        let profile = Profile::fold(&events, &index(), at(500));
        let ledger = Ledger { events: &events };
        let orders = ledger.orders();
        prop_assert_eq!(profile.orders() as usize, orders.len());
        prop_assert_eq!(profile.spend_minor(), ledger.spend_minor());
        let features = profile.features(at(500));
        prop_assert_eq!(features.raw("distinct_products"), Some(ledger.distinct_products() as f64));
        let first_of_latest = orders.values().map(|(began, _)| *began).max();
        prop_assert_eq!(profile.last_orders(1).first().map(|order| order.at), first_of_latest);
        for (id, (_, lines)) in &orders {
            let mut first_times = BTreeMap::new();
            for line in lines {
                first_times.entry(line.product).or_insert(line.at);
            }
            for (product, first) in first_times {
                let history = profile.purchases_of(product).expect("bought");
                let is_kept = history.purchases.iter().any(|line| line.at == first);
                prop_assert!(is_kept || history.purchases.len() == 8, "{} of {}", product, id);
            }
        }
    }

    #[test]
    fn interests_agree_with_the_ledger(events in streams()) {
        let events = without_returns(events);
        let profile = Profile::fold(&events, &index(), at(500));
        let expected = Ledger { events: &events }.category_weights(at(450));
        let top = profile.top_interests(InterestKind::Category, 99, at(450));
        prop_assert_eq!(top.len(), expected.len());
        for interest in &top {
            prop_assert!((interest.weight - expected[&interest.name]).abs() < 1e-9);
        }
        prop_assert!(top.windows(2).all(|pair| pair[0].weight >= pair[1].weight));
        let total: f64 = top.iter().map(|interest| interest.share).sum();
        prop_assert!(top.is_empty() || (total - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_rule_and_its_negation_part_the_shoppers(events in streams(), bound in 0..9u32) {
        let profile = Profile::fold(&events, &index(), at(500));
        for feature in ["orders", "refund_share", "interest(\"cup\")", "bought(\"mug\")"] {
            let rule = format!("{feature} >= {bound}");
            let holds = |rule: &str| {
                Segment::parse(rule).expect("a rule").matches(&profile, at(500))
            };
            prop_assert_ne!(holds(&rule), holds(&format!("not {rule}")));
            prop_assert_eq!(holds(&rule), holds(&format!("{bound} <= {feature}")));
            prop_assert_eq!(holds(&rule), !holds(&format!("{feature} < {bound}")));
        }
    }
}
