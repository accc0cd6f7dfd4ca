//! Trains a native model on a shop's products and prints fifty unselected drafts with their verdicts.
//!
//! ```text
//! cargo run -p copywriter --example native -- products.tsv model-folder
//! ```
//!
//! A line of the file is a product: `id<TAB>title<TAB>description<TAB>category<TAB>brand<TAB>price`, where all but the
//! first two may be empty. The folder keeps the model and its checkpoint: run it again to go on from there. A third
//! argument `free` takes the fence away, to see what the model says by itself.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use copywriter::native::{
    Brief, DecodingConfig, Done, Draft, Drafts, Native, NativeConfig, Progress, Training,
    TrainingTexts, train,
};
use events::{Channel, Currency, Fact, Language, Money, Product, Strategy, Timestamp};
use guard::{Facts, Guard, RulePack, Value};

/// Candidates of each channel, strategy and language.
const CANDIDATES: usize = 24;
/// Drafts that are printed.
const SHOWN: usize = 50;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(products), Some(folder)) = (arguments.next(), arguments.next()) else {
        return Err("give a file of products and a folder for the model".into());
    };
    let products = read_products(&std::fs::read_to_string(products)?);
    let mut out = std::io::stdout().lock();
    let mut model = trained(&products, Path::new(&folder), &mut out)?;
    if arguments.next().as_deref() == Some("free") {
        let decoding = DecodingConfig {
            context: 0,
            ..model.config().decoding
        };
        model = model.with_decoding(decoding)?;
    }
    let guard = Guard::new(RulePack::built_in());
    let started = Instant::now();
    let (mut any, mut about) = (Vec::new(), Vec::new());
    let mut all = Drafts::default();
    let mut turn = 0;
    for language in [Language::En, Language::Zh] {
        for channel in Channel::ALL {
            for strategy in Strategy::ALL {
                let mut brief = Brief {
                    channel,
                    language,
                    strategy,
                    product: None,
                    user_state: None,
                    seed: 7,
                    count: CANDIDATES,
                };
                let drafts = model.write(&brief, &guard)?;
                any.push(judged(&drafts));
                all.extend(drafts);
                brief.product = products.get(turn % products.len().max(1));
                turn += 131;
                about.push(judged(&model.write(&brief, &guard)?));
            }
        }
    }
    writeln!(
        out,
        "{:.1} s for the drafts\n{:#?}",
        started.elapsed().as_secs_f64(),
        all.figures()
    )?;
    writeln!(out, "{}", rendered(&all, &products, &guard))?;
    for (heading, briefs) in [("any product", any), ("one product", about)] {
        writeln!(out, "\n== {heading}")?;
        for text in unselected(&briefs) {
            writeln!(out, "{text}")?;
        }
    }
    Ok(())
}

/// How many of the approved drafts the guard also passes as rendered, each with three products and a full history.
fn rendered(drafts: &Drafts, products: &[Product], guard: &Guard) -> String {
    let date = || Value::Date(Timestamp::UNIX_EPOCH);
    let named = |(name, value): (&str, Value)| (name.to_owned(), value);
    let stats = [
        ("orders_30d", Value::Count(1_087)),
        ("orders_total", Value::Count(12_310)),
        ("first_sold", date()),
        ("rating", Value::Number(4.65)),
    ];
    let stats: BTreeMap<String, Value> = stats.into_iter().map(named).collect();
    let (mut passed, mut refused) = (0, BTreeMap::new());
    for (turn, draft) in drafts.approved.iter().enumerate() {
        for step in 0..3 {
            let at = |stride: usize| &products[(turn * stride + step * 977) % products.len()];
            let user = [
                ("last_bought_title", Value::Text(at(31).title.clone())),
                ("last_bought_at", date()),
                ("times_bought", Value::Count(12)),
                ("usual_gap_days", Value::Count(128)),
                ("last_bought_this_at", date()),
            ];
            let product = with_every_fact(at(17));
            let facts = Facts {
                product: &product,
                stats: &stats,
                user: &user.into_iter().map(named).collect(),
                now: Timestamp::UNIX_EPOCH,
                version: "example",
            };
            match guard.render(&draft.variant, &facts) {
                Ok(_) => passed += 1,
                Err(refusal) => *refused.entry(refusal.reason).or_insert(0) += 1,
            }
        }
    }
    format!("rendered with values: {passed} passed, refused {refused:?}")
}

/// The product with a sale price and a material, so that every text has what it shows.
fn with_every_fact(product: &Product) -> Product {
    let mut product = product.clone();
    let less = |price: Money| Money {
        minor: price.minor * 4 / 5,
        ..price
    };
    product.sale_price = product.price.map(less);
    product
        .brand
        .get_or_insert_with(|| "Retro Works".to_owned());
    let category = &mut product.google_product_category;
    category.get_or_insert_with(|| "Home and garden".to_owned());
    product.facts.push(Fact {
        name: "material".to_owned(),
        value: "cotton".to_owned(),
        source: "example".to_owned(),
        valid_until: None,
    });
    product
}

fn trained(
    products: &[Product],
    folder: &Path,
    out: &mut impl Write,
) -> Result<Native, Box<dyn Error>> {
    let texts = TrainingTexts::from_library()?.with_products(products);
    let started = Instant::now();
    let mut tell = |progress: &Progress| {
        if let Done::Epoch(record) = &progress.done {
            let seconds = started.elapsed().as_secs_f64();
            let (epoch, loss, validation) = (record.epoch, record.train_loss, &record.validation);
            // The curve is a courtesy; a closed pipe does not stop the training.
            let _ = writeln!(
                out,
                "{seconds:.1} s, epoch {epoch}: {loss:.3}, {validation:?}"
            );
        }
        ControlFlow::Continue(())
    };
    match train(&texts, &NativeConfig::default(), folder, &mut tell)? {
        Training::Finished(model, record) => {
            writeln!(
                out,
                "{} parameters, {} tokens in the vocabulary, {} tokens learnt in {} steps",
                record.parameters,
                model.vocabulary_size(),
                record.tokens,
                record.steps
            )?;
            Ok(*model)
        }
        Training::Paused(_) => Err("training was paused".into()),
    }
}

/// Every draft as it is shown here, in the order of sampling likelihood.
fn judged(drafts: &Drafts) -> Vec<String> {
    let approved = drafts.approved.iter().map(|draft| show(draft, "approved"));
    let refused = drafts
        .refused
        .iter()
        .map(|(draft, reason)| show(draft, &reason.to_string()));
    approved.chain(refused).collect()
}

fn show(draft: &Draft, verdict: &str) -> String {
    let fields: Vec<String> = draft
        .variant
        .template
        .fields()
        .map(|(name, text)| format!("    {name}: {text}"))
        .collect();
    format!(
        "{} {:?} {:.2} nats, similarity {:.2}: {verdict}\n{}",
        draft.variant.id,
        draft.evidence,
        draft.mean_log_probability,
        draft.similarity,
        fields.join("\n")
    )
}

/// Fifty drafts, one of each brief in turn, at places that have nothing to do with their quality.
fn unselected(briefs: &[Vec<String>]) -> Vec<&String> {
    let briefs: Vec<&Vec<String>> = briefs.iter().filter(|drafts| !drafts.is_empty()).collect();
    let pick = |turn: usize| {
        let drafts = briefs[turn % briefs.len()];
        &drafts[(turn * 7 + 3) % drafts.len()]
    };
    (0..SHOWN.min(briefs.len() * CANDIDATES))
        .map(pick)
        .collect()
}

fn read_products(text: &str) -> Vec<Product> {
    let optional = |field: Option<&&str>| {
        let text = field.map(|field| field.trim()).unwrap_or_default();
        (!text.is_empty()).then(|| text.to_owned())
    };
    let product = |line: &str| {
        let fields: Vec<&str> = line.split('\t').collect();
        let price = fields
            .get(5)
            .and_then(|price| price.trim().parse::<f64>().ok());
        Product {
            id: fields[0].to_owned(),
            title: optional(fields.get(1)).unwrap_or_default(),
            description: optional(fields.get(2)).unwrap_or_default(),
            google_product_category: optional(fields.get(3)),
            brand: optional(fields.get(4)),
            price: price.map(|price| Money {
                minor: (price * 100.0).round() as i64,
                currency: Currency::GBP,
            }),
            ..Product::default()
        }
    };
    text.lines().map(product).collect()
}
