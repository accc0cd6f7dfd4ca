//! The formats from file to store.

use engine::ingest::Format;
use events::{Availability, EventKind};

use crate::shop::{HEADER, TestShop, order_lines};

#[test]
fn the_simulated_shop_is_taken_in_and_its_dirt_is_not() {
    let config = datasets::ShopConfig {
        dirt: true,
        end: jiff::civil::date(2026, 5, 1),
        ..datasets::ShopConfig::small()
    };
    let simulated = datasets::SimulatedShop::new(config, 7).unwrap();
    let lines: Vec<String> = simulated.segment_lines().collect();
    let mut shop = TestShop::new();
    let report = shop.take(Format::Segment, &(lines.join("\n") + "\n"));
    assert_eq!(report.rows_read, lines.len() as u64);
    assert_eq!(report.kept, simulated.events().count() as u64);
    assert!(report.merged > 0 && report.quarantined > 0, "{report:?}");
    assert!(
        shop.store
            .consent_summary()
            .unwrap()
            .iter()
            .any(|consent| consent.source == "sign-up form")
    );
}

#[test]
fn reviews_are_events_with_stars() {
    let mut shop = TestShop::new();
    let review = |who: &str| {
        format!(r#"{{"reviewerID":"{who}","asin":"B1","overall":5,"unixReviewTime":1393545600}}"#)
    };
    let report = shop.take(
        Format::AmazonReviews,
        &[review("a"), review("b"), review("a"), "{".to_owned()].join("\n"),
    );
    assert_eq!(
        (report.kept, report.merged, report.by_reason["not_a_review"]),
        (2, 1, 1)
    );
    assert_eq!(shop.events()[0].kind, EventKind::ProductReviewed);
}

#[test]
fn a_mapped_table_brings_orders_and_products() {
    let mut shop = TestShop::new();
    for (field, column) in [
        ("user_id", "customer"),
        ("timestamp", "ordered_at"),
        ("product_id", "sku"),
    ] {
        shop.config
            .import
            .columns
            .insert(field.to_owned(), column.to_owned());
    }
    let csv = "ordered_at,customer,sku,title,price,quantity,order_id\n2026-05-01 10:00:00,ada,m-1,Blue mug,2.5,3,o1\n\
               2026-05-01T09:00:00Z,ada,m-1,Blue mug,2.50,3,o1\n2026-05-01 10:00:00,,m-1,Blue mug,2.5,3,o1\n";
    let report = shop.take(Format::Csv, csv);
    assert_eq!(
        (
            report.kept,
            report.merged,
            report.by_reason["missing_user_id"]
        ),
        (1, 1, 1)
    );
    assert_eq!(
        shop.store.catalogue().unwrap().products["m-1"].title,
        "Blue mug"
    );
}

#[test]
fn a_catalogue_file_replaces_derived_products_and_is_never_replaced_by_them() {
    let mut shop = TestShop::new();
    let lines = format!("{HEADER}\n1,20000,BLUE MUG,6,2010-12-01 08:26:00,2.55,17850.0,UK\n");
    shop.take(Format::OnlineRetail, &lines);
    let feed = "id\ttitle\tprice\tavailability\n20000\tBlue mug, 300 ml\t3.00 GBP\tin_stock\n2\tCup\t1 EUR\tin_stock\n";
    let report = shop.take(Format::MerchantFeed, feed);
    assert_eq!((report.kept, report.by_reason["currency_changes"]), (1, 1));
    let report = shop.take(Format::MerchantFeed, feed);
    assert_eq!((report.kept, report.merged, report.quarantined), (0, 1, 1));
    shop.take(Format::OnlineRetail, &lines);
    assert_eq!(
        shop.store.catalogue().unwrap().products["20000"].title,
        "Blue mug, 300 ml"
    );
}

#[test]
fn variants_share_what_the_first_row_of_their_handle_says() {
    let mut shop = TestShop::new();
    let csv = "Handle,Title,Body (HTML),Vendor,Type,Option1 Name,Option1 Value,Variant SKU,Variant Price,Image Src,Status\n\
               mug,Blue mug,<p>Stoneware</p>,Kiln,Mugs,Size,Small,M-S,8,a.jpg,archived\nmug,,,,,,Large,M-L,9,,\n\
               mug,,,,,,,,,b.jpg,\nbowl,,,,,,Large,B-L,9,,\n";
    let report = shop.take(Format::ShopifyProducts, csv);
    assert_eq!(
        (
            report.kept,
            report.merged,
            report.by_reason["variant_without_product"]
        ),
        (2, 1, 1)
    );
    let large = &shop.store.catalogue().unwrap().products["M-L"];
    assert_eq!(
        (large.title.as_str(), large.description.as_str()),
        ("Blue mug", "Stoneware")
    );
    assert_eq!(large.item_group_id.as_deref(), Some("mug"));
    assert_eq!(
        (large.facts[0].name.as_str(), large.facts[0].value.as_str()),
        ("size", "Large")
    );
    assert_eq!(large.availability, Availability::Discontinued);
    assert_eq!(shop.take(Format::ShopifyProducts, csv).merged, 3);
}

#[test]
fn the_publishers_workbook_says_the_same_as_the_csv() {
    let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/import/fixtures");
    let [workbook, csv] = ["lines.xlsx", "lines.csv"].map(|name| fixtures.join(name));
    let mut shop = TestShop::new();
    let first = shop.import(Format::OnlineRetail, &[&workbook]).unwrap();
    let again = shop.import(Format::OnlineRetail, &[&csv]).unwrap();
    assert!(first.kept > 150 && first.quarantined > 5, "{first:?}");
    assert_eq!(again.rows_read, first.rows_read);
    assert_eq!((again.kept, again.merged), (0, first.kept + first.merged));
    assert_eq!(again.by_reason, first.by_reason);
}

#[test]
fn progress_counts_rows_and_bytes() {
    let mut shop = TestShop::new();
    let file = shop.file("lines.csv", order_lines(9000));
    let request = crate::shop::request(Format::OnlineRetail, &[&file], &[]);
    let mut seen = Vec::new();
    let report = engine::ingest::import(&mut shop.store, &shop.config, &request, &mut |progress| {
        seen.push(progress.clone());
    });
    let last = seen.last().unwrap();
    assert_eq!(
        (last.rows, last.bytes_read),
        (report.unwrap().rows_read, last.bytes_total)
    );
    assert!(seen.windows(2).all(|pair| pair[0].rows <= pair[1].rows));
}
