//! A shop's own library is read like the built-in one, and its faults are named.

use copywriter::templates;
use events::{Channel, Strategy};

/// A library with one text, in which `from` stands as `to`.
fn library(from: &str, to: &str) -> String {
    let text = r#"
locale = "en"

[names]
title = { path = "product.title", show = "title_case" }
price = { path = "product.current_price", show = "money" }

[texts.push.benefit.1]
title = "{{ title }}"
body = "Yours for {{ price }}."
"#;
    assert!(text.contains(from), "{from}");
    text.replace(from, to)
}

#[test]
fn a_library_becomes_variants() {
    let text = library("benefit.1", "benefit.10")
        + "\n[texts.push.benefit.2]\ntitle = 'Hello'\nbody = '{{ title }}'\n";
    let variants = templates::parse(&text).expect("a valid library");
    let ids: Vec<&str> = variants.iter().map(|variant| variant.id.as_str()).collect();
    assert_eq!(ids, ["t/push/en/benefit/2", "t/push/en/benefit/10"]);
    let last = &variants[1];
    assert_eq!(
        (last.channel, last.strategy),
        (Channel::Push, Strategy::Benefit)
    );
    assert_eq!(
        last.template.title.as_deref(),
        Some("{{ title | title_case }}")
    );
    assert_eq!(last.template.body, "Yours for {{ price | money }}.");
    let paths: Vec<&str> = last.bindings.iter().map(|b| b.path.as_str()).collect();
    assert_eq!(paths, ["product.current_price", "product.title"]);
}

#[test]
fn another_text_is_another_version() {
    let model = |text: &str| {
        let variants = templates::parse(text).expect("a valid library");
        variants[0].generator.model.clone()
    };
    let text = library("Yours", "Yours");
    assert_eq!(model(&text), model(&text));
    assert_ne!(model(&text), model(&library("Yours", "Only yours")));
}

#[test]
fn faults_are_named() {
    for (from, to, message) in [
        (
            "benefit.1",
            "benefit.first",
            "the variant `push.benefit.first` has no number; name its table `[channel.strategy.N]` with N from 1 upwards",
        ),
        (
            "{{ price }}",
            "{{ cost }}",
            "the variant `t/push/en/benefit/1` uses `cost`, which `[names]` does not define; add it there",
        ),
        (
            "{{ price }}.",
            "{{ price",
            "the variant `t/push/en/benefit/1` opens a tag and does not close it: `{{ price`; add `}}` or `%}`",
        ),
        (
            "title = \"{{ title }}\"",
            "subject = \"Hello\"",
            "the variant `t/push/en/benefit/1` has the fields subject, body; the channel shows title, body",
        ),
    ] {
        let error = templates::parse(&library(from, to)).expect_err(to);
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn unknown_keys_are_refused() {
    for (from, to) in [
        ("title = \"{{ title }}\"", "headline = \"{{ title }}\""),
        ("push.benefit.1", "fax.benefit.1"),
        ("push.benefit.1", "push.greed.1"),
        ("show = \"money\"", "filter = \"money\""),
        ("[names]", "tone = \"warm\"\n[names]"),
        ("locale = \"en\"", "locale = "),
    ] {
        let error = templates::parse(&library(from, to))
            .expect_err(to)
            .to_string();
        assert!(
            error.starts_with("the copy library cannot be read: TOML parse error at line"),
            "{error}"
        );
    }
}
