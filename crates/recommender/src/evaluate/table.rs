use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Task;

/// Everything that an evaluation found.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// The table of all models on all tasks.
    pub table: EvaluationTable,
    /// For each task the default model against the best baseline.
    pub differences: Vec<Difference>,
    /// Shoppers scored in each task: those with at least one target of its kind.
    pub shoppers: BTreeMap<&'static str, usize>,
    /// Shoppers who ordered in the window without any history.
    pub cold: usize,
    /// Target products left out because nobody had bought them before the cut.
    pub unsold_targets: usize,
}

/// The metrics of each model on each task, in the form of `hawker evaluate --json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvaluationTable {
    /// Name of the data.
    pub dataset: String,
    /// `test` or `validation`.
    pub split: String,
    /// One row a task and model.
    pub rows: Vec<Row>,
}

/// One model on one task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The task's name, as [`Task::name`] gives it.
    pub task: String,
    /// The model's name.
    pub model: String,
    /// What sort of row it is.
    pub kind: RowKind,
    /// Whether it is the model that the shop is served with; exactly one row of a task is.
    pub default: bool,
    /// The figures, by names such as `hr@10`.
    pub metrics: BTreeMap<String, Estimate>,
}

/// What sort of row of an evaluation table it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RowKind {
    /// A counting rule or factorisation to be beaten.
    Baseline,
    /// A learnt model of this crate.
    Model,
    /// A figure quoted from a publication.
    Published,
}

/// A figure with its 95 % interval where it has one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The figure.
    pub value: f64,
    /// Lower end of the interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// Upper end of the interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
}

/// How much better one model is than another on the same shoppers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// The task's name.
    pub task: String,
    /// The metric, such as `ndcg@10`.
    pub metric: String,
    /// The default model.
    pub model: String,
    /// The baseline with the highest value of the metric, other than the default itself.
    pub baseline: String,
    /// Mean over shoppers of the difference, with its paired bootstrap interval.
    pub difference: Estimate,
}

impl EvaluationTable {
    /// The row of a task with the highest value of `metric`, the first of equals; for choosing a default on validation.
    pub fn best(&self, task: Task, metric: &str) -> Option<&Row> {
        self.best_where(task, metric, |_| true)
    }

    /// The best row of a task among those that `admit` admits.
    pub(crate) fn best_where(
        &self,
        task: Task,
        metric: &str,
        admit: impl Fn(&Row) -> bool,
    ) -> Option<&Row> {
        let value = |row: &Row| row.metrics.get(metric).map(|estimate| estimate.value);
        let rows = self.rows.iter().filter(|row| row.task == task.name());
        rows.filter(|row| admit(row) && value(row).is_some()).fold(
            None,
            |best: Option<&Row>, row| match best {
                Some(best) if value(best) >= value(row) => Some(best),
                _ => Some(row),
            },
        )
    }
}

impl fmt::Display for EvaluationTable {
    /// Writes a Markdown table; the default model of a task is marked with an asterisk.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = match self.rows.first() {
            Some(row) => row.metrics.keys().collect(),
            None => return writeln!(f, "no rows"),
        };
        write!(f, "| task | model |")?;
        for name in &names {
            write!(f, " {name} |")?;
        }
        writeln!(f, "\n|---|---|{}", "---|".repeat(names.len()))?;
        for row in &self.rows {
            let mark = if row.default { " *" } else { "" };
            write!(f, "| {} | {}{mark} |", row.task, row.model)?;
            for name in &names {
                match row.metrics.get(*name) {
                    Some(estimate) => write!(f, " {estimate} |")?,
                    None => write!(f, " – |")?,
                }
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.4}", self.value)?;
        match (self.low, self.high) {
            (Some(low), Some(high)) => write!(f, " [{low:.4}, {high:.4}]"),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {} − {} = {} ({})",
            self.task, self.model, self.baseline, self.difference, self.metric
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(model: &str, kind: RowKind, value: f64) -> Row {
        let estimate = Estimate {
            value,
            low: Some(0.25),
            high: Some(0.75),
        };
        let coverage = Estimate {
            value: 0.5,
            low: None,
            high: None,
        };
        Row {
            task: "new-items".to_owned(),
            model: model.to_owned(),
            kind,
            default: kind == RowKind::Model,
            metrics: [("hr@10", estimate), ("coverage@10", coverage)]
                .map(|(name, estimate)| (name.to_owned(), estimate))
                .into(),
        }
    }

    fn table() -> EvaluationTable {
        EvaluationTable {
            dataset: "shop".to_owned(),
            split: "test".to_owned(),
            rows: vec![
                row("popular", RowKind::Baseline, 0.5),
                row("user-model", RowKind::Model, 0.6),
                row("item-knn", RowKind::Baseline, 0.5),
            ],
        }
    }

    #[test]
    fn the_json_is_what_machines_were_promised() {
        let mut table = table();
        table.rows.truncate(1);
        let json = serde_json::to_string(&table).expect("serialises");
        assert_eq!(
            json,
            r#"{"dataset":"shop","split":"test","rows":[{"task":"new-items","model":"popular","kind":"baseline","default":false,"metrics":{"coverage@10":{"value":0.5},"hr@10":{"value":0.5,"low":0.25,"high":0.75}}}]}"#
        );
        let back: EvaluationTable = serde_json::from_str(&json).expect("parses");
        assert_eq!(back, table);
    }

    #[test]
    fn the_text_is_a_markdown_table() {
        let text = table().to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "| task | model | coverage@10 | hr@10 |");
        assert_eq!(lines[1], "|---|---|---|---|");
        assert_eq!(
            lines[3],
            "| new-items | user-model * | 0.5000 | 0.6000 [0.2500, 0.7500] |"
        );
    }

    #[test]
    fn the_best_row_is_the_first_of_equals() {
        let table = table();
        let best = |admit: fn(&Row) -> bool| {
            let row = table.best_where(Task::NewItems, "hr@10", admit);
            row.map(|row| row.model.as_str())
        };
        assert_eq!(best(|_| true), Some("user-model"));
        assert_eq!(best(|row| row.kind == RowKind::Baseline), Some("popular"));
        assert!(table.best(Task::Repeats, "hr@10").is_none());
        assert!(table.best(Task::NewItems, "mrr").is_none());
    }
}
