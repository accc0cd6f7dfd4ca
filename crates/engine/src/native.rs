//! The native copywriter of a shop: trained on its own texts, its drafts kept beside the model.
//!
//! The drafts speak of any product: every fact in them is a binding. What the guard passes and what is new enters the
//! campaigns as further texts beside the library, under a standing policy that is named in each of them.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use copywriter::native::{
    Brief, Drafts, LOSS_TEMPLATES, Native, Progress, Training, TrainingRecord, TrainingTexts, train,
};
use events::{Channel, CopyVariant, Language, Product, Strategy};
use guard::Guard;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::config::{Config, CopywriterConfig};
use crate::error::Result;
use crate::train::ModelFolders;

/// The drafts that were kept, and how the others fared.
const KEPT: &str = "drafts.json";

/// What the native copywriter wrote.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct NativeDrafts {
    /// The version of the model that wrote them.
    pub model: String,
    /// The drafts that were kept.
    pub variants: Vec<CopyVariant>,
    /// Drafts written.
    pub written: u64,
    /// Drafts that passed every check, kept or not.
    pub passed: u64,
    /// The others by reason.
    pub refused: BTreeMap<String, u64>,
    /// Perplexity on held-out templates of the library, e^loss.
    pub perplexity: Option<f64>,
}

/// Trains the copywriter on a catalogue and lets it draft for every channel, language and argument; a run that was
/// interrupted goes on where it stopped.
///
/// # Errors
/// [`crate::EngineError::Copy`] when training fails or a file cannot be written.
pub(crate) fn train_copywriter(
    data_dir: &Path,
    products: &[Product],
    config: &Config,
    progress: &mut dyn FnMut(&Progress),
) -> Result<NativeDrafts> {
    let folder = ModelFolders::of(data_dir).copywriter();
    let texts = TrainingTexts::from_library()?.with_products(products);
    let mut tell = |step: &Progress| {
        progress(step);
        ControlFlow::Continue(())
    };
    let (model, record) = match train(&texts, &config.copywriter.model, &folder, &mut tell)? {
        Training::Finished(model, record) => (*model, record),
        Training::Paused(record) => (Native::load(&folder)?, record),
    };
    let guard = crate::copy_check::guard(config)?;
    let drafts = draft(&model, &record, &config.copywriter, &guard)?;
    nn::write_checked_json(&folder.join(KEPT), &drafts)?;
    Ok(drafts)
}

/// The learning curve that the last training left.
///
/// # Errors
/// [`crate::EngineError::Nn`] when the file is damaged.
pub fn saved_copywriter_record(data_dir: &Path) -> Result<Option<TrainingRecord>> {
    let path = ModelFolders::of(data_dir)
        .copywriter()
        .join("training.json");
    if !path.exists() {
        return Ok(None);
    }
    Ok(Some(nn::read_checked_json(&path)?))
}

/// What the copywriter of a data directory wrote; nothing before training.
///
/// # Errors
/// [`crate::EngineError::Nn`] when the file is damaged.
pub fn saved_drafts(data_dir: &Path) -> Result<NativeDrafts> {
    let path = ModelFolders::of(data_dir).copywriter().join(KEPT);
    if !path.exists() {
        return Ok(NativeDrafts::default());
    }
    Ok(nn::read_checked_json(&path)?)
}

/// The drafts of a channel and language.
pub(crate) fn saved_variants(
    data_dir: &Path,
    channel: Channel,
    language: Language,
) -> Result<Vec<CopyVariant>> {
    let mut variants = saved_drafts(data_dir)?.variants;
    variants.retain(|variant| variant.channel == channel && variant.locale.language() == language);
    Ok(variants)
}

/// Drafts for every channel, language and argument, and keeps the likeliest that pass.
fn draft(
    model: &Native,
    record: &TrainingRecord,
    config: &CopywriterConfig,
    guard: &Guard,
) -> Result<NativeDrafts> {
    let mut briefs = Vec::new();
    for channel in Channel::ALL {
        for language in [Language::En, Language::Zh] {
            briefs.extend(Strategy::ALL.map(|strategy| (channel, language, strategy)));
        }
    }
    let answers = briefs
        .into_par_iter()
        .enumerate()
        .map(|(number, (channel, language, strategy))| {
            let brief = Brief {
                channel,
                language,
                strategy,
                product: None,
                user_state: None,
                seed: config.model.seed.wrapping_add(number as u64),
                count: config.drafts,
            };
            Ok(model.write(&brief, guard)?)
        })
        .collect::<Result<Vec<Drafts>>>()?;
    let mut drafts = NativeDrafts {
        model: model.version().to_owned(),
        perplexity: record
            .best()
            .and_then(|epoch| epoch.validation.get(LOSS_TEMPLATES))
            .map(|loss| loss.exp()),
        ..NativeDrafts::default()
    };
    for answer in answers {
        drafts.written += (answer.approved.len() + answer.refused.len()) as u64;
        drafts.passed += answer.approved.len() as u64;
        for (_, refused) in &answer.refused {
            *drafts.refused.entry(refused.name().to_owned()).or_default() += 1;
        }
        let kept = answer.approved.into_iter().take(config.keep);
        drafts.variants.extend(kept.map(|draft| draft.variant));
    }
    Ok(drafts)
}
