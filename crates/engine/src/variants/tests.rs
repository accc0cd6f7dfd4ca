use std::sync::LazyLock;

use events::{
    Binding, CopyText, Currency, Fact, Generator, Language, Locale, Money, Premise, Product,
    Strategy,
};

use super::*;
use crate::config::Approval;

/// Preparing the rules takes seconds in a build for tests.
static GUARD: LazyLock<Guard> =
    LazyLock::new(|| copy_check::guard(&Config::default()).expect("rules"));

const NOON: &str = "2026-05-01T12:00:00Z";
const ID: &str = "d/push/en/benefit/1";

fn at(text: &str) -> Timestamp {
    text.parse().expect("valid")
}

fn mug(colour: &str) -> Product {
    Product {
        id: "mug-7".to_owned(),
        title: "Acme Mug".to_owned(),
        price: Some(Money {
            minor: 1_200,
            currency: Currency::GBP,
        }),
        facts: vec![Fact {
            name: "colour".to_owned(),
            value: colour.to_owned(),
            source: "feed".to_owned(),
            valid_until: Some(at("2026-06-01T00:00:00Z")),
        }],
        ..Product::default()
    }
}

/// What a model wrote of the red mug.
fn text() -> CopyVariant {
    let binding = |name: &str, path: &str| Binding {
        name: name.to_owned(),
        path: path.to_owned(),
    };
    CopyVariant {
        id: ID.to_owned(),
        scope: Scope::ProductIds(vec!["mug-7".to_owned()]),
        channel: Channel::Push,
        slot: "default".to_owned(),
        locale: Locale("en".to_owned()),
        strategy: Strategy::Benefit,
        template: CopyText {
            body: "{{ title }} in red, {{ price | money }}.".to_owned(),
            ..CopyText::default()
        },
        bindings: vec![
            binding("title", "product.title"),
            binding("price", "product.current_price"),
        ],
        premises: vec![Premise {
            path: "fact.colour".to_owned(),
            value: "red".to_owned(),
        }],
        assets: Vec::new(),
        generator: Generator {
            provider: "decoder".to_owned(),
            model: "decoder@1".to_owned(),
            prompt_hash: None,
            seed: 1,
        },
        checks: Vec::new(),
        status: VariantStatus::Live,
        approved_by: Some("whoever wrote it".to_owned()),
        parent_id: None,
    }
}

/// A store with the red mug, and the configuration.
struct Fixture {
    _folder: tempfile::TempDir,
    store: Store,
    config: Config,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = Store::open(folder.path()).expect("opens");
        store.put_product(&mug("red"), false).expect("writes");
        Self {
            _folder: folder,
            store,
            config: Config::default(),
        }
    }

    fn keep(&self, variant: &CopyVariant) -> std::result::Result<KeptVariant, Remark> {
        let catalogue = self.store.catalogue().expect("reads");
        let examiner = Examiner::new(&GUARD, &catalogue, at(NOON));
        keep(&self.store, &self.config, &examiner, variant).expect("writes")
    }

    fn change(
        &mut self,
        id: &str,
        change: VariantChange<'_>,
    ) -> std::result::Result<VariantStatus, String> {
        let ids = [id.to_owned()];
        let changed = apply(&mut self.store, Some(&GUARD), &ids, change, at(NOON));
        changed
            .map(|changed| changed[0].variant.status)
            .map_err(|error| error.to_string())
    }

    fn listed(&self, now: &str) -> ListedVariant {
        let listed = list(&self.store, &GUARD, &VariantFilter::default(), at(now));
        let mut listed = listed.expect("lists");
        assert_eq!(listed.len(), 1);
        listed.swap_remove(0)
    }
}

#[test]
fn a_kept_text_is_a_draft_until_somebody_approves_it() {
    let mut shop = Fixture::new();
    let kept = shop.keep(&text()).expect("passes");
    assert_eq!(
        (kept.status, kept.approved_by.as_deref(), kept.is_new),
        (VariantStatus::Draft, None, true)
    );
    assert_ne!(kept.id, ID, "its id says what it rests on");
    assert!(!shop.keep(&text()).expect("is there").is_new);
    assert_eq!(shop.listed(NOON).text, "Acme Mug in red, £12.00.");

    let approve = VariantChange::Approve(" Ada ");
    assert_eq!(shop.change(&kept.id, approve), Ok(VariantStatus::Approved));
    assert_eq!(
        shop.listed(NOON).stored.variant.approved_by.as_deref(),
        Some("Ada")
    );
    assert!(!shop.listed(NOON).stored.variant.checks.is_empty());
}

#[test]
fn a_standing_policy_approves_under_its_own_name() {
    let mut shop = Fixture::new();
    shop.config.copywriter.approval.push = Approval::Standing;
    let kept = shop.keep(&text()).expect("passes");
    assert_eq!(kept.status, VariantStatus::Approved);
    assert_eq!(
        kept.approved_by.as_deref(),
        Some("standing policy: push drafts that pass the guard")
    );
}

#[test]
fn what_the_guard_refuses_and_what_is_everywhere_is_not_kept() {
    let shop = Fixture::new();
    let mut wrong = text();
    wrong.template.body = "{{ title }} cures cancer.".to_owned();
    assert_eq!(
        shop.keep(&wrong).expect_err("refused").reason,
        "forbidden:cures cancer"
    );
    let mut other = text();
    other.premises[0].value = "blue".to_owned();
    assert_eq!(
        shop.keep(&other).expect_err("refused").reason,
        "changed:fact.colour"
    );
    let library = copywriter::templates::library(Channel::Push, Language::En);
    assert_eq!(
        shop.keep(&library[0]).expect_err("refused").reason,
        "library"
    );
    assert!(shop.store.variants().expect("reads").is_empty());
}

#[test]
fn every_other_way_is_refused_by_name() {
    let mut shop = Fixture::new();
    let id = shop.keep(&text()).expect("passes").id;
    let approve = VariantChange::Approve("Ada");
    let (pause, retire) = (VariantChange::Pause, VariantChange::Retire);
    let again = "approve it with `hawker copy approve`, or `hawker copy retire` it";
    for (change, outcome) in [
        (
            pause,
            Err(format!("`{id}` is a draft, which nobody is shown; {again}")),
        ),
        (approve, Ok(VariantStatus::Approved)),
        (
            approve,
            Err(format!(
                "`{id}` is approved already; `hawker copy pause` holds it back"
            )),
        ),
        (pause, Ok(VariantStatus::Paused)),
        (pause, Err(format!("`{id}` is paused already; {again}"))),
        (approve, Ok(VariantStatus::Approved)),
        (retire, Ok(VariantStatus::Retired)),
        (
            approve,
            Err(format!(
                "`{id}` is retired, for good; keep another text with `hawker copy draft --keep`"
            )),
        ),
        (
            retire,
            Err(format!(
                "`{id}` is retired, for good; keep another text with `hawker copy draft --keep`"
            )),
        ),
    ] {
        assert_eq!(shop.change(&id, change), outcome, "{change:?}");
    }
    let nobody = VariantChange::Approve(" ");
    let error = change_variants(&mut shop.store, &shop.config, &[], nobody, at(NOON));
    assert_eq!(
        error.expect_err("no name").to_string(),
        "an approval without a name is none; give yours with --by NAME"
    );
    let typo = id.replace("push", "psh");
    let unknown = shop.change(&typo, retire).expect_err("unknown");
    assert_eq!(
        unknown,
        format!(
            "the shop has no text `{typo}` of its own; did you mean `{id}`? `hawker copy list` shows all"
        )
    );
}

#[test]
fn of_several_texts_all_change_or_none() {
    let mut shop = Fixture::new();
    let id = shop.keep(&text()).expect("passes").id;
    let ids = [id, "another".to_owned()];
    let change = VariantChange::Retire;
    let error = apply(&mut shop.store, None, &ids, change, at(NOON));
    assert!(error.is_err());
    assert_eq!(
        shop.listed(NOON).stored.variant.status,
        VariantStatus::Draft
    );
}

#[test]
fn a_text_is_paused_when_what_it_says_is_no_longer_so() {
    let mut shop = Fixture::new();
    let id = shop.keep(&text()).expect("passes").id;
    let approve = VariantChange::Approve("Ada");
    shop.change(&id, approve).expect("approves");
    let paused = |shop: &mut Fixture, now: &str| {
        let paused = pause_untrue(&mut shop.store, &GUARD, at(now)).expect("writes");
        paused
            .into_iter()
            .map(|(_, remark)| remark.reason)
            .collect::<Vec<_>>()
    };
    assert!(paused(&mut shop, NOON).is_empty());

    shop.store.put_product(&mug("blue"), false).expect("writes");
    let refused = shop.listed(NOON).refused.expect("another colour");
    assert_eq!(refused.reason, "changed:fact.colour");
    assert_eq!(paused(&mut shop, NOON), ["changed:fact.colour"]);
    let listed = shop.listed(NOON).stored;
    assert_eq!(
        (listed.variant.status, listed.reason.as_deref()),
        (VariantStatus::Paused, Some("changed:fact.colour"))
    );
    let error = shop.change(&id, approve).expect_err("untrue");
    assert!(
        error.contains("cannot be approved: changed:fact.colour (its words rest on"),
        "{error}"
    );

    // The colour is back, and a person says so; then its fact ends.
    shop.store.put_product(&mug("red"), false).expect("writes");
    shop.change(&id, approve).expect("approves");
    assert_eq!(
        paused(&mut shop, "2026-06-01T00:00:00Z"),
        ["changed:fact.colour"]
    );
}
