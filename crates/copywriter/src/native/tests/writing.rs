use std::collections::BTreeSet;
use std::sync::LazyLock;

use events::{Channel, Language, Scope, Strategy, VariantStatus};
use guard::{Guard, RulePack};

use super::super::piece::{pieces, shows_number, slot_name};
use super::*;
use crate::templates::source;

const LANGUAGES: [Language; 2] = [Language::En, Language::Zh];

static GUARD: LazyLock<Guard> = LazyLock::new(|| Guard::new(RulePack::built_in()));

fn trained(config: &NativeConfig) -> Native {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let run = train(&texts(), config, folder.path(), &mut go_on);
    finished(run.expect("trains")).0
}

fn brief(channel: Channel, language: Language, strategy: Strategy) -> Brief<'static> {
    Brief {
        channel,
        language,
        strategy,
        product: None,
        user_state: None,
        seed: 3,
        count: 6,
    }
}

/// What holds for every draft, kept or not.
fn check_draft(draft: &Draft, brief: &Brief<'_>, hidden: &[&str]) {
    let names = &source(brief.language).names;
    let variant = &draft.variant;
    assert_eq!(
        (variant.channel, variant.strategy),
        (brief.channel, brief.strategy)
    );
    assert_eq!(variant.locale.language(), brief.language);
    assert_eq!(variant.generator.provider, PROVIDER);
    assert!(
        variant.generator.model.starts_with("native@"),
        "{variant:?}"
    );
    assert_eq!(variant.generator.seed, brief.seed);
    for binding in &variant.bindings {
        assert_eq!(names[&binding.name].path, binding.path);
        assert!(!hidden.contains(&binding.name.as_str()), "{variant:?}");
        let is_personal = binding.path.starts_with("user.");
        assert!(
            !(brief.channel == Channel::Social && is_personal),
            "{variant:?}"
        );
    }
    for (_, text) in variant.template.fields() {
        // The closing of mails and posts has a tag.
        let text = text.replace("{% if link %}", "").replace("{% endif %}", "");
        let literal = pieces(&text)
            .into_iter()
            .filter(|piece| slot_name(piece).is_none());
        assert!(!literal.into_iter().any(shows_number), "{text}");
    }
}

fn check_drafts(model: &Native, product: Option<&Product>, hidden: &[&str]) -> Drafts {
    let mut all = Drafts::default();
    for language in LANGUAGES {
        for channel in Channel::ALL {
            for strategy in Strategy::ALL {
                let brief = Brief {
                    product,
                    ..brief(channel, language, strategy)
                };
                let drafts = model.write(&brief, &GUARD).expect("writes");
                for (draft, _) in &drafts.refused {
                    check_draft(draft, &brief, hidden);
                    assert_eq!(draft.variant.status, VariantStatus::Draft);
                    assert_eq!(draft.variant.approved_by, None);
                }
                for draft in &drafts.approved {
                    check_draft(draft, &brief, hidden);
                    assert_eq!(draft.variant.status, VariantStatus::Approved);
                    assert_eq!(draft.variant.approved_by.as_deref(), Some(APPROVED_BY));
                    let checks = GUARD.check_variant(&draft.variant);
                    assert_eq!(checks, draft.variant.checks);
                    assert!(checks.iter().all(|check| check.passed), "{draft:?}");
                    assert!(draft.similarity <= model.config().decoding.max_similarity);
                }
                let ids: BTreeSet<_> = drafts.approved.iter().map(|d| &d.variant.id).collect();
                assert_eq!(ids.len(), drafts.approved.len());
                all.extend(drafts);
            }
        }
    }
    all
}

#[test]
fn what_is_written_keeps_within_the_fence() {
    let model = trained(&quick());
    let any = check_drafts(&model, None, &[]);
    let figures = any.figures();
    // Two strategies have no public posts, in two languages.
    assert_eq!(figures.drafts, (2 * 5 * 6 - 4) * 6);
    assert!(figures.approved * 4 > figures.drafts, "{figures:?}");
    assert!(figures.finished * 10 > figures.drafts * 7, "{figures:?}");
    assert!(figures.guard_pass_rate > 0.98, "{figures:?}");
    assert!(
        figures.novelty > 0.2 && figures.distinct_2 > 0.01,
        "{figures:?}"
    );

    let bag = product(
        "bag",
        "Canvas bag",
        "A canvas bag, has a zip closure, padded back",
    );
    let hidden = ["brand", "material", "sale"];
    let about = check_drafts(&model, Some(&bag), &hidden);
    let details = about
        .approved
        .iter()
        .filter(|d| d.evidence == Evidence::Detail);
    let mut quoted = 0;
    for draft in details {
        let body = &draft.variant.template.body;
        assert!(
            body.contains("zip closure") || body.contains("padded back"),
            "{body}"
        );
        assert_eq!(
            draft.variant.scope,
            Scope::ProductIds(vec!["bag".to_owned()])
        );
        quoted += 1;
    }
    assert!(quoted > 0, "{:?}", about.figures());

    let free = DecodingConfig {
        context: 0,
        ..model.config().decoding
    };
    let model = model.with_decoding(free).expect("valid");
    let brief = Brief {
        product: Some(&bag),
        ..brief(Channel::Sms, Language::En, Strategy::Value)
    };
    let drafts = model.write(&brief, &GUARD).expect("writes");
    let all = drafts.refused.iter().map(|(draft, _)| draft);
    for draft in all.chain(&drafts.approved) {
        check_draft(draft, &brief, &hidden);
    }
}

#[test]
fn a_seed_writes_the_same_again() {
    let model = trained(&quick());
    let one = brief(Channel::Push, Language::En, Strategy::Benefit);
    let first = model.write(&one, &GUARD).expect("writes");
    assert_eq!(model.write(&one, &GUARD).expect("writes"), first);
    let other = Brief { seed: 4, ..one };
    assert_ne!(model.write(&other, &GUARD).expect("writes"), first);
    let state = [0.9f32, -0.4, 0.3, 0.8, -0.7, 0.1, 0.5, -0.9];
    let personal = Brief {
        user_state: Some(&state),
        ..one
    };
    let hash = |drafts: &Drafts| {
        let mut all = drafts
            .refused
            .iter()
            .map(|(draft, _)| draft)
            .chain(&drafts.approved);
        all.next()
            .and_then(|draft| draft.variant.generator.prompt_hash.clone())
    };
    let drafts = model.write(&personal, &GUARD).expect("writes");
    assert_ne!(drafts, first);
    assert_ne!(hash(&drafts), hash(&first));
    let short = Brief {
        user_state: Some(&state[..3]),
        ..one
    };
    let message = "a user state has 3 numbers, the model takes 8; train the copywriter with the user model's width";
    let error = model.write(&short, &GUARD).expect_err("too short");
    assert_eq!(error.to_string(), message);
    let none = Brief { count: 0, ..one };
    assert_eq!(
        model.write(&none, &GUARD).expect("writes"),
        Drafts::default()
    );
}
