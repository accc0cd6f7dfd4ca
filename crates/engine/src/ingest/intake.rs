//! The writer: takes prepared rows into the store, in their order, within the caller's transaction.

use std::collections::{HashMap, HashSet};

use events::{Availability, Identity, Product, Pseudonym, Timestamp};

use super::prepare::{Observed, Prepared};
use super::row::Rejection;
use super::{Alarm, ImportReport};
use crate::error::{EngineError, Result};
use crate::store::{Kept, QuarantinedRow, Seen, Store};

/// Reasons that tell of a fault in what wrote the file, and not in single rows.
const ALARMING: [&str; 2] = ["future_timestamp", "currency_changes"];

/// Shoppers that are remembered as known, so that their next row asks the database nothing.
const REMEMBERED: usize = 200_000;

/// What became of one row before it reaches the writer.
#[derive(Debug)]
pub(crate) enum Outcome {
    Event(Box<Prepared>),
    Product(Box<Product>),
    /// A variant of the product above it, and the row's text in case there is none above it.
    Variant(Box<Product>, String),
    Merged,
    /// A row that is not taken in, and its text.
    Rejected(Rejection, String),
}

/// Where a row comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin<'a> {
    pub(crate) format: &'a str,
    /// Name of the file, without its folder.
    pub(crate) file: &'a str,
    pub(crate) header: &'a str,
    pub(crate) line: u64,
}

/// What became of a row in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    Kept,
    Merged,
    Quarantined,
}

/// Takes rows in and counts them.
pub(crate) struct Intake {
    pub(crate) report: ImportReport,
    /// The purpose whose consent an `Unsubscribed` event withdraws in any case.
    purpose: String,
    /// The time of the clock, from which a quarantined row's days are counted.
    now: Timestamp,
    /// Whether the rows come from the quarantine, which then holds those that do not pass already.
    repair: bool,
    known: HashSet<Pseudonym>,
    /// The product that further variants belong to.
    base: Option<Product>,
    titles: HashMap<(String, String), Seen>,
    prices: HashMap<(String, i64), Seen>,
}

impl Intake {
    pub(crate) fn new(purpose: &str, now: Timestamp) -> Self {
        Self {
            report: ImportReport::default(),
            purpose: purpose.to_owned(),
            now,
            repair: false,
            known: HashSet::new(),
            base: None,
            titles: HashMap::new(),
            prices: HashMap::new(),
        }
    }

    /// Takes in rows of the quarantine.
    pub(crate) fn for_repair(purpose: &str, now: Timestamp) -> Self {
        Self {
            repair: true,
            ..Self::new(purpose, now)
        }
    }

    /// Takes one row in.
    ///
    /// # Errors
    /// [`EngineError::Store`] or [`EngineError::DiskFull`] when the database cannot be written.
    pub(crate) fn apply(
        &mut self,
        store: &Store,
        origin: Origin<'_>,
        outcome: Outcome,
    ) -> Result<Taken> {
        let taken = match outcome {
            Outcome::Event(prepared) => self.apply_event(store, *prepared)?,
            Outcome::Product(product) => self.apply_product(store, *product)?,
            Outcome::Variant(variant, text) => {
                self.apply_variant(store, origin, *variant, &text)?
            }
            Outcome::Merged => Taken::Merged,
            Outcome::Rejected(rejection, text) => self.reject(store, origin, &rejection, &text)?,
        };
        Ok(self.count(taken))
    }

    /// Counts a row that is dealt with.
    pub(crate) fn count(&mut self, taken: Taken) -> Taken {
        self.report.rows_read += 1;
        match taken {
            Taken::Kept => self.report.kept += 1,
            Taken::Merged => self.report.merged += 1,
            Taken::Quarantined => self.report.quarantined += 1,
        }
        taken
    }

    /// Writes what order lines said of their products; belongs at the end of every transaction.
    ///
    /// # Errors
    /// As [`Intake::apply`].
    pub(crate) fn flush(&mut self, store: &Store) -> Result<()> {
        for ((product_id, title), seen) in std::mem::take(&mut self.titles) {
            store.count_title(&product_id, &title, seen)?;
        }
        for ((product_id, price_minor), seen) in std::mem::take(&mut self.prices) {
            store.count_price(&product_id, price_minor, seen)?;
        }
        Ok(())
    }

    /// Forgets the product above, since the next row is from another file.
    pub(crate) fn begin_file(&mut self) {
        self.base = None;
    }

    /// An event that the log holds already changes nothing, so that a rerun cannot undo what came later.
    fn apply_event(&mut self, store: &Store, prepared: Prepared) -> Result<Taken> {
        let Prepared {
            event,
            identity,
            alias,
            traits,
            unsubscribed,
            observed,
        } = prepared;
        if !store.append(&event)? {
            return Ok(Taken::Merged);
        }
        self.meet(store, event.user, &identity)?;
        if let Some((pseudonym, identity)) = alias {
            self.meet(store, pseudonym, &identity)?;
            store.link(pseudonym, event.user)?;
        }
        if let Some(traits) = traits {
            store.update_traits(event.user, &traits)?;
        }
        if !unsubscribed.is_empty() {
            let at =
                Timestamp::from_millisecond(event.at_ms).map_err(|error| EngineError::Corrupt {
                    what: "timestamp",
                    place: event.at_ms.to_string(),
                    detail: error.to_string(),
                })?;
            for channel in unsubscribed {
                store.withdraw(event.user, channel, &self.purpose, at)?;
            }
        }
        for observed in observed {
            self.observe(observed, event.at_ms);
        }
        Ok(Taken::Kept)
    }

    fn meet(&mut self, store: &Store, pseudonym: Pseudonym, identity: &Identity) -> Result<()> {
        if self.known.len() == REMEMBERED {
            self.known.clear();
        }
        if self.known.insert(pseudonym) {
            store.add_shopper(pseudonym, identity)?;
        }
        Ok(())
    }

    fn observe(&mut self, observed: Observed, at_ms: i64) {
        let count = |seen: &mut Seen| {
            seen.lines += 1;
            seen.last_ms = seen.last_ms.max(at_ms);
        };
        let first = Seen {
            lines: 1,
            last_ms: at_ms,
        };
        let Observed {
            product_id,
            title,
            price_minor,
        } = observed;
        if let Some(title) = title {
            self.titles
                .entry((product_id.clone(), title))
                .and_modify(count)
                .or_insert(first);
        }
        self.prices
            .entry((product_id, price_minor))
            .and_modify(count)
            .or_insert(first);
    }

    fn apply_product(&mut self, store: &Store, product: Product) -> Result<Taken> {
        let changed = store.put_product(&product, false)?;
        self.base = Some(product);
        if changed {
            self.report.products += 1;
        }
        Ok(if changed { Taken::Kept } else { Taken::Merged })
    }

    fn apply_variant(
        &mut self,
        store: &Store,
        origin: Origin<'_>,
        mut variant: Product,
        text: &str,
    ) -> Result<Taken> {
        if self.repair {
            self.base = variant
                .item_group_id
                .as_deref()
                .map(|group| store.product_of_group(group))
                .transpose()?
                .flatten();
        }
        let base = self
            .base
            .as_ref()
            .filter(|base| base.item_group_id == variant.item_group_id);
        let Some(base) = base else {
            let detail =
                "the rows above it hold no product that it could be a variant of; give it a title";
            return self.reject(
                store,
                origin,
                &Rejection::new("variant_without_product", detail),
                text,
            );
        };
        variant.title.clone_from(&base.title);
        variant.description.clone_from(&base.description);
        variant.brand.clone_from(&base.brand);
        variant
            .google_product_category
            .clone_from(&base.google_product_category);
        if base.availability == Availability::Discontinued {
            variant.availability = Availability::Discontinued;
        }
        for (fact, named) in variant.facts.iter_mut().zip(&base.facts) {
            fact.name.clone_from(&named.name);
        }
        variant.link = variant.link.or_else(|| base.link.clone());
        variant.image_link = variant.image_link.or_else(|| base.image_link.clone());
        let changed = store.put_product(&variant, false)?;
        self.report.products += u64::from(changed);
        Ok(if changed { Taken::Kept } else { Taken::Merged })
    }

    fn reject(
        &mut self,
        store: &Store,
        origin: Origin<'_>,
        rejection: &Rejection,
        text: &str,
    ) -> Result<Taken> {
        let row = QuarantinedRow {
            format: origin.format,
            file: origin.file,
            line: origin.line,
            reason: &rejection.reason,
            detail: &rejection.detail,
            header: origin.header,
            text,
            at: self.now,
        };
        if !self.repair && store.quarantine(&row)? == Kept::Repaired {
            return Ok(Taken::Merged);
        }
        *self
            .report
            .by_reason
            .entry(rejection.reason.clone())
            .or_default() += 1;
        let alarming = ALARMING.contains(&rejection.reason.as_str());
        let known = self
            .report
            .alarms
            .iter()
            .any(|alarm| alarm.reason == rejection.reason);
        if alarming && !known {
            self.report.alarms.push(Alarm {
                reason: rejection.reason.clone(),
                file: origin.file.to_owned(),
                line: origin.line,
                detail: rejection.detail.clone(),
            });
        }
        Ok(Taken::Quarantined)
    }
}
