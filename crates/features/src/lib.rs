//! Profiles and features as folds over a shopper's events: one definition, used live, in batch and on a cluster.
//!
//! The main type is [`Profile`], the state of the fold. [`Profile::apply`] takes one event in; [`Profile::features`]
//! reads a fixed vector out of the state at a stated time; the rest of its methods are the facts a reason is made of.
//!
//! ```
//! use events::{Event, EventKind, LineItem, MessageKey, Product, Properties, Pseudonym};
//! use features::{ProductIndex, Profile};
//!
//! let index = ProductIndex::new(&[Product { id: "mug-7".into(), title: "Blue mug".into(), ..Product::default() }]);
//! let at = "2026-05-01T09:30:00Z".parse()?;
//! let properties = Properties { products: vec![LineItem::of("mug-7")], ..Properties::default() };
//! let order = Event { message: MessageKey::of("m-1"), user: Pseudonym([1; 16]), kind: EventKind::OrderCompleted, at, properties };
//! let profile = Profile::fold([&order], &index, at);
//! assert_eq!(profile.features(at).raw("orders"), Some(1.0));
//! # Ok::<(), jiff::Error>(())
//! ```
//!
//! This crate never does I/O, reads a clock or draws a random number, and it never sees who a shopper is.

mod categories;
mod decayed;
mod error;
mod exact;
mod facts;
#[cfg(test)]
mod fold_tests;
mod history;
mod interests;
mod orders;
mod outliers;
mod price_bands;
mod product_index;
mod profile;
#[cfg(test)]
mod reference_tests;
mod rfm;
mod rhythm;
mod segment;
mod segment_parser;
mod standardiser;
#[cfg(test)]
mod testing;
mod vector;

pub use categories::derive_categories;
pub use error::FeatureError;
pub use facts::Replenishment;
pub use history::{ProductHistory, Purchase};
pub use interests::{Interest, InterestKind};
pub use orders::Order;
pub use outliers::{Outlier, outliers};
pub use price_bands::PriceBands;
pub use product_index::{ProductFields, ProductIndex, ProductKey};
pub use profile::Profile;
pub use rfm::{RfmGroup, RfmScore, RfmTable};
pub use segment::Segment;
pub use standardiser::Standardiser;
pub use vector::{FEATURE_COUNT, FEATURE_NAMES, FEATURES, FeatureSpec, Features};
