//! What a text may not give away, link to or shout.

use super::*;

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
