//! What a report shows: the contract between the stages that measure and the page that displays.
//!
//! A [`Report`] is filled by the binary from what the engine measured and is rendered by [`super::render`]. Every part
//! but the header may be absent: an empty list or a `None` leaves its section out of the page. Nothing is computed from
//! thin air in the templates; what is not here is not shown.
//!
//! Conventions: amounts of money are in major units of [`Header::currency`]; rates and shares lie in 0..=1; dates are
//! `YYYY-MM-DD`, months `YYYY-MM`, instants RFC 3339. Shoppers appear under their pseudonyms alone. Texts may be in any
//! language and may hold anything, markup included: the page escapes them.

pub(crate) mod campaign;
pub(crate) mod cleaning;
pub(crate) mod feedback;
pub(crate) mod model;
pub(crate) mod shop;
pub(crate) mod shopper;

use serde::{Deserialize, Serialize};

use campaign::{Campaign, Refusals};
use cleaning::Cleaning;
use feedback::{Feedback, Lift};
use model::{Evaluation, Training};
use shop::Shop;
use shopper::ShopperInterests;

/// Everything that one report shows.
///
/// Its parts live in the submodules: [`cleaning`], [`shop`], [`model`], [`shopper`], [`campaign`], [`feedback`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Report {
    /// Whose report it is, over what, by what, and the headline figures.
    pub(crate) header: Header,
    /// What became of the rows that were read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cleaning: Option<Cleaning>,
    /// The shop's orders, shoppers and products at a glance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) shop: Option<Shop>,
    /// One learning curve a trained model, the user model first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) trainings: Vec<Training>,
    /// How well the models foresee the shoppers' next orders.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) evaluation: Option<Evaluation>,
    /// What was learnt of some shoppers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) shoppers: Vec<ShopperInterests>,
    /// One entry a campaign that was written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) campaigns: Vec<Campaign>,
    /// The texts that the guard refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refusals: Option<Refusals>,
    /// What the messages brought and how the policy learnt from it, one entry a goal.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) feedback: Vec<Feedback>,
    /// What a reader should know before trusting the figures, a sentence or two each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) notes: Vec<String>,
}

/// Whose report it is, over what, by what, and the headline figures.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Header {
    /// The shop's name.
    pub(crate) shop: String,
    /// ISO 4217 code of every amount in the report, such as `GBP`.
    pub(crate) currency: String,
    /// Day of the log's first event.
    pub(crate) first_day: Option<String>,
    /// Day of the log's last event.
    pub(crate) last_day: Option<String>,
    /// When the report was written; absent where it is to be the same bytes again.
    pub(crate) generated_at: Option<String>,
    /// Hawker's version.
    pub(crate) version: String,
    /// Fingerprint of the log, the models and the configuration that the report was made from.
    pub(crate) fingerprint: String,
    /// Whether the shop is simulated, which the page then says.
    pub(crate) simulated: bool,
    /// Rows read from the shop's files.
    pub(crate) rows_read: Option<u64>,
    /// Shoppers in the log.
    pub(crate) shoppers: Option<u64>,
    /// Products in the catalogue.
    pub(crate) products: Option<u64>,
    /// Messages written over all campaigns.
    pub(crate) messages: Option<u64>,
    /// The lift to put first, where one was measured.
    pub(crate) lift: Option<Lift>,
}

/// A figure with its 95 % interval where it has one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Estimate {
    /// The figure.
    pub(crate) value: f64,
    /// Lower end of the interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) low: Option<f64>,
    /// Upper end of the interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) high: Option<f64>,
}

/// The part of a score that one feature accounts for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(
    clippy::struct_field_names,
    reason = "the names are those of a decision's explanation"
)]
pub(crate) struct Contribution {
    /// The feature's name.
    pub(crate) feature: String,
    /// The feature's value; absent where it has none of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<f64>,
    /// Its part of the score.
    pub(crate) contribution: f64,
}
