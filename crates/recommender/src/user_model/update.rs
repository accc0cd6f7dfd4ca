//! Learning from new days without starting anew.

use std::ops::ControlFlow;
use std::path::Path;

use nn::{NnError, Progress, Tensor, Training};
use serde::{Deserialize, Serialize};

use super::model::UserModel;
use super::plan::Lessons;
use super::train::{Run, fit};
use crate::error::refuse;
use crate::{Corpus, RecommenderError};

/// How a model learns from new days.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UpdateSettings {
    /// Windows of older orders that are read again for each window of new ones, at least 0. Default 1.
    pub replay: f64,
    /// Passes over the new orders, at least 1. Default 2.
    pub epochs: u64,
    /// Highest learning rate as a share of that of training, above 0. Default 0.25.
    pub learning_rate_share: f64,
}

impl Default for UpdateSettings {
    fn default() -> Self {
        Self {
            replay: 1.0,
            epochs: 2,
            learning_rate_share: 0.25,
        }
    }
}

impl UpdateSettings {
    /// Verifies every field.
    ///
    /// # Errors
    /// [`RecommenderError::Setting`] for the first field outside its range.
    pub fn check(&self) -> Result<(), RecommenderError> {
        if !(self.replay.is_finite() && self.replay >= 0.0) {
            return Err(refuse("update.replay", self.replay, "0 or more"));
        }
        if self.epochs == 0 {
            return Err(refuse("update.epochs", self.epochs, "at least 1"));
        }
        let share = self.learning_rate_share;
        if !(share.is_finite() && share > 0.0) {
            return Err(refuse(
                "update.learning_rate_share",
                share,
                "a number above 0",
            ));
        }
        Ok(())
    }
}

/// Trains a model on with the orders from `since_s` (Unix seconds) on, and saves it in a folder.
///
/// An epoch reads one window of each shopper with a new order, asked about the new orders alone, and
/// [`UpdateSettings::replay`] times as many of other moments, asked about older orders alone, drawn anew each epoch:
/// without them the network forgets what no longer happens. Items, categories and brands that the model has not met get
/// rows of zeros, so that an item starts where its fields and title put it.
///
/// `base` is the folder of a saved model that knows nothing from `since_s` on; it stays as it is. A checkpoint in `folder`
/// is resumed as [`train`](super::train) does, where it belongs to the same base, data and settings.
///
/// Source: experience replay: Ratcliff, "Connectionist Models of Recognition Memory", 1990; Chaudhry et al., "On Tiny
/// Episodic Memories in Continual Learning", 2019. How this differs from the latter: the memory is the log itself, which is
/// kept anyway.
///
/// # Errors
/// [`RecommenderError::Setting`] for bad settings, [`RecommenderError::Empty`] where nothing was bought since, and those
/// of [`UserModel::load`] and [`train`](super::train).
pub fn update(
    base: &Path,
    corpus: &Corpus,
    since_s: i64,
    settings: &UpdateSettings,
    folder: &Path,
    progress: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Training<UserModel>, RecommenderError> {
    settings.check()?;
    if !corpus.purchases().any(|purchase| purchase.at_s >= since_s) {
        return Err(RecommenderError::Empty {
            what: "the list of purchases since the last training",
            remedy: "import newer orders; there is nothing to learn until then",
        });
    }
    let (model, base) = UserModel::grown(base, corpus)?;
    let run = Run {
        lessons: Lessons::Since {
            since_s,
            replay: settings.replay,
        },
        base,
        epochs: settings.epochs,
        learning_rate: model.config.learning_rate * settings.learning_rate_share,
    };
    fit(model, corpus, None, &run, folder, progress)
}

/// A table with further rows of zeros.
///
/// # Shapes
/// [N, …] → [rows, …].
pub(super) fn padded(table: &Tensor, rows: usize) -> Result<Tensor, NnError> {
    let there = table.dim(0)?;
    if rows <= there {
        return Ok(table.clone());
    }
    let mut shape = table.dims().to_vec();
    shape[0] = rows - there;
    let zeros = Tensor::zeros(shape, table.dtype(), table.device())?;
    Ok(Tensor::cat(&[table, &zeros], 0)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::user_model::UserModelConfig;
    use crate::user_model::tests::{DAY_S, finished, habitual_shop, small, train_on};
    use crate::{Interaction, Item, Scorer, Sequence, top_k};

    /// Shoppers who come in the first days alone.
    const OLD: usize = 100;

    /// Ten days of a shop: the first 100 shoppers follow their habit through the first six days, the others through the
    /// last four, with new products.
    fn changed_shop() -> Corpus {
        let mut corpus = habitual_shop(200, 10);
        let known = corpus.items.len() as u32;
        let new = corpus.items.iter().map(|item| Item {
            id: format!("new-{}", item.id),
            title: format!("Another {}", item.id),
            ..item.clone()
        });
        let new: Vec<Item> = new.collect();
        corpus.items.extend(new);
        let (early, late) = corpus.sequences.split_at_mut(OLD);
        for sequence in early {
            sequence.interactions.truncate(6);
        }
        for sequence in late {
            sequence.interactions.drain(..6);
            for line in &mut sequence.interactions {
                line.item += known;
            }
        }
        corpus
    }

    /// Share of shoppers whose last purchase is the best of all items for what they bought before.
    fn right(model: &UserModel, sequences: &[Sequence], items: usize) -> f64 {
        let all = vec![true; items];
        let hits = sequences.iter().filter(|sequence| {
            let (last, past) = sequence.interactions.split_last().expect("orders");
            let scores = model.scores(&[past], last.at_s).expect("scores");
            top_k(&scores[0], &all, 1) == [last.item]
        });
        hits.count() as f64 / sequences.len() as f64
    }

    fn updated(base: &Path, corpus: &Corpus, replay: f64, folder: &Path) -> UserModel {
        let settings = UpdateSettings {
            replay,
            epochs: 50,
            learning_rate_share: 1.0,
        };
        let run = update(base, corpus, 6 * DAY_S, &settings, folder, &mut |_| {
            ControlFlow::Continue(())
        });
        finished(run.expect("updates")).0
    }

    #[test]
    fn new_products_are_learnt_and_replay_keeps_the_old() {
        let corpus = changed_shop();
        let config = UserModelConfig {
            epochs: 12,
            ..small()
        };
        let folders = [0, 1, 2].map(|_| tempfile::tempdir().expect("a temporary folder"));
        let [base, with, without] = folders.each_ref().map(tempfile::TempDir::path);
        train_on(&corpus.before(6 * DAY_S), &config, base);
        let new_days = corpus.before(9 * DAY_S);
        let stale = UserModel::load(base, &new_days).expect("saved");
        let replayed = updated(base, &new_days, 1.0, with);
        let hasty = updated(base, &new_days, 0.0, without);
        let figures = [&stale, &replayed, &hasty].map(|model| {
            let (old, new) = corpus.sequences.split_at(OLD);
            [old, new].map(|sequences| right(model, sequences, corpus.items.len()))
        });
        let [stale, replayed, hasty] = figures;
        assert!(stale[0] > 0.9 && stale[1] < 0.1, "{figures:?}");
        // One of 48 products is right by chance.
        assert!(replayed[0] > 0.9 && replayed[1] > 0.3, "{figures:?}");
        assert!(hasty[0] < 0.5 && hasty[1] > 0.8, "{figures:?}");
    }

    #[test]
    fn what_is_not_met_yet_changes_nothing() {
        let mut corpus = habitual_shop(20, 6);
        let base = tempfile::tempdir().expect("a temporary folder");
        train_on(&corpus, &small(), base.path());
        let before = UserModel::load(base.path(), &corpus).expect("saved");
        let history = corpus.sequences[0].interactions.clone();
        corpus.categories.insert(0, "first".to_owned());
        for item in &mut corpus.items {
            item.category = item.category.map(|category| category + 1);
        }
        corpus.items.push(Item {
            id: "unheard of".to_owned(),
            ..Item::default()
        });
        corpus.sequences.push(Sequence {
            interactions: vec![Interaction {
                item: corpus.items.len() as u32 - 1,
                ..history[0]
            }],
            ..corpus.sequences[0].clone()
        });
        let (grown, _) = UserModel::grown(base.path(), &corpus).expect("saved");
        assert!(grown.parameter_count() > before.parameter_count());
        let scores = |model: &UserModel| model.scores(&[&history], 7 * DAY_S).expect("scores");
        let (before, grown) = (scores(&before), scores(&grown));
        for (item, (before, grown)) in before[0].iter().zip(&grown[0]).enumerate() {
            // One purchase more changes what is popular a little.
            assert!(
                (before - grown).abs() < 0.05,
                "item {item}: {before} and {grown}"
            );
        }
    }

    #[test]
    fn an_update_is_the_same_again_and_leaves_its_base() {
        let corpus = habitual_shop(40, 7);
        let config = small();
        let folders = [0, 1, 2].map(|_| tempfile::tempdir().expect("a temporary folder"));
        let [base, first, second] = folders.each_ref().map(tempfile::TempDir::path);
        train_on(&corpus.before(6 * DAY_S), &config, base);
        let read = |folder: &Path| std::fs::read(folder.join("model.json")).expect("saved");
        let kept = read(base);
        let run = |folder: &Path, stop: u64| {
            let settings = UpdateSettings::default();
            let mut tell = |progress: &Progress| {
                if progress.step == stop {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            };
            update(base, &corpus, 6 * DAY_S, &settings, folder, &mut tell).expect("updates")
        };
        assert!(matches!(run(first, 0), Training::Finished(..)));
        assert!(matches!(run(second, 2), Training::Paused(_)));
        assert!(matches!(run(second, 0), Training::Finished(..)));
        assert_eq!(read(first), read(second));
        assert_eq!(read(base), kept);
        assert_ne!(read(first), kept);
    }

    #[test]
    fn bad_requests_are_refused() {
        let corpus = habitual_shop(20, 4);
        let base = tempfile::tempdir().expect("a temporary folder");
        train_on(&corpus, &small(), base.path());
        let refused = |since_s, settings: UpdateSettings| {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let run = update(
                base.path(),
                &corpus,
                since_s,
                &settings,
                folder.path(),
                &mut |_| ControlFlow::Continue(()),
            );
            run.expect_err("bad").to_string()
        };
        let settings = UpdateSettings::default();
        let message = refused(4 * DAY_S, settings);
        assert!(message.contains("import newer orders"), "{message}");
        let message = refused(
            0,
            UpdateSettings {
                replay: -1.0,
                ..settings
            },
        );
        assert_eq!(message, "`update.replay` is -1; expected 0 or more");
    }
}
