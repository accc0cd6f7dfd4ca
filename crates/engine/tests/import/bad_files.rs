//! What bad input gets: an error that names file, line and remedy, and nothing lost of what came before it.

use std::io::Read;
use std::path::Path;

use engine::Store;
use engine::ingest::Format;

use crate::shop::{HEADER, TestShop, order_lines};

fn packed(text: &str) -> Vec<u8> {
    let mut packed = Vec::new();
    liblzma::read::XzEncoder::new(text.as_bytes(), 1)
        .read_to_end(&mut packed)
        .unwrap();
    packed
}

#[test]
fn bad_files_are_refused_with_file_line_and_remedy() {
    let mut shop = TestShop::new();
    let no_price = HEADER.replace("Price", "Prize");
    let long = format!("{HEADER}\n{}", "x".repeat(10 << 20));
    for (format, content, message) in [
        (
            Format::OnlineRetail,
            String::new(),
            "f: the file is empty; check that the export finished, then import it again".to_owned(),
        ),
        (
            Format::OnlineRetail,
            format!("{no_price}\n1,2,3,4,5,6,7,8\n"),
            "f, line 1: the header has no column `Price`; is it `prize`?; it has: invoice, stockcode, description, \
             quantity, invoicedate, prize, customer id, country"
                .to_owned(),
        ),
        (
            Format::MerchantFeed,
            "id\ttitle\n".to_owned(),
            "f, line 1: the header has no column `price`; it has: id, title".to_owned(),
        ),
        (
            Format::OnlineRetail,
            long.clone(),
            "f, line 2: a record is longer than 1024 KiB; look for a quote that is never closed on this line".to_owned(),
        ),
        (
            Format::Segment,
            long,
            "f, line 2: a record is longer than 1024 KiB; write one object a line".to_owned(),
        ),
    ] {
        assert_eq!(shop.refusal(format, "f", content), message);
    }
    let latin = shop.refusal(Format::Segment, "f", b"{}\n{\"title\":\"Caf\xe9\"}\n");
    assert_eq!(
        latin,
        "f, line 2: not UTF-8 (byte 0xe9); convert the file, for instance with `iconv -f latin1 -t utf-8`"
    );
    let missing = shop
        .import(Format::Segment, &[Path::new("nowhere.jsonl")])
        .unwrap_err()
        .to_string();
    assert_eq!(
        missing,
        "nowhere.jsonl: there is no such file; check the path; paths are relative to where you run hawker"
    );
    let parquet = shop.refusal(Format::Parquet, "f.parquet", "no parquet");
    assert!(
        parquet.starts_with("f.parquet: cannot be read as Parquet: "),
        "{parquet}"
    );
    let workbook = shop.refusal(Format::OnlineRetail, "f.xlsx", "no workbook");
    assert!(
        workbook.starts_with("f.xlsx: cannot be read as .xlsx: "),
        "{workbook}"
    );
}

#[test]
fn a_missing_file_is_noticed_before_the_others_are_read() {
    let mut shop = TestShop::new();
    let good = shop.file("good.csv", order_lines(10));
    let missing = shop.path("missing.csv");
    assert!(
        shop.import(Format::OnlineRetail, &[&good, &missing])
            .is_err()
    );
    assert_eq!(shop.store.log_summary().unwrap().events, 0);
}

#[test]
fn rows_before_a_fault_are_kept_and_the_mended_file_completes_them() {
    let mut shop = TestShop::new();
    let whole = order_lines(4000);
    let mut cut = packed(&whole);
    cut.truncate(cut.len() / 2);
    let message = shop.refusal(Format::OnlineRetail, "f.csv.xz", cut);
    assert!(
        message.contains("the file is truncated or damaged; fetch it again"),
        "{message}"
    );
    assert!(message.starts_with("f.csv.xz, line "), "{message}");
    let events = shop.store.log_summary().unwrap().events;

    let mended = shop.file("f.csv.xz", packed(&whole));
    let report = shop.import(Format::OnlineRetail, &[&mended]).unwrap();
    assert!(
        events > 100 && report.kept > 100,
        "{events} before, {} after",
        report.kept
    );
    let mut other = TestShop::new();
    let mended = other.file("f.csv.xz", packed(&whole));
    other.import(Format::OnlineRetail, &[&mended]).unwrap();
    assert_eq!(
        shop.store.fingerprint().unwrap(),
        other.store.fingerprint().unwrap()
    );
}

#[test]
fn a_header_without_rows_is_an_import_of_nothing() {
    let mut shop = TestShop::new();
    let report = shop.take(Format::OnlineRetail, HEADER);
    assert_eq!((report.rows_read, report.products), (0, 0));
}

#[test]
fn a_clock_in_the_future_and_a_changing_currency_are_quarantined_and_raise_an_alarm() {
    let mut shop = TestShop::new();
    let event = |id: u32, at: &str, currency: &str| {
        format!(
            r#"{{"messageId":"{id}","event":"Order Completed","userId":"u","timestamp":"{at}","properties":{{"order_id":"o{id}","currency":"{currency}","products":[{{"product_id":"p","price":2}}]}}}}"#
        ) + "\n"
    };
    let lines = [
        event(1, "2026-05-01T00:00:00Z", "GBP"),
        event(2, "2026-06-02T11:59:59Z", "GBP"),
        event(3, "2026-06-02T12:00:01Z", "GBP"),
        event(4, "2026-05-01T00:00:00Z", "EUR"),
        event(5, "2031-05-01T00:00:00Z", "GBP"),
    ];
    let report = shop.take(Format::Segment, &lines.concat());
    assert_eq!((report.kept, report.quarantined), (2, 3));
    assert_eq!(report.by_reason["future_timestamp"], 2);
    assert_eq!(report.by_reason["currency_changes"], 1);
    let alarms: Vec<_> = report
        .alarms
        .iter()
        .map(|alarm| (alarm.reason.as_str(), alarm.line))
        .collect();
    assert_eq!(alarms, [("future_timestamp", 3), ("currency_changes", 4)]);
    assert_eq!(
        report.alarms[1].detail,
        "the price is in EUR, the shop's currency is GBP; convert it, or set `shop.currency`"
    );
}

#[test]
fn the_wrong_shop_currency_is_refused_before_a_row_is_read() {
    let mut shop = TestShop::new();
    shop.config.shop.currency = "EUR".to_owned();
    assert_eq!(
        shop.refusal(Format::OnlineRetail, "f.csv", order_lines(3)),
        "hawker.toml: `shop.currency` is EUR, but online-retail prices are in GBP; set it to GBP for this data directory"
    );
}

#[test]
fn a_second_process_is_told_to_wait() {
    let shop = TestShop::new();
    let message = Store::open(shop.store.dir()).err().unwrap().to_string();
    assert!(
        message.ends_with("is in use by another hawker process; wait for it to end or stop it"),
        "{message}"
    );
}
