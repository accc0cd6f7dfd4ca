//! `hawker copy check`: texts of a file, with and without a shop.

use serde_json::{Value, json};

use crate::hawker::Hawker;

/// The answers to a file of texts, without their reasons.
fn answers(hawker: &Hawker, args: &[&str]) -> Vec<Value> {
    let said = hawker.run(&[&["copy", "check"], args, &["--json"]].concat());
    assert_eq!(said.code, Some(0), "{}", said.err);
    let answer = |line: &str| {
        let mut answer: Value = serde_json::from_str(line).expect("one object a line");
        for finding in answer["findings"].as_array_mut().expect("findings") {
            let reason = finding.as_object_mut().expect("an object").remove("reason");
            assert!(reason.is_some_and(|reason| !reason.as_str().unwrap_or_default().is_empty()));
        }
        answer
    };
    said.out.lines().map(answer).collect()
}

#[test]
fn each_line_is_answered_without_a_shop() {
    let hawker = Hawker::new();
    let texts = "\u{feff}A quiet mug\r\n\n🎁 最好的杯子\nNEW TEA TODAY";
    let bytes = [texts.as_bytes(), b"\nbad \xff byte\n"].concat();
    std::fs::write(hawker.path("texts.txt"), bytes).expect("written");
    let answers = answers(&hawker, &["texts.txt"]);
    assert_eq!(answers.len(), 5);
    assert_eq!(answers[0], json!({"line": 1, "ok": true, "findings": []}));
    assert_eq!(answers[1], json!({"line": 2, "ok": true, "findings": []}));
    assert_eq!(
        (&answers[2]["line"], &answers[2]["ok"]),
        (&json!(3), &json!(false))
    );
    assert_eq!(answers[2]["findings"][0]["span"], json!([2, 5]));
    assert_eq!(answers[3]["ok"], true);
    assert_eq!(answers[3]["findings"][0]["severity"], "warning");
    assert_eq!(
        answers[4]["findings"],
        json!([{"rule": "encoding", "severity": "error", "span": [4, 5], "fix": null}])
    );
    let strict = hawker.run(&["copy", "check", "texts.txt", "--strict"]);
    assert_eq!(strict.code, Some(1));
    assert!(
        strict.out.contains("2 of 5 texts must not be sent"),
        "{}",
        strict.out
    );
    let missing = hawker.run(&["copy", "check", "nowhere.txt"]);
    assert!(
        missing.err.contains("cannot read nowhere.txt"),
        "{}",
        missing.err
    );
}

#[test]
fn a_text_about_a_product_says_what_its_fields_say() {
    let hawker = Hawker::new();
    hawker.file(
        "feed.txt",
        "id\ttitle\tprice\tsale_price\tavailability\tproduct_detail\nmug-7\tBlue mug\t20.00 GBP\t15.00 GBP\tin_stock\t:capacity:35 cl\n",
    );
    hawker.says(&["import", "merchant-feed", "feed.txt"]);
    hawker.file(
        "texts.txt",
        "Blue mug, 25% off, now £15\nBlue mug, half price\nHolds 350 ml\nHolds 400 ml\n",
    );
    let answers = answers(&hawker, &["texts.txt", "--product", "mug-7"]);
    let oks: Vec<_> = answers.iter().map(|answer| answer["ok"] == true).collect();
    assert_eq!(oks, [true, false, true, false]);
    assert_eq!(answers[1]["findings"][0]["fix"], "25% off");
    let unknown = hawker.run(&["copy", "check", "texts.txt", "--product", "mug-8"]);
    assert!(
        unknown
            .err
            .contains("the catalogue has no product `mug-8`; did you mean `mug-7`?"),
        "{}",
        unknown.err
    );
}

#[test]
fn the_shop_has_rules_and_a_voice_of_its_own() {
    let hawker = Hawker::new();
    hawker.file(
        "hawker.toml",
        "[guard]\npacks = [\"own.toml\"]\n[voice]\navoid = [\"cheap~\"]\n[voice.use]\ncustomers = \"guests\"\n",
    );
    let pack = "version = \"own-1\"\n[[rule]]\nid = \"own\"\nkind = \"forbidden\"\nreason = \"our lawyer says so\"\nphrases = [\"(moonlight|starlight) price~\"]\npasses = [\"moonlight\"]\nfails = [\"starlight prices\"]\n";
    hawker.file("own.toml", pack);
    hawker.file(
        "texts.txt",
        "Moonlight prices\nA cheaper mug\nFor our customers\n",
    );
    let rules: Vec<_> = answers(&hawker, &["texts.txt"])
        .iter()
        .map(|answer| answer["findings"][0]["rule"].clone())
        .collect();
    assert_eq!(rules, ["own", "voice_avoid", "voice_use"]);
    hawker.file("own.toml", pack.replace("price~\"", "(price\""));
    let broken = hawker.run(&["copy", "check", "texts.txt"]);
    assert!(
        broken
            .err
            .contains("own.toml: rule pack line 6, column 35: rule `own` has the phrase"),
        "{}",
        broken.err
    );
}
