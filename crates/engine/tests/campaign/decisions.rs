//! What every decision holds: all shoppers, propensities that sum to 1, an explanation that adds up, and a copy in the log.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use engine::DeliveredLine;
use events::{Action, Channel, Decision};

use crate::shop::{SHOPPERS, TestShop, messages};

/// One campaign a channel and what the log then holds.
struct Campaigns {
    lines: BTreeMap<Channel, Vec<DeliveredLine>>,
    decisions: Vec<Decision>,
    shoppers: BTreeSet<String>,
}

fn campaigns() -> &'static Campaigns {
    static CAMPAIGNS: OnceLock<Campaigns> = OnceLock::new();
    CAMPAIGNS.get_or_init(|| {
        let mut shop = TestShop::new();
        let lines = Channel::ALL
            .into_iter()
            .map(|channel| (channel, shop.run_at(channel, 0)));
        let lines = lines.collect();
        let known = shop.store.shoppers().expect("readable").into_iter();
        Campaigns {
            lines,
            decisions: shop.decisions(),
            shoppers: known
                .filter(|shopper| !shopper.guest)
                .map(|shopper| shopper.pseudonym.to_string())
                .collect(),
        }
    })
}

fn all_lines() -> impl Iterator<Item = &'static DeliveredLine> {
    campaigns().lines.values().flatten()
}

#[test]
fn every_shopper_has_exactly_one_decision_a_campaign() {
    assert_eq!(campaigns().shoppers.len(), SHOPPERS as usize);
    for (channel, lines) in &campaigns().lines {
        let users: BTreeSet<String> = lines
            .iter()
            .map(|line| line.decision.user.to_string())
            .collect();
        assert_eq!(lines.len(), users.len(), "{channel}");
        assert_eq!(users, campaigns().shoppers, "{channel}");
        assert!(
            messages(lines).count() > 20,
            "{channel} sends next to nothing"
        );
    }
}

#[test]
fn propensities_sum_to_one_and_the_chosen_ones_is_positive() {
    for line in all_lines() {
        let candidates = &line.decision.candidates;
        let sum: f64 = candidates
            .iter()
            .map(|candidate| candidate.propensity)
            .sum();
        assert!(
            (sum - 1.0).abs() < 1e-9,
            "{sum} in {}",
            line.decision.decision_id
        );
        assert!(
            candidates
                .iter()
                .all(|candidate| (0.0..=1.0).contains(&candidate.propensity))
        );
        assert!(line.decision.chosen().propensity > 0.0);
    }
}

#[test]
fn nothing_is_always_a_candidate_and_every_other_is_a_message_about_a_product() {
    for line in all_lines() {
        let candidates = &line.decision.candidates;
        let (nothing, rest): (Vec<_>, Vec<_>) = candidates
            .iter()
            .partition(|candidate| candidate.action == Action::Nothing);
        assert_eq!(nothing.len(), 1);
        assert_eq!((&nothing[0].product, &nothing[0].variant), (&None, &None));
        for candidate in &rest {
            assert_eq!(candidate.action, Action::Message);
            assert!(candidate.product.is_some() && candidate.variant.is_some());
        }
        let distinct: BTreeSet<_> = rest
            .iter()
            .map(|candidate| (&candidate.product, &candidate.variant))
            .collect();
        assert_eq!(distinct.len(), rest.len(), "a candidate stands there twice");
    }
}

#[test]
fn a_line_shows_what_its_decision_chose() {
    for line in all_lines() {
        let chosen = line.decision.chosen();
        let sends = chosen.action == Action::Message;
        assert_eq!(line.nothing.is_none(), sends);
        assert_eq!(line.text, line.decision.rendered_text);
        assert_eq!(line.text.is_some(), sends);
        assert_eq!(
            line.product.as_ref().map(|product| &product.id),
            chosen.product.as_ref()
        );
        assert_eq!(line.variant_id, chosen.variant);
        assert_eq!(line.reason, line.decision.explanation.reason);
        assert!(!line.reason.is_empty(), "{}", line.decision.decision_id);
    }
}

#[test]
fn the_explanation_adds_up_to_the_score_of_the_chosen_candidate() {
    let mut explained = 0;
    for line in all_lines() {
        let explanation = &line.decision.explanation;
        let sum = explanation.base
            + explanation
                .contributions
                .iter()
                .map(|part| part.contribution)
                .sum::<f64>();
        assert!((sum - explanation.score).abs() < 1e-9, "{explanation:?}");
        assert!(
            (explanation.score - line.decision.chosen().score).abs() < 1e-9,
            "{explanation:?}"
        );
        explained += usize::from(!explanation.contributions.is_empty());
    }
    assert_eq!(
        explained,
        campaigns()
            .lines
            .values()
            .map(|lines| messages(lines).count())
            .sum::<usize>()
    );
}

#[test]
fn the_log_holds_the_decisions_of_the_files_in_their_order() {
    let in_files: Vec<&Decision> = Channel::ALL
        .iter()
        .flat_map(|channel| &campaigns().lines[channel])
        .map(|line| &line.decision)
        .collect();
    assert_eq!(in_files, campaigns().decisions.iter().collect::<Vec<_>>());
    let ids: BTreeSet<_> = in_files
        .iter()
        .map(|decision| &decision.decision_id)
        .collect();
    assert_eq!(ids.len(), in_files.len(), "a decision id was given twice");
}

#[test]
fn the_even_arm_draws_evenly_where_no_cap_binds() {
    let mut shop = TestShop::new();
    shop.config.campaign.max_product_share = 1.0;
    shop.config.campaign.max_variant_share = 1.0;
    let lines = shop.run_at(Channel::Push, 0);
    let (mut even, mut uneven) = (0, 0);
    for line in &lines {
        let candidates = &line.decision.candidates;
        let share = 1.0 / candidates.len() as f64;
        let is_even = candidates
            .iter()
            .all(|candidate| (candidate.propensity - share).abs() < 1e-9);
        match line.decision.experiment.as_str() {
            "random" => {
                assert!(is_even, "{candidates:?}");
                even += usize::from(candidates.len() > 1);
            }
            "policy" => uneven += usize::from(!is_even),
            _ => {}
        }
    }
    assert!(
        even > 5 && uneven > 5,
        "{even} even and {uneven} other decisions prove little"
    );
}
