//! What a language model on this machine learns from the shop's approved texts.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use copywriter::brief::Brief;
use copywriter::checkpoint::{CheckpointConfig, Lesson, LoraTraining, fine_tune};
use events::{CopyVariant, Locale, Product, Scope, Timestamp, VariantStatus};
use guard::{Facts, Guard};
use nn::{Progress, TrainingRecord};
use serde::Serialize;

use super::place::Place;
use super::providers::{Counts, brand};
use crate::config::Config;
use crate::copy_check;
use crate::error::{EngineError, Result};
use crate::store::Store;
use crate::train::ModelFolders;
use crate::variants::stand_in_history;

/// What was learnt, beside the adapter; written last.
const LEARNT: &str = "learnt.json";

/// What an adapter was learnt from, and how that went.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AdapterReport {
    /// Texts that were learnt or held out, each once for each of its products.
    pub lessons: usize,
    /// Texts that no model could have written, by the name of the reason.
    pub passed_over: BTreeMap<String, usize>,
    /// The learning curve.
    pub record: TrainingRecord,
}

/// Teaches the configured language model the shop's own texts that are approved or live, and takes the adapter into use once
/// it is done; until then the one in use stays. A run that was interrupted goes on where it stopped.
///
/// # Errors
/// [`EngineError::NotReady`] where no model is configured, [`EngineError::Copy`] where the model cannot be opened, there is
/// nothing to learn or a file cannot be written.
pub fn train_adapter(
    store: &Store,
    config: &Config,
    settings: &LoraTraining,
    now: Timestamp,
    progress: &mut dyn FnMut(&Progress),
) -> Result<AdapterReport> {
    let Some(checkpoint) = &config.copywriter.checkpoint else {
        return Err(EngineError::NotReady {
            missing: "no language model on this machine is configured".to_owned(),
            remedy: "name its folder as `folder` in `[copywriter.checkpoint]` of hawker.toml"
                .to_owned(),
        });
    };
    let (lessons, passed_over) = lessons(store, config, now)?;
    let place = place_of(store.dir());
    place.recover()?;
    let mut tell = |step: &Progress| {
        progress(step);
        ControlFlow::Continue(())
    };
    let record = fine_tune(checkpoint, &lessons, settings, &place.fresh, &mut tell)?;
    let report = AdapterReport {
        lessons: lessons.len(),
        passed_over,
        record,
    };
    nn::write_checked_json(&place.fresh.join(LEARNT), &report)?;
    place.take_into_use()?;
    Ok(report)
}

/// The settings of [`train_adapter`]: the defaults, under what a TOML file says.
///
/// # Errors
/// [`EngineError::Config`] where the file cannot be read or has a key that is not known, [`EngineError::Copy`] for a value
/// outside its range.
pub fn adapter_settings(path: Option<&Path>) -> Result<LoraTraining> {
    let Some(path) = path else {
        return Ok(LoraTraining::default());
    };
    let text = std::fs::read_to_string(path).map_err(EngineError::io("read", path))?;
    let settings: LoraTraining = toml::from_str(&text).map_err(|error| EngineError::Config {
        path: path.to_owned(),
        problem: error.message().to_owned(),
        remedy: "its keys are those of `LoraTraining`, such as `rank` and `epochs`".to_owned(),
    })?;
    settings.check()?;
    Ok(settings)
}

/// The configured language model with the adapter that was trained for it, unless another is named.
pub(super) fn checkpoint_config(
    data_dir: &Path,
    config: &Config,
) -> Result<Option<CheckpointConfig>> {
    let Some(mut checkpoint) = config.copywriter.checkpoint.clone() else {
        return Ok(None);
    };
    let place = place_of(data_dir);
    place.recover()?;
    if checkpoint.adapter.is_none() && place.used.exists() {
        checkpoint.adapter = Some(place.used);
    }
    Ok(Some(checkpoint))
}

fn place_of(data_dir: &Path) -> Place {
    Place::at(ModelFolders::of(data_dir).adapter(), LEARNT)
}

/// The texts that may be shown, as answers to what a model is told of their products.
fn lessons(
    store: &Store,
    config: &Config,
    now: Timestamp,
) -> Result<(Vec<Lesson>, BTreeMap<String, usize>)> {
    let guard = copy_check::guard(config)?;
    let catalogue = store.catalogue()?;
    let counts = Counts::load(store, config)?;
    let brand = brand(&config.voice);
    let (mut lessons, mut passed_over) = (Vec::new(), BTreeMap::new());
    let mut pass_over = |reason: &str| *passed_over.entry(reason.to_owned()).or_insert(0) += 1;
    for stored in store.variants()? {
        let variant = stored.variant;
        if !matches!(
            variant.status,
            VariantStatus::Approved | VariantStatus::Live
        ) {
            continue;
        }
        let Scope::ProductIds(ids) = &variant.scope else {
            pass_over("scope");
            continue;
        };
        for id in ids {
            let lesson = match catalogue.products.get(id) {
                None => Err("product_gone"),
                Some(product) => lesson(&guard, &variant, product, &counts, &brand, now),
            };
            match lesson {
                Ok(lesson) => lessons.push(lesson),
                Err(reason) => pass_over(reason),
            }
        }
    }
    Ok((lessons, passed_over))
}

/// A text as the answer to what a model is told of a product, or the name of the reason why no model could have written it.
fn lesson(
    guard: &Guard,
    variant: &CopyVariant,
    product: &Product,
    counts: &Counts,
    brand: &str,
    now: Timestamp,
) -> std::result::Result<Lesson, &'static str> {
    let (stats, user) = (counts.of(product), stand_in_history(product, now));
    let brief = Brief {
        channel: variant.channel,
        language: Locale(variant.locale.0.clone()).language(),
        strategy: variant.strategy,
        facts: Facts {
            product,
            stats: &stats,
            user: &user,
            now,
            version: "",
        },
        brand,
        count: 1,
        seed: 0,
    };
    Lesson::of(&brief, variant, guard).map_err(|refused| refused.name())
}
