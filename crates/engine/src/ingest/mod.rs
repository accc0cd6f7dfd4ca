//! Import: from a shop's files to the log, the catalogue and the quarantine.
//!
//! Every row is kept, merged with one that is there already, or quarantined with its reason; the three add up to the
//! rows read. An event is identified by what it says, so the same command again, after a kill or not, ends in the same
//! state.
//!
//! Never reads the clock: the caller says what time it is.

mod amazon_reviews;
mod columns;
mod dates;
pub(crate) mod fields;
mod format;
mod html;
mod intake;
#[cfg(test)]
mod killed_tests;
mod mapped;
mod merchant_feed;
mod online_retail;
mod parquet;
mod pipeline;
mod prepare;
mod reimport;
mod row;
mod segment;
mod shopify_products;
pub(crate) mod source;
mod xlsx;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use events::Timestamp;
use serde::Serialize;

pub use format::Format;
pub use reimport::reimport;

use self::intake::Intake;
use self::pipeline::Job;
use self::prepare::Preparer;
use crate::config::Config;
use crate::error::{EngineError, Result};
use crate::store::{AssumedConsent, Store};

/// Rows that are committed together. Message keys are random, so that a commit writes most pages of their index: few
/// commits write few pages, and the cache bounds memory whatever their size.
const COMMIT_ROWS: usize = 131_072;

/// What to import.
#[derive(Debug, Clone)]
pub struct ImportRequest {
    /// What the files are.
    pub format: Format,
    /// The files, in the order in which they are read.
    pub files: Vec<PathBuf>,
    /// Consents to assume of every known shopper who stated none.
    pub consents: Vec<AssumedConsent>,
    /// The time of the clock; what is more than a day later is quarantined, and what was quarantined too long ago expires.
    pub now: Timestamp,
}

/// How far an import is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportProgress {
    /// The file that is being read.
    pub file: PathBuf,
    /// Bytes of it that were read; 0 where its format does not tell.
    pub bytes_read: u64,
    /// Its size in bytes.
    pub bytes_total: u64,
    /// Rows of it that were written.
    pub rows: u64,
}

/// What an import did: `kept + merged + quarantined = rows_read`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ImportReport {
    /// Rows read, without headers and blank lines.
    pub rows_read: u64,
    /// Rows that are new, or a product that changed.
    pub kept: u64,
    /// Rows that say what is there already.
    pub merged: u64,
    /// Rows that were not taken in.
    pub quarantined: u64,
    /// The quarantined rows by reason.
    pub by_reason: BTreeMap<String, u64>,
    /// Products that are new or changed, among them those put together from order lines.
    pub products: u64,
    /// Consents that were assumed.
    pub consents: u64,
    /// Rows of the quarantine that nobody repaired in time; they are gone.
    pub expired: u64,
    /// The first row of each fault that tells of a broken export rather than of single bad rows.
    pub alarms: Vec<Alarm>,
}

/// A fault of what wrote the file: a clock in the future, a currency that changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Alarm {
    /// Short stable name of the fault.
    pub reason: String,
    /// Name of the file of the first row that has it.
    pub file: String,
    /// Line of that row.
    pub line: u64,
    /// The fault in words, with the remedy.
    pub detail: String,
}

/// Imports files, one after the other.
///
/// # Errors
/// [`EngineError::File`] or [`EngineError::Line`] naming file, line and remedy for a file that is missing, empty,
/// truncated, wrongly encoded or without a needed column; what stands before the fault is taken in, and the same
/// command with a good file completes it. [`EngineError::DiskFull`] or [`EngineError::Store`] when the log cannot be
/// written; every transaction before is kept.
pub fn import(
    store: &mut Store,
    config: &Config,
    request: &ImportRequest,
    progress: &mut dyn FnMut(&ImportProgress),
) -> Result<ImportReport> {
    import_committing(store, config, request, COMMIT_ROWS, progress)
}

fn import_committing(
    store: &mut Store,
    config: &Config,
    request: &ImportRequest,
    commit_rows: usize,
    progress: &mut dyn FnMut(&ImportProgress),
) -> Result<ImportReport> {
    for file in &request.files {
        source::open(file)?;
    }
    let preparer = Preparer::new(Arc::clone(store.vault()), config, request.now)?;
    let job = Job {
        format: request.format,
        config,
        preparer: &preparer,
        commit_rows,
    };
    let mut intake = Intake::new(&config.campaign.purpose, request.now);
    for file in &request.files {
        job.import_file(store, file, &mut intake, progress)?;
    }
    let mut report = intake.report;
    finish(store, config, &request.consents, request.now, &mut report)?;
    Ok(report)
}

/// Draws the conclusions that need all rows: the catalogue from order lines, and assumed consents; and removes what has
/// waited in the quarantine for too long.
fn finish(
    store: &mut Store,
    config: &Config,
    consents: &[AssumedConsent],
    now: Timestamp,
    report: &mut ImportReport,
) -> Result<()> {
    let currency = config.currency()?;
    store.transaction(|store| {
        report.products += store.derive_products(currency, config.import.in_stock_days)?;
        // The newest event dates the assumption, not the clock, so that a rerun writes the same.
        let newest = store.log_summary()?.last_ms;
        let at = Timestamp::from_millisecond(newest).map_err(|error| EngineError::Corrupt {
            what: "timestamp",
            place: "the newest event".to_owned(),
            detail: error.to_string(),
        })?;
        for consent in consents {
            report.consents += store.assume_consent(consent, at)?;
        }
        report.expired = store.expire_quarantine(config.privacy.quarantine_days, now)?;
        Ok(())
    })
}
