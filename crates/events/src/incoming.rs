use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::{Currency, DecisionId, EventError, EventKind, Identity, LineItem, Money, Properties};

/// An event as it arrives: Segment's envelope, its identifiers still in it.
#[derive(Debug, Clone, PartialEq)]
pub struct IncomingEvent {
    /// Segment's `messageId`; the event is counted once per value.
    pub message_id: String,
    /// Who did it; `userId` wins over `anonymousId`.
    pub identity: Identity,
    /// The second identifier where the envelope names both, which links the two.
    pub alias: Option<Identity>,
    /// What it was.
    pub kind: EventKind,
    /// When it happened.
    pub at: Timestamp,
    /// What it was about.
    pub properties: Properties,
    /// Traits, context, review text and every property that the vocabulary does not know: personal data.
    pub personal: Map<String, Value>,
}

impl IncomingEvent {
    /// Reads one envelope.
    ///
    /// # Errors
    /// [`EventError`] naming the field that is missing or malformed.
    pub fn from_json(line: &str) -> Result<Self, EventError> {
        let envelope: Map<String, Value> =
            serde_json::from_str(line).map_err(|error| EventError::Envelope {
                detail: error.to_string(),
            })?;
        Self::from_envelope(envelope)
    }

    /// Reads an envelope that is parsed already.
    ///
    /// # Errors
    /// [`EventError`] naming the field that is missing or malformed.
    pub fn from_envelope(mut envelope: Map<String, Value>) -> Result<Self, EventError> {
        let message_id = take_text(&mut envelope, "messageId").ok_or(EventError::Missing {
            field: "messageId",
            remedy: "give each event a unique one; it makes retries harmless",
        })?;
        let user = take_text(&mut envelope, "userId").map(Identity::User);
        let anonymous = take_text(&mut envelope, "anonymousId").map(Identity::Anonymous);
        let (identity, alias) = match (user, anonymous) {
            (Some(user), anonymous) => (user, anonymous),
            (None, Some(anonymous)) => (anonymous, None),
            (None, None) => {
                return Err(EventError::Missing {
                    field: "userId",
                    remedy: "give `userId` or `anonymousId`",
                });
            }
        };
        let at = read_timestamp(&mut envelope)?;
        let kind = read_kind(&mut envelope)?;
        let mut wire = match envelope.remove("properties") {
            Some(Value::Object(properties)) => properties,
            None | Some(Value::Null) => Map::new(),
            Some(other) => {
                return Err(EventError::invalid(
                    "properties",
                    &other.to_string(),
                    "an object",
                ));
            }
        };
        let properties = read_properties(&mut wire)?;
        let mut personal = Map::new();
        for (name, value) in [("properties", Value::Object(wire))]
            .into_iter()
            .filter(|(_, value)| value.as_object().is_some_and(|map| !map.is_empty()))
        {
            personal.insert(name.to_owned(), value);
        }
        for name in ["traits", "context"] {
            if let Some(value) = envelope.remove(name).filter(|value| !value.is_null()) {
                personal.insert(name.to_owned(), value);
            }
        }
        Ok(Self {
            message_id,
            identity,
            alias,
            kind,
            at,
            properties,
            personal,
        })
    }
}

fn read_timestamp(envelope: &mut Map<String, Value>) -> Result<Timestamp, EventError> {
    let text = ["timestamp", "originalTimestamp", "sentAt", "receivedAt"]
        .into_iter()
        .find_map(|name| take_text(envelope, name))
        .ok_or(EventError::Missing {
            field: "timestamp",
            remedy: "give it in RFC 3339, such as 2026-05-01T09:30:00Z",
        })?;
    text.parse().map_err(|_| {
        EventError::invalid("timestamp", &text, "RFC 3339, such as 2026-05-01T09:30:00Z")
    })
}

fn read_kind(envelope: &mut Map<String, Value>) -> Result<EventKind, EventError> {
    let call = take_text(envelope, "type").unwrap_or_else(|| "track".to_owned());
    match call.as_str() {
        "track" => match take_text(envelope, "event") {
            Some(name) => Ok(EventKind::from_name(&name)),
            None => Err(EventError::Missing {
                field: "event",
                remedy: "a `track` call names its event",
            }),
        },
        "page" | "screen" => Ok(EventKind::PageViewed),
        "identify" | "alias" | "group" => Ok(EventKind::Identified),
        _ => Err(EventError::invalid(
            "type",
            &call,
            "one of track, page, screen, identify, alias, group",
        )),
    }
}

/// Takes the fields that the vocabulary knows out of `wire`; what remains there is unknown and so personal.
fn read_properties(wire: &mut Map<String, Value>) -> Result<Properties, EventError> {
    let currency = take_text(wire, "currency")
        .map(|code| Currency::parse(&code))
        .transpose()?;
    let mut products = Vec::new();
    match wire.remove("products").or_else(|| wire.remove("items")) {
        Some(Value::Array(entries)) => {
            for entry in entries {
                let Value::Object(mut entry) = entry else {
                    return Err(EventError::invalid(
                        "products",
                        &entry.to_string(),
                        "an array of objects",
                    ));
                };
                products.extend(read_line_item(&mut entry, currency)?);
            }
        }
        None | Some(Value::Null) => {}
        Some(other) => {
            return Err(EventError::invalid(
                "products",
                &other.to_string(),
                "an array of objects",
            ));
        }
    }
    products.extend(read_line_item(wire, currency)?);
    Ok(Properties {
        order_id: take_text(wire, "order_id").or_else(|| take_text(wire, "transaction_id")),
        products,
        currency,
        query: take_text(wire, "query").or_else(|| take_text(wire, "search_term")),
        rating: wire
            .remove("rating")
            .and_then(|value| number(&value))
            .map(|stars| stars as f32),
        decision_id: take_text(wire, "decision_id").map(DecisionId),
    })
}

fn read_line_item(
    entry: &mut Map<String, Value>,
    currency: Option<Currency>,
) -> Result<Option<LineItem>, EventError> {
    let Some(product_id) = ["product_id", "item_id", "sku"]
        .into_iter()
        .find_map(|name| take_text(entry, name))
    else {
        return Ok(None);
    };
    let quantity = match entry.remove("quantity").filter(|value| !value.is_null()) {
        None => 1,
        Some(value) => number(&value)
            .filter(|pieces| (1.0..=1e9).contains(pieces))
            .ok_or_else(|| {
                EventError::invalid(
                    "quantity",
                    &value.to_string(),
                    "a number of pieces from 1 to 10^9",
                )
            })? as u32,
    };
    let price_minor = match entry.remove("price").filter(|value| !value.is_null()) {
        None => None,
        Some(value) => {
            let amount = number(&value)
                .filter(|amount| *amount >= 0.0)
                .ok_or_else(|| {
                    EventError::invalid("price", &value.to_string(), "an amount of at least 0")
                })?;
            Some(Money::from_decimal(amount, currency.unwrap_or(Currency::USD))?.minor)
        }
    };
    Ok(Some(LineItem {
        product_id,
        quantity,
        price_minor,
    }))
}

/// Takes a field as trimmed text; numbers are accepted, since shops send numeric ids. Empty text counts as absent.
fn take_text(map: &mut Map<String, Value>, name: &str) -> Option<String> {
    let text = match map.remove(name)? {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        other => {
            map.insert(name.to_owned(), other);
            return None;
        }
    };
    (!text.is_empty()).then_some(text)
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
    .filter(|number: &f64| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(body: &str) -> String {
        format!(r#"{{"messageId":"m","userId":"ada","timestamp":"2026-05-01T09:30:00Z",{body}}}"#)
    }

    #[test]
    fn an_order_is_read_with_its_products_and_the_rest_is_personal() {
        let line = envelope(
            r#""type":"track","event":"Order Completed","anonymousId":"a1","traits":{"city":"Leeds"},
               "properties":{"order_id":42,"currency":"gbp","gift_note":"for mum",
               "products":[{"product_id":"p1","price":"2.55","quantity":6},{"sku":"p2"}]}"#,
        );
        let event = IncomingEvent::from_json(&line).expect("valid");
        assert_eq!(event.kind, EventKind::OrderCompleted);
        assert_eq!(event.identity, Identity::User("ada".to_owned()));
        assert_eq!(event.alias, Some(Identity::Anonymous("a1".to_owned())));
        assert_eq!(event.properties.order_id.as_deref(), Some("42"));
        assert_eq!(event.properties.products.len(), 2);
        assert_eq!(event.properties.products[0].price_minor, Some(255));
        assert_eq!(event.personal["properties"]["gift_note"], "for mum");
        assert_eq!(event.personal["traits"]["city"], "Leeds");
    }

    #[test]
    fn ga4_names_are_aliases() {
        let line = envelope(r#""event":"add_to_cart","properties":{"items":[{"item_id":"x"}]}"#);
        let event = IncomingEvent::from_json(&line).expect("valid");
        assert_eq!(event.kind, EventKind::ProductAdded);
        assert_eq!(event.properties.products, [LineItem::of("x")]);
    }

    #[test]
    fn bad_envelopes_name_the_field_and_the_remedy() {
        let bad_timestamp = envelope(r#""event":"x""#).replace("2026-05-01T09:30:00Z", "yesterday");
        for (line, message) in [
            (
                r#"{"userId":"a"}"#.to_owned(),
                "`messageId` is missing; give each event a unique one; it makes retries harmless",
            ),
            (
                r#"{"messageId":"m"}"#.to_owned(),
                "`userId` is missing; give `userId` or `anonymousId`",
            ),
            (
                envelope(r#""type":"track""#),
                "`event` is missing; a `track` call names its event",
            ),
            (
                envelope(r#""type":"dance""#),
                "`type` is `dance`; expected one of track, page, screen, identify, alias, group",
            ),
            (
                bad_timestamp,
                "`timestamp` is `yesterday`; expected RFC 3339, such as 2026-05-01T09:30:00Z",
            ),
            (
                envelope(
                    r#""event":"purchase","properties":{"products":[{"product_id":"p","quantity":0}]}"#,
                ),
                "`quantity` is `0`; expected a number of pieces from 1 to 10^9",
            ),
            (
                envelope(r#""event":"purchase","properties":{"product_id":"p","price":-1}"#),
                "`price` is `-1`; expected an amount of at least 0",
            ),
        ] {
            assert_eq!(
                IncomingEvent::from_json(&line)
                    .expect_err("bad")
                    .to_string(),
                message,
                "{line}"
            );
        }
        let error = IncomingEvent::from_json("{").expect_err("bad");
        assert_eq!(error.reason(), "not_an_event");
    }
}
