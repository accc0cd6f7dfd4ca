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
//! cargo run --release -p recommender --example time_split -- orders.tsv 1312156800 1317427200 1323475200
//! ```
//!
//! Settings are tuned on the validation window by models that saw only what came before it; the table is made on the test
//! window by models that saw only what came before that.

use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use events::Pseudonym;
use recommender::{
    Blend, BlendSettings, Component, Corpus, EvaluateSettings, HeldOut, ImplicitAls,
    ImplicitAlsSettings, Interaction, InteractionKind, Item, ItemKnn, ItemKnnSettings, Newest,
    OwnRepeats, Popular, RecommenderError, RowKind, ScoreScale, Scorer, Seasonal, Sequence, Task,
    TimeSplit, Transitions, TransitionsSettings, evaluate,
};

type Outcome<T> = Result<T, Box<dyn Error>>;

#[allow(clippy::print_stdout, reason = "an example reports to its terminal")]
fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, validation, test, end] = arguments.as_slice() else {
        return Err("usage: time_split FILE VALIDATION_START TEST_START END".into());
    };
    let split = TimeSplit {
        validation_start_s: validation.parse()?,
        test_start_s: test.parse()?,
        end_s: end.parse()?,
    };
    split.check()?;

    // First the shop: items by index, each shopper's lines in time order.
    let corpus = read_orders(&std::fs::read_to_string(path)?)?;
    corpus.check()?;
    println!(
        "{} shoppers, {} items, {} lines",
        corpus.sequences.len(),
        corpus.items.len(),
        corpus.purchases().count()
    );

    // Then the settings of each baseline, chosen by the task it is made for, on the validation window alone.
    let validation = split.validation(&corpus);
    let choices = Choices::tune(&validation)?;
    println!("chosen on validation: {choices:?}");

    // The blend learns there too: how much to listen to each of them when guessing something new.
    let weights = Blend::learn(
        &[(
            &validation,
            &components(&choices.fit(&validation.training)?),
        )],
        &BlendSettings::default(),
    )?;

    // At last the table: everything is fitted anew up to the test window, under the settings and weights found before.
    let held_out = split.test(&corpus);
    let models = choices.fit(&held_out.training)?;
    let blend = Blend::new("blend", components(&models), weights)?;
    for (name, weight) in blend.weights() {
        println!("weight of {name} in the blend: {weight:.3}");
    }
    let mut scorers: Vec<(&dyn Scorer, RowKind)> = models
        .iter()
        .map(|model| (model.as_ref(), RowKind::Baseline))
        .collect();
    scorers.push((&blend, RowKind::Model));
    let mut settings = EvaluateSettings::with_default("own-repeats");
    settings.defaults.insert(Task::NewItems, "blend".to_owned());
    let evaluation = evaluate(path, "test", &held_out, &scorers, &settings)?;
    println!("{}", evaluation.table);
    for difference in &evaluation.differences {
        println!("{difference}");
    }
    println!(
        "shoppers {:?}, cold {}, targets never sold before {}",
        evaluation.shoppers, evaluation.cold, evaluation.unsold_targets
    );
    Ok(())
}

/// Every baseline as a voice of the blend; all of them count.
fn components(models: &[Arc<dyn Scorer>]) -> Vec<Component> {
    let component = |scorer: &Arc<dyn Scorer>| Component {
        scorer: Arc::clone(scorer),
        scale: ScoreScale::Count,
    };
    models.iter().map(component).collect()
}

/// The settings of the baselines.
#[derive(Debug)]
struct Choices {
    popular_half_life_days: f64,
    repeats_half_life_days: f64,
    item_knn: ItemKnnSettings,
    transitions: TransitionsSettings,
    als: ImplicitAlsSettings,
}

impl Choices {
    fn tune(validation: &HeldOut) -> Outcome<Self> {
        let training = &validation.training;
        let popular_half_life_days = best(
            validation,
            Task::NewItems,
            [7.0, 14.0, 30.0, 60.0, 120.0],
            |&days| Popular::recently(training, days),
        )?;
        let repeats_half_life_days = best(
            validation,
            Task::Repeats,
            [30.0, 60.0, 90.0, 180.0, 365.0, f64::INFINITY],
            |&days| OwnRepeats::fit(training, days),
        )?;
        let item_knn = best(validation, Task::NewItems, knn_grid(), |&settings| {
            ItemKnn::fit(training, settings)
        })?;
        let transitions = best(validation, Task::NewItems, transition_grid(), |&settings| {
            Transitions::fit(training, settings)
        })?;
        let als = best(validation, Task::NewItems, als_grid(), |&settings| {
            ImplicitAls::fit(training, settings)
        })?;
        Ok(Self {
            popular_half_life_days,
            repeats_half_life_days,
            item_knn,
            transitions,
            als,
        })
    }

    fn fit(&self, training: &Corpus) -> Result<Vec<Arc<dyn Scorer>>, RecommenderError> {
        Ok(vec![
            Arc::new(Popular::all_time(training)),
            Arc::new(Popular::recently(training, self.popular_half_life_days)?),
            Arc::new(Seasonal::fit(training, 45)),
            Arc::new(Newest::fit(training)),
            Arc::new(OwnRepeats::fit(training, self.repeats_half_life_days)?),
            Arc::new(ItemKnn::fit(training, self.item_knn)?),
            Arc::new(Transitions::fit(training, self.transitions)?),
            Arc::new(ImplicitAls::fit(training, self.als)?),
        ])
    }
}

fn knn_grid() -> Vec<ItemKnnSettings> {
    let mut grid = Vec::new();
    for across_baskets in [true, false] {
        for basket_half_life_days in [20.0, 60.0, f64::INFINITY] {
            for history_half_life_days in [30.0, f64::INFINITY] {
                for neighbours in [200, 1000] {
                    grid.push(ItemKnnSettings {
                        neighbours,
                        across_baskets,
                        basket_half_life_days,
                        history_half_life_days,
                    });
                }
            }
        }
    }
    grid
}

fn transition_grid() -> Vec<TransitionsSettings> {
    let mut grid = Vec::new();
    for half_life_days in [30.0, 90.0] {
        for popularity_discount in [0.0, 0.3, 0.5] {
            for order_decay in [0.5, 0.8] {
                grid.push(TransitionsSettings {
                    half_life_days,
                    popularity_discount,
                    order_decay,
                    ..TransitionsSettings::default()
                });
            }
        }
    }
    grid
}

fn als_grid() -> Vec<ImplicitAlsSettings> {
    let mut grid = Vec::new();
    for half_life_days in [22.0, 45.0, 90.0] {
        for regularisation in [10.0, 30.0, 60.0] {
            grid.push(ImplicitAlsSettings {
                regularisation,
                half_life_days,
                ..ImplicitAlsSettings::default()
            });
        }
    }
    grid
}

/// The setting whose scorer has the highest NDCG@10 in a task of the window, the first of equals.
#[allow(clippy::print_stdout, reason = "an example reports to its terminal")]
fn best<T, S: Scorer>(
    window: &HeldOut,
    task: Task,
    grid: impl IntoIterator<Item = T>,
    fit: impl Fn(&T) -> Result<S, RecommenderError>,
) -> Outcome<T>
where
    T: std::fmt::Debug,
{
    let mut best: Option<(f64, T)> = None;
    for setting in grid {
        let started = Instant::now();
        let scorer = fit(&setting)?;
        let settings = EvaluateSettings {
            resamples: 0,
            ..EvaluateSettings::with_default(scorer.name())
        };
        let scorers: [(&dyn Scorer, RowKind); 1] = [(&scorer, RowKind::Baseline)];
        let evaluation = evaluate("", "validation", window, &scorers, &settings)?;
        let row = evaluation.table.best(task, "ndcg@10");
        let value = row.map_or(0.0, |row| row.metrics["ndcg@10"].value);
        let seconds = started.elapsed().as_secs_f64();
        println!("{} {setting:?}: {value:.4}, {seconds:.1} s", scorer.name());
        if best.as_ref().is_none_or(|(highest, _)| value > *highest) {
            best = Some((value, setting));
        }
    }
    Ok(best.ok_or("nothing to choose from")?.1)
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
