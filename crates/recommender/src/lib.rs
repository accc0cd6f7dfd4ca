//! Which products a shopper wants next: baselines, the user model, retrieval, and the evaluation that compares them.
//!
//! The main type is [`Corpus`]: a shop's items by index and each shopper's interactions in time order. Everything that
//! ranks is a [`Scorer`] fitted on the part of a corpus before a cut date.
//!
//! This crate never reads a clock, an identifier of a person or a file: seeds, times and pseudonyms are arguments.

mod corpus;
mod error;
#[cfg(test)]
mod fixture;
mod scorer;
pub mod user_model;

pub use corpus::{
    Basket, Corpus, Interaction, InteractionKind, Item, Sequence, baskets, before, bought,
};
pub use error::RecommenderError;
pub use scorer::Scorer;
