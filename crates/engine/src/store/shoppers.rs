//! Who the shoppers are, as far as anything outside the vault may know, and what they consented to.

use events::{Channel, Consent, ConsentState, EventError, Identity, Pseudonym, Timestamp};
use rusqlite::{OptionalExtension, params};
use serde::Serialize;

use super::Store;
use crate::error::{EngineError, Result};

/// The source of consents that nobody stated: the shop vouches for them with `--consent`.
pub(crate) const ASSUMED: &str = "assumed at import: --consent";

/// What the engine knows of a shopper besides the events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shopper {
    /// Who it is.
    pub pseudonym: Pseudonym,
    /// Whether it is a browser or a guest checkout, to whom nothing can be sent.
    pub guest: bool,
    /// BCP 47 tag of the shopper's language, where known.
    pub locale: Option<String>,
    /// IANA name of the shopper's time zone, where known.
    pub timezone: Option<String>,
}

/// How many shoppers stand where for one channel and purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConsentSummary {
    /// The channel.
    pub channel: String,
    /// The purpose.
    pub purpose: String,
    /// `granted` or `withdrawn`.
    pub state: String,
    /// Where the consents come from.
    pub source: String,
    /// Shoppers in this state.
    pub shoppers: u64,
}

/// What an `identify` call brings.
#[derive(Debug, Default)]
pub(crate) struct TraitsUpdate {
    pub(crate) locale: Option<String>,
    pub(crate) timezone: Option<String>,
    pub(crate) sealed: Option<Vec<u8>>,
    pub(crate) consents: Vec<Consent>,
}

impl Store {
    /// Records that a pseudonym exists and, encrypted, whose it is.
    pub(crate) fn add_shopper(&self, pseudonym: Pseudonym, identity: &Identity) -> Result<()> {
        let new = self
            .connection
            .prepare_cached("INSERT OR IGNORE INTO shoppers (pseudonym, guest) VALUES (?1, ?2)")
            .and_then(|mut statement| {
                statement.execute(params![pseudonym.0, identity.is_anonymous()])
            })
            .map_err(self.fault("add a shopper"))?;
        if new == 0 {
            return Ok(());
        }
        self.connection
            .prepare_cached("INSERT OR IGNORE INTO identities VALUES (?1, ?2)")
            .and_then(|mut statement| {
                statement.execute(params![pseudonym.0, self.vault.seal_identity(identity)])
            })
            .map(drop)
            .map_err(self.fault("add a shopper"))
    }

    /// Links a browser to the shopper who signed in on it, who then also has what was withdrawn on it.
    pub(crate) fn link(&self, alias: Pseudonym, canonical: Pseudonym) -> Result<()> {
        let linked = self
            .connection
            .prepare_cached("INSERT INTO links VALUES (?1, ?2) ON CONFLICT DO UPDATE SET canonical = excluded.canonical
                             WHERE canonical <> excluded.canonical")
            .and_then(|mut statement| statement.execute(params![alias.0, canonical.0]))
            .map_err(self.fault("link a browser"))?;
        if linked == 0 {
            return Ok(());
        }
        for consent in self.consents_of(alias)? {
            if consent.state == ConsentState::Withdrawn {
                self.put_consent(canonical, &consent)?;
            }
        }
        Ok(())
    }

    /// Takes in what an `identify` call says of a shopper.
    pub(crate) fn update_traits(&self, user: Pseudonym, update: &TraitsUpdate) -> Result<()> {
        let set =
            "UPDATE shoppers SET locale = coalesce(?2, locale), timezone = coalesce(?3, timezone),
                   sealed = coalesce(?4, sealed) WHERE pseudonym = ?1";
        self.connection
            .prepare_cached(set)
            .and_then(|mut statement| {
                statement.execute(params![
                    user.0,
                    update.locale,
                    update.timezone,
                    update.sealed
                ])
            })
            .map_err(self.fault("update a shopper"))?;
        update
            .consents
            .iter()
            .try_for_each(|consent| self.put_consent(user, consent))
    }

    /// Records a consent; the latest statement about a channel and purpose counts, a withdrawal wins a tie, and
    /// any statement of the shopper's own wins over an assumption.
    pub(crate) fn put_consent(&self, user: Pseudonym, consent: &Consent) -> Result<()> {
        let upsert = "INSERT INTO consents VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                      ON CONFLICT DO UPDATE SET state = excluded.state, at_ms = excluded.at_ms, source = excluded.source
                      WHERE excluded.at_ms > at_ms OR source = ?7
                         OR (excluded.at_ms = at_ms AND excluded.state = 'withdrawn')";
        self.connection
            .prepare_cached(upsert)
            .and_then(|mut statement| {
                statement.execute(params![
                    user.0,
                    consent.channel.name(),
                    consent.purpose,
                    state_name(consent.state),
                    consent.at.as_millisecond(),
                    consent.source,
                    ASSUMED,
                ])
            })
            .map(drop)
            .map_err(self.fault("record a consent"))
    }

    /// Withdraws a shopper's consent to a channel for `purpose` and every other purpose that was ever stated, on
    /// the browser where it was withdrawn and for the shopper to whom that browser is linked.
    pub(crate) fn withdraw(
        &self,
        user: Pseudonym,
        channel: Channel,
        purpose: &str,
        at: Timestamp,
    ) -> Result<()> {
        let canonical: Option<[u8; 16]> = self
            .connection
            .prepare_cached("SELECT canonical FROM links WHERE alias = ?1")
            .and_then(|mut statement| statement.query_row([user.0], |row| row.get(0)).optional())
            .map_err(self.fault("read its links"))?;
        for user in [Some(user), canonical.map(Pseudonym)].into_iter().flatten() {
            let stated = self.consents_of(user)?;
            let others = stated
                .into_iter()
                .filter(|consent| consent.channel == channel)
                .map(|consent| consent.purpose);
            let purposes: std::collections::BTreeSet<String> =
                others.chain([purpose.to_owned()]).collect();
            for purpose in purposes {
                let state = ConsentState::Withdrawn;
                let source = "unsubscribed".to_owned();
                self.put_consent(
                    user,
                    &Consent {
                        channel,
                        purpose,
                        state,
                        at,
                        source,
                    },
                )?;
            }
        }
        Ok(())
    }

    /// What a shopper stated, by channel and purpose.
    ///
    /// # Errors
    /// [`EngineError::Corrupt`] when a consent cannot be read.
    pub fn consents_of(&self, user: Pseudonym) -> Result<Vec<Consent>> {
        let query = "SELECT channel, purpose, state, at_ms, source FROM consents WHERE user = ?1 ORDER BY 1, 2";
        let rows = self
            .connection
            .prepare_cached(query)
            .and_then(|mut statement| {
                statement
                    .query_map([user.0], |row| {
                        Ok((
                            row.get::<_, String>(0)?,
                            row.get(1)?,
                            row.get::<_, String>(2)?,
                            row.get(3)?,
                            row.get(4)?,
                        ))
                    })?
                    .collect::<rusqlite::Result<Vec<_>>>()
            })
            .map_err(self.fault("read consents"))?;
        rows.into_iter()
            .map(|(channel, purpose, state, at_ms, source)| {
                let corrupt = |detail: String| EngineError::Corrupt {
                    what: "consent",
                    place: user.to_string(),
                    detail,
                };
                Ok(Consent {
                    channel: channel
                        .parse()
                        .map_err(|error: EventError| corrupt(error.to_string()))?,
                    purpose,
                    state: if state == "granted" {
                        ConsentState::Granted
                    } else {
                        ConsentState::Withdrawn
                    },
                    at: Timestamp::from_millisecond(at_ms)
                        .map_err(|error| corrupt(error.to_string()))?,
                    source,
                })
            })
            .collect()
    }

    /// Assumes a consent of every known shopper who made no statement about the channel and purpose.
    pub(crate) fn assume_consent(&self, consent: &AssumedConsent, at: Timestamp) -> Result<u64> {
        let insert = "INSERT INTO consents
                      SELECT pseudonym, ?1, ?2, ?3, ?4, ?5 FROM shoppers WHERE guest = 0
                      ON CONFLICT DO UPDATE SET state = excluded.state, at_ms = excluded.at_ms
                      WHERE source = ?5 AND state <> excluded.state";
        let state = state_name(consent.state);
        let values = params![
            consent.channel.name(),
            consent.purpose,
            state,
            at.as_millisecond(),
            ASSUMED
        ];
        self.connection
            .execute(insert, values)
            .map(|rows| rows as u64)
            .map_err(self.fault("record consents"))
    }

    /// The shoppers who granted consent for `channel` and `purpose`.
    ///
    /// # Errors
    /// [`EngineError::Store`] when the database cannot be read.
    pub fn consented(
        &self,
        channel: Channel,
        purpose: &str,
    ) -> Result<std::collections::HashSet<Pseudonym>> {
        let query =
            "SELECT user FROM consents WHERE channel = ?1 AND purpose = ?2 AND state = 'granted'";
        self.connection
            .prepare_cached(query)
            .and_then(|mut statement| {
                statement
                    .query_map(params![channel.name(), purpose], |row| {
                        Ok(Pseudonym(row.get(0)?))
                    })?
                    .collect()
            })
            .map_err(self.fault("read consents"))
    }

    /// Counts consents by channel, purpose, state and source.
    ///
    /// # Errors
    /// [`EngineError::Store`] when the database cannot be read.
    pub fn consent_summary(&self) -> Result<Vec<ConsentSummary>> {
        let query = "SELECT channel, purpose, state, source, count(*) FROM consents
                     GROUP BY channel, purpose, state, source ORDER BY 1, 2, 3, 4";
        self.connection
            .prepare_cached(query)
            .and_then(|mut statement| {
                statement
                    .query_map([], |row| {
                        Ok(ConsentSummary {
                            channel: row.get(0)?,
                            purpose: row.get(1)?,
                            state: row.get(2)?,
                            source: row.get(3)?,
                            shoppers: row.get(4)?,
                        })
                    })?
                    .collect()
            })
            .map_err(self.fault("read consents"))
    }

    /// Every shopper that is not a browser linked to another, in the order of pseudonyms.
    ///
    /// # Errors
    /// [`EngineError::Store`] when the database cannot be read.
    pub fn shoppers(&self) -> Result<Vec<Shopper>> {
        let query = "SELECT pseudonym, guest, locale, timezone FROM shoppers
                     WHERE pseudonym NOT IN (SELECT alias FROM links) ORDER BY pseudonym";
        self.connection
            .prepare_cached(query)
            .and_then(|mut statement| {
                statement
                    .query_map([], |row| {
                        Ok(Shopper {
                            pseudonym: Pseudonym(row.get(0)?),
                            guest: row.get(1)?,
                            locale: row.get(2)?,
                            timezone: row.get(3)?,
                        })
                    })?
                    .collect()
            })
            .map_err(self.fault("read its shoppers"))
    }

    /// Who a pseudonym is: for delivery and export alone.
    ///
    /// # Errors
    /// [`EngineError::Corrupt`] when the identifier cannot be decrypted.
    pub fn identity(&self, pseudonym: Pseudonym) -> Result<Option<Identity>> {
        let sealed: Option<Vec<u8>> = self
            .connection
            .prepare_cached("SELECT sealed FROM identities WHERE pseudonym = ?1")
            .and_then(|mut statement| {
                statement
                    .query_row([pseudonym.0], |row| row.get(0))
                    .optional()
            })
            .map_err(self.fault("read its vault"))?;
        sealed
            .map(|sealed| {
                self.vault
                    .unseal_identity(&sealed, &format!("identity of {pseudonym}"))
            })
            .transpose()
    }
}

fn state_name(state: ConsentState) -> &'static str {
    match state {
        ConsentState::Granted => "granted",
        ConsentState::Withdrawn => "withdrawn",
    }
}

/// A consent stated on the command line, in the form `CHANNEL:PURPOSE=granted|withdrawn`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssumedConsent {
    /// The channel.
    pub channel: Channel,
    /// The purpose.
    pub purpose: String,
    /// Granted or withdrawn.
    pub state: ConsentState,
}

impl std::str::FromStr for AssumedConsent {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let form = || {
            format!(
                "`{text}` is no consent; give CHANNEL:PURPOSE=granted, such as push:marketing=granted"
            )
        };
        let (channel, rest) = text.split_once(':').ok_or_else(form)?;
        let (purpose, state) = rest
            .split_once('=')
            .filter(|(purpose, _)| !purpose.is_empty())
            .ok_or_else(form)?;
        let channel = channel
            .parse()
            .map_err(|error: events::EventError| error.to_string())?;
        let state = match state {
            "granted" => ConsentState::Granted,
            "withdrawn" => ConsentState::Withdrawn,
            _ => return Err(form()),
        };
        Ok(Self {
            channel,
            purpose: purpose.to_owned(),
            state,
        })
    }
}
