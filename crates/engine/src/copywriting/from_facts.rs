//! Drafts of the shop's own language model, from facts.

use std::ops::ControlFlow;
use std::path::Path;

use copywriter::decoder::{
    Copywriter, Draft as Text, Fact, Lexicon, Meaning, PROVIDER, Placement, Search, Writer,
    different,
};
use events::{Channel, Language, Product, Strategy, Timestamp};
use guard::{Finding, Grounds, Guard, Severity, TextContext};
use nn::inference::Precision;

use super::asked::DraftRequest;
use super::corpus::facts;
use super::drafts::{CheckedDraft, Draft, Written};
use super::settings::DraftSettings;
use super::shopper_states::ShopperStates;
use super::writer::{STALE_STATES, Saved};
use super::{writer, written};
use crate::config::Config;
use crate::error::{EngineError, Result};
use crate::store::Store;

/// What drafts are written with.
pub(super) struct Desk<'a> {
    pub(super) data_dir: &'a Path,
    pub(super) store: Option<&'a Store>,
    pub(super) config: &'a Config,
    pub(super) guard: &'a Guard,
    pub(super) product: Option<&'a Product>,
}

impl Desk<'_> {
    /// Writes with the language model of the data directory, the texts that the guard passes first, and among them good ones
    /// that are unlike each other.
    pub(super) fn write(
        &self,
        request: &DraftRequest,
        told: &mut dyn FnMut(&str),
    ) -> Result<Written> {
        let (model, saved) = writer::load(self.data_dir)?;
        let mut meaning = meaning(self.product, controls(&model, request)?, request)?;
        if let Some(shopper) = &request.shopper {
            meaning.user_state = Some(state(self.store, self.config, &saved, shopper)?);
        }
        let writer = model.writer(Precision::Int8)?;
        let texts = texts(&writer, &meaning, &saved, request, told)?;
        if texts.is_empty() {
            return Err(EngineError::NotReady {
                missing: "no draft came to an end that names every exact value".to_owned(),
                remedy: "give the facts that the corpus has, or train on more texts".to_owned(),
            });
        }
        let mut checked: Vec<(Text, CheckedDraft)> =
            self.checked(&writer, &meaning, texts, request, &saved.lexicon);
        checked.sort_by_key(|(_, checked)| !checked.ok);
        let sendable = checked.iter().filter(|(_, checked)| checked.ok);
        let sendable: Vec<&[u32]> = sendable.map(|(text, _)| &text.tokens[..]).collect();
        let mut places = different(&sendable, request.count, saved.drafts.difference);
        places.extend(sendable.len()..checked.len());
        places.truncate(request.count);
        let placement = self.placement(request);
        let draft = |place: usize| {
            let (text, checked) = &checked[place];
            Draft {
                variant: placement.map(|placement| writer.variant(&meaning, text, &placement)),
                checked: checked.clone(),
            }
        };
        Ok(Written {
            provider: Some(PROVIDER),
            drafts: places.into_iter().map(draft).collect(),
            refused: Vec::new(),
            passed_over: Vec::new(),
        })
    }

    fn checked(
        &self,
        writer: &Writer<'_>,
        meaning: &Meaning,
        texts: Vec<Text>,
        request: &DraftRequest,
        lexicon: &Lexicon,
    ) -> Vec<(Text, CheckedDraft)> {
        let nobody_reads = request.keep
            && request
                .channel
                .is_some_and(|channel| self.config.copywriter.approval.standing(channel).is_some());
        let grounds = match self.product {
            Some(product) => self.guard.ground(product, request.now),
            // What was given is all that is known.
            None => self.guard.ground(&as_product(meaning), request.now),
        };
        let checked = |text: Text| {
            let covered = writer.covered(meaning, &text);
            let mut findings = findings(self.guard, &text.text, &grounds, request.channel);
            findings.extend(unfounded(lexicon, &meaning.facts, &text.text, nobody_reads));
            let is_error = |found: &Finding| found.severity == Severity::Error;
            let checked = CheckedDraft {
                ok: !findings.iter().any(is_error),
                log_probability: Some(text.log_probability),
                missing: Some(covered.missing),
                added: Some(covered.added),
                findings,
                ..CheckedDraft::passing(text.text.clone())
            };
            (text, checked)
        };
        texts.into_iter().map(checked).collect()
    }

    fn placement(&self, request: &DraftRequest) -> Option<Placement<'_>> {
        let (product, channel) = self.product.zip(request.channel)?;
        Some(Placement {
            product,
            channel,
            language: request.language_in(self.config),
            strategy: request.strategy_or_default(),
            seed: request.seed,
        })
    }
}

/// The texts, the best first; a single one that is drawn and told piece by piece where the request asks for that.
fn texts(
    writer: &Writer<'_>,
    meaning: &Meaning,
    saved: &Saved,
    request: &DraftRequest,
    told: &mut dyn FnMut(&str),
) -> Result<Vec<Text>> {
    let settings = DraftSettings {
        seed: request.seed,
        samples: saved.drafts.samples.max(request.count),
        ..saved.drafts
    };
    if !request.stream {
        return written::ranked(writer, meaning, &settings, &saved.lexicon);
    }
    let one = settings.decoding(Search::Sample {
        count: 1,
        temperature: settings.temperature,
        top_p: settings.top_p,
        min_p: 0.0,
    });
    let one = written::about(meaning, &settings, &saved.lexicon, one);
    let mut tell = |piece: &str| {
        told(piece);
        ControlFlow::Continue(())
    };
    let text = writer.stream(meaning, &one, settings.seed, &mut tell)?;
    Ok(text.into_iter().collect())
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

/// What is wrong with a text as it stands, read against what is known.
pub(super) fn findings(
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

/// The values of properties that a text states and its facts do not have, as far as the corpus tells of them: such a value
/// must not be sent where the facts have another, or where nobody reads the text first.
pub(super) fn unfounded(
    lexicon: &Lexicon,
    facts: &[Fact],
    text: &str,
    nobody_reads: bool,
) -> Vec<Finding> {
    let found = lexicon.unfounded(facts, text).into_iter();
    found
        .map(|found| Finding {
            rule: format!("unfounded:{}", found.name),
            severity: if found.contradicts || nobody_reads {
                Severity::Error
            } else {
                Severity::Warning
            },
            span: found.span,
            reason: format!("no fact says `{}` of `{}`", found.value, found.name),
            fix: None,
        })
        .collect()
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
    let fields = [
        ("title", Some(product.title.clone())),
        ("brand", product.brand.clone()),
        (
            "google_product_category",
            product.google_product_category.clone(),
        ),
        ("price", money(product.price)),
        ("sale_price", money(product.sale_price_at(now))),
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
    use crate::copy_check;
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
    fn a_value_of_no_fact_is_found_where_it_stands() {
        let example = |colour: &str| copywriter::decoder::Example {
            meaning: Meaning::of_facts(vec![Fact::new("colour", colour)]),
            text: format!("A {colour} mug."),
        };
        let examples: Vec<_> = (0..60)
            .map(|n| example(["red", "blue", "green"][n % 3]))
            .collect();
        let lexicon = Lexicon::learn(&examples, &[]);
        let found = |facts: &[Fact], nobody_reads| {
            let found = unfounded(&lexicon, facts, "Our Blue mug.", nobody_reads);
            let told = |one: &Finding| (one.rule.clone(), one.severity, one.span);
            found.iter().map(told).collect::<Vec<_>>()
        };
        let of = |severity| vec![("unfounded:colour".to_owned(), severity, (4, 8))];
        assert_eq!(
            found(&[Fact::new("colour", "red")], false),
            of(Severity::Error)
        );
        assert_eq!(found(&[], false), of(Severity::Warning));
        assert_eq!(found(&[], true), of(Severity::Error));
        assert_eq!(found(&[Fact::new("colour", "blue")], true), []);
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
