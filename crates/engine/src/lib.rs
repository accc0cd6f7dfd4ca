//! Where the stages meet: store, vault, import, training, campaigns and what comes of them.

mod campaign;
pub mod config;
mod copybook;
mod demo;
mod error;
pub mod export;
mod imports;
pub mod ingest;
mod learn;
mod native;
mod overview;
mod policy;
mod sales;
mod shop;
mod status;
mod store;
mod train;
mod vault;

pub use campaign::{
    CampaignProgress, CampaignReport, CampaignRequest, DeliveredLine, DeliveredProduct, Nothing,
    Refused, last_campaign, run_campaign,
};
pub use config::Config;
pub use demo::{Demo, DemoReport, MeasuredLift, RoundReport, write_demo_key};
pub use error::{EngineError, Result};
pub use imports::{ImportNote, imports, note_import};
pub use learn::{LearnReport, MessageOutcome, learn, message_outcomes};
pub use native::{NativeDrafts, saved_copywriter_record, saved_drafts};
pub use overview::{GroupSales, Month, OutlyingShopper, Overview, Portrait, Recommended};
pub use policy::{FEATURE_COUNT, FEATURE_NAMES, Policy};
pub use sales::{ProductSales, RECENT_DAYS};
pub use shop::{KnownShopper, Shop};
pub use status::{Stage, Status};
pub use store::{
    AssumedConsent, Catalogue, ConsentSummary, LogSummary, QuarantineEntry, Shopper, Store,
};
pub use train::{
    EvaluationReport, ModelFolders, Ranker, Selection, TrainProgress, TrainReport, cut_dates,
    evaluate, saved_evaluation, saved_record, train,
};

/// Replaces a file at once: a crash at any moment leaves the old content or the new one.
///
/// # Errors
/// [`EngineError::Nn`] naming the file that cannot be written.
pub fn write_file(path: &std::path::Path, content: &[u8]) -> Result<()> {
    Ok(nn::replace_file(path, content)?)
}

/// Messages that a text message is sent and paid for as.
pub fn sms_segments(text: &str) -> usize {
    guard::sms::segments(text).segments
}

pub use recommender::user_model::TrainingRecord;
pub use recommender::{Estimate, Row as EvaluationRow, RowKind};
