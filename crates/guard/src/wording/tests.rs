use super::grams::{Gram, each, grams};
use super::*;
use crate::{Guard, RulePack, TextContext};

const TEXTS: [&str; 6] = [
    "Lose 3 kg by Friday, or your money back!!",
    "don't wait — guaranteed/guarantees it’s FREE",
    "用了三天，颈椎就不疼了。",
    "第1次用HELLO kitty的杯子？（可机洗）",
    "a",
    "",
];

fn keys(text: &str, founded: &[Range<usize>]) -> Vec<u64> {
    let text = Normal::of(text).text;
    let whole = 0..text.len();
    let mut keys = Vec::new();
    let founded = Founded::new(founded.iter().cloned());
    each(&text, slice::from_ref(&whole), &founded, |key, _| {
        keys.push(key);
    });
    keys
}

fn breaches(text: &str) -> Vec<(&str, Category)> {
    let found = super::breaches(text, &Normal::of(text), &[]);
    let said = found.into_iter();
    said.map(|breach| (&text[breach.bytes], breach.category))
        .collect()
}

#[test]
fn hashed_grams_are_those_that_are_written() {
    for text in TEXTS {
        let written: Vec<u64> = grams(text).iter().map(Gram::key).collect();
        assert_eq!(keys(text, &[]), written, "{text}");
    }
    let names: Vec<String> = grams("Cures, 3-day 颈椎病")
        .iter()
        .map(Gram::to_string)
        .collect();
    let expected = [
        "cures", ",", "cures ,", "0", ", 0", "-", "0 -", "day", "- day", "颈", "day 颈", "椎",
        "颈 椎", "病", "椎 病", "颈_病",
    ];
    assert_eq!(names, expected);
}

#[test]
fn grams_are_read_as_they_are_written() {
    for gram in TEXTS.iter().flat_map(|text| grams(text)) {
        assert_eq!(Gram::parse(&gram.to_string()), Some(gram));
    }
    assert_eq!(Gram::parse("_"), grams("_").into_iter().next());
    assert_eq!(Gram::parse(""), None);
}

#[test]
fn founded_words_read_as_one_comma() {
    let text = "save now, hurry up today";
    let founded = 9..18;
    assert_eq!(
        keys(text, slice::from_ref(&founded)),
        keys("save now, today", &[])
    );
}

#[test]
fn models_are_read_as_they_are_written() {
    let model = |breach| LanguageModel {
        breach,
        innocent: -2.5,
        entries: vec![
            Entry {
                gram: Gram::parse("cure").expect("a gram"),
                weight: 120,
                square: 40,
                category: Category::Medical,
            },
            Entry {
                gram: Gram::parse("the mug").expect("a gram"),
                weight: -7,
                square: 9,
                category: Category::Other,
            },
        ],
    };
    let tsv = Wordings::to_tsv([&model(3.5), &model(4.0)]);
    let wordings = Wordings::from_tsv(&tsv).expect("two models");
    let english = wordings.model(false);
    let text = "cure the mug cure cure blue cure";
    let whole = 0..text.len();
    // The weights over the root of the squares, as often as the grams stand there.
    let score = english.score(text, slice::from_ref(&whole), &Founded::default());
    let expected = (4.0 * 120.0 - 7.0) / (4.0 * 40.0 + 9.0_f32).sqrt();
    assert!(
        score.is_some_and(|score| (score - expected).abs() < 1e-4),
        "{score:?}"
    );
    let short = 0..4;
    assert_eq!(
        english.score(text, slice::from_ref(&short), &Founded::default()),
        None
    );
    assert!(
        wordings
            .model(true)
            .is_breach(text, slice::from_ref(&whole), &Founded::default())
    );
    for (broken, problem) in [
        (tsv.replace("limits\t4", "limits\tfour"), "line 4"),
        (tsv.replacen("limits", "limit", 1), "line 1"),
        (tsv.replacen("-7\t", "", 1), "line 3"),
        (tsv[..tsv.len() / 2].to_owned(), "two models"),
    ] {
        let error = Wordings::from_tsv(&broken).expect_err("broken");
        assert!(error.contains(problem), "{error}");
    }
}

#[test]
fn the_clause_at_fault_is_told() {
    for (text, said) in [
        (
            "Our kettle is blue, and your migraines will pack their bags.",
            "and your migraines will pack their bags.",
        ),
        (
            "杯 Our kettle is blue - your migraines will pack their bags.",
            "your migraines will pack their bags.",
        ),
        (
            "杯子是蓝色的，喝了这杯茶，血糖血压都降下来了，药也不用吃了。",
            "血糖血压都降下来了，",
        ),
    ] {
        assert_eq!(breaches(text), [(said, Category::Medical)], "{text}");
    }
    for text in [
        "Our kettle is blue and holds 1.7 litres.",
        "杯子是蓝色的，可机洗。",
        "",
        " \u{200b} ",
    ] {
        assert_eq!(breaches(text), [], "{text}");
    }
}

#[test]
fn texts_are_cut_at_marks_that_end_something() {
    let text = "It drops 3.5 points, at 7:30 - in a well-known way; then 1,000 more. End";
    let pieces = |least: usize, founded: &Founded| -> Vec<&str> {
        let ends = |c: char| ends_sentence(c) || matches!(c, ',' | ':' | '-');
        let pieces = cut(text, 0..text.len(), least, founded, ends);
        pieces.into_iter().map(|piece| &text[piece]).collect()
    };
    let none = Founded::default();
    let clauses = [
        "It drops 3.5 points,",
        " at 7:30 -",
        " in a well-known way;",
        " then 1,000 more.",
        " End",
    ];
    assert_eq!(pieces(0, &none), clauses);
    assert_eq!(
        pieces(40, &none),
        [clauses[..3].concat() + " then 1,000 more. End"]
    );
    let founded = Founded::new([19..31, 0..20].into_iter());
    assert_eq!(
        pieces(0, &founded)[0],
        "It drops 3.5 points, at 7:30 - in a well-known way;"
    );
}

#[test]
fn long_texts_are_judged_in_parts() {
    let innocent = "The blue kettle holds 1.7 litres and has a cork handle. ".repeat(40);
    let breach =
        "Your migraines will be gone for good, and nobody gets wrinkles any more. ".repeat(6);
    let text = format!("{innocent}{breach}{innocent}");
    let found = breaches(&text);
    assert!(!found.is_empty() && found.len() <= 3, "{found:?}");
    assert!(found[0].0.contains("migraines"), "{found:?}");
    let endless = "a ".repeat(50_000);
    let parts = parts(&endless, &Founded::default());
    assert!(parts.len() > 50 && parts.iter().all(|part| part.len() <= 5 * JUDGED_BYTES));
}

#[test]
fn a_phrase_in_innocent_copy_is_a_remark() {
    let pack = |by_context: bool| {
        let text = format!(
            r#"
            version = "kettles"
            [wordings]
            reason = "reads wrong"
            passes = []
            fails = []
            [[rule]]
            id = "kettle"
            kind = "forbidden"
            by_context = {by_context}
            reason = "no kettles"
            phrases = ["kettle"]
            passes = []
            fails = []
            "#
        );
        Guard::new(RulePack::from_toml(&text).expect("a pack"))
    };
    let innocent =
        "Thanks for your order: the blue kettle with the cork handle is on its way to you.";
    let breach =
        "This kettle cures your migraines for good, and doctors swear by it. Hurry, last few!";
    for (by_context, text, severity) in [
        (true, innocent, Severity::Warning),
        (true, breach, Severity::Error),
        (false, innocent, Severity::Error),
    ] {
        let findings = pack(by_context).check_text(text, &TextContext::default());
        let kettle = findings.iter().find(|finding| finding.rule == "kettle");
        let found = kettle.map(|finding| finding.severity);
        assert_eq!(found, Some(severity), "{text}");
    }
    // Innocent words before it and behind it excuse no breach, nor do lines of their own.
    let kettles = pack(true);
    for text in [
        format!("{innocent} This kettle cures your migraines for good. {innocent}"),
        "Thanks for your order. It is on its way, wash the mug by hand, let it dry on the rack, and this kettle cures \
         cancer"
            .to_owned(),
        "容量350毫升\n可机洗\n陶瓷材质\nkettle治疗糖尿病，血糖降下来\n三十天内可退换".to_owned(),
    ] {
        let findings = kettles.check_text(&text, &TextContext::default());
        assert!(
            findings.iter().any(|finding| finding.severity == Severity::Error),
            "{text}: {findings:?}"
        );
    }
    // The words of the law itself are refused wherever they stand.
    let findings = Guard::new(RulePack::built_in()).check_text(
        "这只杯子是国家级的蓝色，可机洗，容量350毫升。",
        &TextContext::default(),
    );
    assert!(
        findings
            .iter()
            .any(|finding| finding.severity == Severity::Error)
    );
}
