use serde::{Deserialize, Serialize};

use super::Contribution;

/// What was learnt of one shopper.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ShopperInterests {
    /// The pseudonym in full; the page shortens it.
    pub(crate) shopper: String,
    /// Orders so far.
    pub(crate) orders: u64,
    /// What they were worth.
    pub(crate) spend: Option<f64>,
    /// Day of the first order.
    pub(crate) first_order: Option<String>,
    /// Day of the last order.
    pub(crate) last_order: Option<String>,
    /// Segments and RFM group that the shopper is in.
    pub(crate) groups: Vec<String>,
    /// Categories by the probability that the model gives them, best first.
    pub(crate) categories: Vec<LabelShare>,
    /// Brands likewise.
    pub(crate) brands: Vec<LabelShare>,
    /// Price bands likewise, labelled as they should be shown.
    pub(crate) price_bands: Vec<LabelShare>,
    /// Local hour of the day in which the shopper orders most, 0..=23.
    pub(crate) preferred_hour: Option<u8>,
    /// Usual days between two orders.
    pub(crate) cadence_days: Option<f64>,
    /// Some of the latest purchases, latest first.
    pub(crate) purchases: Vec<PastPurchase>,
    /// What the model recommends, best first.
    pub(crate) recommendations: Vec<Recommendation>,
}

/// A label with its share.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct LabelShare {
    /// The label.
    pub(crate) label: String,
    /// Its share or probability, 0..=1.
    pub(crate) share: f64,
}

/// Something that the shopper bought.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct PastPurchase {
    /// The product's title.
    pub(crate) title: String,
    /// Day of the purchase.
    pub(crate) day: String,
}

/// A product that the model recommends to the shopper.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Recommendation {
    /// The product's id.
    pub(crate) product_id: String,
    /// The product's title.
    pub(crate) title: String,
    /// The model's score.
    pub(crate) score: f64,
    /// Why, in words.
    pub(crate) reason: String,
    /// The exact decomposition of the score; empty where the model has none.
    pub(crate) contributions: Vec<Contribution>,
}
