use super::*;
use crate::Value;
use events::{
    Binding, Currency, Fact, Generator, Locale, Money, Product, Scope, Strategy, Timestamp,
    VariantStatus,
};

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
    Guard::new(RulePack::general()).render(
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
fn numbers_come_from_values() {
    for (body, reason) in [
        ("Made for you, {{ price }}", "ok"),
        ("Only 5 left", "numbers:5"),
        ("Save 20% now", "numbers:20%"),
        ("Now £9.99", "numbers:£"),
        ("Save ５０ today", "numbers:５０"),
        ("½ the effort", "numbers:½"),
        ("① choice", "numbers:①"),
        ("£{{ orders }}", "numbers:£"),
        ("{{ orders }}0 people", "numbers:0"),
        ("{{ orders }}{{ orders }}", "numbers:joined"),
        ("{{ orders }}.{{ orders }}", "numbers:joined"),
        ("{{ orders }}万人购买", "numbers:万人"),
        ("{{ orders }}万用户", "numbers:万"),
        ("{{ orders }}k sold", "numbers:k"),
        ("{{ orders }} million sold", "numbers:million"),
        ("{{ orders }}元", "numbers:元"),
        ("{{ orders }} pounds", "numbers:pounds"),
        ("{{ price }} pounds", "ok"),
        ("{{ orders }} kind people", "ok"),
        ("买三件更好看", "numbers:三件"),
        ("買兩個更好看", "numbers:兩個"),
        ("只要叁拾元", "numbers:叁拾元"),
        ("Ⅳ colours", "numbers:Ⅳ"),
        ("5\u{fe0f}\u{20e3} reasons", "numbers:5"),
        ("十分好看的杯子，一起喝茶", "ok"),
        ("Thousands of shoppers", "numbers:thousands"),
        ("Rated 5 stars by the best potters.", "ok"),
        ("Rated 5 stars by the best potters. And 6", "numbers:6"),
        ("{{ sale | default: \"5\" }}", "numbers:5"),
        ("{{ gone }}", "undeclared:gone"),
    ] {
        assert_eq!(verdict(body), reason, "{body}");
    }
}

#[test]
fn claims_need_their_facts() {
    for (body, reason) in [
        ("Satisfaction guaranteed", "forbidden:guaranteed"),
        ("这是最好的杯子", "forbidden:最好"),
        ("最好提前预订", "ok"),
        ("Only today", "urgency:only today"),
        ("Only today: {{ offer }}", "ok"),
        ("Only today: {{ note }}", "urgency:only today"),
        ("仅限今天", "urgency:仅限今天"),
        ("While stocks last", "urgency:while stocks last"),
        ("While stocks last: {{ stock }} pieces", "ok"),
        ("Buy one get one", "offer:buy one get one"),
        ("{{ offer }}", "ok"),
        ("On sale for {{ price }}", "offer:on sale"),
        (
            "{% if sale %}On sale for {{ sale }}{% else %}Yours{% endif %}",
            "ok",
        ),
    ] {
        assert_eq!(verdict(body), reason, "{body}");
    }
    let mut reduced = product();
    reduced.sale_price = reduced.price.map(|price| Money {
        minor: 999,
        ..price
    });
    let sale = variant(
        Channel::Push,
        None,
        "{% if sale %}On sale for {{ sale }}{% endif %}",
    );
    assert_eq!(verdict_of(&sale, &reduced), "ok");
    let mut sourced = product();
    sourced.facts[1].value = "10-year guarantee".to_owned();
    assert_eq!(
        verdict_of(&variant(Channel::Push, None, "With {{ note }}"), &sourced),
        "ok"
    );
    // A name may hold any word: it is what the product is called.
    let named = Product {
        title: "World's Best Mug".to_owned(),
        ..product()
    };
    assert_eq!(
        verdict_of(&variant(Channel::Push, None, "{{ title }}"), &named),
        "ok"
    );
    assert_eq!(
        verdict_of(&variant(Channel::Push, None, "{{ title }}, best"), &named),
        "forbidden:best"
    );
}

#[test]
fn an_end_too_far_away_is_no_urgency() {
    let mut product = product();
    product.facts[0].valid_until = Some("2026-05-05T00:00:00Z".parse().expect("valid"));
    for (body, reason) in [
        ("Only today: {{ offer }}", "urgency:only today"),
        ("Last chance: {{ offer }}", "ok"),
    ] {
        assert_eq!(
            verdict_of(&variant(Channel::Push, None, body), &product),
            reason
        );
    }
}

#[test]
fn nothing_leaks_and_nothing_leads_astray() {
    let said = |text: &str| {
        let mut product = product();
        product.facts[1].value = text.to_owned();
        verdict_of(&variant(Channel::Push, None, "Note: {{ note }}"), &product)
    };
    for (note, reason) in [
        ("made of enamel", "ok"),
        ("ada@shop.example", "profile:email"),
        ("call +44 20 7946 0958", "profile:telephone"),
        ("电话13812345678", "profile:telephone"),
        ("555-867-5309", "profile:telephone"),
        ("EAN 5012345678900", "ok"),
        ("2026-05-01 10:30", "ok"),
        ("0f8fad5b-d9cb-469f-a165-70867728950e", "profile:identifier"),
        ("https://evil.example/x", "links:foreign"),
        ("see evil.com/x now", "links:foreign"),
        ("www.evil.example", "links:foreign"),
        ("javascript://x", "links:foreign"),
        ("size 10.5 e.g. this.", "ok"),
        ("{{ title }}", "syntax:body"),
        ("{% if x %}", "syntax:body"),
    ] {
        assert_eq!(said(note), reason, "{note}");
    }
    assert_eq!(verdict("See {{ link }}."), "ok");
    assert_eq!(verdict("See https://shop.example/other"), "links:foreign");
    let mut script = product();
    script.link = Some("javascript://alert".to_owned());
    assert_eq!(
        verdict_of(&variant(Channel::Push, None, "{{ link }}"), &script),
        "links:foreign"
    );
}

#[test]
fn texts_do_not_shout() {
    for (body, reason) in [
        ("New! A mug", "ok"),
        ("New! A mug!", "exclamation:body"),
        ("新品！马克杯！", "exclamation:body"),
        ("{{ title }}", "capitals:body"),
        ("{{ title | title_case }}", "ok"),
        ("HURRAH FOR mugs", "capitals:body"),
        ("A USB mug", "ok"),
        ("a\u{202e}b", "control:body"),
        ("one\nline", "ok"),
    ] {
        assert_eq!(verdict(body), reason, "{body}");
    }
}

#[test]
fn a_name_may_exclaim() {
    let named = Product {
        title: "Hooray!! Mug".to_owned(),
        ..product()
    };
    for (body, reason) in [
        ("{{ title }} and {{ title }}!", "ok"),
        ("{{ title }}! Yes!", "exclamation:body"),
    ] {
        assert_eq!(
            verdict_of(&variant(Channel::Push, None, body), &named),
            reason
        );
    }
}

#[test]
fn channels_have_fields_lengths_and_ways_out() {
    let long = "a".repeat(51);
    for (channel, title, body, reason) in [
        (Channel::Push, Some(long.as_str()), "x", "length:title"),
        (
            Channel::Push,
            Some("杯杯杯杯杯杯杯杯杯杯杯杯杯杯杯杯杯杯杯杯杯杯杯杯杯杯"),
            "x",
            "length:title",
        ),
        (
            Channel::Push,
            None,
            "{% if sale %}x{% endif %}",
            "fields:body_empty",
        ),
        (
            Channel::Sms,
            Some("t"),
            "x Reply STOP to opt out",
            "fields:title",
        ),
        (Channel::Sms, None, "A mug", "opt_out:missing"),
        (Channel::Sms, None, "A mug. Reply STOP to opt out", "ok"),
        (Channel::Sms, None, "红色马克杯 回T退订", "ok"),
        (Channel::Social, None, &"杯".repeat(141), "length:body"),
    ] {
        assert_eq!(
            verdict_of(&variant(channel, title, body), &product()),
            reason,
            "{body}"
        );
    }
    let other = CopyVariant {
        scope: Scope::ProductIds(vec!["mug-8".to_owned()]),
        ..variant(Channel::Push, None, "x")
    };
    assert_eq!(verdict_of(&other, &product()), "scope:product");
    assert_eq!(verdict("{{ sale }}"), "unbound:product.sale_price");
    assert_eq!(verdict("{{ title "), "template:syntax");
    assert_eq!(verdict("{{ title | money }}"), "filter:money");
}

#[test]
fn subjects_do_not_pose_as_replies() {
    for (subject, reason) in [
        ("Re: your order", "forbidden:reply"),
        ("ＦＷＤ : mugs", "forbidden:reply"),
        ("回复：您的订单", "forbidden:reply"),
        ("Regarding mugs", "ok"),
    ] {
        let mut mail = variant(Channel::Email, None, "x");
        mail.template.subject = Some(subject.to_owned());
        assert_eq!(verdict_of(&mail, &product()), reason, "{subject}");
    }
}

#[test]
fn html_is_escaped_and_checked_as_read() {
    let mut product = product();
    product.title = "Salt & <b>Pepper</b>".to_owned();
    let mail = |body| {
        let mut mail = variant(Channel::Email, None, body);
        mail.template.subject = Some("{{ title }}".to_owned());
        mail
    };
    let rendered = try_render(&mail("<p>{{ title }}</p>"), &product).expect("passes");
    assert_eq!(
        rendered.text.body,
        "<p>Salt &amp; &lt;b&gt;Pepper&lt;/b&gt;</p>"
    );
    assert_eq!(rendered.plain.body, "Salt & <b>Pepper</b>\n");
    assert_eq!(
        rendered.text.subject.as_deref(),
        Some("Salt & <b>Pepper</b>")
    );
    assert_eq!(
        verdict_of(&mail("guar<b>anteed</b>"), &product),
        "forbidden:guaranteed"
    );
    assert_eq!(
        verdict_of(&variant(Channel::Email, None, "x"), &product),
        "fields:subject_missing"
    );
}

#[test]
fn variants_are_checked_in_every_branch() {
    let guard = Guard::new(RulePack::general());
    let failed = |channel, body: &str| {
        guard
            .check_variant(&variant(channel, None, body))
            .into_iter()
            .filter(|check| !check.passed)
            .map(|check| format!("{}: {}", check.rule, check.detail))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        failed(
            Channel::Push,
            "{{ title | title_case }} for {{ price | money }}, {{ last | downcase }}"
        ),
        [""; 0]
    );
    let checks = failed(
        Channel::Push,
        "{% if orders > 9 %}Only 5 left{% else %}guaranteed{% endif %}",
    );
    assert_eq!(checks.len(), 2, "{checks:?}");
    assert!(
        checks[0].starts_with("numbers: the body says `5` itself"),
        "{checks:?}"
    );
    assert!(checks[0].ends_with("(if orders > 9)"), "{checks:?}");
    assert!(checks[1].ends_with("(unless orders > 9)"), "{checks:?}");
    for (channel, body, part) in [
        (
            Channel::Push,
            "{{ nobody }}",
            "bindings: the template uses `nobody`",
        ),
        (
            Channel::Push,
            "{{ title",
            "template: template line 1, column 1",
        ),
        (
            Channel::Push,
            "{{ price | truncate: 3 }}",
            "template: filter `truncate` cannot take `price`",
        ),
        (Channel::Sms, "A mug", "opt_out: "),
    ] {
        let checks = failed(channel, body);
        assert!(checks[0].starts_with(part), "{checks:?}");
    }
    let claims = product().allowed_claims;
    let rated = variant(
        Channel::Push,
        None,
        &format!("{} {{{{ title }}}}", claims[0]),
    );
    assert!(
        guard
            .check_variant_with(&rated, &claims)
            .iter()
            .all(|check| check.passed)
    );
    assert!(
        guard
            .check_variant(&rated)
            .iter()
            .any(|check| !check.passed)
    );
    // The variant binds facts, one of which may end; only a rendered text can tell.
    assert_eq!(failed(Channel::Push, "Only today"), [""; 0]);
    // The length of a value is not known yet: 148 columns of the template's own and a sample of six.
    assert_eq!(
        failed(
            Channel::Push,
            &format!("{}{{{{ note }}}}", "mug ".repeat(37))
        ),
        [""; 0]
    );
    let long = failed(Channel::Push, &"mug ".repeat(40));
    assert!(
        long[0].starts_with("length: the body has 160 columns"),
        "{long:?}"
    );
}

#[test]
fn the_general_pack_keeps_its_examples() {
    let pack = RulePack::general();
    for rule in &pack.rules {
        assert!(
            !rule.passes.is_empty() && !rule.fails.is_empty(),
            "{}",
            rule.id
        );
    }
    assert_eq!(Guard::new(pack.clone()).check_examples(), Ok(()));
    let with = |change: fn(&mut RulePack)| {
        let mut pack = pack.clone();
        change(&mut pack);
        let error = Guard::new(pack).check_examples().expect_err("broken");
        error.to_string()
    };
    assert_eq!(
        with(|pack| pack.rules[0].fails.push("fine".to_owned())),
        "rule pack: rule `superlative_zh` should refuse `fine`; correct its phrases, its exceptions or the example"
    );
    assert!(
        with(|pack| pack.rules[0].passes.push("顶级".to_owned())).contains("should pass `顶级`")
    );
}

#[test]
fn a_pack_may_set_its_own_limits() {
    let mut pack = RulePack::general();
    pack.limits.insert(
        "push.body".to_owned(),
        crate::LimitOverride {
            ideal: None,
            max: 5,
        },
    );
    let guard = Guard::new(pack);
    let failed = |body: &str| {
        let checks = guard.check_variant(&variant(Channel::Push, None, body));
        checks
            .iter()
            .any(|check| check.rule == "length" && !check.passed)
    };
    assert!(failed("longer"));
    assert!(!failed("short"));
}

#[test]
fn a_verdict_repeats_the_result_and_its_key_follows_the_facts() {
    let guard = Guard::new(RulePack::general());
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
