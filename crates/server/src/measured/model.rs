//! Learning curves and the evaluation table.

use engine::{Config, EvaluationReport};

use super::{estimate, words};
use crate::report::data::model as page;

/// The learning curve of the user model.
pub(super) fn training(record: &engine::TrainingRecord) -> page::Training {
    let after_best = record
        .best_epoch
        .map_or(0, |best| record.epochs.len() as u64 - 1 - best);
    page::Training {
        model: "user-model".to_owned(),
        purpose: "Reads what a shopper did and foresees the next order.".to_owned(),
        parameters: Some(record.parameters as u64),
        steps: Some(record.steps),
        seconds: None,
        validation_metric: "NDCG@10 on new items".to_owned(),
        lower_is_better: false,
        epochs: record
            .epochs
            .iter()
            .map(|epoch| page::Epoch {
                epoch: epoch.epoch,
                train_loss: epoch.train_loss,
                validation: epoch.validation.get(engine::VALIDATION_NDCG).copied(),
            })
            .collect(),
        best_epoch: record.best_epoch,
        ended: match after_best {
            0 => "all epochs done".to_owned(),
            1 => "one epoch without improvement".to_owned(),
            epochs => format!("{epochs} epochs without improvement"),
        },
    }
}

/// The table of the test window.
pub(super) fn evaluation(report: &EvaluationReport, config: &Config) -> page::Evaluation {
    let day = |moment: &str| moment.get(..10).map(str::to_owned);
    page::Evaluation {
        dataset: report.dataset.clone(),
        split: report.split.clone(),
        validation_start: day(&report.validation_start),
        test_start: day(&report.test_start),
        test_end: day(&report.end),
        ndcg_form: report.ndcg.clone(),
        bootstrap_resamples: Some(config.evaluation.bootstrap_resamples as u64),
        candidates: None,
        cold_shoppers: Some(report.cold as u64),
        unsold_targets: Some(report.unsold_targets as u64),
        tasks: ["new-items", "repeats", "all"]
            .into_iter()
            .map(|name| page::EvaluationTask {
                name: name.to_owned(),
                question: words::task(name).to_owned(),
                shoppers: report.shoppers.get(name).map(|shoppers| *shoppers as u64),
            })
            .collect(),
        rows: report.rows.iter().map(row).collect(),
        differences: report
            .differences
            .iter()
            .map(|difference| page::Difference {
                task: difference.task.clone(),
                metric: difference.metric.clone(),
                model: difference.model.clone(),
                baseline: difference.baseline.clone(),
                difference: of(&difference.difference),
            })
            .collect(),
    }
}

fn row(row: &engine::EvaluationRow) -> page::EvaluationRow {
    page::EvaluationRow {
        task: row.task.clone(),
        model: row.model.clone(),
        kind: match row.kind {
            engine::RowKind::Baseline => page::RowKind::Baseline,
            engine::RowKind::Model => page::RowKind::Model,
            engine::RowKind::Published => page::RowKind::Published,
        },
        default: row.default,
        metrics: row
            .metrics
            .iter()
            .map(|(name, figure)| (name.clone(), of(figure)))
            .collect(),
    }
}

fn of(figure: &engine::Estimate) -> crate::report::data::Estimate {
    estimate(figure.value, figure.low, figure.high)
}
