//! Figures of the literature on the same test texts under the same measures.

use super::report::CopyRow;

/// E2E, official scorer: `TGen`, Dušek et al., "Findings of the E2E NLG Challenge", 2018; GPT-2 with `LoRA`, Hu et al., 2021.
const E2E: [(&str, [f64; 4]); 2] = [
    ("TGen", [65.93, 8.609, 68.50, 2.234]),
    ("GPT-2 M + LoRA, pretrained", [70.4, 8.85, 71.8, 2.53]),
];

/// `AdvertiseGen`'s development file: `ChatGLM-6B` with P-Tuning v2 on 114,599 rows, from its own README.
const ADVERTISEGEN: [(&str, [f64; 4]); 1] = [(
    "ChatGLM-6B P-Tuning v2, pretrained, 114,599 rows",
    [8.10, 31.12, 7.11, 24.97],
)];

/// The published rows of a set; none where nothing comparable is known.
pub(super) fn rows(dataset: &str) -> Vec<CopyRow> {
    let (names, rows): ([&str; 4], &[(&str, [f64; 4])]) = match dataset {
        "e2e" => (["bleu", "nist", "rouge_l", "cider"], &E2E),
        "advertisegen" => (["bleu_4", "rouge_1", "rouge_2", "rouge_l"], &ADVERTISEGEN),
        _ => ([""; 4], &[]),
    };
    let row = |(system, figures): &(&str, [f64; 4])| CopyRow {
        system: format!("{system} (published)"),
        measures: names.map(str::to_owned).into_iter().zip(*figures).collect(),
    };
    rows.iter().map(row).collect()
}
