use super::*;
use crate::RulePack;

fn matcher(phrases: &[&str], except: &[&str]) -> Matcher {
    let list = |phrases: &[&str]| {
        let quoted: Vec<String> = phrases.iter().map(|phrase| format!("{phrase:?}")).collect();
        quoted.join(", ")
    };
    let pack = format!(
        "version = \"t\"\n[[rule]]\nid = \"r\"\nkind = \"forbidden\"\nreason = \"no\"\nphrases = [{}]\nexcept = [{}]\npasses = []\nfails = []",
        list(phrases),
        list(except)
    );
    Matcher::new(&RulePack::from_toml(&pack).expect("valid")).expect("valid")
}

fn found<'t>(matcher: &Matcher, text: &'t str) -> Vec<&'t str> {
    matcher
        .find(text, &Normal::of(text), Scope::All)
        .into_iter()
        .map(|hit| &text[hit.bytes])
        .collect()
}

#[test]
fn matches_carry_the_place_in_the_original() {
    let matcher = matcher(
        &["best", "最好", "miracle cure", "cure", "第(一|1)"],
        &["best before", "第一次"],
    );
    for (text, parts) in [
        ("so ＢＥＳＴ!", vec!["ＢＥＳＴ"]),
        ("真的最 好喝", vec!["最 好"]),
        ("bestow, breast, Northwest", vec![]),
        ("A miracle cure!", vec!["miracle cure"]),
        ("best before June, and the best", vec!["best"]),
        ("销量第一，第一次，第①", vec!["第一", "第①"]),
        (
            "a mir*acle c.ure, a b-e-s-t buy",
            vec!["mir*acle c.ure", "b-e-s-t"],
        ),
        ("best-loved", vec!["best"]),
    ] {
        assert_eq!(found(&matcher, text), parts, "{text}");
    }
}

#[test]
fn an_exception_covers_what_lies_within_it() {
    let matcher = matcher(&["free", "free of"], &["feel free", "~-free"]);
    for (text, parts) in [
        ("feel free", vec![]),
        ("do feel free, it is free", vec!["free"]),
        ("free of", vec!["free of"]),
        ("feel free of", vec!["free of"]),
        ("sugar-free", vec![]),
    ] {
        assert_eq!(found(&matcher, text), parts, "{text}");
    }
}

#[test]
fn numbers_gaps_and_endings_are_looked_for_around_the_words() {
    let matcher = matcher(
        &[
            "price~ will certainly rise",
            "(un|)~iest chair",
            "only # left",
            "doctors … recommend~",
            "# in # chefs",
            "仅剩#件",
            "治…病",
        ],
        &["not … doctors … recommend~"],
    );
    for (text, parts) in [
        (
            "prices will certainly rise",
            vec!["prices will certainly rise"],
        ),
        ("the comfiest chair", vec!["comfiest chair"]),
        ("Only 3 left!", vec!["Only 3 left"]),
        ("only twenty-five left", vec!["only twenty-five left"]),
        ("only left", vec![]),
        ("9 in ten chefs", vec!["9 in ten chefs"]),
        (
            "doctors everywhere recommended it",
            vec!["doctors everywhere recommended"],
        ),
        ("doctors recommend", vec!["doctors recommend"]),
        ("doctors. We recommend", vec![]),
        ("adoctors recommend", vec![]),
        ("not what doctors recommend", vec![]),
        ("仅剩 三 件，仅剩12件", vec!["仅剩 三 件", "仅剩12件"]),
        ("治疗各种病", vec!["治疗各种病"]),
        ("治一二三四五六七八九十一二三四五六七八九十一二病", vec![]),
    ] {
        assert_eq!(found(&matcher, text), parts, "{text}");
    }
}

#[test]
fn a_gap_may_end_at_any_mark() {
    let matcher = matcher(&["quokka … time", "time … wombat", "~ok~", "#day~"], &[]);
    for (text, parts) in [
        ("quokka for time", vec!["quokka for time"]),
        ("quokka (time)", vec!["quokka (time"]),
        ("quokka, \"time\"", vec!["quokka, \"time"]),
        ("quokka—time", vec!["quokka—time"]),
        ("time (wombat)", vec!["time (wombat"]),
        ("two cookies", vec!["cookies"]),
        ("a 3days pass", vec!["3days"]),
    ] {
        assert_eq!(found(&matcher, text), parts, "{text}");
    }
}

#[test]
fn a_long_text_takes_time_in_proportion() {
    let matcher = matcher(&["最 … 好 … 佳", "最佳", "a … b"], &["最佳…的…好"]);
    let time = |repeats: usize| {
        let text = "最好a".repeat(repeats);
        let started = std::time::Instant::now();
        let _ = matcher.find(&text, &Normal::of(&text), Scope::All);
        started.elapsed().as_secs_f64()
    };
    let short = (0..5).map(|_| time(2_000)).fold(f64::INFINITY, f64::min);
    let long = (0..5).map(|_| time(20_000)).fold(f64::INFINITY, f64::min);
    assert!(long < 40.0 * short, "{short} s, {long} s");
}

#[test]
fn phrases_are_found_wherever_they_stand() {
    let pack = RulePack::built_in();
    let lists = Lists::read(&pack.words).expect("valid");
    let mut phrases = Vec::new();
    for (rule, of_rule) in pack.rules.iter().enumerate() {
        for (phrase, (text, is_exception)) in of_rule.every_phrase().enumerate() {
            let source = Source {
                rule,
                phrase,
                is_exception,
            };
            let sequences = pattern::parse(text, &lists).expect("valid");
            let single = sequences.into_iter().filter(|segments| segments.len() == 1);
            phrases.extend(single.map(|segments| (source, segments)));
        }
    }
    let phrases: Vec<_> = phrases.into_iter().step_by(5).collect();
    let mut sieve = Sieve::none();
    let index = Index::new(phrases.clone(), &Frequencies::common(), &mut sieve).expect("words");
    let examples = pack
        .rules
        .iter()
        .flat_map(|rule| rule.fails.iter().chain(&rule.passes));
    let mut found = 0;
    for text in examples.step_by(3).map(|text| Normal::of(text).text) {
        let mut sources: Vec<Source> = index
            .find(&text, &Tokens::of(&text, &sieve), Rules::ALL)
            .into_iter()
            .map(|hit| hit.source)
            .collect();
        let stands = |segment: &pattern::Segment| {
            let mut places = text.char_indices().map(|(at, _)| at);
            places.any(|at| {
                walk::is_edge(&text, at) && walk::forward(&text, at, segment, None).is_some()
            })
        };
        let held = phrases.iter().filter(|(_, segments)| stands(&segments[0]));
        let mut everywhere: Vec<Source> = held.map(|(source, _)| *source).collect();
        sources.sort_unstable();
        sources.dedup();
        everywhere.dedup();
        assert_eq!(sources, everywhere, "{text}");
        found += sources.len();
    }
    assert!(found > 20, "{found} phrases were found");
}
