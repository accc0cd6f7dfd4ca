//! Rows of the quarantine: kept as they stood, repaired by a person, taken in after all.

use engine::ingest::{Format, ImportReport, import, reimport};
use jiff::SignedDuration;

use crate::shop::{HEADER, TestShop, now, request};

const ROWS: &str = "1,20000,BLUE MUG,x,2010-01-04 10:00:00,2.5,1,UK\n2,POST,POSTAGE,1,2010-01-04 10:00:00,2.5,1,UK\n";

#[test]
fn a_quarantined_row_is_kept_as_it_stood() {
    let mut shop = TestShop::new();
    let file = shop.file("lines.csv", format!("{HEADER}\n{ROWS}"));
    shop.import(Format::OnlineRetail, &[&file]).unwrap();
    let entries = shop.store.quarantine_entries(None, 10).unwrap();
    let entry = &entries[0];
    assert_eq!(
        (entry.format.as_str(), entry.file.as_str(), entry.line),
        ("online-retail", "lines.csv", 2)
    );
    assert_eq!(
        (entry.reason.as_str(), entry.header.as_str()),
        ("invalid_quantity", HEADER)
    );
    assert_eq!(entry.text, ROWS.lines().next().unwrap());
    assert_eq!(
        entry.detail,
        "`Quantity` is `x`; expected a whole number of pieces"
    );
    let of_reason = shop.store.quarantine_entries(Some("postage"), 10).unwrap();
    assert_eq!(of_reason, entries[1..]);
}

#[test]
fn a_repaired_row_is_taken_in_once() {
    let mut shop = TestShop::new();
    let file = shop.file("lines.csv", format!("{HEADER}\n{ROWS}"));
    shop.import(Format::OnlineRetail, &[&file]).unwrap();
    let mut entries = shop.store.quarantine_entries(None, 10).unwrap();
    entries[0].text = entries[0].text.replace(",x,", ",3,");

    let report = reimport(&mut shop.store, &shop.config, entries.clone(), now()).unwrap();
    assert_eq!(
        (report.rows_read, report.kept, report.quarantined),
        (2, 1, 1)
    );
    assert_eq!((report.by_reason["postage"], report.products), (1, 1));
    assert_eq!(shop.events()[0].properties.products[0].quantity, 3);
    assert_eq!(
        shop.store.quarantine_counts().unwrap(),
        [("postage".to_owned(), 1)]
    );

    // Neither the same repair nor the file with the bad row brings it back.
    let report = reimport(&mut shop.store, &shop.config, entries, now()).unwrap();
    assert_eq!((report.kept, report.merged, report.quarantined), (0, 1, 1));
    let report = shop.import(Format::OnlineRetail, &[&file]).unwrap();
    assert_eq!((report.kept, report.merged, report.quarantined), (0, 1, 1));
    assert_eq!(
        shop.store.quarantine_counts().unwrap(),
        [("postage".to_owned(), 1)]
    );
}

#[test]
fn a_variant_finds_its_product_when_it_is_repaired() {
    let mut shop = TestShop::new();
    let csv = "Handle,Title,Vendor,Option1 Name,Option1 Value,Variant SKU,Variant Price\n\
               mug,Blue mug,Kiln,Size,Small,M-S,8\nmug,,,,Large,M-L,nine\n";
    shop.take(Format::ShopifyProducts, csv);
    let mut entries = shop.store.quarantine_entries(None, 10).unwrap();
    assert_eq!(entries[0].reason, "invalid_price");
    entries[0].text = entries[0].text.replace("nine", "9");
    reimport(&mut shop.store, &shop.config, entries, now()).unwrap();
    let variant = &shop.store.catalogue().unwrap().products["M-L"];
    assert_eq!(
        (variant.title.as_str(), variant.brand.as_deref()),
        ("Blue mug", Some("Kiln"))
    );
}

#[test]
fn foreign_entries_are_refused_and_nothing_is_taken_in() {
    let mut shop = TestShop::new();
    shop.take(Format::OnlineRetail, &format!("{HEADER}\n{ROWS}"));
    let mut entries = shop.store.quarantine_entries(None, 10).unwrap();
    entries[0].text = entries[0].text.replace(",x,", ",3,");
    entries[1].id = 99;
    let message = reimport(&mut shop.store, &shop.config, entries, now())
        .unwrap_err()
        .to_string();
    assert_eq!(
        message,
        "the quarantine has no entry 99; export the quarantine of this data directory again and edit that"
    );
    assert!(shop.events().is_empty());
}

#[test]
fn rows_expire_when_nobody_repairs_them() {
    let mut shop = TestShop::new();
    shop.config.privacy.quarantine_days = 30;
    let at = |days: i64| now() + SignedDuration::from_hours(24 * days);
    let file = shop.file("lines.csv", format!("{HEADER}\n{ROWS}"));
    let other = shop.file(
        "other.csv",
        format!("{HEADER}\n3,20000,BLUE MUG,1,2010-01-04 10:00:00,2.5,1,UK\n"),
    );
    let later = |shop: &mut TestShop, days: i64, file: &std::path::Path| -> ImportReport {
        let mut request = request(Format::OnlineRetail, &[file], &[]);
        request.now = at(days);
        import(&mut shop.store, &shop.config, &request, &mut |_| {}).unwrap()
    };
    shop.import(Format::OnlineRetail, &[&file]).unwrap();
    let mut entries = shop.store.quarantine_entries(Some("invalid_quantity"), 10);
    let entries = entries.as_mut().unwrap();
    entries[0].text = entries[0].text.replace(",x,", ",3,");
    reimport(&mut shop.store, &shop.config, entries.clone(), now()).unwrap();

    // The same file again neither adds the row a second time nor gives it more time.
    assert_eq!(later(&mut shop, 29, &file).expired, 0);
    let expiring = |ahead| shop.store.quarantine_expiring(30, at(29), ahead).unwrap();
    assert_eq!((expiring(0), expiring(1)), (0, 1));
    assert_eq!(later(&mut shop, 30, &other).expired, 1);
    assert_eq!(shop.store.quarantine_counts().unwrap(), []);
    assert_eq!(later(&mut shop, 31, &other).expired, 0);

    // The repaired row is known as such, although its text is gone; the expired one would be new.
    let again = later(&mut shop, 31, &file);
    assert_eq!((again.kept, again.merged, again.quarantined), (0, 1, 1));
    assert_eq!(
        shop.store.quarantine_counts().unwrap(),
        [("postage".to_owned(), 1)]
    );
}

#[test]
fn a_repair_in_time_wins_over_the_expiry() {
    let mut shop = TestShop::new();
    shop.take(Format::OnlineRetail, &format!("{HEADER}\n{ROWS}"));
    let mut entries = shop.store.quarantine_entries(None, 10).unwrap();
    entries[0].text = entries[0].text.replace(",x,", ",3,");
    let late = now() + SignedDuration::from_hours(24 * 400);
    let report = reimport(&mut shop.store, &shop.config, entries, late).unwrap();
    assert_eq!((report.kept, report.expired), (1, 1));
    assert_eq!(shop.events().len(), 1);
}
