//! What the log tells about the effect of messages beside decisions and outcomes: every order, named or not.

use std::collections::HashMap;

use events::{EventKind, LineItem, Properties, Pseudonym};
use rusqlite::params;

use super::Store;
use crate::error::{EngineError, Result};

/// Where `learn` keeps the position of the last event whose answers are outcomes.
const ATTRIBUTED: &str = "attributed_until";

/// An order line, or a shopper who left a channel.
pub(crate) struct Purchase {
    /// Who; a browser that turned out to be a known shopper's counts as that shopper.
    pub(crate) user: Pseudonym,
    pub(crate) at_ms: i64,
    /// The order: its id, or the place of its only line in the log. `None` for a shopper who left.
    pub(crate) order: Option<String>,
    pub(crate) amount_minor: i64,
}

impl Store {
    /// The run of every decision.
    pub(crate) fn runs_of_decisions(&self) -> Result<HashMap<String, String>> {
        self.connection
            .prepare_cached("SELECT decision_id, run FROM decisions")
            .and_then(|mut statement| {
                statement
                    .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                    .collect()
            })
            .map_err(self.fault("read its decisions"))
    }

    /// Calls `visit` with every order line since a moment, and with every time that a shopper left a channel.
    pub(crate) fn for_each_purchase(
        &self,
        from_ms: i64,
        mut visit: impl FnMut(Purchase),
    ) -> Result<()> {
        let left = EventKind::Unsubscribed.code();
        let query = "SELECT position, coalesce(canonical, user), kind, at_ms, properties
                     FROM events LEFT JOIN links ON links.alias = events.user
                     WHERE kind IN (?1, ?2) AND at_ms >= ?3 ORDER BY position";
        let mut statement = self
            .connection
            .prepare_cached(query)
            .map_err(self.fault("read its orders"))?;
        let mut rows = statement
            .query(params![EventKind::OrderCompleted.code(), left, from_ms])
            .map_err(self.fault("read its orders"))?;
        while let Some(row) = rows.next().map_err(self.fault("read its orders"))? {
            let position: i64 = row.get(0).map_err(self.fault("read its orders"))?;
            let kind: u8 = row.get(2).map_err(self.fault("read its orders"))?;
            let text: String = row.get(4).map_err(self.fault("read its orders"))?;
            let properties: Properties =
                serde_json::from_str(&text).map_err(|error| EngineError::Corrupt {
                    what: "event",
                    place: format!("position {position}"),
                    detail: error.to_string(),
                })?;
            let order = properties.order_id;
            visit(Purchase {
                user: Pseudonym(row.get(1).map_err(self.fault("read its orders"))?),
                at_ms: row.get(3).map_err(self.fault("read its orders"))?,
                order: (kind != left).then(|| order.unwrap_or_else(|| format!("@{position}"))),
                amount_minor: properties.products.iter().map(LineItem::amount_minor).sum(),
            });
        }
        Ok(())
    }

    /// Counts the answers to decisions that `learn` has not taken in yet.
    pub(crate) fn waiting_responses(&self) -> Result<u64> {
        let known = self.meta(ATTRIBUTED)?.unwrap_or_default();
        let after: i64 = String::from_utf8_lossy(&known).parse().unwrap_or(0);
        // As in `for_each_response`.
        let query = "SELECT count(*) FROM events
                     WHERE position > ?1 AND properties LIKE '%\"decision_id\":%'";
        self.connection
            .query_row(query, [after], |row| row.get(0))
            .map_err(self.fault("be counted"))
    }
}
