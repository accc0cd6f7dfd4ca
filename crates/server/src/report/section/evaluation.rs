use askama::Template;

use crate::report::data::Estimate;
use crate::report::data::model::{Difference, Evaluation, EvaluationRow, EvaluationTask, RowKind};
use crate::report::format;
use crate::report::whiskers::{Point, Whiskers};

/// The metric that is drawn and by which rows are sorted.
const MAIN_METRIC: &str = "ndcg@10";

/// How well the models foresee the shoppers' next orders.
#[derive(Template)]
#[template(path = "report/evaluation.html")]
pub(super) struct EvaluationView<'a> {
    evaluation: &'a Evaluation,
    tasks: Vec<Task<'a>>,
}

struct Task<'a> {
    of: EvaluationTask,
    columns: Vec<String>,
    rows: Vec<Row<'a>>,
    picture: Option<Whiskers>,
    differences: Vec<Comparison<'a>>,
}

struct Row<'a> {
    of: &'a EvaluationRow,
    kind: &'static str,
    /// One cell a column.
    cells: Vec<Option<Cell>>,
}

struct Cell {
    estimate: Estimate,
    best: bool,
}

struct Comparison<'a> {
    difference: &'a Difference,
    metric: String,
    verdict: &'static str,
    class: &'static str,
}

/// Prepares the section: one table a task, its rows by the main metric, best first.
pub(super) fn view(evaluation: &Evaluation) -> EvaluationView<'_> {
    let mut tasks = evaluation.tasks.clone();
    for row in &evaluation.rows {
        if tasks.iter().all(|task| task.name != row.task) {
            tasks.push(EvaluationTask {
                name: row.task.clone(),
                ..EvaluationTask::default()
            });
        }
    }
    let tasks = tasks.into_iter().map(|task| table(evaluation, task));
    EvaluationView {
        evaluation,
        tasks: tasks.filter(|task| !task.rows.is_empty()).collect(),
    }
}

fn table(evaluation: &Evaluation, task: EvaluationTask) -> Task<'_> {
    let mut rows: Vec<&EvaluationRow> = evaluation
        .rows
        .iter()
        .filter(|row| row.task == task.name)
        .collect();
    let main = |row: &EvaluationRow| {
        row.metrics
            .get(MAIN_METRIC)
            .map_or(f64::NEG_INFINITY, |estimate| estimate.value)
    };
    rows.sort_by(|a, b| main(b).total_cmp(&main(a)));
    let names = metric_names(&rows);
    let best: Vec<Option<f64>> = names.iter().map(|name| best_of(&rows, name)).collect();
    let points: Vec<Point<'_>> = rows.iter().filter_map(|row| point(row)).collect();
    let title = format!("{} by model, {}", metric_label(MAIN_METRIC), task.name);
    let cell = |row: &EvaluationRow, name: &str, best: Option<f64>| {
        row.metrics.get(name).map(|estimate| Cell {
            estimate: *estimate,
            best: row.kind != RowKind::Published && Some(estimate.value) == best,
        })
    };
    let differences = evaluation
        .differences
        .iter()
        .filter(|difference| difference.task == task.name);
    Task {
        columns: names.iter().map(|name| column(name)).collect(),
        picture: Whiskers::new(&title, &points, false, format::decimal),
        differences: differences.map(comparison).collect(),
        rows: rows
            .into_iter()
            .map(|row| Row {
                of: row,
                kind: kind_name(row.kind),
                cells: names
                    .iter()
                    .zip(&best)
                    .map(|(name, best)| cell(row, name, *best))
                    .collect(),
            })
            .collect(),
        of: task,
    }
}

fn point(row: &EvaluationRow) -> Option<Point<'_>> {
    row.metrics.get(MAIN_METRIC).map(|estimate| Point {
        label: &row.model,
        estimate: *estimate,
        truth: None,
        strong: row.default,
    })
}

/// The metrics of the rows: the well-known ones first, then the others by name.
fn metric_names<'a>(rows: &[&'a EvaluationRow]) -> Vec<&'a str> {
    const FIRST: [&str; 3] = ["hr@10", MAIN_METRIC, "coverage@10"];
    let place = |name: &str| {
        FIRST
            .iter()
            .position(|first| *first == name)
            .unwrap_or(FIRST.len())
    };
    let mut names: Vec<&str> = rows
        .iter()
        .flat_map(|row| row.metrics.keys())
        .map(String::as_str)
        .collect();
    names.sort_by_key(|name| (place(name), *name));
    names.dedup();
    names
}

/// The best value of a metric over the shop's own rows; quoted figures do not compete.
fn best_of(rows: &[&EvaluationRow], name: &str) -> Option<f64> {
    let own = rows.iter().filter(|row| row.kind != RowKind::Published);
    let values = own
        .filter_map(|row| row.metrics.get(name))
        .map(|estimate| estimate.value);
    values.reduce(if lower_is_better(name) {
        f64::min
    } else {
        f64::max
    })
}

/// Whether less of a metric is more: an even use of the catalogue has a low Gini index.
fn lower_is_better(name: &str) -> bool {
    ["gini", "loss", "perplexity"]
        .iter()
        .any(|stem| name.starts_with(stem))
}

/// A column's heading; an arrow tells where lower is better.
fn column(name: &str) -> String {
    let arrow = if lower_is_better(name) { " ↓" } else { "" };
    format!("{}{arrow}", metric_label(name))
}

/// A metric's name as it is printed: `ndcg@10` becomes `NDCG@10`, `coverage@10` becomes `Coverage@10`.
fn metric_label(name: &str) -> String {
    const INITIALS: [&str; 5] = ["hr", "ndcg", "mrr", "map", "auc"];
    let (stem, depth) = name
        .split_once('@')
        .map_or((name, None), |(stem, depth)| (stem, Some(depth)));
    let label = if INITIALS.contains(&stem) {
        stem.to_uppercase()
    } else {
        format::words(stem)
    };
    match depth {
        Some(depth) => format!("{label}@{depth}"),
        None => label,
    }
}

fn kind_name(kind: RowKind) -> &'static str {
    match kind {
        RowKind::Baseline => "baseline",
        RowKind::Model => "model",
        RowKind::Published => "published",
    }
}

fn comparison(difference: &Difference) -> Comparison<'_> {
    let Estimate { low, high, .. } = difference.difference;
    let (verdict, class) = match (low, high) {
        (Some(low), _) if low > 0.0 => ("better", "good"),
        (_, Some(high)) if high < 0.0 => ("worse", "bad"),
        (Some(_), Some(_)) => ("no clear difference", "open"),
        _ => ("interval unknown", "open"),
    };
    Comparison {
        difference,
        metric: metric_label(&difference.metric),
        verdict,
        class,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(model: &str, kind: RowKind, ndcg: f64, coverage: f64) -> EvaluationRow {
        let estimate = |value| Estimate {
            value,
            ..Estimate::default()
        };
        EvaluationRow {
            task: "new-items".to_owned(),
            model: model.to_owned(),
            kind,
            default: kind == RowKind::Model,
            metrics: [
                ("ndcg@10", ndcg),
                ("coverage@10", coverage),
                ("gini@10", 1.0 - ndcg),
            ]
            .map(|(name, value)| (name.to_owned(), estimate(value)))
            .into(),
        }
    }

    #[test]
    fn rows_are_sorted_and_the_best_of_a_column_is_found() {
        let evaluation = Evaluation {
            rows: vec![
                row("popular", RowKind::Baseline, 0.1, 0.9),
                row("user-model", RowKind::Model, 0.3, 0.4),
                row("quoted", RowKind::Published, 0.5, 0.95),
            ],
            ..Evaluation::default()
        };
        let view = view(&evaluation);
        let task = &view.tasks[0];
        assert_eq!(task.columns, ["NDCG@10", "Coverage@10", "Gini@10 ↓"]);
        let best = |row: usize, column: usize| {
            task.rows[row].cells[column]
                .as_ref()
                .is_some_and(|cell| cell.best)
        };
        assert_eq!(task.rows[1].of.model, "user-model");
        assert!(
            best(1, 0) && !best(2, 0),
            "the model has the best NDCG of the shop's own rows"
        );
        assert!(best(2, 1) && !best(1, 1), "the baseline covers more");
        assert!(best(1, 2) && !best(2, 2), "a lower Gini index is better");
        assert!(
            !best(0, 0) && !best(0, 2),
            "a quoted figure does not compete"
        );
    }

    #[test]
    fn a_difference_is_judged_by_its_interval() {
        let judge = |low, high| {
            let difference = Estimate {
                value: 0.0,
                low,
                high,
            };
            comparison(&Difference {
                difference,
                ..Difference::default()
            })
            .verdict
        };
        assert_eq!(judge(Some(0.1), Some(0.2)), "better");
        assert_eq!(judge(Some(-0.2), Some(-0.1)), "worse");
        assert_eq!(judge(Some(-0.1), Some(0.1)), "no clear difference");
        assert_eq!(judge(None, None), "interval unknown");
    }
}
