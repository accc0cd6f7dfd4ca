use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::settings::CopySettings;

/// What `hawker evaluate` prints for a public set of texts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CopyReport {
    /// Name of the set.
    pub dataset: String,
    /// `validation` or `test`.
    pub part: String,
    /// Texts that were asked for.
    pub meanings: usize,
    /// Texts that were learnt from.
    pub learnt: usize,
    /// The settings.
    pub settings: CopySettings,
    /// Published figures and ways to choose a text.
    pub rows: Vec<CopyRow>,
    /// Trainable numbers of the model.
    pub parameters: usize,
    /// Tokens of its vocabulary.
    pub vocabulary: usize,
    /// Passes over the data, and the one whose weights are kept.
    pub epochs: (usize, Option<u64>),
    /// The same of what it learnt from its own texts, where it did; nothing kept where it came to nothing better.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reinforced: Option<(usize, Option<u64>)>,
    /// Seconds that this run trained; next to nothing where the model was there already.
    pub training_seconds: f64,
    /// Tokens that this run learnt a second.
    pub training_tokens_per_second: f64,
    /// Tokens that were written a second while texts were drawn.
    pub writing_tokens_per_second: f64,
    /// Fifty of the texts, drawn by the seed and not selected.
    pub samples: Vec<CopySample>,
}

/// One system's figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CopyRow {
    /// What wrote the texts.
    pub system: String,
    /// Figures by name.
    pub measures: BTreeMap<String, f64>,
}

/// A text beside what it was written from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopySample {
    /// The facts, as `name=value`.
    pub facts: Vec<String>,
    /// The text.
    pub text: String,
    /// What a person wrote.
    pub reference: String,
}

impl CopyReport {
    /// What was judged, in a line.
    pub fn heading(&self) -> String {
        format!(
            "{}, {}: {} texts, written by a model of {} numbers that learnt from {} texts",
            self.dataset, self.part, self.meanings, self.parameters, self.learnt
        )
    }

    /// A table of the rows; a measure that a row lacks is a dash.
    pub fn table(&self) -> String {
        let rows = self.rows.iter().rev();
        let mut names: Vec<&String> = rows.flat_map(|row| row.measures.keys()).collect();
        names.sort_by_key(|name| order(name));
        names.dedup();
        let heads: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
        let mut table = format!(
            "| system | {} |\n|---|{}\n",
            heads.join(" | "),
            "---|".repeat(names.len())
        );
        for row in &self.rows {
            table.extend([format!("| {} |", row.system)]);
            for name in &names {
                table.extend([match row.measures.get(*name) {
                    Some(value) => format!(" {value:.digits$} |", digits = digits(name)),
                    None => " – |".to_owned(),
                }]);
            }
            table.push('\n');
        }
        table
    }

    /// What training and writing took.
    pub fn times(&self) -> String {
        let own = self.reinforced.map_or_else(String::new, |(epochs, _)| {
            format!(" and {epochs} on its own texts")
        });
        format!(
            "trained {} epochs{own} in {:.0} s, {:.0} tokens/s; drew texts at {:.0} tokens/s\n",
            self.epochs.0,
            self.training_seconds,
            self.training_tokens_per_second,
            self.writing_tokens_per_second
        )
    }
}

/// The place of a measure in the table.
fn order(name: &str) -> (usize, &str) {
    let first = [
        "bleu",
        "bleu_4",
        "nist",
        "rouge_1",
        "rouge_2",
        "rouge_l",
        "cider",
        "slot_error_rate",
        "verbatim",
        "contradicted",
        "unbound",
        "distinct_4",
    ];
    let place = first.iter().position(|known| *known == name);
    (place.unwrap_or(first.len()), name)
}

/// Decimals that a measure is shown with.
fn digits(name: &str) -> usize {
    match name {
        "nist" | "cider" | "distinct_4" => 3,
        "slot_error_rate" => 4,
        _ => 2,
    }
}
