//! Which products a shopper wants next: baselines, the user model, retrieval, and the evaluation that compares them.
//!
//! The main type is [`Corpus`]: a shop's items by index and each shopper's interactions in time order. Everything that
//! ranks is a [`Scorer`] fitted on the part of a corpus before a cut date; [`evaluate`] judges scorers on what shoppers
//! bought next.
//!
//! ```
//! use events::Pseudonym;
//! use recommender::{Corpus, Interaction, InteractionKind, Item, ItemKnn, Scorer, Sequence, Task, bought, top_k};
//!
//! let item = |id: &str| Item { id: id.to_owned(), title: id.to_owned(), ..Item::default() };
//! let buy = |item, at_s| Interaction { item, kind: InteractionKind::Purchase, at_s, order: None };
//! let sequences = [vec![buy(0, 10), buy(1, 20)], vec![buy(0, 10), buy(1, 15)], vec![buy(0, 30)]];
//! let corpus = Corpus {
//!     items: ["cup", "saucer", "lamp"].map(item).into(),
//!     sequences: sequences.into_iter().enumerate().map(|(shopper, interactions)| {
//!         Sequence { user: Pseudonym([shopper as u8; 16]), interactions }
//!     }).collect(),
//!     ..Corpus::default()
//! };
//! let knn = ItemKnn::fit(&corpus, Default::default())?;
//! let history = &corpus.sequences[2].interactions[..];
//! let scores = knn.scores(&[history], 40)?;
//! let mask = Task::NewItems.mask(&corpus.sold(), &bought(history));
//! assert_eq!(top_k(&scores[0], &mask, 1), [1]);
//! # Ok::<(), recommender::RecommenderError>(())
//! ```
//!
//! This crate never reads a clock or an identifier of a person: seeds, times and pseudonyms are arguments.

mod baseline;
mod blend;
pub mod click;
mod cold_start;
mod conditional_logit;
mod corpus;
mod decay;
mod error;
mod evaluate;
#[cfg(test)]
mod fixture;
mod leave_one_out;
pub mod metrics;
mod neighbours;
pub mod reasons;
mod retrieve;
mod scorer;
mod split;
pub mod user_model;

pub use baseline::{
    BaselineSettings, CountModel, CountModelSettings, ImplicitAls, ImplicitAlsSettings, ItemKnn,
    ItemKnnSettings, Newest, OwnRepeats, Popular, Seasonal, Transitions, TransitionsSettings,
};
pub use blend::{Blend, BlendSettings, Component, ScoreScale};
pub use cold_start::{ColdStart, ColdStartSettings};
pub use corpus::{
    Basket, Corpus, Interaction, InteractionKind, Item, Sequence, baskets, before, bought,
};
pub use error::RecommenderError;
pub use evaluate::{
    Difference, Estimate, EvaluateSettings, Evaluation, EvaluationTable, Row, RowKind, evaluate,
};
pub use leave_one_out::LeaveOneOut;
pub use neighbours::{Because, Neighbours};
pub use retrieve::{ItemIndex, Place, RetrievalSettings, explore, top_k};
pub use scorer::{KnownScores, Scorer, SharedScores};
pub use split::{HeldOut, HeldOutShopper, Task, TimeSplit, hold_out};
