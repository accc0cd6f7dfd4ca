use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Currency, DecisionId, EventKind, MessageKey, Pseudonym};

/// One thing a shopper did, under a pseudonym: what the log holds and every fold reads.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The key under which it is counted once.
    pub message: MessageKey,
    /// Who did it.
    pub user: Pseudonym,
    /// What it was.
    pub kind: EventKind,
    /// When it happened.
    pub at: Timestamp,
    /// What it was about.
    pub properties: Properties,
}

/// What an event was about, under the names of Segment's Ecommerce specification.
///
/// Nothing in here names a person: traits, review texts and fields that the vocabulary does not know are
/// personal data, and the engine keeps them encrypted beside the event.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Properties {
    /// The order that an order event belongs to. A file export brings an order line by line, in several events
    /// with the same `order_id`; a fold counts the order once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<String>,
    /// The products concerned; one entry for the single-product events.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub products: Vec<LineItem>,
    /// The currency of every price in `products`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// What was searched for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// The stars of a review, 1 to 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rating: Option<f32>,
    /// The decision whose message this event answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision_id: Option<DecisionId>,
}

/// One product of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineItem {
    /// The catalogue's `id`.
    pub product_id: String,
    /// Pieces, at least 1; a refund states the pieces that came back.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub quantity: u32,
    /// Price of one piece in minor units, where the event states it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_minor: Option<i64>,
}

impl LineItem {
    /// One piece of a product at an unstated price.
    pub fn of(product_id: impl Into<String>) -> Self {
        Self {
            product_id: product_id.into(),
            quantity: 1,
            price_minor: None,
        }
    }

    /// Price times pieces in minor units; 0 where the price is not stated.
    pub fn amount_minor(&self) -> i64 {
        self.price_minor
            .unwrap_or(0)
            .saturating_mul(i64::from(self.quantity))
    }
}

fn one() -> u32 {
    1
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde's `skip_serializing_if` passes a reference"
)]
fn is_one(quantity: &u32) -> bool {
    *quantity == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_keep_their_short_json_form() {
        let properties = Properties {
            order_id: Some("536365".to_owned()),
            products: vec![LineItem {
                product_id: "85123A".to_owned(),
                quantity: 6,
                price_minor: Some(255),
            }],
            currency: Some(Currency::GBP),
            ..Properties::default()
        };
        let json = serde_json::to_string(&properties).expect("serialises");
        assert_eq!(
            json,
            r#"{"order_id":"536365","products":[{"product_id":"85123A","quantity":6,"price_minor":255}],"currency":"GBP"}"#
        );
        assert_eq!(
            serde_json::from_str::<Properties>(&json).expect("parses"),
            properties
        );
        assert_eq!(properties.products[0].amount_minor(), 1530);
        assert_eq!(
            serde_json::to_string(&LineItem::of("x")).expect("serialises"),
            r#"{"product_id":"x"}"#
        );
    }
}
