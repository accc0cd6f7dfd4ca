//! Exports: whole files, under pseudonyms or identifiers, that can be imported again.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use engine::export::{Names, export_decisions, export_events, export_products};
use engine::ingest::Format;
use parquet::file::reader::{FileReader, SerializedFileReader};
use serde_json::Value;

use crate::shop::{TestShop, order_lines};

fn shop_with_orders() -> TestShop {
    let mut shop = TestShop::new();
    let file = shop.file("lines.csv", order_lines(500));
    shop.import(Format::OnlineRetail, &[&file]).unwrap();
    shop
}

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn exported_events_can_be_imported_again() {
    let shop = shop_with_orders();
    let path = shop.path("events.jsonl");
    let written = export_events(&shop.store, &path, Names::Identifiers).unwrap();
    assert_eq!(written, shop.store.log_summary().unwrap().events);
    let mut other = TestShop::new();
    let report = other.import(Format::Segment, &[&path]).unwrap();
    assert_eq!((report.kept, report.rows_read), (written, written));
    let content = |shop: &TestShop| {
        let mut events: Vec<_> = shop
            .events()
            .into_iter()
            .map(|event| (event.at, event.kind, format!("{:?}", event.properties)))
            .collect();
        events.sort();
        events
    };
    assert_eq!(content(&other), content(&shop));
    assert_eq!(
        other.store.shoppers().unwrap().len(),
        shop.store.shoppers().unwrap().len()
    );
}

#[test]
fn identifiers_appear_only_where_they_were_asked_for() {
    let mut shop = shop_with_orders();
    let review = r#"{"reviewerID":"R1","asin":"B1","reviewText":"smells of candy","overall":5,"unixReviewTime":1393545600}"#;
    shop.take(Format::AmazonReviews, review);
    let path = shop.path("events.jsonl");
    let read = |names| {
        export_events(&shop.store, &path, names).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        (std::fs::read_to_string(&path).unwrap(), mode)
    };
    let (text, mode) = read(Names::Pseudonyms);
    assert!(
        !text.contains("candy") && !text.contains("\"R1\"") && !text.contains("guest:"),
        "{text}"
    );
    assert!(text.contains("\"userId\":\"p_") && text.contains("\"anonymousId\":\"p_"));
    assert_eq!(mode & 0o077, 0o044);
    let (text, mode) = read(Names::Identifiers);
    assert!(
        text.contains("candy") && text.contains("\"userId\":\"R1\"") && text.contains("guest:")
    );
    assert_eq!(mode, 0o600);
}

#[test]
fn parquet_holds_the_same_rows() {
    let shop = shop_with_orders();
    let (events, products) = (shop.path("events.parquet"), shop.path("products.parquet"));
    let written = export_events(&shop.store, &events, Names::Pseudonyms).unwrap();
    let reader =
        |path: &Path| SerializedFileReader::new(std::fs::File::open(path).unwrap()).unwrap();
    let rows = |path: &Path| reader(path).metadata().file_metadata().num_rows();
    assert_eq!(rows(&events), written.cast_signed());
    let first = reader(&events)
        .get_row_iter(None)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .to_string();
    assert!(
        first.contains("event: \"Order Completed\"") && first.contains("price: 1"),
        "{first}"
    );
    let written = export_products(&shop.store, &products).unwrap();
    assert_eq!(rows(&products), written.cast_signed());
    let json = shop.path("products.jsonl");
    export_products(&shop.store, &json).unwrap();
    assert_eq!(lines(&json).len() as u64, written);
    assert_eq!(
        export_decisions(
            &shop.store,
            &shop.path("decisions.parquet"),
            Names::Pseudonyms
        )
        .unwrap(),
        0
    );
}

#[test]
fn an_exported_table_can_be_imported_through_its_columns() {
    let shop = shop_with_orders();
    let path = shop.path("events.parquet");
    let written = export_events(&shop.store, &path, Names::Identifiers).unwrap();
    let mut other = TestShop::new();
    let report = other.import(Format::Parquet, &[&path]).unwrap();
    assert_eq!((report.rows_read, report.kept), (written, written));
}

#[test]
fn a_name_without_a_format_is_refused_and_nothing_is_left() {
    let shop = shop_with_orders();
    let message = export_products(&shop.store, &shop.path("products.txt"))
        .unwrap_err()
        .to_string();
    assert!(
        message.ends_with(
            "its name says neither Parquet nor JSON lines; end it in .parquet or .jsonl"
        ),
        "{message}"
    );
    let message = export_products(&shop.store, &shop.path("no/folder/products.jsonl"))
        .unwrap_err()
        .to_string();
    assert!(message.starts_with("cannot create "), "{message}");
}
