//! Bringing the user model that serves up to date with what came since it was trained.

use std::ops::ControlFlow;

use recommender::InteractionKind;
use recommender::user_model::{self, Progress, Training, TrainingRecord, UpdateSettings};
use serde::Serialize;

use super::{ModelFolders, Selection, TrainProgress, Updated};
use crate::config::Config;
use crate::error::{EngineError, Result};
use crate::shop::Shop;
use crate::store::Store;

/// What an update learnt from.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UpdateReport {
    /// Order lines since the last training or update.
    pub new_lines: usize,
    /// Products that the model had not met.
    pub new_products: usize,
    /// How training went.
    pub record: TrainingRecord,
}

/// Trains the user model that serves on with the orders since it was trained or updated last, and older ones again.
///
/// What training chose stays: the settings, the blends' weights and what serves each task. Counts and popularity need no
/// training and are of the moment anyway. The model before stays in place until the new one is whole; stopped or killed,
/// the same call goes on where it was. `hawker drift` measures how long updates are as good as training anew.
///
/// # Errors
/// [`EngineError::NotReady`] where nothing was trained or nothing was ordered since, and those of training and the store.
pub fn update(
    store: &Store,
    config: &Config,
    settings: &UpdateSettings,
    progress: &mut dyn FnMut(&TrainProgress<'_>),
) -> Result<UpdateReport> {
    let folders = ModelFolders::of(store.dir());
    let Some(mut selection) = Selection::load(&folders.root)? else {
        return Err(EngineError::NotReady {
            missing: "nothing was trained yet".to_owned(),
            remedy: "run `hawker train` without `--update` first".to_owned(),
        });
    };
    progress(&TrainProgress::Stage("reading the log"));
    let shop = Shop::load(store, config, None)?;
    let since_s = selection.known_until_s();
    let is_purchase = |kind| kind == InteractionKind::Purchase;
    let all = shop.corpus.sequences.iter().flat_map(|s| &s.interactions);
    let new_lines = all
        .filter(|i| is_purchase(i.kind) && i.at_s >= since_s)
        .count();
    if new_lines == 0 {
        return Err(EngineError::NotReady {
            missing: "nobody ordered anything since the last training".to_owned(),
            remedy: "import newer orders; the model serves as it is until then".to_owned(),
        });
    }
    let known = shop.corpus.before(since_s).sold();
    let sold = shop.corpus.sold();
    let new_products = sold
        .iter()
        .zip(&known)
        .filter(|(now, then)| **now && !**then);
    let new_products = new_products.count();
    progress(&TrainProgress::Stage("learning from new orders"));
    let base = folders.served_by(&selection);
    let updated = Updated {
        folder: format!("serving-{}", shop.log.last_position),
        end_s: shop.log.last_ms.div_euclid(1_000) + 1,
        log_position: shop.log.last_position,
    };
    let folder = folders.root.join(&updated.folder);
    let mut tell = |step: &Progress| {
        progress(&TrainProgress::Step(step));
        ControlFlow::Continue(())
    };
    let run = user_model::update(&base, &shop.corpus, since_s, settings, &folder, &mut tell)?;
    let (Training::Finished(_, record) | Training::Paused(record)) = run;
    selection.updated = Some(updated);
    selection.save(&folders.root)?;
    folders.remove_superseded(&selection)?;
    Ok(UpdateReport {
        new_lines,
        new_products,
        record,
    })
}
