//! An import that is stopped at any moment and run again ends where an undisturbed one ends.

use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::{Format, ImportProgress, ImportReport, ImportRequest, import_committing};
use crate::config::Config;
use crate::error::Result;
use crate::store::Store;

const FOLDER: &str = "HAWKER_TEST_FOLDER";
const ROWS: u64 = 25_000;
/// So few that a short file takes several transactions.
const COMMIT_ROWS: usize = 8192;

/// Writes order lines, with repeated, free, postage and guest lines among them.
fn write_lines(folder: &Path) -> PathBuf {
    let mut csv =
        "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country\n".to_owned();
    for row in 0..ROWS {
        let (order, product, day) = (row / 7, row * 13 % 300, 1 + row / 7 % 28);
        let code = if row % 97 == 3 {
            "POST".to_owned()
        } else {
            format!("{}", 20_000 + product)
        };
        let price = if row % 101 == 5 { 0 } else { 1 + product % 20 };
        let customer = if order % 5 == 0 {
            String::new()
        } else {
            format!("{}", 12_000 + order % 900)
        };
        let line = format!(
            "{order},{code},PRODUCT {product},{},2010-03-{day:02} 10:00:00,{price}.95,{customer},UK",
            1 + row % 9
        );
        for _ in 0..=usize::from(row % 83 == 7) {
            writeln!(csv, "{line}").expect("writes to a string");
        }
    }
    let path = folder.join("lines.csv");
    std::fs::write(&path, csv).expect("writes");
    path
}

fn run(
    store: &mut Store,
    file: &Path,
    progress: &mut dyn FnMut(&ImportProgress),
) -> Result<ImportReport> {
    let request = ImportRequest {
        format: Format::OnlineRetail,
        files: vec![file.to_owned()],
        consents: vec!["email:marketing=granted".parse().expect("valid")],
        now: "2026-06-01T12:00:00Z".parse().expect("valid"),
    };
    import_committing(store, &Config::default(), &request, COMMIT_ROWS, progress)
}

/// The state after an undisturbed import of the folder's file.
fn undisturbed(folder: &Path, file: &Path) -> String {
    let mut store = Store::open(&folder.join("undisturbed")).expect("opens");
    let report = run(&mut store, file, &mut |_| {}).expect("imports");
    assert!(
        report.merged > 100 && report.quarantined > 100,
        "{report:?}"
    );
    store.fingerprint().expect("reads")
}

#[test]
fn an_import_that_dies_between_its_batches_ends_in_the_same_state() {
    let folder = tempfile::tempdir().expect("temporary directory");
    let file = write_lines(folder.path());
    let wanted = undisturbed(folder.path(), &file);
    for batches in [1, 4, 6] {
        let data = folder.path().join(format!("died-{batches}"));
        let mut store = Store::open(&data).expect("opens");
        let mut left = batches;
        let died = catch_unwind(AssertUnwindSafe(|| {
            run(&mut store, &file, &mut |_| {
                left -= 1;
                assert!(left > 0, "dies here, on purpose");
            })
        }));
        assert!(died.is_err());
        drop(store);
        let mut store = Store::open(&data).expect("opens again");
        run(&mut store, &file, &mut |_| {}).expect("imports");
        assert_eq!(
            store.fingerprint().expect("reads"),
            wanted,
            "died after {batches} batches"
        );
    }
}

#[test]
fn a_killed_process_leaves_a_data_directory_that_the_next_one_completes() {
    let folder = tempfile::tempdir().expect("temporary directory");
    let file = write_lines(folder.path());
    let wanted = undisturbed(folder.path(), &file);
    for wait_ms in [0, 30, 120, 250] {
        let mut child = Command::new(std::env::current_exe().expect("known"))
            .args(["--ignored", "--exact", "ingest::killed_tests::child"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("starts");
        std::thread::sleep(Duration::from_millis(wait_ms));
        child.kill().expect("kills");
        child.wait().expect("ends");
    }
    let mut store = Store::open(&folder.path().join("killed")).expect("opens");
    run(&mut store, &file, &mut |_| {}).expect("imports");
    assert_eq!(store.fingerprint().expect("reads"), wanted);
}

#[test]
#[ignore = "is the process that the test above kills"]
fn child() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        let folder = Path::new(&folder);
        let mut store = Store::open(&folder.join("killed")).expect("opens");
        run(&mut store, &folder.join("lines.csv"), &mut |_| {}).expect("imports");
    }
}

#[test]
fn a_full_disk_keeps_what_was_committed_and_more_room_completes_it() {
    let folder = tempfile::tempdir().expect("temporary directory");
    let file = write_lines(folder.path());
    let wanted = undisturbed(folder.path(), &file);
    let data = folder.path().join("full");
    let mut store = Store::open(&data).expect("opens");
    store.limit_pages(600).expect("limits");
    let message = run(&mut store, &file, &mut |_| {})
        .expect_err("full")
        .to_string();
    assert_eq!(
        message,
        format!(
            "the disk that holds {} is full; free some space and run the command again, nothing was half-written",
            data.display()
        )
    );
    let events = store.log_summary().expect("reads").events;
    assert!(events > 5000 && events < ROWS, "{events}");
    drop(store);
    let mut store = Store::open(&data).expect("opens again");
    run(&mut store, &file, &mut |_| {}).expect("imports");
    assert_eq!(store.fingerprint().expect("reads"), wanted);
}
