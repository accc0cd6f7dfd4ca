//! From the simulator's records to events in Segment's envelope.

use events::{
    Channel, Consent, ConsentState, EventKind, Identity, IncomingEvent, LineItem, Properties,
};
use serde_json::{Map, Value, json};

use super::SimulatedShop;
use super::calendar::timestamp;
use super::history::{Deed, Line, Record, Who};
use super::shopper::Shopper;
use super::wording::{query, review};

impl SimulatedShop {
    /// Puts one record into words.
    pub(crate) fn event(&self, record: &Record) -> IncomingEvent {
        let shopper = &self.shoppers[record.shopper as usize];
        let device = |device: u8| Identity::Anonymous(shopper.devices[usize::from(device)].clone());
        let (identity, alias) = match record.who {
            Who::User => (shopper.identity(), None),
            Who::Device(number) => (device(number), None),
            Who::UserOn(number) => (shopper.identity(), Some(device(number))),
        };
        let (kind, properties, personal) = self.content(record, shopper);
        IncomingEvent {
            message_id: format!("m-{}-{}", &shopper.user_id[1..], record.sequence),
            identity,
            alias,
            kind,
            at: timestamp(record.at),
            properties,
            personal,
        }
    }

    fn content(
        &self,
        record: &Record,
        shopper: &Shopper,
    ) -> (EventKind, Properties, Map<String, Value>) {
        let unix = record.at;
        let mut properties = Properties::default();
        let mut personal = Map::new();
        let kind = match &record.deed {
            Deed::Identify { traits } => {
                if *traits {
                    let granted = consents(shopper, None);
                    personal.insert("traits".to_owned(), traits_of(shopper, &granted));
                }
                EventKind::Identified
            }
            Deed::Withdraw(channel) => {
                let withdrawn = consents(shopper, Some((*channel, unix)));
                personal.insert("traits".to_owned(), traits_of(shopper, &withdrawn));
                EventKind::Identified
            }
            Deed::Unsubscribe(channel) => {
                let channel = json!({"channel": channel.name()});
                personal.insert("properties".to_owned(), channel);
                EventKind::Unsubscribed
            }
            Deed::Search { item, colour } => {
                let noun = self.catalogue.items[*item as usize].noun;
                properties.query = Some(query(noun, usize::from(*colour), shopper.zh));
                EventKind::ProductsSearched
            }
            Deed::View(item) => {
                self.put(&mut properties, &[one(*item)], unix);
                EventKind::ProductViewed
            }
            Deed::Add(item) => {
                self.put(&mut properties, &[one(*item)], unix);
                EventKind::ProductAdded
            }
            Deed::Order { number, lines } => {
                properties.order_id = Some(order_id(shopper, *number));
                self.put(&mut properties, lines, unix);
                EventKind::OrderCompleted
            }
            Deed::Refund { number, lines } => {
                properties.order_id = Some(order_id(shopper, *number));
                self.put(&mut properties, lines, unix);
                EventKind::OrderRefunded
            }
            Deed::Review { item, stars, text } => {
                let item = &self.catalogue.items[*item as usize];
                properties.products = vec![LineItem::of(item.product.id.clone())];
                properties.rating = Some(f32::from(*stars));
                let body = review(item.noun, *stars, usize::from(*text), shopper.zh);
                personal.insert("properties".to_owned(), json!({"review_body": body}));
                EventKind::ProductReviewed
            }
        };
        (kind, properties, personal)
    }

    fn put(&self, properties: &mut Properties, lines: &[Line], unix: i64) {
        properties.currency = Some(self.currency());
        properties.products = lines
            .iter()
            .map(|line| {
                let item = &self.catalogue.items[line.item as usize];
                LineItem {
                    product_id: item.product.id.clone(),
                    quantity: line.quantity,
                    price_minor: Some(item.price_minor(unix, self.end)),
                }
            })
            .collect();
    }
}

/// Writes an event as one line in Segment's envelope; [`IncomingEvent::from_json`] reads it back.
pub fn segment_line(event: &IncomingEvent) -> String {
    let mut envelope = Map::new();
    let mut set = |name: &str, value: Value| envelope.insert(name.to_owned(), value);
    set("messageId", json!(event.message_id));
    if event.kind == EventKind::Identified {
        set("type", json!("identify"));
    } else {
        set("type", json!("track"));
        set("event", json!(event.kind.name()));
    }
    for identity in [Some(&event.identity), event.alias.as_ref()]
        .into_iter()
        .flatten()
    {
        let name = if identity.is_anonymous() {
            "anonymousId"
        } else {
            "userId"
        };
        set(name, json!(identity.as_str()));
    }
    set("timestamp", json!(event.at.to_string()));
    let properties = wire_properties(event);
    if !properties.is_empty() {
        set("properties", Value::Object(properties));
    }
    for name in ["traits", "context"] {
        if let Some(value) = event.personal.get(name) {
            set(name, value.clone());
        }
    }
    Value::Object(envelope).to_string()
}

/// The properties under Segment's names: orders list their products, the other events name their one product.
fn wire_properties(event: &IncomingEvent) -> Map<String, Value> {
    let known = &event.properties;
    let mut wire = match event.personal.get("properties") {
        Some(Value::Object(own)) => own.clone(),
        _ => Map::new(),
    };
    let digits = known.currency.map_or(2, |currency| currency.exponent());
    let products: Vec<Map<String, Value>> = known
        .products
        .iter()
        .map(|line| line_item(line, digits))
        .collect();
    if known.order_id.is_some() {
        wire.insert("products".to_owned(), json!(products));
    } else if let Some(product) = products.into_iter().next() {
        wire.extend(product);
    }
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            wire.insert(name.to_owned(), value);
        }
    };
    set("order_id", known.order_id.as_ref().map(|id| json!(id)));
    set("currency", known.currency.map(|code| json!(code.code())));
    set("query", known.query.as_ref().map(|query| json!(query)));
    set("rating", known.rating.map(|stars| json!(stars)));
    set(
        "decision_id",
        known.decision_id.as_ref().map(|id| json!(id)),
    );
    wire
}

fn line_item(line: &LineItem, digits: u32) -> Map<String, Value> {
    let mut entry = Map::new();
    entry.insert("product_id".to_owned(), json!(line.product_id));
    if line.quantity != 1 {
        entry.insert("quantity".to_owned(), json!(line.quantity));
    }
    if let Some(minor) = line.price_minor {
        let price = minor as f64 / 10f64.powi(digits.cast_signed());
        entry.insert("price".to_owned(), json!(price));
    }
    entry
}

/// The consents as the shopper stated them; with `withdrawn`, all that was withdrawn by then is marked so.
fn consents(shopper: &Shopper, withdrawn: Option<(Channel, i64)>) -> Vec<Consent> {
    shopper
        .permissions
        .iter()
        .map(|permission| {
            let left = permission.withdrawn.filter(|at| {
                withdrawn.is_some_and(|(channel, now)| *at <= now || permission.channel == channel)
            });
            Consent {
                channel: permission.channel,
                purpose: "marketing".to_owned(),
                state: match left {
                    Some(_) => ConsentState::Withdrawn,
                    None => ConsentState::Granted,
                },
                at: timestamp(left.unwrap_or(permission.granted)),
                source: match left {
                    Some(_) => "unsubscribe link",
                    None => "sign-up form",
                }
                .to_owned(),
            }
        })
        .collect()
}

fn traits_of(shopper: &Shopper, consents: &[Consent]) -> Value {
    json!({
        "locale": shopper.locale(),
        "timezone": shopper.zone.name(),
        "consents": consents,
    })
}

fn order_id(shopper: &Shopper, number: u32) -> String {
    format!("{}-{:03}", &shopper.user_id[1..], number + 1)
}

fn one(item: u32) -> Line {
    Line { item, quantity: 1 }
}
