//! All baselines together: their settings, the tuning of them, and the fit.

use std::fmt::Debug;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    CountModel, CountModelSettings, ImplicitAls, ImplicitAlsSettings, ItemKnn, ItemKnnSettings,
    Newest, OwnRepeats, Popular, Seasonal, Transitions, TransitionsSettings,
};
use crate::{
    Component, Corpus, EvaluateSettings, HeldOut, RecommenderError, RowKind, ScoreScale, Scorer,
    Task, evaluate,
};

/// A half-life that forgets next to nothing; finite, so that it survives JSON.
const TEN_YEARS: f64 = 3650.0;

/// The settings of every baseline; the defaults are those that a gift shop's two years chose.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BaselineSettings {
    /// Days after which a basket counts half in [`Popular::recently`]. Default 14.
    pub popular_half_life_days: f64,
    /// Days of last year that [`Seasonal`] looks up. Default 45.
    pub season_days: u32,
    /// Days after which a purchase counts half in [`OwnRepeats`]. Default 180.
    pub repeats_half_life_days: f64,
    /// Settings of [`ItemKnn`].
    pub item_knn: ItemKnnSettings,
    /// Settings of [`Transitions`].
    pub transitions: TransitionsSettings,
    /// Settings of [`CountModel`].
    pub count_model: CountModelSettings,
    /// Settings of [`ImplicitAls`].
    pub als: ImplicitAlsSettings,
}

impl Default for BaselineSettings {
    fn default() -> Self {
        Self {
            popular_half_life_days: 14.0,
            season_days: 45,
            repeats_half_life_days: 180.0,
            item_knn: ItemKnnSettings::default(),
            transitions: TransitionsSettings::default(),
            count_model: CountModelSettings::default(),
            als: ImplicitAlsSettings::default(),
        }
    }
}

impl CountModelSettings {
    /// Chooses the settings by NDCG@10 on new items in a validation window, one after the other from the defaults.
    /// `tell` hears of each trial: the settings and the value.
    ///
    /// # Errors
    /// [`RecommenderError::Empty`] when the window has no shoppers.
    pub fn tune(
        window: &HeldOut,
        tell: &mut dyn FnMut(&Self, f64),
    ) -> Result<Self, RecommenderError> {
        /// One setting with the values to try.
        type Axis = (fn(&mut CountModelSettings) -> &mut f64, [f64; 3]);
        let axes: [Axis; 4] = [
            (|settings| &mut settings.recency, [0.6, 0.8, 0.9]),
            (|settings| &mut settings.step_decay, [0.5, 0.8, 0.9]),
            (|settings| &mut settings.backward, [0.0, 0.3, 0.6]),
            (|settings| &mut settings.cosine, [0.2, 0.5, 1.0]),
        ];
        let mut tried: Vec<(Self, f64)> = Vec::new();
        let mut chosen = Self::default();
        for (field, values) in axes {
            for value in values {
                let mut settings = chosen;
                *field(&mut settings) = value;
                if tried.iter().any(|(known, _)| *known == settings) {
                    continue;
                }
                let scorer = CountModel::fit(&window.training, settings)?;
                let ndcg = ndcg_of(&scorer, window, Task::NewItems)?;
                tell(&settings, ndcg);
                tried.push((settings, ndcg));
            }
            // The first of equals.
            let best = tried.iter().rev().max_by(|a, b| a.1.total_cmp(&b.1));
            if let Some((best, _)) = best {
                chosen = *best;
            }
        }
        Ok(chosen)
    }
}

impl BaselineSettings {
    /// Chooses the settings by NDCG@10 in a validation window, each baseline on the task it is made for: own repeats on
    /// repeats, the others on new items. `tell` hears of each trial: the baseline's name, its settings and the value.
    ///
    /// # Errors
    /// [`RecommenderError::Empty`] when the window has no shoppers.
    pub fn tune(
        window: &HeldOut,
        tell: &mut dyn FnMut(&str, &dyn Debug, f64),
    ) -> Result<Self, RecommenderError> {
        let training = &window.training;
        let mut chosen = Self::default();
        let days = [7.0, 14.0, 30.0, 60.0, 120.0];
        chosen.popular_half_life_days = best(window, Task::NewItems, days, tell, |&days| {
            Popular::recently(training, days)
        })?;
        let days = [30.0, 90.0, 180.0, 365.0, TEN_YEARS];
        chosen.repeats_half_life_days = best(window, Task::Repeats, days, tell, |&days| {
            OwnRepeats::fit(training, days)
        })?;
        chosen.item_knn = best(window, Task::NewItems, knn_grid(), tell, |&settings| {
            ItemKnn::fit(training, settings)
        })?;
        let grid = transitions_grid();
        chosen.transitions = best(window, Task::NewItems, grid, tell, |&settings| {
            Transitions::fit(training, settings)
        })?;
        chosen.count_model = CountModelSettings::tune(window, &mut |settings, value| {
            tell("count-model", settings, value);
        })?;
        chosen.als = best(window, Task::NewItems, als_grid(), tell, |&settings| {
            ImplicitAls::fit(training, settings)
        })?;
        Ok(chosen)
    }

    /// Fits every baseline on a training window, in a fixed order, as voices of a [`crate::Blend`].
    ///
    /// # Errors
    /// [`RecommenderError::Setting`] when a setting is outside its range.
    pub fn fit(&self, training: &Corpus) -> Result<Vec<Component>, RecommenderError> {
        let baselines: [Arc<dyn Scorer>; 9] = [
            Arc::new(Popular::all_time(training)),
            Arc::new(Popular::recently(training, self.popular_half_life_days)?),
            Arc::new(Seasonal::fit(training, self.season_days)),
            Arc::new(Newest::fit(training)),
            Arc::new(OwnRepeats::fit(training, self.repeats_half_life_days)?),
            Arc::new(ItemKnn::fit(training, self.item_knn)?),
            Arc::new(Transitions::fit(training, self.transitions)?),
            Arc::new(CountModel::fit(training, self.count_model)?),
            Arc::new(ImplicitAls::fit(training, self.als)?),
        ];
        let component = |scorer| Component {
            scorer,
            scale: ScoreScale::Count,
        };
        Ok(baselines.into_iter().map(component).collect())
    }
}

/// The setting whose scorer has the highest NDCG@10 in a task of the window, the first of equals.
fn best<T: Debug, S: Scorer>(
    window: &HeldOut,
    task: Task,
    grid: impl IntoIterator<Item = T>,
    tell: &mut dyn FnMut(&str, &dyn Debug, f64),
    fit: impl Fn(&T) -> Result<S, RecommenderError>,
) -> Result<T, RecommenderError> {
    let mut best: Option<(f64, T)> = None;
    for setting in grid {
        let scorer = fit(&setting)?;
        let value = ndcg_of(&scorer, window, task)?;
        tell(scorer.name(), &setting, value);
        if best.as_ref().is_none_or(|(highest, _)| value > *highest) {
            best = Some((value, setting));
        }
    }
    let (_, setting) = best.ok_or(RecommenderError::Empty {
        what: "the grid of settings",
        remedy: "name at least one setting to try",
    })?;
    Ok(setting)
}

/// A scorer's NDCG@10 in a task of a window, 0 where the task has no targets.
fn ndcg_of(scorer: &dyn Scorer, window: &HeldOut, task: Task) -> Result<f64, RecommenderError> {
    let settings = EvaluateSettings {
        resamples: 0,
        ..EvaluateSettings::with_default(scorer.name())
    };
    let scorers = [(scorer, RowKind::Baseline)];
    let table = evaluate("", "validation", window, &scorers, &settings)?.table;
    let row = table.best(task, "ndcg@10");
    Ok(row.map_or(0.0, |row| row.metrics["ndcg@10"].value))
}

fn knn_grid() -> Vec<ItemKnnSettings> {
    let mut grid = Vec::new();
    for across_baskets in [false, true] {
        for basket_half_life_days in [30.0, 120.0, TEN_YEARS] {
            for history_half_life_days in [30.0, TEN_YEARS] {
                grid.push(ItemKnnSettings {
                    across_baskets,
                    basket_half_life_days,
                    history_half_life_days,
                    ..ItemKnnSettings::default()
                });
            }
        }
    }
    grid
}

fn transitions_grid() -> Vec<TransitionsSettings> {
    let mut grid = Vec::new();
    for half_life_days in [30.0, 90.0, TEN_YEARS] {
        for popularity_discount in [0.0, 0.3, 0.5] {
            grid.push(TransitionsSettings {
                popularity_discount,
                half_life_days,
                ..TransitionsSettings::default()
            });
        }
    }
    grid
}

fn als_grid() -> Vec<ImplicitAlsSettings> {
    let mut grid = Vec::new();
    for half_life_days in [45.0, TEN_YEARS] {
        for regularisation in [10.0, 30.0] {
            grid.push(ImplicitAlsSettings {
                regularisation,
                half_life_days,
                ..ImplicitAlsSettings::default()
            });
        }
    }
    grid
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{buy, corpus_of};
    use crate::hold_out;

    const DAY: i64 = 86_400;

    /// Shoppers whose next new item is what came up last: item 9 sold well long ago, item 8 a little lately.
    fn shop() -> HeldOut {
        let old = (0..6).map(|_| vec![buy(9, 0, None)]);
        let late = (0..2).map(|_| vec![buy(8, 99 * DAY, None)]);
        let judged = (0..4).map(|i| vec![buy(i, 90 * DAY, None), buy(8, 101 * DAY, None)]);
        let sequences = old.chain(late).chain(judged).collect();
        hold_out(&corpus_of(10, sequences), 100 * DAY, 110 * DAY)
    }

    #[test]
    fn tuning_finds_the_half_life_that_ranks_the_target_first() {
        let mut trials = Vec::new();
        let settings = BaselineSettings::tune(&shop(), &mut |name, _, value| {
            trials.push((name.to_owned(), value));
        })
        .expect("tunes");
        assert!(settings.popular_half_life_days < 60.0, "{settings:?}");
        let of = |name: &str| trials.iter().filter(|trial| trial.0 == name).count();
        assert_eq!((of("popular-recently"), of("item-knn")), (5, 12));
        assert!(trials[0].1 > trials[4].1, "{trials:?}");
    }

    #[test]
    fn every_baseline_is_fitted_once() {
        let components = BaselineSettings::default()
            .fit(&shop().training)
            .expect("fits");
        let mut names: Vec<&str> = components.iter().map(|c| c.scorer.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 9);
    }

    #[test]
    fn settings_survive_json() {
        let settings = BaselineSettings {
            repeats_half_life_days: TEN_YEARS,
            ..BaselineSettings::default()
        };
        let json = serde_json::to_string(&settings).expect("serialises");
        let back: BaselineSettings = serde_json::from_str(&json).expect("parses");
        assert_eq!(back, settings);
        assert!(serde_json::from_str::<BaselineSettings>(r#"{"halflife":1}"#).is_err());
    }
}
