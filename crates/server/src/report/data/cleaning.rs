use serde::{Deserialize, Serialize};

/// What became of the rows that were read: `rows_read = kept + merged + quarantined`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Cleaning {
    /// Rows read from all files.
    pub(crate) rows_read: u64,
    /// Rows that became events of their own.
    pub(crate) kept: u64,
    /// Rows that said what another row says already.
    pub(crate) merged: u64,
    /// Rows set aside for repair.
    pub(crate) quarantined: u64,
    /// Why rows were merged or set aside, in any order.
    pub(crate) reasons: Vec<CleaningReason>,
    /// The files, in the order of their reading.
    pub(crate) files: Vec<SourceFile>,
    /// How long the import took.
    pub(crate) seconds: Option<f64>,
}

/// One reason for which rows were merged or set aside.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct CleaningReason {
    /// Short stable name, such as `zero_price`.
    pub(crate) reason: String,
    /// What was done with the rows.
    pub(crate) fate: RowFate,
    /// How many rows.
    pub(crate) rows: u64,
    /// What the reason means, in a sentence.
    pub(crate) meaning: String,
    /// One row's fault in words, free of personal data, such as ``stock code `POST` is no product``.
    pub(crate) example: Option<String>,
}

/// What was done with a row that did not become an event of its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RowFate {
    /// It was merged into another.
    Merged,
    /// It was set aside, encrypted, until somebody repairs it.
    #[default]
    Quarantined,
}

/// One file that was read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct SourceFile {
    /// The file's name, without its folder.
    pub(crate) name: String,
    /// The import format, such as `online-retail`.
    pub(crate) format: String,
    /// Rows read.
    pub(crate) rows_read: u64,
    /// Rows kept.
    pub(crate) kept: u64,
    /// Rows merged.
    pub(crate) merged: u64,
    /// Rows set aside.
    pub(crate) quarantined: u64,
}
