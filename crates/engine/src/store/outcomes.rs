//! What came of decisions: the events that answer them, and what they are credited with.

use std::collections::HashMap;

use events::{DecisionId, Event, EventKind, MessageKey, Outcome, Properties, Pseudonym, Timestamp};
use rusqlite::{OptionalExtension, params};

use super::Store;
use super::log::read_event;
use crate::error::Result;

/// An outcome as the log holds it.
pub(crate) struct LoggedOutcome {
    /// Its place among all outcomes, which grows as they become known.
    pub(crate) position: i64,
    pub(crate) event: String,
    pub(crate) value: f64,
    pub(crate) at_ms: i64,
}

/// Which part of which order an event is. The parts of an order add up; the same part counts once, however many
/// messages bring it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OrderPart {
    pub(crate) order_id: Option<String>,
    /// A hash of what the event says; of its message where it names no order.
    pub(crate) part: [u8; 16],
}

impl OrderPart {
    pub(crate) fn of(message: MessageKey, properties: &Properties) -> Self {
        let mut hasher = blake3::Hasher::new();
        match &properties.order_id {
            Some(order_id) => {
                hasher.update(order_id.as_bytes());
                for line in &properties.products {
                    let price = line.price_minor.unwrap_or(i64::MIN);
                    hasher.update(&[0]).update(line.product_id.as_bytes());
                    hasher.update(&line.quantity.to_le_bytes());
                    hasher.update(&price.to_le_bytes());
                }
            }
            None => drop(hasher.update(&message.0)),
        }
        let mut part = [0; 16];
        part.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        Self {
            order_id: properties.order_id.clone(),
            part,
        }
    }
}

/// How an outcome came to its decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Credit {
    /// The event named the decision.
    Explicit,
    /// The decision's message was the last one that the shopper had seen.
    LastTouch,
}

impl Credit {
    fn name(self) -> &'static str {
        match self {
            Self::Explicit => "explicit",
            Self::LastTouch => "last_touch",
        }
    }
}

impl Store {
    /// Writes what came of a decision and says whether it is new. Everything but an order counts once a decision, at the
    /// earliest time that is known; an order counts by its parts.
    pub(crate) fn put_outcome(
        &self,
        outcome: &Outcome,
        order: Option<&OrderPart>,
        credit: Credit,
    ) -> Result<bool> {
        let insert = "INSERT OR IGNORE INTO outcomes
                      (decision_id, event, order_id, part, credit, value, currency, at_ms)
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        let part: &[u8] = order.map_or(&[], |order| &order.part);
        let at_ms = outcome.at.as_millisecond();
        let new = self
            .connection
            .prepare_cached(insert)
            .and_then(|mut statement| {
                statement.execute(params![
                    outcome.decision_id.0,
                    outcome.event,
                    order.and_then(|order| order.order_id.as_deref()),
                    part,
                    credit.name(),
                    outcome.value,
                    outcome.currency.map(|currency| currency.code().to_owned()),
                    at_ms,
                ])
            })
            .map_err(self.fault("write an outcome"))?;
        if new == 0 {
            let earlier = "UPDATE outcomes SET at_ms = ?4
                           WHERE decision_id = ?1 AND event = ?2 AND part = ?3 AND at_ms > ?4";
            self.connection
                .prepare_cached(earlier)
                .and_then(|mut statement| {
                    statement.execute(params![outcome.decision_id.0, outcome.event, part, at_ms])
                })
                .map_err(self.fault("write an outcome"))?;
        }
        Ok(new == 1)
    }

    /// Moves an order from the decision to which last touch gave it to one that an event has named.
    pub(crate) fn move_order(&self, order_id: &str, named: &DecisionId) -> Result<()> {
        // The rows come in anew, so that the decision that gets them is one that was answered just now.
        let guessed = "order_id = ?1 AND credit = 'last_touch' AND decision_id <> ?2
                       AND (SELECT user FROM decisions WHERE decision_id = outcomes.decision_id)
                         = (SELECT user FROM decisions WHERE decision_id = ?2)";
        let add = format!(
            "INSERT OR IGNORE INTO outcomes (decision_id, event, order_id, part, credit, value, currency, at_ms)
             SELECT ?2, event, order_id, part, credit, value, currency, at_ms FROM outcomes WHERE {guessed}"
        );
        let remove = format!("DELETE FROM outcomes WHERE {guessed}");
        for step in [add, remove] {
            self.connection
                .prepare_cached(&step)
                .and_then(|mut statement| statement.execute(params![order_id, named.0]))
                .map_err(self.fault("write an outcome"))?;
        }
        Ok(())
    }

    /// The decision of a shopper to which a part of this order was credited already.
    pub(crate) fn decision_of_order(
        &self,
        order_id: &str,
        user: Pseudonym,
    ) -> Result<Option<DecisionId>> {
        let query = "SELECT outcomes.decision_id FROM outcomes JOIN decisions USING (decision_id)
                     LEFT JOIN links ON links.alias = user
                     WHERE order_id = ?1 AND event = 'order' AND coalesce(canonical, user) = ?2
                     ORDER BY outcomes.position LIMIT 1";
        self.optional_id(query, params![order_id, user.0])
    }

    /// The last message that a shopper was sent within `window_ms` before a moment and had seen or clicked by then.
    pub(crate) fn last_touch(
        &self,
        user: Pseudonym,
        at: Timestamp,
        window_ms: i64,
    ) -> Result<Option<DecisionId>> {
        let query = "SELECT decision_id FROM decisions
                     WHERE sends = 1 AND decided_ms < ?2 AND decided_ms > ?2 - ?3
                       AND user IN (SELECT ?1 UNION ALL SELECT alias FROM links WHERE canonical = ?1)
                       AND EXISTS (SELECT 1 FROM outcomes WHERE outcomes.decision_id = decisions.decision_id
                                   AND event IN ('impression', 'click') AND at_ms <= ?2)
                     ORDER BY decided_ms DESC, position DESC LIMIT 1";
        self.optional_id(query, params![user.0, at.as_millisecond(), window_ms])
    }

    fn optional_id(
        &self,
        query: &str,
        values: impl rusqlite::Params,
    ) -> Result<Option<DecisionId>> {
        self.connection
            .prepare_cached(query)
            .and_then(|mut statement| {
                statement
                    .query_row(values, |row| row.get(0).map(DecisionId))
                    .optional()
            })
            .map_err(self.fault("read its outcomes"))
    }

    /// The shopper of a decision, by the pseudonym under which everything that is linked to it counts.
    pub(crate) fn shopper_of_decision(&self, decision: &DecisionId) -> Result<Option<Pseudonym>> {
        let query =
            "SELECT coalesce(canonical, user) FROM decisions LEFT JOIN links ON links.alias = user
                     WHERE decision_id = ?1";
        self.connection
            .prepare_cached(query)
            .and_then(|mut statement| {
                statement
                    .query_row([&decision.0], |row| row.get(0).map(Pseudonym))
                    .optional()
            })
            .map_err(self.fault("read its decisions"))
    }

    /// When the first message was sent, in milliseconds since 1970.
    pub(crate) fn first_message_ms(&self) -> Result<Option<i64>> {
        self.connection
            .query_row(
                "SELECT min(decided_ms) FROM decisions WHERE sends = 1",
                [],
                |row| row.get(0),
            )
            .map_err(self.fault("read its decisions"))
    }

    /// Calls `visit` with every event after a position that names a decision, and with every order since a moment, in
    /// the order of the log.
    pub(crate) fn for_each_response(
        &self,
        after: i64,
        orders_since_ms: i64,
        mut visit: impl FnMut(i64, Event) -> Result<()>,
    ) -> Result<()> {
        // Properties are written without spaces, and only a decision's answer has this key.
        let query = "SELECT position, message, coalesce(canonical, user), kind, at_ms, properties
                     FROM events LEFT JOIN links ON links.alias = events.user
                     WHERE position > ?1
                       AND (properties LIKE '%\"decision_id\":%' OR (kind = ?2 AND at_ms >= ?3))
                     ORDER BY position";
        let mut statement = self
            .connection
            .prepare_cached(query)
            .map_err(self.fault("be read"))?;
        let order = EventKind::OrderCompleted.code();
        let mut rows = statement
            .query(params![after, order, orders_since_ms])
            .map_err(self.fault("be read"))?;
        while let Some(row) = rows.next().map_err(self.fault("be read"))? {
            let position: i64 = row.get(0).map_err(self.fault("be read"))?;
            visit(position, read_event(row, position)?)?;
        }
        Ok(())
    }

    /// The outcomes of every decision, in the order in which they became known.
    pub(crate) fn outcomes(&self) -> Result<HashMap<String, Vec<LoggedOutcome>>> {
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT decision_id, position, event, value, at_ms FROM outcomes ORDER BY position",
            )
            .map_err(self.fault("read its outcomes"))?;
        let rows = statement
            .query_map([], |row| {
                let outcome = LoggedOutcome {
                    position: row.get(1)?,
                    event: row.get(2)?,
                    value: row.get(3)?,
                    at_ms: row.get(4)?,
                };
                Ok((row.get(0)?, outcome))
            })
            .and_then(Iterator::collect::<rusqlite::Result<Vec<(String, LoggedOutcome)>>>)
            .map_err(self.fault("read its outcomes"))?;
        let mut outcomes: HashMap<String, Vec<_>> = HashMap::new();
        for (decision, outcome) in rows {
            outcomes.entry(decision).or_default().push(outcome);
        }
        Ok(outcomes)
    }
}
