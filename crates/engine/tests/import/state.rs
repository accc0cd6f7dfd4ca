//! What an import leaves: the same state however often it runs, consents, links and products.

use engine::ingest::Format;
use events::{Channel, ConsentState, EventKind};
use serde_json::json;

use crate::shop::{HEADER, TestShop, order_lines};

#[test]
fn a_second_import_merges_every_row() {
    let mut shop = TestShop::new();
    let file = shop.file("lines.csv", order_lines(3000));
    let first = shop.import(Format::OnlineRetail, &[&file]).unwrap();
    assert!(
        first.merged > 10 && first.kept > 2500 && first.quarantined > 20,
        "{first:?}"
    );
    assert_eq!(
        first.by_reason.keys().collect::<Vec<_>>(),
        ["postage", "zero_price"]
    );
    let state = shop.store.fingerprint().unwrap();

    let again = shop.import(Format::OnlineRetail, &[&file]).unwrap();
    assert_eq!((again.kept, again.quarantined), (0, first.quarantined));
    assert_eq!(
        (again.merged, again.products),
        (first.kept + first.merged, 0)
    );
    assert_eq!(shop.store.fingerprint().unwrap(), state);
}

#[test]
fn a_line_counts_once_in_however_many_files_it_stands() {
    let mut shop = TestShop::new();
    let first = shop.file(
        "a.csv",
        format!("{HEADER}\n1,20000,BLUE MUG,6,2010-12-01 08:26:00,2.55,17850.0,UK\n"),
    );
    let header =
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country";
    let rows = "1,20000,BLUE MUG,6,12/1/2010 8:26,2.550,17850,UK\n2,20000,BLUE MUG,1,12/2/2010 8:26,2.55,0,UK\n";
    let second = shop.file("b.csv", format!("{header}\n{rows}"));
    let report = shop
        .import(Format::OnlineRetail, &[&first, &second])
        .unwrap();
    assert_eq!((report.rows_read, report.kept, report.merged), (3, 2, 1));
    let product = &shop.store.catalogue().unwrap().products["20000"];
    assert_eq!(
        (product.title.as_str(), product.price.unwrap().minor),
        ("BLUE MUG", 255)
    );
}

#[test]
fn nobody_has_consented_unless_the_command_says_so() {
    let mut shop = TestShop::new();
    let file = shop.file("lines.csv", order_lines(200));
    shop.import(Format::OnlineRetail, &[&file]).unwrap();
    assert!(
        shop.store
            .consented(Channel::Push, "marketing")
            .unwrap()
            .is_empty()
    );

    let report = shop
        .import_with(Format::OnlineRetail, &[&file], &["push:marketing=granted"])
        .unwrap();
    let known = shop
        .store
        .shoppers()
        .unwrap()
        .iter()
        .filter(|shopper| !shopper.guest)
        .count();
    assert_eq!(report.consents, known as u64);
    assert_eq!(
        shop.store
            .consented(Channel::Push, "marketing")
            .unwrap()
            .len(),
        known
    );
    assert!(
        shop.store
            .consented(Channel::Sms, "marketing")
            .unwrap()
            .is_empty()
    );
    let summary = &shop.store.consent_summary().unwrap()[0];
    assert_eq!(summary.source, "assumed at import: --consent");

    // Taking the assumption back needs no new data directory.
    shop.import_with(
        Format::OnlineRetail,
        &[&file],
        &["push:marketing=withdrawn"],
    )
    .unwrap();
    assert!(
        shop.store
            .consented(Channel::Push, "marketing")
            .unwrap()
            .is_empty()
    );
}

fn envelope(id: &str, kind: &str, who: &str, at: &str, rest: &str) -> String {
    format!(r#"{{"messageId":"{id}",{kind},{who},"timestamp":"{at}"{rest}}}"#) + "\n"
}

fn identify(id: &str, at: &str, state: &str) -> String {
    let consents = json!([{ "channel": "push", "purpose": "marketing", "state": state, "at": at, "source": "form" }]);
    let traits = json!({ "locale": "zh-CN", "timezone": "Asia/Shanghai", "consents": consents });
    envelope(
        id,
        r#""type":"identify""#,
        r#""userId":"u""#,
        at,
        &format!(r#","traits":{traits}"#),
    )
}

#[test]
fn what_a_shopper_states_wins_over_assumptions_and_the_latest_statement_counts() {
    let mut shop = TestShop::new();
    let granted = |shop: &TestShop| {
        shop.store
            .consented(Channel::Push, "marketing")
            .unwrap()
            .len()
    };
    let view = envelope(
        "m1",
        r#""event":"Product Viewed""#,
        r#""userId":"u""#,
        "2026-05-01T00:00:00Z",
        "",
    );
    let file = shop.file("a.jsonl", view);
    shop.import_with(Format::Segment, &[&file], &["push:marketing=granted"])
        .unwrap();
    assert_eq!(granted(&shop), 1);
    // The statement is older than the event that dates the assumption.
    shop.take(
        Format::Segment,
        &identify("m2", "2026-04-01T00:00:00Z", "withdrawn"),
    );
    assert_eq!(granted(&shop), 0);
    shop.take(
        Format::Segment,
        &identify("m3", "2026-03-01T00:00:00Z", "granted"),
    );
    assert_eq!(granted(&shop), 0, "an older statement changes nothing");
    shop.take(
        Format::Segment,
        &identify("m4", "2026-05-02T00:00:00Z", "granted"),
    );
    assert_eq!(granted(&shop), 1);
    let shopper = &shop.store.shoppers().unwrap()[0];
    assert_eq!(shopper.locale.as_deref(), Some("zh-CN"));
    assert_eq!(shopper.timezone.as_deref(), Some("Asia/Shanghai"));
}

#[test]
fn an_unsubscription_withdraws_the_channel_also_across_a_link() {
    let mut shop = TestShop::new();
    shop.take(
        Format::Segment,
        &identify("m1", "2026-05-01T00:00:00Z", "granted"),
    );
    let unsubscribed = |id: &str, who: &str, at: &str| {
        envelope(
            id,
            r#""event":"Unsubscribed""#,
            who,
            at,
            r#","properties":{"channel":"push"}"#,
        )
    };
    // The browser is not known to be the shopper's yet.
    shop.take(
        Format::Segment,
        &unsubscribed("m2", r#""anonymousId":"b""#, "2026-05-02T00:00:00Z"),
    );
    assert_eq!(
        shop.store
            .consented(Channel::Push, "marketing")
            .unwrap()
            .len(),
        1
    );
    let both = r#""userId":"u","anonymousId":"b""#;
    shop.take(
        Format::Segment,
        &envelope(
            "m3",
            r#""event":"Cart Viewed""#,
            both,
            "2026-05-03T00:00:00Z",
            "",
        ),
    );
    assert!(
        shop.store
            .consented(Channel::Push, "marketing")
            .unwrap()
            .is_empty()
    );
    let shoppers = shop.store.shoppers().unwrap();
    assert_eq!(shoppers.len(), 1);
    let consents = shop.store.consents_of(shoppers[0].pseudonym).unwrap();
    assert_eq!(
        (consents[0].state, consents[0].source.as_str()),
        (ConsentState::Withdrawn, "unsubscribed")
    );
    assert!(
        shop.events()
            .iter()
            .all(|event| event.user == shoppers[0].pseudonym)
    );
}

#[test]
fn an_old_file_cannot_undo_what_came_later() {
    let mut shop = TestShop::new();
    let old = shop.file(
        "old.jsonl",
        identify("m1", "2026-05-01T00:00:00Z", "granted"),
    );
    shop.import(Format::Segment, &[&old]).unwrap();
    let traits = r#","traits":{"locale":"en-GB"}"#;
    shop.take(
        Format::Segment,
        &envelope(
            "m2",
            r#""type":"identify""#,
            r#""userId":"u""#,
            "2026-05-02T00:00:00Z",
            traits,
        ),
    );
    let state = shop.store.fingerprint().unwrap();
    let report = shop.import(Format::Segment, &[&old]).unwrap();
    assert_eq!((report.kept, report.merged), (0, 1));
    assert_eq!(
        shop.store.shoppers().unwrap()[0].locale.as_deref(),
        Some("en-GB")
    );
    assert_eq!(shop.store.fingerprint().unwrap(), state);
}

#[test]
fn identifiers_and_personal_texts_are_nowhere_in_the_clear() {
    let mut shop = TestShop::new();
    let review = r#"{"reviewerID":"REVIEWER-1","asin":"B1","reviewerName":"Jane Roe","reviewText":"smells of candy",
        "overall":4.0,"unixReviewTime":1393545600}"#;
    shop.take(Format::AmazonReviews, &review.replace('\n', " "));
    shop.take(
        Format::Segment,
        &envelope(
            "order of ada@example.org",
            r#""event":"x""#,
            r#""userId":"ada@example.org""#,
            "soon",
            "",
        ),
    );
    let who = r#""userId":"ada@example.org""#;
    let at = "2026-05-01T00:00:00Z";
    shop.take(
        Format::Segment,
        &envelope(
            "m of ada@example.org",
            r#""event":"x""#,
            who,
            at,
            r#","traits":{"name":"Ada Byron"}"#,
        ),
    );
    let data = shop.path("data");
    drop(shop.store);
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(data).unwrap() {
        bytes.extend(std::fs::read(entry.unwrap().path()).unwrap());
    }
    let text = String::from_utf8_lossy(&bytes);
    for secret in [
        "REVIEWER-1",
        "Jane Roe",
        "smells of candy",
        "ada@example.org",
        "Ada Byron",
    ] {
        assert!(!text.contains(secret), "{secret}");
    }
    let key = blake3::hash(b"m of ada@example.org");
    assert!(
        !bytes
            .windows(16)
            .any(|window| window == &key.as_bytes()[..16])
    );
}

#[test]
fn refunds_and_guests_are_what_the_file_says() {
    let mut shop = TestShop::new();
    let rows = "5,20000,BLUE MUG,6,2010-01-04 10:00:00,2.5,1,UK\nC6,20000,BLUE MUG,-6,2010-01-05 10:00:00,2.5,1,UK\n\
                7,20000,BLUE MUG,1,2010-01-06 10:00:00,2.5,,UK\n";
    shop.take(Format::OnlineRetail, &format!("{HEADER}\n{rows}"));
    let kinds = |guest: bool| {
        let shoppers = shop.store.shoppers().unwrap();
        let of = shoppers
            .iter()
            .find(|shopper| shopper.guest == guest)
            .unwrap()
            .pseudonym;
        let events = shop
            .events()
            .into_iter()
            .filter(move |event| event.user == of);
        events.map(|event| event.kind).collect::<Vec<_>>()
    };
    assert_eq!(
        kinds(false),
        [EventKind::OrderCompleted, EventKind::OrderRefunded]
    );
    assert_eq!(kinds(true), [EventKind::OrderCompleted]);
}
