//! Shopify's product export: one row a variant, then rows that only bring further pictures.
//!
//! Each variant is a product, as in a Merchant Center feed, in the group of its handle: order lines name the SKU of a
//! variant. The first row of a handle carries what its variants share, the rows below it leave that out. The export has
//! no currency; its prices are in the shop's.

use std::borrow::Cow;
use std::path::Path;

use events::{Availability, Currency, Fact, Money, Product};

use super::columns::Columns;
use super::html::plain_text;
use super::row::{Rejection, Row};
use crate::config::Config;
use crate::error::Result;

const SOURCE: &str = "shopify-products";

/// Reads the rows under one header.
#[derive(Debug)]
pub(crate) struct ShopifyProducts {
    columns: Columns<24>,
    currency: Currency,
}

impl ShopifyProducts {
    /// # Errors
    /// [`crate::EngineError::Line`] naming a missing column.
    pub(crate) fn new(path: &Path, header: &str, config: &Config) -> Result<Self> {
        // The second spelling is that of the template that Shopify introduced in 2025.
        let columns = Columns::find(
            path,
            header,
            b',',
            [
                (&["Handle", "URL handle"], true),
                (&["Title"], true),
                (&["Variant Price", "Price"], true),
                (&["Variant Compare At Price", "Compare-at price"], false),
                (&["Cost per item"], false),
                (&["Variant SKU", "SKU"], false),
                (&["Variant Inventory Qty", "Inventory quantity"], false),
                (&["Variant Inventory Tracker", "Inventory tracker"], false),
                (
                    &[
                        "Variant Inventory Policy",
                        "Continue selling when out of stock",
                    ],
                    false,
                ),
                (&["Status"], false),
                (&["Published", "Published on online store"], false),
                (&["Body (HTML)", "Description"], false),
                (&["Vendor"], false),
                (&["Product Category"], false),
                (&["Type"], false),
                (&["Variant Image", "Variant image URL"], false),
                (&["Image Src", "Product image URL"], false),
                (&["Option1 Name"], false),
                (&["Option1 Value"], false),
                (&["Option2 Name"], false),
                (&["Option2 Value"], false),
                (&["Option3 Name"], false),
                (&["Option3 Value"], false),
                (&["Google Shopping / MPN"], false),
            ],
        )?;
        Ok(Self {
            columns,
            currency: config.currency()?,
        })
    }

    pub(crate) fn map(&self, text: &str) -> Result<Row, Rejection> {
        let fields = Fields(self.columns.of(text));
        let handle = fields.get(0);
        if handle.is_empty() {
            return Err(Rejection::new(
                "missing_handle",
                "`Handle` is empty; it names the product",
            ));
        }
        let first = !fields.get(1).is_empty();
        let stated_price = fields.get(2);
        if stated_price.is_empty() && !first {
            return Ok(Row::Merged);
        }
        let price = self.money("price", stated_price)?;
        let price = price.ok_or_else(|| {
            Rejection::new("missing_price", "`Variant Price` is empty; give an amount")
        })?;
        let before = self
            .money("compare_at_price", fields.get(3))?
            .filter(|before| before.minor > price.minor);
        let stock = match fields.get(6) {
            "" => None,
            text => Some(text.parse::<i64>().map_err(|_| {
                Rejection::new(
                    "invalid_stock",
                    format!("`Variant Inventory Qty` is `{text}`; expected pieces"),
                )
            })?),
        };
        let facts = fields.options();
        let product = Product {
            id: fields.id(&facts),
            item_group_id: Some(handle.to_owned()),
            title: fields.get(1).to_owned(),
            description: plain_text(fields.get(11)),
            image_link: fields.some(15).or_else(|| fields.some(16)),
            sale_price: before.map(|_| price),
            price: Some(before.unwrap_or(price)),
            availability: fields.availability(stock),
            brand: fields.some(12),
            google_product_category: fields.some(13).or_else(|| fields.some(14)),
            cost: self.money("cost", fields.get(4))?,
            stock,
            facts,
            ..Product::default()
        };
        Ok(if first {
            Row::Product(Box::new(product))
        } else {
            Row::Variant(Box::new(product))
        })
    }

    fn money(&self, field: &str, text: &str) -> Result<Option<Money>, Rejection> {
        if text.is_empty() {
            return Ok(None);
        }
        let amount = text
            .parse::<f64>()
            .ok()
            .filter(|amount| *amount >= 0.0)
            .ok_or_else(|| {
                Rejection::new(
                    format!("invalid_{field}"),
                    format!("`{field}` is `{text}`; expected an amount such as 2.55"),
                )
            })?;
        Ok(Some(Money::from_decimal(amount, self.currency)?))
    }
}

/// The fields of a row, in the order of the columns above.
struct Fields<'a>([Cow<'a, str>; 24]);

impl Fields<'_> {
    fn get(&self, index: usize) -> &str {
        &self.0[index]
    }

    fn some(&self, index: usize) -> Option<String> {
        Some(self.get(index))
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    }

    /// The options that tell a variant from its siblings; their names stand in the first row of a handle alone.
    fn options(&self) -> Vec<Fact> {
        [17, 19, 21]
            .into_iter()
            .map(|index| (self.get(index), self.get(index + 1)))
            .filter(|(_, value)| !value.is_empty() && *value != "Default Title")
            .map(|(name, value)| Fact {
                name: name.to_lowercase(),
                value: value.to_owned(),
                source: SOURCE.to_owned(),
                valid_until: None,
            })
            .collect()
    }

    fn id(&self, options: &[Fact]) -> String {
        if let Some(sku) = self.some(5) {
            // A spreadsheet marks a number that is text with an apostrophe.
            return sku.trim_start_matches('\'').to_owned();
        }
        let parts = [self.get(0)]
            .into_iter()
            .chain(options.iter().map(|option| option.value.as_str()));
        parts.collect::<Vec<_>>().join(":")
    }

    fn availability(&self, stock: Option<i64>) -> Availability {
        let is = |index: usize, values: &[&str]| {
            values
                .iter()
                .any(|value| self.get(index).eq_ignore_ascii_case(value))
        };
        let offered = is(9, &["", "active"]) && !is(10, &["false"]);
        let tracked = !self.get(7).is_empty() && stock.is_some();
        match stock {
            _ if !offered => Availability::Discontinued,
            Some(pieces) if tracked && pieces <= 0 => {
                if is(8, &["continue", "true"]) {
                    Availability::Backorder
                } else {
                    Availability::OutOfStock
                }
            }
            _ => Availability::InStock,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "Handle,Title,Body (HTML),Vendor,Type,Option1 Name,Option1 Value,Variant SKU,\
        Variant Inventory Tracker,Variant Inventory Qty,Variant Inventory Policy,Variant Price,Variant Compare At Price,\
        Image Src,Status";

    fn map(row: &str) -> Result<Row, Rejection> {
        ShopifyProducts::new(Path::new("f.csv"), HEADER, &Config::default())
            .expect("header")
            .map(row)
    }

    #[test]
    fn a_product_has_its_variants_and_its_pictures() {
        let row = "mug,Blue mug,<p>Holds 300&nbsp;ml &amp; more</p>,Kiln,Mugs,Size,Small,M-S,shopify,4,deny,8.00,10.00,a.jpg,active";
        let Ok(Row::Product(product)) = map(row) else {
            panic!("expected a product")
        };
        assert_eq!(
            (product.id.as_str(), product.item_group_id.as_deref()),
            ("M-S", Some("mug"))
        );
        assert_eq!(product.description, "Holds 300 ml & more");
        let pence = |money: Option<Money>| money.map(|money| money.minor);
        assert_eq!(
            (pence(product.price), pence(product.sale_price)),
            (Some(1000), Some(800))
        );
        assert_eq!(
            (
                product.facts[0].name.as_str(),
                product.facts[0].value.as_str()
            ),
            ("size", "Small")
        );
        let Ok(Row::Variant(variant)) = map("mug,,,,,,Large,M-L,shopify,0,deny,9.00,,,") else {
            panic!("expected a variant")
        };
        assert_eq!(
            (variant.id.as_str(), variant.availability),
            ("M-L", Availability::OutOfStock)
        );
        assert!(matches!(map("mug,,,,,,,,,,,,,b.jpg,"), Ok(Row::Merged)));
    }

    #[test]
    fn availability_follows_status_stock_and_policy() {
        for (tail, availability) in [
            (",shopify,0,continue,1,,,active", Availability::Backorder),
            (",shopify,0,deny,1,,,active", Availability::OutOfStock),
            (",,0,deny,1,,,active", Availability::InStock),
            (",shopify,3,deny,1,,,draft", Availability::Discontinued),
            (",shopify,3,deny,1,,,archived", Availability::Discontinued),
        ] {
            let Ok(Row::Product(product)) = map(&format!("x,X,,,,,,{tail}")) else {
                panic!("expected a product")
            };
            assert_eq!(
                (product.id.as_str(), product.availability),
                ("x", availability),
                "{tail}"
            );
        }
    }

    #[test]
    fn bad_rows_are_quarantined_by_name() {
        for (row, reason) in [
            (",X,,,,,,,,,,1,,,", "missing_handle"),
            ("x,X,,,,,,,,,,,,,", "missing_price"),
            ("x,X,,,,,,,,,,free,,,", "invalid_price"),
            ("x,X,,,,,,,,,,1,was 2,,", "invalid_compare_at_price"),
            ("x,X,,,,,,,shopify,many,deny,1,,,", "invalid_stock"),
        ] {
            assert_eq!(map(row).expect_err(row).reason, reason, "{row}");
        }
    }
}
