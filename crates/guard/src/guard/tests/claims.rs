//! What a text may claim: numbers that come from values, offers and urgency that a fact carries.

use super::*;

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
        (
            "Satisfaction guaranteed",
            "forbidden:satisfaction guaranteed",
        ),
        ("这是最好的杯子", "forbidden:最好的"),
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
        verdict_of(
            &variant(Channel::Push, None, "{{ title }}, the best"),
            &named
        ),
        "forbidden:the best"
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
