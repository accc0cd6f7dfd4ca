use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// What can go wrong in the engine; every message names the place and the remedy.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EngineError {
    /// A file or directory cannot be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried, such as `read`.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// An input file is wrong as a whole.
    #[error("{}: {problem}; {remedy}", file.display())]
    File {
        /// The input file.
        file: PathBuf,
        /// What is wrong.
        problem: String,
        /// What to do about it.
        remedy: String,
    },
    /// An input file is wrong at one line, in a way that makes the rest unreadable.
    #[error("{}, line {line}: {problem}; {remedy}", file.display())]
    Line {
        /// The input file.
        file: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// What is wrong.
        problem: String,
        /// What to do about it.
        remedy: String,
    },
    /// Another process owns the data directory.
    #[error("the data directory {} is in use by another hawker process; wait for it to end or stop it", path.display())]
    Locked {
        /// The data directory.
        path: PathBuf,
    },
    /// The vault's key does not fit the data.
    #[error("the key file {} {problem}; {remedy}", path.display())]
    Key {
        /// The key file.
        path: PathBuf,
        /// What is wrong with it.
        problem: &'static str,
        /// What to do about it.
        remedy: &'static str,
    },
    /// The data directory was written by a newer version.
    #[error(
        "the data directory {} has format {found}, this hawker knows up to {known}; update hawker or choose another --data-dir",
        path.display()
    )]
    NewerFormat {
        /// The data directory.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The newest format that this version reads.
        known: i64,
    },
    /// The configuration is wrong.
    #[error("{}: {problem}; {remedy}", path.display())]
    Config {
        /// The configuration file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
        /// What to do about it.
        remedy: String,
    },
    /// A stage needs what an earlier stage makes.
    #[error("{missing}; {remedy}")]
    NotReady {
        /// What is missing.
        missing: String,
        /// What to do first.
        remedy: String,
    },
    /// The disk is full; nothing of the interrupted work was kept.
    #[error("the disk that holds {} is full; free some space and run the command again, nothing was half-written", path.display())]
    DiskFull {
        /// The data directory.
        path: PathBuf,
    },
    /// The database reports a fault.
    #[error(
        "the log cannot {action}: {source}; if it names corruption, restore the data directory from a backup"
    )]
    Store {
        /// What was tried.
        action: &'static str,
        /// What `SQLite` said.
        source: rusqlite::Error,
    },
    /// A stored value is not what this version wrote.
    #[error(
        "the log holds an unreadable {what} at {place}: {detail}; restore the data directory from a backup"
    )]
    Corrupt {
        /// What kind of value.
        what: &'static str,
        /// Where it stands.
        place: String,
        /// What is wrong with it.
        detail: String,
    },
    /// Training, saving or loading a model failed.
    #[error(transparent)]
    Recommender(#[from] recommender::RecommenderError),
    /// Training or using the native copywriter failed.
    #[error(transparent)]
    Copy(#[from] copywriter::CopyError),
    /// A file of a model cannot be read or written.
    #[error(transparent)]
    Nn(#[from] nn::NnError),
    /// The simulated shop was asked something that it cannot answer.
    #[error(transparent)]
    Dataset(#[from] datasets::DatasetError),
    /// Features of the shoppers cannot be computed.
    #[error(transparent)]
    Features(#[from] features::FeatureError),
    /// A policy was asked something that it cannot answer.
    #[error(transparent)]
    Bandit(#[from] bandit::BanditError),
}

/// The engine's result.
pub type Result<T, E = EngineError> = std::result::Result<T, E>;

impl EngineError {
    /// Wraps an error of the operating system with what was tried and where.
    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| match source.kind() {
            io::ErrorKind::StorageFull => Self::DiskFull { path },
            _ => Self::Io {
                action,
                path,
                source,
            },
        }
    }

    /// Wraps a database error with what was tried.
    pub(crate) fn store(action: &'static str) -> impl FnOnce(rusqlite::Error) -> Self {
        move |source| match source.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Self::DiskFull {
                path: PathBuf::from("the data directory"),
            },
            _ => Self::Store { action, source },
        }
    }

    /// Reports an input file that is wrong as a whole.
    pub(crate) fn file(file: &Path, problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::File {
            file: file.to_owned(),
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }
}
