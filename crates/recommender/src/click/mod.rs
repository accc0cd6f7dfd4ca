//! The click model: how likely an impression is clicked, by what a table tells of it.
//!
//! [`Table`] takes the rows, [`ClickData`] splits them and learns what their columns are, [`train`] fits a [`ClickModel`],
//! and [`ClickFigures`] judges its probabilities. Three kinds of model read the same [`Features`]: logistic regression,
//! whose weights are readable, a perceptron, and DCN-v2, which is the default since it multiplies features by each other.
//!
//! This module never opens a file of impressions; of folders it knows the one of the training loop's checkpoint alone.

mod config;
mod data;
mod examples;
mod features;
mod figures;
mod model;
mod network;
mod table;
#[cfg(test)]
mod tests;
mod train;

pub use config::{ClickModelKind, ClickSettings};
pub use data::{ClickData, Shares};
pub use examples::Examples;
pub use features::{Features, LeftOut};
pub use figures::{ClickFigures, RELIABILITY_BINS};
pub use model::{ClickModel, Weight};
pub use nn::Training;
pub use table::Table;
pub use train::{VALIDATION_LOG_LOSS, run_fingerprint, train};
