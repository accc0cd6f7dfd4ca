//! A model that grows old: `hawker train --update` and `hawker drift`.

use crate::hawker::{CONSENT, Hawker, NO_COPYWRITER, SMALL_MODEL, small_shop};

/// The small shop's orders, cut in two.
fn halves() -> (String, String) {
    let all = small_shop();
    let (header, lines) = all.split_once('\n').expect("a header");
    let lines: Vec<&str> = lines.lines().collect();
    let (first, last) = lines.split_at(lines.len() * 4 / 5);
    let file = |lines: &[&str]| format!("{header}\n{}\n", lines.join("\n"));
    (file(first), file(last))
}

#[test]
fn a_model_is_trained_on_with_new_orders_alone() {
    let hawker = Hawker::new();
    let (first, last) = halves();
    hawker.file("hawker.toml", [SMALL_MODEL, NO_COPYWRITER].concat());
    hawker.file("first.csv", first);
    hawker.file("last.csv", last);
    let import = |file| {
        hawker.says(&[&["import", "online-retail", file][..], &CONSENT].concat());
    };
    import("first.csv");
    let message = hawker.fails(&["train", "--update"]);
    assert_eq!(
        message,
        "nothing was trained yet; run `hawker train` without `--update` first"
    );
    let trained = hawker.json(&["train"])["model_fingerprint"].clone();
    let message = hawker.fails(&["train", "--update"]);
    assert!(message.contains("import newer orders"), "{message}");
    import("last.csv");
    let stale = || hawker.status()["stages"][0]["stale"].clone();
    assert_eq!(stale(), true);
    let report = hawker.json(&["train", "--update"]);
    assert!(report["new_lines"].as_u64() > Some(100), "{report}");
    assert_eq!(stale(), false);
    let updated = hawker.status()["model_fingerprint"].clone();
    assert_ne!(updated, trained);
    let models = || {
        let entries = std::fs::read_dir(hawker.data().join("models")).expect("models");
        let names = entries.map(|e| {
            e.expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        });
        names.filter(|name| name.starts_with("serving-")).count()
    };
    assert_eq!(models(), 1);
    hawker.says(&[
        "campaign",
        "--channel",
        "push",
        "--goal",
        "click",
        "--out",
        "c.jsonl",
    ]);
    // Trained anew, nothing is left of it.
    hawker.says(&["train"]);
    assert_eq!(models(), 0);
    assert_ne!(hawker.status()["model_fingerprint"], updated);
}

#[test]
fn drift_is_told_period_by_period() {
    let hawker = Hawker::new();
    hawker.file("hawker.toml", [SMALL_MODEL, NO_COPYWRITER].concat());
    hawker.file("orders.csv", small_shop());
    hawker.says(&[&["import", "online-retail", "orders.csv"][..], &CONSENT].concat());
    let ask = [
        "drift",
        "--periods",
        "3",
        "--days",
        "60",
        "--plot",
        "drift.svg",
    ];
    let out = hawker.says(&ask);
    for part in [
        "3 periods of 60 days",
        "| trained once |",
        "| updated |",
        "| updated with replay |",
        "| trained anew |",
        "| period from | new products | new shoppers | shift of category |",
        "updated with replay: NDCG@10 0.",
        "curves in drift.svg",
    ] {
        assert!(out.contains(part), "{part} is not in {out}");
    }
    let plot = std::fs::read_to_string(hawker.path("drift.svg")).expect("a plot");
    assert_eq!(plot.matches("<polyline").count(), 4, "{plot}");
    // Asked again, everything is there already and the figures are the same.
    let report = hawker.json(&ask);
    let figures = &report["periods"][2]["figures"][2];
    assert_eq!(figures["upkeep"], "replayed");
    assert!(figures["coming"]["value"].as_f64() > Some(0.0), "{report}");
    assert!(report["periods"][2]["gain"]["low"].is_number(), "{report}");
    let message = hawker.fails(&["drift", "--days", "200"]);
    assert!(
        message.contains("give fewer `--periods` or `--days`"),
        "{message}"
    );
}
