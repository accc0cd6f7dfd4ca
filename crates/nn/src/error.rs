use std::path::PathBuf;

use thiserror::Error;

/// What can go wrong with tensors, parameters and checkpoints.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NnError {
    /// A tensor operation refused its operands.
    #[error("tensor operation failed: {0}")]
    Tensor(#[from] candle_core::Error),
    /// Two shapes do not fit.
    #[error("{operation}: expected {expected}, got {got}; check the sizes given to the layer")]
    Shape {
        /// The operation.
        operation: &'static str,
        /// The shape it takes.
        expected: String,
        /// The shape it was given.
        got: String,
    },
    /// A configuration holds a value outside its range.
    #[error("`{field}` is {value}; expected {expected}")]
    Config {
        /// Name of the field.
        field: &'static str,
        /// The value as it was given.
        value: String,
        /// The range that is accepted.
        expected: &'static str,
    },
    /// Two parameters were given the same name.
    #[error("parameter `{name}` exists already; give each layer its own name")]
    DuplicateParameter {
        /// The name.
        name: String,
    },
    /// A file of weights does not fit the model.
    #[error(
        "weights do not fit the model: `{name}` {fault}; load the file with the configuration it was trained with"
    )]
    Weights {
        /// Name of the parameter.
        name: String,
        /// What is wrong with it.
        fault: String,
    },
    /// A loss or a gradient is infinite or not a number.
    #[error(
        "{quantity} became {value} at step {step}; lower the learning rate or the clipping norm and resume from the last checkpoint"
    )]
    NotFinite {
        /// What it is.
        quantity: &'static str,
        /// Its value.
        value: f64,
        /// The step, counted from 0.
        step: u64,
    },
    /// A loss, a gradient or a validation of a training run is infinite or not a number.
    #[error(
        "{quantity} became {value} in batch {batch} of epoch {epoch}, at step {step}; lower the learning rate or the clipping norm and train again: the last checkpoint was left as it is"
    )]
    Diverged {
        /// What it is.
        quantity: &'static str,
        /// Its value.
        value: f64,
        /// The optimiser step, counted from 0.
        step: u64,
        /// The epoch, counted from 0.
        epoch: u64,
        /// The batch within the epoch, counted from 0; for a gradient the first one of its step.
        batch: u64,
    },
    /// A file could not be read or written.
    #[error("cannot {action} `{}`: {source}; check the path, its permissions and the free space", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file exists but its content is not what was written.
    #[error("`{}` is damaged: {detail}; delete the folder `{}` to train from the start, or restore it from a copy", path.display(), folder(path).display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// A file in another program's layout holds what is not read.
    #[error("`{}`: {fault}; {remedy}", path.display())]
    Interchange {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, by the file's own names.
        fault: String,
        /// What to do about it.
        remedy: &'static str,
    },
    /// A checkpoint was written by a version this one does not read.
    #[error("`{}` has format {found}, this version reads {expected}; delete the folder to train from the start", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// The format found.
        found: u32,
        /// The format that is read.
        expected: u32,
    },
}

fn folder(path: &std::path::Path) -> PathBuf {
    path.parent().map_or_else(|| path.to_owned(), PathBuf::from)
}

impl NnError {
    /// Builds [`NnError::Io`] for a path.
    pub fn io(action: &'static str, path: &std::path::Path, source: std::io::Error) -> Self {
        Self::Io {
            action,
            path: path.to_owned(),
            source,
        }
    }

    /// Builds [`NnError::Damaged`] for a path.
    pub fn damaged(path: &std::path::Path, detail: impl Into<String>) -> Self {
        Self::Damaged {
            path: path.to_owned(),
            detail: detail.into(),
        }
    }
}
