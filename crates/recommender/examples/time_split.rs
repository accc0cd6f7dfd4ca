//! Which model knows best what shoppers buy next? A comparison on your own orders, split by time.
//!
//! Write the orders as one line a product, tab-separated, `user  item  title  order  at_s` and, if you like, a sixth column
//! with the price:
//!
//! ```text
//! 17850   85123A  WHITE HANGING HEART T-LIGHT HOLDER  536365  1291191960  2.95
//! ```
//!
//! then name the file and three dates in Unix seconds: where validation starts, where the test starts, where it ends.
//!
//! ```text
//! cargo run --release -p recommender --example time_split -- orders.tsv 1312156800 1317427200 1323475200 model/
//! ```
//!
//! The last argument is optional: a folder in which the user model is trained, or resumed where it was interrupted. Without
//! it the comparison is among the baselines and takes minutes.
//!
//! Settings are tuned on the validation window by models that saw only what came before it; the table is made on the test
//! window by models that saw only what came before that.

use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use events::Pseudonym;
use recommender::user_model::{
    Done, Progress, Training, TrainingRecord, UserModel, UserModelConfig, VALIDATION_NDCG, train,
};
use recommender::{
    BaselineSettings, Blend, BlendSettings, Component, Corpus, EvaluateSettings, Evaluation,
    HeldOut, Interaction, InteractionKind, Item, RowKind, ScoreScale, Scorer, Sequence, Task,
    TimeSplit, evaluate,
};

type Outcome<T> = Result<T, Box<dyn Error>>;

#[allow(clippy::print_stdout, reason = "an example reports to its terminal")]
fn main() -> Outcome<()> {
    let (path, split, folder) = arguments()?;

    // First the shop: items by index, each shopper's lines in time order.
    let corpus = read_orders(&std::fs::read_to_string(path)?)?;
    corpus.check()?;
    let (shoppers, items) = (corpus.sequences.len(), corpus.items.len());
    println!("{shoppers} shoppers, {items} items");

    // Then the settings of each baseline, chosen by the task it is made for, on the validation window alone. The user
    // model is trained on what came before that window and stops when it no longer gets better on it.
    let validation = split.validation(&corpus);
    let choices = BaselineSettings::tune(&validation, &mut |name, settings, value| {
        println!("{name} {settings:?}: {value:.4}");
    })?;
    println!("chosen on validation: {choices:?}");
    let test_folder = folder.as_ref().map(|folder| folder.join("test"));
    let folder = folder.map(|folder| folder.join("validation"));
    let folder = folder.as_deref();
    let mut config = UserModelConfig::default();
    if let Some(folder) = folder {
        let record = train_user_model(&validation.training, Some(&validation), &config, folder)?;
        config.epochs = record.best_epoch.map_or(config.epochs, |epoch| epoch + 1);
    }

    // A blend learns there too: how much to listen to each of them when guessing something new, and when guessing what
    // is bought again.
    let before_validation = fit(&choices, &validation.training, folder)?;
    let learn = |task| {
        let settings = BlendSettings {
            task,
            ..BlendSettings::default()
        };
        Blend::learn(&[(&validation, &before_validation)], &settings)
    };
    let blends = [
        ("blend-new-items", learn(Task::NewItems)?),
        ("blend-repeats", learn(Task::Repeats)?),
    ];

    // Which of them serves a task by default is the last choice that validation makes.
    let tried = compare(
        &validation,
        "validation",
        &before_validation,
        &blends,
        &BTreeMap::new(),
    )?;
    let defaults = best_of_each_task(&tried)?;

    // At last the table: everything is fitted anew up to the test window under the settings found before, the user
    // model for as many epochs as were best.
    let held_out = split.test(&corpus);
    if let Some(folder) = &test_folder {
        train_user_model(&held_out.training, None, &config, folder)?;
    }
    let before_test = fit(&choices, &held_out.training, test_folder.as_deref())?;
    let evaluation = compare(&held_out, "test", &before_test, &blends, &defaults)?;
    println!("{}", evaluation.table);
    for difference in &evaluation.differences {
        println!("{difference}");
    }
    let Evaluation {
        shoppers,
        cold,
        unsold_targets,
        ..
    } = evaluation;
    println!("shoppers {shoppers:?}, cold {cold}, targets never sold before {unsold_targets}");
    Ok(())
}

/// The file of orders, the dates, and the folder of the user model where there is one.
fn arguments() -> Outcome<(String, TimeSplit, Option<PathBuf>)> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, validation, test, end, folder @ ..] = arguments.as_slice() else {
        return Err("usage: time_split FILE VALIDATION_START TEST_START END [MODEL_FOLDER]".into());
    };
    let split = TimeSplit {
        validation_start_s: validation.parse()?,
        test_start_s: test.parse()?,
        end_s: end.parse()?,
    };
    split.check()?;
    Ok((path.clone(), split, folder.first().map(PathBuf::from)))
}

/// The name of the best model of each task.
fn best_of_each_task(evaluation: &Evaluation) -> Outcome<BTreeMap<Task, String>> {
    let name = |task| {
        let best = evaluation.table.best(task, "ndcg@10");
        Ok((task, best.ok_or("nothing to choose from")?.model.clone()))
    };
    Task::ALL.into_iter().map(name).collect()
}

/// The table of all components and blends in a window; popularity is the default where none is named.
fn compare(
    window: &HeldOut,
    split: &str,
    components: &[Component],
    blends: &[(&str, Vec<f32>)],
    defaults: &BTreeMap<Task, String>,
) -> Outcome<Evaluation> {
    let blends = blends
        .iter()
        .map(|(name, weights)| Blend::new(name, components.to_vec(), weights.clone()))
        .collect::<Result<Vec<_>, _>>()?;
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
    let mut settings = EvaluateSettings::with_default("popular");
    settings.defaults.extend(defaults.clone());
    Ok(evaluate("orders", split, window, &scorers, &settings)?)
}

/// Trains the user model, or goes on where a former call stopped, and says how it is going.
#[allow(clippy::print_stdout, reason = "an example reports to its terminal")]
fn train_user_model(
    training: &Corpus,
    validation: Option<&HeldOut>,
    config: &UserModelConfig,
    folder: &Path,
) -> Outcome<TrainingRecord> {
    let mut tell = |progress: &Progress| {
        if let Done::Epoch(record) = &progress.done
            && let Some(ndcg) = record.validation.get(VALIDATION_NDCG)
        {
            println!("user model, epoch {}: NDCG@10 {ndcg:.4}", record.epoch);
        }
        ControlFlow::Continue(())
    };
    match train(training, validation, config, folder, &mut tell)? {
        Training::Finished(_, record) | Training::Paused(record) => Ok(record),
    }
}

/// The baselines, and the user model where there is one, with what came before a cut.
fn fit(
    settings: &BaselineSettings,
    training: &Corpus,
    folder: Option<&Path>,
) -> Outcome<Vec<Component>> {
    let mut components = settings.fit(training)?;
    if let Some(folder) = folder {
        components.push(Component {
            scorer: Arc::new(UserModel::load(folder, training)?),
            scale: ScoreScale::Logit,
        });
    }
    Ok(components)
}

/// Reads the lines of a shop; bands are the tenths of the catalogue's prices.
fn read_orders(text: &str) -> Outcome<Corpus> {
    let mut corpus = Corpus::default();
    let mut item_index = HashMap::new();
    let mut order_index = HashMap::new();
    let mut prices = Vec::new();
    let mut shoppers: BTreeMap<&str, Vec<Interaction>> = BTreeMap::new();
    for (number, line) in (1..).zip(text.lines()) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [user, item, title, order, at_s, price @ ..] = fields.as_slice() else {
            return Err(format!("line {number}: fewer than five columns").into());
        };
        let item = *item_index.entry(*item).or_insert_with(|| {
            corpus.items.push(Item {
                id: (*item).to_owned(),
                title: (*title).to_owned(),
                ..Item::default()
            });
            prices.push(price.first().and_then(|price| price.parse::<f64>().ok()));
            corpus.items.len() as u32 - 1
        });
        let orders = order_index.len() as u32;
        shoppers.entry(user).or_default().push(Interaction {
            item,
            kind: InteractionKind::Purchase,
            at_s: at_s
                .parse()
                .map_err(|_| format!("line {number}: `{at_s}` is no time in seconds"))?,
            order: Some(*order_index.entry(*order).or_insert(orders)),
        });
    }
    let mut ascending: Vec<f64> = prices.iter().flatten().copied().collect();
    ascending.sort_by(f64::total_cmp);
    for (item, price) in corpus.items.iter_mut().zip(prices) {
        item.price_band = price.map(|price| {
            let below = ascending.partition_point(|&other| other < price);
            (below * 10 / ascending.len()) as u8
        });
    }
    for (number, mut interactions) in (0u128..).zip(shoppers.into_values()) {
        interactions.sort_by_key(|interaction| interaction.at_s);
        corpus.sequences.push(Sequence {
            user: Pseudonym(number.to_be_bytes()),
            interactions,
        });
    }
    Ok(corpus)
}
