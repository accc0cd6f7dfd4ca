use datasets::{DatasetError, Message, SimulatedShop};
use events::{Channel, EventKind, Goal, Identity, Strategy, Timestamp};
use jiff::SignedDuration;

use crate::small;

fn hours(shop: &SimulatedShop, hours: i64) -> Timestamp {
    shop.end() + SignedDuration::from_hours(hours)
}

/// The first shopper who allows banners and mails, with a message about the first product in stock.
fn example(shop: &SimulatedShop) -> (Identity, Message) {
    let noon = hours(shop, 12);
    let shopper = shop
        .shoppers()
        .find(|shopper| {
            [Channel::Banner, Channel::Email]
                .into_iter()
                .all(|channel| shop.consents(shopper, channel, noon) == Ok(true))
        })
        .expect("somebody consents");
    let candidates = shop.candidates(&shopper, Channel::Banner, noon);
    let message = candidates.expect("known shopper")[0];
    (shopper, message)
}

#[test]
fn the_click_probability_is_the_logistic_of_its_terms() {
    let shop = small(1);
    let (_, message) = example(&shop);
    let logit: f64 = shop.click_terms(&message).iter().sum();
    let expected = 1.0 / (1.0 + (-logit).exp());
    let click = shop.click_probability(&message);
    assert!((click - expected).abs() < 1e-12);
    let order = shop.purchase_probability(&message);
    assert!((shop.expected_reward(&message, Goal::Purchase) - click * order).abs() < 1e-12);
    assert!((shop.expected_reward(&message, Goal::Click) - click).abs() < 1e-12);
}

#[test]
fn the_worth_of_a_choice_is_the_propensity_weighted_reward_and_nothing_is_worth_nothing() {
    let shop = small(1);
    let (_, message) = example(&shop);
    let other = Message::clone(&message);
    let choice = [(Some(message), 0.5), (Some(other), 0.25), (None, 0.25)];
    let expected = 0.75 * shop.click_probability(&message);
    assert!((shop.expected_reward_of(&choice, Goal::Click) - expected).abs() < 1e-15);
    assert!(shop.expected_reward_of(&[(None, 1.0)], Goal::Click).abs() < 1e-15);
}

#[test]
fn the_best_action_is_at_least_as_good_as_every_candidate() {
    let shop = small(1);
    let (shopper, message) = example(&shop);
    for goal in [Goal::Click, Goal::Purchase] {
        let best = shop
            .best_action(&shopper, Channel::Banner, message.at(), goal)
            .expect("known shopper")
            .expect("consent is given");
        let candidates = shop.candidates(&shopper, Channel::Banner, message.at());
        for candidate in candidates.expect("known shopper") {
            assert!(shop.expected_reward(&candidate, goal) <= best.expected_reward);
        }
        assert!((shop.expected_reward(&best.message, goal) - best.expected_reward).abs() < 1e-15);
    }
}

#[test]
fn without_consent_nothing_happens() {
    let mut shop = small(1);
    let noon = hours(&shop, 12);
    let refuser = shop
        .shoppers()
        .find(|shopper| shop.consents(shopper, Channel::Sms, noon) == Ok(false))
        .expect("somebody refuses");
    let product = shop.products().next().expect("a product").id.clone();
    let message = shop
        .message(&refuser, &product, Strategy::Value, Channel::Sms, noon)
        .expect("both exist");
    assert!(shop.click_probability(&message).abs() < 1e-15);
    assert!(shop.unsubscribe_probability(&message).abs() < 1e-15);
    for seed in 0..200 {
        assert_eq!(shop.react(&message, seed), datasets::Reaction::default());
    }
    let best = shop.best_action(&refuser, Channel::Sms, noon, Goal::Click);
    assert_eq!(best, Ok(None));
}

#[test]
fn messages_tire_and_time_heals() {
    let mut shop = small(1);
    let (shopper, message) = example(&shop);
    let again = |shop: &SimulatedShop, days: i64| {
        let at = message.at() + SignedDuration::from_hours(24 * days);
        let id = shop.product_id(&message).to_owned();
        let same = shop.message(&shopper, &id, message.strategy(), message.channel(), at);
        same.expect("both exist")
    };
    let fatigue = datasets::CLICK_TERMS
        .iter()
        .position(|name| *name == "fatigue")
        .expect("the term exists");
    assert!(shop.click_terms(&message)[fatigue].abs() < 1e-15);
    let calm = shop.unsubscribe_probability(&message);
    for seed in 0..4 {
        assert!(!shop.react(&message, seed).unsubscribed);
    }
    let tired = |days| shop.click_terms(&again(&shop, days))[fatigue];
    assert!(tired(0) < 0.0 && tired(10) > tired(0) && tired(90) > -1e-4);
    assert!(shop.unsubscribe_probability(&message) > calm);
}

#[test]
fn what_runs_out_is_due_at_its_time_and_replenishment_is_then_the_right_argument() {
    let shop = small(1);
    let term = |message: &Message, name: &str| {
        let place = datasets::CLICK_TERMS.iter().position(|term| *term == name);
        shop.click_terms(message)[place.expect("the term exists")]
    };
    let (mut due, mut checked) = (0, 0);
    for order in shop
        .events()
        .filter(|event| event.kind == EventKind::OrderCompleted)
    {
        for line in &order.properties.products {
            let on = |day: i64, strategy| {
                let at = order.at + SignedDuration::from_hours(24 * day);
                let (user, id) = (&order.identity, &line.product_id);
                shop.message(user, id, strategy, Channel::Banner, at)
                    .expect("both exist")
            };
            let used_up = [
                "tea-",
                "coffee-",
                "soap-",
                "birds-",
                "candles-",
                "bathsalts-",
            ]
            .iter()
            .any(|category| line.product_id.starts_with(category));
            if used_up {
                let peak = (1..200)
                    .map(|day| term(&on(day, Strategy::Replenishment), "need"))
                    .fold(0.0, f64::max);
                assert!(term(&on(1, Strategy::Replenishment), "need") < 0.05);
                due += usize::from(peak > 0.75);
                checked += 1;
            } else if checked < 50 {
                assert!(term(&on(1, Strategy::Benefit), "owned") < -1.0);
                assert!(term(&on(1, Strategy::Replenishment), "need").abs() < 1e-12);
            }
        }
    }
    // Where the same thing is bought again before it runs out, it is never due.
    assert!(checked > 50 && due * 10 > checked * 7, "{due} of {checked}");
}

#[test]
fn sampled_reactions_agree_with_the_exact_probabilities() {
    let mut shop = small(1);
    let shoppers: Vec<Identity> = shop.shoppers().collect();
    let (mut expected, mut variance, mut clicks) = (0.0, 0.0, 0.0);
    let (mut orders_expected, mut orders) = (0.0, 0.0);
    for round in 0..6 {
        let at = hours(&shop, 12 + 24 * 7 * round);
        for shopper in &shoppers {
            let best = shop.best_action(shopper, Channel::Banner, at, Goal::Purchase);
            let Some(best) = best.expect("known shopper") else {
                continue;
            };
            let click = shop.click_probability(&best.message);
            expected += click;
            variance += click * (1.0 - click);
            orders_expected += best.expected_reward;
            let reaction = shop.react(&best.message, 5);
            clicks += f64::from(u8::from(reaction.clicked));
            orders += f64::from(u8::from(reaction.ordered.is_some()));
            assert!(
                reaction
                    .ordered
                    .is_none_or(|paid| reaction.clicked && paid.minor > 0)
            );
        }
    }
    let z = (clicks - expected) / f64::sqrt(variance);
    assert!(z.abs() < 3.5, "{clicks} clicks, {expected} expected, z {z}");
    let z = (orders - orders_expected) / orders_expected.sqrt();
    assert!(
        z.abs() < 3.5,
        "{orders} orders, {orders_expected} expected, z {z}"
    );
}

#[test]
fn an_unsubscribed_channel_stays_closed() {
    let mut shop = small(1);
    let shoppers: Vec<Identity> = shop.shoppers().collect();
    let mut left = 0;
    for round in 0..40 {
        let at = hours(&shop, 12 + 4 * round);
        let later = hours(&shop, 24 * 60);
        for shopper in &shoppers {
            let product = shop.products().next().expect("a product").id.clone();
            let message = shop
                .message(shopper, &product, Strategy::Novelty, Channel::Push, at)
                .expect("both exist");
            if shop.react(&message, 9).unsubscribed {
                left += 1;
                assert_eq!(shop.consents(shopper, Channel::Push, later), Ok(false));
                let best = shop.best_action(shopper, Channel::Push, later, Goal::Click);
                assert_eq!(best, Ok(None));
            }
        }
    }
    assert!(left > 10, "{left}");
}

#[test]
fn strangers_are_refused_by_name() {
    let shop = small(1);
    let stranger = Identity::User("ada".to_owned());
    let error = shop.consents(&stranger, Channel::Push, shop.end());
    assert_eq!(
        error.expect_err("unknown").to_string(),
        "shopper `ada` is not one of the simulated shop; use an identity from its events"
    );
    let shopper = shop.shoppers().next().expect("a shopper");
    let message = shop.message(&shopper, "x", Strategy::Value, Channel::Push, shop.end());
    let expected = DatasetError::UnknownProduct { id: "x".to_owned() };
    assert_eq!(message, Err(expected));
}
