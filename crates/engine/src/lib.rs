//! Where the stages meet: store, vault, import, training, campaigns and what comes of them.
//!
//! The main type is [`Store`], one data directory; [`ingest::import`], [`train`], [`evaluate`], [`run_campaign`] and
//! [`learn`] take it as an argument and are the stages in their order.
//!
//! ```
//! use engine::ingest::{Format, ImportRequest, import};
//! use engine::{Config, Status, Store};
//!
//! let dir = tempfile::tempdir()?;
//! let events = dir.path().join("events.jsonl");
//! std::fs::write(&events, r#"{"messageId":"m-1","type":"track","event":"Product Viewed","userId":"ada",
//!     "timestamp":"2026-05-01T09:30:00Z","properties":{"product_id":"mug-7"}}"#.replace('\n', ""))?;
//! let mut store = Store::open(&dir.path().join("data"))?;
//! let request = ImportRequest {
//!     format: Format::Segment,
//!     files: vec![events],
//!     consents: Vec::new(),
//!     now: "2026-05-02T00:00:00Z".parse()?,
//! };
//! let report = import(&mut store, &Config::default(), &request, &mut |_| {})?;
//! assert_eq!((report.rows_read, report.kept), (1, 1));
//! assert_eq!(Status::of(&store)?.shoppers, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! This crate never reads the clock, and it never lets an identifier out but at delivery and export.

mod attribution;
mod brand_voice;
mod campaign;
mod click;
pub mod config;
mod copy_check;
mod copybook;
mod copywriting;
mod demo;
mod drift;
mod error;
pub mod export;
mod imports;
pub mod ingest;
mod learn;
mod lift;
mod native;
mod overview;
mod policy;
mod recommend;
mod sales;
mod sequences;
mod shop;
mod status;
mod store;
mod train;
mod tune;
mod variants;
mod vault;

pub use attribution::Attribution;
pub use campaign::{
    CampaignProgress, CampaignReport, CampaignRequest, DeliveredLine, DeliveredProduct, Nothing,
    Refused, UnfinishedDelivery, last_campaign, run_campaign, unfinished_delivery,
};
pub use click::{ClickFit, ClickReport, ClickRequest, click};
pub use config::Config;
pub use copy_check::{CheckedLine, CheckedMail, CopyCheck, CopyCheckRequest, ToldFacts};
pub use copywriting::{
    AdapterReport, CheckedDraft, CopyReport, CopyRequest, CopyRow, CopySample, CopySettings,
    CorpusRequest, DraftProvider, DraftRequest, DraftSettings, Drafted, FactTextDataset,
    JudgeSettings, PassedProvider, RewardSettings, ShopCorpus, StateRow, StateSample,
    UserStateDataset, UserStateReport, UserStateRequest, UserStateSettings, adapter_settings,
    copy_settings, draft, evaluate_copy, evaluate_user_states, read_corpus, train_adapter,
    train_writer, user_state_settings,
};
pub use demo::{Demo, DemoReport, MeasuredLift, RoundReport, saved_demo, write_demo_key};
pub use drift::{DriftFigures, DriftPeriod, DriftReport, DriftRequest, Shift, Upkeep, drift};
pub use error::{EngineError, Result};
pub use imports::{ImportNote, imports, note_import};
pub use learn::{LearnReport, MessageOutcome, learn, message_outcomes};
pub use lift::{
    ArmRates, ArmSummary, CampaignRates, Comparison, GoalLift, LiftReport, LiftRequest, lift,
};
pub use native::{NativeDrafts, saved_copywriter_record, saved_drafts};
pub use nn::one_thread_per_operation;
pub use overview::{GroupSales, Month, OutlyingShopper, Overview, Portrait, Recommended};
pub use policy::{FEATURE_COUNT, FEATURE_NAMES, Policy};
pub use recommend::{
    RecommendProgress, RecommendReport, RecommendRequest, RecommendedLine, RecommendedProduct, Why,
    WhyEvent, WhyInterest, WhyModel, WhyUserModel, recommend,
};
pub use sales::{ProductSales, RECENT_DAYS};
pub use sequences::{
    SequenceDataset, SequenceFit, SequenceReport, SequenceRequest, evaluate_cold_start,
    evaluate_sequences, read_files, sequence_settings,
};
pub use shop::{KnownShopper, Shop};
pub use status::{Stage, Status};
pub use store::{
    AssumedConsent, Catalogue, ConsentSummary, LogSummary, QuarantineEntry, Shopper, Store,
    StoredVariant,
};
pub use train::{
    EvaluationReport, ModelFolders, Ranker, Selection, ShopperSettings, TrainProgress, TrainReport,
    UpdateReport, Updated, cut_dates, evaluate, saved_evaluation, saved_record, train, update,
};
pub use tune::{SearchSpace, Trial, TuneReport, TuneRequest, tune_sequences, tune_shop};

pub use variants::{
    KeptVariant, ListedVariant, Remark, VariantChange, VariantFilter, change_variants,
    list_variants,
};

/// Replaces a file at once: a crash at any moment leaves the old content or the new one.
///
/// # Errors
/// [`EngineError::Nn`] naming the file that cannot be written.
pub fn write_file(path: &std::path::Path, content: &[u8]) -> Result<()> {
    Ok(nn::replace_file(path, content)?)
}

/// Replaces a file of personal data at once; its owner alone can read it.
///
/// # Errors
/// [`EngineError::Io`] naming the file that cannot be written.
pub fn write_private_file(path: &std::path::Path, content: &[u8]) -> Result<()> {
    use std::io::Write;
    let mut file = export::WholeFile::create(path, true)?;
    file.write_all(content)
        .and_then(|()| file.finish())
        .map_err(EngineError::io("write", path))
}

/// Messages that a text message is sent and paid for as.
pub fn sms_segments(text: &str) -> usize {
    guard::sms::segments(text).segments
}

pub use copywriter::decoder::{LOSS as COPYWRITER_LOSS, REWARD as COPYWRITER_REWARD};
pub use copywriter::llm::Access as LlmAccess;
pub use copywriter::native::LOSS_ALL;
pub use datasets::SequenceSet;
pub use nn::{Done, EpochRecord, Figures, Progress, TrainingRecord};
pub use recommender::click::{ClickFigures, ClickModelKind, LeftOut, Weight};
pub use recommender::metrics::ReliabilityBin;
pub use recommender::user_model::{EncoderKind, UpdateSettings, UserModelConfig, VALIDATION_NDCG};
pub use recommender::{Estimate, ItemIndex, RetrievalSettings, Row as EvaluationRow, RowKind};
