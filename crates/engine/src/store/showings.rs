//! Which products were shown to whom lately, so that nobody reads the same offer again and again.

use std::collections::{HashMap, HashSet};

use events::{Channel, Pseudonym, Timestamp};
use rusqlite::params;

use super::Store;
use crate::error::Result;

impl Store {
    /// The products that messages on a channel spoke of since a moment, by shopper.
    pub(crate) fn shown_since(
        &self,
        channel: Channel,
        since: Timestamp,
    ) -> Result<HashMap<Pseudonym, HashSet<String>>> {
        let query = "SELECT user, json_extract(
                         decision, '$.candidates[' || json_extract(decision, '$.chosen') || '].product')
                     FROM decisions WHERE sends = 1 AND channel = ?1 AND decided_ms > ?2";
        let rows = self
            .connection
            .prepare_cached(query)
            .and_then(|mut statement| {
                statement
                    .query_map(params![channel.name(), since.as_millisecond()], |row| {
                        Ok((Pseudonym(row.get(0)?), row.get(1)?))
                    })?
                    .collect::<rusqlite::Result<Vec<(Pseudonym, String)>>>()
            })
            .map_err(self.fault("read what was shown"))?;
        let mut shown: HashMap<Pseudonym, HashSet<String>> = HashMap::new();
        for (user, product) in rows {
            shown.entry(user).or_default().insert(product);
        }
        Ok(shown)
    }
}
