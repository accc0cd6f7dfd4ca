//! Rows that could not be taken in: kept encrypted with their reason, file and line, until somebody repairs them or they
//! expire.

use events::Timestamp;
use rusqlite::{OptionalExtension, params};
use serde::{Deserialize, Serialize};

use super::Store;
use crate::error::{EngineError, Result};

/// Stands between the sealed parts of a row; the last of them, the text, may hold it too.
const SEPARATOR: &str = "\u{1}";
const DAY_MS: i64 = 24 * 3_600_000;

/// A row on its way into the quarantine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct QuarantinedRow<'a> {
    /// The import format.
    pub(crate) format: &'a str,
    /// Name of the file, without its folder.
    pub(crate) file: &'a str,
    /// Line in the file, counted from 1.
    pub(crate) line: u64,
    /// Short stable name of the fault, such as `zero_price`.
    pub(crate) reason: &'a str,
    /// The fault in words.
    pub(crate) detail: &'a str,
    /// The header line of the file; empty for formats without one.
    pub(crate) header: &'a str,
    /// The row as it stood in the file.
    pub(crate) text: &'a str,
    /// When it was quarantined.
    pub(crate) at: Timestamp,
}

/// Where a quarantined row stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    /// It waits for somebody to repair it.
    Waiting,
    /// It was repaired and taken in.
    Repaired,
}

/// A row in the quarantine, decrypted: what `hawker quarantine export` writes and `reimport` reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarantineEntry {
    /// Identifies the entry.
    pub id: i64,
    /// The import format.
    pub format: String,
    /// Name of the file.
    pub file: String,
    /// Line in the file.
    pub line: u64,
    /// Short stable name of the fault.
    pub reason: String,
    /// The fault in words.
    pub detail: String,
    /// The header line of the file.
    pub header: String,
    /// The row; edit this.
    pub text: String,
}

impl Store {
    /// Keeps a row; a rerun of the same import keeps it once and says whether it was repaired since.
    pub(crate) fn quarantine(&self, row: &QuarantinedRow<'_>) -> Result<Kept> {
        let place = format!("{}\0{}\0{}\0{}", row.format, row.file, row.line, row.text);
        let key = self.vault.row_key(place.as_bytes());
        // The words of the fault quote the row, so they are as personal as the row itself.
        let sealed = [row.header, row.detail, row.text].join(SEPARATOR);
        let insert =
            "INSERT OR IGNORE INTO quarantine (row_key, format, file, line, reason, sealed, quarantined_ms)
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let sealed = self.vault.seal(sealed.as_bytes());
        let values = params![
            key,
            row.format,
            row.file,
            row.line.cast_signed(),
            row.reason,
            sealed,
            row.at.as_millisecond()
        ];
        let new = self
            .connection
            .prepare_cached(insert)
            .and_then(|mut statement| statement.execute(values))
            .map_err(self.fault("quarantine a row"))?;
        if new == 1 {
            return Ok(Kept::Waiting);
        }
        self.connection
            .prepare_cached("SELECT repaired FROM quarantine WHERE row_key = ?1")
            .and_then(|mut statement| statement.query_row([key], |row| row.get(0)))
            .map(|repaired: bool| {
                if repaired {
                    Kept::Repaired
                } else {
                    Kept::Waiting
                }
            })
            .map_err(self.fault("quarantine a row"))
    }

    /// Counts the rows that wait for repair, by reason.
    ///
    /// # Errors
    /// [`EngineError::Store`] when the database cannot be read.
    pub fn quarantine_counts(&self) -> Result<Vec<(String, u64)>> {
        self.connection
            .prepare_cached("SELECT reason, count(*) FROM quarantine WHERE repaired = 0 GROUP BY reason ORDER BY 2 DESC, 1")
            .and_then(|mut statement| {
                statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
            })
            .map_err(self.fault("count its quarantine"))
    }

    /// Reads rows that wait for repair, decrypted, in the order in which they came; all reasons unless one is named.
    ///
    /// # Errors
    /// [`EngineError::Corrupt`] naming an entry that cannot be decrypted.
    pub fn quarantine_entries(
        &self,
        reason: Option<&str>,
        limit: usize,
    ) -> Result<Vec<QuarantineEntry>> {
        let query = "SELECT id, format, file, line, reason, sealed FROM quarantine
                     WHERE repaired = 0 AND (?1 IS NULL OR reason = ?1) ORDER BY id LIMIT ?2";
        let mut statement = self
            .connection
            .prepare_cached(query)
            .map_err(self.fault("read its quarantine"))?;
        let rows = statement
            .query_map(
                params![reason, limit.min(i64::MAX as usize).cast_signed()],
                |row| {
                    let entry = QuarantineEntry {
                        id: row.get(0)?,
                        format: row.get(1)?,
                        file: row.get(2)?,
                        line: row.get::<_, i64>(3)?.cast_unsigned(),
                        reason: row.get(4)?,
                        detail: String::new(),
                        header: String::new(),
                        text: String::new(),
                    };
                    Ok((entry, row.get::<_, Vec<u8>>(5)?))
                },
            )
            .and_then(Iterator::collect::<rusqlite::Result<Vec<_>>>)
            .map_err(self.fault("read its quarantine"))?;
        rows.into_iter()
            .map(|(mut entry, sealed)| {
                let place = format!("quarantine entry {}", entry.id);
                let plain = self.vault.unseal(&sealed, &place)?;
                let plain = String::from_utf8(plain).map_err(|error| EngineError::Corrupt {
                    what: "quarantined row",
                    place,
                    detail: error.to_string(),
                })?;
                let mut parts = plain.splitn(3, SEPARATOR).map(str::to_owned);
                entry.header = parts.next().unwrap_or_default();
                entry.detail = parts.next().unwrap_or_default();
                entry.text = parts.next().unwrap_or_default();
                Ok(entry)
            })
            .collect()
    }

    /// Removes what was quarantined more than `days` days before `now` and says how many rows waited in vain. Of a repaired
    /// row the text goes, and the rest stays, so that its file still counts as taken in.
    ///
    /// Rows of format 1, which did not date them, count from the first call.
    pub(crate) fn expire_quarantine(&self, days: u32, now: Timestamp) -> Result<u64> {
        let now_ms = now.as_millisecond();
        let expired_ms = now_ms - i64::from(days) * DAY_MS;
        let run = |statement: &str, ms: i64| {
            self.connection
                .prepare_cached(statement)
                .and_then(|mut statement| statement.execute([ms]))
                .map_err(self.fault("expire its quarantine"))
        };
        run(
            "UPDATE quarantine SET quarantined_ms = ?1 WHERE quarantined_ms IS NULL",
            now_ms,
        )?;
        run(
            "UPDATE quarantine SET sealed = x'' WHERE repaired = 1 AND quarantined_ms <= ?1 AND sealed <> x''",
            expired_ms,
        )?;
        let removed = run(
            "DELETE FROM quarantine WHERE repaired = 0 AND quarantined_ms <= ?1",
            expired_ms,
        )?;
        Ok(removed as u64)
    }

    /// Counts the waiting rows that will have expired `ahead_days` days after `now`.
    ///
    /// # Errors
    /// [`EngineError::Store`] when the database cannot be read.
    pub fn quarantine_expiring(&self, days: u32, now: Timestamp, ahead_days: u32) -> Result<u64> {
        let until_ms = now.as_millisecond() + (i64::from(ahead_days) - i64::from(days)) * DAY_MS;
        let query = "SELECT count(*) FROM quarantine WHERE repaired = 0 AND quarantined_ms <= ?1";
        self.connection
            .query_row(query, [until_ms], |row| row.get(0))
            .map_err(self.fault("count its quarantine"))
    }

    /// Where an entry stands; none for one that the quarantine does not hold.
    pub(crate) fn quarantine_state(&self, id: i64) -> Result<Option<Kept>> {
        self.connection
            .prepare_cached("SELECT repaired FROM quarantine WHERE id = ?1")
            .and_then(|mut statement| statement.query_row([id], |row| row.get(0)).optional())
            .map(|state| {
                state.map(|repaired: bool| {
                    if repaired {
                        Kept::Repaired
                    } else {
                        Kept::Waiting
                    }
                })
            })
            .map_err(self.fault("read its quarantine"))
    }

    /// Marks an entry as repaired: its row was taken in.
    pub(crate) fn mark_repaired(&self, id: i64) -> Result<()> {
        self.connection
            .prepare_cached("UPDATE quarantine SET repaired = 1 WHERE id = ?1")
            .and_then(|mut statement| statement.execute([id]))
            .map(drop)
            .map_err(self.fault("mark a repaired row"))
    }
}
