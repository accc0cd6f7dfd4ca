use super::*;

const PACK: &str = r#"version = "own-1"

[[rule]]
id = "first"
kind = "forbidden"
reason = "no"
phrases = ["best (mug|cup)"]
passes = ["a mug"]
fails = ["best mug"]

[[rule]]
id = "second"
kind = "urgency"
reason = "no"
phrases = ["最好"]
except = ["最好提前"]
passes = ["最好提前来"]
fails = ["最好"]
"#;

#[test]
fn the_built_in_packs_are_valid_and_survive_toml() {
    let pack = RulePack::built_in();
    let toml = toml::to_string(&pack).expect("serializes");
    assert_eq!(RulePack::from_toml(&toml), Ok(pack));
}

#[test]
fn faults_of_a_pack_are_named_with_their_place() {
    let broken = |from: &str, to: &str| {
        let text = PACK.replacen(from, to, 1);
        assert_ne!(text, PACK, "{from}");
        RulePack::from_toml(&text).expect_err(to).to_string()
    };
    for (from, to, message) in [
        (
            "\"own-1\"",
            "\" \"",
            "rule pack line 1, column 11: the version is empty; name it, such as `general-2`",
        ),
        (
            "\"second\"",
            "\"first\"",
            "rule pack line 12, column 7: the id `first` is empty or used twice; give each rule its own id",
        ),
        (
            "[\"最好\"]",
            "[]",
            "rule pack line 11, column 1: rule `second` holds no phrase or an empty one; list at least one phrase, none of them empty",
        ),
        (
            "\"最好提前\"",
            "\"最好(提前\"",
            "rule pack line 16, column 14: rule `second` has the phrase `最好(提前`: a `(` that is not closed; add `)`, or write `\\(`",
        ),
        (
            "kind = \"urgency\"",
            "kind = \"urgency\"\nends_within_hours = 3",
            "rule pack line 11, column 1: rule `second` has one of `ends_within_hours` and `fact_ending` without the other; give both, or neither",
        ),
        (
            "kind = \"urgency\"",
            "kind = \"urgent\"",
            "rule pack line 13, column 8: unknown variant `urgent`, expected one of `forbidden`, `urgency`, `offer`, `numbers`, `attribute`; compare it with the built-in pack `general.toml`",
        ),
        (
            "reason = \"no\"",
            "reason = \"no\"\nfix = { of = { \"cup\" = \"jar\" } }",
            "rule pack line 7, column 17: rule `first` has a fix for `cup`, which is none of its phrases; write the phrase as in `phrases`",
        ),
        (
            "version = \"own-1\"",
            "version = \"own-1\"\n[limits]\n\"sms.title\" = { max = 9 }",
            "rule pack line 3, column 1: `sms.title` is no field of a channel; write it as `push.title` or `email.subject`",
        ),
        (
            "version = \"own-1\"",
            "version = \"own-1\"\n[style]\nmax_exclamations = 1\nmax_shouted_share = 1.5",
            "rule pack line 2, column 1: `max_shouted_share` is 1.5; write a share from 0 to 1",
        ),
        (
            "phrases = [\"best",
            "phrases = [best",
            "rule pack line 7, column 12: ",
        ),
    ] {
        let error = broken(from, to);
        assert!(error.starts_with(message), "{error}\n{message}");
    }
}

#[test]
fn packs_are_joined_unless_an_id_is_used_twice() {
    let own = RulePack::from_toml(PACK).expect("valid");
    let joined = RulePack::merge([RulePack::built_in(), own.clone()]).expect("fits");
    assert!(joined.version.ends_with("+own-1"), "{}", joined.version);
    assert_eq!(joined.style, RulePack::built_in().style);
    let error = RulePack::merge([own.clone(), own])
        .expect_err("twice")
        .to_string();
    assert_eq!(
        error,
        "rule pack: the id `first` of `own-1` is used by a pack before it; give each rule its own id"
    );
}

#[test]
fn a_pack_of_ones_own_softens_the_wordings() {
    let own = "version = \"own\"\n[wordings]\nseverity = \"warning\"";
    let own = RulePack::from_toml(own).expect("a pack");
    let merged = RulePack::merge([RulePack::built_in(), own]).expect("packs");
    let wordings = merged.wordings.as_ref().expect("wordings");
    let built_in = RulePack::built_in().wordings.expect("wordings");
    assert_eq!(wordings.severity, crate::Severity::Warning);
    assert_eq!(wordings.reason, built_in.reason);
    // The phrases would refuse it as well.
    let guard = crate::Guard::new(RulePack {
        rules: Vec::new(),
        ..merged
    });
    let findings = guard.check_text(&built_in.fails[0], &crate::TextContext::default());
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0].rule, "wording_medical");
    assert_eq!(findings[0].severity, crate::Severity::Warning);
}
