//! The shop as everything after the import sees it: catalogue, profiles, sequences and counts, folded from the log.

use std::collections::HashMap;

use events::{Event, EventKind, Product, Pseudonym, Timestamp};
use features::{ProductIndex, ProductKey, Profile};
use jiff::tz::TimeZone;
use recommender::{Corpus, Interaction, InteractionKind, Item, Sequence};

use crate::config::Config;
use crate::error::{EngineError, Result};
use crate::sales::{self, ProductSales};
use crate::store::{LogSummary, Shopper, Store};

/// A shop at one moment.
pub struct Shop {
    /// The products; a product's position here is its item in the corpus.
    pub products: Vec<Product>,
    /// A hash of the catalogue, which decisions record.
    pub catalogue_version: String,
    /// What profiles know of the products.
    pub index: ProductIndex,
    /// What the shoppers did, as the recommender reads it; guests are left out.
    pub corpus: Corpus,
    /// The shoppers to whom something could be sent, in the order of their pseudonyms.
    pub shoppers: Vec<KnownShopper>,
    /// Guest checkouts and browsers that belong to nobody known.
    pub guests: usize,
    /// The counts of each product, by its position.
    pub sales: Vec<ProductSales>,
    /// The extent of the log.
    pub log: LogSummary,
    /// The moment at which the shop is looked at; later events are not read.
    pub now: Timestamp,
    positions: HashMap<String, usize>,
}

/// A shopper with everything that the events tell.
pub struct KnownShopper {
    /// Who it is and where.
    pub shopper: Shopper,
    /// The folded profile.
    pub profile: Profile,
    /// Position of the shopper's sequence in the corpus, where there are interactions.
    pub sequence: Option<usize>,
}

impl Shop {
    /// Folds the log up to `now`, or all of it; the shop is then looked at from the moment of its last event.
    ///
    /// # Errors
    /// [`EngineError::NotReady`] for an empty log, and those of reading the store.
    pub fn load(store: &Store, config: &Config, now: Option<Timestamp>) -> Result<Self> {
        let log = store.log_summary()?;
        if log.events == 0 {
            return Err(EngineError::NotReady {
                missing: format!("the log in {} is empty", store.dir().display()),
                remedy: "run `hawker import` first".to_owned(),
            });
        }
        let last =
            Timestamp::from_millisecond(log.last_ms).map_err(|error| EngineError::Corrupt {
                what: "timestamp",
                place: "the end of the log".to_owned(),
                detail: error.to_string(),
            })?;
        let now = now.unwrap_or(last);
        let catalogue = store.catalogue()?;
        let products: Vec<Product> = catalogue.products.into_values().collect();
        let time_zone = TimeZone::get(&config.shop.timezone).unwrap_or(TimeZone::UTC);
        let index = ProductIndex::new(&products).with_time_zone(time_zone);
        let mut fold = Fold::new(&products, &index, store.shoppers()?, now);
        store.for_each_event(|_, event| {
            fold.take(event);
            Ok(())
        })?;
        let mut shop = fold.finish();
        shop.log = log;
        shop.catalogue_version = catalogue.version;
        shop.products = products;
        shop.index = index;
        Ok(shop)
    }

    /// The position of a product.
    pub fn position(&self, product_id: &str) -> Option<usize> {
        self.positions.get(product_id).copied()
    }

    /// The interactions of a shopper.
    pub fn history(&self, shopper: &KnownShopper) -> &[Interaction] {
        shopper.sequence.map_or(&[], |sequence| {
            &self.corpus.sequences[sequence].interactions
        })
    }

    /// The moment of a decision in Unix seconds: after every interaction.
    pub fn moment_s(&self) -> i64 {
        self.now.as_second() + 1
    }

    /// When the log begins.
    pub fn log_start(&self) -> Timestamp {
        Timestamp::from_millisecond(self.log.first_ms).unwrap_or(self.now)
    }
}

/// The pass over the log, person by person.
struct Fold<'a> {
    index: &'a ProductIndex,
    now: Timestamp,
    shoppers: Vec<Shopper>,
    place: HashMap<Pseudonym, usize>,
    position_of_key: HashMap<ProductKey, usize>,
    positions: HashMap<String, usize>,
    corpus: Corpus,
    sales: Vec<ProductSales>,
    known: Vec<Option<KnownShopper>>,
    guests: usize,
    current: Option<Person>,
}

/// The person whose events are passing.
struct Person {
    pseudonym: Pseudonym,
    place: Option<usize>,
    time_zone: Option<TimeZone>,
    profile: Profile,
    interactions: Vec<Interaction>,
    orders: HashMap<String, u32>,
}

impl<'a> Fold<'a> {
    fn new(
        products: &[Product],
        index: &'a ProductIndex,
        shoppers: Vec<Shopper>,
        now: Timestamp,
    ) -> Self {
        let positions: HashMap<String, usize> = products
            .iter()
            .enumerate()
            .map(|(position, product)| (product.id.clone(), position))
            .collect();
        Self {
            now,
            place: shoppers
                .iter()
                .enumerate()
                .map(|(place, shopper)| (shopper.pseudonym, place))
                .collect(),
            position_of_key: positions
                .iter()
                .map(|(id, position)| (ProductKey::of(id), *position))
                .collect(),
            positions,
            corpus: empty_corpus(products, index),
            sales: vec![ProductSales::default(); products.len()],
            known: shoppers.iter().map(|_| None).collect(),
            guests: 0,
            current: None,
            shoppers,
            index,
        }
    }

    fn take(&mut self, event: Event) {
        if event.at > self.now {
            return;
        }
        if self
            .current
            .as_ref()
            .is_none_or(|person| person.pseudonym != event.user)
        {
            self.end_person();
            self.begin_person(event.user);
        }
        self.note_sales(&event);
        let Some(person) = &mut self.current else {
            return;
        };
        match &person.time_zone {
            Some(time_zone) => person.profile.apply_in(&event, self.index, time_zone),
            None => person.profile.apply(&event, self.index),
        }
        let Some(kind) = InteractionKind::of(event.kind) else {
            return;
        };
        let order = event.properties.order_id.map(|order| {
            let next = person.orders.len() as u32;
            *person.orders.entry(order).or_insert(next)
        });
        for line in &event.properties.products {
            if let Some(&position) = self.positions.get(&line.product_id) {
                person.interactions.push(Interaction {
                    item: position as u32,
                    kind,
                    at_s: event.at.as_second(),
                    order,
                });
            }
        }
    }

    fn note_sales(&mut self, event: &Event) {
        for line in &event.properties.products {
            let Some(&position) = self.positions.get(&line.product_id) else {
                continue;
            };
            let sales = &mut self.sales[position];
            match event.kind {
                EventKind::OrderCompleted => {
                    sales.first_sold = Some(
                        sales
                            .first_sold
                            .map_or(event.at, |first| first.min(event.at)),
                    );
                }
                EventKind::ProductReviewed => {
                    if let Some(stars) = event.properties.rating {
                        sales.ratings += 1;
                        sales.stars += f64::from(stars);
                    }
                }
                _ => {}
            }
        }
    }

    fn begin_person(&mut self, pseudonym: Pseudonym) {
        let place = self.place.get(&pseudonym).copied();
        let time_zone = place
            .and_then(|place| self.shoppers[place].timezone.as_deref())
            .and_then(|name| TimeZone::get(name).ok());
        self.current = Some(Person {
            pseudonym,
            place,
            time_zone,
            profile: Profile::default(),
            interactions: Vec::new(),
            orders: HashMap::new(),
        });
    }

    fn end_person(&mut self) {
        let Some(person) = self.current.take() else {
            return;
        };
        let position_of = |key| self.position_of_key.get(&key).copied();
        sales::add_orders(&mut self.sales, &person.profile, &position_of, self.now);
        let Some(place) = person.place.filter(|place| !self.shoppers[*place].guest) else {
            self.guests += 1;
            return;
        };
        let sequence = (!person.interactions.is_empty()).then(|| {
            self.corpus.sequences.push(Sequence {
                user: person.pseudonym,
                interactions: person.interactions,
            });
            self.corpus.sequences.len() - 1
        });
        self.known[place] = Some(KnownShopper {
            shopper: self.shoppers[place].clone(),
            profile: person.profile,
            sequence,
        });
    }

    fn finish(mut self) -> Shop {
        self.end_person();
        sales::set_popularity(&mut self.sales);
        let shoppers = self
            .known
            .into_iter()
            .zip(self.shoppers)
            .filter(|(_, shopper)| !shopper.guest)
            .map(|(known, shopper)| {
                known.unwrap_or(KnownShopper {
                    shopper,
                    profile: Profile::default(),
                    sequence: None,
                })
            })
            .collect();
        Shop {
            products: Vec::new(),
            catalogue_version: String::new(),
            index: ProductIndex::new(&[]),
            corpus: self.corpus,
            shoppers,
            guests: self.guests,
            sales: self.sales,
            log: LogSummary {
                events: 0,
                last_position: 0,
                first_ms: 0,
                last_ms: 0,
            },
            now: self.now,
            positions: self.positions,
        }
    }
}

/// The items of a catalogue, without any sequence.
fn empty_corpus(products: &[Product], index: &ProductIndex) -> Corpus {
    let mut corpus = Corpus::default();
    let (mut categories, mut brands) = (HashMap::new(), HashMap::new());
    for product in products {
        let fields = index.get(&product.id);
        let category = fields.and_then(|fields| fields.category.as_deref());
        let brand = fields.and_then(|fields| fields.brand.as_deref());
        corpus.items.push(Item {
            id: product.id.clone(),
            title: product.title.clone(),
            category: category.map(|name| number(name, &mut categories, &mut corpus.categories)),
            brand: brand.map(|name| number(name, &mut brands, &mut corpus.brands)),
            price_band: fields
                .and_then(|fields| fields.price_band)
                .map(|band| band - 1),
        });
    }
    corpus
}

/// The number of a name, a new one where it was not met before.
fn number(name: &str, known: &mut HashMap<String, u32>, names: &mut Vec<String>) -> u32 {
    *known.entry(name.to_owned()).or_insert_with(|| {
        names.push(name.to_owned());
        names.len() as u32 - 1
    })
}
