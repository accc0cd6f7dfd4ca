//! Metrics of ranked lists, of the catalogue that they show, and of predicted probabilities.

mod binary;
mod catalogue;
mod ranking;

pub use binary::{
    ReliabilityBin, area_under_curve, brier_score, calibration_error, grouped_auc, log_loss,
    reliability_bins,
};
pub use catalogue::{coverage, gini, novelty};
pub use ranking::{
    average_precision, graded_ndcg, hit_rate, ndcg, precision, ranks_of, recall, reciprocal_rank,
};

#[cfg(test)]
pub(crate) fn golden() -> Option<serde_json::Value> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/golden/ranking_metrics.json"
    );
    let text = std::fs::read_to_string(path).ok()?;
    Some(serde_json::from_str(&text).expect("golden values are JSON"))
}
