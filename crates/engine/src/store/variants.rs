//! The shop's own texts: kept as drafts, and what became of them.

use events::{CopyVariant, Timestamp, VariantStatus};
use rusqlite::{OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

use super::Store;
use crate::error::{EngineError, Result};

/// A text of the shop's own, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredVariant {
    /// The text.
    #[serde(flatten)]
    pub variant: CopyVariant,
    /// When it was kept.
    pub kept_at: Timestamp,
    /// When its status changed last.
    pub changed_at: Timestamp,
    /// Why it was paused, as a short stable name such as `changed:fact.colour`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Store {
    /// Keeps a text; one with the same id stays as it is, and the answer is then `false`.
    pub(crate) fn put_variant(&self, variant: &CopyVariant, now: Timestamp) -> Result<bool> {
        let insert =
            "INSERT OR IGNORE INTO variants (id, channel, status, kept_ms, changed_ms, variant)
                      VALUES (?1, ?2, ?3, ?4, ?4, ?5)";
        self.connection
            .prepare_cached(insert)
            .and_then(|mut statement| {
                statement.execute(params![
                    variant.id,
                    variant.channel.name(),
                    variant.status.name(),
                    now.as_millisecond(),
                    json(variant),
                ])
            })
            .map(|rows| rows == 1)
            .map_err(self.fault("keep a text"))
    }

    /// Writes the status of a text, who approved it and what it was checked for.
    pub(crate) fn update_variant(&self, stored: &StoredVariant) -> Result<()> {
        let update = "UPDATE variants SET status = ?2, changed_ms = ?3, reason = ?4, variant = ?5 WHERE id = ?1";
        self.connection
            .prepare_cached(update)
            .and_then(|mut statement| {
                statement.execute(params![
                    stored.variant.id,
                    stored.variant.status.name(),
                    stored.changed_at.as_millisecond(),
                    stored.reason,
                    json(&stored.variant),
                ])
            })
            .map(drop)
            .map_err(self.fault("change a text"))
    }

    /// Marks approved texts as live, from the moment at which shoppers see them.
    pub(crate) fn mark_live(&self, ids: &[&str], now: Timestamp) -> Result<()> {
        for id in ids {
            let Some(mut stored) = self.variant(id)? else {
                continue;
            };
            if stored.variant.status == VariantStatus::Approved {
                stored.variant.status = VariantStatus::Live;
                stored.changed_at = now;
                self.update_variant(&stored)?;
            }
        }
        Ok(())
    }

    /// One of the shop's own texts.
    ///
    /// # Errors
    /// [`EngineError::Corrupt`] when it cannot be read.
    pub fn variant(&self, id: &str) -> Result<Option<StoredVariant>> {
        let query = "SELECT id, kept_ms, changed_ms, reason, variant FROM variants WHERE id = ?1";
        let raw = self
            .connection
            .prepare_cached(query)
            .and_then(|mut statement| statement.query_row([id], Raw::read).optional())
            .map_err(self.fault("read its texts"))?;
        raw.map(Raw::variant).transpose()
    }

    /// The shop's own texts, in the order in which they were kept.
    ///
    /// # Errors
    /// [`EngineError::Corrupt`] naming a text that cannot be read.
    pub fn variants(&self) -> Result<Vec<StoredVariant>> {
        let query =
            "SELECT id, kept_ms, changed_ms, reason, variant FROM variants ORDER BY position";
        let raw: Vec<Raw> = self
            .connection
            .prepare_cached(query)
            .and_then(|mut statement| statement.query_map([], Raw::read)?.collect())
            .map_err(self.fault("read its texts"))?;
        raw.into_iter().map(Raw::variant).collect()
    }
}

fn json(variant: &CopyVariant) -> String {
    serde_json::to_string(variant)
        .expect("invariant: a variant has no map and no number to fail on")
}

/// A row as it is stored.
struct Raw {
    id: String,
    kept_ms: i64,
    changed_ms: i64,
    reason: Option<String>,
    variant: String,
}

impl Raw {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            kept_ms: row.get(1)?,
            changed_ms: row.get(2)?,
            reason: row.get(3)?,
            variant: row.get(4)?,
        })
    }

    fn variant(self) -> Result<StoredVariant> {
        let corrupt = |detail: String| EngineError::Corrupt {
            what: "text",
            place: self.id.clone(),
            detail,
        };
        let at = |ms| Timestamp::from_millisecond(ms).map_err(|error| corrupt(error.to_string()));
        Ok(StoredVariant {
            variant: serde_json::from_str(&self.variant)
                .map_err(|error| corrupt(error.to_string()))?,
            kept_at: at(self.kept_ms)?,
            changed_at: at(self.changed_ms)?,
            reason: self.reason.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::{Channel, Language};

    fn text(number: usize) -> CopyVariant {
        copywriter::templates::library(Channel::Push, Language::En).swap_remove(number)
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("valid")
    }

    #[test]
    fn a_text_is_kept_once_and_changes() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = Store::open(folder.path()).expect("opens");
        let mut first = text(0);
        first.status = VariantStatus::Approved;
        assert!(store.put_variant(&first, at(1)).expect("writes"));
        assert!(store.put_variant(&text(1), at(2)).expect("writes"));
        first.status = VariantStatus::Retired;
        assert!(!store.put_variant(&first, at(3)).expect("is there"));

        store
            .mark_live(&[&first.id, "unknown"], at(4))
            .expect("writes");
        let mut stored = store.variant(&first.id).expect("reads").expect("kept");
        assert_eq!(
            (stored.variant.status, stored.kept_at, stored.changed_at),
            (VariantStatus::Live, at(1), at(4))
        );
        stored.variant.status = VariantStatus::Paused;
        stored.reason = Some("changed:fact.colour".to_owned());
        store.update_variant(&stored).expect("writes");
        // What is paused does not come alive by being shown late.
        store.mark_live(&[&first.id], at(5)).expect("writes");
        let all = store.variants().expect("reads");
        assert_eq!(all.len(), 2);
        assert_eq!(all[0], stored);
        assert_eq!(all[1].variant, text(1));
    }

    #[test]
    fn format_2_gets_a_place_for_them() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = Store::open(folder.path()).expect("opens");
        // All that format 2 differs in.
        let undo = "DROP TABLE variants; PRAGMA user_version = 2;";
        store.connection.execute_batch(undo).expect("goes back");
        drop(store);
        let store = Store::open(folder.path()).expect("opens");
        assert!(store.variants().expect("reads").is_empty());
        assert!(store.put_variant(&text(0), at(1)).expect("writes"));
    }
}
