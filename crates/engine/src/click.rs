//! Click models of a file of impressions: read, split, trained and judged.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use nn::Progress;
use recommender::RecommenderError;
use recommender::click::{
    self, ClickData, ClickFigures, ClickModel, ClickModelKind, ClickSettings, Examples, LeftOut,
    Shares, Table, Training, Weight,
};
use serde::Serialize;

use crate::error::{EngineError, Result};
use crate::ingest::fields::split_fields;
use crate::ingest::source::{Batch, Shape, read_batches};

/// Rows that are read at once.
const BATCH_ROWS: usize = 4_096;

/// What [`click`] is asked for.
#[derive(Debug, Clone)]
pub struct ClickRequest {
    /// The file to learn from: comma-separated with a header, plain or `.xz`, or `.xlsx`.
    pub file: PathBuf,
    /// A file to judge on; a tenth of the first one where absent.
    pub test: Option<PathBuf>,
    /// The column that says whether an impression was clicked.
    pub label: String,
    /// The models.
    pub models: Vec<ClickModelKind>,
    /// Seed of the split, of the first weights and of the batches.
    pub seed: u64,
}

/// What `hawker click` prints.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClickReport {
    /// Impressions to learn from.
    pub training: usize,
    /// Impressions that told when to stop.
    pub validation: usize,
    /// Impressions that the models were judged on.
    pub test: usize,
    /// Columns that the models read.
    pub columns: Vec<String>,
    /// Columns that no model reads.
    pub left_out: Vec<LeftOut>,
    /// The models in the order in which they were asked for.
    pub models: Vec<ClickFit>,
}

/// One model's fit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClickFit {
    /// The model.
    pub model: ClickModelKind,
    /// What it is worth on the test part.
    #[serde(flatten)]
    pub figures: ClickFigures,
    /// Seconds that training took.
    pub seconds: f64,
    /// Passes over the training part.
    pub epochs: usize,
    /// Trainable numbers.
    pub parameters: usize,
    /// What logistic regression weighs, the largest first; empty for other models.
    pub weights: Vec<Weight>,
}

/// Trains click models on a file of impressions and judges them on what they did not see.
///
/// `folder` holds a checkpoint while a model is trained: the same request goes on there after a kill. A model's folder is
/// removed when it has been judged. `progress` is told the model and where its training stands.
///
/// # Errors
/// [`EngineError::Line`] and [`EngineError::File`] for what is wrong with a file, and those of training.
pub fn click(
    request: &ClickRequest,
    folder: &Path,
    progress: &mut dyn FnMut(ClickModelKind, &Progress),
) -> Result<ClickReport> {
    let table = read_table(&request.file)?;
    let shares = match request.test {
        Some(_) => Shares::WITHOUT_TEST,
        None => Shares::WITH_TEST,
    };
    let data = ClickData::new(&table, &request.label, shares, request.seed);
    let data = data.map_err(|error| in_file(&request.file, error))?;
    let given = request.test.as_ref().map(|path| {
        let examples = data.features.examples(&read_table(path)?);
        examples.map_err(|error| in_file(path, error))
    });
    let given = given.transpose()?;
    let test = given.as_ref().unwrap_or(&data.test);
    let fits = request.models.iter().map(|model| {
        let settings = ClickSettings {
            seed: request.seed,
            ..ClickSettings::of(*model)
        };
        fit(&data, test, &settings, folder, progress)
    });
    Ok(ClickReport {
        models: fits.collect::<Result<_>>()?,
        training: data.training.len(),
        validation: data.validation.len(),
        test: test.len(),
        columns: data.features.columns().map(str::to_owned).collect(),
        left_out: data.features.left_out().to_vec(),
    })
}

/// Trains and judges one model in a folder that other data and settings do not share.
fn fit(
    data: &ClickData,
    test: &Examples,
    settings: &ClickSettings,
    folder: &Path,
    progress: &mut dyn FnMut(ClickModelKind, &Progress),
) -> Result<ClickFit> {
    let fingerprint = click::run_fingerprint(data, settings);
    let folder = folder.join(format!("{}-{fingerprint}", settings.kind.name()));
    let mut tell = |step: &Progress| {
        progress(settings.kind, step);
        ControlFlow::Continue(())
    };
    let start = Instant::now();
    let (model, record): (ClickModel, _) = match click::train(data, settings, &folder, &mut tell)? {
        Training::Finished(model, record) => (*model, record),
        Training::Paused(_) => unreachable!("invariant: progress never breaks"),
    };
    let seconds = start.elapsed().as_secs_f64();
    let figures = ClickFigures::of(test.labels(), &model.probabilities(test)?);
    std::fs::remove_dir_all(&folder).map_err(EngineError::io("remove", &folder))?;
    Ok(ClickFit {
        model: settings.kind,
        figures,
        seconds,
        epochs: record.epochs.len(),
        parameters: model.parameter_count(),
        weights: model.weights(data)?.unwrap_or_default(),
    })
}

/// Reads a file of impressions.
fn read_table(path: &Path) -> Result<Table> {
    let mut table: std::result::Result<Table, RecommenderError> = Ok(Table::default());
    let mut has_header = false;
    let mut take = |batch: Batch| {
        if !has_header {
            let names = split_fields(&batch.header, b',');
            table = Table::new(names.iter().map(|name| &**name));
            has_header = true;
        }
        if let Ok(rows) = &mut table
            && let Err(error) = push_all(rows, &batch)
        {
            table = Err(error);
        }
        table.is_ok()
    };
    read_batches(path, Shape::Delimited(b','), BATCH_ROWS, &mut take)?;
    table.map_err(|error| in_file(path, error))
}

fn push_all(table: &mut Table, batch: &Batch) -> std::result::Result<(), RecommenderError> {
    let mut records = batch.records.iter();
    records.try_for_each(|record| table.push(record.line, &split_fields(&record.text, b',')))
}

/// Names the file in which a table is wrong.
fn in_file(path: &Path, error: RecommenderError) -> EngineError {
    match error {
        RecommenderError::Table { problem, remedy } => EngineError::file(path, problem, remedy),
        RecommenderError::TableLine {
            line,
            problem,
            remedy,
        } => EngineError::Line {
            file: path.to_owned(),
            line,
            problem,
            remedy: remedy.to_owned(),
        },
        other => other.into(),
    }
}

impl ClickReport {
    /// What was read, in a line or two.
    pub fn heading(&self) -> String {
        let mut heading = format!(
            "{} impressions to learn from, {} to stop by, {} to judge on; {} columns: {}",
            self.training,
            self.validation,
            self.test,
            self.columns.len(),
            self.columns.join(", ")
        );
        for LeftOut { column, reason } in &self.left_out {
            heading.extend([format!("\nleft out: {column}, {reason}")]);
        }
        heading
    }

    /// The models as a Markdown table.
    pub fn table(&self) -> String {
        let mut table = String::from(
            "| model | AUC | log-loss | ECE | base rate | examples | seconds |\n|---|---|---|---|---|---|---|\n",
        );
        for fit in &self.models {
            let figures = &fit.figures;
            table.extend([format!(
                "| {} | {:.4} | {:.4} | {:.4} | {:.4} | {} | {:.1} |\n",
                fit.model.name(),
                figures.auc,
                figures.log_loss,
                figures.calibration_error,
                figures.base_rate,
                figures.examples,
                fit.seconds
            )]);
        }
        table
    }

    /// The largest weights of logistic regression, a line each; empty where it was not asked for.
    pub fn weights(&self, most: usize) -> String {
        let weights = self.models.iter().flat_map(|fit| &fit.weights);
        let line = |weight: &Weight| format!("{:+.3} {}\n", weight.weight, weight.name);
        weights.take(most).map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(text: &str, test: Option<&str>) -> Result<ClickReport> {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = |name: &str| dir.path().join(name);
        std::fs::write(path("a.csv"), text).expect("writes");
        if let Some(text) = test {
            std::fs::write(path("b.csv"), text).expect("writes");
        }
        let request = ClickRequest {
            file: path("a.csv"),
            test: test.map(|_| path("b.csv")),
            label: "clicked".to_owned(),
            models: vec![ClickModelKind::Logistic],
            seed: 1,
        };
        let report = click(&request, &path("models"), &mut |_, _| {})?;
        let left = std::fs::read_dir(path("models")).expect("a folder");
        assert_eq!(left.count(), 0, "the checkpoint is gone");
        Ok(report)
    }

    /// Red is clicked four times out of five, blue once.
    fn impressions(rows: usize) -> String {
        let mut text = "item_id,\"colour\",clicked\n".to_owned();
        for row in 0..rows {
            let colour = ["\"red\"", "blue"][row % 2];
            let clicked = (row / 2 % 5 < 4) == (row % 2 == 0);
            text.extend([format!("i{row},{colour},{clicked}\n")]);
        }
        text
    }

    #[test]
    fn a_file_is_read_split_and_judged() {
        let report = report(&impressions(400), None).expect("fits");
        assert_eq!(
            (report.training, report.validation, report.test),
            (320, 40, 40)
        );
        assert_eq!(report.columns, ["colour"]);
        assert_eq!(report.left_out[0].column, "item_id");
        let heading = report.heading();
        assert!(
            heading.ends_with("item_id, a text of its own in nearly every row"),
            "{heading}"
        );
        let fit = &report.models[0];
        assert!(
            fit.figures.auc > 0.6 && fit.figures.auc < 0.95,
            "{report:?}"
        );
        let table = report.table();
        assert!(table.contains("| logistic | 0."), "{table}");
        let weights = report.weights(5);
        assert!(
            weights.contains("colour = red") && weights.starts_with(['+', '-']),
            "{weights}"
        );
    }

    #[test]
    fn a_file_of_its_own_is_judged_on() {
        let report = report(&impressions(400), Some(&impressions(50))).expect("fits");
        assert_eq!(
            (report.training, report.validation, report.test),
            (360, 40, 50)
        );
    }

    #[test]
    fn faults_name_the_file_and_the_line() {
        let message = |text: &str, test: Option<&str>| {
            let error = report(text, test).expect_err("bad").to_string();
            error.rsplit_once('/').expect("a path").1.to_owned()
        };
        let with = |row: &str| format!("{}{row}\n", impressions(40));
        for (found, expected) in [
            (
                message("", None),
                "a.csv: the file is empty; check that the export finished, then import it again",
            ),
            (
                message("item_id,clicked\n", None),
                "a.csv: there are no rows under the header; check that the export finished",
            ),
            (
                message(&with("i,red"), None),
                "a.csv, line 42: the row has 2 fields, the header 3; put fields that hold a comma into quotes, and leave none out",
            ),
            (
                message(&with("i,red,2"), None),
                "a.csv, line 42: column `clicked` holds `2`; write 1 or true for a click and 0 or false for none, or name another column with `--label`",
            ),
            (
                message(&impressions(400), Some("colour,clicked\nred,1\n")),
                "b.csv: column `clicked` is `1` in every row; give impressions that were clicked and others that were not",
            ),
            (
                message(&impressions(400), Some("clicked\n0\n1\n")),
                "b.csv, line 1: the header has no column `colour`; give the file the columns of the one that is learnt from",
            ),
        ] {
            assert_eq!(found, expected);
        }
    }
}
