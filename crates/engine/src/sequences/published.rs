//! Figures of the literature under the very protocol of this comparison: leave-one-out, all items ranked.

use std::collections::BTreeMap;

use recommender::{Estimate, Row, RowKind};

use super::TASK;

/// Model, HR@10 and NDCG@10.
type Figures = (&'static str, f64, f64);

/// S3-Rec's file of 22,363 shoppers. `GRU4Rec`, `SASRec`: Zhou et al., "S3-Rec", 2020; TIGER: Rajput et al., 2023;
/// sampled softmax and `eSASRec`: Tikhonovich et al., "`eSASRec`", 2025.
const AMAZON_BEAUTY: [Figures; 5] = [
    ("GRU4Rec", 0.0283, 0.0137),
    ("SASRec", 0.0605, 0.0318),
    ("TIGER", 0.0648, 0.0384),
    ("SASRec + sampled softmax", 0.0921, 0.0531),
    ("eSASRec", 0.0928, 0.0523),
];

/// `SASRec`'s file of 6,040 shoppers: Klenitskiy and Vasilev, "Turning Dross Into Gold Loss", 2023, and Petrov and
/// Macdonald, "`gSASRec`", 2023.
const MOVIELENS_1M: [Figures; 5] = [
    ("SASRec", 0.2500, 0.1341),
    ("BERT4Rec", 0.2843, 0.1537),
    ("GRU4Rec", 0.2811, 0.1648),
    ("gSASRec", 0.3003, 0.1726),
    ("SASRec+ 3,000 negatives", 0.3159, 0.1857),
];

/// The published rows of a set; none where nothing comparable is known.
pub(super) fn rows(dataset: &str) -> Vec<Row> {
    let figures: &[Figures] = match dataset {
        "amazon-beauty" => &AMAZON_BEAUTY,
        "ml1m" => &MOVIELENS_1M,
        _ => &[],
    };
    let row = |(model, hits, ndcg): &Figures| {
        let quoted = |value: f64| Estimate {
            value,
            low: None,
            high: None,
        };
        let metrics = [("hr@10", *hits), ("ndcg@10", *ndcg)];
        let metrics = metrics.map(|(name, value)| (name.to_owned(), quoted(value)));
        Row {
            task: TASK.to_owned(),
            model: format!("{model}, published"),
            kind: RowKind::Published,
            default: false,
            metrics: BTreeMap::from(metrics),
        }
    };
    figures.iter().map(row).collect()
}
