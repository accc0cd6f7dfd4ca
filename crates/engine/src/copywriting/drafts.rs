//! Drafts for a product of the shop, or for facts that somebody gives.

use std::ops::ControlFlow;
use std::path::Path;

use copywriter::decoder::{Copywriter, Corpus, Fact, Lexicon, Meaning, train};
use events::{Channel, Product, Timestamp};
use guard::{Finding, Grounds, Severity, TextContext};
use nn::inference::Precision;
use nn::{Progress, Training, TrainingRecord};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::corpus::facts;
use super::settings::{CopySettings, DraftSettings};
use super::written;
use crate::config::Config;
use crate::copy_check;
use crate::error::{EngineError, Result};
use crate::store::Store;
use crate::train::ModelFolders;

/// What the model was trained for, beside it.
const SETTINGS: &str = "drafts.json";

/// How a shop's model writes.
#[derive(Serialize, Deserialize)]
struct Saved {
    drafts: DraftSettings,
    lexicon: Lexicon,
}

/// What drafts are asked for.
#[derive(Debug, Clone, Default)]
pub struct DraftRequest {
    /// The product that they are about, by its id in the catalogue.
    pub product: Option<String>,
    /// Facts instead of a product's, or beside them: an object of names and values.
    pub facts: Map<String, Value>,
    /// How they are to be said; see [`copywriter::decoder::Meaning::controls`].
    pub controls: Vec<String>,
    /// Where they are sent.
    pub channel: Option<Channel>,
    /// When they are sent.
    pub now: Timestamp,
    /// Number of drafts.
    pub count: usize,
    /// Seed of the draws.
    pub seed: u64,
}

/// A draft and what the guard says of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CheckedDraft {
    /// The text.
    pub text: String,
    /// Whether it may be sent: no finding is an error.
    pub ok: bool,
    /// log P of the text under the model.
    pub log_probability: f64,
    /// Facts that it leaves out and facts that it adds, as far as they are recognised.
    pub missing: usize,
    /// Facts that it states and that were not given.
    pub added: usize,
    /// What the guard found.
    pub findings: Vec<Finding>,
}

/// Trains the language model of a data directory on a corpus; a run that was interrupted goes on where it stopped.
///
/// # Errors
/// [`EngineError::Copy`] when training fails or a file cannot be written.
pub fn train_writer(
    data_dir: &Path,
    corpus: &Corpus,
    settings: &CopySettings,
    progress: &mut dyn FnMut(&Progress),
) -> Result<TrainingRecord> {
    let folder = ModelFolders::of(data_dir).writer();
    let mut tell = |step: &Progress| {
        progress(step);
        ControlFlow::Continue(())
    };
    let (Training::Finished(_, record) | Training::Paused(record)) =
        train(corpus, &settings.model, &folder, &mut tell)?;
    let saved = Saved {
        drafts: settings.drafts.clone(),
        lexicon: Lexicon::learn(&corpus.train, &corpus.slots),
    };
    nn::write_checked_json(&folder.join(SETTINGS), &saved)?;
    Ok(record)
}

/// Writes drafts with the language model of a data directory and has the guard check each as it stands; the best first,
/// those that must not be sent last.
///
/// # Errors
/// [`EngineError::NotReady`] where there is no model, no such product, or nothing to write about.
pub fn draft(
    data_dir: &Path,
    store: Option<&Store>,
    config: &Config,
    request: &DraftRequest,
) -> Result<Vec<CheckedDraft>> {
    let folder = ModelFolders::of(data_dir).writer();
    if !folder.join(SETTINGS).exists() {
        return Err(EngineError::NotReady {
            missing: "there is no language model of the shop".to_owned(),
            remedy: "train one with `hawker train copywriter --corpus FILE`".to_owned(),
        });
    }
    let saved: Saved = nn::read_checked_json(&folder.join(SETTINGS))?;
    let guard = copy_check::guard(config)?;
    let catalogue = store.map(Store::catalogue).transpose()?.unwrap_or_default();
    let product = match &request.product {
        Some(id) => Some(copy_check::product(&catalogue, id)?),
        None => None,
    };
    let meaning = meaning(product, request)?;
    let grounds = match product {
        Some(product) => guard.ground(product, request.now),
        // What was given is all that is known.
        None => guard.ground(&as_product(&meaning), request.now),
    };
    let model = Copywriter::load(&folder)?;
    let writer = model.writer(Precision::Int8)?;
    let settings = DraftSettings {
        seed: request.seed,
        samples: saved.drafts.samples.max(request.count),
        ..saved.drafts
    };
    let drafts = written::ranked(&writer, &meaning, &settings, &saved.lexicon)?;
    if drafts.is_empty() {
        return Err(EngineError::NotReady {
            missing: "no draft came to an end that names every exact value".to_owned(),
            remedy: "give the facts that the corpus has, or train on more texts".to_owned(),
        });
    }
    let mut checked: Vec<CheckedDraft> = drafts
        .into_iter()
        .map(|draft| {
            let covered = writer.covered(&meaning, &draft);
            let findings = findings(&guard, &draft.text, &grounds, request.channel);
            CheckedDraft {
                ok: !findings
                    .iter()
                    .any(|found| found.severity == Severity::Error),
                log_probability: draft.log_probability,
                missing: covered.missing,
                added: covered.added,
                text: draft.text,
                findings,
            }
        })
        .collect();
    checked.sort_by_key(|draft| !draft.ok);
    checked.truncate(request.count);
    Ok(checked)
}

fn findings(
    guard: &guard::Guard,
    text: &str,
    grounds: &Grounds,
    channel: Option<Channel>,
) -> Vec<Finding> {
    let context = TextContext {
        product: Some(grounds),
        names: None,
        channel,
    };
    guard.check_text(text, &context)
}

/// The facts that a text is to be written from.
fn meaning(product: Option<&Product>, request: &DraftRequest) -> Result<Meaning> {
    let given = facts(&request.facts).map_err(|missing| EngineError::NotReady {
        missing,
        remedy: "give texts, numbers, true or false, or lists of them".to_owned(),
    })?;
    let of_product = product.map(|product| product_facts(product, request.now));
    let mut facts = of_product.unwrap_or_default();
    facts.retain(|fact| !given.iter().any(|other| other.name == fact.name));
    facts.extend(given);
    facts.sort_by(|a, b| a.name.cmp(&b.name));
    if facts.is_empty() {
        return Err(EngineError::NotReady {
            missing: "there is nothing to write about".to_owned(),
            remedy: "name a product with --product or give --facts".to_owned(),
        });
    }
    Ok(Meaning {
        controls: request.controls.clone(),
        facts,
        user_state: None,
    })
}

/// A product's fields and facts under their names on the wire; a fact that has ended is none.
fn product_facts(product: &Product, now: Timestamp) -> Vec<Fact> {
    let money = |money: Option<events::Money>| money.map(|money| money.to_string());
    let fields = [
        ("title", Some(product.title.clone())),
        ("brand", product.brand.clone()),
        (
            "google_product_category",
            product.google_product_category.clone(),
        ),
        ("price", money(product.price)),
        ("sale_price", money(product.sale_price)),
    ];
    let valid = |fact: &&events::Fact| fact.valid_until.is_none_or(|until| until > now);
    let facts = product.facts.iter().filter(valid);
    let facts = facts.map(|fact| Fact::new(&fact.name, &fact.value));
    let fields = fields.into_iter();
    let fields = fields.filter_map(|(name, value)| Some(Fact::new(name, value?)));
    let all = fields.chain(facts);
    all.filter(|fact| !fact.value.trim().is_empty()).collect()
}

/// Facts as a product, for the guard to check texts against.
fn as_product(meaning: &Meaning) -> Product {
    let value = |name: &str| {
        let mut facts = meaning.facts.iter();
        facts
            .find(|fact| fact.name == name)
            .map(|fact| fact.value.clone())
    };
    Product {
        title: value("title").or_else(|| value("name")).unwrap_or_default(),
        brand: value("brand"),
        // Nothing was said of it, so no text may say that it can be had.
        availability: events::Availability::OutOfStock,
        facts: meaning
            .facts
            .iter()
            .map(|fact| events::Fact {
                name: fact.name.clone(),
                value: fact.value.clone(),
                source: "given".to_owned(),
                valid_until: None,
            })
            .collect(),
        ..Product::default()
    }
}
