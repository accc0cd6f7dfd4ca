//! What bad input and a damaged data directory get: exit code 1, a message with place and remedy, nothing half-written.

use std::io::Read;
use std::os::unix::fs::PermissionsExt;

use crate::hawker::{CONSENT, HEADER, Hawker, order_lines};

const IMPORT: [&str; 2] = ["import", "online-retail"];

fn packed(text: &str) -> Vec<u8> {
    let mut packed = Vec::new();
    let mut encoder = liblzma::read::XzEncoder::new(text.as_bytes(), 1);
    encoder.read_to_end(&mut packed).expect("packs");
    packed
}

#[test]
fn bad_files_are_refused_by_name_line_and_remedy() {
    let hawker = Hawker::new();
    let row = "1,20000,BLUE MUG,6,2024-05-01 10:00:00,2.55,17850,UK\n";
    hawker.file("empty.csv", "");
    hawker.file(
        "headless.csv",
        format!("{}\n{row}", HEADER.replace("Customer ID", "Client")),
    );
    hawker.file(
        "latin1.csv",
        [
            HEADER.as_bytes(),
            b"\n1,20000,CAF\xc9 MUG,6,2024-05-01 10:00:00,2.55,17850,UK\n",
        ]
        .concat(),
    );
    hawker.file("long.csv", format!("{HEADER}\n{}", "x".repeat(10 << 20)));
    hawker.file("book.xlsx", "no workbook");
    for (file, message) in [
        (
            "gone.csv",
            "gone.csv: there is no such file; check the path",
        ),
        (
            "empty.csv",
            "empty.csv: the file is empty; check that the export finished",
        ),
        (
            "headless.csv",
            "headless.csv, line 1: the header has no column `Customer ID`",
        ),
        (
            "latin1.csv",
            "latin1.csv, line 2: not UTF-8 (byte 0xc9); convert the file, for instance with `iconv",
        ),
        (
            "long.csv",
            "long.csv, line 2: a record is longer than 1024 KiB; look for a quote",
        ),
        ("book.xlsx", "book.xlsx: cannot be read as .xlsx"),
    ] {
        let said = hawker.fails(&[&IMPORT[..], &[file]].concat());
        assert!(said.starts_with(message), "{file}: {said}");
    }
    let status = hawker.status();
    assert_eq!(
        (&status["events"], &status["products"]),
        (&0.into(), &0.into())
    );
    // A missing file is noticed before the one in front of it is read.
    hawker.file("good.csv", format!("{HEADER}\n{row}"));
    hawker.fails(&[&IMPORT[..], &["good.csv", "gone.csv"]].concat());
    assert_eq!(hawker.status()["events"], 0);
}

#[test]
fn a_truncated_archive_is_refused_and_the_whole_one_completes_it() {
    let whole = packed(&order_lines(2_000, 100, 30, 400));
    let import = [&IMPORT[..], &["orders.csv.xz"], &CONSENT].concat();
    let hawker = Hawker::new();
    hawker.file("orders.csv.xz", &whole[..whole.len() / 2]);
    let message = hawker.fails(&import);
    assert!(message.starts_with("orders.csv.xz, line "), "{message}");
    assert!(
        message.contains("the file is truncated or damaged; fetch it again"),
        "{message}"
    );
    assert!(
        hawker.status()["consents"]
            .as_array()
            .is_some_and(Vec::is_empty),
        "a broken import assumes no consent"
    );
    hawker.file("orders.csv.xz", &whole);
    hawker.says(&import);

    let undisturbed = Hawker::new();
    undisturbed.file("orders.csv.xz", &whole);
    undisturbed.says(&import);
    assert_eq!(
        hawker.status()["fingerprint"],
        undisturbed.status()["fingerprint"]
    );
}

#[test]
fn a_second_process_is_told_to_wait() {
    let hawker = Hawker::new();
    hawker.file("orders.csv", order_lines(20, 5, 12, 100));
    hawker.says(&[&IMPORT[..], &["orders.csv"]].concat());
    let before = hawker.status()["fingerprint"].clone();
    let held = engine::Store::open(&hawker.data()).expect("opens");
    hawker.file("more.csv", order_lines(50, 5, 12, 100));
    for arguments in [&["status"][..], &[&IMPORT[..], &["more.csv"]].concat()] {
        let message = hawker.fails(arguments);
        assert_eq!(
            message,
            "the data directory hawker-data is in use by another hawker process; wait for it to end or stop it"
        );
    }
    drop(held);
    assert_eq!(hawker.status()["fingerprint"], before);
}

#[test]
fn a_lost_wrong_or_open_key_is_refused_until_the_right_one_is_back() {
    let hawker = Hawker::new();
    hawker.file("orders.csv", order_lines(20, 5, 12, 100));
    let import = [&IMPORT[..], &["orders.csv"]].concat();
    hawker.says(&import);
    let key = hawker.data().join("vault.key");
    let right = std::fs::read(&key).expect("a key");
    std::fs::remove_file(&key).expect("removes");
    for arguments in [&["status"][..], &import] {
        let message = hawker.fails(arguments);
        assert!(
            message.starts_with("the key file hawker-data/vault.key is missing; put it back"),
            "{message}"
        );
        assert!(
            !key.exists(),
            "a new key would make the old pseudonyms unreadable"
        );
    }
    std::fs::write(&key, [7; 32]).expect("writes");
    let message = hawker.fails(&["status"]);
    assert!(
        message.contains("vault.key can be read by other users; run `chmod 600` on it"),
        "{message}"
    );
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).expect("sets");
    let message = hawker.fails(&import);
    assert!(
        message.contains("vault.key is not the one that this data directory was made with"),
        "{message}"
    );
    std::fs::write(&key, &right[..31]).expect("writes");
    let message = hawker.fails(&["status"]);
    assert!(
        message.contains("vault.key does not hold 32 bytes; put the right file back"),
        "{message}"
    );
    std::fs::write(&key, right).expect("writes");
    assert!(hawker.status()["events"].as_u64() > Some(20));
}

#[test]
fn a_file_that_cannot_be_written_leaves_no_decision() {
    let hawker = Hawker::new();
    hawker.file("orders.csv", order_lines(60, 10, 12, 200));
    hawker.says(&[&IMPORT[..], &["orders.csv"], &CONSENT].concat());
    std::fs::create_dir(hawker.path("out")).expect("writable");
    for out in ["out", "orders.csv/campaign.jsonl"] {
        let message = hawker.fails(&[
            "campaign",
            "--channel",
            "push",
            "--goal",
            "click",
            "--out",
            out,
        ]);
        assert!(
            message.contains(out.split('/').next().unwrap_or(out)),
            "{message}"
        );
    }
    assert_eq!(hawker.status()["decisions"], 0);
}

#[test]
fn a_shop_without_a_past_cannot_be_trained_and_is_told_why() {
    let hawker = Hawker::new();
    hawker.file(
        "orders.csv",
        format!("{HEADER}\n1,20000,BLUE MUG,6,2024-05-01 10:00:00,2.55,17850,UK\n"),
    );
    hawker.says(&[&IMPORT[..], &["orders.csv"]].concat());
    let message = hawker.fails(&["evaluate"]);
    assert_eq!(message, "nothing was trained yet; run `hawker train` first");
    let message = hawker.fails(&["train"]);
    assert!(message.contains("evaluation.validation_start"), "{message}");
    assert!(hawker.status()["model_fingerprint"].is_null());
}
