//! Checks before a text is rendered: a variant in all its branches, and a rule pack against its own examples.

use super::*;

#[test]
fn variants_are_checked_in_every_branch() {
    let guard = &GUARD;
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
    let pack = RulePack::built_in();
    for rule in &pack.rules {
        assert!(
            !rule.passes.is_empty() && !rule.fails.is_empty(),
            "{}",
            rule.id
        );
    }
    assert_eq!(Guard::new(pack.clone()).wrong_examples(), []);
    let with = |change: fn(&mut RulePack)| {
        let mut pack = pack.clone();
        change(&mut pack);
        Guard::new(pack).wrong_examples()[0].to_string()
    };
    assert_eq!(
        with(|pack| pack.rules[0].fails.push("fine".to_owned())),
        "rule pack: rule `superlative_frame_en` should refuse `fine`; correct its phrases, its exceptions or the example"
    );
    assert!(
        with(|pack| pack.rules[0]
            .passes
            .push("the best mug in the world".to_owned()))
        .contains("should pass `the best mug in the world`")
    );
}

#[test]
fn a_pack_may_set_its_own_limits() {
    let mut pack = RulePack::built_in();
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
