//! The shop's own texts in a campaign: further candidates once they are approved, and nothing at all before.

use engine::{CampaignReport, DeliveredLine};
use events::{Channel, CopyVariant, Language, VariantStatus};
use rusqlite::{Connection, params};
use serde_json::json;

use crate::shop::TestShop;

/// A text about the mug and the mills that was told what they are made of.
fn text(id: &str, material: &str, status: VariantStatus) -> CopyVariant {
    let variant = json!({
        "id": id, "scope": { "product_ids": ["20001", "20002"] }, "channel": "push", "slot": "default", "locale": "en",
        "strategy": "benefit", "template": { "body": "Ours alone: {{ title | title_case }}, {{ price | money }}." },
        "bindings": [
            { "name": "title", "path": "product.title" }, { "name": "price", "path": "product.current_price" },
        ],
        "premises": [{ "path": "fact.material", "value": material }],
        "generator": { "provider": "decoder", "model": "decoder@1" }, "status": status,
    });
    serde_json::from_value(variant).expect("a variant")
}

/// A copy of a shop with texts in its store, and what its campaign came to.
fn campaign(
    shop: &TestShop,
    texts: &[CopyVariant],
) -> (TestShop, CampaignReport, Vec<DeliveredLine>) {
    let mut copy = shop.copy();
    let database = Connection::open(copy.store.dir().join("log.sqlite")).expect("a database");
    let insert = "INSERT INTO variants (id, channel, status, kept_ms, changed_ms, variant) VALUES (?1, 'push', ?2, 0, 0, ?3)";
    for text in texts {
        let json = serde_json::to_string(text).expect("JSON");
        database
            .execute(insert, params![text.id, text.status.name(), json])
            .expect("written");
    }
    let (report, lines) = copy.run(&copy.request(Channel::Push));
    (copy, report, lines)
}

fn status(shop: &TestShop, id: &str) -> VariantStatus {
    let stored = shop.store.variant(id).expect("readable");
    stored.expect("kept").variant.status
}

#[test]
fn what_nobody_approved_changes_nothing() {
    let shop = TestShop::new();
    let (_, _, without) = campaign(&shop, &[]);
    let held_back = [
        VariantStatus::Draft,
        VariantStatus::Paused,
        VariantStatus::Retired,
    ]
    .map(|status| text(status.name(), "enamel", status));
    let (_, _, with) = campaign(&shop, &held_back);
    assert_eq!(with, without);
}

#[test]
fn an_approved_text_is_one_more_candidate_for_its_products() {
    let shop = TestShop::new();
    // The mills are of beech: about them the same text would not be true.
    let own = text("own", "enamel", VariantStatus::Approved);
    let untrue = text("untrue", "gold", VariantStatus::Live);
    let (after, report, lines) = campaign(&shop, &[own, untrue]);
    let mut offered = 0;
    for line in &lines {
        let candidates = &line.decision.candidates;
        let total: f64 = candidates
            .iter()
            .map(|candidate| candidate.propensity)
            .sum();
        assert!((total - 1.0).abs() < 1e-9, "{total}");
        let is_own = |id: &Option<String>| id.as_deref() == Some("own");
        for candidate in candidates {
            assert_ne!(candidate.variant.as_deref(), Some("untrue"));
            assert_eq!(candidate.provider.is_some(), is_own(&candidate.variant));
            if is_own(&candidate.variant) {
                assert_eq!(candidate.product.as_deref(), Some("20001"));
                assert_eq!(line.decision.context.locale.language(), Language::En);
                let of_library = |other: &&events::Candidate| {
                    other.product == candidate.product && !is_own(&other.variant)
                };
                assert!(candidates.iter().any(|other| of_library(&other)));
                offered += 1;
            }
        }
        if is_own(&line.variant_id) {
            let shown = &line.text.as_ref().expect("a text").body;
            assert_eq!(shown, "Ours alone: Blue Enamel Mug, £6.50.");
        }
    }
    assert!(offered > 0);
    assert_eq!(report.paused.len(), 1);
    assert!(
        report.paused[0].1.starts_with("changed:fact.material"),
        "{report:?}"
    );
    assert_eq!(status(&after, "untrue"), VariantStatus::Paused);
    let is_shown = lines
        .iter()
        .any(|line| line.variant_id.as_deref() == Some("own"));
    let expected = if is_shown {
        VariantStatus::Live
    } else {
        VariantStatus::Approved
    };
    assert_eq!(status(&after, "own"), expected);
}
