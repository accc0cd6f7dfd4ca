//! What became of the rows of each import, kept for the report.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::error::{EngineError, Result};
use crate::ingest::{Format, ImportReport};
use crate::store::Store;

const KEY: &str = "imports";

/// What became of the rows of one import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportNote {
    /// The format.
    pub format: String,
    /// The names of the files, without their folders.
    pub files: Vec<String>,
    /// Rows read.
    pub rows_read: u64,
    /// Rows that were new.
    pub kept: u64,
    /// Rows that said what was there already.
    pub merged: u64,
    /// Rows that were not taken in.
    pub quarantined: u64,
    /// These by reason.
    pub by_reason: BTreeMap<String, u64>,
}

/// Keeps what an import came to; one that brought nothing new does not replace the note of the same files.
///
/// # Errors
/// Those of the store.
pub fn note_import(
    store: &mut Store,
    format: Format,
    files: &[PathBuf],
    report: &ImportReport,
) -> Result<()> {
    let note = ImportNote {
        format: format.to_string(),
        files: files
            .iter()
            .map(|file| {
                file.file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect(),
        rows_read: report.rows_read,
        kept: report.kept,
        merged: report.merged,
        quarantined: report.quarantined,
        by_reason: report.by_reason.clone(),
    };
    let mut notes = imports(store)?;
    let same = |other: &ImportNote| other.format == note.format && other.files == note.files;
    match notes.iter().position(same) {
        Some(_) if note.kept == 0 => return Ok(()),
        Some(place) => notes[place] = note,
        None => notes.push(note),
    }
    let json = serde_json::to_vec(&notes).map_err(|error| unreadable(&error))?;
    store.transaction(|store| store.set_meta(KEY, &json))
}

/// The imports of a data directory, first to last.
///
/// # Errors
/// [`EngineError::Corrupt`] when they cannot be read.
pub fn imports(store: &Store) -> Result<Vec<ImportNote>> {
    match store.meta(KEY)? {
        None => Ok(Vec::new()),
        Some(json) => serde_json::from_slice(&json).map_err(|error| unreadable(&error)),
    }
}

fn unreadable(error: &serde_json::Error) -> EngineError {
    EngineError::Corrupt {
        what: "note of the imports",
        place: KEY.to_owned(),
        detail: error.to_string(),
    }
}
