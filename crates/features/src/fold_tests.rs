//! Tests of the fold as a whole: hand-computed states, and what must hold for every stream of events.

use events::{Event, EventKind, Timestamp};
use jiff::tz::{Offset, TimeZone};
use proptest::prelude::*;

use crate::{
    FEATURE_NAMES, FeatureError, InterestKind, ProductIndex, Profile,
    testing::{at, event, index, order, refund, streams},
};

fn fold(events: &[Event]) -> Profile {
    Profile::fold(events, &index(), at(100_000))
}

fn raw(profile: &Profile, name: &str, now: Timestamp) -> f64 {
    profile.features(now).raw(name).expect("a feature")
}

#[test]
fn an_order_that_comes_line_by_line_counts_once() {
    let profile = fold(&[
        order("536365", 0, &[("mug", 6, 255)]),
        order("536365", 0, &[("bag", 8, 275)]),
        order("536365", 0, &[("mug", 2, 255)]),
        order("536366", 4, &[("mug", 1, 250)]),
    ]);
    assert_eq!(profile.orders(), 2);
    assert_eq!(profile.count(EventKind::OrderCompleted), 2);
    assert_eq!(profile.pieces(), 17);
    assert_eq!(profile.spend_minor(), 6 * 255 + 8 * 275 + 2 * 255 + 250);
    let first = profile.last_orders(2)[1];
    assert_eq!((first.at, first.pieces, first.lines), (at(0), 16, 2));
    assert_eq!(first.spend_minor, 4240);
    assert_eq!(profile.products_of(first, &index()), ["bag", "mug"]);
    let mug = profile.purchases_of("mug").expect("bought");
    assert_eq!((mug.times_bought, mug.pieces), (2, 9));
    assert_eq!(mug.last_price_minor, Some(250));
    assert_eq!(mug.bought_at().collect::<Vec<_>>(), [at(0), at(4)]);
    // Three lines, of which the second mug repeats a product.
    assert!((raw(&profile, "repeat_share", at(4)) - 1.0 / 3.0).abs() < 1e-12);
    assert_eq!(profile.hours()[12], 2);
}

#[test]
fn orders_without_an_id_are_orders_of_their_own() {
    let profile = fold(&[
        order("", 0, &[("mug", 1, 100)]),
        order("", 1, &[("mug", 1, 100)]),
    ]);
    assert_eq!(profile.orders(), 2);
}

#[test]
fn a_line_of_no_pieces_is_none() {
    let profile = fold(&[order("1", 0, &[("mug", 0, 100), ("bag", 1, 300)])]);
    assert_eq!((profile.orders(), profile.pieces()), (1, 1));
    assert_eq!(profile.purchases_of("mug"), None);
}

#[test]
fn a_return_undoes_the_latest_line_with_enough_pieces() {
    let mut events = vec![
        order("1", 0, &[("mug", 10, 100)]),
        order("2", 5, &[("mug", 3, 90)]),
        // Six pieces fit the first order alone, although the second is later.
        refund("C7", 6, &[("mug", 6, 100)]),
    ];
    let profile = fold(&events);
    assert_eq!(profile.spend_minor(), 4 * 100 + 3 * 90);
    assert_eq!(
        (profile.returned_pieces(), profile.unmatched_returns()),
        (6, 0)
    );
    // Two more pieces fit the second order, the latest.
    events.push(refund("C8", 7, &[("mug", 2, 90)]));
    assert_eq!(fold(&events).spend_minor(), 4 * 100 + 90);
    // Of five, no line has enough: one from the second order, four from the first, which undoes both.
    events.push(refund("C9", 8, &[("mug", 5, 100)]));
    let profile = fold(&events);
    assert_eq!((profile.spend_minor(), profile.orders()), (0, 0));
    assert_eq!(
        (profile.undone_orders(), profile.refunded_minor()),
        (2, 1270)
    );
    assert_eq!(
        profile
            .purchases_of("mug")
            .map(|m| (m.times_bought, m.pieces)),
        Some((0, 0))
    );
    assert!(profile.last_orders(9).is_empty());
    // One more belongs to no order.
    events.push(refund("C10", 9, &[("mug", 1, 100), ("chair", 2, 500)]));
    assert_eq!(fold(&events).unmatched_returns(), 3);
}

#[test]
fn a_return_that_names_its_order_takes_from_it() {
    let events = [
        order("1", 0, &[("mug", 2, 100), ("bag", 1, 300)]),
        order("2", 5, &[("mug", 2, 90)]),
        refund("1", 6, &[("mug", 1, 100)]),
    ];
    let profile = fold(&events);
    assert_eq!(profile.refunded_minor(), 100);
    // A refund of a whole order names no products.
    let whole = fold(&[&events[..], &[refund("1", 7, &[])]].concat());
    assert_eq!((whole.refunded_minor(), whole.orders()), (500, 1));
    assert_eq!(whole.count(EventKind::OrderRefunded), 1);
    assert_eq!(whole.undone_orders(), 1);
}

#[test]
fn an_undone_order_comes_to_life_with_a_further_line() {
    let profile = fold(&[
        order("1", 0, &[("mug", 1, 100)]),
        refund("", 1, &[("mug", 1, 100)]),
        order("1", 2, &[("bag", 1, 300)]),
    ]);
    assert_eq!((profile.orders(), profile.undone_orders()), (1, 0));
}

#[test]
fn interests_weigh_what_was_done_and_when() {
    let profile = fold(&[
        event(EventKind::ProductViewed, at(0), &[("lamp", 1, 400)]),
        event(EventKind::ProductAdded, at(0), &[("bag", 1, 300)]),
        order("1", 90, &[("mug", 50, 100)]),
    ]);
    let top = profile.top_interests(InterestKind::Category, 3, at(90));
    let names: Vec<&str> = top.iter().map(|i| i.name.as_str()).collect();
    assert_eq!(names, ["cup", "bag", "灯"]);
    // A purchase of today weighs 5, an addition 3 and a view 1 of a half-life ago 1.5 and 0.5.
    let weights: Vec<f64> = top.iter().map(|i| i.weight).collect();
    assert!(
        weights
            .iter()
            .zip([5.0, 1.5, 0.5])
            .all(|(a, b)| (a - b).abs() < 1e-12)
    );
    assert!((top[0].share - 5.0 / 7.0).abs() < 1e-12);
    let concentration = (25.0 + 2.25 + 0.25) / 49.0;
    assert!((raw(&profile, "category_concentration", at(90)) - concentration).abs() < 1e-12);
    // Bands 1 (mug), 3 (bag) and 4 (lamp).
    let mean = (5.0 + 3.0 * 1.5 + 4.0 * 0.5) / 7.0;
    assert!((raw(&profile, "price_band_mean", at(90)) - mean).abs() < 1e-12);
    assert!(
        (profile.interest_share(InterestKind::PriceBand, "3", at(90)) - 1.5 / 7.0).abs() < 1e-12
    );
    // A one-star review turns against the brand; a return takes the purchase back.
    let mut review = event(EventKind::ProductReviewed, at(90), &[("mug", 1, 100)]);
    review.properties.rating = Some(1.0);
    let mut soured = profile.clone();
    soured.apply(&review, &index());
    let cup = |p: &Profile| p.top_interests(InterestKind::Category, 1, at(90))[0].weight;
    assert!((cup(&soured) - 2.0).abs() < 1e-12);
    assert!((raw(&soured, "mean_rating", at(90)) - 1.0).abs() < 1e-12);
}

#[test]
fn features_are_those_computed_by_hand() {
    let profile = fold(&[
        event(EventKind::ProductViewed, at(0), &[("mug", 1, 100)]),
        order("1", 2, &[("mug", 2, 100), ("bag", 1, 300)]),
        order("2", 12, &[("mug", 1, 100)]),
        order("3", 32, &[("mug", 4, 100)]),
        event(EventKind::ProductAdded, at(34), &[("bag", 1, 300)]),
    ]);
    let now = at(64);
    for (name, expected) in [
        ("recency_days", 32.0),
        ("idle_days", 30.0),
        ("tenure_days", 64.0),
        ("orders", 3.0),
        ("spend", 10.0),
        ("average_order", 10.0 / 3.0),
        ("pieces_per_order", 8.0 / 3.0),
        ("lines_per_order", 4.0 / 3.0),
        ("median_gap_days", 15.0),
        ("overdue_ratio", 32.0 / 15.0),
        ("distinct_products", 2.0),
        ("repeat_share", 0.5),
        ("recent_adds", 0.5),
        ("views", 1.0),
        ("due_products", 1.0),
        ("hour_entropy", 0.0),
        // Days 2 and 64 − … : 2026-01-03 is the only weekend day among 0, 2, 12, 32, 34.
        ("weekend_share", 1.0 / 5.0),
    ] {
        assert!((raw(&profile, name, now) - expected).abs() < 1e-9, "{name}");
    }
    let features = profile.features(now);
    assert!(
        (features.values[0] - 33f64.ln()).abs() < 1e-12,
        "recency is logged"
    );
    assert_eq!(features.raw("no such feature"), None);
    let due = profile.replenishment_due(now, &index()).len();
    assert_eq!(due, 1);
}

#[test]
fn a_product_is_due_after_its_usual_gap() {
    let events = [0, 30, 60, 90].map(|day| order(&format!("o{day}"), day, &[("mug", 1, 100)]));
    let profile = fold(&events);
    let index = index();
    assert!(profile.replenishment_due(at(110), &index).is_empty());
    let due = profile.replenishment_due(at(123), &index);
    assert_eq!((due[0].product_id, due[0].times_bought), ("mug", 4));
    assert!((due[0].due_ratio - 1.1).abs() < 1e-12);
    assert!((due[0].median_gap_days - 30.0).abs() < 1e-12);
    assert_eq!(due[0].last_at, at(90));
    assert!(profile.replenishment_due(at(300), &index).is_empty());
}

#[test]
fn the_half_life_is_the_shops_to_set() {
    let events = [
        order("1", 0, &[("mug", 1, 100)]),
        order("2", 7, &[("bag", 1, 300)]),
    ];
    let profile = Profile::with_half_life(7.0).folded(&events, &index(), at(7));
    let share = profile.interest_share(InterestKind::Category, "cup", at(7));
    assert!((share - 2.5 / 7.5).abs() < 1e-12);
    let no_memory = Profile::with_half_life(f64::NAN).folded(&events, &index(), at(7));
    assert!((no_memory.interest_share(InterestKind::Category, "bag", at(7)) - 1.0).abs() < 1e-12);
}

#[test]
fn only_the_first_currency_is_summed() {
    let mut foreign = order("2", 1, &[("mug", 1, 9999)]);
    foreign.properties.currency = events::Currency::parse("JPY").ok();
    let profile = fold(&[order("1", 0, &[("mug", 1, 100)]), foreign]);
    assert_eq!((profile.spend_minor(), profile.orders()), (100, 2));
    assert_eq!(profile.currency(), Some(events::Currency::GBP));
}

#[test]
fn what_the_shop_does_is_no_act_of_the_shopper() {
    let profile = fold(&[
        event(EventKind::PageViewed, at(1), &[]),
        event(EventKind::EmailDelivered, at(5), &[]),
    ]);
    assert_eq!(profile.seen(), Some((at(1), at(1))));
    assert_eq!(profile.count(EventKind::EmailDelivered), 1);
    assert_eq!(profile.hours().iter().sum::<u32>(), 1);
}

#[test]
fn hours_follow_the_shoppers_own_zone() {
    let mut profile = Profile::default();
    let page = event(EventKind::PageViewed, at(0), &[]);
    profile.apply_in(&page, &index(), &TimeZone::fixed(Offset::constant(8)));
    assert_eq!(profile.preferred_hour(), Some(20));
    let chinese = index().with_time_zone(TimeZone::fixed(Offset::constant(8)));
    assert_eq!(
        Profile::fold([&page], &chinese, at(1)).preferred_hour(),
        Some(20)
    );
}

#[test]
fn memory_stays_bounded() {
    let index = ProductIndex::new(&[]);
    let mut profile = Profile::default();
    for day in 0..5000 {
        let id = format!("p{day}");
        profile.apply(
            &order(&format!("o{day}"), day, &[("same", 1, 1), (&id, 1, 1)]),
            &index,
        );
    }
    assert_eq!(profile.orders(), 5000);
    assert_eq!(profile.last_orders(usize::MAX).len(), 64);
    assert!(profile.products().count() <= 4096);
    let same = profile
        .purchases_of("same")
        .expect("bought to the last day");
    assert_eq!((same.times_bought, same.purchases.len()), (5000, 8));
    assert_eq!(raw(&profile, "distinct_products", at(5000)) as i64, 5001);
}

#[test]
fn a_look_from_before_the_last_event_is_told() {
    let profile = fold(&[order("1", 5, &[("mug", 1, 100)])]);
    assert_eq!(profile.check_known_at(at(5)), Ok(()));
    assert!(matches!(
        profile.check_known_at(at(4)),
        Err(FeatureError::Leak { .. })
    ));
}

fn stored_and_read(profile: &Profile) -> Profile {
    let json = serde_json::to_string(profile).expect("serialises");
    serde_json::from_str(&json).expect("parses")
}

proptest! {
    #[test]
    fn chunks_do_not_matter(events in streams(), cut in 0..60usize) {
        let index = index();
        let whole = fold(&events);
        let mut parts = Profile::default();
        let (first, second) = events.split_at(cut.min(events.len()));
        for event in first { parts.apply(event, &index); }
        let mut parts = stored_and_read(&parts);
        for event in second { parts.apply(event, &index); }
        prop_assert_eq!(&parts, &whole);
        // Live: the state is stored after every event.
        let live = events.iter().fold(Profile::default(), |mut profile, event| {
            profile.apply(event, &index);
            stored_and_read(&profile)
        });
        prop_assert_eq!(live.features(at(500)), whole.features(at(500)));
        prop_assert_eq!(live, whole);
    }

    #[test]
    fn late_events_count_as_if_in_time(events in streams(), rotation in 0..60usize) {
        let (orders, others): (Vec<Event>, Vec<Event>) = events
            .into_iter()
            .filter(|event| !matches!(event.kind, EventKind::OrderRefunded | EventKind::OrderCancelled))
            .partition(|event| event.kind == EventKind::OrderCompleted);
        // Eight orders are kept of a product; an order older than them is known as a number only.
        let orders = orders.into_iter().take(8).map(|mut event| {
            event.properties.order_id = None;
            event
        });
        let mut events: Vec<Event> = orders.chain(others).collect();
        events.sort_by_key(|event| event.at);
        let mut late = events.clone();
        late.rotate_left(rotation.min(events.len()));
        let [in_time, late] = [fold(&events), fold(&late)].map(|profile| profile.features(at(500)));
        for (name, (a, b)) in FEATURE_NAMES.iter().zip(in_time.values.iter().zip(late.values)) {
            prop_assert!((a - b).abs() < 1e-9, "{} is {} in time and {} late", name, a, b);
        }
    }

    #[test]
    fn nothing_leaks_from_the_future(events in streams(), day in 0..400i64) {
        let past: Vec<Event> = events.iter().filter(|event| event.at <= at(day)).cloned().collect();
        let seen = Profile::fold(&events, &index(), at(day));
        prop_assert_eq!(seen.check_known_at(at(day)), Ok(()));
        prop_assert_eq!(seen.features(at(day)), fold(&past).features(at(day)));
    }

    #[test]
    fn pieces_are_conserved(events in streams()) {
        let profile = fold(&events);
        let pieces_of = |is_return: bool| -> u64 {
            events
                .iter()
                .filter(|event| match event.kind {
                    EventKind::OrderCompleted => !is_return,
                    EventKind::OrderRefunded | EventKind::OrderCancelled => is_return,
                    _ => false,
                })
                .flat_map(|event| &event.properties.products)
                .map(|line| u64::from(line.quantity))
                .sum()
        };
        prop_assert_eq!(profile.pieces(), pieces_of(false));
        let kept: u64 = profile.products().map(|(_, history)| history.pieces).sum();
        prop_assert_eq!(kept, profile.pieces() - profile.returned_pieces());
        // A return of a whole order names no pieces and so may give back more than the lines state.
        prop_assert!(profile.returned_pieces() + profile.unmatched_returns() >= pieces_of(true));
        for (_, history) in profile.products() {
            prop_assert!(history.purchases.iter().all(|line| line.returned <= line.pieces));
        }
    }

    #[test]
    fn features_stay_in_their_ranges(events in streams(), day in 0..900i64) {
        let profile = fold(&events);
        let features = profile.features(at(day));
        prop_assert!(features.values.iter().all(|value| value.is_finite()));
        for (name, value) in FEATURE_NAMES.iter().zip(features.raw) {
            let is_share = name.ends_with("_share") || name.ends_with("concentration") || name.ends_with("entropy");
            let top = if is_share { 1.0 + 1e-9 } else { f64::INFINITY };
            let bottom = if name.starts_with("hour_") { -1.0 } else { 0.0 };
            prop_assert!((bottom - 1e-9..=top).contains(&value), "{} is {}", name, value);
        }
    }
}
