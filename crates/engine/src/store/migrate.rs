//! The format on the disk: made new, or brought from an older one to this one's.

use events::EventKind;
use rusqlite::params;

use super::Store;
use super::outcomes::OrderPart;
use crate::error::{EngineError, Result};

/// The version of the on-disk format, kept in `SQLite`'s `user_version`.
pub(super) const FORMAT: i64 = 3;
const SCHEMA: &str = include_str!("schema.sql");
const FROM_1_TO_2: &str = include_str!("format_1_to_2.sql");
const FROM_2_TO_3: &str = include_str!("format_2_to_3.sql");

impl Store {
    /// Brings the database to this version's format and checks that the key is the one it was made with. A format is
    /// left in one transaction, so that a kill leaves the old one or the new one.
    pub(super) fn migrate(&mut self) -> Result<()> {
        let found: i64 = self
            .connection
            .query_row("PRAGMA user_version", [], |row| row.get(0))
            .map_err(self.fault("read its format"))?;
        match found {
            0 => {
                self.transaction(|store| store.change_format(SCHEMA))?;
                return self.set_meta("key_check", &self.vault.key_check());
            }
            1..=FORMAT => {}
            _ => {
                return Err(EngineError::NewerFormat {
                    path: self.dir.clone(),
                    found,
                    known: FORMAT,
                });
            }
        }
        // A kill between the two steps of creation leaves no check value and no personal data either.
        match self.meta("key_check")? {
            Some(expected) => self.vault.verify(&expected)?,
            None => self.set_meta("key_check", &self.vault.key_check())?,
        }
        if found == FORMAT {
            return Ok(());
        }
        self.transaction(|store| {
            if found == 1 {
                store.change_format(FROM_1_TO_2)?;
                store.name_parts_of_orders()?;
            }
            store.change_format(FROM_2_TO_3)
        })
    }

    fn change_format(&self, statements: &str) -> Result<()> {
        self.connection
            .execute_batch(&format!("{statements} PRAGMA user_version = {FORMAT};"))
            .map_err(self.fault("be brought to this version's format"))
    }

    /// Says of every order that format 1 counted which part of which order it is, so that taking the answers in again
    /// adds only the others. Format 1 kept the earliest order of a decision.
    fn name_parts_of_orders(&self) -> Result<()> {
        let set = "UPDATE outcomes SET order_id = ?3, part = ?4
                   WHERE decision_id = ?1 AND event = 'order' AND at_ms = ?2 AND part = x''";
        self.for_each_response(0, i64::MAX, |_, response| {
            let Some(decision) = &response.properties.decision_id else {
                return Ok(());
            };
            if response.kind != EventKind::OrderCompleted {
                return Ok(());
            }
            let part = OrderPart::of(response.message, &response.properties);
            self.connection
                .prepare_cached(set)
                .and_then(|mut statement| {
                    statement.execute(params![
                        decision.0,
                        response.at.as_millisecond(),
                        part.order_id,
                        &part.part[..],
                    ])
                })
                .map(drop)
                .map_err(self.fault("be brought to this version's format"))
        })
    }
}
