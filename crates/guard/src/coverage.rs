//! What a finished text tells of a product, fact by fact.

use events::{Fact, Product, Timestamp};

use crate::grounds::{is_negated, is_negative, occurrences};
use crate::guard::Guard;
use crate::matcher::Scope;
use crate::normal::Normal;
use crate::pack::PhraseKind;
use crate::quantity::{Quantity, stated};

/// What there is to tell of one product at one moment, made once by [`Guard::coverage`] for many texts.
#[derive(Debug, Clone)]
pub struct Coverage {
    tellings: Vec<Telling>,
}

/// One thing to tell, and by what it is told.
#[derive(Debug, Clone)]
struct Telling {
    name: String,
    /// Its words, reduced, where they tell it.
    words: Option<String>,
    /// Its numbers with a unit, all of which must be told: `350 ml` is told by `35 cl`.
    quantities: Vec<Quantity>,
    /// The properties that it names, as rule and phrase, all of which must be told: `made in Italy` tells `Italian`.
    properties: Vec<(usize, usize)>,
}

impl Guard {
    /// Gathers what there is to tell of a product: its title, brand and price, and each fact that holds at the moment
    /// and denies nothing.
    pub fn coverage(&self, product: &Product, now: Timestamp) -> Coverage {
        let names = [
            ("title", Some(&product.title)),
            ("brand", product.brand.as_ref()),
        ];
        let mut tellings: Vec<Telling> = names
            .into_iter()
            .filter_map(|(name, words)| Some(Telling::of_words(name, words?)))
            .collect();
        if let Some(price) = product.current_price_at(now) {
            tellings.push(Telling {
                name: "price".to_owned(),
                words: None,
                quantities: vec![Quantity::of_money(&price)],
                properties: Vec::new(),
            });
        }
        let holds = |fact: &&Fact| {
            fact.valid_until.is_none_or(|until| until > now) && !is_negative(&fact.value)
        };
        let facts = product.facts.iter().filter(holds);
        tellings.extend(facts.map(|fact| self.telling(&fact.name, &fact.value)));
        Coverage { tellings }
    }

    /// Which of these things a text tells, in their order. Words count where they stand whole, in any case, width or
    /// spacing; numbers where they are the same in any unit and either language; properties by the pack's names for them.
    pub fn tells<'c>(&self, coverage: &'c Coverage, text: &str) -> Vec<(&'c str, bool)> {
        let normal = Normal::of(text);
        let quantities = stated(&normal, true);
        let properties = self.properties(text, &normal);
        let tells = |telling: &Telling| {
            let says = |words: &String| {
                let mut places = occurrences(&normal, words).into_iter();
                places.any(|place| !is_negated(&normal.text[..place.start]))
            };
            let counts = |wanted: &Quantity| {
                quantities
                    .iter()
                    .any(|stated| stated.quantity.agrees(wanted))
            };
            let all = |count: usize, told: bool| count > 0 && told;
            telling.words.as_ref().is_some_and(says)
                || all(
                    telling.quantities.len(),
                    telling.quantities.iter().all(counts),
                )
                || all(
                    telling.properties.len(),
                    telling
                        .properties
                        .iter()
                        .all(|property| properties.contains(property)),
                )
        };
        let told = |telling: &'c Telling| (telling.name.as_str(), tells(telling));
        coverage.tellings.iter().map(told).collect()
    }

    fn telling(&self, name: &str, value: &str) -> Telling {
        // `waterproof: yes` is told by its name.
        if is_affirmative(value) {
            let name_in_words = name.replace(['_', '-'], " ");
            return Telling {
                name: name.to_owned(),
                properties: self.properties(&name_in_words, &Normal::of(&name_in_words)),
                ..Telling::of_words(name, &name_in_words)
            };
        }
        let normal = Normal::of(value);
        let quantities = stated(&normal, true)
            .into_iter()
            .map(|stated| stated.quantity);
        Telling {
            quantities: quantities
                .filter(|quantity| !matches!(quantity, Quantity::Count(_, None)))
                .collect(),
            properties: self.properties(value, &normal),
            ..Telling::of_words(name, value)
        }
    }

    /// The properties that a text states and does not deny.
    fn properties(&self, text: &str, normal: &Normal) -> Vec<(usize, usize)> {
        let hits = self.matcher().find(text, normal, Scope::All).into_iter();
        hits.filter(|hit| self.pack().rules[hit.rule].kind == PhraseKind::Attribute)
            .filter(|hit| !is_negated(&text[..hit.bytes.start]))
            .map(|hit| (hit.rule, hit.phrase))
            .collect()
    }
}

impl Telling {
    fn of_words(name: &str, words: &str) -> Self {
        Self {
            name: name.to_owned(),
            words: Some(Normal::of(words).text),
            quantities: Vec::new(),
            properties: Vec::new(),
        }
    }
}

fn is_affirmative(value: &str) -> bool {
    let value = value.trim().to_lowercase();
    matches!(value.as_str(), "yes" | "true" | "是" | "有" | "支持")
}

#[cfg(test)]
mod tests {
    use events::{Currency, Money};

    use super::*;
    use crate::RulePack;

    #[test]
    fn what_is_told_is_told_in_whatever_words() {
        let guard = Guard::new(RulePack::built_in());
        let fact = |name: &str, value: &str, ends: bool| Fact {
            name: name.to_owned(),
            value: value.to_owned(),
            source: "shop".to_owned(),
            valid_until: ends.then_some(Timestamp::UNIX_EPOCH),
        };
        let product = Product {
            title: "Blue enamel mug".to_owned(),
            brand: Some("Tove".to_owned()),
            price: Money::from_decimal(12.5, Currency::GBP).ok(),
            facts: vec![
                fact("capacity", "350 ml", false),
                fact("care", "by hand", false),
                fact("offer", "free bag", true),
                fact("gift box", "no", false),
                fact("dishwasher-safe", "yes", false),
                fact("pieces", "2", false),
                fact("material", "cotton and silk", false),
            ],
            ..Product::default()
        };
        let coverage = guard.coverage(&product, Timestamp::UNIX_EPOCH);
        for (text, told) in [
            ("A BLUE ENAMEL MUG for £12.50.", "title price"),
            ("$12.50. No fuss, yes please, in two colours.", ""),
            (
                "Dishwasher safe, of silk and cotton",
                "dishwasher-safe material",
            ),
            ("No silk in it, not dishwasher safe", ""),
            (
                "Tove's mug holds 35 cl; wash by hand.",
                "brand capacity care",
            ),
            ("杯子容量３５０毫升", "capacity"),
            ("A mug. 3500 ml", ""),
        ] {
            let all = guard.tells(&coverage, text);
            assert_eq!(all.len(), 8);
            let names: Vec<&str> = all
                .iter()
                .filter_map(|(name, told)| told.then_some(*name))
                .collect();
            assert_eq!(names.join(" "), told, "{text}");
        }
    }
}
