//! Google Merchant Center's product feed: tab-separated text under the names that are also the vocabulary's.
//!
//! A sale price with a period counts only within it: one that has not begun is left out, one that has begun is kept with its
//! end. What varies within a group (colour, size, material, pattern) and every `product_detail` becomes a fact that copy may
//! state. Beside the specification's attributes, a column `stock` gives the pieces that are left, and `allowed_claims`
//! sentences that a person approved, `|` between two of them.

use std::path::Path;

use events::{Availability, Currency, Fact, Money, Product, Timestamp};

use super::columns::Columns;
use super::dates::read_period;
use super::html::plain_text;
use super::row::{Rejection, Row};
use crate::config::Config;
use crate::error::Result;

const SOURCE: &str = "merchant-feed";
const FACTS: [&str; 4] = ["color", "size", "material", "pattern"];

/// Reads the rows under one header.
#[derive(Debug)]
pub(crate) struct MerchantFeed {
    columns: Columns<21>,
    currency: Currency,
    now: Timestamp,
}

impl MerchantFeed {
    /// # Errors
    /// [`crate::EngineError::Line`] naming a missing column.
    pub(crate) fn new(path: &Path, header: &str, config: &Config, now: Timestamp) -> Result<Self> {
        // Merchant Center takes attribute names with spaces as well as with underscores.
        let columns = Columns::find(
            path,
            header,
            b'\t',
            [
                (&["id"], true),
                (&["title"], true),
                (&["price"], true),
                (&["description"], false),
                (&["link"], false),
                (&["image_link", "image link"], false),
                (&["sale_price", "sale price"], false),
                (
                    &["sale_price_effective_date", "sale price effective date"],
                    false,
                ),
                (&["availability"], false),
                (&["brand"], false),
                (
                    &["google_product_category", "google product category"],
                    false,
                ),
                (&["product_type", "product type"], false),
                (&["item_group_id", "item group id"], false),
                (&["cost_of_goods_sold", "cost of goods sold", "cost"], false),
                (&["stock"], false),
                (&["product_detail", "product detail"], false),
                (&["allowed_claims", "allowed claims"], false),
                (&["color", "colour"], false),
                (&["size"], false),
                (&["material"], false),
                (&["pattern"], false),
            ],
        )?;
        Ok(Self {
            columns,
            currency: config.currency()?,
            now,
        })
    }

    pub(crate) fn map(&self, text: &str) -> Result<Row, Rejection> {
        let [
            id,
            title,
            price,
            description,
            link,
            image_link,
            sale_price,
            sale_period,
            availability,
            brand,
            category,
            product_type,
            item_group_id,
            cost,
            stock,
            details,
            claims,
            facts @ ..,
        ] = self.columns.of(text);
        for (field, value) in [("id", &id), ("title", &title), ("price", &price)] {
            if value.is_empty() {
                return Err(Rejection::new(
                    format!("missing_{field}"),
                    format!("`{field}` is empty; every product has one"),
                ));
            }
        }
        let period = read_sale_period(&sale_period)?;
        let on_sale = period.is_none_or(|(from, until)| (from..until).contains(&self.now));
        let sale_price = self.money("sale_price", &sale_price)?.filter(|_| on_sale);
        let facts = FACTS
            .into_iter()
            .zip(facts.iter().map(AsRef::as_ref))
            .filter(|(_, value)| !value.is_empty())
            .chain(details_of(&details));
        let product = Product {
            id: id.into_owned(),
            item_group_id: some(&item_group_id),
            title: title.into_owned(),
            description: plain_text(&description),
            link: some(&link),
            image_link: some(&image_link),
            price: self.money("price", &price)?,
            sale_price,
            sale_price_until: sale_price.and(period).map(|(_, until)| until),
            availability: read_availability(&availability)?,
            allowed_claims: claims.split('|').map(str::trim).filter_map(some).collect(),
            brand: some(&brand),
            google_product_category: category_of(&category, &product_type),
            cost: self.money("cost_of_goods_sold", &cost)?,
            stock: read_stock(&stock)?,
            facts: facts
                .map(|(name, value)| Fact {
                    name: name.to_owned(),
                    value: value.to_owned(),
                    source: SOURCE.to_owned(),
                    valid_until: None,
                })
                .collect(),
        };
        Ok(Row::Product(Box::new(product)))
    }

    /// Reads `12.50 GBP`, or an amount in the shop's currency.
    fn money(&self, field: &str, text: &str) -> Result<Option<Money>, Rejection> {
        if text.is_empty() {
            return Ok(None);
        }
        let money = match text.parse::<f64>() {
            Ok(amount) => Money::from_decimal(amount, self.currency),
            Err(_) => Money::parse(text),
        };
        match money {
            Ok(money) if money.minor >= 0 => Ok(Some(money)),
            _ => Err(Rejection::new(
                format!("invalid_{field}"),
                format!(
                    "`{field}` is `{text}`; expected an amount and a currency such as 12.50 GBP"
                ),
            )),
        }
    }
}

/// When a sale price begins and ends, where it does.
fn read_sale_period(period: &str) -> Result<Option<(Timestamp, Timestamp)>, Rejection> {
    if period.is_empty() {
        return Ok(None);
    }
    let read = read_period(period).ok_or_else(|| {
        let expected = "two moments such as 2026-02-24T13:00-0800/2026-02-28T15:30-0800";
        Rejection::new(
            "invalid_sale_price_effective_date",
            format!("`sale_price_effective_date` is `{period}`; expected {expected}"),
        )
    })?;
    Ok(Some(read))
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn read_availability(text: &str) -> Result<Availability, Rejection> {
    Ok(match text.to_lowercase().replace(' ', "_").as_str() {
        "" | "in_stock" => Availability::InStock,
        "out_of_stock" => Availability::OutOfStock,
        "preorder" => Availability::Preorder,
        "backorder" => Availability::Backorder,
        _ => {
            let expected = "in_stock, out_of_stock, preorder or backorder";
            return Err(Rejection::new(
                "invalid_availability",
                format!("`availability` is `{text}`; expected {expected}"),
            ));
        }
    })
}

/// Google's category, unless it is the bare number of its taxonomy and the shop has a name of its own.
fn category_of(google: &str, own: &str) -> Option<String> {
    let number = google.bytes().all(|byte| byte.is_ascii_digit());
    some(if number && !own.is_empty() {
        own
    } else {
        google
    })
}

/// The facts of a `product_detail`: `section:attribute:value`, separated by commas; the section may be empty.
fn details_of(details: &str) -> impl Iterator<Item = (&str, &str)> {
    details.split(',').filter_map(|detail| {
        let mut parts = detail.trim().splitn(3, ':');
        let (_section, name, value) = (parts.next()?, parts.next()?.trim(), parts.next()?.trim());
        (!name.is_empty() && !value.is_empty()).then_some((name, value))
    })
}

fn read_stock(text: &str) -> Result<Option<i64>, Rejection> {
    if text.is_empty() {
        return Ok(None);
    }
    match text.parse::<i64>() {
        Ok(stock) if stock >= 0 => Ok(Some(stock)),
        _ => Err(Rejection::new(
            "invalid_stock",
            format!("`stock` is `{text}`; expected a whole number of pieces"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "id\ttitle\tprice\tsale price\tsale_price_effective_date\tavailability\tgoogle_product_category\tproduct_type\tcolor";

    fn map(row: &str) -> Result<Product, Rejection> {
        let now = "2026-02-25T00:00:00Z".parse().expect("valid");
        let feed =
            MerchantFeed::new(Path::new("f.tsv"), HEADER, &Config::default(), now).expect("header");
        match feed.map(row)? {
            Row::Product(product) => Ok(*product),
            _ => panic!("expected a product"),
        }
    }

    #[test]
    fn stock_and_details_are_read() {
        let header = "id\ttitle\tprice\tcost\tstock\tproduct_detail\tallowed_claims";
        let now = Timestamp::UNIX_EPOCH;
        let feed =
            MerchantFeed::new(Path::new("f.tsv"), header, &Config::default(), now).expect("header");
        let line = "m\tMug\t10.00 GBP\t4 GBP\t7\t:capacity:350 ml,Care:wash:by hand,broken\tAs warm as toast.| Made to last. |";
        let Ok(Row::Product(product)) = feed.map(line) else {
            panic!("expected a product");
        };
        assert_eq!(
            (product.stock, product.cost.map(|cost| cost.minor)),
            (Some(7), Some(400))
        );
        let facts: Vec<(&str, &str)> = product
            .facts
            .iter()
            .map(|fact| (fact.name.as_str(), fact.value.as_str()))
            .collect();
        assert_eq!(facts, [("capacity", "350 ml"), ("wash", "by hand")]);
        assert_eq!(
            product.allowed_claims,
            ["As warm as toast.", "Made to last."]
        );
        let bad = feed.map("m\tMug\t10.00 GBP\t\tmany\t").expect_err("bad");
        assert_eq!(bad.reason, "invalid_stock");
    }

    #[test]
    fn a_product_is_read() {
        let product = map("m-1\t15\" Mug\t10.00 GBP\t8\t\tin stock\t2169\tKitchen > Mugs\tblue")
            .expect("kept");
        assert_eq!(
            (product.title.as_str(), product.availability),
            ("15\" Mug", Availability::InStock)
        );
        assert_eq!(product.current_price().map(|price| price.minor), Some(800));
        assert_eq!(
            product.google_product_category.as_deref(),
            Some("Kitchen > Mugs")
        );
        assert_eq!(product.facts[0].value, "blue");
    }

    #[test]
    fn a_sale_price_counts_within_its_period() {
        for (period, price) in [
            ("2026-02-24T13:00-0800/2026-02-28T15:30-0800", 800),
            ("2026-02-24/2026-02-28", 800),
            ("2026-02-01T00:00Z/2026-02-20T00:00Z", 1000),
        ] {
            let product = map(&format!("m\tM\t10 GBP\t8 GBP\t{period}\t\t\t\t")).expect("kept");
            assert_eq!(
                product.current_price().map(|price| price.minor),
                Some(price),
                "{period}"
            );
            let march = "2026-03-01T00:00:00Z".parse().expect("valid");
            let later = product.current_price_at(march);
            assert_eq!(later.map(|price| price.minor), Some(1000), "{period}");
        }
    }

    #[test]
    fn bad_rows_are_quarantined_by_name() {
        for (row, reason) in [
            ("\tM\t1 GBP", "missing_id"),
            ("m\t\t1 GBP", "missing_title"),
            ("m\tM\t", "missing_price"),
            ("m\tM\tcheap", "invalid_price"),
            ("m\tM\t-1 GBP", "invalid_price"),
            ("m\tM\t2 GBP\t1 POUND", "invalid_sale_price"),
            ("m\tM\t2 GBP\t\tnow", "invalid_sale_price_effective_date"),
            ("m\tM\t2 GBP\t\t\tsoon", "invalid_availability"),
        ] {
            assert_eq!(map(row).expect_err(row).reason, reason, "{row}");
        }
    }
}
