//! What may be asked about how good models are.

use std::path::PathBuf;

use clap::Args;

/// The data sets that are read from files.
const WITH_FILES: [(&str, &str); 9] = [
    ("dataset", "online-retail"),
    ("dataset", "amazon-beauty"),
    ("dataset", "ml1m"),
    ("dataset", "ml100k"),
    ("dataset", "sequences"),
    ("dataset", "e2e"),
    ("dataset", "advertisegen"),
    ("dataset", "myntra"),
    ("dataset", "musical_instruments"),
];

#[derive(Debug, Args)]
pub(crate) struct EvaluateArgs {
    /// A public data set instead of the shop: online-retail; of sequences amazon-beauty, ml1m, ml100k, or sequences for a
    /// file of your own; of texts that were written from facts e2e, advertisegen, myntra; of texts by shoppers with a past
    /// `musical_instruments`, and `simulated_shop`, which has no files.
    #[arg(long)]
    pub(crate) dataset: Option<String>,
    /// The folder with the data set's files; for sequences, the file: `user item item …` lines, `user item` lines in time
    /// order, or `RecBole`'s `.inter`.
    #[arg(long, requires = "dataset", required_if_eq_any = WITH_FILES)]
    pub(crate) path: Option<PathBuf>,
    /// What the items of `--dataset sequences` are called: tab-separated with `item_id`, `title` and `categories`,
    /// `RecBole`'s `.item`, or `id::title::genres`.
    #[arg(long, requires = "dataset")]
    pub(crate) items: Option<PathBuf>,
    /// How often a user model of sequences is trained, each with a seed of its own.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..), requires = "dataset")]
    pub(crate) seeds: u64,
    /// Encoders of sequences to compare: transformer, gru, lstm, mlp.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "transformer",
        requires = "dataset"
    )]
    pub(crate) encoders: Vec<String>,
    /// Set a tenth of the shoppers and a twentieth of the items of sequences aside, and judge how a model meets them.
    #[arg(long, requires = "dataset")]
    pub(crate) cold_start: bool,
    /// A TOML file with settings of the user model of sequences, or of the copywriter; the others keep their defaults.
    #[arg(long, requires = "dataset")]
    pub(crate) settings: Option<PathBuf>,
    /// Judge a copywriter on the validation's facts instead of the test's: to choose settings by.
    #[arg(long, requires = "dataset")]
    pub(crate) on_validation: bool,
}
