//! The published leave-one-out comparison: public item sequences, several seeds, all items ranked.

mod files;
mod published;
mod report;
mod settings;

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use datasets::SequenceSet;
use events::Pseudonym;
use recommender::user_model::{self, EncoderKind, Training, UserModel, UserModelConfig};
use recommender::{
    Blend, BlendSettings, ColdStart, ColdStartSettings, Component, Corpus, CountModel,
    CountModelSettings, EvaluateSettings, HeldOut, Interaction, InteractionKind, Item, ItemKnn,
    ItemKnnSettings, LeaveOneOut, Popular, Row, RowKind, ScoreScale, Scorer, Sequence, Task,
    evaluate,
};

pub use files::{SequenceDataset, read_files};
pub(crate) use files::{find, read_text};
pub use report::{SequenceFit, SequenceReport};
pub(crate) use settings::laid_over;
pub use settings::sequence_settings;

use crate::error::{EngineError, Result};
use crate::train::TrainProgress;

/// Length of the judged lists.
const LIST: usize = 10;
/// The task's name in the table.
const TASK: &str = "next-item";
/// A half-life that forgets nothing of a sequence without a clock.
const ALL_TIME_DAYS: f64 = 1e9;

/// What [`evaluate_sequences`] is asked for.
#[derive(Debug, Clone)]
pub struct SequenceRequest {
    /// The name under which figures were published, or any other.
    pub dataset: String,
    /// The encoders to compare.
    pub encoders: Vec<EncoderKind>,
    /// Settings of the user model but for encoder and seed; the first seed is theirs.
    pub settings: UserModelConfig,
    /// How often each encoder is trained, with one seed after the other.
    pub seeds: u64,
    /// Resamples of the bootstrap.
    pub resamples: usize,
}

/// Judges the count models, the user model under several seeds and their blends by leave-one-out, and puts the
/// published figures beside them.
///
/// Everything is chosen and learnt on the validation targets, the models know nothing of a shopper's last two items, and
/// the test is asked once. Models are kept in `folder`; a run that was stopped goes on there.
///
/// # Errors
/// [`EngineError::NotReady`] where no sequence has three items, and those of training.
pub fn evaluate_sequences(
    set: &SequenceSet,
    request: &SequenceRequest,
    folder: &Path,
    progress: &mut dyn FnMut(&TrainProgress<'_>),
) -> Result<SequenceReport> {
    let split = LeaveOneOut::new(corpus_of(set));
    let (validation, test) = (split.validation(), split.test());
    if test.shoppers.is_empty() {
        return Err(EngineError::NotReady {
            missing: "no sequence has the three items that leave-one-out needs".to_owned(),
            remedy: "name a file of longer sequences".to_owned(),
        });
    }
    progress(&TrainProgress::Stage("counting"));
    let mut fits = Vec::new();
    let baselines = baselines(&validation, &mut fits, progress)?;
    let mut models: Vec<(String, Vec<Component>)> = Vec::new();
    for encoder in &request.encoders {
        let mut seeds = Vec::new();
        for seed in 0..request.seeds {
            let settings = UserModelConfig {
                encoder: *encoder,
                seed: request.settings.seed + seed,
                ..request.settings.clone()
            };
            let (model, fit) = user_model(&validation, &settings, folder, progress)?;
            seeds.push(Component {
                scorer: Arc::new(Named(fit.model.clone(), model)),
                scale: ScoreScale::Logit,
            });
            fits.push(fit);
        }
        models.push((name_of(*encoder), seeds));
    }
    progress(&TrainProgress::Stage("blending"));
    let mut blends = Vec::new();
    for (name, seeds) in &models {
        for seed in seeds {
            let parts = [&baselines[..], std::slice::from_ref(seed)].concat();
            blends.push(blend(&format!("{name} + counts"), parts, &validation)?);
        }
        if seeds.len() > 1 {
            let parts = [&baselines[..], seeds].concat();
            let name = format!("{name} × {} + counts", seeds.len());
            blends.push(blend(&name, parts, &validation)?);
        }
    }
    progress(&TrainProgress::Stage("ranking all items"));
    let mut scorers: Vec<(&dyn Scorer, RowKind)> = Vec::new();
    let single = |component: &'_ Component| Arc::clone(&component.scorer);
    let counts: Vec<Arc<dyn Scorer>> = baselines.iter().map(single).collect();
    let learnt: Vec<Arc<dyn Scorer>> = models.iter().flat_map(|m| &m.1).map(single).collect();
    scorers.extend(counts.iter().map(|s| (s.as_ref(), RowKind::Baseline)));
    scorers.extend(learnt.iter().map(|s| (s.as_ref(), RowKind::Model)));
    scorers.extend(blends.iter().map(|b| (b as &dyn Scorer, RowKind::Model)));
    let default = blends.last().map_or("popular", |blend| blend.name());
    let settings = EvaluateSettings {
        resamples: request.resamples,
        k: LIST,
        join_namesakes: true,
        ..EvaluateSettings::with_default(default)
    };
    let judged = evaluate(&request.dataset, "test", &test, &scorers, &settings)?;
    let mut rows = published::rows(&request.dataset);
    let found = judged.table.rows.into_iter();
    let found = found.filter(|row| row.task == Task::NewItems.name());
    rows.extend(found.map(|row| Row {
        task: TASK.to_owned(),
        default: false,
        ..row
    }));
    Ok(report(set, request, rows, fits, test.shoppers.len()))
}

fn report(
    set: &SequenceSet,
    request: &SequenceRequest,
    rows: Vec<Row>,
    fits: Vec<SequenceFit>,
    shoppers: usize,
) -> SequenceReport {
    SequenceReport {
        dataset: request.dataset.clone(),
        shoppers,
        items: set.items.len(),
        interactions: set.sequences.iter().map(|s| s.items.len()).sum(),
        undescribed: set.undescribed,
        seeds: request.seeds,
        settings: request.settings.clone(),
        rows,
        fits,
    }
}

/// Events of a new shopper after which the next one is asked for.
const FIRST_EVENTS: [usize; 4] = [0, 1, 2, 5];
/// Least share of items whose own vector is hidden while learning for products without history.
const HIDDEN_ITEMS: f64 = 0.2;

/// Trains one user model without a tenth of the shoppers and a twentieth of the items, and judges it on these.
///
/// A new shopper is asked for what comes after the first 0, 1, 2 and 5 interactions, a new item is told from the other
/// new ones. Baselines are popularity and the count model, which know nothing of a new item.
///
/// # Errors
/// [`EngineError::NotReady`] where the set is too small for any of it, and those of training.
pub fn evaluate_cold_start(
    set: &SequenceSet,
    request: &SequenceRequest,
    folder: &Path,
    progress: &mut dyn FnMut(&TrainProgress<'_>),
) -> Result<SequenceReport> {
    let cold = ColdStart::new(corpus_of(set), &ColdStartSettings::default());
    let validation = cold.training().validation();
    if validation.shoppers.is_empty() {
        return Err(EngineError::NotReady {
            missing: "too few sequences are left without a tenth of the shoppers".to_owned(),
            remedy: "name a larger file of sequences".to_owned(),
        });
    }
    let encoder = request.encoders.first().copied();
    let settings = UserModelConfig {
        encoder: encoder.unwrap_or(request.settings.encoder),
        item_dropout: request.settings.item_dropout.max(HIDDEN_ITEMS),
        ..request.settings.clone()
    };
    let folder = folder.join("cold-start");
    let (model, fit) = user_model(&validation, &settings, &folder, progress)?;
    progress(&TrainProgress::Stage("meeting new shoppers and items"));
    let training = &validation.training;
    let popular = Popular::all_time(training);
    let counts = CountModel::fit(training, CountModelSettings::default())?;
    let scorers: [(&dyn Scorer, RowKind); 3] = [
        (&popular, RowKind::Baseline),
        (&counts, RowKind::Baseline),
        (&model, RowKind::Model),
    ];
    let windows = FIRST_EVENTS.map(|events| {
        let task = format!("new shopper, {events} events");
        (task, cold.new_shoppers(training, events))
    });
    let windows = windows
        .into_iter()
        .chain([("new item".to_owned(), cold.new_items(training))]);
    let mut rows = Vec::new();
    for (task, window) in windows.filter(|(_, window)| !window.shoppers.is_empty()) {
        let settings = EvaluateSettings {
            resamples: request.resamples,
            k: LIST,
            ..EvaluateSettings::with_default(model.name())
        };
        let judged = evaluate(&request.dataset, "cold start", &window, &scorers, &settings)?;
        let found = judged.table.rows.into_iter();
        let found = found.filter(|row| row.task == Task::NewItems.name());
        rows.extend(found.map(|row| Row {
            task: task.clone(),
            model: format!("{task}: {}", row.model),
            default: false,
            ..row
        }));
    }
    Ok(report(
        set,
        request,
        rows,
        vec![fit],
        cold.new_shopper_count(),
    ))
}

/// A user model under a name that tells it from others.
pub(crate) struct Named(pub(crate) String, pub(crate) UserModel);

impl Scorer for Named {
    fn name(&self) -> &str {
        &self.0
    }

    fn scores(
        &self,
        histories: &[&[Interaction]],
        now_s: i64,
    ) -> std::result::Result<Vec<Vec<f32>>, recommender::RecommenderError> {
        self.1.scores(histories, now_s)
    }
}

fn name_of(encoder: EncoderKind) -> String {
    format!("user-model, {encoder}")
}

pub(crate) fn corpus_of(set: &SequenceSet) -> Corpus {
    let mut corpus = Corpus::default();
    let mut categories = std::collections::HashMap::new();
    for item in &set.items {
        let category = item.category.as_ref().map(|name| {
            *categories.entry(name.as_str()).or_insert_with(|| {
                corpus.categories.push(name.clone());
                corpus.categories.len() as u32 - 1
            })
        });
        corpus.items.push(Item {
            id: item.id.clone(),
            title: item.title.clone(),
            category,
            ..Item::default()
        });
    }
    for (number, sequence) in (0u128..).zip(&set.sequences) {
        let interaction = |item: &u32| Interaction {
            item: *item,
            kind: InteractionKind::Purchase,
            at_s: 0,
            order: None,
        };
        corpus.sequences.push(Sequence {
            user: Pseudonym(number.to_be_bytes()),
            interactions: sequence.items.iter().map(interaction).collect(),
        });
    }
    corpus
}

/// Popularity, cosine and the count model, the last under the settings that validation chose.
fn baselines(
    validation: &HeldOut,
    fits: &mut Vec<SequenceFit>,
    progress: &mut dyn FnMut(&TrainProgress<'_>),
) -> Result<Vec<Component>> {
    let training = &validation.training;
    let chosen = CountModelSettings::tune(validation, &mut |settings, ndcg| {
        progress(&TrainProgress::Trial {
            model: "count-model",
            settings: format!("{settings:?}"),
            ndcg,
        });
    })?;
    let knn = ItemKnnSettings {
        across_baskets: true,
        basket_half_life_days: ALL_TIME_DAYS,
        history_half_life_days: ALL_TIME_DAYS,
        ..ItemKnnSettings::default()
    };
    let popular: Arc<dyn Scorer> = Arc::new(Popular::all_time(training));
    let cosine: Arc<dyn Scorer> = Arc::new(ItemKnn::fit(training, knn)?);
    let start = Instant::now();
    let counts: Arc<dyn Scorer> = Arc::new(CountModel::fit(training, chosen)?);
    fits.push(SequenceFit {
        model: counts.name().to_owned(),
        seconds: start.elapsed().as_secs_f64(),
        ..SequenceFit::default()
    });
    let component = |scorer| Component {
        scorer,
        scale: ScoreScale::Count,
    };
    Ok([popular, cosine, counts].map(component).into())
}

/// Trains one user model, or finds it trained.
fn user_model(
    validation: &HeldOut,
    settings: &UserModelConfig,
    folder: &Path,
    progress: &mut dyn FnMut(&TrainProgress<'_>),
) -> Result<(UserModel, SequenceFit)> {
    let name = name_of(settings.encoder);
    let stage = format!("training {name}, seed {}", settings.seed);
    progress(&TrainProgress::Stage(&stage));
    let folder = folder.join(format!("{}-{}", settings.encoder, settings.seed));
    let mut tell = |step: &nn::Progress| {
        progress(&TrainProgress::Step(step));
        ControlFlow::Continue(())
    };
    let training = &validation.training;
    let start = Instant::now();
    let trained = user_model::train(training, Some(validation), settings, &folder, &mut tell)?;
    let seconds = start.elapsed().as_secs_f64();
    let (model, record) = match trained {
        Training::Finished(model, record) => (*model, record),
        Training::Paused(record) => (UserModel::load(&folder, training)?, record),
    };
    let fit = SequenceFit {
        model: name,
        seed: Some(settings.seed),
        seconds,
        epochs: record.epochs.len(),
        best_epoch: record.best_epoch,
        parameters: Some(model.parameter_count()),
    };
    Ok((model, fit))
}

/// Learns the weights of a blend on the validation targets.
fn blend(name: &str, parts: Vec<Component>, validation: &HeldOut) -> Result<Blend> {
    let settings = BlendSettings {
        negatives: 200,
        ..BlendSettings::default()
    };
    let weights = Blend::learn(&[(validation, &parts)], &settings)?;
    Ok(Blend::new(name, parts, weights)?)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Shoppers who each have eight of twelve items, one after the other.
    pub(crate) fn rounds(shoppers: usize) -> SequenceSet {
        let line = |shopper: usize| {
            let items = (0..8).map(|step| format!(" i{}", (shopper + step) % 12));
            format!("u{shopper}{}\n", items.collect::<String>())
        };
        let text: String = (0..shoppers).map(line).collect();
        SequenceSet::parse(&text, None).expect("lists")
    }

    fn request() -> SequenceRequest {
        SequenceRequest {
            dataset: "rounds".to_owned(),
            encoders: vec![EncoderKind::Transformer, EncoderKind::Mlp],
            settings: UserModelConfig {
                width: 16,
                hidden: 16,
                layers: 1,
                text_buckets: 16,
                epochs: 2,
                ..UserModelConfig::for_sequences()
            },
            seeds: 2,
            resamples: 20,
        }
    }

    #[test]
    fn the_table_has_a_row_a_model_and_is_the_same_again() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let run = || evaluate_sequences(&rounds(40), &request(), folder.path(), &mut |_| {});
        let report = run().expect("evaluates");
        let models: Vec<&str> = report.rows.iter().map(|row| row.model.as_str()).collect();
        assert_eq!(
            models,
            [
                "popular",
                "item-knn",
                "count-model",
                "user-model, transformer",
                "user-model, mlp",
                "user-model, transformer + counts",
                "user-model, transformer × 2 + counts",
                "user-model, mlp + counts",
                "user-model, mlp × 2 + counts",
            ]
        );
        let counts = &report.rows[2].metrics["hr@10"];
        assert!(counts.value > 0.9, "what follows is plain: {counts}");
        assert_eq!(
            (report.shoppers, report.items, report.interactions),
            (40, 12, 320)
        );
        assert!(report.table().contains("| count-model | "));
        let again = run().expect("evaluates");
        assert_eq!(again.rows, report.rows);
    }

    #[test]
    fn new_shoppers_and_items_are_met() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let report = evaluate_cold_start(&rounds(40), &request(), folder.path(), &mut |_| {});
        let report = report.expect("evaluates");
        let rows = report
            .rows
            .iter()
            .filter(|row| row.model.starts_with("new shopper, 2"));
        assert_eq!(rows.count(), 3);
    }

    #[test]
    fn sequences_that_are_too_short_are_refused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let short = SequenceSet::parse("u a b\nv b a\n", None).expect("pairs or lists");
        let error = evaluate_sequences(&short, &request(), folder.path(), &mut |_| {});
        let error = error.expect_err("two items each").to_string();
        assert!(error.contains("three items"), "{error}");
    }
}
