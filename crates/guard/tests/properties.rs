//! Properties that hold for any template and any value, hostile ones above all.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use events::{
    Binding, Channel, CopyText, CopyVariant, Fact, Generator, Locale, Product, Scope, Strategy,
    Timestamp, VariantStatus,
};
use guard::{Bindings, Bound, Escape, Facts, Guard, RulePack, Template, Value, sms};
use proptest::prelude::{Just, ProptestConfig, Strategy as Generate, any, prop, prop_oneof};
use proptest::{prop_assert, prop_assert_eq, proptest};

static GUARD: LazyLock<Guard> = LazyLock::new(|| Guard::new(RulePack::built_in()));

/// Pieces of which hostile values and random templates are made.
fn pieces() -> impl Generate<Value = String> {
    let piece = prop_oneof![
        Just("{{ x }}"),
        Just("{{ n }}"),
        Just("{{ n | number }}"),
        Just("{{"),
        Just("}}"),
        Just("{% if x %}"),
        Just("{% else %}"),
        Just("{% endif %}"),
        Just("{% if x > 3"),
        Just(" | truncate: 3 }}"),
        Just(" | date: \"%Y\""),
        Just("<script>alert('1')</script>"),
        Just("<b>"),
        Just("&amp;"),
        Just("\u{202e}"),
        Just("\u{2066}"),
        Just("\r\nBcc: eve@example.com"),
        Just("\u{0}"),
        Just("最好"),
        Just("👩\u{200d}🍳"),
        Just("e\u{301}"),
        Just("£5"),
        Just("12"),
        Just("x"),
        Just("\""),
        Just(" "),
    ];
    let any_text = prop_oneof![
        piece.prop_map(str::to_owned),
        any::<char>().prop_map(String::from)
    ];
    prop::collection::vec(any_text, 0..12).prop_map(|parts| parts.concat())
}

fn bound(name: &str, path: &str, value: Value) -> Bound {
    Bound {
        name: name.to_owned(),
        path: path.to_owned(),
        value: Some(value),
        ends: None,
    }
}

fn variant(channel: Channel, title: Option<String>, body: String) -> CopyVariant {
    CopyVariant {
        id: "v".to_owned(),
        scope: Scope::All,
        channel,
        slot: "default".to_owned(),
        locale: Locale("zh-CN".to_owned()),
        strategy: Strategy::Benefit,
        template: CopyText {
            title,
            body,
            ..CopyText::default()
        },
        bindings: [("x", "fact.x"), ("n", "stat.n")]
            .map(|(name, path)| Binding {
                name: name.to_owned(),
                path: path.to_owned(),
            })
            .to_vec(),
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

fn render(
    guard: &Guard,
    variant: &CopyVariant,
    value: &str,
) -> Result<guard::Rendered, guard::Refusal> {
    let product = Product {
        title: value.to_owned(),
        facts: vec![Fact {
            name: "x".to_owned(),
            value: value.to_owned(),
            source: "shop".to_owned(),
            valid_until: None,
        }],
        ..Product::default()
    };
    let none = BTreeMap::new();
    let stats = BTreeMap::from([("n".to_owned(), Value::Count(1204))]);
    guard.render(
        variant,
        &Facts {
            product: &product,
            stats: &stats,
            user: &none,
            now: Timestamp::UNIX_EPOCH,
            version: "1",
        },
    )
}

/// What a value may look like: the characters that remain, without any whitespace.
fn skeleton(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn a_value_is_shown_and_never_parsed(value in pieces()) {
        let template = Template::parse("[{{ x }}]{% if x %}+{% endif %}").expect("valid");
        let bindings = Bindings::new(vec![bound("x", "fact.x", Value::Text(value.clone()))]).expect("unique");
        let plain = template.render(&bindings, Escape::None).expect("bound");
        let shown = Value::Text(value.clone()).shown();
        let mark = if value.trim().is_empty() { "" } else { "+" };
        prop_assert_eq!(&plain, &format!("[{shown}]{mark}"));
        let steering = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        prop_assert!(!plain.contains(steering));
        // Nothing but what steers the display is lost.
        prop_assert!(skeleton(&shown).chars().eq(
            skeleton(&value).chars().filter(|c| shown.contains(*c))
        ));

        let html = template.render(&bindings, Escape::Html).expect("bound");
        prop_assert!(!html.contains(['<', '>', '"', '\'']), "{}", html);
        let unescaped = html
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&#39;", "'")
            .replace("&amp;", "&");
        prop_assert_eq!(unescaped, plain);
    }

    #[test]
    fn any_template_is_refused_or_rendered_in_every_branch(source in pieces(), value in pieces()) {
        if let Ok(template) = Template::parse(&source) {
            let bindings = Bindings::new(vec![bound("x", "fact.x", Value::Text(value))]).expect("unique");
            let rendered = template.render(&bindings, Escape::None);
            let branches = template.branches();
            prop_assert!((1..=Template::MAX_BRANCHES).contains(&branches.len()));
            let texts: Vec<_> = branches
                .iter()
                .map(|branch| template.render_branch(branch, &bindings, Escape::None))
                .collect();
            // The text for given values is that of one of the branches.
            prop_assert!(texts.contains(&rendered));
        }
    }

    #[test]
    fn the_guard_never_panics_and_passes_only_clean_texts(
        source in pieces(),
        value in pieces(),
        title in prop::option::of(pieces()),
        channel in prop::sample::select(Channel::ALL.to_vec()),
    ) {
        let guard = &*GUARD;
        let variant = variant(channel, title, source);
        let checks = guard.check_variant(&variant);
        prop_assert!(!checks.is_empty());
        match render(guard, &variant, &value) {
            Err(refusal) => {
                prop_assert!(refusal.checks.iter().any(|check| !check.passed));
                prop_assert!(refusal.reason.contains(':'), "{}", refusal.reason);
            }
            Ok(rendered) => {
                prop_assert!(rendered.checks.iter().all(|check| check.passed));
                for (field, text) in rendered.plain.fields() {
                    prop_assert!(!text.contains("{{") && !text.contains("{%"), "{}: {}", field, text);
                    prop_assert!(!text.contains('\u{202e}'), "{}", text);
                }
                for (field, text) in rendered.text.fields() {
                    let html = Escape::of(channel, field) == Escape::Html;
                    prop_assert!(!html || !text.contains("<script"), "{}", text);
                }
            }
        }
    }

    #[test]
    fn a_number_of_the_template_itself_is_refused_and_a_bound_one_shown(
        number in any::<u32>(),
        before in "[a-z 杯好，]{0,8}",
        after in "[a-z 杯好，]{0,8}",
    ) {
        let guard = &*GUARD;
        let free = variant(Channel::Push, None, format!("{before} {number} {after}"));
        let refusal = render(guard, &free, "x").expect_err("a free number");
        let failed = |rule: &str| refusal.checks.iter().any(|check| check.rule == rule && !check.passed);
        prop_assert!(failed("numbers"), "{:?}", refusal);
        prop_assert!(guard.check_variant(&free).iter().any(|check| check.rule == "numbers" && !check.passed));

        let bound = variant(Channel::Push, None, "about {{ x }} of".to_owned());
        let rendered = render(guard, &bound, &number.to_string());
        // Long runs of digits that could be dialled are refused for another reason.
        match rendered {
            Ok(rendered) => prop_assert_eq!(rendered.text.body, format!("about {number} of")),
            Err(refusal) => prop_assert_eq!(refusal.reason, "profile:telephone"),
        }
    }

    #[test]
    fn segments_hold_the_units(text in pieces()) {
        let counted = sms::segments(&text);
        let (single, part) = match counted.encoding {
            sms::Encoding::Gsm7 => (160, 153),
            sms::Encoding::Ucs2 => (70, 67),
        };
        if counted.units <= single {
            prop_assert_eq!(counted.segments, usize::from(!text.is_empty()));
        } else {
            // A segment loses at most one unit to a character that would not be split.
            prop_assert!(counted.segments * part >= counted.units);
            prop_assert!((counted.segments - 1) * (part - 1) < counted.units);
        }
    }
}

#[test]
fn a_very_long_value_is_refused_for_its_length_in_good_time() {
    let guard = &*GUARD;
    let refusal = render(
        guard,
        &variant(Channel::Social, None, "{{ x }}".to_owned()),
        &"最 b e s t {{ <b> 1 ".repeat(5_000),
    )
    .expect_err("100 kB");
    assert!(
        refusal
            .checks
            .iter()
            .any(|check| check.rule == "length" && !check.passed)
    );
}
