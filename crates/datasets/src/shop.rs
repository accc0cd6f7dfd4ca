//! A simulated shop whose truth is known.

mod brands;
mod calendar;
mod catalogue;
mod categories;
mod config;
mod dirt;
mod feedback;
mod history;
mod oracle;
mod params;
mod random;
mod response;
mod session;
mod shopper;
mod taste;
mod wire;
mod wording;

pub use config::ShopConfig;
pub use feedback::Reaction;
pub use oracle::BestAction;
pub use response::{CLICK_TERMS, Message};
pub use wire::segment_line;

use std::collections::BTreeMap;

use events::{
    Channel, Currency, Identity, IncomingEvent, Language, Locale, Product, Strategy, Timestamp,
};

use crate::DatasetError;
use calendar::{Calendar, DAY, timestamp};
use catalogue::Catalogue;
use feedback::Feedback;
use history::{Purchase, Record, Scene, live};
use shopper::Shopper;

/// A shop with a catalogue, shoppers, a year of behaviour and an exact model of how they respond to messages.
///
/// Everything is a function of the configuration and the seed. Learners see [`events`](Self::events) and the sampled
/// [`react`](Self::react); the probabilities are there for reports.
#[derive(Debug, Clone)]
pub struct SimulatedShop {
    config: ShopConfig,
    seed: u64,
    start: i64,
    end: i64,
    calendar: Calendar,
    catalogue: Catalogue,
    shoppers: Vec<Shopper>,
    records: Vec<Record>,
    purchases: Vec<Vec<Purchase>>,
    feedback: Vec<Feedback>,
    by_identity: BTreeMap<String, usize>,
    by_product: BTreeMap<String, usize>,
}

impl SimulatedShop {
    /// Generates the shop and its history.
    ///
    /// # Errors
    /// [`DatasetError::Config`] naming the field that is outside its range.
    pub fn new(config: ShopConfig, seed: u64) -> Result<Self, DatasetError> {
        config.check()?;
        let calendar = Calendar::new();
        let days = config.end.duration_since(jiff::civil::date(1970, 1, 1));
        let end = days.as_secs();
        let start = end - i64::from(config.days) * DAY;
        let catalogue = Catalogue::generate(&config, start, end, seed);
        let shoppers: Vec<Shopper> = (0..config.shoppers)
            .map(|index| Shopper::draw(index, &config, (&catalogue, &calendar), (start, end), seed))
            .collect();
        let mut records = Vec::new();
        let mut purchases = Vec::with_capacity(shoppers.len());
        for (index, shopper) in shoppers.iter().enumerate() {
            let scene = Scene {
                catalogue: &catalogue,
                calendar: &calendar,
                shopper,
                start,
                end,
            };
            let history = live(&scene, index, seed);
            records.extend(history.records);
            purchases.push(history.purchases);
        }
        records.sort_by_key(|record: &Record| (record.at, record.shopper, record.sequence));
        Ok(Self {
            by_identity: identities(&shoppers),
            by_product: (0..)
                .zip(&catalogue.items)
                .map(|(index, item)| (item.product.id.clone(), index))
                .collect(),
            feedback: vec![Feedback::default(); shoppers.len()],
            config,
            seed,
            start,
            end,
            calendar,
            catalogue,
            shoppers,
            records,
            purchases,
        })
    }

    /// The catalogue, in the order of its ids' numbers.
    pub fn products(&self) -> impl ExactSizeIterator<Item = &Product> {
        self.catalogue.items.iter().map(|item| &item.product)
    }

    /// The identities under which the shoppers sign in.
    pub fn shoppers(&self) -> impl ExactSizeIterator<Item = Identity> + '_ {
        self.shoppers.iter().map(Shopper::identity)
    }

    /// The history in time order, in the form in which it would arrive.
    ///
    /// Consents come with each shopper's first event, an `identify` whose `traits` hold `locale`, `timezone` and
    /// `consents`; a withdrawal is an `Unsubscribed` whose properties name the channel, followed by an `identify`
    /// with the consents as they are then.
    pub fn events(&self) -> impl Iterator<Item = IncomingEvent> + '_ {
        self.records.iter().map(|record| self.event(record))
    }

    /// When the history begins.
    pub fn start(&self) -> Timestamp {
        timestamp(self.start)
    }

    /// When the history ends and campaigns begin.
    pub fn end(&self) -> Timestamp {
        timestamp(self.end)
    }

    /// The currency of every price.
    pub fn currency(&self) -> Currency {
        match self.config.language {
            Language::En => Currency::GBP,
            Language::Zh => Currency::CNY,
        }
    }

    /// A message that could be sent.
    ///
    /// # Errors
    /// [`DatasetError::UnknownShopper`] and [`DatasetError::UnknownProduct`].
    pub fn message(
        &self,
        shopper: &Identity,
        product_id: &str,
        strategy: Strategy,
        channel: Channel,
        at: Timestamp,
    ) -> Result<Message, DatasetError> {
        let item = self.by_product.get(product_id).copied();
        Ok(Message {
            shopper: self.shopper_index(shopper)?,
            item: item.ok_or_else(|| DatasetError::UnknownProduct {
                id: product_id.to_owned(),
            })?,
            strategy,
            channel,
            at: at.as_second(),
        })
    }

    /// The product that a message speaks of.
    pub fn product_id(&self, message: &Message) -> &str {
        &self.catalogue.items[message.item].product.id
    }

    /// Whether a shopper allows messages on a channel at a moment.
    ///
    /// # Errors
    /// [`DatasetError::UnknownShopper`].
    pub fn consents(
        &self,
        shopper: &Identity,
        channel: Channel,
        at: Timestamp,
    ) -> Result<bool, DatasetError> {
        let index = self.shopper_index(shopper)?;
        let unix = at.as_second();
        Ok(self.shoppers[index].permits(channel, unix)
            && !self.feedback[index].has_left(channel, unix))
    }

    /// The language in which a shopper is addressed.
    ///
    /// # Errors
    /// [`DatasetError::UnknownShopper`].
    pub fn locale(&self, shopper: &Identity) -> Result<Locale, DatasetError> {
        let index = self.shopper_index(shopper)?;
        Ok(Locale(self.shoppers[index].locale().to_owned()))
    }

    /// Finds a shopper by account or by one of the devices.
    fn shopper_index(&self, shopper: &Identity) -> Result<usize, DatasetError> {
        self.by_identity
            .get(shopper.as_str())
            .copied()
            .ok_or_else(|| DatasetError::UnknownShopper {
                id: shopper.as_str().to_owned(),
            })
    }
}

/// Accounts and devices of every shopper.
fn identities(shoppers: &[Shopper]) -> BTreeMap<String, usize> {
    (0..)
        .zip(shoppers)
        .flat_map(|(index, shopper)| {
            let names = std::iter::once(&shopper.user_id).chain(&shopper.devices);
            names.map(move |name| (name.clone(), index))
        })
        .collect()
}
