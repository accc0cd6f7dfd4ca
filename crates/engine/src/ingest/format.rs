//! The import formats by name, and what maps the rows of each.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use events::Timestamp;
use jiff::tz::TimeZone;

use super::mapped::Mapped;
use super::merchant_feed::MerchantFeed;
use super::online_retail::OnlineRetail;
use super::row::{Rejection, Row};
use super::shopify_products::ShopifyProducts;
use super::source::Shape;
use crate::config::Config;
use crate::error::{EngineError, Result};

/// What an imported file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// Order lines of the UCI Online Retail files: `.csv`, `.csv.xz`, or the publisher's `.xlsx`.
    OnlineRetail,
    /// Amazon's product reviews, one JSON object a line.
    AmazonReviews,
    /// Events in Segment's envelope, one JSON object a line.
    Segment,
    /// Events in comma-separated rows or a workbook, their columns mapped by the configuration.
    Csv,
    /// Events in Parquet rows, their columns mapped by the configuration.
    Parquet,
    /// Shopify's product export, comma-separated.
    ShopifyProducts,
    /// Google Merchant Center's product feed, tab-separated.
    MerchantFeed,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 7] = [
        Self::OnlineRetail,
        Self::AmazonReviews,
        Self::Segment,
        Self::Csv,
        Self::Parquet,
        Self::ShopifyProducts,
        Self::MerchantFeed,
    ];

    /// The name under which the command line knows the format.
    pub fn name(self) -> &'static str {
        match self {
            Self::OnlineRetail => "online-retail",
            Self::AmazonReviews => "amazon-reviews",
            Self::Segment => "segment",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
            Self::ShopifyProducts => "shopify-products",
            Self::MerchantFeed => "merchant-feed",
        }
    }

    pub(crate) fn shape(self) -> Shape {
        match self {
            Self::OnlineRetail | Self::Csv | Self::ShopifyProducts => Shape::Delimited(b','),
            Self::MerchantFeed => Shape::Delimited(b'\t'),
            Self::AmazonReviews | Self::Segment => Shape::JsonLines,
            Self::Parquet => Shape::Parquet,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(name: &str) -> std::result::Result<Self, String> {
        if let Some(format) = Self::ALL.into_iter().find(|format| format.name() == name) {
            return Ok(format);
        }
        let names = Self::ALL.map(Self::name);
        let nearest = names
            .into_iter()
            .min_by_key(|known| strsim::damerau_levenshtein(name, known));
        Err(format!(
            "`{name}` is no import format; did you mean `{}`? the formats are {}",
            nearest.unwrap_or_default(),
            names.join(", ")
        ))
    }
}

/// Maps the rows under one header.
#[derive(Debug)]
pub(crate) enum RowMapper {
    OnlineRetail(OnlineRetail),
    AmazonReviews,
    Segment,
    Mapped(Mapped),
    ShopifyProducts(ShopifyProducts),
    MerchantFeed(MerchantFeed),
}

impl RowMapper {
    /// Reads the header of a file.
    ///
    /// # Errors
    /// [`EngineError::Line`] naming a column that is missing, [`EngineError::Config`] for a configuration that does not
    /// fit the format.
    pub(crate) fn new(
        format: Format,
        path: &Path,
        header: &str,
        config: &Config,
        now: Timestamp,
    ) -> Result<Self> {
        Ok(match format {
            Format::OnlineRetail => Self::OnlineRetail(OnlineRetail::new(path, header, config)?),
            Format::AmazonReviews => Self::AmazonReviews,
            Format::Segment => Self::Segment,
            Format::Csv | Format::Parquet => Self::Mapped(Mapped::new(path, header, config)?),
            Format::ShopifyProducts => {
                Self::ShopifyProducts(ShopifyProducts::new(path, header, config)?)
            }
            Format::MerchantFeed => {
                Self::MerchantFeed(MerchantFeed::new(path, header, config, now)?)
            }
        })
    }

    pub(crate) fn map(&self, text: &str) -> Result<Row, Rejection> {
        match self {
            Self::OnlineRetail(format) => format.map(text),
            Self::AmazonReviews => super::amazon_reviews::map(text),
            Self::Segment => super::segment::map(text),
            Self::Mapped(format) => format.map(text),
            Self::ShopifyProducts(format) => format.map(text),
            Self::MerchantFeed(format) => format.map(text),
        }
    }
}

/// The time zone of naive timestamps.
///
/// # Errors
/// [`EngineError::Config`] for a name that is not in the IANA database.
pub(crate) fn timezone(config: &Config) -> Result<TimeZone> {
    TimeZone::get(&config.shop.timezone).map_err(|error| EngineError::Config {
        path: "hawker.toml".into(),
        problem: format!("`shop.timezone`: {error}"),
        remedy: "give an IANA name such as Europe/London".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_known_by_name_and_a_typo_by_the_nearest() {
        for format in Format::ALL {
            assert_eq!(format.name().parse(), Ok(format));
        }
        let message = "online-retial".parse::<Format>().expect_err("unknown");
        assert!(
            message
                .starts_with("`online-retial` is no import format; did you mean `online-retail`?"),
            "{message}"
        );
    }
}
