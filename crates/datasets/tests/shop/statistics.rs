use std::collections::BTreeMap;

use datasets::{Message, SimulatedShop};
use events::{Channel, EventKind, Goal, Strategy};
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::small;

/// One moment for each shopper and allowed channel, at a waking hour after the history, with every candidate.
fn moments(shop: &SimulatedShop, seed: u64) -> Vec<Vec<Message>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut moments = Vec::new();
    for shopper in shop.shoppers() {
        for channel in Channel::ALL {
            let at = shop.end() + SignedDuration::from_hours(rng.random_range(8..22));
            if shop.consents(&shopper, channel, at) == Ok(true) {
                let candidates = shop.candidates(&shopper, channel, at);
                moments.push(candidates.expect("a shopper of this shop"));
            }
        }
    }
    moments
}

/// The mean expected click rate of what `choose` picks at each moment.
fn rate(
    shop: &SimulatedShop,
    moments: &[Vec<Message>],
    mut choose: impl FnMut(&[Message]) -> Message,
) -> f64 {
    let total: f64 = moments
        .iter()
        .map(|candidates| shop.click_probability(&choose(candidates)))
        .sum();
    total / moments.len() as f64
}

#[test]
fn a_random_message_is_clicked_by_two_in_a_hundred_and_the_best_by_many_more() {
    for seed in [1, 2, 3] {
        let shop = small(seed);
        let moments = moments(&shop, seed);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let random = rate(&shop, &moments, |candidates| {
            candidates[rng.random_range(0..candidates.len())]
        });
        assert!((0.015..0.025).contains(&random), "{random}");
        let constant = Strategy::ALL
            .map(|strategy| {
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                rate(&shop, &moments, |candidates| {
                    let place = rng.random_range(0..candidates.len() / 6) * 6;
                    candidates[place + strategy as usize]
                })
            })
            .into_iter()
            .fold(0.0, f64::max);
        let right_words = rate(&shop, &moments, |candidates| {
            let place = rng.random_range(0..candidates.len() / 6) * 6;
            let best = shop.best_of(&candidates[place..place + 6], Goal::Click);
            best.expect("the channel is allowed").message
        });
        let oracle = rate(&shop, &moments, |candidates| {
            let best = shop.best_of(candidates, Goal::Click);
            best.expect("the channel is allowed").message
        });
        assert!(
            constant > 1.1 * random && constant < 2.0 * random,
            "{constant}"
        );
        assert!(
            right_words > 1.2 * constant,
            "{right_words} against {constant}"
        );
        assert!(oracle > 3.0 * right_words, "{oracle} against {right_words}");
    }
}

#[test]
fn a_random_click_leads_to_an_order_in_about_one_of_ten_and_few_leave() {
    let shop = small(1);
    let (mut click, mut order, mut leave, mut count) = (0.0, 0.0, 0.0, 0.0);
    for message in moments(&shop, 1).iter().flatten().step_by(7) {
        click += shop.click_probability(message);
        order += shop.expected_reward(message, Goal::Purchase);
        leave += shop.unsubscribe_probability(message);
        count += 1.0;
    }
    assert!((0.06..0.16).contains(&(order / click)), "{}", order / click);
    assert!(
        (0.0003..0.002).contains(&(leave / count)),
        "{}",
        leave / count
    );
}

#[test]
fn the_day_has_a_rhythm() {
    let shop = small(1);
    let london = TimeZone::posix("GMT0BST,M3.5.0/1,M10.5.0").expect("valid");
    let mut by_hour = [0_u32; 24];
    for event in shop
        .events()
        .filter(|event| event.kind == EventKind::ProductViewed)
    {
        let locale = shop.locale(&event.identity).expect("known shopper");
        if locale.0 == "en-GB" {
            by_hour[usize::from(london.to_datetime(event.at).hour().cast_unsigned())] += 1;
        }
    }
    let total: u32 = by_hour.iter().sum();
    let night: u32 = by_hour[1..5].iter().sum();
    let evening: u32 = by_hour[19..23].iter().sum();
    assert!(night * 25 < total, "{by_hour:?}");
    assert!(evening * 5 > total, "{by_hour:?}");
}

#[test]
fn the_week_and_the_year_have_rhythms() {
    let shop = small(1);
    let (mut weekend, mut views, mut winter, mut summer) = (0.0, 0.0, 0.0, 0.0);
    for event in shop
        .events()
        .filter(|event| event.kind == EventKind::ProductViewed)
    {
        let local = TimeZone::UTC.to_datetime(event.at);
        views += 1.0;
        weekend += f64::from(u8::from(local.weekday().to_monday_zero_offset() >= 5));
        if event.properties.products[0]
            .product_id
            .starts_with("giftwrap")
        {
            winter += f64::from(u8::from(local.month() >= 11));
            summer += f64::from(u8::from((5..7).contains(&local.month())));
        }
    }
    assert!(weekend / views > 1.08 * 2.0 / 7.0, "{}", weekend / views);
    assert!(winter > 2.0 * summer, "{winter} against {summer}");
}

#[test]
fn tastes_drift_so_that_the_best_product_changes() {
    let shop = small(1);
    let taste = 1;
    let (mut near, mut far) = (0.0, 0.0);
    for shopper in shop.shoppers() {
        let liking = |days: i64| -> Vec<f64> {
            let at = shop.end() - SignedDuration::from_hours(24 * days);
            let about = |id: &str| {
                shop.message(&shopper, id, Strategy::Benefit, Channel::Push, at)
                    .expect("both exist")
            };
            shop.products()
                .map(|product| shop.click_terms(&about(&product.id))[taste])
                .collect()
        };
        let now = liking(1);
        near += correlation(&now, &liking(31));
        far += correlation(&now, &liking(360));
    }
    let count = shop.shoppers().len() as f64;
    let (near, far) = (near / count, far / count);
    assert!(near > 0.95, "{near}");
    assert!((0.5..0.9).contains(&far), "{far}");
}

#[test]
fn popularity_has_a_long_tail() {
    let shop = small(1);
    let mut sold: BTreeMap<String, f64> = shop
        .products()
        .map(|product| (product.id.clone(), 0.0))
        .collect();
    for event in shop
        .events()
        .filter(|event| event.kind == EventKind::OrderCompleted)
    {
        for line in event.properties.products {
            *sold.entry(line.product_id).or_default() += 1.0;
        }
    }
    let mut counts: Vec<f64> = sold.into_values().collect();
    counts.sort_by(f64::total_cmp);
    let (n, total) = (counts.len() as f64, counts.iter().sum::<f64>());
    let weighted: f64 = (1..)
        .zip(&counts)
        .map(|(rank, x)| f64::from(rank) * x)
        .sum();
    let gini = 2.0 * weighted / (n * total) - (n + 1.0) / n;
    // At the default size it is 0.63.
    assert!((0.45..0.65).contains(&gini), "{gini}");
}

#[test]
fn things_that_run_out_are_bought_again() {
    let shop = small(1);
    let mut bought: BTreeMap<(String, String), u32> = BTreeMap::new();
    let mut lines = 0;
    for event in shop
        .events()
        .filter(|event| event.kind == EventKind::OrderCompleted)
    {
        for line in event.properties.products {
            let who = event.identity.as_str().to_owned();
            *bought.entry((who, line.product_id)).or_default() += 1;
            lines += 1;
        }
    }
    let repeats: u32 = bought.values().map(|count| count - 1).sum();
    let share = f64::from(repeats) / f64::from(lines);
    assert!((0.05..0.4).contains(&share), "{share}");
}

#[test]
fn the_last_view_says_more_about_the_next_than_popularity_does() {
    let shop = small(1);
    let cut = shop.end() - SignedDuration::from_hours(24 * 70);
    let mut last: BTreeMap<String, String> = BTreeMap::new();
    let mut popular: BTreeMap<String, u32> = BTreeMap::new();
    let mut after: BTreeMap<String, BTreeMap<String, u32>> = BTreeMap::new();
    let mut tests = Vec::new();
    for event in shop
        .events()
        .filter(|event| event.kind == EventKind::ProductViewed)
    {
        let next = event.properties.products[0].product_id.clone();
        let person = event.alias.unwrap_or(event.identity).as_str().to_owned();
        let Some(before) = last.insert(person, next.clone()) else {
            continue;
        };
        if before == next {
            continue;
        }
        if event.at < cut {
            *popular.entry(next.clone()).or_default() += 1;
            let row = after.entry(before).or_default();
            *row.entry(next).or_default() += 1;
        } else {
            tests.push((before, next));
        }
    }
    let hit_rate = |guess: &dyn Fn(&str) -> Vec<String>| {
        let hits = tests
            .iter()
            .filter(|(before, next)| guess(before).contains(next));
        hits.count() as f64 / tests.len() as f64
    };
    let top_popular = top(&popular);
    let by_popularity = hit_rate(&|_| top_popular.clone());
    let by_transition = hit_rate(&|before| after.get(before).map(top).unwrap_or_default());
    assert!(tests.len() > 1_000);
    assert!(
        by_transition > 1.5 * by_popularity,
        "{by_transition} against {by_popularity}"
    );
}

/// The ten keys of the highest counts.
fn top(counts: &BTreeMap<String, u32>) -> Vec<String> {
    let mut ranked: Vec<(&String, &u32)> = counts.iter().collect();
    ranked.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    ranked
        .into_iter()
        .take(10)
        .map(|(key, _)| key.clone())
        .collect()
}

fn correlation(x: &[f64], y: &[f64]) -> f64 {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (mx, my) = (mean(x), mean(y));
    let covariance = |a: &[f64], ma: f64, b: &[f64], mb: f64| -> f64 {
        a.iter().zip(b).map(|(p, q)| (p - ma) * (q - mb)).sum()
    };
    covariance(x, mx, y, my) / (covariance(x, mx, x, mx) * covariance(y, my, y, my)).sqrt()
}
