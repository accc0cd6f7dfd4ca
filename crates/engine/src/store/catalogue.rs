//! The catalogue: as imported, or put together from what order lines say.

use std::collections::BTreeMap;

use events::{Availability, Currency, Money, Product};
use rusqlite::{OptionalExtension, params};

use super::Store;
use crate::error::{EngineError, Result};

const DAY_MS: i64 = 86_400_000;

/// All products of the shop, in the order of their ids.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    /// The products by id.
    pub products: BTreeMap<String, Product>,
    /// A hash of all of them, which decisions record.
    pub version: String,
}

/// How often and until when order lines said something of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) lines: i64,
    pub(crate) last_ms: i64,
}

impl Store {
    /// Counts order lines that carry a title of a product.
    pub(crate) fn count_title(&self, product_id: &str, title: &str, seen: Seen) -> Result<()> {
        let count = "INSERT INTO product_titles VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT DO UPDATE SET lines = lines + excluded.lines, last_ms = max(last_ms, excluded.last_ms)";
        self.connection
            .prepare_cached(count)
            .and_then(|mut statement| {
                statement.execute(params![product_id, title, seen.lines, seen.last_ms])
            })
            .map(drop)
            .map_err(self.fault("count a title"))
    }

    /// Counts order lines that carry a price of a product.
    pub(crate) fn count_price(&self, product_id: &str, price_minor: i64, seen: Seen) -> Result<()> {
        let count = "INSERT INTO product_prices VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT DO UPDATE SET lines = lines + excluded.lines, last_ms = max(last_ms, excluded.last_ms)";
        self.connection
            .prepare_cached(count)
            .and_then(|mut statement| {
                statement.execute(params![product_id, price_minor, seen.lines, seen.last_ms])
            })
            .map(drop)
            .map_err(self.fault("count a price"))
    }

    /// Writes a product; one from a catalogue file replaces one that was derived, never the other way round.
    pub(crate) fn put_product(&self, product: &Product, derived: bool) -> Result<bool> {
        let json = serde_json::to_string(product).map_err(|error| EngineError::Corrupt {
            what: "product",
            place: product.id.clone(),
            detail: error.to_string(),
        })?;
        let upsert = "INSERT INTO products VALUES (?1, ?2, ?3)
                      ON CONFLICT DO UPDATE SET product = excluded.product, derived = excluded.derived
                      WHERE excluded.derived <= derived AND excluded.product <> product";
        self.connection
            .prepare_cached(upsert)
            .and_then(|mut statement| statement.execute(params![product.id, json, derived]))
            .map(|rows| rows == 1)
            .map_err(self.fault("write a product"))
    }

    /// Puts products together from the titles and prices seen on order lines: the title that most lines carry,
    /// the price of most lines within `in_stock_days` of the product's last sale, in stock while that sale is recent.
    pub(crate) fn derive_products(&self, currency: Currency, in_stock_days: i64) -> Result<u64> {
        let newest = self.log_summary()?.last_ms;
        // Ties are broken by the newer and then by the smaller value, so that a rerun derives the same catalogue.
        let query = "
            WITH best_title AS (
                SELECT product_id, title, row_number() OVER (
                    PARTITION BY product_id ORDER BY lines DESC, last_ms DESC, title) AS place
                FROM product_titles),
            last_sale AS (SELECT product_id, max(last_ms) AS last_ms FROM product_prices GROUP BY product_id),
            best_price AS (
                SELECT product_id, price_minor, last_sale.last_ms, row_number() OVER (
                    PARTITION BY product_id
                    ORDER BY product_prices.last_ms >= last_sale.last_ms - ?1 DESC, lines DESC, product_prices.last_ms DESC, price_minor
                ) AS place
                FROM product_prices JOIN last_sale USING (product_id))
            SELECT product_id, title, price_minor, last_ms
            FROM best_title JOIN best_price USING (product_id)
            WHERE best_title.place = 1 AND best_price.place = 1
            ORDER BY product_id";
        let window_ms = in_stock_days * DAY_MS;
        let mut statement = self
            .connection
            .prepare(query)
            .map_err(self.fault("derive products"))?;
        let derived = statement
            .query_map([window_ms], |row| {
                let last_ms: i64 = row.get(3)?;
                Ok(Product {
                    id: row.get(0)?,
                    title: row.get(1)?,
                    price: Some(Money {
                        minor: row.get(2)?,
                        currency,
                    }),
                    availability: if last_ms + window_ms >= newest {
                        Availability::InStock
                    } else {
                        Availability::OutOfStock
                    },
                    ..Product::default()
                })
            })
            .and_then(Iterator::collect::<rusqlite::Result<Vec<_>>>)
            .map_err(self.fault("derive products"))?;
        let categories = features::derive_categories(
            &derived
                .iter()
                .map(|product| product.title.as_str())
                .collect::<Vec<_>>(),
        );
        let mut written = 0;
        for (mut product, category) in derived.into_iter().zip(categories) {
            product.google_product_category = category;
            written += u64::from(self.put_product(&product, true)?);
        }
        Ok(written)
    }

    /// Some product of a group, with what its variants share.
    pub(crate) fn product_of_group(&self, group: &str) -> Result<Option<Product>> {
        let query = "SELECT product FROM products WHERE json_extract(product, '$.item_group_id') = ?1 ORDER BY id LIMIT 1";
        let json: Option<String> = self
            .connection
            .prepare_cached(query)
            .and_then(|mut statement| statement.query_row([group], |row| row.get(0)).optional())
            .map_err(self.fault("read its catalogue"))?;
        let corrupt = |error: serde_json::Error| EngineError::Corrupt {
            what: "product",
            place: format!("group {group}"),
            detail: error.to_string(),
        };
        json.map(|json| serde_json::from_str(&json).map_err(corrupt))
            .transpose()
    }

    /// Reads the whole catalogue.
    ///
    /// # Errors
    /// [`EngineError::Corrupt`] naming a product that cannot be read.
    pub fn catalogue(&self) -> Result<Catalogue> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT id, product FROM products ORDER BY id")
            .map_err(self.fault("read its catalogue"))?;
        let mut rows = statement
            .query([])
            .map_err(self.fault("read its catalogue"))?;
        let mut catalogue = Catalogue::default();
        let mut hasher = blake3::Hasher::new();
        while let Some(row) = rows.next().map_err(self.fault("read its catalogue"))? {
            let id: String = row.get(0).map_err(self.fault("read its catalogue"))?;
            let json: String = row.get(1).map_err(self.fault("read its catalogue"))?;
            hasher.update(json.as_bytes());
            let product = serde_json::from_str(&json).map_err(|error| EngineError::Corrupt {
                what: "product",
                place: id.clone(),
                detail: error.to_string(),
            })?;
            catalogue.products.insert(id, product);
        }
        catalogue.version = format!("catalogue-{}", &hasher.finalize().to_hex()[..12]);
        Ok(catalogue)
    }
}
