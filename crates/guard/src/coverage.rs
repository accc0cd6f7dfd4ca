//! What a finished text tells of a product, fact by fact.

use events::{Product, Timestamp};

use crate::grounds::occurrences;
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
    /// Its words, reduced, any of which tell it.
    words: Vec<String>,
    /// Its numbers, all of which must be told: `350 ml` is told by `35 cl`.
    quantities: Vec<Quantity>,
    /// The properties that it names, as rule and phrase: `made in Italy` tells `Italian`.
    properties: Vec<(usize, usize)>,
}

impl Guard {
    /// Gathers what there is to tell of a product: its title, brand and price, and each fact that holds at the moment.
    pub fn coverage(&self, product: &Product, now: Timestamp) -> Coverage {
        let mut tellings = vec![self.telling("title", &product.title)];
        tellings.extend(
            product
                .brand
                .iter()
                .map(|brand| self.telling("brand", brand)),
        );
        if let Some(price) = product.current_price() {
            tellings.push(Telling {
                name: "price".to_owned(),
                words: Vec::new(),
                quantities: vec![Quantity::Money(price.decimal(), None)],
                properties: Vec::new(),
            });
        }
        for fact in &product.facts {
            if fact.valid_until.is_none_or(|until| until > now) {
                tellings.push(self.telling(&fact.name, &fact.value));
            }
        }
        Coverage { tellings }
    }

    /// Which of these things a text tells, in their order. Words count where they stand whole, in any case, width or
    /// spacing; numbers where they are the same in any unit and either language; properties by the pack's names for them.
    pub fn tells<'c>(&self, coverage: &'c Coverage, text: &str) -> Vec<(&'c str, bool)> {
        let normal = Normal::of(text);
        let quantities = stated(&normal, true);
        let properties = self.properties(text, &normal);
        let tells = |telling: &Telling| {
            let says = |word: &String| !occurrences(&normal, word).is_empty();
            let counts = |wanted: &Quantity| {
                quantities
                    .iter()
                    .any(|stated| stated.quantity.agrees(wanted))
            };
            telling.words.iter().any(says)
                || !telling.quantities.is_empty() && telling.quantities.iter().all(counts)
                || telling
                    .properties
                    .iter()
                    .any(|property| properties.contains(property))
        };
        let told = |telling: &'c Telling| (telling.name.as_str(), tells(telling));
        coverage.tellings.iter().map(told).collect()
    }

    fn telling(&self, name: &str, value: &str) -> Telling {
        let normal = Normal::of(value);
        Telling {
            name: name.to_owned(),
            quantities: stated(&normal, true)
                .into_iter()
                .map(|stated| stated.quantity)
                .collect(),
            properties: self.properties(value, &normal),
            words: vec![normal.text],
        }
    }

    fn properties(&self, text: &str, normal: &Normal) -> Vec<(usize, usize)> {
        let hits = self.matcher().find(text, normal, Scope::All).into_iter();
        hits.filter(|hit| self.pack().rules[hit.rule].kind == PhraseKind::Attribute)
            .map(|hit| (hit.rule, hit.phrase))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use events::{Currency, Fact, Money};

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
            ],
            ..Product::default()
        };
        let coverage = guard.coverage(&product, Timestamp::UNIX_EPOCH);
        for (text, told) in [
            ("A BLUE ENAMEL MUG for £12.50.", "title price"),
            (
                "Tove's mug holds 35 cl; wash by hand.",
                "brand capacity care",
            ),
            ("杯子容量３５０毫升", "capacity"),
            ("A mug. 3500 ml", ""),
        ] {
            let all = guard.tells(&coverage, text);
            assert_eq!(all.len(), 5);
            let names: Vec<&str> = all
                .iter()
                .filter_map(|(name, told)| told.then_some(*name))
                .collect();
            assert_eq!(names.join(" "), told, "{text}");
        }
    }
}
