//! The log and the state: one `SQLite` database in one data directory, owned by one process at a time.

mod catalogue;
mod decisions;
mod lift;
mod log;
mod migrate;
mod outcomes;
mod quarantine;
mod shoppers;
mod showings;
mod variants;

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};

pub use catalogue::Catalogue;
pub(crate) use catalogue::Seen;
pub(crate) use lift::Purchase;
pub use log::LogSummary;
pub(crate) use log::{Logged, NewEvent};
pub(crate) use outcomes::{Credit, LoggedOutcome, OrderPart};
pub use quarantine::QuarantineEntry;
pub(crate) use quarantine::{Kept, QuarantinedRow};
pub(crate) use shoppers::TraitsUpdate;
pub use shoppers::{AssumedConsent, ConsentSummary, Shopper};
pub use variants::StoredVariant;

use crate::error::{EngineError, Result};
use crate::vault::Vault;

/// An open data directory: the lock, the vault and the database.
pub struct Store {
    dir: PathBuf,
    connection: Connection,
    vault: Arc<Vault>,
    // Held for its lifetime; the operating system releases it even after a kill.
    _lock: File,
}

impl Store {
    /// Opens a data directory, making it and its key file when it is new.
    ///
    /// # Errors
    /// [`EngineError::Locked`] when another process owns it, [`EngineError::Key`] when its key file is lost or
    /// another, [`EngineError::NewerFormat`] when a later version wrote it.
    pub fn open(dir: &Path) -> Result<Self> {
        std::fs::create_dir_all(dir).map_err(EngineError::io("create", dir))?;
        let lock = acquire_lock(dir)?;
        let database = dir.join("log.sqlite");
        let key_file = dir.join("vault.key");
        let vault = match (database.exists(), key_file.exists()) {
            (false, false) => Vault::create(&key_file)?,
            _ => Vault::open(&key_file)?,
        };
        let connection =
            Connection::open(&database).map_err(EngineError::store("open its file"))?;
        let mut store = Self {
            dir: dir.to_owned(),
            connection,
            vault: Arc::new(vault),
            _lock: lock,
        };
        store.configure()?;
        store.migrate()?;
        Ok(store)
    }

    /// Opens a data directory that must hold a shop already.
    ///
    /// # Errors
    /// [`EngineError::NotReady`] when nothing was imported there, and as [`Store::open`].
    pub fn open_existing(dir: &Path) -> Result<Self> {
        if !dir.join("log.sqlite").exists() {
            return Err(EngineError::NotReady {
                missing: format!("there is no shop in {}", dir.display()),
                remedy: "run `hawker import` first, or name another --data-dir".to_owned(),
            });
        }
        Self::open(dir)
    }

    /// The data directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The keys of this data directory.
    pub fn vault(&self) -> &Arc<Vault> {
        &self.vault
    }

    /// Runs `work` in one transaction: either all of it is kept, durably, or nothing.
    ///
    /// # Errors
    /// The error of `work`, or that of the database.
    pub fn transaction<T>(&mut self, work: impl FnOnce(&Self) -> Result<T>) -> Result<T> {
        self.connection
            .execute_batch("BEGIN IMMEDIATE")
            .map_err(self.fault("begin a transaction"))?;
        let worked = work(self).and_then(|value| {
            self.connection
                .execute_batch("COMMIT")
                .map_err(self.fault("commit"))?;
            Ok(value)
        });
        if worked.is_err() {
            // A full disk may have rolled the transaction back already; there is then nothing left to do.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
        worked
    }

    /// Reads a value of the `meta` table.
    pub(crate) fn meta(&self, key: &str) -> Result<Option<Vec<u8>>> {
        self.connection
            .query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| {
                row.get(0)
            })
            .optional()
            .map_err(self.fault("read its metadata"))
    }

    /// Writes a value of the `meta` table.
    pub(crate) fn set_meta(&self, key: &str, value: &[u8]) -> Result<()> {
        self.connection
            .prepare_cached("INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)")
            .and_then(|mut statement| statement.execute(params![key, value]))
            .map(drop)
            .map_err(self.fault("write its metadata"))
    }

    /// Removes a value of the `meta` table.
    pub(crate) fn remove_meta(&self, key: &str) -> Result<()> {
        self.connection
            .execute("DELETE FROM meta WHERE key = ?1", [key])
            .map(drop)
            .map_err(self.fault("write its metadata"))
    }

    /// Wraps a database error with what was tried and, for a full disk, where.
    pub(crate) fn fault(
        &self,
        action: &'static str,
    ) -> impl FnOnce(rusqlite::Error) -> EngineError {
        move |error| match EngineError::store(action)(error) {
            EngineError::DiskFull { .. } => EngineError::DiskFull {
                path: self.dir.clone(),
            },
            other => other,
        }
    }

    /// Bounds the database as a full disk would.
    #[cfg(test)]
    pub(crate) fn limit_pages(&self, pages: u32) -> Result<()> {
        let limit = format!("PRAGMA max_page_count = {pages}");
        self.connection
            .query_row(&limit, [], |_| Ok(()))
            .map_err(self.fault("be bounded"))
    }

    fn configure(&self) -> Result<()> {
        // The cache bounds memory: an import of any length spills into the write-ahead log beyond it, and a sort
        // into a temporary file. Rare checkpoints write a page of the message index once for many rows.
        self.connection
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536;
                 PRAGMA wal_autocheckpoint = 16384; PRAGMA journal_size_limit = 67108864;",
            )
            .map_err(self.fault("be opened"))
    }
}

fn acquire_lock(dir: &Path) -> Result<File> {
    let path = dir.join("lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(EngineError::io("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(EngineError::Locked {
            path: dir.to_owned(),
        }),
        Err(std::fs::TryLockError::Error(source)) => Err(EngineError::Io {
            action: "lock",
            path,
            source,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_owns_a_data_directory() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let first = Store::open(dir.path()).expect("opens");
        let message = Store::open(dir.path()).err().expect("locked").to_string();
        assert!(
            message.contains("in use by another hawker process"),
            "{message}"
        );
        drop(first);
        Store::open(dir.path()).expect("opens again");
    }

    #[test]
    fn a_lost_or_foreign_key_is_refused() {
        let dir = tempfile::tempdir().expect("temporary directory");
        drop(Store::open(dir.path()).expect("opens"));
        let key = dir.path().join("vault.key");
        std::fs::remove_file(&key).expect("removes");
        let message = Store::open(dir.path()).err().expect("no key").to_string();
        assert!(message.contains("is missing; put it back"), "{message}");
        Vault::create(&key).expect("creates");
        let message = Store::open(dir.path())
            .err()
            .expect("foreign key")
            .to_string();
        assert!(
            message.contains("is not the one that this data directory was made with"),
            "{message}"
        );
    }

    #[test]
    fn a_newer_format_is_refused() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let store = Store::open(dir.path()).expect("opens");
        store
            .connection
            .execute_batch("PRAGMA user_version = 99")
            .expect("sets");
        drop(store);
        let message = Store::open(dir.path()).err().expect("newer").to_string();
        assert!(
            message.contains("has format 99, this hawker knows up to 3"),
            "{message}"
        );
    }

    #[test]
    fn a_failed_transaction_leaves_nothing() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let mut store = Store::open(dir.path()).expect("opens");
        let failed: Result<()> = store.transaction(|store| {
            store.set_meta("x", b"1")?;
            Err(EngineError::file(Path::new("f"), "broken", "mend it"))
        });
        assert!(failed.is_err());
        assert_eq!(store.meta("x").expect("reads"), None);
    }
}
