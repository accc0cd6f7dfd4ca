//! What each channel asks of a text: its fields, lengths, ways out and escaping.

use super::*;

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
        ("Re: your order", "forbidden"),
        ("ＦＷＤ : mugs", "forbidden"),
        ("回复：您的订单", "forbidden"),
        ("Regarding mugs", "ok"),
    ] {
        let mut mail = variant(Channel::Email, None, "x");
        mail.template.subject = Some(subject.to_owned());
        let verdict = verdict_of(&mail, &product());
        assert_eq!(verdict.split(':').next(), Some(reason), "{subject}");
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
