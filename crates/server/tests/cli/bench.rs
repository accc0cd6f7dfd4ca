//! `hawker bench`: our figures beside those of peers, which are shell scripts here.

use std::io::Read;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::hawker::{HEADER, Hawker};

const ROWS: &str = "1,20000,BLUE MUG,6,2010-01-04 10:00:00,2.55,17850,UK\n\
                    1,20000,BLUE MUG,6,2010-01-04 10:00:00,2.55,17850,UK\n\
                    2,POST,POSTAGE,1,2010-01-05 10:00:00,2.0,17850,UK\n";

/// A folder with one packed file of order lines.
fn order_files(hawker: &Hawker) {
    let text = format!("{HEADER}\n{ROWS}");
    let mut packed = Vec::new();
    let mut encoder = liblzma::read::XzEncoder::new(text.as_bytes(), 1);
    encoder.read_to_end(&mut packed).expect("packs");
    std::fs::create_dir(hawker.path("retail")).expect("writable");
    hawker.file("retail/lines.csv.xz", packed);
}

/// Something that answers as a Python with one peer's package would, and without the other's.
fn python(hawker: &Hawker, kept: u64) {
    let report = json!({
        "peer": "duckdb 9.9", "rows_read": 3, "kept": kept, "merged": 1, "quarantined": 1,
        "rows_per_s_with_unpacking": 1000,
    });
    hawker.file(
        "python",
        format!(
            "#!/bin/sh\ncase \"$1 $2\" in\n*pandas*) echo 'No module named pandas' >&2; exit 1;;\n-c*) echo \"$0\";;\n*) \
             sleep 0.05; echo '{report}';;\nesac\n"
        ),
    );
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(hawker.path("python"), mode).expect("runnable");
    std::fs::create_dir_all(hawker.path("peers")).expect("writable");
    for script in ["import_duckdb.py", "import_pandas.py"] {
        hawker.file(&format!("peers/{script}"), "");
    }
}

fn import(hawker: &Hawker) -> Value {
    let python = hawker.path("python");
    let python = python.to_str().expect("text");
    hawker.json(&[
        "bench", "import", "--path", "retail", "--runs", "2", "--python", python, "--peers",
        "peers",
    ])
}

#[test]
fn an_import_is_measured_beside_the_peers_that_are_there() {
    let hawker = Hawker::new();
    order_files(&hawker);
    python(&hawker, 1);
    let report = import(&hawker);
    let rows = report["rows"].as_array().expect("rows");
    assert_eq!(rows.len(), 2, "{report}");
    assert_eq!(
        (&rows[0]["work"], &rows[0]["unit"], &rows[0]["peer_name"]),
        (
            &json!("import online-retail"),
            &json!("rows/s"),
            &json!("duckdb 9.9")
        )
    );
    let figure = |row: usize, key: &str| rows[row][key].as_f64().expect("a figure");
    assert!((figure(0, "peer") - 1000.0).abs() < 1e-9);
    assert!((figure(0, "ratio") - figure(0, "ours") / 1000.0).abs() < 1e-9);
    if cfg!(target_os = "linux") {
        assert_eq!(rows[1]["unit"], "MiB");
        assert!(
            figure(1, "ours") > figure(1, "peer"),
            "a shell is smaller: {report}"
        );
    }
    assert_eq!(report["skipped"][0]["peer"], "pandas");
    let why = report["skipped"][0]["why"].as_str().expect("words");
    assert!(why.contains("No module named pandas"), "{why}");
    assert_eq!(report["disagreements"], json!([]));
    assert_eq!(report["runs"], 2);
    assert!(!hawker.data().exists(), "nothing is left behind");
}

#[test]
fn a_peer_that_comes_to_another_result_is_named() {
    let hawker = Hawker::new();
    order_files(&hawker);
    python(&hawker, 2);
    let report = import(&hawker);
    let said = report["disagreements"][0].as_str().expect("words");
    assert!(
        said.starts_with(
            "duckdb 9.9 kept, merged and quarantined 2, 1 and 1 rows, hawker 1, 1 and 1"
        ),
        "{said}"
    );
}

#[test]
fn without_peers_ours_stands_alone() {
    let hawker = Hawker::new();
    order_files(&hawker);
    let arguments = ["bench", "import", "--path", "retail", "--runs", "1"];
    let report = hawker.json(&arguments);
    assert!(report["rows"][0]["ours"].as_f64().expect("a figure") > 0.0);
    assert_eq!(
        (&report["rows"][0]["peer"], &report["rows"][0]["ratio"]),
        (&Value::Null, &Value::Null)
    );
    let said = hawker.says(&arguments);
    assert!(
        said.contains(
            "skipped DuckDB: bench/peers/import_duckdb.py is not there; run from the repository"
        ),
        "{said}"
    );
    std::fs::remove_file(hawker.path("retail/lines.csv.xz")).expect("removes");
    let message = hawker.fails(&arguments);
    assert!(
        message.starts_with("retail holds no .csv.xz file"),
        "{message}"
    );
}

#[test]
fn a_state_is_measured_beside_the_floor_where_no_peer_is_there() {
    let hawker = Hawker::new();
    let arguments = [
        "bench",
        "nn",
        "--only",
        "user state",
        "--runs",
        "1",
        "--python",
        "/no/such/python",
    ];
    let report = hawker.json(&arguments);
    let row = &report["rows"][0];
    assert_eq!(
        (&row["work"], &row["unit"], &row["peer"], &row["ratio"]),
        (
            &json!("user state, 50 events, batch 1"),
            &json!("states/s"),
            &Value::Null,
            &Value::Null
        )
    );
    let figure = |key: &str| row[key].as_f64().expect("a figure");
    let share = figure("ours") / figure("floor");
    assert!((figure("floor_share") - share).abs() < 1e-9, "{report}");
    let skipped = &report["skipped"][0];
    assert_eq!(skipped["peer"], "ONNX Runtime");
    let why = skipped["why"].as_str().expect("words");
    assert!(why.starts_with("cannot run /no/such/python: "), "{why}");
    assert!(!hawker.data().exists(), "nothing is left behind");
    let message = hawker.fails(&["bench", "nn", "--only", "fame"]);
    assert!(
        message.starts_with("--only names no work; they are: user-model step; "),
        "{message}"
    );
}

#[test]
fn a_graph_is_measured_beside_looking_at_every_item() {
    let hawker = Hawker::new();
    let report = hawker.json(&["bench", "retrieval", "--items", "1500", "--runs", "1"]);
    let rows = report["rows"].as_array().expect("rows");
    let work = |row: usize| (rows[row]["work"].as_str(), rows[row]["unit"].as_str());
    assert_eq!(
        (0..rows.len()).map(work).collect::<Vec<_>>(),
        [
            (Some("1,500 items, best 100"), Some("queries/s")),
            (Some("1,500 items, recall of the best 100"), Some("share")),
            (Some("1,500 items, built in"), Some("s")),
            (Some("1,500 items, memory"), Some("MiB")),
        ]
    );
    let figure = |row: usize, key: &str| rows[row][key].as_f64().expect("a figure");
    assert!(figure(0, "ours") > 0.0 && figure(0, "peer") > 0.0);
    assert!((0.8..=1.0).contains(&figure(1, "ours")), "{report}");
    assert!(figure(3, "ours") > figure(3, "peer"), "{report}");
    assert_eq!(rows[0]["peer_name"], "exact scan");
    assert!(!hawker.data().exists(), "nothing is left behind");
}

#[test]
fn what_can_be_measured_is_listed() {
    let hawker = Hawker::new();
    let listed = hawker.json(&["bench", "--list"]);
    assert_eq!(listed["benches"][0]["name"], "import");
    assert_eq!(listed["benches"][1]["name"], "nn");
    assert_eq!(listed["benches"][2]["name"], "retrieval");
    assert!(hawker.says(&["bench", "--list"]).starts_with("import "));
    for arguments in [
        &["bench"] as &[&str],
        &["bench", "import"],
        &["bench", "fame"],
    ] {
        assert_eq!(hawker.run(arguments).code, Some(2), "{arguments:?}");
    }
}
