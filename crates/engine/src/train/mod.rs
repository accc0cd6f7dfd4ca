//! Training: baselines tuned and the user model stopped early on the validation window, blends learnt there, and the
//! models that serve fitted to everything under what was chosen.

mod evaluation;
mod joint;
mod ranker;
mod selection;
mod shopper_encoder;
mod split;
mod update;

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use recommender::user_model::{
    self, Progress, Training, TrainingRecord, UserModel, UserModelConfig,
};
use recommender::{
    BaselineSettings, Blend, BlendSettings, Component, Corpus, EvaluateSettings, Evaluation,
    HeldOut, RowKind, ScoreScale, Scorer, Task, TimeSplit,
};

pub use evaluation::{EvaluationReport, evaluate, saved_evaluation};
#[cfg(test)]
pub(crate) use joint::tests as joint_fixture;
pub(crate) use joint::{ShopperTexts, Told, train_jointly};
pub use ranker::Ranker;
pub use selection::{ModelFolders, Selection, Updated};
pub use shopper_encoder::ShopperSettings;
pub(crate) use shopper_encoder::{ShopperEncoder, ShopperEvent};
pub use split::cut_dates;
pub use update::{UpdateReport, update};

use crate::config::Config;
use crate::error::{EngineError, Result};
use crate::native::{NativeDrafts, train_copywriter};
use crate::shop::Shop;
use crate::store::Store;

/// The name of the blend that was learnt on a task.
const BLEND_NEW_ITEMS: &str = "blend-new-items";
const BLEND_REPEATS: &str = "blend-repeats";

/// Resamples of the comparison that chooses what serves.
const RESAMPLES: usize = 500;

/// What training tells while it runs.
#[derive(Debug)]
pub enum TrainProgress<'a> {
    /// A stage begins.
    Stage(&'a str),
    /// A setting of a baseline was tried on the validation window.
    Trial {
        /// The baseline.
        model: &'a str,
        /// Its settings.
        settings: String,
        /// NDCG@10 of the task it is made for.
        ndcg: f64,
    },
    /// The user model took a step or closed an epoch.
    Step(&'a Progress),
    /// The native copywriter took a step or closed an epoch.
    CopyStep(&'a Progress),
}

/// How a training run ended.
#[derive(Debug, Clone)]
pub struct TrainReport {
    /// What was chosen.
    pub selection: Selection,
    /// The learning curve on the validation window.
    pub record: TrainingRecord,
    /// What the native copywriter wrote; nothing where it is switched off.
    pub drafts: NativeDrafts,
}

/// Trains everything that a shop is served with; a run that was interrupted goes on where it stopped.
///
/// # Errors
/// [`EngineError::NotReady`] without orders to learn from, [`EngineError::Recommender`] when training fails, and
/// those of the store.
pub fn train(
    store: &Store,
    config: &Config,
    progress: &mut dyn FnMut(&TrainProgress<'_>),
) -> Result<TrainReport> {
    progress(&TrainProgress::Stage("reading the log"));
    let shop = Shop::load(store, config, None)?;
    let split = cut_dates(config, &shop.log)?;
    let folders = ModelFolders::of(store.dir());
    std::fs::create_dir_all(&folders.root).map_err(EngineError::io("create", &folders.root))?;
    let fingerprint = fingerprint(&shop, config, &split);
    let validation = split.validation(&shop.corpus);
    require_shoppers(&validation, "validation")?;
    progress(&TrainProgress::Stage(
        "training the user model on the validation window",
    ));
    let record = train_user_model(
        &validation.training,
        Some(&validation),
        &config.model,
        &folders.validation(),
        progress,
    )?;
    let selection = match Selection::load(&folders.root)? {
        Some(selection) if selection.fingerprint == fingerprint => selection,
        _ => {
            let selection = select(
                &shop,
                &split,
                &validation,
                &record,
                fingerprint,
                &folders,
                progress,
            )?;
            selection.save(&folders.root)?;
            selection
        }
    };
    progress(&TrainProgress::Stage("fitting the models that serve"));
    let serving = UserModelConfig {
        epochs: selection.epochs,
        ..config.model.clone()
    };
    train_user_model(&shop.corpus, None, &serving, &folders.serving(), progress)?;
    folders.remove_superseded(&selection)?;
    let drafts = if config.copywriter.native {
        progress(&TrainProgress::Stage(
            "training the copywriter on the shop's texts",
        ));
        let mut tell = |step: &Progress| progress(&TrainProgress::CopyStep(step));
        train_copywriter(store.dir(), &shop.products, config, &mut tell)?
    } else {
        NativeDrafts::default()
    };
    Ok(TrainReport {
        selection,
        record,
        drafts,
    })
}

/// The learning curve that the last training left on the validation window.
///
/// # Errors
/// [`EngineError::Nn`] when the file is damaged.
pub fn saved_record(data_dir: &Path) -> Result<Option<TrainingRecord>> {
    let path = ModelFolders::of(data_dir)
        .validation()
        .join("training.json");
    if !path.exists() {
        return Ok(None);
    }
    Ok(Some(nn::read_checked_json(&path)?))
}

/// Tunes the baselines, learns the blends and chooses what serves each task, all on the validation window.
fn select(
    shop: &Shop,
    split: &TimeSplit,
    validation: &HeldOut,
    record: &TrainingRecord,
    fingerprint: String,
    folders: &ModelFolders,
    progress: &mut dyn FnMut(&TrainProgress<'_>),
) -> Result<Selection> {
    progress(&TrainProgress::Stage("tuning the baselines"));
    let baselines = BaselineSettings::tune(validation, &mut |model, settings, ndcg| {
        let settings = format!("{settings:?}");
        progress(&TrainProgress::Trial {
            model,
            settings,
            ndcg,
        });
    })?;
    progress(&TrainProgress::Stage("learning the blends"));
    let components = components(
        &baselines,
        &validation.training,
        Some(&folders.validation()),
    )?;
    let weights = |task| -> Result<Vec<f64>> {
        let settings = BlendSettings {
            task,
            ..BlendSettings::default()
        };
        let weights = Blend::learn(&[(validation, &components)], &settings)?;
        let rounded = weights
            .into_iter()
            .map(|weight| (f64::from(weight) * 1e6).round() / 1e6);
        Ok(rounded.collect())
    };
    let mut selection = Selection {
        fingerprint,
        log_position: shop.log.last_position,
        validation_start_s: split.validation_start_s,
        test_start_s: split.test_start_s,
        end_s: split.end_s,
        baselines,
        epochs: record.best_epoch.map_or(1, |epoch| epoch + 1),
        weights_new_items: weights(Task::NewItems)?,
        // A young shop may have no repeats to learn from; its blend for new items then serves both.
        weights_repeats: weights(Task::Repeats).or_else(|_| weights(Task::NewItems))?,
        default_new_items: BLEND_NEW_ITEMS.to_owned(),
        default_repeats: BLEND_REPEATS.to_owned(),
        default_all: BLEND_REPEATS.to_owned(),
        updated: None,
    };
    progress(&TrainProgress::Stage("comparing on the validation window"));
    let tried = compare(
        "shop",
        "validation",
        validation,
        &components,
        &selection,
        RESAMPLES,
    )?;
    // A blend serves unless a baseline is better beyond the noise of the window.
    let serves = |task: Task| {
        let beaten = tried.differences.iter().find(|difference| {
            difference.task == task.name() && difference.difference.high < Some(0.0)
        });
        beaten.map_or_else(
            || selection.default_of(task).to_owned(),
            |difference| difference.baseline.clone(),
        )
    };
    let [new_items, repeats, all] = [Task::NewItems, Task::Repeats, Task::All].map(serves);
    selection.default_new_items = new_items;
    selection.default_repeats = repeats;
    selection.default_all = all;
    Ok(selection)
}

/// Trains the user model in a folder, or goes on there.
fn train_user_model(
    training: &Corpus,
    validation: Option<&HeldOut>,
    config: &UserModelConfig,
    folder: &Path,
    progress: &mut dyn FnMut(&TrainProgress<'_>),
) -> Result<TrainingRecord> {
    let mut tell = |step: &Progress| {
        progress(&TrainProgress::Step(step));
        ControlFlow::Continue(())
    };
    match user_model::train(training, validation, config, folder, &mut tell)? {
        Training::Finished(_, record) | Training::Paused(record) => Ok(record),
    }
}

/// The baselines, and the user model of a folder where one is named, with what came before a cut.
fn components(
    settings: &BaselineSettings,
    training: &Corpus,
    folder: Option<&Path>,
) -> Result<Vec<Component>> {
    let mut components = settings.fit(training)?;
    if let Some(folder) = folder {
        components.push(Component {
            scorer: Arc::new(UserModel::load(folder, training)?),
            scale: ScoreScale::Logit,
        });
    }
    Ok(components)
}

/// The two blends over the same components.
fn blends(components: &[Component], selection: &Selection) -> Result<[Blend; 2]> {
    let blend = |name, weights: &[f64]| {
        let weights = weights.iter().map(|weight| *weight as f32).collect();
        Blend::new(name, components.to_vec(), weights)
    };
    Ok([
        blend(BLEND_NEW_ITEMS, &selection.weights_new_items)?,
        blend(BLEND_REPEATS, &selection.weights_repeats)?,
    ])
}

/// The table of all components and blends in a window.
fn compare(
    dataset: &str,
    split: &str,
    window: &HeldOut,
    components: &[Component],
    selection: &Selection,
    resamples: usize,
) -> Result<Evaluation> {
    let blends = blends(components, selection)?;
    let mut scorers: Vec<(&dyn Scorer, RowKind)> = Vec::new();
    for component in components {
        let kind = match component.scale {
            ScoreScale::Count => RowKind::Baseline,
            ScoreScale::Logit => RowKind::Model,
        };
        scorers.push((component.scorer.as_ref(), kind));
    }
    scorers.extend(
        blends
            .iter()
            .map(|blend| (blend as &dyn Scorer, RowKind::Model)),
    );
    let mut settings = EvaluateSettings::with_default(BLEND_NEW_ITEMS);
    settings.resamples = resamples;
    for task in Task::ALL {
        settings
            .defaults
            .insert(task, selection.default_of(task).to_owned());
    }
    Ok(recommender::evaluate(
        dataset, split, window, &scorers, &settings,
    )?)
}

fn require_shoppers(window: &HeldOut, name: &str) -> Result<()> {
    if !window.shoppers.is_empty() {
        return Ok(());
    }
    Err(EngineError::NotReady {
        missing: format!("no shopper with a history ordered in the {name} window"),
        remedy:
            "import a longer log, or move evaluation.validation_start and evaluation.test_start"
                .to_owned(),
    })
}

/// A hash over everything that a selection depends on.
fn fingerprint(shop: &Shop, config: &Config, split: &TimeSplit) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(shop.catalogue_version.as_bytes());
    hasher.update(format!("{:?} {split:?} {:?}", shop.log, config.model).as_bytes());
    hasher.finalize().to_hex()[..32].to_owned()
}
