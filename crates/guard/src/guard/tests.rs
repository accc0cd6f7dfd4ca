//! What becomes of a text: a product, a variant and its verdict, for the topics in the files beside this one.

mod channels;
mod claims;
mod hygiene;
mod packs;
mod premises;

use std::sync::LazyLock;

use super::*;
use crate::Value;
use events::{
    Binding, Currency, Fact, Generator, Locale, Money, Product, Scope, Strategy, Timestamp,
    VariantStatus,
};

static GUARD: LazyLock<Guard> = LazyLock::new(|| Guard::new(RulePack::built_in()));

fn variant(channel: Channel, title: Option<&str>, body: &str) -> CopyVariant {
    let binding = |name: &str, path: &str| Binding {
        name: name.to_owned(),
        path: path.to_owned(),
    };
    CopyVariant {
        id: "v1".to_owned(),
        scope: Scope::All,
        channel,
        slot: "default".to_owned(),
        locale: Locale("en-GB".to_owned()),
        strategy: Strategy::Benefit,
        template: CopyText {
            title: title.map(str::to_owned),
            body: body.to_owned(),
            ..CopyText::default()
        },
        bindings: vec![
            binding("title", "product.title"),
            binding("price", "product.current_price"),
            binding("sale", "product.sale_price"),
            binding("link", "product.link"),
            binding("orders", "stat.orders_30d"),
            binding("last", "user.last"),
            binding("offer", "fact.offer"),
            binding("note", "fact.note"),
            binding("stock", "stat.stock"),
        ],
        premises: Vec::new(),
        assets: Vec::new(),
        generator: Generator {
            provider: "templates".to_owned(),
            model: "1".to_owned(),
            prompt_hash: None,
            seed: 0,
        },
        checks: Vec::new(),
        status: VariantStatus::Draft,
        approved_by: None,
        parent_id: None,
    }
}

fn fact(name: &str, value: &str, until: Option<&str>) -> Fact {
    Fact {
        name: name.to_owned(),
        value: value.to_owned(),
        source: "shop".to_owned(),
        valid_until: until.map(|until| until.parse().expect("valid")),
    }
}

fn product() -> Product {
    let gbp = |minor| {
        Some(Money {
            minor,
            currency: Currency::GBP,
        })
    };
    Product {
        id: "mug-7".to_owned(),
        title: "RED ENAMEL MUG 60CL".to_owned(),
        price: gbp(1250),
        link: Some("https://shop.example/mug-7".to_owned()),
        facts: vec![
            fact("offer", "2 for 1", Some("2026-05-02T00:00:00Z")),
            fact("note", "made of enamel", None),
        ],
        allowed_claims: vec!["Rated 5 stars by the best potters.".to_owned()],
        ..Product::default()
    }
}

fn try_render(variant: &CopyVariant, product: &Product) -> Result<Rendered, Refusal> {
    let stats = BTreeMap::from([
        ("orders_30d".to_owned(), Value::Count(1204)),
        ("stock".to_owned(), Value::Count(3)),
    ]);
    let user = BTreeMap::from([("last".to_owned(), Value::Text("March".to_owned()))]);
    GUARD.render(
        variant,
        &Facts {
            product,
            stats: &stats,
            user: &user,
            now: "2026-05-01T00:00:00Z".parse::<Timestamp>().expect("valid"),
            version: "f1",
        },
    )
}

/// What becomes of a push message with this body: `ok`, or the reason of its refusal.
fn verdict(body: &str) -> String {
    verdict_of(&variant(Channel::Push, None, body), &product())
}

fn verdict_of(variant: &CopyVariant, product: &Product) -> String {
    match try_render(variant, product) {
        Ok(rendered) => {
            assert!(rendered.checks.iter().all(|check| check.passed));
            "ok".to_owned()
        }
        Err(refusal) => {
            assert!(
                refusal
                    .checks
                    .iter()
                    .any(|check| !check.passed && !check.detail.is_empty())
            );
            refusal.reason
        }
    }
}

#[test]
fn a_message_is_rendered_with_its_checks_and_bindings() {
    let push = variant(
        Channel::Push,
        Some("{{ title | title_case | truncate: 40 }}"),
        "Yours for {{ price | money }}. {{ orders | number }} {{ orders | plural: \"order\", \"orders\" }} this month.",
    );
    let rendered = try_render(&push, &product()).expect("passes");
    assert_eq!(rendered.text.title.as_deref(), Some("Red Enamel Mug 60CL"));
    assert_eq!(
        rendered.text.body,
        "Yours for £12.50. 1,204 orders this month."
    );
    assert_eq!(rendered.text, rendered.plain);
    let bindings: Vec<_> = rendered
        .bindings
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    assert_eq!(
        bindings,
        [
            ("orders", "1,204"),
            ("price", "£12.50"),
            ("title", "Red Enamel Mug 60CL")
        ]
    );
    assert_eq!(rendered.checks.len(), rules::CHECKS.len());
}

#[test]
fn a_verdict_repeats_the_result_and_its_key_follows_the_facts() {
    let guard = &GUARD;
    let none = BTreeMap::new();
    let (mug, bowl) = (
        product(),
        Product {
            id: "bowl".to_owned(),
            ..product()
        },
    );
    let facts = |product, version| Facts {
        product,
        stats: &none,
        user: &none,
        now: Timestamp::UNIX_EPOCH,
        version,
    };
    let verdict = |body| {
        crate::Verdict::of(&guard.render(&variant(Channel::Push, None, body), &facts(&mug, "1")))
    };
    assert!(verdict("A mug").passed());
    assert_eq!(
        verdict("guaranteed").reason.as_deref(),
        Some("forbidden:guaranteed")
    );
    assert!(!verdict("guaranteed").passed());
    let text = CopyText::default();
    let key = |product, version| guard.verdict_key(Channel::Push, &text, &facts(product, version));
    assert_eq!(key(&mug, "1"), key(&mug, "1"));
    assert_ne!(key(&mug, "1"), key(&mug, "2"));
    assert_ne!(key(&mug, "1"), key(&bowl, "1"));
}
