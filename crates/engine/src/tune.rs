//! The search for settings of the user model, by successive halving on the validation split.

mod space;

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use datasets::SequenceSet;
use nn::generator;
use recommender::user_model::{self, Progress, Training, UserModelConfig, VALIDATION_NDCG};
use recommender::{HeldOut, LeaveOneOut};
use serde::{Deserialize, Serialize};
use toml::Table;

pub use space::SearchSpace;

use crate::config::Config;
use crate::error::{EngineError, Result};
use crate::sequences::corpus_of;
use crate::shop::Shop;
use crate::store::Store;
use crate::train::{TrainProgress, cut_dates};

/// The state of a search, in its folder.
const STATE: &str = "tune.json";

/// The trial of the settings that were given.
const GIVEN: usize = 0;

/// What a search is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct TuneRequest {
    /// The settings that the first trial has, and that every trial keeps where the space says nothing.
    pub settings: UserModelConfig,
    /// Where the other trials are drawn from.
    pub space: SearchSpace,
    /// Number of trials, at least 1.
    pub trials: usize,
    /// Of how many trials one is trained on at each cut, at least 2.
    pub reduction: usize,
    /// Seed of the draws.
    pub seed: u64,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TuneReport {
    /// Tells data and request apart from others.
    fingerprint: String,
    /// Passes over the data for which trials are trained, ascending; fewer trials each time.
    pub cuts: Vec<u64>,
    /// The trials in the order of their numbers.
    pub trials: Vec<Trial>,
}

/// One set of settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// What was drawn; nothing for the first one.
    pub drawn: Table,
    /// All settings.
    pub settings: UserModelConfig,
    /// NDCG@10 on the validation split after each pass, one curve a cut that the trial reached.
    pub curves: Vec<Vec<f64>>,
    /// Seconds of training.
    pub seconds: f64,
}

impl Trial {
    /// The best figure of the longest training; nothing where it diverged.
    pub fn best(&self) -> Option<f64> {
        self.curves.last()?.iter().copied().max_by(f64::total_cmp)
    }
}

impl TuneReport {
    /// The trials by their numbers: those that came farther before the others, among them the best first, ties by number.
    pub fn ranked(&self) -> Vec<usize> {
        let mut numbers: Vec<usize> = (0..self.trials.len()).collect();
        let cuts = |number: &usize| self.trials[*number].curves.len();
        let best = |number: &usize| self.trials[*number].best().unwrap_or(f64::NEG_INFINITY);
        numbers.sort_by(|a, b| cuts(b).cmp(&cuts(a)).then(best(b).total_cmp(&best(a))));
        numbers
    }

    /// The best of the trials that were trained to the end.
    pub fn winner(&self) -> Option<&Trial> {
        self.ranked().first().map(|number| &self.trials[*number])
    }

    /// The winner's settings where they differ from those that were given, as a file for `hawker evaluate --settings`, or
    /// for a shop's configuration.
    pub fn settings_file(&self, for_shop: bool) -> String {
        let Some((number, winner)) = self.ranked().first().map(|n| (*n, &self.trials[*n])) else {
            return String::new();
        };
        let best = winner.best().unwrap_or(0.0);
        let heading = format!(
            "# Trial {number} of {} of a search by `hawker tune`: NDCG@10 {best:.4} on the validation split.\n",
            self.trials.len()
        );
        let settings = match (winner.drawn.is_empty(), for_shop) {
            (true, _) => {
                "# The settings that were given: nothing that was drawn is better.\n".to_owned()
            }
            (false, true) => {
                Table::from_iter([("model".to_owned(), winner.drawn.clone().into())]).to_string()
            }
            (false, false) => winner.drawn.to_string(),
        };
        heading + &settings
    }

    /// The trials as a Markdown table, best first.
    pub fn table(&self) -> String {
        let mut table = String::from(
            "| trial | NDCG@10 | epochs | seconds | settings |\n|---|---|---|---|---|\n",
        );
        for number in self.ranked() {
            let trial = &self.trials[number];
            let best = trial
                .best()
                .map_or("–".to_owned(), |best| format!("{best:.4}"));
            let drawn = if trial.drawn.is_empty() {
                "as given".to_owned()
            } else {
                inline(&trial.drawn)
            };
            table.extend([format!(
                "| {number} | {best} | {} | {:.0} | {drawn} |\n",
                trial
                    .curves
                    .len()
                    .checked_sub(1)
                    .map_or(0, |cut| self.cuts[cut]),
                trial.seconds
            )]);
        }
        table
    }
}

/// A table's keys and values in one line.
fn inline(table: &Table) -> String {
    let pairs = table.iter().map(|(key, value)| match value {
        toml::Value::Table(inner) => format!("{key}.({})", inline(inner)),
        value => format!("{key} = {value}"),
    });
    pairs.collect::<Vec<_>>().join(", ")
}

/// Searches on the validation items of a public set of sequences; see [`tune`].
///
/// # Errors
/// [`EngineError::NotReady`] where no sequence has three items, and those of [`tune`].
pub fn tune_sequences(
    set: &SequenceSet,
    request: &TuneRequest,
    folder: &Path,
    progress: &mut dyn FnMut(&TrainProgress<'_>),
) -> Result<TuneReport> {
    let validation = LeaveOneOut::new(corpus_of(set)).validation();
    tune(&validation, request, folder, progress)
}

/// Searches on the validation window of a shop; see [`tune`].
///
/// # Errors
/// [`EngineError::NotReady`] without orders to learn from, and those of [`tune`] and the store.
pub fn tune_shop(
    store: &Store,
    config: &Config,
    request: &TuneRequest,
    progress: &mut dyn FnMut(&TrainProgress<'_>),
) -> Result<TuneReport> {
    progress(&TrainProgress::Stage("reading the log"));
    let shop = Shop::load(store, config, None)?;
    let split = cut_dates(config, &shop.log)?;
    let folder = store.dir().join("tune");
    tune(&split.validation(&shop.corpus), request, &folder, progress)
}

/// Trains settings drawn from a space, and those that do well for longer: synchronous successive halving.
///
/// All trials are trained for the passes of the first cut, of every `reduction` of them the best one for those of the next,
/// and so on up to all epochs of the settings; a trial is judged by the best pass of its longest training. The settings that
/// were given are trained to the end whatever their place, for the winner to be compared with. The test split plays no
/// part. The state is saved after every training: stopped or killed, the same request goes on in `folder`, where the
/// checkpoint stands, and ends in the same figures.
///
/// Source: Jamieson and Talwalkar, "Non-stochastic Best Arm Identification and Hyperparameter Optimization", 2016. How
/// this differs from the paper: a trial is not trained on after a cut but anew, its learning rate falling over the passes
/// of the cut. In the middle of a longer schedule a high learning rate looks worse than it is and a fast one better.
///
/// # Errors
/// [`EngineError::Config`] where nothing in the space fits, [`EngineError::NotReady`] without shoppers to judge by, and
/// those of training; a setting under which training diverges is one that does badly, and no error.
fn tune(
    validation: &HeldOut,
    request: &TuneRequest,
    folder: &Path,
    progress: &mut dyn FnMut(&TrainProgress<'_>),
) -> Result<TuneReport> {
    if validation.shoppers.is_empty() {
        return Err(EngineError::NotReady {
            missing: "nobody's next purchase is held out to judge settings by".to_owned(),
            remedy: "give sequences of three items or more, or a longer log".to_owned(),
        });
    }
    std::fs::create_dir_all(folder).map_err(EngineError::io("create", folder))?;
    let state = folder.join(STATE);
    let fingerprint = fingerprint(validation, request);
    let mut report = TuneReport {
        fingerprint,
        cuts: cuts(request),
        trials: trials(request)?,
    };
    if state.exists() {
        let saved: TuneReport = nn::read_checked_json(&state)?;
        if saved.fingerprint == report.fingerprint {
            report = saved;
        }
    }
    let mut open: Vec<usize> = (0..report.trials.len()).collect();
    for (cut, epochs) in report.cuts.clone().into_iter().enumerate() {
        for number in &open {
            let trial = &mut report.trials[*number];
            if trial.curves.len() > cut {
                continue;
            }
            let trials = request.trials;
            let stage = format!("trial {number} of 0 to {}, {epochs} epochs", trials - 1);
            progress(&TrainProgress::Stage(&stage));
            let folder = folder.join(format!("trial-{number}-epochs-{epochs}"));
            train_trial(trial, epochs, validation, &folder, progress)?;
            nn::write_checked_json(&state, &report)?;
        }
        let kept = kept_after(cut, request);
        let ranked = report.ranked().into_iter().filter(|n| open.contains(n));
        let mut best: Vec<usize> = ranked.take(kept).collect();
        if !best.contains(&GIVEN) {
            best.push(GIVEN);
        }
        open = best;
    }
    nn::write_checked_json(&state, &report)?;
    Ok(report)
}

/// The passes at which trials are cut: all epochs, and that divided by the reduction once for every further cut.
fn cuts(request: &TuneRequest) -> Vec<u64> {
    let (epochs, reduction) = (request.settings.epochs, request.reduction as u64);
    let count = request.trials.max(1).ilog(request.reduction.max(2));
    let mut cuts: Vec<u64> = (0..=count)
        .rev()
        .map(|power| epochs.div_ceil(reduction.saturating_pow(power)))
        .collect();
    cuts.dedup();
    cuts
}

/// How many trials are trained on after a cut.
fn kept_after(cut: usize, request: &TuneRequest) -> usize {
    let divisor = request.reduction.saturating_pow(cut as u32 + 1);
    (request.trials / divisor).max(1)
}

fn trials(request: &TuneRequest) -> Result<Vec<Trial>> {
    let trial = |drawn, settings| Trial {
        drawn,
        settings,
        curves: Vec::new(),
        seconds: 0.0,
    };
    request.settings.check()?;
    let mut trials = vec![trial(Table::new(), request.settings.clone())];
    for number in 1..request.trials {
        let mut rng = generator(request.seed, "trial", number as u64);
        let (drawn, mut settings) = request.space.draw(&request.settings, &mut rng)?;
        // All trials end at the same pass, or their figures could not be compared at one.
        settings.epochs = request.settings.epochs;
        trials.push(trial(drawn, settings));
    }
    Ok(trials)
}

/// Trains one trial for a number of passes, or on where it was stopped among them.
fn train_trial(
    trial: &mut Trial,
    epochs: u64,
    validation: &HeldOut,
    folder: &Path,
    progress: &mut dyn FnMut(&TrainProgress<'_>),
) -> Result<()> {
    let settings = UserModelConfig {
        epochs,
        ..trial.settings.clone()
    };
    let mut tell = |step: &Progress| {
        progress(&TrainProgress::Step(step));
        ControlFlow::Continue(())
    };
    let training = &validation.training;
    let start = Instant::now();
    let trained = user_model::train(training, Some(validation), &settings, folder, &mut tell);
    trial.seconds += start.elapsed().as_secs_f64();
    let record = match trained {
        Ok(Training::Finished(_, record) | Training::Paused(record)) => record,
        Err(recommender::RecommenderError::Nn(nn::NnError::Diverged { .. })) => {
            trial.curves.push(Vec::new());
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    let figures = record.epochs.iter();
    let figures = figures.filter_map(|epoch| epoch.validation.get(VALIDATION_NDCG).copied());
    trial.curves.push(figures.collect());
    Ok(())
}

fn fingerprint(validation: &HeldOut, request: &TuneRequest) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(format!("{request:?}").as_bytes());
    hasher.update(format!("{:?} {:?}", validation.now_s, validation.shoppers).as_bytes());
    for item in &validation.training.items {
        hasher.update(format!("{item:?}").as_bytes());
    }
    for sequence in &validation.training.sequences {
        hasher.update(format!("{:?}", sequence.interactions).as_bytes());
    }
    hasher.finalize().to_hex()[..32].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sequences::tests::rounds;

    /// A space in which one learning rate learns and another one does not.
    fn request() -> TuneRequest {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("space.toml");
        std::fs::write(&path, "learning_rate = [0.00001, 0.01]").expect("writable");
        TuneRequest {
            settings: UserModelConfig {
                width: 16,
                hidden: 16,
                layers: 1,
                text_buckets: 16,
                epochs: 6,
                patience: 6,
                learning_rate: 1e-5,
                batch_interactions: 128,
                ..UserModelConfig::for_sequences()
            },
            space: SearchSpace::read(Some(&path)).expect("a space"),
            trials: 6,
            reduction: 3,
            seed: 4,
        }
    }

    #[test]
    fn trials_are_cut_at_equal_ratios() {
        let with = |trials, epochs, reduction| {
            let mut request = TuneRequest {
                trials,
                reduction,
                ..request()
            };
            request.settings.epochs = epochs;
            let cuts = cuts(&request);
            let kept = (0..cuts.len() - 1).map(|cut| kept_after(cut, &request));
            let kept: Vec<usize> = kept.collect();
            (cuts, kept)
        };
        assert_eq!(with(9, 20, 3), (vec![3, 7, 20], vec![3, 1]));
        assert_eq!(with(16, 16, 2), (vec![1, 2, 4, 8, 16], vec![8, 4, 2, 1]));
        assert_eq!(with(1, 8, 3), (vec![8], vec![]));
        assert_eq!(with(81, 2, 3), (vec![1, 2], vec![27]));
    }

    #[test]
    fn what_learns_is_trained_on_and_a_stopped_search_ends_alike() {
        let request = request();
        let whole = tempfile::tempdir().expect("a temporary folder");
        let report =
            tune_sequences(&rounds(60), &request, whole.path(), &mut |_| {}).expect("searches");
        assert_eq!(report.cuts, [2, 6]);
        let winner = report.winner().expect("trials");
        assert!(
            (winner.settings.learning_rate - 0.01).abs() < 1e-9,
            "{winner:?}"
        );
        let lengths = |trial: &Trial| trial.curves.iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(lengths(winner), [2, 6]);
        // The given settings, which do not learn, are trained to the end beside the two best.
        let ended = report.trials.iter().filter(|t| t.curves.len() == 2);
        assert_eq!(ended.count(), 3, "{}", report.table());
        assert_eq!(lengths(&report.trials[GIVEN]), [2, 6]);
        assert!(report.table().contains("| as given |"));
        let file = report.settings_file(true);
        assert!(file.ends_with("[model]\nlearning_rate = 0.01\n"), "{file}");

        // A search whose state was lost in the middle goes on from the checkpoints of its trials.
        let stopped = tempfile::tempdir().expect("a temporary folder");
        let mut steps = 0;
        let stop = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            tune_sequences(&rounds(60), &request, stopped.path(), &mut |progress| {
                if let TrainProgress::Step(_) = progress {
                    steps += 1;
                    assert!(steps < 12, "stopped here");
                }
            })
        }));
        assert!(stop.is_err());
        let resumed = tune_sequences(&rounds(60), &request, stopped.path(), &mut |_| {});
        let curves = |report: &TuneReport| -> Vec<Vec<Vec<f64>>> {
            report.trials.iter().map(|t| t.curves.clone()).collect()
        };
        assert_eq!(curves(&resumed.expect("searches")), curves(&report));
        // Asked again, it trains nothing.
        let mut stages = 0;
        let again = tune_sequences(&rounds(60), &request, whole.path(), &mut |_| stages += 1);
        assert_eq!((again.expect("searches"), stages), (report, 0));
    }
}
