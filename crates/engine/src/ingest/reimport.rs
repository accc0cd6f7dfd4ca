//! Repair: rows of the quarantine, edited by a person, on their way into the log after all.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use events::Timestamp;

use super::format::{Format, RowMapper};
use super::intake::{Intake, Origin, Taken};
use super::pipeline::Job;
use super::prepare::Preparer;
use super::{ImportReport, finish};
use crate::config::Config;
use crate::error::{EngineError, Result};
use crate::store::{Kept, QuarantineEntry, Store};

/// Maps edited rows again; those that pass now are taken in, and their entries count as repaired.
///
/// The entries are those of [`Store::quarantine_entries`] with `text` edited. A row that still does not pass waits on
/// as it was, until it expires. All of it happens in one transaction.
///
/// # Errors
/// [`EngineError::NotReady`] for an entry that the quarantine does not hold or a format that this version does not
/// know, and as [`super::import`].
pub fn reimport(
    store: &mut Store,
    config: &Config,
    entries: Vec<QuarantineEntry>,
    now: Timestamp,
) -> Result<ImportReport> {
    let preparer = Preparer::new(Arc::clone(store.vault()), config, now)?;
    let mut mappers: HashMap<(String, String), (Format, RowMapper)> = HashMap::new();
    let mut intake = Intake::for_repair(&config.campaign.purpose, now);
    store.transaction(|store| {
        for entry in entries {
            let QuarantineEntry {
                id,
                format,
                file,
                line,
                header,
                text,
                ..
            } = entry;
            let taken = match store.quarantine_state(id)? {
                None => return Err(unknown(id)),
                Some(Kept::Repaired) => intake.count(Taken::Merged),
                Some(Kept::Waiting) => {
                    let key = (format, header);
                    if !mappers.contains_key(&key) {
                        let format =
                            key.0
                                .parse::<Format>()
                                .map_err(|problem| EngineError::NotReady {
                                    missing: problem,
                                    remedy:
                                        "repair the row with the version of hawker that imported it"
                                            .to_owned(),
                                })?;
                        let mapper = RowMapper::new(format, Path::new(&file), &key.1, config, now)?;
                        mappers.insert(key.clone(), (format, mapper));
                    }
                    let (format, mapper) = &mappers[&key];
                    let job = Job {
                        format: *format,
                        config,
                        preparer: &preparer,
                        commit_rows: usize::MAX,
                    };
                    let origin = Origin {
                        format: format.name(),
                        file: &file,
                        header: &key.1,
                        line,
                    };
                    intake.apply(store, origin, job.map_row(mapper, text))?
                }
            };
            if taken != Taken::Quarantined {
                store.mark_repaired(id)?;
            }
        }
        intake.flush(store)
    })?;
    let mut report = intake.report;
    finish(store, config, &[], now, &mut report)?;
    Ok(report)
}

fn unknown(id: i64) -> EngineError {
    EngineError::NotReady {
        missing: format!("the quarantine has no entry {id}"),
        remedy: "export the quarantine of this data directory again and edit that".to_owned(),
    }
}
