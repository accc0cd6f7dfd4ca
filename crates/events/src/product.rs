use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Money;

/// One product of the catalogue, under Merchant Center's names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Product {
    /// The shop's identifier of the product.
    pub id: String,
    /// The group of variants (sizes, colours) that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item_group_id: Option<String>,
    /// The name that is shown.
    pub title: String,
    /// A longer text.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The page of the product.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// A picture of the product.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_link: Option<String>,
    /// The regular price.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<Money>,
    /// The reduced price, while there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sale_price: Option<Money>,
    /// When the reduced price ends; without end where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sale_price_until: Option<Timestamp>,
    /// Whether it can be bought now.
    pub availability: Availability,
    /// The maker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    /// The category as the shop names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub google_product_category: Option<String>,
    /// What a piece costs the shop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<Money>,
    /// Pieces in stock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stock: Option<i64>,
    /// What may be stated about it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<Fact>,
    /// Sentences that a person has approved for it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed_claims: Vec<String>,
}

/// A statement about a product that copy may use: a value, never a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// What it is about, such as `material`.
    pub name: String,
    /// The value as it is shown, such as `stoneware`.
    pub value: String,
    /// Where it comes from.
    pub source: String,
    /// Until when it holds; without end where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Timestamp>,
}

/// Whether a product can be bought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Availability {
    /// It can be bought now.
    #[default]
    InStock,
    /// It cannot.
    OutOfStock,
    /// It can be ordered before its release.
    Preorder,
    /// It can be ordered and comes later.
    Backorder,
    /// It is no longer sold.
    Discontinued,
}

impl Product {
    /// The price that a shopper pays now: the sale price where there is one below the regular price.
    pub fn current_price(&self) -> Option<Money> {
        match (self.price, self.sale_price) {
            (Some(price), Some(sale))
                if sale.currency == price.currency && sale.minor < price.minor =>
            {
                Some(sale)
            }
            (price, _) => price,
        }
    }

    /// The price that a shopper pays at `now`: the regular one once the sale price has ended.
    pub fn current_price_at(&self, now: Timestamp) -> Option<Money> {
        match self.sale_price_until {
            Some(until) if until <= now => self.price,
            _ => self.current_price(),
        }
    }

    /// The sale price, where it is what a shopper pays at `now`.
    pub fn sale_price_at(&self, now: Timestamp) -> Option<Money> {
        self.sale_price
            .filter(|_| self.current_price_at(now) == self.sale_price)
    }

    /// The value of a fact that holds at `now`.
    pub fn fact(&self, name: &str, now: Timestamp) -> Option<&str> {
        self.facts
            .iter()
            .find(|fact| fact.name == name && fact.valid_until.is_none_or(|until| until > now))
            .map(|fact| fact.value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Currency;

    #[test]
    fn an_expired_fact_is_no_fact() {
        let at = |text: &str| text.parse::<Timestamp>().expect("valid");
        let product = Product {
            facts: vec![Fact {
                name: "offer".to_owned(),
                value: "2 for 1".to_owned(),
                source: "shop".to_owned(),
                valid_until: Some(at("2026-06-01T00:00:00Z")),
            }],
            ..Product::default()
        };
        assert_eq!(
            product.fact("offer", at("2026-05-31T23:59:59Z")),
            Some("2 for 1")
        );
        assert_eq!(product.fact("offer", at("2026-06-01T00:00:00Z")), None);
        assert_eq!(product.fact("colour", at("2026-05-01T00:00:00Z")), None);
    }

    #[test]
    fn a_sale_price_counts_only_below_the_price() {
        let gbp = |minor| {
            Some(Money {
                minor,
                currency: Currency::GBP,
            })
        };
        let product = |price, sale_price| Product {
            price,
            sale_price,
            ..Product::default()
        };
        assert_eq!(product(gbp(500), gbp(400)).current_price(), gbp(400));
        assert_eq!(product(gbp(500), gbp(600)).current_price(), gbp(500));
        assert_eq!(product(None, gbp(400)).current_price(), None);
        let ends = Product {
            sale_price_until: Some(Timestamp::UNIX_EPOCH),
            ..product(gbp(500), gbp(400))
        };
        let before = Timestamp::from_second(-1).expect("valid");
        assert_eq!(ends.sale_price_at(before), gbp(400));
        assert_eq!(ends.sale_price_at(Timestamp::UNIX_EPOCH), None);
        assert_eq!(ends.current_price_at(Timestamp::UNIX_EPOCH), gbp(500));
    }
}
