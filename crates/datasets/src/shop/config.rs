use events::Language;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::DatasetError;

/// The size, the language and the period of a simulated shop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ShopConfig {
    /// Products in the catalogue, 60 to 20,000. Default: 600.
    pub products: usize,
    /// Shoppers, 10 to 1,000,000. Default: 4,000.
    pub shoppers: usize,
    /// Days of history, 30 to 3,650. Default: 365.
    pub days: u32,
    /// The day after the last day of history; the history ends at its midnight UTC. Default: 2026-07-01.
    pub end: Date,
    /// The language of the catalogue; the prices are in pounds for English and in renminbi for Chinese.
    /// Default: English.
    pub language: Language,
    /// Share of the shoppers who are addressed as `zh-CN` and live in China's time zone, 0 to 1; the others are
    /// `en-GB` in London. Default: 0.15.
    pub zh_share: f64,
    /// Whether [`segment_lines`](crate::SimulatedShop::segment_lines) mixes in duplicates and malformed lines.
    /// Default: no.
    pub dirt: bool,
}

impl Default for ShopConfig {
    fn default() -> Self {
        Self {
            products: 600,
            shoppers: 4_000,
            days: 365,
            end: jiff::civil::date(2026, 7, 1),
            language: Language::En,
            zh_share: 0.15,
            dirt: false,
        }
    }
}

impl ShopConfig {
    /// A shop for tests: 120 products, 300 shoppers, about 15,000 events.
    pub fn small() -> Self {
        Self {
            products: 120,
            shoppers: 300,
            ..Self::default()
        }
    }

    /// Checks every field against its range.
    ///
    /// # Errors
    /// [`DatasetError::Config`] naming the first field that is outside its range.
    pub fn check(&self) -> Result<(), DatasetError> {
        let config = |field, value: String, expected| {
            Err(DatasetError::Config {
                field,
                value,
                expected,
            })
        };
        if !(60..=20_000).contains(&self.products) {
            return config(
                "products",
                self.products.to_string(),
                "a number from 60 to 20000",
            );
        }
        if !(10..=1_000_000).contains(&self.shoppers) {
            return config(
                "shoppers",
                self.shoppers.to_string(),
                "a number from 10 to 1000000",
            );
        }
        if !(30..=3_650).contains(&self.days) {
            return config("days", self.days.to_string(), "a number from 30 to 3650");
        }
        if !(1980..=2200).contains(&self.end.year()) {
            return config(
                "end",
                self.end.to_string(),
                "a date from 1980-01-01 to 2200-12-31",
            );
        }
        if !(0.0..=1.0).contains(&self.zh_share) {
            return config("zh_share", self.zh_share.to_string(), "a share from 0 to 1");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_outside_its_range_is_named() {
        type Spoil = fn(&mut ShopConfig);
        let table: [(Spoil, &str); 5] = [
            (
                |config| config.products = 5,
                "`products` is 5; give a number from 60 to 20000",
            ),
            (
                |config| config.shoppers = 0,
                "`shoppers` is 0; give a number from 10 to 1000000",
            ),
            (
                |config| config.days = 7,
                "`days` is 7; give a number from 30 to 3650",
            ),
            (
                |config| config.end = jiff::civil::date(1, 1, 1),
                "`end` is 0001-01-01; give a date from 1980-01-01 to 2200-12-31",
            ),
            (
                |config| config.zh_share = f64::NAN,
                "`zh_share` is NaN; give a share from 0 to 1",
            ),
        ];
        for (spoil, message) in table {
            let mut config = ShopConfig::small();
            assert_eq!(config.check(), Ok(()));
            spoil(&mut config);
            assert_eq!(config.check().expect_err("bad").to_string(), message);
        }
    }
}
