//! The public sets of sequences that a command can be asked about.

use std::path::Path;

use engine::{SequenceDataset, SequenceSet};

use crate::Outcome;

/// Reads a set by the name under which the command line knows it.
pub(super) fn read(dataset: &str, path: &Path, items: Option<&Path>) -> Outcome<SequenceSet> {
    match (dataset, SequenceDataset::named(dataset)) {
        (_, Some(set)) => Ok(set.read(path)?),
        ("sequences", _) => Ok(engine::read_files(path, items)?),
        _ => {
            let known = SequenceDataset::ALL.map(|(name, _)| name).join(", ");
            Err(format!(
                "there is no data set of sequences `{dataset}`; known are {known}, and sequences for a file"
            )
            .into())
        }
    }
}
