//! `hawker recommend`: lists for everybody in a file, or one list on the terminal, before and after training.

use serde_json::Value;

use crate::hawker::{CONSENT, Hawker, NO_COPYWRITER, SMALL_MODEL, small_shop};

fn lines(hawker: &Hawker, name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(hawker.path(name)).expect("written");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

#[test]
fn lists_for_everybody_and_reasons_for_one() {
    let hawker = Hawker::new();
    let segment = "[segments]\nregular = \"orders >= 2\"\n";
    hawker.file(
        "hawker.toml",
        [SMALL_MODEL, NO_COPYWRITER, segment].concat(),
    );
    hawker.file("orders.csv", small_shop());
    hawker.says(&[&["import", "online-retail", "orders.csv"][..], &CONSENT].concat());

    // Before training, what goes together and what is popular ranks.
    let all = [
        "recommend",
        "--out",
        "lists.jsonl",
        "--explore",
        "0.2",
        "--top",
        "4",
    ];
    let report = hawker.json(&all);
    let written = lines(&hawker, "lists.jsonl");
    assert_eq!(report["shoppers"].as_u64(), Some(written.len() as u64));
    assert!(
        report["explored"].as_u64().expect("a count") > 0,
        "{report}"
    );
    assert_eq!(
        (&report["file"], &report["candidates"]),
        (&"lists.jsonl".into(), &Value::Null)
    );
    for line in &written {
        assert!(
            line["user"]
                .as_str()
                .expect("a pseudonym")
                .starts_with("p_")
        );
        assert_eq!(line["user_id"], Value::Null);
        for product in line["products"].as_array().expect("products") {
            let propensity = product["propensity"].as_f64().expect("a probability");
            assert!(propensity > 0.0 && propensity <= 1.0);
            assert!(product["explored"].is_boolean() && product["title"].is_string());
        }
    }
    let before = std::fs::read(hawker.path("lists.jsonl")).expect("written");
    let said = hawker.says(&all);
    assert!(said.contains("to explore, by item-knn@"), "{said}");
    assert_eq!(
        std::fs::read(hawker.path("lists.jsonl")).expect("written"),
        before
    );
    let message = hawker.fails(&["recommend", "--user", "12005", "--why"]);
    assert!(
        message.ends_with("run `hawker train` first, or leave --why out"),
        "{message}"
    );

    hawker.says(&["train"]);
    let one = ["recommend", "--user", "12005", "--top", "3", "--why"];
    let said = hawker.says(&one);
    assert!(
        said.starts_with("for p_") && said.contains("\n   1  RED THING NO "),
        "{said}"
    );
    assert!(
        said.contains("because") || said.contains("popularity decided"),
        "{said}"
    );
    let report = hawker.json(&one);
    let products = report["lines"][0]["products"].as_array().expect("products");
    assert_eq!(products.len(), 3);
    for product in products {
        assert!(
            product["why"]["user_model"]["events"].is_array(),
            "{product}"
        );
        assert!(product["why"]["by_user_model"].is_boolean());
    }
    let some = [
        "recommend",
        "--out",
        "some.jsonl",
        "--segment",
        "regular",
        "--identities",
    ];
    hawker.json(&some);
    let some = lines(&hawker, "some.jsonl");
    assert!(!some.is_empty() && some.iter().all(|line| line["user_id"].is_string()));
}

#[test]
fn what_cannot_be_recommended_says_what_can() {
    let hawker = Hawker::new();
    hawker.file("orders.csv", small_shop());
    hawker.says(&["import", "online-retail", "orders.csv"]);
    for (arguments, expected) in [
        (
            &["--user", "nobody"][..],
            "no shopper of hawker-data is known as `nobody`; give the identifier as it stands in the files that were \
             imported, such as a `userId` or `Customer ID`, or a pseudonym from an export; guests have none",
        ),
        (
            &["--user", "12005", "--explore", "1"],
            "`explore` is 1; expected a share from 0 up to, not including, 1",
        ),
        (
            &["--out", "x.jsonl", "--segment", "gold"],
            "there is no segment `gold`; define it under [segments] of the configuration",
        ),
        (
            &["--out", "."],
            ".: is a folder; name a file that is to be written, such as campaign.jsonl",
        ),
    ] {
        let message = hawker.fails(&[&["recommend"][..], arguments].concat());
        assert_eq!(message, expected);
    }
    assert!(!hawker.path("x.jsonl").exists());
}
