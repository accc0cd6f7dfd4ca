use std::sync::LazyLock;

use super::*;
use crate::RulePack;
use events::{Availability, Currency, Fact, Money, Product, Timestamp};

static GUARD: LazyLock<Guard> = LazyLock::new(|| Guard::new(RulePack::built_in()));

fn guard() -> &'static Guard {
    &GUARD
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("valid")
}

fn product() -> Product {
    let gbp = |minor| {
        Some(Money {
            minor,
            currency: Currency::GBP,
        })
    };
    let fact = |name: &str, value: &str, until: Option<&str>| Fact {
        name: name.to_owned(),
        value: value.to_owned(),
        source: "shop".to_owned(),
        valid_until: until.map(at),
    };
    Product {
        id: "kettle-3".to_owned(),
        title: "Best Friends Kettle".to_owned(),
        brand: Some("Unbeatable".to_owned()),
        price: gbp(4000),
        sale_price: gbp(3000),
        stock: Some(3),
        facts: vec![
            fact("material", "stainless steel", None),
            fact("capacity", "1.5 l", None),
            fact("origin", "Portugal", None),
            fact("delivery", "free delivery", None),
            fact("offer", "2 for 1", Some("2026-11-27T00:00:00Z")),
            fact("old", "a 10-year warranty", Some("2026-11-01T00:00:00Z")),
        ],
        allowed_claims: vec!["Voted best kettle of 2025 by Hearth".to_owned()],
        ..Product::default()
    }
}

/// Each finding as its rule and the words it is about.
fn found(text: &str, context: &TextContext) -> Vec<String> {
    guard()
        .check_text(text, context)
        .into_iter()
        .map(|finding| {
            let (from, to) = finding.span;
            let words: String = text.chars().skip(from).take(to - from).collect();
            format!("{} `{words}`", finding.rule)
        })
        .collect()
}

/// The rules that a text breaks about a product at a moment.
fn broken(text: &str, product: &Product, now: &str) -> Vec<String> {
    let guard = guard();
    let grounds = guard.ground(product, at(now));
    let context = TextContext {
        product: Some(&grounds),
        ..TextContext::default()
    };
    let mut findings = guard.check_text(text, &context);
    findings.retain(|finding| finding.severity.is_error());
    findings.into_iter().map(|finding| finding.rule).collect()
}

#[test]
fn spans_count_scalars() {
    for text in [
        "🎁🎁 最好的杯子",
        "e\u{301}e\u{301} 最好的杯子",
        "مرحبا، 最好的杯子",
    ] {
        let findings = guard().check_text(text, &TextContext::default());
        let finding = findings
            .iter()
            .find(|finding| finding.severity.is_error())
            .expect(text);
        let (from, to) = finding.span;
        let words: String = text.chars().skip(from).take(to - from).collect();
        assert!(words.starts_with("最好"), "{text}: {words}");
        let fix = finding.fix.as_deref().expect("fixed");
        let mended: String = text
            .chars()
            .take(from)
            .chain(fix.chars())
            .chain(text.chars().skip(to))
            .collect();
        assert_eq!(found(&mended, &TextContext::default()), [""; 0], "{mended}");
    }
}

#[test]
fn what_a_text_states_is_borne_out_by_the_product() {
    let guard = guard();
    let grounds = guard.ground(&product(), at("2026-11-26T12:00:00Z"));
    let context = TextContext {
        product: Some(&grounds),
        ..TextContext::default()
    };
    for (text, findings) in [
        ("Now £30, was £40", vec![]),
        ("Now £29", vec!["price_unbound `£29`"]),
        ("Save 25%", vec![]),
        ("立减10英镑，七五折", vec![]),
        ("Half price", vec!["price_unbound `Half price`"]),
        ("2 for 1 until 27 November", vec![]),
        ("3 for 2", vec!["price_unbound `3 for 2`"]),
        ("Holds 1500 ml", vec![]),
        ("Holds two litres", vec!["number_unbound `two litres`"]),
        ("Stainless steel from Portugal", vec![]),
        (
            "Cast iron, made in Italy",
            vec![
                "material `Cast iron`",
                "made_in_en `made in Italy`",
                "origin `made in Italy`",
            ],
        ),
        ("Only 3 left", vec![]),
        ("Only 5 left", vec!["number_unbound `5 left`"]),
        ("Free delivery", vec![]),
        ("With a free gift", vec!["gift `free gift`"]),
        (
            "With a ten-year warranty",
            vec!["number_unbound `ten-year`"],
        ),
        ("Voted best kettle of 2025 by Hearth.", vec![]),
        ("Best Friends Kettle by Unbeatable", vec![]),
        ("In stock", vec![]),
    ] {
        assert_eq!(found(text, &context), findings, "{text}");
    }
    let gone = Product {
        availability: Availability::OutOfStock,
        stock: Some(0),
        ..product()
    };
    let grounds = guard.ground(&gone, at("2026-11-26T12:00:00Z"));
    let context = TextContext {
        product: Some(&grounds),
        ..TextContext::default()
    };
    assert_eq!(
        found("Back in stock", &context),
        ["availability `Back in stock`"]
    );
}

#[test]
fn a_fact_that_has_ended_says_so() {
    let guard = guard();
    let grounds = guard.ground(&product(), at("2026-11-28T00:00:00Z"));
    let context = TextContext {
        product: Some(&grounds),
        ..TextContext::default()
    };
    let findings = guard.check_text("2 for 1", &context);
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(
        findings[0].reason.ends_with("(ended: offer, old)"),
        "{findings:?}"
    );
}

#[test]
fn a_sale_price_is_none_after_its_end() {
    let product = Product {
        sale_price_until: Some(at("2026-11-27T00:00:00Z")),
        ..product()
    };
    for (now, text, rules) in [
        (
            "2026-11-26T12:00:00Z",
            "Now £30, until 27 November. Ends tonight!",
            vec![],
        ),
        (
            "2026-11-20T12:00:00Z",
            "Now £30. Ends tonight!",
            vec!["urgency_today_en"],
        ),
        (
            "2026-11-20T12:00:00Z",
            "Now £30, until 26 November.",
            vec![],
        ),
        ("2026-11-27T00:00:00Z", "Now £40", vec![]),
        ("2026-11-27T00:00:00Z", "Now £30", vec!["price_unbound"]),
    ] {
        assert_eq!(broken(text, &product, now), rules, "{text} at {now}");
    }
}

#[test]
fn an_end_without_a_sale_bears_out_nothing() {
    let product = Product {
        sale_price: None,
        sale_price_until: Some(at("2026-11-27T00:00:00Z")),
        facts: Vec::new(),
        ..product()
    };
    let found = broken("Now £40. Ends tonight!", &product, "2026-11-26T12:00:00Z");
    assert_eq!(found, ["urgency_today_en"]);
}

#[test]
fn titles_of_works_are_no_claims() {
    let guard = guard();
    let is_refused = |text: &str| {
        let findings = guard.check_text(text, &TextContext::default());
        findings
            .iter()
            .any(|finding| finding.severity == Severity::Error)
    };
    assert!(!is_refused("《最好的我们》平装，三百二十页。"));
    // Neither a whole advertisement between the marks nor single characters are titles.
    assert!(is_refused("《全网最低价，治愈糖尿病，稳赚不赔》"));
    assert!(titles_of_works("《最》《好》的杯子").is_empty());
}

#[test]
fn a_breach_is_told_beside_names_and_fixes() {
    let names = Names::new(["蓝山壶"]).expect("a name");
    let context = TextContext {
        names: Some(&names),
        ..TextContext::default()
    };
    let guard = guard();
    let text = "蓝山壶是最好的壶，喝了它泡的茶，血糖血压都降下来了，药也不用吃了，蓝山壶。";
    let findings = guard.check_text(text, &context);
    let chars: Vec<char> = text.chars().collect();
    for finding in &findings {
        let (from, to) = finding.span;
        let said: String = chars[from..to].iter().collect();
        assert!(!said.starts_with("山") && !said.ends_with("蓝"), "{said}");
    }
    assert!(
        findings
            .iter()
            .any(|finding| finding.rule == "cn_zui_quality"),
        "{findings:?}"
    );
}

#[test]
fn the_true_value_is_the_fix() {
    let guard = guard();
    let grounds = guard.ground(&product(), at("2026-11-26T12:00:00Z"));
    let context = TextContext {
        product: Some(&grounds),
        ..TextContext::default()
    };
    for (text, fix) in [
        ("Now £29", "£30.00"),
        ("只要29英镑", "30元"),
        ("Save 30%", "25%"),
        ("打八折", "7.5折"),
        ("Only 5 left", "3 left"),
        ("3 for 2", ""),
    ] {
        let findings = guard.check_text(text, &context);
        assert_eq!(findings[0].fix.as_deref(), Some(fix), "{text}");
    }
}

#[test]
fn names_of_the_catalogue_may_hold_any_word() {
    let names = Names::new(["World's Best Mug", "第一医药", "x"]);
    let context = TextContext {
        names: names.as_ref(),
        ..TextContext::default()
    };
    assert_eq!(found("World's Best Mug is back", &context), [""; 0]);
    assert_eq!(found("第一医药的门店", &context), [""; 0]);
    assert_ne!(found("The world's best mug is back", &context), [""; 0]);
    assert!(Names::new([]).is_none());
}

#[test]
fn the_form_of_a_text_is_checked_and_mended() {
    let sms = TextContext {
        channel: Some(Channel::Sms),
        ..TextContext::default()
    };
    let mug = "New mugs are here";
    let findings = guard().check_text(mug, &sms);
    assert_eq!(findings[0].span, (17, 17));
    assert_eq!(
        found(
            &format!("{mug}{}", findings[0].fix.as_deref().expect("fixed")),
            &sms
        ),
        [""; 0]
    );
    for (text, findings, mended) in [
        ("Hi {{ name }}", "syntax `{{`", ""),
        ("a\u{200b}b", "control `\u{200b}`", ""),
        (
            "Tea! Cups! Pots!!",
            "exclamation `Tea! Cups! Pots!!`",
            "Tea! Cups. Pots.",
        ),
        ("NEW TEA TODAY", "capitals `NEW TEA TODAY`", "New tea today"),
    ] {
        let got = guard().check_text(text, &TextContext::default());
        assert_eq!(found(text, &TextContext::default()), [findings], "{text}");
        assert_eq!(got[0].fix.as_deref(), Some(mended), "{text}");
    }
}

#[test]
fn what_stands_behind_a_long_text_is_found() {
    let guard = guard();
    for filler in [
        "A quiet mug for the window, in blue. ",
        "现货，好杯子，家用。",
        "A bestseller. ",
    ] {
        let text = format!(
            "{}This is the best mug in the world",
            filler.repeat(100_000 / filler.len())
        );
        let findings = guard.check_text(&text, &TextContext::default());
        assert!(
            findings.iter().any(|finding| finding.severity.is_error()),
            "{filler}"
        );
    }
}

#[test]
fn a_name_may_stand_anywhere() {
    let names = Names::new(["木杯", "木杯家", "é"]);
    let context = TextContext {
        names: names.as_ref(),
        ..TextContext::default()
    };
    for text in [
        "别慌木杯到货，别慌木杯家",
        "最木杯好",
        "木杯木杯木杯最好的木杯",
    ] {
        for finding in guard().check_text(text, &context) {
            assert!(
                finding.span.1 <= text.chars().count(),
                "{text}: {finding:?}"
            );
        }
    }
    assert_eq!(found("最木杯好", &context), [""; 0]);
}

#[test]
fn long_and_strange_texts_are_checked_in_time() {
    let guard = guard();
    for piece in [
        "最好",
        "best ",
        "a.b",
        "1,",
        "£1 ",
        "\u{200d}",
        "e\u{301}",
        "买一送",
        "治",
        "(",
        "👩\u{200d}🍳",
        "مرحبا ",
        "cure cancer ",
        "治疗糖尿病",
        "a Best Friends Kettle ",
        "《",
    ] {
        let text = piece.repeat(100_000 / piece.len());
        let started = std::time::Instant::now();
        let grounds = guard.ground(&product(), at("2026-11-26T12:00:00Z"));
        let context = TextContext {
            product: Some(&grounds),
            ..TextContext::default()
        };
        let findings = guard.check_text(&text, &context);
        assert!(
            findings.len() <= MAX_FINDINGS + 10,
            "{piece}: {}",
            findings.len()
        );
        assert!(
            started.elapsed().as_secs() < 5,
            "{piece}: {:?}",
            started.elapsed()
        );
    }
}
