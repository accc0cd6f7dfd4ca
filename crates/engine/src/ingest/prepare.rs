//! From an event as it arrived to one that the log can take: checked, pseudonymised, its personal parts sealed.

use std::sync::Arc;

use events::{
    Channel, Consent, Currency, EventKind, Identity, IncomingEvent, Product, Pseudonym, Timestamp,
};
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use super::row::Rejection;
use crate::config::Config;
use crate::error::Result;
use crate::store::{NewEvent, TraitsUpdate};
use crate::vault::Vault;

/// What is later than this beyond the clock is a fault, not a clock that is a little fast.
const TOLERANCE: SignedDuration = SignedDuration::from_hours(24);

/// Checks and seals events; needs no database, so that many threads can do it.
pub(crate) struct Preparer {
    vault: Arc<Vault>,
    currency: Currency,
    now: Timestamp,
}

/// An event and all that it says of its shopper and its product.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) event: NewEvent,
    pub(crate) identity: Identity,
    /// The browser on which the shopper signed in.
    pub(crate) alias: Option<(Pseudonym, Identity)>,
    pub(crate) traits: Option<TraitsUpdate>,
    /// The channels from which the shopper unsubscribed.
    pub(crate) unsubscribed: Vec<Channel>,
    pub(crate) observed: Vec<Observed>,
}

/// What an order line says of its product.
#[derive(Debug)]
pub(crate) struct Observed {
    pub(crate) product_id: String,
    pub(crate) title: Option<String>,
    pub(crate) price_minor: i64,
}

impl Preparer {
    /// # Errors
    /// [`crate::EngineError::Config`] when the shop's currency is no ISO 4217 code.
    pub(crate) fn new(vault: Arc<Vault>, config: &Config, now: Timestamp) -> Result<Self> {
        let currency = config.currency()?;
        Ok(Self {
            vault,
            currency,
            now,
        })
    }

    /// What time the caller says it is.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// Refuses an event from the future, in another currency or with unreadable consents; prepares any other.
    pub(crate) fn event(
        &self,
        mut incoming: IncomingEvent,
        title: Option<String>,
    ) -> Result<Prepared, Rejection> {
        self.check_time(incoming.at)?;
        self.settle_currency(&mut incoming)?;
        let traits = match incoming.kind {
            EventKind::Identified => self.traits(&incoming.personal)?,
            _ => None,
        };
        let unsubscribed = match incoming.kind {
            EventKind::Unsubscribed => unsubscribed(&incoming.personal),
            _ => Vec::new(),
        };
        let unreadable =
            |error: serde_json::Error| Rejection::new("invalid_properties", error.to_string());
        let properties = serde_json::to_string(&incoming.properties).map_err(unreadable)?;
        let sealed = if incoming.personal.is_empty() {
            None
        } else {
            let personal = serde_json::to_vec(&incoming.personal).map_err(unreadable)?;
            Some(self.vault.seal(&personal))
        };
        let pseudonym = self.vault.pseudonym(&incoming.identity);
        let event = NewEvent {
            message: self.vault.message_key(&incoming.message_id),
            user: pseudonym,
            kind: incoming.kind,
            at_ms: incoming.at.as_millisecond(),
            properties,
            sealed,
        };
        Ok(Prepared {
            event,
            alias: incoming
                .alias
                .take()
                .map(|alias| (self.vault.pseudonym(&alias), alias)),
            traits,
            unsubscribed,
            observed: observed(&mut incoming, title),
            identity: incoming.identity,
        })
    }

    /// Refuses a product whose price is in another currency than the shop's.
    pub(crate) fn product(&self, product: &Product) -> Result<(), Rejection> {
        [product.price, product.sale_price, product.cost]
            .into_iter()
            .flatten()
            .try_for_each(|money| self.check_currency(money.currency))
    }

    fn check_time(&self, at: Timestamp) -> Result<(), Rejection> {
        if at.duration_since(self.now) <= TOLERANCE {
            return Ok(());
        }
        let detail = format!(
            "it happened at {at}, and it is {:.0} now; correct the time, or the clock here",
            self.now
        );
        Err(Rejection::new("future_timestamp", detail))
    }

    fn check_currency(&self, found: Currency) -> Result<(), Rejection> {
        if found == self.currency {
            return Ok(());
        }
        let shop = self.currency;
        let detail = format!(
            "the price is in {found}, the shop's currency is {shop}; convert it, or set `shop.currency`"
        );
        Err(Rejection::new("currency_changes", detail))
    }

    /// A price without a currency is in the shop's; it was read with two decimals, which not every currency has.
    fn settle_currency(&self, incoming: &mut IncomingEvent) -> Result<(), Rejection> {
        let properties = &mut incoming.properties;
        if let Some(found) = properties.currency {
            return self.check_currency(found);
        }
        let mut prices = properties
            .products
            .iter_mut()
            .filter_map(|line| line.price_minor.as_mut())
            .peekable();
        if prices.peek().is_none() {
            return Ok(());
        }
        let rescale = |minor: i64| match self.currency.exponent() {
            0 => (minor + 50 * minor.signum()) / 100,
            3 => minor * 10,
            _ => minor,
        };
        prices.for_each(|minor| *minor = rescale(*minor));
        properties.currency = Some(self.currency);
        Ok(())
    }

    fn traits(&self, personal: &Map<String, Value>) -> Result<Option<TraitsUpdate>, Rejection> {
        let Some(traits) = personal.get("traits").and_then(Value::as_object) else {
            return Ok(None);
        };
        let text = |name: &str| {
            traits
                .get(name)
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
        };
        let consents = match traits
            .get("consents")
            .filter(|consents| !consents.is_null())
        {
            None => Vec::new(),
            Some(consents) => {
                serde_json::from_value::<Vec<Consent>>(consents.clone()).map_err(|error| {
                    let form = "give each as {channel, purpose, state, at, source}";
                    Rejection::new(
                        "invalid_consents",
                        format!("`traits.consents`: {error}; {form}"),
                    )
                })?
            }
        };
        let sealed = Value::Object(traits.clone()).to_string();
        Ok(Some(TraitsUpdate {
            locale: text("locale").map(str::to_owned),
            timezone: text("timezone")
                .filter(|name| TimeZone::get(name).is_ok())
                .map(str::to_owned),
            sealed: Some(self.vault.seal(sealed.as_bytes())),
            consents,
        }))
    }
}

/// The channels of an `Unsubscribed` event: the one it names, mail where it names none as in Segment's specification,
/// and all of them where the name is unknown, since the shopper wants to hear less.
fn unsubscribed(personal: &Map<String, Value>) -> Vec<Channel> {
    let properties = personal.get("properties").and_then(Value::as_object);
    match properties
        .and_then(|properties| properties.get("channel"))
        .and_then(Value::as_str)
    {
        None => vec![Channel::Email],
        Some(name) => match name.to_lowercase().parse() {
            Ok(channel) => vec![channel],
            Err(_) => Channel::ALL.to_vec(),
        },
    }
}

/// Order lines tell the products of a shop without a catalogue file, where the format brings their titles at all.
fn observed(incoming: &mut IncomingEvent, title: Option<String>) -> Vec<Observed> {
    if incoming.kind != EventKind::OrderCompleted {
        return Vec::new();
    }
    let [line] = incoming.properties.products.as_slice() else {
        return Vec::new();
    };
    let observe = |price_minor| Observed {
        product_id: line.product_id.clone(),
        title,
        price_minor,
    };
    line.price_minor.map(observe).into_iter().collect()
}
