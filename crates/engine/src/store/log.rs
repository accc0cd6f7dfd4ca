//! The log of events: appended once per message, folded by shopper in time order.

use events::{Event, EventKind, MessageKey, Properties, Pseudonym, Timestamp};
use rusqlite::params;

use super::Store;
use crate::error::{EngineError, Result};

/// An event ready to be appended, its properties serialised and its personal part sealed.
#[derive(Debug)]
pub(crate) struct NewEvent {
    pub(crate) message: MessageKey,
    pub(crate) user: Pseudonym,
    pub(crate) kind: EventKind,
    pub(crate) at_ms: i64,
    pub(crate) properties: String,
    pub(crate) sealed: Option<Vec<u8>>,
}

/// An event as the log holds it, for an export.
#[derive(Debug)]
pub(crate) struct Logged {
    pub(crate) position: i64,
    pub(crate) event: Event,
    /// Whether nobody is known behind the pseudonym but a browser or a guest checkout.
    pub(crate) guest: bool,
    /// The personal part, encrypted.
    pub(crate) sealed: Option<Vec<u8>>,
}

/// The extent of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogSummary {
    /// Events in the log.
    pub events: u64,
    /// Position of the last event, 0 for an empty log.
    pub last_position: i64,
    /// Time of the earliest event, milliseconds since 1970.
    pub first_ms: i64,
    /// Time of the latest event, milliseconds since 1970.
    pub last_ms: i64,
}

impl Store {
    /// Appends an event unless its message is in the log; says whether it was new.
    pub(crate) fn append(&self, event: &NewEvent) -> Result<bool> {
        let insert = "INSERT OR IGNORE INTO events (message, user, kind, at_ms, properties, sealed)
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        self.connection
            .prepare_cached(insert)
            .and_then(|mut statement| {
                statement.execute(params![
                    event.message.0,
                    event.user.0,
                    event.kind.code(),
                    event.at_ms,
                    event.properties,
                    event.sealed,
                ])
            })
            .map(|rows| rows == 1)
            .map_err(self.fault("append an event"))
    }

    /// The extent of the log.
    ///
    /// # Errors
    /// [`EngineError::Store`] when the database cannot be read.
    pub fn log_summary(&self) -> Result<LogSummary> {
        let query = "SELECT count(*), coalesce(max(position), 0), coalesce(min(at_ms), 0), coalesce(max(at_ms), 0) FROM events";
        self.connection
            .query_row(query, [], |row| {
                Ok(LogSummary {
                    events: row.get(0)?,
                    last_position: row.get(1)?,
                    first_ms: row.get(2)?,
                    last_ms: row.get(3)?,
                })
            })
            .map_err(self.fault("be counted"))
    }

    /// Calls `visit` with every shopper's events in the order (shopper, time, position): what a fold needs.
    ///
    /// The events of a browser that was linked to a shopper carry the shopper's pseudonym and stand among the shopper's
    /// own, in the order of time.
    ///
    /// # Errors
    /// The error of `visit`, or [`EngineError::Corrupt`] naming the position of an unreadable event.
    pub fn for_each_event(&self, mut visit: impl FnMut(i64, Event) -> Result<()>) -> Result<()> {
        let query =
            "SELECT position, message, coalesce(canonical, user) AS person, kind, at_ms, properties
                     FROM events LEFT JOIN links ON links.alias = events.user
                     ORDER BY person, at_ms, position";
        let mut statement = self
            .connection
            .prepare_cached(query)
            .map_err(self.fault("be read"))?;
        let mut rows = statement.query([]).map_err(self.fault("be read"))?;
        while let Some(row) = rows.next().map_err(self.fault("be read"))? {
            let position: i64 = row.get(0).map_err(self.fault("be read"))?;
            visit(position, read_event(row, position)?)?;
        }
        Ok(())
    }

    /// Calls `visit` with every event in the order of the log.
    ///
    /// # Errors
    /// The error of `visit`, or [`EngineError::Corrupt`] naming the position of an unreadable event.
    pub(crate) fn for_each_logged(
        &self,
        mut visit: impl FnMut(Logged) -> Result<()>,
    ) -> Result<()> {
        let query = "SELECT position, message, user, kind, at_ms, properties, coalesce(guest, 0), events.sealed
                     FROM events LEFT JOIN shoppers ON shoppers.pseudonym = events.user ORDER BY position";
        let mut statement = self
            .connection
            .prepare_cached(query)
            .map_err(self.fault("be read"))?;
        let mut rows = statement.query([]).map_err(self.fault("be read"))?;
        while let Some(row) = rows.next().map_err(self.fault("be read"))? {
            let position: i64 = row.get(0).map_err(self.fault("be read"))?;
            let event = read_event(row, position)?;
            let guest = row.get(6).map_err(self.fault("be read"))?;
            let sealed = row.get(7).map_err(self.fault("be read"))?;
            visit(Logged {
                position,
                event,
                guest,
                sealed,
            })?;
        }
        Ok(())
    }

    /// A hash over the logical content of log, consents, catalogue and quarantine: equal for two data
    /// directories that went through the same imports under keys of their own.
    ///
    /// # Errors
    /// [`EngineError::Store`] when the database cannot be read.
    pub fn fingerprint(&self) -> Result<String> {
        let mut hasher = blake3::Hasher::new();
        for query in [
            "SELECT kind || '|' || at_ms || '|' || properties || '|' || (sealed IS NULL) FROM events ORDER BY position",
            "SELECT channel || '|' || purpose || '|' || state || '|' || at_ms || '|' || source || '|' || shoppers FROM (
                 SELECT channel, purpose, state, at_ms, source, count(*) AS shoppers FROM consents
                 GROUP BY channel, purpose, state, at_ms, source ORDER BY channel, purpose, state, at_ms, source)",
            "SELECT product FROM products ORDER BY id",
            "SELECT format || '|' || file || '|' || line || '|' || reason || '|' || repaired FROM quarantine ORDER BY id",
            "SELECT count(*) || '|' || coalesce(sum(guest), 0) FROM shoppers",
            "SELECT count(*) FROM links",
        ] {
            let mut statement = self.connection.prepare(query).map_err(self.fault("be hashed"))?;
            let mut rows = statement.query([]).map_err(self.fault("be hashed"))?;
            while let Some(row) = rows.next().map_err(self.fault("be hashed"))? {
                let value: rusqlite::types::Value = row.get(0).map_err(self.fault("be hashed"))?;
                hasher.update(format!("{value:?}\n").as_bytes());
            }
        }
        Ok(hasher.finalize().to_hex()[..32].to_owned())
    }
}

/// Reads an event from a row of position, message, user, kind, time and properties.
pub(super) fn read_event(row: &rusqlite::Row<'_>, position: i64) -> Result<Event> {
    let corrupt = |detail: String| EngineError::Corrupt {
        what: "event",
        place: format!("position {position}"),
        detail,
    };
    let column = |error: rusqlite::Error| corrupt(error.to_string());
    let code: u8 = row.get(3).map_err(column)?;
    let properties = row
        .get_ref(5)
        .map_err(column)?
        .as_str()
        .map_err(|error| corrupt(error.to_string()))?;
    Ok(Event {
        message: MessageKey(row.get(1).map_err(column)?),
        user: Pseudonym(row.get(2).map_err(column)?),
        kind: EventKind::from_code(code).ok_or_else(|| corrupt(format!("unknown kind {code}")))?,
        at: Timestamp::from_millisecond(row.get(4).map_err(column)?)
            .map_err(|error| corrupt(error.to_string()))?,
        properties: serde_json::from_str::<Properties>(properties)
            .map_err(|error| corrupt(error.to_string()))?,
    })
}
