//! No product and no text takes more than its share of a campaign's messages.

use std::collections::BTreeMap;

use engine::{CampaignReport, DeliveredLine};
use events::{Candidate, Channel};

use crate::shop::TestShop;

/// How far an expected share may lie above its cap, relative to the cap.
const TOLERANCE: f64 = 2e-3;

/// The largest expected share of the messages, of a product and of a text.
fn expected_shares(lines: &[DeliveredLine]) -> [f64; 2] {
    let messages = || {
        let candidates = lines.iter().flat_map(|line| &line.decision.candidates);
        candidates.filter(|candidate| candidate.product.is_some())
    };
    let total: f64 = messages().map(|candidate| candidate.propensity).sum();
    let largest = |name: fn(&Candidate) -> &Option<String>| {
        let mut sums: BTreeMap<_, f64> = BTreeMap::new();
        for candidate in messages() {
            *sums.entry(name(candidate)).or_default() += candidate.propensity / total;
        }
        sums.into_values().fold(0.0, f64::max)
    };
    [
        largest(|candidate| &candidate.product),
        largest(|candidate| &candidate.variant),
    ]
}

fn assert_caps_hold(report: &CampaignReport, lines: &[DeliveredLine]) {
    let [product, variant] = expected_shares(lines);
    assert!(
        product <= report.product_cap * (1.0 + TOLERANCE),
        "{product} of {}",
        report.product_cap
    );
    assert!(
        variant <= report.variant_cap * (1.0 + TOLERANCE),
        "{variant} of {}",
        report.variant_cap
    );
}

#[test]
fn caps_hold_for_the_expected_shares() {
    let mut shop = TestShop::new();
    shop.config.campaign.max_product_share = 1.0;
    shop.config.campaign.max_variant_share = 1.0;
    let [free_product, free_variant] = expected_shares(&shop.copy().run_at(Channel::Push, 0));
    shop.config.campaign.max_product_share = 0.085;
    shop.config.campaign.max_variant_share = 0.08;
    assert!(
        free_product > 0.085 && free_variant > 0.08,
        "{free_product} and {free_variant} need no cap"
    );
    let (report, lines) = shop.run(&shop.request(Channel::Push));
    assert_eq!((report.product_cap, report.variant_cap), (0.085, 0.08));
    assert_caps_hold(&report, &lines);
}

#[test]
fn the_report_counts_what_was_sent() {
    let mut shop = TestShop::new();
    let (report, lines) = shop.run(&shop.request(Channel::Push));
    let sent: Vec<_> = crate::shop::messages(&lines).collect();
    assert_eq!(report.messages, sent.len() as u64);
    assert_eq!(
        report.messages + report.nothing.values().sum::<u64>(),
        report.shoppers
    );
    let mut products: BTreeMap<&str, u64> = BTreeMap::new();
    for line in &sent {
        *products
            .entry(&line.product.as_ref().expect("a product").id)
            .or_default() += 1;
    }
    let largest = *products.values().max().expect("some") as f64 / sent.len() as f64;
    assert!((report.largest_product_share - largest).abs() < 1e-12);
    assert_eq!(report.products, products.len() as u64);
    assert_eq!(report.strategies.values().sum::<u64>(), report.messages);
    let diversity = report.diversity.expect("more than one message");
    assert!(diversity.distinct_2 > 0.0 && diversity.distinct_2 <= 1.0);
}

#[test]
fn caps_that_a_small_catalogue_cannot_keep_are_raised_and_the_report_says_so() {
    let mut shop = TestShop::new();
    shop.config.campaign.max_product_share = 0.02;
    shop.config.campaign.max_variant_share = 0.02;
    let (report, lines) = shop.run(&shop.request(Channel::Push));
    assert!(
        report.product_cap > 0.02,
        "thirteen products cannot have 2 % each"
    );
    assert!(report.messages > 0);
    assert_caps_hold(&report, &lines);
}
