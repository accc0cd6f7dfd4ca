//! One round of a shop's work, as a script sees it: the last line of every command and the files that it leaves.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::hawker::{CONSENT, HEADER, Hawker, NO_COPYWRITER, SMALL_MODEL, order_lines, small_shop};

fn count(value: &Value) -> u64 {
    value
        .as_u64()
        .unwrap_or_else(|| panic!("{value} is no count"))
}

fn counts(value: &Value) -> u64 {
    value
        .as_object()
        .expect("counts by name")
        .values()
        .map(count)
        .sum()
}

/// The stages of `hawker status` with whether they are stale.
fn stale(status: &Value) -> BTreeMap<String, bool> {
    let stages = status["stages"].as_array().expect("stages").iter();
    stages
        .map(|stage| {
            (
                stage["name"].as_str().expect("a name").to_owned(),
                stage["stale"] == true,
            )
        })
        .collect()
}

fn assert_import(report: &Value) {
    let [read, kept, merged, quarantined] =
        ["rows_read", "kept", "merged", "quarantined"].map(|key| count(&report[key]));
    assert_eq!(kept + merged + quarantined, read);
    assert_eq!(counts(&report["by_reason"]), quarantined);
}

fn assert_evaluation(report: &Value) {
    assert_eq!(
        (&report["split"], report["dataset"].is_string()),
        (&Value::from("test"), true)
    );
    let rows = report["rows"].as_array().expect("rows");
    let mut defaults: BTreeMap<&str, usize> = BTreeMap::new();
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for row in rows {
        let task = row["task"].as_str().expect("a task");
        *defaults.entry(task).or_default() +=
            usize::from(row["default"].as_bool().expect("a flag"));
        *kinds
            .entry(row["kind"].as_str().expect("a kind"))
            .or_default() += 1;
        assert!(row["model"].is_string());
        let metrics = row["metrics"].as_object().expect("metrics");
        for name in ["hr@10", "ndcg@10"] {
            let [value, low, high] =
                ["value", "low", "high"].map(|key| metrics[name][key].as_f64().expect("a figure"));
            assert!(
                0.0 <= low && low <= value && value <= high && high <= 1.0,
                "{task} {name}: {low} {value} {high}"
            );
        }
    }
    assert!(
        defaults.contains_key("new-items") && defaults.contains_key("repeats"),
        "{defaults:?}"
    );
    assert!(
        defaults.values().all(|defaults| *defaults == 1),
        "{defaults:?}"
    );
    assert!(
        kinds
            .keys()
            .all(|kind| ["baseline", "model", "published"].contains(kind)),
        "{kinds:?}"
    );
    assert!(kinds["baseline"] > 5 && kinds["model"] > 2, "{kinds:?}");
}

fn assert_campaign(report: &Value) {
    let [shoppers, messages] = ["shoppers", "messages"].map(|key| count(&report[key]));
    assert_eq!(messages + counts(&report["nothing"]), shoppers);
    assert!(messages > 0);
    assert!(report["seconds"].as_f64().expect("seconds") > 0.0);
}

fn campaign(hawker: &Hawker, channel: &str, goal: &str, out: &str) -> Value {
    hawker.json(&[
        "campaign",
        "--channel",
        channel,
        "--goal",
        goal,
        "--out",
        out,
        "--identities",
    ])
}

#[test]
fn a_round_of_all_commands() {
    let hawker = Hawker::new();
    hawker.file("hawker.toml", [SMALL_MODEL, NO_COPYWRITER].concat());
    hawker.file("orders.csv", small_shop());
    take_orders_in(&hawker);
    // A campaign needs no training: what goes together and what is popular ranks until then.
    assert_campaign(&campaign(&hawker, "push", "click", "first.jsonl"));
    train_and_evaluate(&hawker);
    write_campaigns(&hawker);
    answer_and_learn(&hawker);
    write_out(&hawker);

    // All of it in one command, on what is there already.
    let options = "--channel push --goal click --out fourth.jsonl --at 2025-06-01T12:00:00Z";
    let options: Vec<&str> = options.split(' ').collect();
    let all = hawker.json(
        &[
            &["run", "online-retail", "orders.csv"],
            &CONSENT[..],
            &options,
        ]
        .concat(),
    );
    assert_import(&all["import"]);
    assert_eq!(count(&all["import"]["kept"]), 0);
    assert_evaluation(&all["evaluation"]);
    assert_campaign(&all["campaign"]);
    let status = hawker.status();
    assert_eq!(
        (stale(&status)["model"], stale(&status)["evaluation"]),
        (false, false)
    );
}

fn take_orders_in(hawker: &Hawker) {
    let imported =
        hawker.json(&[&["import", "online-retail", "orders.csv"][..], &CONSENT].concat());
    assert_import(&imported);
    assert!(count(&imported["by_reason"]["postage"]) > 5);
    let status = hawker.status();
    assert_eq!(count(&status["events"]), count(&imported["kept"]));
    assert_eq!(status["shoppers"], status["consents"][0]["shoppers"]);
    assert_eq!(
        counts(&status["quarantine"]),
        count(&imported["quarantined"])
    );
    assert_eq!(
        (&status["model_fingerprint"], stale(&status)["model"]),
        (&Value::Null, true)
    );
}

fn train_and_evaluate(hawker: &Hawker) {
    let trained = hawker.json(&["train"]);
    assert!(trained["seconds"].as_f64().expect("seconds") > 0.0);
    let status = hawker.status();
    assert!(status["model_fingerprint"].is_string());
    assert_eq!(status["model_fingerprint"], trained["model_fingerprint"]);
    assert_eq!(
        (stale(&status)["model"], stale(&status)["evaluation"]),
        (false, true)
    );
    assert_evaluation(&hawker.json(&["evaluate"]));
    assert!(!stale(&hawker.status())["evaluation"]);
}

fn write_campaigns(hawker: &Hawker) {
    let unwanted = campaign(hawker, "email", "purchase", "second.jsonl");
    assert_eq!(
        count(&unwanted["nothing"]["no_consent"]),
        count(&unwanted["shoppers"])
    );
    let wanted = campaign(hawker, "push", "click", "out/third.csv");
    assert_campaign(&wanted);
    let table = std::fs::read_to_string(hawker.path("out/third.csv")).expect("written");
    assert!(table.starts_with("decision_id,"), "{table}");
}

/// The report and the log's decisions as files.
fn write_out(hawker: &Hawker) {
    let report = hawker.json(&["report"]);
    let page = std::fs::read_to_string(hawker.path(report["report"].as_str().expect("a path")));
    let page = page.expect("written");
    assert!(page[..15].eq_ignore_ascii_case("<!doctype html>"));
    let exported = hawker.json(&["export", "decisions", "--out", "decisions.jsonl"]);
    let rows = std::fs::read_to_string(hawker.path("decisions.jsonl")).expect("written");
    let decisions = count(&hawker.status()["decisions"]);
    assert_eq!(
        (count(&exported["rows"]), rows.lines().count() as u64),
        (decisions, decisions)
    );
}

/// Clicks every message of the first campaign and lets the policy learn of it.
fn answer_and_learn(hawker: &Hawker) {
    let lines = std::fs::read_to_string(hawker.path("first.jsonl")).expect("written");
    let mut answers = String::new();
    let mut messages = 0;
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line).expect("JSON");
        let at = &line["decided_at"];
        for key in [
            "decision_id",
            "user",
            "candidates",
            "chosen",
            "explanation",
            "seed",
            "policy_version",
            "reason",
        ] {
            assert!(!line[key].is_null(), "no `{key}` in {line}");
        }
        if line["nothing"].is_object() {
            assert!(line["nothing"]["reason"].is_string());
            continue;
        }
        for key in ["text", "product", "variant_id", "checks"] {
            assert!(!line[key].is_null(), "no `{key}` in {line}");
        }
        assert!(line["text"]["title"].is_string() && line["text"]["body"].is_string());
        assert!(line["product"]["id"].is_string() && line["product"]["title"].is_string());
        let id = line["decision_id"].as_str().expect("an id");
        let properties = serde_json::json!({ "decision_id": id });
        let user = &line["user_id"];
        assert!(user.is_string(), "identities were asked for");
        let click = serde_json::json!({
            "messageId": id, "event": "Promotion Clicked", "userId": user, "timestamp": at, "properties": properties,
        });
        answers.push_str(&(click.to_string() + "\n"));
        messages += 1;
    }
    hawker.file("answers.jsonl", answers);
    assert_import(&hawker.json(&["import", "segment", "answers.jsonl"]));
    let status = hawker.status();
    assert_eq!(
        (stale(&status)["model"], stale(&status)["evaluation"]),
        (true, true)
    );
    let learnt = hawker.json(&["learn", "--goal", "click", "--at", "2027-01-01T00:00:00Z"]);
    assert_eq!(
        ["outcomes", "foreign", "learnt"].map(|key| count(&learnt[key])),
        [messages, 0, messages]
    );
}

#[test]
fn missing_consents_are_explained_where_they_matter() {
    let hawker = Hawker::new();
    hawker.file("orders.csv", order_lines(60, 10, 12, 200));
    let said = hawker.says(&["import", "online-retail", "orders.csv"]);
    assert!(
        said.contains("nobody consented") && said.contains("--consent push:marketing=granted"),
        "{said}"
    );
    let said = hawker.says(&["status"]);
    assert!(said.contains("none, so nobody can be written to"), "{said}");
    assert!(said.contains("--consent push:marketing=granted"), "{said}");
    let said = hawker.says(&[
        "campaign",
        "--channel",
        "push",
        "--goal",
        "click",
        "--out",
        "x.jsonl",
    ]);
    assert!(
        said.contains("0 messages") && said.contains("nothing: no_consent"),
        "{said}"
    );
    assert!(
        said.contains("`hawker status` shows the consents"),
        "{said}"
    );

    hawker.says(&[&["import", "online-retail", "orders.csv"][..], &CONSENT].concat());
    let said = hawker.says(&["status"]);
    assert!(
        said.contains("push:marketing granted 10 (assumed at import: --consent)"),
        "{said}"
    );
}

#[test]
fn a_quarantined_row_is_listed_repaired_and_taken_in() {
    let hawker = Hawker::new();
    let good = "5,20000,BLUE MUG,6,2024-05-01 10:00:00,2.55,17850,UK";
    let bad = "5,20001,RED MUG,six,2024-05-01 10:00:00,2.55,17850,UK";
    hawker.file(
        "orders.csv",
        format!("{HEADER}\n{good}\n{bad}\n6,POST,POSTAGE,1,2024-05-01 10:00:00,2,17850,UK\n"),
    );
    let imported = hawker.json(&["import", "online-retail", "orders.csv"]);
    assert_eq!(
        (count(&imported["kept"]), count(&imported["quarantined"])),
        (1, 2)
    );
    let listed = hawker.json(&["quarantine", "list"]);
    assert_eq!(
        listed["by_reason"],
        serde_json::json!({ "invalid_quantity": 1, "postage": 1 })
    );
    let said = hawker.says(&["quarantine", "list"]);
    assert!(
        said.contains("orders.csv, line 3: `Quantity` is `six`; expected a whole number of pieces"),
        "{said}"
    );

    let exported = hawker.json(&[
        "quarantine",
        "export",
        "--reason",
        "invalid_quantity",
        "--out",
        "rows.jsonl",
    ]);
    assert_eq!(count(&exported["rows"]), 1);
    let rows = std::fs::read_to_string(hawker.path("rows.jsonl")).expect("written");
    assert!(rows.contains(bad), "{rows}");
    hawker.file("rows.jsonl", rows.replace(",six,", ",6,"));
    let taken = hawker.json(&["quarantine", "reimport", "rows.jsonl"]);
    assert_import(&taken);
    assert_eq!(
        (count(&taken["kept"]), count(&taken["quarantined"])),
        (1, 0)
    );
    let status = hawker.status();
    assert_eq!(
        (count(&status["events"]), count(&status["products"])),
        (2, 2)
    );
    assert_eq!(status["quarantine"], serde_json::json!({ "postage": 1 }));
    assert_eq!(count(&status["quarantine_expiring"]), 0);
    hawker.file("hawker.toml", "[privacy]\nquarantine_days = 20\n");
    assert_eq!(count(&hawker.status()["quarantine_expiring"]), 1);
    let said = hawker.says(&["status"]);
    assert!(said.contains("1 of them expire within 30 days"), "{said}");

    hawker.file("rows.jsonl", "{\"id\":1}\n");
    let message = hawker.fails(&["quarantine", "reimport", "rows.jsonl"]);
    assert!(message.starts_with("rows.jsonl, line 1: "), "{message}");
}

#[test]
fn a_date_in_the_future_is_set_aside_and_fails_the_import() {
    let hawker = Hawker::new();
    let row = |year: u32| format!("{year},20000,BLUE MUG,6,{year}-05-01 10:00:00,2.55,17850,UK\n");
    hawker.file(
        "orders.csv",
        format!("{HEADER}\n{}{}", row(2024), row(2924)),
    );
    let said = hawker.run(&["import", "online-retail", "orders.csv", "--json"]);
    assert_eq!(said.code, Some(1));
    let expected = "hawker: orders.csv, line 3: it happened at 2924-05-01";
    assert!(
        said.err.lines().any(|line| line.starts_with(expected)),
        "{}",
        said.err
    );
    let report = serde_json::from_str(said.out.lines().next_back().expect("a last line"));
    let report: Value = report.expect("JSON");
    assert_import(&report);
    assert_eq!(
        (count(&report["kept"]), count(&report["quarantined"])),
        (1, 1)
    );

    let status = hawker.status();
    assert_eq!(status["last_event"], "2024-05-01T09:00:00Z");
    assert_eq!(
        status["quarantine"],
        serde_json::json!({ "future_timestamp": 1 })
    );
}
