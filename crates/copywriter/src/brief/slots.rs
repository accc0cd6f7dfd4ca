//! Which facts a text may show, and under which names.

use std::collections::{BTreeMap, BTreeSet};

use events::{Binding, Channel, Strategy};
use guard::resolve_available;

use super::Brief;
use super::refused::Refused;
use crate::templates::source;

/// Slots of which every message shows one: a text that names no product sells none.
pub(super) const TITLES: &[&str] = &["title", "headline", "short"];

/// The longest value that is told, in characters; more of it would not make the text better.
const MAX_VALUE: usize = 300;

/// The filter of facts that the library does not know.
const SHOW_FACT: &str = "truncate: 40";

/// A name that a text may show.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Slot {
    pub(super) name: String,
    pub(super) path: String,
    /// Filters that it is shown with.
    pub(super) show: String,
    /// The value; absent for the shopper's own history, which is never sent.
    pub(super) value: Option<String>,
    /// Whether the copy library knows the name.
    pub(super) is_library: bool,
}

impl Slot {
    /// What the value is, in words.
    pub(super) fn meaning(&self) -> &'static str {
        match self.path.as_str() {
            "product.title" => "the product's name",
            "product.current_price" => "what the product costs now",
            "product.price" => "what it cost before the sale",
            "product.sale_price" => "what it costs in the sale",
            "product.category" => "the product's category",
            "product.brand" => "the product's brand",
            "stat.orders_30d" => "orders with the product in the last thirty days",
            "stat.orders_total" => "orders with the product so far",
            "stat.first_sold" => "the day of the first sale",
            "stat.rating" => "mean of the shoppers' ratings",
            "user.last_bought_title" => "what the shopper bought before",
            "user.last_bought_at" => "the month in which the shopper bought that",
            "user.times_bought" => "how often the shopper bought this product",
            "user.usual_gap_days" => "usual days between the shopper's orders of it",
            "user.last_bought_this_at" => "the day on which the shopper last bought this product",
            _ => "a fact about the product",
        }
    }

    /// Columns that the value takes at most, where it is shortened.
    pub(super) fn columns(&self) -> Option<usize> {
        let (_, columns) = self.show.split_once("truncate: ")?;
        columns.parse().ok()
    }
}

/// Every slot that has a value for this brief, by name.
///
/// The names are the copy library's, then the product's other facts by their own. `link` is left out, since the shop adds it
/// at the end. So is `was` without a sale, which would speak of a price that never changed, and on public posts the shopper's
/// own history.
pub(super) fn slots(brief: &Brief<'_>) -> Vec<Slot> {
    let mut slots: BTreeMap<String, Slot> = library(brief)
        .into_iter()
        .map(|slot| (slot.name.clone(), slot))
        .collect();
    let taken: BTreeSet<String> = slots.values().map(|slot| slot.path.clone()).collect();
    for fact in &brief.facts.product.facts {
        let path = format!("fact.{}", fact.name);
        if is_name(&fact.name) && !taken.contains(&path) && !slots.contains_key(&fact.name) {
            let slot = Slot {
                name: fact.name.clone(),
                path,
                show: SHOW_FACT.to_owned(),
                value: None,
                is_library: false,
            };
            slots.insert(fact.name.clone(), slot);
        }
    }
    with_values(slots.into_values().collect(), brief)
}

/// As [`slots`].
///
/// # Errors
/// [`Refused::NoEvidence`] where none of those has a value that the argument rests on.
pub(crate) fn slots_with_evidence(brief: &Brief<'_>) -> Result<Vec<Slot>, Refused> {
    let slots = slots(brief);
    let needs = evidence(brief.strategy);
    let has_one = slots.iter().any(|slot| needs.contains(&slot.name.as_str()));
    if needs.is_empty() || has_one {
        return Ok(slots);
    }
    Err(Refused::NoEvidence {
        needs: listed(needs),
    })
}

/// The slots of which a text must show one for its argument to be true; empty where none is needed.
pub(super) fn evidence(strategy: Strategy) -> &'static [&'static str] {
    match strategy {
        Strategy::Benefit => &[],
        Strategy::Novelty => &["since"],
        Strategy::SocialProof => &["orders", "orders_ever", "rating"],
        Strategy::Replenishment => &["last", "gap", "times"],
        Strategy::Complement => &["bought", "bought_short", "bought_at"],
        Strategy::Value => &["price", "sale"],
    }
}

/// Names in words, for messages and the prompt.
pub(super) fn listed(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

fn library(brief: &Brief<'_>) -> Vec<Slot> {
    let is_public = brief.channel == Channel::Social;
    source(brief.language)
        .names
        .iter()
        .filter(|(name, known)| {
            name.as_str() != "link" && !(is_public && known.path.starts_with("user."))
        })
        .map(|(name, known)| Slot {
            name: name.clone(),
            path: known.path.clone(),
            show: known.show.clone(),
            value: None,
            is_library: true,
        })
        .collect()
}

/// Keeps the slots that have a value, and notes the values that may be told.
fn with_values(slots: Vec<Slot>, brief: &Brief<'_>) -> Vec<Slot> {
    let bindings: Vec<Binding> = slots
        .iter()
        .map(|slot| Binding {
            name: slot.name.clone(),
            path: slot.path.clone(),
        })
        .collect();
    let values = resolve_available(&bindings, &brief.facts)
        .expect("invariant: the names are distinct and their paths known");
    let on_sale = values.value("sale").is_some();
    slots
        .into_iter()
        .filter(|slot| slot.name != "was" || on_sale)
        .filter_map(|mut slot| {
            let value = values.value(&slot.name)?;
            if !slot.path.starts_with("user.") {
                slot.value = Some(value.shown().chars().take(MAX_VALUE).collect());
            }
            Some(slot)
        })
        .collect()
}

/// Whether a fact's name can be written in a template.
fn is_name(name: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(word)
        && name.len() <= 40
}

#[cfg(test)]
mod tests {
    use events::{Currency, Fact, Language, Money, Product};
    use guard::{Facts, Value};

    use super::*;

    fn product(sale: Option<i64>) -> Product {
        let gbp = |minor| Money {
            minor,
            currency: Currency::GBP,
        };
        let fact = |name: &str, value: &str| Fact {
            name: name.to_owned(),
            value: value.to_owned(),
            source: "shop".to_owned(),
            valid_until: None,
        };
        Product {
            title: "Red Mug".to_owned(),
            price: Some(gbp(1_200)),
            sale_price: sale.map(gbp),
            link: Some("https://shop.example/mug".to_owned()),
            facts: vec![
                fact("material", "stoneware"),
                fact("capacity", "350 ml"),
                fact("title", "not the title"),
                fact("wash at", "40"),
            ],
            ..Product::default()
        }
    }

    fn names(channel: Channel, sale: Option<i64>) -> Vec<(String, Option<String>)> {
        let product = product(sale);
        let stats = BTreeMap::new();
        let user = BTreeMap::from([("times_bought".to_owned(), Value::Count(7))]);
        let facts = Facts {
            product: &product,
            stats: &stats,
            user: &user,
            now: events::Timestamp::UNIX_EPOCH,
            version: "1",
        };
        let brief = Brief {
            channel,
            language: Language::En,
            strategy: Strategy::Benefit,
            facts,
            brand: "",
            count: 1,
            seed: 0,
        };
        let slots = slots(&brief).into_iter();
        slots.map(|slot| (slot.name, slot.value)).collect()
    }

    fn some(name: &str, value: &str) -> (String, Option<String>) {
        (name.to_owned(), Some(value.to_owned()))
    }

    #[test]
    fn a_shopper_s_history_has_a_name_but_is_never_told() {
        let expected = [
            some("capacity", "350 ml"),
            some("headline", "Red Mug"),
            some("material", "stoneware"),
            some("price", "£12.00"),
            some("short", "Red Mug"),
            ("times".to_owned(), None),
            some("title", "Red Mug"),
        ];
        // On the 40 of `wash at`: its name cannot be written, so it is no slot.
        let mut found = names(Channel::Push, None);
        found.sort();
        let mut wanted = expected.to_vec();
        wanted.sort();
        assert_eq!(found, wanted);
    }

    #[test]
    fn a_post_knows_no_shopper_and_a_former_price_needs_a_sale() {
        let social = names(Channel::Social, Some(900));
        let has = |name: &str| social.iter().any(|(found, _)| found == name);
        assert!(!has("times"));
        assert!(has("was") && has("sale"));
        assert!(!has("link"));
    }
}
