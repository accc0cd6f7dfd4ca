//! The same state and the same seed give the same bytes; another seed gives other choices.

use engine::CampaignRequest;
use events::Channel;

use crate::shop::{TestShop, noon, read_lines};

fn bytes(shop: &mut TestShop, seed: u64, name: &str) -> Vec<u8> {
    let request = CampaignRequest {
        seed,
        out: shop.path(name),
        ..shop.request(Channel::Push)
    };
    shop.run(&request);
    std::fs::read(&request.out).expect("readable")
}

#[test]
fn the_same_state_and_seed_give_the_same_bytes_and_another_seed_others() {
    let mut shop = TestShop::new();
    let (mut twin, mut other) = (shop.copy(), shop.copy());
    let wanted = bytes(&mut shop, 1, "a.jsonl");
    assert!(
        bytes(&mut twin, 1, "under another name.jsonl") == wanted,
        "the bytes differ"
    );

    let different = bytes(&mut other, 2, "a.jsonl");
    let chosen = |shop: &TestShop| -> Vec<_> {
        let lines = read_lines(&shop.path("a.jsonl")).into_iter();
        lines
            .map(|line| line.decision.chosen().clone().variant)
            .collect()
    };
    assert_ne!(different, wanted);
    assert_ne!(chosen(&other), chosen(&shop));
}

#[test]
fn a_whole_second_shop_under_the_same_key_gives_the_same_bytes() {
    let [first, second] =
        [TestShop::new(), TestShop::new()].map(|mut shop| bytes(&mut shop, 1, "a.jsonl"));
    assert!(first == second, "the bytes differ");
}

#[test]
fn a_second_campaign_at_the_same_moment_takes_decisions_of_its_own() {
    let mut shop = TestShop::new();
    let first = shop.run_at(Channel::Push, 0);
    let second = shop.run_at(Channel::Push, 0);
    assert!(
        first
            .iter()
            .zip(&second)
            .all(|(a, b)| a.decision.decision_id != b.decision.decision_id)
    );
    assert_eq!(shop.decisions().len(), first.len() + second.len());
}

#[test]
fn without_a_moment_the_last_event_dates_the_campaign() {
    let mut shop = TestShop::new();
    let request = CampaignRequest {
        at: None,
        ..shop.request(Channel::Email)
    };
    let (report, lines) = shop.run(&request);
    assert_eq!(report.decided_at, noon().to_string());
    assert!(lines.iter().all(|line| line.decision.decided_at == noon()));
}
