//! `hawker train copywriter`, `hawker copy draft`, and the writer on a public set.

use std::fmt::Write;

use serde_json::Value;

use crate::hawker::Hawker;

/// A model that learns in seconds.
const SETTINGS: &str = "[model]\nvocabulary = 300\nwidth = 32\nlayers = 1\nheads = 2\nhidden = 64\nmax_tokens = 64\n\
                        epochs = 40\npatience = 40\ndropout = 0.0\nlabel_smoothing = 0.0\nlearning_rate = 0.01\n\
                        batch_tokens = 512\n[drafts]\nsamples = 8\nbeam = 3\nmax_tokens = 24\n";

const COLOURS: [&str; 3] = ["red", "blue", "green"];

#[test]
fn a_shop_teaches_a_model_and_has_it_write() {
    let hawker = Hawker::new();
    std::fs::write(hawker.path("settings.toml"), SETTINGS).expect("written");
    let mut corpus = String::new();
    for number in 0..120 {
        let colour = COLOURS[number % 3];
        writeln!(
            corpus,
            r#"{{"facts": {{"title": "Mug {number}", "colour": "{colour}"}}, "text": "Mug {number} is {colour}."}}"#
        )
        .expect("a string takes it");
    }
    std::fs::write(hawker.path("corpus.jsonl"), corpus).expect("written");
    let early = hawker.run(&["copy", "draft", "--facts", r#"{"title": "Cup"}"#]);
    assert_eq!(early.code, Some(1));
    assert!(
        early.err.contains("hawker train copywriter --corpus FILE"),
        "{}",
        early.err
    );

    let train = [
        "train",
        "copywriter",
        "--corpus",
        "corpus.jsonl",
        "--exact",
        "title",
    ];
    let said = hawker.run(&[&train[..], &["--settings", "settings.toml"]].concat());
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(said.out.contains("learnt from 114 texts"), "{}", said.out);

    let facts = r#"{"title": "Acme Cup", "colour": "blue"}"#;
    let draft = ["copy", "draft", "--facts", facts, "--count", "3", "--json"];
    let said = hawker.run(&draft);
    assert_eq!(said.code, Some(0), "{}", said.err);
    let told: Value = serde_json::from_str(said.out.trim()).expect("an object");
    let drafts = &told["drafts"];
    assert_eq!(drafts[0]["text"], "Acme Cup is blue.");
    assert_eq!(
        (&drafts[0]["ok"], &drafts[0]["missing"]),
        (&Value::Bool(true), &Value::from(0))
    );
    assert_eq!(
        hawker.run(&draft).out,
        said.out,
        "the same seed gives the same drafts"
    );

    // It goes on from its own texts where the settings say so, and then writes as well.
    let further = format!(
        "{SETTINGS}[reinforce]\nepochs = 1\nmeanings_per_epoch = 16\nmeanings = 4\ndrafts = 4\n"
    );
    std::fs::write(hawker.path("further.toml"), further).expect("written");
    let record = hawker.json(&[&train[..], &["--settings", "further.toml"]].concat());
    assert!(
        record["epochs"][0]["validation"]["reward"].is_f64(),
        "{record}"
    );
    let again = hawker.json(&draft[..draft.len() - 1]);
    assert_eq!(again["drafts"][0]["text"], "Acme Cup is blue.");
    std::fs::write(hawker.path("worth.toml"), "[reward]\nbleu = 2.0\n").expect("written");
    let error = hawker.fails(&[&train[..], &["--settings", "worth.toml"]].concat());
    assert!(error.contains("add [reinforce]"), "{error}");

    // A text that is shown while it is written is checked once it is done; a brand that has samples has a voice.
    let stream = ["copy", "draft", "--facts", facts, "--stream"];
    let streamed = hawker.says(&stream);
    let (piecemeal, verdict) = streamed.split_once('\n').expect("two lines and more");
    assert!(
        verdict.starts_with(&format!("1. {}\n   passes", piecemeal.trim())),
        "{streamed}"
    );
    hawker.file(
        "hawker.toml",
        "[voice]\nsamples = [\"Acme Cup is blue.\", \"Acme Pot is blue.\"]\n",
    );
    let voice = hawker.json(&draft[..draft.len() - 1])["drafts"][0]["voice"].as_f64();
    assert!(voice.is_some_and(|voice| voice > 1.0), "{voice:?}");
    let error = hawker.fails(&[&stream[..], &["--provider", "native"]].concat());
    assert!(
        error.contains("leave --shopper and --stream out"),
        "{error}"
    );

    let wrong = hawker.run(&["copy", "draft", "--facts", "blue"]);
    assert_eq!(wrong.code, Some(2));
    assert!(
        wrong.err.contains("give an object such as"),
        "{}",
        wrong.err
    );
    std::fs::write(hawker.path("bad.jsonl"), "{}\n").expect("written");
    let bad = hawker.run(&["train", "copywriter", "--corpus", "bad.jsonl"]);
    assert!(
        bad.err.contains("bad.jsonl") && bad.err.contains("line 1"),
        "{}",
        bad.err
    );
}

#[test]
fn the_writer_is_judged_on_a_public_set() {
    let hawker = Hawker::new();
    std::fs::write(hawker.path("settings.toml"), SETTINGS).expect("written");
    let rows = |from: usize, to: usize| {
        let mut rows = "mr,ref\n".to_owned();
        for number in from..to {
            let food = ["French", "Italian", "Indian"][number % 3];
            writeln!(
                rows,
                "\"name[Inn {number}], food[{food}]\",Inn {number} serves {food} food."
            )
            .expect("a string takes it");
        }
        rows
    };
    std::fs::create_dir(hawker.path("e2e")).expect("a folder");
    for (file, from, to) in [
        ("trainset", 0, 90),
        ("devset", 90, 96),
        ("testset_w_refs", 96, 102),
    ] {
        std::fs::write(hawker.path(&format!("e2e/{file}.csv")), rows(from, to)).expect("written");
    }
    let evaluate = [
        "evaluate",
        "--dataset",
        "e2e",
        "--path",
        "e2e",
        "--settings",
        "settings.toml",
    ];
    let said = hawker.run(&[&evaluate[..], &["--json"]].concat());
    assert_eq!(said.code, Some(0), "{}", said.err);
    let report: Value = serde_json::from_str(said.out.trim()).expect("an object");
    let row = |system: &str| {
        let rows = report["rows"].as_array().expect("rows");
        let row = rows.iter().find(|row| row["system"] == system);
        row.expect("the system is there")["measures"].clone()
    };
    assert_eq!(row("consensus")["slot_error_rate"], 0.0);
    assert!(
        row("consensus")["bleu"].as_f64().expect("a figure") > 60.0,
        "{report}"
    );
    assert_eq!(row("TGen (published)")["bleu"], 65.93);
    assert_eq!(
        (&report["meanings"], &report["part"]),
        (&Value::from(6), &Value::from("test"))
    );
    assert_eq!(report["samples"].as_array().map(Vec::len), Some(6));

    std::fs::remove_file(hawker.path("e2e/devset.csv")).expect("removed");
    let missing = hawker.run(&evaluate);
    assert!(missing.err.contains("devset.csv"), "{}", missing.err);
}
