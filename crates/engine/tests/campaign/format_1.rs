//! A data directory that format 1 wrote: it opens, and says more than it did.

use std::collections::BTreeMap;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use engine::ingest::reimport;
use engine::{Attribution, Config, Store, learn, message_outcomes};
use events::{Goal, Timestamp};
use rusqlite::Connection;

const DUMP: &str = include_str!("format_1.sql");

/// Builds the data directory from its dump.
fn restore(data: &Path) {
    let key: Vec<u8> = (0..32).collect();
    let mut options = std::fs::OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600);
    let mut file = file.open(data.join("vault.key")).expect("writable");
    std::io::Write::write_all(&mut file, &key).expect("writable");
    let database = Connection::open(data.join("log.sqlite")).expect("a database");
    database.execute_batch(DUMP).expect("a dump");
}

/// The worth of what came of each message, by the shopper's identifier.
fn worth(store: &Store) -> BTreeMap<String, f64> {
    let mut worth = BTreeMap::new();
    let read = message_outcomes(store, None, |decision, outcome| {
        let user = store.identity(decision.user).expect("readable");
        let user = user.expect("known").as_str().to_owned();
        if decision.chosen().product.is_some() {
            worth.insert(user, outcome.value);
        }
    });
    read.expect("readable");
    worth
}

fn format(data: &Path) -> i64 {
    let database = Connection::open(data.join("log.sqlite")).expect("a database");
    let format = database.query_row("PRAGMA user_version", [], |row| row.get(0));
    format.expect("a number")
}

/// The events of the outcomes, in the order of their places, which are counted from 1.
fn events(data: &Path) -> Vec<String> {
    let database = Connection::open(data.join("log.sqlite")).expect("a database");
    let query = "SELECT position, event FROM outcomes ORDER BY position";
    let mut statement = database.prepare(query).expect("a query");
    let rows = statement.query_map([], |row| Ok((row.get::<_, usize>(0)?, row.get(1)?)));
    let rows = rows.expect("rows").map(|row| row.expect("a row"));
    let (places, events): (Vec<usize>, Vec<String>) = rows.unzip();
    assert_eq!(places, (1..=events.len()).collect::<Vec<_>>());
    events
}

#[test]
fn a_data_directory_of_format_1_opens_and_its_lost_orders_are_found() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    restore(folder.path());
    assert_eq!(format(folder.path()), 1);
    let now: Timestamp = "2026-05-20T12:00:00Z".parse().expect("valid");
    let worth_of =
        |u2: f64, u3: f64| BTreeMap::from([("u2".to_owned(), u2), ("u3".to_owned(), u3)]);

    let mut store = Store::open(folder.path()).expect("opens");
    assert_eq!(worth(&store), worth_of(0.0, 10.0));
    let report = learn(&mut store, Attribution::LastTouch, Goal::Click, now).expect("learns");
    assert_eq!((report.outcomes, report.foreign), (2, 0), "one order each");
    assert_eq!(worth(&store), worth_of(7.0, 35.0));

    drop(store);
    assert_eq!(format(folder.path()), 3);
    // What was known keeps its place, by which the policy tells what it has learnt from.
    assert_eq!(
        events(folder.path()),
        [
            "impression",
            "order",
            "impression",
            "click",
            "order",
            "order"
        ]
    );
    let mut store = Store::open(folder.path()).expect("opens again");
    let report = learn(&mut store, Attribution::LastTouch, Goal::Click, now).expect("learns");
    assert_eq!(report.outcomes, 0);
    assert_eq!(
        store.quarantine_entries(None, 9).expect("readable").len(),
        1
    );
    // When its row was quarantined is not known, so that its days begin with the next import.
    let at = |day: &str| format!("2026-{day}T12:00:00Z").parse::<Timestamp>();
    let expired = [("06-01", 0), ("06-30", 0), ("07-01", 1)];
    let mut config = Config::default();
    config.privacy.quarantine_days = 30;
    for (day, rows) in expired {
        let report = reimport(&mut store, &config, Vec::new(), at(day).expect("valid"));
        assert_eq!(report.expect("imports").expired, rows, "{day}");
    }
}

#[test]
fn a_data_directory_of_format_1_has_the_tables_of_a_new_one_afterwards() {
    let [old, new] = [(); 2].map(|()| tempfile::tempdir().expect("a temporary folder"));
    restore(old.path());
    let schema = |data: &Path| {
        drop(Store::open(data).expect("opens"));
        let database = Connection::open(data.join("log.sqlite")).expect("a database");
        let query =
            "SELECT m.type, m.name, p.name, p.type, p.\"notnull\", p.pk FROM sqlite_master m
                     LEFT JOIN pragma_table_info(m.name) p ORDER BY m.type, m.name, p.name";
        let mut statement = database.prepare(query).expect("a query");
        let rows = statement.query_map([], |row| {
            let column = |place| row.get::<_, rusqlite::types::Value>(place);
            Ok(format!(
                "{:?} {:?} {:?} {:?} {:?} {:?}",
                column(0)?,
                column(1)?,
                column(2)?,
                column(3)?,
                column(4)?,
                column(5)?
            ))
        });
        let rows = rows.expect("rows").map(|row| row.expect("a row"));
        rows.collect::<Vec<String>>()
    };
    assert_eq!(schema(old.path()), schema(new.path()));
}

#[test]
fn a_foreign_key_leaves_format_1_as_it_was() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    restore(folder.path());
    std::fs::write(folder.path().join("vault.key"), [9; 32]).expect("writable");
    let message = Store::open(folder.path())
        .err()
        .expect("foreign key")
        .to_string();
    assert!(message.contains("is not the one"), "{message}");
    assert_eq!(format(folder.path()), 1);
}
