use std::collections::HashMap;

use events::Product;
use jiff::tz::TimeZone;

use crate::{PriceBands, categories::derive_categories};

/// What the fold knows beside the events: the fields of each product, the price bands and the shop's time zone.
#[derive(Debug, Clone)]
pub struct ProductIndex {
    slots: HashMap<ProductKey, u32>,
    ids: Vec<String>,
    fields: Vec<ProductFields>,
    bands: Option<PriceBands>,
    time_zone: TimeZone,
}

/// The fields of a product that interests are made of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProductFields {
    /// The name that is shown.
    pub title: String,
    /// The shop's category, or the one derived from the titles where the catalogue has none at all.
    pub category: Option<String>,
    /// The maker.
    pub brand: Option<String>,
    /// The current price of a piece in minor units.
    pub price_minor: Option<i64>,
    /// The price band, 1 (cheapest) to 5.
    pub price_band: Option<u8>,
}

/// A product's name inside a profile: the 64-bit FNV-1a hash of its `id`.
///
/// A profile that keys its history by this outlives every change of the catalogue, needs no text per product, and
/// also keeps products the catalogue does not know. Among a million products two share a key with probability 3·10⁻⁸.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct ProductKey(pub u64);

impl ProductKey {
    /// Hashes a product's `id`.
    pub fn of(product_id: &str) -> Self {
        Self(fnv1a(product_id.as_bytes()))
    }
}

/// The 64-bit FNV-1a hash (Fowler, Noll and Vo), the same on every machine and in every version.
pub(crate) fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

impl ProductIndex {
    /// Indexes a catalogue with price bands of its own and UTC as the time zone.
    ///
    /// Where no product has a category, categories are derived from the titles by [`derive_categories`].
    pub fn new(products: &[Product]) -> Self {
        let prices = products
            .iter()
            .filter_map(|product| product.current_price().map(|price| price.minor));
        Self::with_bands(products, PriceBands::of_prices(prices))
    }

    /// Indexes a catalogue with price bands that were saved earlier.
    pub fn with_bands(products: &[Product], bands: Option<PriceBands>) -> Self {
        let has_none = products
            .iter()
            .all(|product| product.google_product_category.is_none());
        let titles: Vec<&str> = products
            .iter()
            .filter(|_| has_none)
            .map(|product| product.title.as_str())
            .collect();
        let derived = derive_categories(&titles);
        let mut index = Self {
            slots: HashMap::with_capacity(products.len()),
            ids: Vec::with_capacity(products.len()),
            fields: Vec::with_capacity(products.len()),
            bands,
            time_zone: TimeZone::UTC,
        };
        for (at, product) in products.iter().enumerate() {
            let fields = index.fields_of(product, derived.get(at).cloned().flatten());
            index.insert(&product.id, fields);
        }
        index
    }

    /// Counts hours and weekdays in this time zone.
    #[must_use]
    pub fn with_time_zone(mut self, time_zone: TimeZone) -> Self {
        self.time_zone = time_zone;
        self
    }

    /// The fields of a product; `None` for one the catalogue does not know.
    pub fn get(&self, product_id: &str) -> Option<&ProductFields> {
        self.by_key(ProductKey::of(product_id))
    }

    /// The fields of a product under its key.
    pub fn by_key(&self, key: ProductKey) -> Option<&ProductFields> {
        self.slots
            .get(&key)
            .map(|slot| &self.fields[*slot as usize])
    }

    /// The `id` behind a key; `None` for a product the catalogue does not know.
    pub fn id_of(&self, key: ProductKey) -> Option<&str> {
        self.slots
            .get(&key)
            .map(|slot| self.ids[*slot as usize].as_str())
    }

    /// All products in the catalogue's order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &ProductFields)> {
        self.ids.iter().map(String::as_str).zip(&self.fields)
    }

    /// Number of products.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether the catalogue is empty.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The price bands in use; `None` where no product has a price.
    pub fn price_bands(&self) -> Option<&PriceBands> {
        self.bands.as_ref()
    }

    /// The time zone in which hours and weekdays are counted.
    pub fn time_zone(&self) -> &TimeZone {
        &self.time_zone
    }

    fn fields_of(&self, product: &Product, derived: Option<String>) -> ProductFields {
        let price_minor = product.current_price().map(|price| price.minor);
        ProductFields {
            title: product.title.clone(),
            category: product.google_product_category.clone().or(derived),
            brand: product.brand.clone(),
            price_minor,
            price_band: price_minor
                .filter(|price| *price > 0)
                .zip(self.bands.as_ref())
                .map(|(price, bands)| bands.band(price)),
        }
    }

    /// Adds a product; a second one of the same `id` replaces the first.
    fn insert(&mut self, id: &str, fields: ProductFields) {
        let slot = *self
            .slots
            .entry(ProductKey::of(id))
            .or_insert(self.ids.len() as u32) as usize;
        if slot == self.ids.len() {
            self.ids.push(id.to_owned());
            self.fields.push(fields);
        } else {
            self.fields[slot] = fields;
        }
    }
}

#[cfg(test)]
mod tests {
    use events::{Currency, Money};

    use super::*;

    fn product(id: &str, title: &str, minor: i64) -> Product {
        Product {
            id: id.to_owned(),
            title: title.to_owned(),
            price: Some(Money {
                minor,
                currency: Currency::GBP,
            }),
            ..Product::default()
        }
    }

    #[test]
    fn hashes_are_those_of_the_fnv_authors() {
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn fields_are_found_by_id_and_by_key() {
        let index = ProductIndex::new(&[product("a", "A", 100), product("b", "B", 900)]);
        assert_eq!(index.get("b").map(|b| b.price_band), Some(Some(3)));
        assert_eq!(index.id_of(ProductKey::of("a")), Some("a"));
        assert_eq!(index.get("c"), None);
        assert_eq!(
            index.iter().map(|(id, _)| id).collect::<Vec<_>>(),
            ["a", "b"]
        );
    }

    #[test]
    fn saved_bands_outlive_new_prices() {
        let old = ProductIndex::new(&[product("a", "A", 100), product("b", "B", 900)]);
        let bands = old.price_bands().cloned();
        let dear = ProductIndex::with_bands(&[product("a", "A", 5000)], bands.clone());
        assert_eq!(dear.get("a").and_then(|a| a.price_band), Some(5));
        assert_eq!(dear.price_bands(), bands.as_ref());
        let free = ProductIndex::with_bands(&[product("a", "A", 0)], bands);
        assert_eq!(free.get("a").and_then(|a| a.price_band), None);
    }

    #[test]
    fn a_second_row_of_a_product_replaces_the_first() {
        let index = ProductIndex::new(&[product("a", "Old", 100), product("a", "New", 100)]);
        assert_eq!((index.len(), index.is_empty()), (1, false));
        assert_eq!(index.get("a").map(|a| a.title.as_str()), Some("New"));
    }

    #[test]
    fn categories_are_derived_only_where_there_are_none() {
        let mut products: Vec<Product> = (0..8)
            .map(|n| product(&n.to_string(), &format!("N{n} LAMP"), 100))
            .collect();
        let category = |products: &[Product]| {
            ProductIndex::new(products)
                .get("3")
                .and_then(|p| p.category.clone())
        };
        assert_eq!(category(&products), Some("lamp".to_owned()));
        products[0].google_product_category = Some("Lighting".to_owned());
        assert_eq!(category(&products), None);
    }
}
