//! Data to measure against: a simulated shop with a known truth, as the same events that a real one sends, and the
//! public sets of item sequences, of texts that were written from facts and of reviews.
//!
//! [`SequenceSet`], [`FactTextSet`] and [`ReviewSet`] read the latter. The main type is [`SimulatedShop`]: a catalogue,
//! shoppers with latent tastes, a year of their behaviour, and an exact model of how they respond to messages, so that lift
//! and regret are measured against truth.
//!
//! ```
//! use datasets::{ShopConfig, SimulatedShop};
//! use events::{Channel, Goal};
//!
//! let mut shop = SimulatedShop::new(ShopConfig::small(), 7)?;
//! assert!(shop.events().count() > 5_000);
//! let shopper = shop.shoppers().next().expect("the shop has shoppers");
//! let (channel, now) = (Channel::Banner, shop.end());
//! if let Some(best) = shop.best_action(&shopper, channel, now, Goal::Click)? {
//!     let reaction = shop.react(&best.message, 1);
//!     println!("{} → {reaction:?}", best.product_id);
//! }
//! # Ok::<(), datasets::DatasetError>(())
//! ```
//!
//! This crate never reads or writes a file: it yields values, and the engine writes them.

mod error;
mod fact_texts;
mod reviews;
mod sequences;
mod shop;

pub use error::DatasetError;
pub use fact_texts::{FactText, FactTextSet};
pub use reviews::{Review, ReviewSet};
pub use sequences::{ItemSequence, SequenceItem, SequenceSet};
pub use shop::{
    BestAction, CLICK_TERMS, Message, Reaction, ShopConfig, SimulatedShop, segment_line,
};
