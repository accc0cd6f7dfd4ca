//! The table of the test window: every model fitted on what came before it, under the settings found before that.

use std::collections::BTreeMap;
use std::path::Path;

use recommender::user_model::UserModelConfig;
use recommender::{Difference, EvaluationTable, Row};
use serde::{Deserialize, Serialize};

use super::{
    ModelFolders, Selection, TrainProgress, compare, components, cut_dates, require_shoppers,
    train_user_model,
};
use crate::config::Config;
use crate::error::{EngineError, Result};
use crate::shop::Shop;
use crate::store::Store;

/// The form of NDCG in every table.
const NDCG_FORM: &str = "binary gains, discount 1/log2(rank + 1), ideal over min(k, targets); mean over shoppers with a target";

/// What `hawker evaluate` prints and the report shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvaluationReport {
    /// Name of the data.
    pub dataset: String,
    /// The window that was judged.
    pub split: String,
    /// One row a task and model.
    pub rows: Vec<Row>,
    /// For each task, the default model against the best baseline, on the same shoppers.
    pub differences: Vec<Difference>,
    /// Shoppers scored in each task.
    pub shoppers: BTreeMap<String, usize>,
    /// Shoppers who ordered in the window without any history; nothing personal can be said of them.
    pub cold: usize,
    /// Target products that nobody had bought before the cut.
    pub unsold_targets: usize,
    /// Start of the validation window, RFC 3339.
    pub validation_start: String,
    /// Start of the test window, RFC 3339.
    pub test_start: String,
    /// End of the test window, RFC 3339.
    pub end: String,
    /// The form of NDCG.
    pub ndcg: String,
    /// The last event that was known.
    pub log_position: i64,
}

impl EvaluationReport {
    /// The rows as a Markdown table.
    pub fn table(&self) -> String {
        let table = EvaluationTable {
            dataset: self.dataset.clone(),
            split: self.split.clone(),
            rows: self.rows.clone(),
        };
        table.to_string()
    }
}

/// Judges every model on the test window and keeps the table for the report.
///
/// # Errors
/// [`EngineError::NotReady`] before training or for a log without a test window, and those of training.
pub fn evaluate(
    store: &Store,
    config: &Config,
    progress: &mut dyn FnMut(&TrainProgress<'_>),
) -> Result<EvaluationReport> {
    progress(&TrainProgress::Stage("reading the log"));
    let shop = Shop::load(store, config, None)?;
    let folders = ModelFolders::of(store.dir());
    let selection = Selection::load(&folders.root)?.ok_or_else(|| EngineError::NotReady {
        missing: "nothing was trained yet".to_owned(),
        remedy: "run `hawker train` first".to_owned(),
    })?;
    let split = cut_dates(config, &shop.log)?;
    let test = split.test(&shop.corpus);
    require_shoppers(&test, "test")?;
    progress(&TrainProgress::Stage(
        "fitting the user model up to the test window",
    ));
    let fitted = UserModelConfig {
        epochs: selection.epochs,
        ..config.model.clone()
    };
    train_user_model(&test.training, None, &fitted, &folders.test(), progress)?;
    progress(&TrainProgress::Stage("comparing on the test window"));
    let components = components(&selection.baselines, &test.training, Some(&folders.test()))?;
    let resamples = config.evaluation.bootstrap_resamples;
    let evaluation = compare(
        &config.shop.name,
        "test",
        &test,
        &components,
        &selection,
        resamples,
    )?;
    let report = EvaluationReport {
        dataset: evaluation.table.dataset,
        split: evaluation.table.split,
        rows: evaluation.table.rows,
        differences: evaluation.differences,
        shoppers: evaluation
            .shoppers
            .into_iter()
            .map(|(task, shoppers)| (task.to_owned(), shoppers))
            .collect(),
        cold: evaluation.cold,
        unsold_targets: evaluation.unsold_targets,
        validation_start: moment(split.validation_start_s),
        test_start: moment(split.test_start_s),
        end: moment(split.end_s),
        ndcg: NDCG_FORM.to_owned(),
        log_position: shop.log.last_position,
    };
    nn::write_checked_json(&path(store.dir()), &report)?;
    Ok(report)
}

/// The table that the last evaluation left.
///
/// # Errors
/// [`EngineError::Nn`] when the file is damaged.
pub fn saved_evaluation(data_dir: &Path) -> Result<Option<EvaluationReport>> {
    let path = path(data_dir);
    if !path.exists() {
        return Ok(None);
    }
    Ok(Some(nn::read_checked_json(&path)?))
}

fn path(data_dir: &Path) -> std::path::PathBuf {
    ModelFolders::of(data_dir).root.join("evaluation.json")
}

fn moment(unix_s: i64) -> String {
    jiff::Timestamp::from_second(unix_s).map_or_else(|_| unix_s.to_string(), |at| at.to_string())
}
