//! What shoppers of the simulated shop clicked, as texts of shoppers with a past.

use std::collections::HashMap;

use copywriter::decoder::{Example, Fact, Meaning};
use copywriter::templates::library;
use datasets::{ShopConfig, SimulatedShop};
use events::{Channel, CopyVariant, Identity, Language, Product, Strategy, Timestamp};
use jiff::SignedDuration;
use rand::RngExt;
use rand::seq::IndexedRandom;

use crate::error::Result;
use crate::train::{ShopperEvent, ShopperTexts, Told};

/// Where the messages are shown.
const CHANNEL: Channel = Channel::Push;
/// Weeks in which each shopper gets a message.
const WEEKS: i64 = 52;
/// Share of the messages about something that the shopper has looked at.
const KNOWN_SHARE: f64 = 0.7;
/// Deeds of a shopper that are read, the latest.
const LATEST: usize = 60;
/// Shoppers for whom one is taken by mistake, to see what can be gained.
const OTHERS: usize = 5;

/// Messages of the library that were clicked. Each week each shopper who allows it gets one about a product, with an
/// argument and a text drawn evenly; a text is learnt as the library has it, names in the place of values.
///
/// The last click of a shopper is the test, the one before the validation, the others are learnt. What is told of a text is
/// the product; a shopper's past is all deeds in the shop before the message, earlier clicks among them.
pub(crate) fn of_simulated_shop(
    config: ShopConfig,
    columns: usize,
    seed: u64,
) -> Result<ShopperTexts> {
    let mut shop = SimulatedShop::new(config, seed)?;
    let products: Vec<Product> = shop.products().cloned().collect();
    let shoppers: Vec<Identity> = shop.shoppers().collect();
    let mut pasts = Pasts::of(&shop, &shoppers, &products, columns);
    let variants = library(CHANNEL, Language::En);
    let mut rng = nn::generator(seed, "messages", 0);
    let mut clicked: Vec<Vec<Told>> = vec![Vec::new(); shoppers.len()];
    for week in 0..WEEKS {
        let at = shop.end() + SignedDuration::from_hours(24 * 7 * week + 12);
        for (number, shopper) in shoppers.iter().enumerate() {
            if !shop.consents(shopper, CHANNEL, at)? {
                continue;
            }
            let known = rng.random::<f64>() < KNOWN_SHARE;
            let looked_at = pasts.looked_at[number].choose(&mut rng).copied();
            let any = rng.random_range(0..products.len());
            let product = &products[looked_at.filter(|_| known).unwrap_or(any)];
            let strategy = Strategy::ALL[rng.random_range(0..Strategy::ALL.len())];
            let fitting: Vec<&CopyVariant> =
                variants.iter().filter(|v| v.strategy == strategy).collect();
            let Some(variant) = fitting.choose(&mut rng) else {
                continue;
            };
            let message = shop.message(shopper, &product.id, strategy, CHANNEL, at)?;
            // Before the answer: who clicks may be tired of it afterwards.
            let own = choice(&shop, shopper, &product.id, at, strategy)?;
            if !shop.react(&message, seed).clicked {
                continue;
            }
            let others = (0..OTHERS).map(|_| &shoppers[rng.random_range(0..shoppers.len())]);
            let mistaken = others
                .map(|other| choice(&shop, other, &product.id, at, strategy))
                .collect::<Result<Vec<_>>>()?;
            clicked[number].push(Told {
                most_gain: own.and_then(|own| gain(own, &mistaken)),
                shopper: number,
                example: Example {
                    meaning: Meaning::of_facts(facts(product)),
                    text: words(variant),
                },
                past: pasts.latest(number),
                interest: strategy as u32,
            });
            pasts.add(number, click(product, strategy, variant, columns));
        }
    }
    Ok(split(clicked, pasts.events))
}

/// The mean of log own / mistaken, over the others who could have clicked.
fn gain(own: f64, mistaken: &[Option<f64>]) -> Option<f64> {
    let gains: Vec<f64> = mistaken
        .iter()
        .flatten()
        .map(|other| (own / other).ln())
        .collect();
    (!gains.is_empty()).then(|| gains.iter().sum::<f64>() / gains.len() as f64)
}

/// P(argument | the shopper clicked, product, moment) where arguments are drawn evenly; nothing for one who cannot click. The
/// words of an argument tell nothing more of the shopper.
fn choice(
    shop: &SimulatedShop,
    shopper: &Identity,
    product: &str,
    at: Timestamp,
    strategy: Strategy,
) -> Result<Option<f64>> {
    let clicks = |strategy: Strategy| -> Result<f64> {
        let message = shop.message(shopper, product, strategy, CHANNEL, at)?;
        Ok(shop.click_probability(&message))
    };
    let all: Vec<f64> = Strategy::ALL
        .into_iter()
        .map(clicks)
        .collect::<Result<_>>()?;
    let (this, all) = (clicks(strategy)?, all.iter().sum::<f64>());
    Ok((this > 0.0).then(|| this / all))
}

/// What shoppers did, and what of it is whose.
struct Pasts {
    events: Vec<ShopperEvent>,
    of_shopper: Vec<Vec<u32>>,
    /// The products that each shopper has looked at or bought.
    looked_at: Vec<Vec<usize>>,
}

impl Pasts {
    /// The history of the shop; what a browser did counts for the shopper who signed in with it later.
    fn of(
        shop: &SimulatedShop,
        shoppers: &[Identity],
        products: &[Product],
        columns: usize,
    ) -> Self {
        let mut owner: HashMap<String, usize> = (0..)
            .zip(shoppers)
            .map(|(number, shopper)| (shopper.as_str().to_owned(), number))
            .collect();
        for event in shop.events() {
            let known = owner.get(event.identity.as_str()).copied();
            if let (Some(number), Some(alias)) = (known, &event.alias) {
                owner.insert(alias.as_str().to_owned(), number);
            }
        }
        let by_id: HashMap<&str, usize> = (0..)
            .zip(products)
            .map(|(number, product)| (product.id.as_str(), number))
            .collect();
        let mut pasts = Self {
            events: Vec::new(),
            of_shopper: vec![Vec::new(); shoppers.len()],
            looked_at: vec![Vec::new(); shoppers.len()],
        };
        for event in shop.events() {
            let Some(number) = owner.get(event.identity.as_str()).copied() else {
                continue;
            };
            for line in &event.properties.products {
                let Some(product) = by_id.get(line.product_id.as_str()) else {
                    continue;
                };
                pasts.looked_at[number].push(*product);
                let kind = format!("{:?}", event.kind);
                pasts.add(number, deed(&kind, &products[*product], columns));
            }
        }
        pasts
    }

    fn add(&mut self, shopper: usize, event: ShopperEvent) {
        self.of_shopper[shopper].push(self.events.len() as u32);
        self.events.push(event);
    }

    fn latest(&self, shopper: usize) -> Vec<u32> {
        let all = &self.of_shopper[shopper];
        all[all.len().saturating_sub(LATEST)..].to_vec()
    }
}

/// A deed in the shop: what kind it was, and of which product.
fn deed(kind: &str, product: &Product, columns: usize) -> ShopperEvent {
    let fields = facts(product).into_iter();
    let fields = fields.map(|fact| format!("{kind}:{}:{}", fact.name, fact.value));
    let names = fields.chain([format!("{kind}:"), format!("product:{}", product.id)]);
    ShopperEvent {
        texts: Vec::new(),
        things: names.map(|name| (column(&name, columns), 0.5)).collect(),
    }
}

/// A click on a message, which also tells by which argument and in which words.
fn click(
    product: &Product,
    strategy: Strategy,
    variant: &CopyVariant,
    columns: usize,
) -> ShopperEvent {
    let mut event = deed("click", product, columns);
    let argument = column(&format!("argument:{strategy:?}"), columns);
    event.things.push((argument, 2.0));
    event.texts.push(words(variant));
    event
}

fn column(name: &str, columns: usize) -> u32 {
    (nn::name_seed(name) % columns as u64) as u32
}

/// What is told of a product.
fn facts(product: &Product) -> Vec<Fact> {
    let category = product.google_product_category.as_deref().unwrap_or("");
    let category = category.rsplit('>').next().unwrap_or("").trim();
    let price = product.current_price();
    let size = price.map_or(0, |price| price.minor.max(1).ilog2());
    let mut facts = vec![
        Fact::new("category", category),
        Fact::new("brand", product.brand.as_deref().unwrap_or("")),
        Fact::new("price", size.to_string()),
    ];
    if product.sale_price.is_some() {
        facts.push(Fact::new("sale", "yes"));
    }
    facts
}

/// The words of a variant, each `{{ name | filters }}` as `{name}`.
fn words(variant: &CopyVariant) -> String {
    let template = &variant.template;
    let title = template.title.as_deref().unwrap_or_default();
    let text = format!("{title}\n{}", template.body);
    let mut parts = text.split("{{");
    let mut words = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (inside, after) = part.split_once("}}").unwrap_or((part, ""));
        let name = inside.split('|').next().unwrap_or_default().trim();
        words.extend(["{", name, "}", after]);
    }
    words
}

fn split(clicked: Vec<Vec<Told>>, events: Vec<ShopperEvent>) -> ShopperTexts {
    let mut texts = ShopperTexts {
        events,
        interests: Strategy::ALL.len(),
        ..ShopperTexts::default()
    };
    for mut own in clicked {
        if own.len() >= 3 {
            texts.test.extend(own.pop());
            texts.validation.extend(own.pop());
        }
        texts.train.extend(own);
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clicks_are_split_by_time_and_know_only_what_came_before() {
        let texts = of_simulated_shop(ShopConfig::small(), 512, 3).expect("generates");
        assert!(texts.train.len() > 3 * texts.test.len() && !texts.test.is_empty());
        assert_eq!(texts.test.len(), texts.validation.len());
        for test in &texts.test {
            let of_shopper = |told: &&Told| told.shopper == test.shopper;
            let earlier = texts.validation.iter().chain(&texts.train);
            let newest = test.past.last().expect("who clicked has a past");
            for told in earlier.filter(of_shopper) {
                // Each click became an event after it was told.
                assert!(told.past.last() < Some(newest));
            }
            assert!(!test.example.text.contains("{{"), "{}", test.example.text);
        }
        // Who takes a shopper for another loses, by the inequality of Gibbs, and not much of some 3 nats.
        let gains: Vec<f64> = texts.train.iter().filter_map(|t| t.most_gain).collect();
        let mean = gains.iter().sum::<f64>() / gains.len() as f64;
        assert!(mean > 0.0 && mean < 1.0, "{mean}");
        let again = of_simulated_shop(ShopConfig::small(), 512, 3).expect("generates");
        assert!(texts == again, "the same seed gives the same texts");
    }
}
