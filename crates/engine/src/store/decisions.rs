//! Decisions: written before anything is sent, read to learn and to report.

use std::collections::HashMap;

use events::{Channel, Decision, Pseudonym, Timestamp};
use rusqlite::params;

use super::Store;
use crate::error::{EngineError, Result};

impl Store {
    /// Writes a decision; one with the same id is kept as it was.
    pub(crate) fn put_decision(&self, run: &str, decision: &Decision) -> Result<()> {
        let sends = decision.chosen().product.is_some();
        let json = serde_json::to_string(decision).map_err(|error| EngineError::Corrupt {
            what: "decision",
            place: decision.decision_id.to_string(),
            detail: error.to_string(),
        })?;
        let insert = "INSERT OR IGNORE INTO decisions
                      (decision_id, run, user, channel, sends, decided_ms, decision) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        self.connection
            .prepare_cached(insert)
            .and_then(|mut statement| {
                statement.execute(params![
                    decision.decision_id.0,
                    run,
                    decision.user.0,
                    decision.channel.name(),
                    sends,
                    decision.decided_at.as_millisecond(),
                    json,
                ])
            })
            .map(drop)
            .map_err(self.fault("write a decision"))
    }

    /// Calls `visit` with every decision of a run, or of all runs, in the order in which they were made.
    ///
    /// # Errors
    /// The error of `visit`, or [`EngineError::Corrupt`] naming a decision that cannot be read.
    pub fn for_each_decision(
        &self,
        run: Option<&str>,
        visit: impl FnMut(Decision) -> Result<()>,
    ) -> Result<()> {
        let query = "SELECT decision_id, decision FROM decisions WHERE ?1 IS NULL OR run = ?1 ORDER BY position";
        self.visit_decisions(query, [run], visit)
    }

    /// Calls `visit` with the messages decided after a moment, and with earlier ones that were answered since an
    /// outcome's position, in the order in which they were decided.
    pub(crate) fn for_each_unlearnt(
        &self,
        after_ms: i64,
        answered_after: Option<i64>,
        visit: impl FnMut(Decision) -> Result<()>,
    ) -> Result<()> {
        let query = "SELECT decision_id, decision FROM decisions
                     WHERE sends = 1 AND (decided_ms > ?1 OR decision_id IN
                         (SELECT decision_id FROM outcomes WHERE position > ?2)) ORDER BY position";
        let answered_after = answered_after.unwrap_or(i64::MAX);
        self.visit_decisions(query, [after_ms, answered_after], visit)
    }

    fn visit_decisions(
        &self,
        query: &str,
        parameters: impl rusqlite::Params,
        mut visit: impl FnMut(Decision) -> Result<()>,
    ) -> Result<()> {
        let mut statement = self
            .connection
            .prepare_cached(query)
            .map_err(self.fault("read its decisions"))?;
        let mut rows = statement
            .query(parameters)
            .map_err(self.fault("read its decisions"))?;
        while let Some(row) = rows.next().map_err(self.fault("read its decisions"))? {
            let id: String = row.get(0).map_err(self.fault("read its decisions"))?;
            let json: String = row.get(1).map_err(self.fault("read its decisions"))?;
            visit(
                serde_json::from_str(&json).map_err(|error| EngineError::Corrupt {
                    what: "decision",
                    place: id,
                    detail: error.to_string(),
                })?,
            )?;
        }
        Ok(())
    }

    /// Counts decisions, and those of them that sent a message.
    ///
    /// # Errors
    /// [`EngineError::Store`] when the database cannot be read.
    pub fn decision_counts(&self) -> Result<(u64, u64)> {
        self.connection
            .query_row(
                "SELECT count(*), coalesce(sum(sends), 0) FROM decisions",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .map_err(self.fault("count its decisions"))
    }

    /// Messages that each shopper got on a channel since a moment, for frequency caps.
    pub(crate) fn messages_since(
        &self,
        channel: Channel,
        since: Timestamp,
    ) -> Result<HashMap<Pseudonym, usize>> {
        let query = "SELECT user, count(*) FROM decisions
                     WHERE sends = 1 AND channel = ?1 AND decided_ms > ?2 GROUP BY user";
        self.connection
            .prepare_cached(query)
            .and_then(|mut statement| {
                statement
                    .query_map(params![channel.name(), since.as_millisecond()], |row| {
                        Ok((Pseudonym(row.get(0)?), row.get(1)?))
                    })?
                    .collect()
            })
            .map_err(self.fault("count messages"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Rounding the last bit of a propensity would make a replayed decision another one.
    #[test]
    fn a_decision_is_read_back_bit_for_bit() {
        let folder = tempfile::tempdir().expect("temporary directory");
        let store = Store::open(folder.path()).expect("opens");
        let mut written: Decision = serde_json::from_value(json!({
            "decision_id": "d_1", "user": Pseudonym([7; 16]), "context": { "locale": "en-GB", "timezone": "UTC" },
            "channel": "push", "slot": "default", "goal": "click", "candidates": [], "chosen": 0, "exclusions": [],
            "experiment": "policy", "holdout": false,
            "explanation": { "score": 0.0, "base": 0.0, "contributions": [], "reason": "" },
            "seed": 1, "log_position": 0, "policy_version": "", "model_version": "", "catalogue_version": "",
            "decided_at": "2026-05-01T12:00:00Z",
        }))
        .expect("a decision");
        written.candidates = (1..2000)
            .map(|n| events::Candidate {
                action: events::Action::Nothing,
                product: None,
                variant: None,
                provider: None,
                live: None,
                propensity: f64::from(n).sqrt() / 1e3,
                score: f64::from(n).ln() * 1e-7,
            })
            .collect();
        store.put_decision("c_1", &written).expect("writes");
        let bits = |decision: &Decision| -> Vec<(u64, u64)> {
            let candidates = decision.candidates.iter();
            candidates
                .map(|candidate| (candidate.propensity.to_bits(), candidate.score.to_bits()))
                .collect()
        };
        let mut read = Vec::new();
        store
            .for_each_decision(None, |decision| {
                read.push(bits(&decision));
                Ok(())
            })
            .expect("reads");
        assert_eq!(read, [bits(&written)]);
    }
}
