//! Drift: how a shop changes under a trained model, and what keeping the model up to date brings and costs.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use recommender::user_model::{self, Progress, UpdateSettings, UserModel, UserModelConfig};
use recommender::{
    Corpus, Difference, Estimate, EvaluateSettings, HeldOut, RowKind, Scorer, Sequence, Task,
    evaluate, hold_out,
};
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::error::{EngineError, Result};
use crate::sequences::Named;
use crate::shop::Shop;
use crate::store::Store;
use crate::train::{ModelFolders, Selection, TrainProgress};

const DAY_S: i64 = 86_400;
/// One shopper of so many is never learnt from, and says what is still known of the past.
const ASIDE: u8 = 10;
/// Stretches before the first period in which those shoppers are asked about the past.
const EARLIER: i64 = 2;
/// Least number of periods' worth of days that must come before the first period.
const LEAST_PAST: i64 = 3;
/// Added to shares of nothing, whose logarithm there is not.
const LEAST_SHARE: f64 = 1e-4;
const METRIC: &str = "ndcg@10";
/// Resamples of the intervals.
const RESAMPLES: usize = 500;

/// What [`drift`] is asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DriftRequest {
    /// Number of periods, the last one ending with the log; at least 2.
    pub periods: i64,
    /// Days of a period, at least 1.
    pub days: i64,
    /// How a model is trained on.
    pub update: UpdateSettings,
    /// Whether a model is trained anew at the beginning of each period as well, to be compared with.
    pub anew: bool,
}

/// What is done at the beginning of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Upkeep {
    /// Nothing: the model is the one of the first period.
    Once,
    /// It is trained on with the orders of the period before.
    Updated,
    /// It is trained on with the orders of the period before and with older ones.
    Replayed,
    /// It is trained anew with all orders.
    Anew,
}

impl Upkeep {
    /// What people read.
    pub fn words(self) -> &'static str {
        match self {
            Self::Once => "trained once",
            Self::Updated => "updated",
            Self::Replayed => "updated with replay",
            Self::Anew => "trained anew",
        }
    }
}

/// What [`drift`] found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DriftReport {
    /// Days of a period.
    pub days: i64,
    /// Shoppers who were never learnt from.
    pub aside: usize,
    /// The periods, in their order.
    pub periods: Vec<DriftPeriod>,
}

/// One period.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DriftPeriod {
    /// Its first moment, RFC 3339.
    pub start: String,
    /// Shoppers whose next order in it has a product that is new to them.
    pub shoppers: usize,
    /// How its orders differ from those before the first period.
    pub shift: Shift,
    /// What each upkeep comes to.
    pub figures: Vec<DriftFigures>,
    /// The upkeep with replay against none, paired by shopper; nothing in the first period, where they are one.
    pub gain: Option<Estimate>,
}

/// How the orders of a period differ from those before the first one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shift {
    /// Population stability index by field: Σ (p − q) ln(p / q) over the shares of the order lines by category, brand and
    /// price band. Below .1 little has changed, above .25 much. Source: Siddiqi, "Credit Risk Scorecards", 2006.
    pub stability: BTreeMap<String, f64>,
    /// Share of the order lines with products that were not sold before the first period.
    pub new_products: f64,
    /// Share of the order lines by shoppers who had not ordered before the first period.
    pub new_shoppers: f64,
}

/// What one upkeep comes to in one period.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DriftFigures {
    /// What was done.
    pub upkeep: Upkeep,
    /// NDCG@10 on new items of the period to come.
    pub coming: Estimate,
    /// The same in earlier periods, of shoppers who were never learnt from; nothing where there are none.
    pub past: Option<f64>,
    /// Seconds that it took.
    pub seconds: f64,
}

/// Trains a model as of some time ago, keeps it up in several ways through the periods that followed, and judges each at
/// the beginning of every period on what came next and on what came before.
///
/// The user model is judged alone, on the products that are new to a shopper. Histories and popularity are those of the
/// moment for all of them, as when they serve; what differs is the age of the weights. A tenth of the shoppers are never
/// learnt from: the past that they are asked about has not been seen by any model. Trained models are kept in the data
/// directory's `drift/`; a run that was stopped goes on there.
///
/// # Errors
/// [`EngineError::NotReady`] where the log is too short or nobody orders in a period, and those of training.
pub fn drift(
    store: &Store,
    config: &Config,
    request: &DriftRequest,
    progress: &mut dyn FnMut(&TrainProgress<'_>),
) -> Result<DriftReport> {
    progress(&TrainProgress::Stage("reading the log"));
    let shop = Shop::load(store, config, None)?;
    let (start_s, end_s) = (shop.log.first_ms / 1_000, shop.log.last_ms / 1_000 + 1);
    let length = request.days * DAY_S;
    let first_s = end_s - length * request.periods;
    if first_s - start_s < LEAST_PAST * length {
        return Err(EngineError::NotReady {
            missing: format!(
                "the log is of {} days, too few for {} periods of {} days after three as long",
                (end_s - start_s) / DAY_S,
                request.periods,
                request.days
            ),
            remedy: "give fewer `--periods` or `--days`".to_owned(),
        });
    }
    let epochs = Selection::load(&ModelFolders::of(store.dir()).root)?.map(|s| s.epochs);
    let keeper = Keeper {
        corpus: &shop.corpus,
        learnt: without_aside(&shop.corpus),
        settings: UserModelConfig {
            epochs: epochs.unwrap_or(config.model.epochs),
            ..config.model.clone()
        },
        request,
        first_s,
        length,
        folder: store.dir().join("drift"),
    };
    let mut periods = Vec::new();
    for period in 0..request.periods {
        periods.push(keeper.period(period, progress)?);
    }
    let aside = shop.corpus.sequences.iter().filter(|s| is_aside(s)).count();
    Ok(DriftReport {
        days: request.days,
        aside,
        periods,
    })
}

/// Whether a shopper is never learnt from; pseudonyms are hashes, so that any byte of them is a draw.
fn is_aside(sequence: &Sequence) -> bool {
    sequence.user.0[0].is_multiple_of(ASIDE)
}

fn without_aside(corpus: &Corpus) -> Corpus {
    let sequences = corpus.sequences.iter().filter(|s| !is_aside(s)).cloned();
    Corpus {
        sequences: sequences.collect(),
        items: corpus.items.clone(),
        categories: corpus.categories.clone(),
        brands: corpus.brands.clone(),
    }
}

/// What the periods have in common.
struct Keeper<'a> {
    corpus: &'a Corpus,
    /// The shoppers who are learnt from.
    learnt: Corpus,
    settings: UserModelConfig,
    request: &'a DriftRequest,
    /// The beginning of the first period.
    first_s: i64,
    /// Seconds of a period.
    length: i64,
    folder: PathBuf,
}

impl Keeper<'_> {
    /// The beginning of a period; those before the first have negative numbers.
    fn start_of(&self, period: i64) -> i64 {
        self.first_s + period * self.length
    }

    fn window(&self, period: i64) -> HeldOut {
        hold_out(
            self.corpus,
            self.start_of(period),
            self.start_of(period + 1),
        )
    }

    /// Brings every model up to the beginning of a period and judges it.
    fn period(
        &self,
        period: i64,
        progress: &mut dyn FnMut(&TrainProgress<'_>),
    ) -> Result<DriftPeriod> {
        let mut kept = vec![Upkeep::Once];
        if period > 0 {
            kept.extend([Upkeep::Updated, Upkeep::Replayed]);
            if self.request.anew {
                kept.push(Upkeep::Anew);
            }
        }
        let mut folders = Vec::new();
        for upkeep in &kept {
            let start = Instant::now();
            let folder = self.keep_up(*upkeep, period, progress)?;
            folders.push((*upkeep, folder, start.elapsed().as_secs_f64()));
        }
        progress(&TrainProgress::Stage(&format!(
            "judging period {}",
            period + 1
        )));
        let window = self.window(period);
        let (coming, gain) = Self::judge(&window, &folders)?;
        let shoppers = window.shoppers.iter().filter(|s| !s.new_items.is_empty());
        let shoppers = shoppers.count();
        let past = self.past(period, &folders)?;
        let figures = folders.iter().zip(coming).zip(past);
        let figures = figures.map(|(((upkeep, _, seconds), coming), past)| DriftFigures {
            upkeep: *upkeep,
            coming,
            past,
            seconds: *seconds,
        });
        Ok(DriftPeriod {
            start: jiff::Timestamp::from_second(window.now_s)
                .map_or_else(|_| window.now_s.to_string(), |at| at.to_string()),
            shoppers,
            shift: shift(
                self.corpus,
                self.first_s,
                self.start_of(period),
                self.length,
            ),
            figures: figures.collect(),
            gain: gain.map(|gain| gain.difference),
        })
    }

    /// Trains what an upkeep asks for at the beginning of a period; → the folder of its model.
    fn keep_up(
        &self,
        upkeep: Upkeep,
        period: i64,
        progress: &mut dyn FnMut(&TrainProgress<'_>),
    ) -> Result<PathBuf> {
        let folder_of = |upkeep: Upkeep, period: i64| match (upkeep, period) {
            (Upkeep::Once, _) | (_, 0) => self.folder.join("once"),
            (Upkeep::Updated, _) => self.folder.join(format!("updated-{period}")),
            (Upkeep::Replayed, _) => self.folder.join(format!("replayed-{period}")),
            (Upkeep::Anew, _) => self.folder.join(format!("anew-{period}")),
        };
        let folder = folder_of(upkeep, period);
        if upkeep == Upkeep::Once && period > 0 {
            return Ok(folder);
        }
        let stage = format!("period {}: {}", period + 1, upkeep.words());
        progress(&TrainProgress::Stage(&stage));
        let mut tell = |step: &Progress| {
            progress(&TrainProgress::Step(step));
            ControlFlow::Continue(())
        };
        let now_s = self.start_of(period);
        let learnt = self.learnt.before(now_s);
        let update = match upkeep {
            Upkeep::Once | Upkeep::Anew => None,
            Upkeep::Replayed => Some(self.request.update),
            Upkeep::Updated => Some(UpdateSettings {
                replay: 0.0,
                ..self.request.update
            }),
        };
        match update {
            None => user_model::train(&learnt, None, &self.settings, &folder, &mut tell)?,
            Some(update) => {
                let base = folder_of(upkeep, period - 1);
                let since_s = self.start_of(period - 1);
                user_model::update(&base, &learnt, since_s, &update, &folder, &mut tell)?
            }
        };
        Ok(folder)
    }

    /// The figures of each model in a window, and the gain of an upkeep with replay over none.
    fn judge(
        window: &HeldOut,
        folders: &[(Upkeep, PathBuf, f64)],
    ) -> Result<(Vec<Estimate>, Option<Difference>)> {
        let mut models = Vec::new();
        for (upkeep, folder, _) in folders {
            models.push(named(*upkeep, folder, &window.known)?);
        }
        let kind = |model: &Named| {
            if model.0 == Upkeep::Once.words() {
                RowKind::Baseline
            } else {
                RowKind::Model
            }
        };
        let scorers: Vec<(&dyn Scorer, RowKind)> =
            models.iter().map(|m| (m as &dyn Scorer, kind(m))).collect();
        let served = [Upkeep::Replayed, Upkeep::Once].map(Upkeep::words);
        let served = served
            .into_iter()
            .find(|name| models.iter().any(|m| m.0 == *name));
        let settings = EvaluateSettings {
            resamples: RESAMPLES,
            ..EvaluateSettings::with_default(served.unwrap_or_default())
        };
        let judged = evaluate("drift", "period", window, &scorers, &settings)?;
        let task = Task::NewItems.name();
        let rows = judged.table.rows.iter().filter(|row| row.task == task);
        let figures = rows.filter_map(|row| row.metrics.get(METRIC).copied());
        let figures: Vec<Estimate> = figures.collect();
        if figures.len() != models.len() {
            return Err(EngineError::NotReady {
                missing: "nobody orders something new in a period".to_owned(),
                remedy: "give more `--days`".to_owned(),
            });
        }
        let mut differences = judged.differences.into_iter();
        let gain = differences.find(|d| d.task == task && models.len() > 1);
        Ok((figures, gain))
    }

    /// The mean of each model over the stretches before a period, of the shoppers that nothing was learnt from.
    fn past(&self, period: i64, folders: &[(Upkeep, PathBuf, f64)]) -> Result<Vec<Option<f64>>> {
        let mut sums = vec![0.0; folders.len()];
        let mut shoppers = 0.0;
        for earlier in -EARLIER..period {
            let mut window = self.window(earlier);
            let known = std::sync::Arc::clone(&window.known);
            window.shoppers.retain(|shopper| {
                is_aside(&known.sequences[shopper.sequence]) && !shopper.new_items.is_empty()
            });
            if window.shoppers.is_empty() {
                continue;
            }
            let count = window.shoppers.len() as f64;
            let (figures, _) = Self::judge(&window, folders)?;
            for (sum, figure) in sums.iter_mut().zip(figures) {
                *sum += figure.value * count;
            }
            shoppers += count;
        }
        let mean = |sum: f64| (shoppers > 0.0).then(|| sum / shoppers);
        Ok(sums.into_iter().map(mean).collect())
    }
}

fn named(upkeep: Upkeep, folder: &Path, known: &Corpus) -> Result<Named> {
    Ok(Named(
        upkeep.words().to_owned(),
        UserModel::load(folder, known)?,
    ))
}

/// How the order lines of `from_s..from_s + length` differ from those before `first_s`.
fn shift(corpus: &Corpus, first_s: i64, from_s: i64, length: i64) -> Shift {
    let until_s = from_s + length;
    let sold = corpus.before(first_s).sold();
    let (mut before, mut within) = (Shares::default(), Shares::default());
    let (mut lines, mut new_products, mut new_shoppers) = (0.0, 0.0, 0.0);
    for sequence in &corpus.sequences {
        let purchases = || {
            let all = sequence.interactions.iter();
            all.filter(|i| i.kind == recommender::InteractionKind::Purchase)
        };
        let is_new = purchases()
            .next()
            .is_some_and(|first| first.at_s >= first_s);
        for purchase in purchases() {
            let item = &corpus.items[purchase.item as usize];
            if purchase.at_s < first_s {
                before.add(item);
            } else if (from_s..until_s).contains(&purchase.at_s) {
                within.add(item);
                lines += 1.0;
                new_products += f64::from(u8::from(!sold[purchase.item as usize]));
                new_shoppers += f64::from(u8::from(is_new));
            }
        }
    }
    let share = |count: f64| if lines > 0.0 { count / lines } else { 0.0 };
    let fields = ["category", "brand", "price band"];
    let stability = fields.into_iter().zip(before.0.iter().zip(&within.0));
    let stability = stability.filter_map(|(field, (before, within))| {
        Some((field.to_owned(), stability_index(before, within)?))
    });
    Shift {
        stability: stability.collect(),
        new_products: share(new_products),
        new_shoppers: share(new_shoppers),
    }
}

/// Order lines by category, brand and price band; lines without a label are left out.
#[derive(Default)]
struct Shares([BTreeMap<u32, f64>; 3]);

impl Shares {
    fn add(&mut self, item: &recommender::Item) {
        let labels = [item.category, item.brand, item.price_band.map(u32::from)];
        for (counts, label) in self.0.iter_mut().zip(labels) {
            if let Some(label) = label {
                *counts.entry(label).or_default() += 1.0;
            }
        }
    }
}

/// Σ (p − q) ln(p / q) over all labels; nothing where either side has none.
fn stability_index(before: &BTreeMap<u32, f64>, within: &BTreeMap<u32, f64>) -> Option<f64> {
    let total = |counts: &BTreeMap<u32, f64>| counts.values().sum::<f64>();
    let (all_before, all_within) = (total(before), total(within));
    if all_before == 0.0 || all_within == 0.0 {
        return None;
    }
    let labels: std::collections::BTreeSet<&u32> = before.keys().chain(within.keys()).collect();
    let share = |counts: &BTreeMap<u32, f64>, all: f64, label: &u32| {
        (counts.get(label).copied().unwrap_or(0.0) / all).max(LEAST_SHARE)
    };
    let terms = labels.into_iter().map(|label| {
        let (q, p) = (
            share(before, all_before, label),
            share(within, all_within, label),
        );
        (p - q) * (p / q).ln()
    });
    Some(terms.sum())
}

impl DriftReport {
    /// The figures as a Markdown table, a row a period and upkeep.
    pub fn table(&self) -> String {
        let mut table = String::from(
            "| period from | shoppers | upkeep | NDCG@10 to come | in the past | seconds |\n|---|---|---|---|---|---|\n",
        );
        for period in &self.periods {
            for figures in &period.figures {
                let past = figures
                    .past
                    .map_or("–".to_owned(), |past| format!("{past:.4}"));
                table.extend([format!(
                    "| {} | {} | {} | {} | {past} | {:.0} |\n",
                    date(&period.start),
                    period.shoppers,
                    figures.upkeep.words(),
                    figures.coming,
                    figures.seconds
                )]);
            }
        }
        table
    }

    /// How the orders changed, as a Markdown table.
    pub fn shifts(&self) -> String {
        let first = self.periods.first().map(|p| p.shift.stability.keys());
        let fields: Vec<&String> = first.map(Iterator::collect).unwrap_or_default();
        let mut table = String::from("| period from | new products | new shoppers |");
        table.extend(fields.iter().map(|field| format!(" shift of {field} |")));
        table.push_str("\n|---|---|---|");
        table.push_str(&"---|".repeat(fields.len()));
        table.push('\n');
        for period in &self.periods {
            let shift = &period.shift;
            let percent = |share: f64| format!("{:.1} %", 100.0 * share);
            table.extend([format!(
                "| {} | {} | {} |",
                date(&period.start),
                percent(shift.new_products),
                percent(shift.new_shoppers)
            )]);
            for field in &fields {
                match shift.stability.get(*field) {
                    Some(index) => table.extend([format!(" {index:.3} |")]),
                    None => table.push_str(" – |"),
                }
            }
            table.push('\n');
        }
        table
    }

    /// What the figures come to, in a sentence for each upkeep but none.
    pub fn verdict(&self) -> Vec<String> {
        let mean = |upkeep: Upkeep| {
            let of = |period: &DriftPeriod| {
                let figures = period.figures.iter().find(|f| f.upkeep == upkeep)?;
                Some((figures.coming.value, figures.seconds))
            };
            let found: Vec<(f64, f64)> = self.periods.iter().skip(1).filter_map(of).collect();
            let count = found.len() as f64;
            let sum = found
                .iter()
                .fold((0.0, 0.0), |sum, f| (sum.0 + f.0, sum.1 + f.1));
            (count > 0.0).then(|| (sum.0 / count, sum.1 / count))
        };
        let Some((once, _)) = mean(Upkeep::Once) else {
            return Vec::new();
        };
        let sentence = |upkeep: Upkeep| {
            let (ndcg, seconds) = mean(upkeep)?;
            let gain = 100.0 * (ndcg / once - 1.0);
            Some(format!(
                "{}: NDCG@10 {ndcg:.4} on what comes next, {gain:+.1} % beside {once:.4} of a model trained once, for \
                 {seconds:.0} s a period",
                upkeep.words()
            ))
        };
        let upkeeps = [Upkeep::Updated, Upkeep::Replayed, Upkeep::Anew];
        upkeeps.into_iter().filter_map(sentence).collect()
    }
}

/// The day of an RFC 3339 moment.
fn date(moment: &str) -> &str {
    moment.split('T').next().unwrap_or(moment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_equals_that_by_hand() {
        let shares = |pairs: &[(u32, f64)]| pairs.iter().copied().collect::<BTreeMap<_, _>>();
        let before = shares(&[(0, 50.0), (1, 50.0)]);
        let within = shares(&[(0, 6.0), (1, 2.0)]);
        // (.75 − .5) ln 1.5 + (.25 − .5) ln .5
        let expected = 0.25 * 1.5f64.ln() + 0.25 * 2f64.ln();
        let found = stability_index(&before, &within).expect("shares");
        assert!(
            (found - expected).abs() < 1e-12,
            "{found} is not {expected}"
        );
        assert_eq!(stability_index(&before, &before), Some(0.0));
        assert_eq!(stability_index(&before, &shares(&[])), None);
        // A label that is gone counts as a share of one in ten thousand.
        let gone = stability_index(&before, &shares(&[(0, 3.0)])).expect("shares");
        let expected = 0.5 * 2f64.ln() + (1e-4 - 0.5) * (1e-4f64 / 0.5).ln();
        assert!((gone - expected).abs() < 1e-12, "{gone} is not {expected}");
    }
}
