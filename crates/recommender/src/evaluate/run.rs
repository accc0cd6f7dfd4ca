use std::collections::BTreeMap;

use rayon::prelude::*;

use super::bootstrap::{estimate, resampled_means};
use super::{Difference, Evaluation, EvaluationTable, Row, RowKind};
use crate::metrics::{coverage, gini, hit_rate, ndcg, novelty, ranks_of, recall, reciprocal_rank};
use crate::{HeldOut, HeldOutShopper, KnownScores, RecommenderError, Scorer, Task, bought, top_k};

/// Histories that go through a scorer together.
const BATCH: usize = 64;

/// Metrics of one shopper, in the order of [`names`].
const PER_SHOPPER: usize = 4;

/// Place of NDCG among them: the metric by which baselines are compared.
const NDCG: usize = 1;

/// Settings of [`evaluate`].
#[derive(Debug, Clone, PartialEq)]
pub struct EvaluateSettings {
    /// Length of the lists that are judged. Default 10.
    pub k: usize,
    /// Resamples of the bootstrap; 0 leaves the intervals out. Default 1000.
    pub resamples: usize,
    /// Seed of the bootstrap. Default 0.
    pub seed: u64,
    /// Whether scorers of one name, such as one model under several seeds, are one row: the mean of their metrics, shopper
    /// by shopper. Default false.
    pub join_namesakes: bool,
    /// Name of the default model of each task.
    pub defaults: BTreeMap<Task, String>,
}

impl EvaluateSettings {
    /// The default settings with one default model for every task.
    pub fn with_default(model: &str) -> Self {
        Self {
            k: 10,
            resamples: 1000,
            seed: 0,
            join_namesakes: false,
            defaults: Task::ALL.map(|task| (task, model.to_owned())).into(),
        }
    }
}

/// What one scorer did in one task: one entry a shopper with targets, in the order of the held-out shoppers.
#[derive(Default)]
struct TaskResult {
    metrics: [Vec<f64>; PER_SHOPPER],
    lists: Vec<Vec<u32>>,
}

/// Judges every scorer on every task of a held-out window.
///
/// Each shopper is scored once a scorer, at the cut, from the history before it. HR@k, NDCG@k (several targets, see
/// [`ndcg`]), recall@k and MRR are means over the shoppers with a target in the task and carry 95 % bootstrap percentile
/// intervals over those shoppers; coverage@k, novelty@k and Gini@k describe all their lists together. The result does not
/// depend on the number of threads.
///
/// # Errors
/// [`RecommenderError::Empty`] without shoppers or scorers, [`RecommenderError::Default`] when a task's default is not
/// exactly one of the scorers, [`RecommenderError::Scores`] when a scorer returns the wrong number of scores or one that is
/// not a number, [`RecommenderError::Setting`] when `k` is 0, and what a scorer fails with.
pub fn evaluate(
    dataset: &str,
    split: &str,
    held_out: &HeldOut,
    scorers: &[(&dyn Scorer, RowKind)],
    settings: &EvaluateSettings,
) -> Result<Evaluation, RecommenderError> {
    check(held_out, scorers, settings)?;
    let of_scorers: Vec<&dyn Scorer> = scorers.iter().map(|(scorer, _)| *scorer).collect();
    let judged = judge(held_out, &of_scorers, settings.k)?;
    let (scorers, judged) = if settings.join_namesakes {
        join_namesakes(scorers, judged)
    } else {
        (scorers.to_vec(), judged)
    };
    let scorers = scorers.as_slice();
    let mut evaluation = Evaluation {
        table: EvaluationTable {
            dataset: dataset.to_owned(),
            split: split.to_owned(),
            rows: Vec::new(),
        },
        differences: Vec::new(),
        shoppers: BTreeMap::new(),
        cold: held_out.cold,
        unsold_targets: held_out.unsold_targets,
    };
    for (index, task) in Task::ALL.into_iter().enumerate() {
        let results: Vec<&TaskResult> = judged.iter().map(|result| &result[index]).collect();
        evaluation
            .shoppers
            .insert(task.name(), results[0].lists.len());
        add_task(&mut evaluation, task, held_out, scorers, &results, settings);
    }
    Ok(evaluation)
}

/// What one scorer did in every task, in the order of [`Task::ALL`].
type Results = [TaskResult; Task::ALL.len()];

/// Scores every held-out shopper by every scorer and ranks the targets of every task.
fn judge(
    held_out: &HeldOut,
    scorers: &[&dyn Scorer],
    k: usize,
) -> Result<Vec<Results>, RecommenderError> {
    let batches = held_out.shoppers.par_chunks(BATCH);
    let batches = batches.map(|shoppers| judge_batch(held_out, scorers, shoppers, k));
    let batches: Vec<Vec<Vec<_>>> = batches.collect::<Result<_, RecommenderError>>()?;
    let mut results: Vec<Results> = scorers.iter().map(|_| Results::default()).collect();
    for batch in batches {
        for (results, shoppers) in results.iter_mut().zip(batch) {
            for judged in shoppers {
                add(results, judged);
            }
        }
    }
    Ok(results)
}

/// Makes scorers of one name, such as one model under several seeds, one row: the mean of their metrics, shopper by
/// shopper, and the lists of the first.
fn join_namesakes<'a>(
    scorers: &[(&'a dyn Scorer, RowKind)],
    judged: Vec<Results>,
) -> (Vec<(&'a dyn Scorer, RowKind)>, Vec<Results>) {
    let mut joined: Vec<(&dyn Scorer, RowKind)> = Vec::new();
    let mut sums: Vec<(f64, Results)> = Vec::new();
    for ((scorer, kind), results) in scorers.iter().zip(judged) {
        let known = joined
            .iter()
            .position(|(other, _)| other.name() == scorer.name());
        let Some(place) = known else {
            joined.push((*scorer, *kind));
            sums.push((1.0, results));
            continue;
        };
        let (count, sum) = &mut sums[place];
        *count += 1.0;
        for (sum, result) in sum.iter_mut().zip(results) {
            for (sums, values) in sum.metrics.iter_mut().zip(result.metrics) {
                for (sum, value) in sums.iter_mut().zip(values) {
                    *sum += value;
                }
            }
        }
    }
    let means = sums.into_iter().map(|(count, mut results)| {
        let columns = results.iter_mut().flat_map(|result| &mut result.metrics);
        for value in columns.flatten() {
            *value /= count;
        }
        results
    });
    (joined, means.collect())
}

/// Judges some shoppers: scorer × shopper.
fn judge_batch(
    held_out: &HeldOut,
    scorers: &[&dyn Scorer],
    shoppers: &[HeldOutShopper],
    k: usize,
) -> Result<Vec<Vec<[Judged; Task::ALL.len()]>>, RecommenderError> {
    let histories: Vec<_> = shoppers.iter().map(|s| held_out.history(s)).collect();
    let mut known = KnownScores::default();
    scorers
        .iter()
        .map(|scorer| {
            let scores = known.of(*scorer, &histories, held_out.now_s)?;
            let items = held_out.candidates.len();
            check_scores(scorer.name(), &scores, histories.len(), items)?;
            let pairs = shoppers.iter().zip(scores.iter());
            Ok(pairs
                .map(|(shopper, scores)| judge_shopper(held_out, shopper, scores, k))
                .collect())
        })
        .collect()
}

/// Adds what one shopper says of a scorer.
fn add(results: &mut Results, judged: [Judged; Task::ALL.len()]) {
    for (result, judged) in results.iter_mut().zip(judged) {
        let Some((metrics, list)) = judged else {
            continue;
        };
        for (column, value) in result.metrics.iter_mut().zip(metrics) {
            column.push(value);
        }
        result.lists.push(list);
    }
}

type Judged = Option<([f64; PER_SHOPPER], Vec<u32>)>;

/// The metrics and the list of one shopper in every task, nothing where a task has no target.
fn judge_shopper(
    held_out: &HeldOut,
    shopper: &HeldOutShopper,
    scores: &[f32],
    k: usize,
) -> [Judged; Task::ALL.len()] {
    let bought = bought(held_out.history(shopper));
    Task::ALL.map(|task| {
        let targets = shopper.targets(task);
        if targets.is_empty() {
            return None;
        }
        let mask = task.mask(&held_out.candidates, &bought);
        let ranks = ranks_of(scores, &mask, &targets);
        let metrics = [
            hit_rate(&ranks, k),
            ndcg(&ranks, k),
            recall(&ranks, k),
            reciprocal_rank(&ranks, usize::MAX - 1),
        ];
        Some((metrics, top_k(scores, &mask, k)))
    })
}

/// Adds the rows of one task and the difference of its default from the best baseline.
fn add_task(
    evaluation: &mut Evaluation,
    task: Task,
    held_out: &HeldOut,
    scorers: &[(&dyn Scorer, RowKind)],
    results: &[&TaskResult],
    settings: &EvaluateSettings,
) {
    let columns: Vec<&[f64]> = results
        .iter()
        .flat_map(|result| result.metrics.iter().map(Vec::as_slice))
        .collect();
    let values: Vec<f64> = columns.iter().map(|column| mean(column)).collect();
    let means = resampled_means(&columns, settings.resamples, settings.seed);
    let resampled = |column: usize| means.iter().map(|mean| mean[column]).collect();
    let purchases = purchase_counts(held_out);
    for (place, ((scorer, kind), result)) in scorers.iter().zip(results).enumerate() {
        let names = names(settings.k).into_iter().enumerate();
        let of_shoppers = names.map(|(metric, name)| {
            let column = place * PER_SHOPPER + metric;
            (name, estimate(values[column], resampled(column)))
        });
        let of_lists = [
            ("coverage", coverage(&result.lists, &held_out.candidates)),
            ("novelty", novelty(&result.lists, &purchases)),
            ("gini", gini(&result.lists, &held_out.candidates)),
        ];
        let of_lists = of_lists.map(|(name, value)| {
            let name = format!("{name}@{}", settings.k);
            (name, estimate(value, Vec::new()))
        });
        evaluation.table.rows.push(Row {
            task: task.name().to_owned(),
            model: scorer.name().to_owned(),
            kind: *kind,
            default: settings
                .defaults
                .get(&task)
                .is_some_and(|name| name == scorer.name()),
            metrics: of_shoppers.chain(of_lists).collect(),
        });
    }
    let difference = difference(
        &evaluation.table,
        task,
        scorers,
        &values,
        &means,
        settings.k,
    );
    evaluation.differences.extend(difference);
}

/// The default model of a task against the best other baseline, by NDCG on the same resampled shoppers.
fn difference(
    table: &EvaluationTable,
    task: Task,
    scorers: &[(&dyn Scorer, RowKind)],
    values: &[f64],
    means: &[Vec<f64>],
    k: usize,
) -> Option<Difference> {
    let metric = &names(k)[NDCG];
    let mut of_task = table.rows.iter().filter(|row| row.task == task.name());
    let default = of_task.find(|row| row.default)?;
    let baseline = table.best_where(task, metric, |row| {
        row.kind == RowKind::Baseline && !row.default
    })?;
    let column = |row: &Row| {
        let named = |(scorer, _): &(&dyn Scorer, RowKind)| scorer.name() == row.model;
        Some(scorers.iter().position(named)? * PER_SHOPPER + NDCG)
    };
    let (a, b) = (column(default)?, column(baseline)?);
    let paired = means.iter().map(|mean| mean[a] - mean[b]).collect();
    Some(Difference {
        task: task.name().to_owned(),
        metric: metric.clone(),
        model: default.model.clone(),
        baseline: baseline.model.clone(),
        difference: estimate(values[a] - values[b], paired),
    })
}

fn names(k: usize) -> [String; PER_SHOPPER] {
    [
        format!("hr@{k}"),
        format!("ndcg@{k}"),
        format!("recall@{k}"),
        "mrr".to_owned(),
    ]
}

fn mean(column: &[f64]) -> f64 {
    column.iter().sum::<f64>() / column.len().max(1) as f64
}

fn purchase_counts(held_out: &HeldOut) -> Vec<u32> {
    let mut counts = vec![0; held_out.candidates.len()];
    for line in held_out.training.purchases() {
        counts[line.item as usize] += 1;
    }
    counts
}

fn check(
    held_out: &HeldOut,
    scorers: &[(&dyn Scorer, RowKind)],
    settings: &EvaluateSettings,
) -> Result<(), RecommenderError> {
    if held_out.shoppers.is_empty() {
        return Err(RecommenderError::Empty {
            what: "the held-out window",
            remedy: "choose cut dates with orders of returning shoppers between them",
        });
    }
    if settings.k == 0 {
        return Err(RecommenderError::Setting {
            field: "k",
            value: "0".to_owned(),
            expected: "a whole number from 1",
        });
    }
    for task in Task::ALL {
        let name = settings.defaults.get(&task);
        let named = scorers
            .iter()
            .filter(|(scorer, _)| name.is_some_and(|name| name == scorer.name()));
        let count = named.count();
        if count == 0 || (count > 1 && !settings.join_namesakes) {
            return Err(RecommenderError::Default {
                task: task.name(),
                name: name.map_or("none", String::as_str).to_owned(),
            });
        }
    }
    Ok(())
}

fn check_scores(
    name: &str,
    scores: &[Vec<f32>],
    histories: usize,
    items: usize,
) -> Result<(), RecommenderError> {
    let wrong = |found: String, expected: String| {
        Err(RecommenderError::Scores {
            name: name.to_owned(),
            found,
            expected,
        })
    };
    if scores.len() != histories {
        return wrong(
            format!("{} rows", scores.len()),
            format!("one for each of {histories} histories"),
        );
    }
    for row in scores {
        if row.len() != items {
            return wrong(
                format!("a row of {} scores", row.len()),
                format!("one for each of {items} items"),
            );
        }
        if let Some(item) = row.iter().position(|score| score.is_nan()) {
            return wrong(format!("NaN for item {item}"), "a number".to_owned());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{buy, corpus_of};
    use crate::{Interaction, OwnRepeats, Popular, TimeSplit};

    /// Scores written by hand; one row serves every history.
    struct Fixed(&'static str, Vec<f32>);

    impl Scorer for Fixed {
        fn name(&self) -> &'static str {
            self.0
        }

        fn scores(
            &self,
            histories: &[&[Interaction]],
            _now_s: i64,
        ) -> Result<Vec<Vec<f32>>, RecommenderError> {
            Ok(vec![self.1.clone(); histories.len()])
        }
    }

    /// Shopper 0 bought 0 and then 0 and 2, shopper 1 bought 1 and then 3; nobody knows item 4 before the cut.
    fn held_out() -> HeldOut {
        let corpus = corpus_of(
            5,
            vec![
                vec![buy(0, 10, None), buy(0, 110, None), buy(2, 110, None)],
                vec![buy(1, 20, None), buy(3, 120, None), buy(4, 120, None)],
                vec![buy(2, 30, None), buy(3, 31, None)],
                vec![buy(2, 130, None)],
            ],
        );
        let split = TimeSplit {
            validation_start_s: 50,
            test_start_s: 100,
            end_s: 200,
        };
        split.test(&corpus)
    }

    fn settings(k: usize, default: &str) -> EvaluateSettings {
        EvaluateSettings {
            k,
            resamples: 50,
            ..EvaluateSettings::with_default(default)
        }
    }

    #[test]
    fn figures_equal_those_by_hand() {
        let fixed = Fixed("fixed", vec![0.5, 0.4, 0.3, 0.2, 0.9]);
        let popular = Popular::all_time(&held_out().training);
        let scorers: [(&dyn Scorer, RowKind); 2] =
            [(&fixed, RowKind::Model), (&popular, RowKind::Baseline)];
        let found = evaluate("shop", "test", &held_out(), &scorers, &settings(2, "fixed"))
            .expect("evaluates");
        assert_eq!((found.cold, found.unsold_targets), (1, 1));
        let counts: Vec<_> = found.shoppers.into_iter().collect();
        assert_eq!(counts, [("all", 2), ("new-items", 2), ("repeats", 1)]);
        let figure = |task: &str, metric: &str| {
            let rows = &found.table.rows;
            let row = rows
                .iter()
                .find(|row| row.task == task && row.model == "fixed");
            row.expect("a row").metrics[metric].value
        };
        // New items: shopper 0 may be shown 1, 2, 3 and wants 2 (rank 2); shopper 1 may be shown 0, 2, 3 and wants 3 (rank 3).
        assert!((figure("new-items", "hr@2") - 0.5).abs() < 1e-12);
        assert!((figure("new-items", "ndcg@2") - 0.5 / 3f64.log2()).abs() < 1e-12);
        assert!((figure("new-items", "mrr") - 5.0 / 12.0).abs() < 1e-12);
        // Their lists are 1, 2 and 0, 2: three of four candidates.
        assert!((figure("new-items", "coverage@2") - 0.75).abs() < 1e-12);
        // Repeats: shopper 0 alone, whose one candidate is the target.
        assert!((figure("repeats", "ndcg@2") - 1.0).abs() < 1e-12);
        // All: shopper 0 wants 0 and 2 at ranks 1 and 3, shopper 1 wants 3 at rank 4.
        assert!((figure("all", "recall@2") - 0.25).abs() < 1e-12);
        let ideal = 1.0 + 1.0 / 3f64.log2();
        assert!((figure("all", "ndcg@2") - 0.5 / ideal).abs() < 1e-12);
    }

    #[test]
    fn each_task_has_one_default_and_its_difference() {
        let held_out = held_out();
        let popular = Popular::all_time(&held_out.training);
        let repeats = OwnRepeats::fit(&held_out.training, 30.0).expect("valid");
        let scorers: [(&dyn Scorer, RowKind); 2] =
            [(&popular, RowKind::Baseline), (&repeats, RowKind::Baseline)];
        let mut settings = settings(1, "popular");
        settings
            .defaults
            .insert(Task::Repeats, "own-repeats".to_owned());
        let run = || evaluate("shop", "test", &held_out, &scorers, &settings).expect("evaluates");
        let found = run();
        for task in Task::ALL {
            let rows = found
                .table
                .rows
                .iter()
                .filter(|row| row.task == task.name());
            assert_eq!(rows.filter(|row| row.default).count(), 1);
        }
        let compared: Vec<_> = found
            .differences
            .iter()
            .map(|d| (d.task.as_str(), d.model.as_str(), d.baseline.as_str()))
            .collect();
        assert_eq!(
            compared,
            [
                ("new-items", "popular", "own-repeats"),
                ("repeats", "own-repeats", "popular"),
                ("all", "popular", "own-repeats")
            ]
        );
        let one_thread = rayon::ThreadPoolBuilder::new().num_threads(1).build();
        assert_eq!(one_thread.expect("a pool").install(run), found);
    }

    #[test]
    fn wrong_input_is_named() {
        let held_out = held_out();
        let good = Fixed("good", vec![0.0; 5]);
        let short = Fixed("short", vec![0.0; 4]);
        let nan = Fixed("nan", vec![0.0, f32::NAN, 0.0, 0.0, 0.0]);
        for (scorer, default, message) in [
            (
                &good,
                "best",
                "task new-items has no evaluated model named best; name one of the scorers as its default",
            ),
            (
                &short,
                "short",
                "scorer short returned a row of 4 scores where one for each of 5 items was expected; check its `scores` function",
            ),
            (
                &nan,
                "nan",
                "scorer nan returned NaN for item 1 where a number was expected; check its `scores` function",
            ),
        ] {
            let scorers: [(&dyn Scorer, RowKind); 1] = [(scorer, RowKind::Baseline)];
            let error = evaluate("shop", "test", &held_out, &scorers, &settings(1, default))
                .expect_err("bad");
            assert_eq!(error.to_string(), message);
        }
        let mut nobody = held_out.clone();
        nobody.shoppers.clear();
        let scorers: [(&dyn Scorer, RowKind); 1] = [(&good, RowKind::Baseline)];
        assert!(evaluate("shop", "test", &nobody, &scorers, &settings(1, "good")).is_err());
        assert!(evaluate("shop", "test", &held_out, &scorers, &settings(0, "good")).is_err());
    }
}
