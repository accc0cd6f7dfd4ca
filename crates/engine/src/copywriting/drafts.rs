//! Drafts for a product of the shop, or for facts that somebody gives, and what is kept of them.

use std::path::Path;

use copywriter::CopyError;
use copywriter::decoder::{Copywriter, Fact, Meaning, PROVIDER as DECODER, Placement};
use copywriter::llm::PassedOver;
use events::{Channel, CopyVariant, Language, Product, Strategy, Timestamp};
use guard::{Finding, Grounds, Guard, Severity, TextContext};
use nn::inference::Precision;
use serde::Serialize;

use super::asked::{DraftProvider, DraftRequest};
use super::corpus::facts;
use super::settings::DraftSettings;
use super::shopper_states::ShopperStates;
use super::writer::{STALE_STATES, Saved};
use super::{providers, writer, written};
use crate::config::Config;
use crate::copy_check;
use crate::error::{EngineError, Result};
use crate::store::{Catalogue, Store};
use crate::variants::{self, Examiner, KeptVariant, Remark};

/// A draft and what the guard says of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CheckedDraft {
    /// The text.
    pub text: String,
    /// Whether it may be sent: no finding is an error.
    pub ok: bool,
    /// log P of the text under the language model that wrote it from facts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_probability: Option<f64>,
    /// Facts that it leaves out, as far as they are recognised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<usize>,
    /// Facts that it states and that were not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub added: Option<usize>,
    /// What the guard found.
    pub findings: Vec<Finding>,
    /// What it is in the store, where it was kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept: Option<KeptVariant>,
    /// Why it was not kept, where it was to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_kept: Option<Remark>,
}

/// What came of a request for drafts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Drafted {
    /// Who wrote; none where nobody had a text.
    pub provider: Option<&'static str>,
    /// The drafts, the best first, those that must not be sent last.
    pub drafts: Vec<CheckedDraft>,
    /// Texts of the same provider that were refused at once.
    pub refused: Vec<Remark>,
    /// The providers that were asked before it, and why they wrote nothing.
    pub passed_over: Vec<PassedProvider>,
}

/// A provider that was asked and wrote nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PassedProvider {
    /// The provider.
    pub provider: &'static str,
    /// Its reasons by their stable names, with how often each occurred.
    pub reasons: std::collections::BTreeMap<String, usize>,
    /// The first reason in words.
    pub detail: String,
}

/// A draft on its way to the store.
pub(super) struct Draft {
    pub(super) checked: CheckedDraft,
    /// The text as a variant; none where it is about no product, or for no channel.
    pub(super) variant: Option<std::result::Result<CopyVariant, CopyError>>,
}

/// What a provider wrote.
pub(super) struct Written {
    pub(super) provider: Option<&'static str>,
    pub(super) drafts: Vec<Draft>,
    pub(super) refused: Vec<(String, String)>,
    pub(super) passed_over: Vec<PassedOver>,
}

/// Writes drafts and has the guard check each; those that it passes are kept where the request says so, as drafts or as the
/// channel's standing policy has it.
///
/// # Errors
/// [`EngineError::NotReady`] where there is no model, no such product, no such control, or nothing to write about.
pub fn draft(
    data_dir: &Path,
    store: Option<&Store>,
    config: &Config,
    request: &DraftRequest,
) -> Result<Drafted> {
    if request.shopper.is_some() && request.provider != DraftProvider::Decoder {
        return Err(EngineError::NotReady {
            missing: format!("{} writes for nobody in particular", request.provider),
            remedy: "leave --shopper out, or name --provider decoder".to_owned(),
        });
    }
    let from_facts = !(request.facts.is_empty() && request.controls.is_empty());
    if from_facts && request.provider != DraftProvider::Decoder {
        return Err(EngineError::NotReady {
            missing: format!("{} writes from the catalogue alone", request.provider),
            remedy: "leave --facts and --control out, or name --provider decoder".to_owned(),
        });
    }
    let guard = copy_check::guard(config)?;
    let catalogue = store.map(Store::catalogue).transpose()?.unwrap_or_default();
    let product = match &request.product {
        Some(id) => Some(copy_check::product(&catalogue, id)?),
        None => None,
    };
    let shown = product.zip(request.channel);
    let written = match (request.provider, store, shown) {
        (DraftProvider::Decoder, ..) if !request.keep || shown.is_some() => {
            by_decoder(data_dir, store, config, &guard, product, request)?
        }
        (
            DraftProvider::Native | DraftProvider::Llm | DraftProvider::Templates,
            Some(store),
            Some(shown),
        ) => providers::write(store, config, &guard, shown, request)?,
        _ => {
            return Err(EngineError::NotReady {
                missing: "a text that is kept, or written as a template, is about a product and for a channel".to_owned(),
                remedy: "name them with --product and --channel".to_owned(),
            });
        }
    };
    let Some(store) = store.filter(|_| request.keep) else {
        return Ok(told(written));
    };
    kept(store, config, &guard, &catalogue, request.now, written)
}

/// Keeps what may be kept.
fn kept(
    store: &Store,
    config: &Config,
    guard: &Guard,
    catalogue: &Catalogue,
    now: Timestamp,
    mut written: Written,
) -> Result<Drafted> {
    let examiner = Examiner::new(guard, catalogue, now);
    for draft in &mut written.drafts {
        let checked = &mut draft.checked;
        let found = checked
            .findings
            .iter()
            .find(|found| found.severity.is_error());
        let outcome = match (found, &draft.variant) {
            (Some(found), _) => Err(Remark::new(&found.rule, &found.reason)),
            (None, Some(Ok(variant))) => variants::keep(store, config, &examiner, variant)?,
            (None, Some(Err(error))) => Err(Remark::new("template", &error.to_string())),
            (None, None) => Err(Remark::new(
                "scope:none",
                "it is about no product of the catalogue",
            )),
        };
        match outcome {
            Ok(kept) => checked.kept = Some(kept),
            Err(remark) => checked.not_kept = Some(remark),
        }
    }
    Ok(told(written))
}

fn told(written: Written) -> Drafted {
    let refused = written.refused.iter();
    let passed_over = written.passed_over.into_iter();
    Drafted {
        provider: written.provider,
        drafts: written
            .drafts
            .into_iter()
            .map(|draft| draft.checked)
            .collect(),
        refused: refused
            .map(|(name, words)| Remark::new(name, words))
            .collect(),
        passed_over: passed_over
            .map(|one| PassedProvider {
                provider: one.provider,
                reasons: one.reasons,
                detail: one.detail,
            })
            .collect(),
    }
}

/// Writes with the language model of the data directory.
fn by_decoder(
    data_dir: &Path,
    store: Option<&Store>,
    config: &Config,
    guard: &Guard,
    product: Option<&Product>,
    request: &DraftRequest,
) -> Result<Written> {
    let (model, saved) = writer::load(data_dir)?;
    let mut meaning = meaning(product, controls(&model, request)?, request)?;
    if let Some(shopper) = &request.shopper {
        meaning.user_state = Some(state(store, config, &saved, shopper)?);
    }
    let grounds = match product {
        Some(product) => guard.ground(product, request.now),
        // What was given is all that is known.
        None => guard.ground(&as_product(&meaning), request.now),
    };
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
    let placement = product
        .zip(request.channel)
        .map(|(product, channel)| Placement {
            product,
            channel,
            language: request.language_in(config),
            strategy: request.strategy_or_default(),
            seed: request.seed,
        });
    let mut drafts: Vec<Draft> = drafts
        .into_iter()
        .map(|draft| {
            let covered = writer.covered(&meaning, &draft);
            let findings = findings(guard, &draft.text, &grounds, request.channel);
            let is_error = |found: &Finding| found.severity == Severity::Error;
            Draft {
                variant: placement.map(|placement| writer.variant(&meaning, &draft, &placement)),
                checked: CheckedDraft {
                    ok: !findings.iter().any(is_error),
                    log_probability: Some(draft.log_probability),
                    missing: Some(covered.missing),
                    added: Some(covered.added),
                    findings,
                    ..CheckedDraft::passing(draft.text)
                },
            }
        })
        .collect();
    drafts.sort_by_key(|draft| !draft.checked.ok);
    drafts.truncate(request.count);
    Ok(Written {
        provider: Some(DECODER),
        drafts,
        refused: Vec::new(),
        passed_over: Vec::new(),
    })
}

/// What a language model is told of a shopper.
fn state(store: Option<&Store>, config: &Config, saved: &Saved, shopper: &str) -> Result<Vec<f32>> {
    let Some(states_of) = &saved.states_of else {
        return Err(EngineError::NotReady {
            missing: "the language model knows no shoppers".to_owned(),
            remedy: "leave --shopper out, or train it on a corpus whose lines name the shopper"
                .to_owned(),
        });
    };
    let store = store.ok_or_else(|| EngineError::NotReady {
        missing: "nothing is known of any shopper".to_owned(),
        remedy: "run `hawker import` first".to_owned(),
    })?;
    let shoppers = ShopperStates::open(store, config)?;
    if shoppers.version() != states_of {
        return Err(EngineError::NotReady {
            missing: STALE_STATES.to_owned(),
            remedy: "run `hawker train copywriter` again".to_owned(),
        });
    }
    shoppers.of(shopper)
}

/// How the texts are to be said: the controls that are asked for, and channel, strategy and language where the model learnt
/// with them.
fn controls(model: &Copywriter, request: &DraftRequest) -> Result<Vec<String>> {
    let known = model.controls();
    if let Some(unknown) = request.controls.iter().find(|name| !known.contains(name)) {
        return Err(EngineError::NotReady {
            missing: format!("the model knows no control `{unknown}`"),
            remedy: match &known[..] {
                [] => "its corpus had none; leave --control out".to_owned(),
                known => format!("its corpus had {}", known.join(", ")),
            },
        });
    }
    let implied = [
        request.channel.map(Channel::name),
        request.strategy.map(Strategy::name),
        request.language.map(Language::tag),
    ];
    let implied: Vec<&str> = implied.into_iter().flatten().collect();
    let mut controls = request.controls.clone();
    for name in implied_controls(&known, &implied) {
        if !controls.contains(&name) {
            controls.push(name);
        }
    }
    Ok(controls)
}

/// Those of the names that the model learnt with.
pub(super) fn implied_controls(known: &[String], names: &[&str]) -> Vec<String> {
    let names = names.iter().map(|name| (*name).to_owned());
    names.filter(|name| known.contains(name)).collect()
}

impl CheckedDraft {
    /// A text in which nothing was found.
    pub(super) fn passing(text: String) -> Self {
        Self {
            text,
            ok: true,
            log_probability: None,
            missing: None,
            added: None,
            findings: Vec::new(),
            kept: None,
            not_kept: None,
        }
    }
}

fn findings(
    guard: &Guard,
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
fn meaning(
    product: Option<&Product>,
    controls: Vec<String>,
    request: &DraftRequest,
) -> Result<Meaning> {
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
        controls,
        facts,
        ..Meaning::default()
    })
}

/// A product's fields and facts under their names on the wire; a fact that has ended is none, and neither is a sale price
/// that nobody pays.
pub(super) fn product_facts(product: &Product, now: Timestamp) -> Vec<Fact> {
    let money = |money: Option<events::Money>| money.map(|money| money.to_string());
    let sale = product.sale_price;
    let sale = sale.filter(|_| product.current_price() == product.sale_price);
    let fields = [
        ("title", Some(product.title.clone())),
        ("brand", product.brand.clone()),
        (
            "google_product_category",
            product.google_product_category.clone(),
        ),
        ("price", money(product.price)),
        ("sale_price", money(sale)),
    ];
    let valid = |fact: &&events::Fact| fact.valid_until.is_none_or(|until| until > now);
    let facts = product.facts.iter().filter(valid);
    let facts = facts.map(|fact| Fact::new(&fact.name, &fact.value));
    let fields = fields.into_iter();
    let fields = fields.filter_map(|(name, value)| Some(Fact::new(name, value?)));
    let all = fields.chain(facts);
    all.filter(|fact| !fact.value.trim().is_empty()).collect()
}

/// Facts as a product, for the guard to check texts against. A title that is given is a fact like the others: only names
/// of the catalogue may hold any word.
fn as_product(meaning: &Meaning) -> Product {
    Product {
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

#[cfg(test)]
mod tests {
    use super::*;
    use events::{Currency, Money};

    #[test]
    fn a_sale_price_is_told_while_it_is_one() {
        let gbp = |minor| Money {
            minor,
            currency: Currency::GBP,
        };
        let told = |sale: i64| {
            let product = Product {
                title: "Mug".to_owned(),
                price: Some(gbp(1_200)),
                sale_price: Some(gbp(sale)),
                ..Product::default()
            };
            let facts = product_facts(&product, Timestamp::UNIX_EPOCH).into_iter();
            facts
                .map(|fact| format!("{}={}", fact.name, fact.value))
                .collect::<Vec<_>>()
        };
        assert_eq!(told(900), ["title=Mug", "price=£12.00", "sale_price=£9.00"]);
        assert_eq!(told(1_500), ["title=Mug", "price=£12.00"]);
    }

    #[test]
    fn a_title_that_is_given_may_not_hold_any_word() {
        let guard = copy_check::guard(&Config::default()).expect("rules");
        let meaning = Meaning::of_facts(vec![Fact::new("title", "Mug that cures cancer")]);
        let given = guard.ground(&as_product(&meaning), Timestamp::UNIX_EPOCH);
        let found = findings(&guard, "Mug that cures cancer, in red.", &given, None);
        assert!(
            found.iter().any(|found| found.severity.is_error()),
            "{found:?}"
        );
    }
}
