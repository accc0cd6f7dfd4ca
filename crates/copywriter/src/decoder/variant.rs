//! A draft as a variant: its exact values become names that are bound to the product, and what the model was told as words
//! becomes what the text rests on.

use events::{
    Binding, Channel, CopyText, CopyVariant, Generator, Language, Locale, Premise, Product, Scope,
    Strategy, VariantStatus,
};
use guard::Value;

use super::example::{Fact, Meaning};
use super::slots::Values;
use super::tokenizer::slot_token;
use super::write::{Draft, Writer};
use crate::CopyError;
use crate::templates::source;

/// The name of this provider in [`events::Generator::provider`].
pub const PROVIDER: &str = "decoder";

/// What a draft is to be used for.
#[derive(Debug, Clone, Copy)]
pub struct Placement<'a> {
    /// The product that it speaks of, and of no other.
    pub product: &'a Product,
    /// Where it is shown.
    pub channel: Channel,
    /// The language that it is written in.
    pub language: Language,
    /// The argument that it makes.
    pub strategy: Strategy,
    /// The seed that it was drawn with.
    pub seed: u64,
}

/// A part of a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Words(String),
    /// The exact value of a fact, by its place in the meaning.
    Value(usize),
}

impl Writer<'_> {
    /// Makes a draft a variant of status `draft`, whose prices follow the catalogue and which the guard refuses once a fact
    /// of it has ended or is another.
    ///
    /// # Errors
    /// [`CopyError::Brace`] where its words would be read as a template.
    pub fn variant(
        &self,
        meaning: &Meaning,
        draft: &Draft,
        placement: &Placement<'_>,
    ) -> Result<CopyVariant, CopyError> {
        let (values, places) = Values::of(&meaning.facts, &self.model.slotted);
        let tokenizer = &self.model.tokenizer;
        let is_of = |slot: usize, token: u32| {
            tokenizer.special(&slot_token(&values.slots[slot].name)) == Some(token)
        };
        let mut parts = vec![(Vec::new(), None)];
        for token in &draft.tokens {
            let fact = (0..places.len())
                .find(|fact| places[*fact].is_some_and(|slot| is_of(slot, *token)));
            match (fact, parts.last_mut()) {
                (None, Some((bytes, None))) => {
                    bytes.extend_from_slice(self.pieces.bytes(*token).unwrap_or_default());
                }
                _ => parts.extend([(Vec::new(), fact), (Vec::new(), None)]),
            }
        }
        let parts = parts.into_iter().map(|(bytes, fact)| match fact {
            Some(fact) => Part::Value(fact),
            None => Part::Words(String::from_utf8_lossy(&bytes).into_owned()),
        });
        let told = places
            .iter()
            .map(|place| place.is_none_or(|slot| !values.slots[slot].exact));
        let told: Vec<bool> = told.collect();
        let mut variant = variant(&meaning.facts, &told, parts, placement)?;
        let meaning = format!("{meaning:?}");
        variant.generator = Generator {
            provider: PROVIDER.to_owned(),
            model: self.model.version().to_owned(),
            prompt_hash: Some(blake3::hash(meaning.as_bytes()).to_hex()[..16].to_owned()),
            seed: placement.seed,
        };
        Ok(variant)
    }
}

/// The variant of a text in parts; `told` says of each fact whether the model was told it as words.
fn variant(
    facts: &[Fact],
    told: &[bool],
    parts: impl Iterator<Item = Part>,
    placement: &Placement<'_>,
) -> Result<CopyVariant, CopyError> {
    let parts: Vec<Part> = parts.collect();
    let is_sale = |part: &Part| matches!(part, Part::Value(at) if facts[*at].name == "sale_price");
    let mut template = Template {
        facts,
        shows_sale: parts.iter().any(is_sale),
        language: placement.language,
        body: String::new(),
        bindings: Vec::new(),
        premises: Vec::new(),
    };
    for (fact, told) in facts.iter().zip(told) {
        if *told {
            template.rest_on(fact);
        }
    }
    for part in parts {
        match part {
            Part::Words(words) => template.say(&words)?,
            Part::Value(fact) => template.show(fact)?,
        }
    }
    template.close(placement.channel)?;
    Ok(template.into_variant(placement))
}

/// A template while it is put together.
struct Template<'a> {
    facts: &'a [Fact],
    /// Whether the text shows what the product costs in a sale.
    shows_sale: bool,
    language: Language,
    body: String,
    bindings: Vec<Binding>,
    premises: Vec<Premise>,
}

impl Template<'_> {
    fn say(&mut self, words: &str) -> Result<(), CopyError> {
        if words.contains('{') {
            return Err(CopyError::Brace {
                text: words.trim().chars().take(40).collect(),
            });
        }
        self.body.push_str(words);
        Ok(())
    }

    /// Shows a fact's value under a name. The second value of one property has no path of its own and stands as words.
    fn show(&mut self, at: usize) -> Result<(), CopyError> {
        let fact = &self.facts[at];
        if self.facts[..at].iter().any(|other| other.name == fact.name) {
            self.rest_on(fact);
            return self.say(&fact.value);
        }
        let names = &source(self.language).names;
        let (name, path, show) = match self
            .library_name(&fact.name)
            .and_then(|n| names.get_key_value(n))
        {
            Some((name, known)) => (name.clone(), known.path.clone(), known.show.as_str()),
            None => (self.own_name(at), format!("fact.{}", fact.name), ""),
        };
        let filters = if show.is_empty() { "" } else { " | " };
        self.body.extend(["{{ ", &name, filters, show, " }}"]);
        if !self.bindings.iter().any(|binding| binding.name == name) {
            self.bindings.push(Binding { name, path });
        }
        Ok(())
    }

    /// The copy library's name of a product's field. In a text that shows no sale, the price is what the product costs now,
    /// so that a later sale shows.
    fn library_name(&self, fact: &str) -> Option<&'static str> {
        Some(match fact {
            "title" => "title",
            "brand" => "brand",
            "google_product_category" => "category",
            "sale_price" => "sale",
            "price" if self.shows_sale => "was",
            "price" => "price",
            _ => return None,
        })
    }

    /// The name of a fact in the template: its own, where it can be written and means nothing else.
    fn own_name(&self, at: usize) -> String {
        let name = &self.facts[at].name;
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let can_be_written =
            name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(is_word);
        if can_be_written && !source(self.language).names.contains_key(name) {
            name.clone()
        } else {
            format!("fact_{}", at + 1)
        }
    }

    fn rest_on(&mut self, fact: &Fact) {
        let (path, value) = match fact.name.as_str() {
            "google_product_category" => {
                let step = fact.value.rsplit('>').next().unwrap_or_default();
                ("product.category".to_owned(), step.trim())
            }
            field @ ("title" | "brand" | "price" | "sale_price") => {
                (format!("product.{field}"), fact.value.as_str())
            }
            name => (format!("fact.{name}"), fact.value.as_str()),
        };
        let value = Value::Text(value.to_owned()).shown();
        let premise = Premise { path, value };
        if !self.premises.contains(&premise) {
            self.premises.push(premise);
        }
    }

    /// Adds what ends every text of the channel, unless it was written already.
    fn close(&mut self, channel: Channel) -> Result<(), CopyError> {
        let (closing, bindings) = source(self.language).closing(channel)?;
        self.body = self.body.trim().to_owned();
        if !self.body.ends_with(closing.trim()) {
            self.body.push_str(&closing);
        }
        self.bindings.extend(bindings);
        Ok(())
    }

    fn into_variant(self, placement: &Placement<'_>) -> CopyVariant {
        let Placement {
            product,
            channel,
            strategy,
            ..
        } = placement;
        let locale = source(self.language).locale.clone();
        let said = format!("{} {:?} {}", product.id, self.premises, self.body);
        let hash = blake3::hash(said.as_bytes()).to_hex();
        let strategy_name = strategy.name();
        CopyVariant {
            id: format!("d/{channel}/{locale}/{strategy_name}/{}", &hash[..12]),
            scope: Scope::ProductIds(vec![product.id.clone()]),
            channel: *channel,
            slot: "default".to_owned(),
            locale: Locale(locale),
            strategy: *strategy,
            template: CopyText {
                body: self.body,
                ..CopyText::default()
            },
            bindings: self.bindings,
            premises: self.premises,
            assets: Vec::new(),
            generator: Generator {
                provider: PROVIDER.to_owned(),
                model: String::new(),
                prompt_hash: None,
                seed: placement.seed,
            },
            checks: Vec::new(),
            status: VariantStatus::Draft,
            approved_by: None,
            parent_id: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The variant of a text in which `<N>` is the value of the `N`th fact.
    fn made(facts: &[(&str, &str, bool)], text: &str) -> Result<CopyVariant, CopyError> {
        let told: Vec<bool> = facts.iter().map(|fact| fact.2).collect();
        let facts: Vec<Fact> = facts.iter().map(|fact| Fact::new(fact.0, fact.1)).collect();
        let parts = text.split(['<', '>']).enumerate().map(|(at, part)| {
            if at % 2 == 0 {
                Part::Words(part.to_owned())
            } else {
                Part::Value(part.parse().expect("a place"))
            }
        });
        let product = Product {
            id: "mug-7".to_owned(),
            ..Product::default()
        };
        let placement = Placement {
            product: &product,
            channel: Channel::Sms,
            language: Language::En,
            strategy: Strategy::Value,
            seed: 3,
        };
        variant(&facts, &told, parts, &placement)
    }

    fn paths(variant: &CopyVariant) -> Vec<String> {
        let bindings = variant.bindings.iter();
        bindings.map(|b| format!("{}={}", b.name, b.path)).collect()
    }

    fn premises(variant: &CopyVariant) -> Vec<String> {
        let premises = variant.premises.iter();
        premises
            .map(|p| format!("{}={}", p.path, p.value))
            .collect()
    }

    #[test]
    fn exact_values_are_bound_and_words_are_remembered() {
        let facts = [
            ("colour", "red", true),
            ("google_product_category", "Home > Mugs", true),
            ("price", "£12.00", false),
            ("title", "Acme Mug", false),
            ("wash at", "40 °C", false),
        ];
        let variant = made(&facts, " The red <3> for <2>, washed at <4>. Not <2>.").expect("plain");
        assert_eq!(
            variant.template.body,
            "The red {{ title | title_case | truncate: 60 }} for {{ price | money }}, washed at {{ fact_5 }}. Not \
             {{ price | money }}. Reply STOP to opt out."
        );
        assert_eq!(
            paths(&variant),
            [
                "title=product.title",
                "price=product.current_price",
                "fact_5=fact.wash at"
            ]
        );
        assert_eq!(
            premises(&variant),
            ["fact.colour=red", "product.category=Mugs"]
        );
        assert_eq!(variant.scope, Scope::ProductIds(vec!["mug-7".to_owned()]));
        assert!(variant.id.starts_with("d/sms/en/value/"), "{}", variant.id);
    }

    #[test]
    fn a_sale_is_told_apart_from_the_price_before_it() {
        let facts = [("price", "£12.00", false), ("sale_price", "£9.00", false)];
        let variant = made(&facts, "<1> instead of <0>").expect("plain");
        assert_eq!(
            paths(&variant),
            ["sale=product.sale_price", "was=product.price"]
        );
        let variant = made(&facts, "only <0>").expect("plain");
        assert_eq!(paths(&variant), ["price=product.current_price"]);
    }

    #[test]
    fn a_second_value_stands_as_words_and_a_brace_nowhere() {
        let facts = [("colour", "red", false), ("colour", "white", false)];
        let variant = made(&facts, "<0> and <1>. Reply STOP to opt out.").expect("plain");
        assert_eq!(
            variant.template.body,
            "{{ colour }} and white. Reply STOP to opt out."
        );
        assert_eq!(premises(&variant), ["fact.colour=white"]);
        let error = made(&facts, "see {% now %}")
            .expect_err("a tag")
            .to_string();
        assert!(error.contains("`see {% now %}`"), "{error}");
    }
}
