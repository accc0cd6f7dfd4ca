//! A language model that writes from facts: the facts, the channel and the strategy go in as tokens, the shopper's state
//! as a soft prefix, and a text comes out whose exact values are slots.
//!
//! [`train`] fits a [`Copywriter`] to [`Example`]s.
//! The files follow the data: `example` → `slots` (exact values out of the texts) → `tokenizer` and `sequence` (tokens) →
//! `train`.
//!
//! [`reinforce`] goes on from there by what texts are worth, a [`Reward`].
//!
//! [`Learner`] is the same model for a training run that the caller owns, where user states are learnt beside the texts.
//!
//! The objective is −log `P_φ(t | ŷ)`, the next token's cross-entropy over the texts; facts are read, not learnt.
//! Sources: Touvron et al., "`LLaMA`", 2023, for the network; Wen et al., "Semantically Conditioned LSTM-based Natural
//! Language Generation", 2015, for slots; Keskar et al., "CTRL", 2019, for control tokens.
//!
//! It never reads or writes an exact value of a fact by itself: names and prices are slots, filled when a text is done, and a
//! text that names one only in part is not learnt from.

mod config;
mod consensus;
mod constraints;
mod coverage;
mod decoding;
mod different;
mod example;
mod learner;
mod lexicon;
mod model;
mod own_words;
mod pieces;
mod reinforce;
mod reinforce_config;
mod search;
mod sequence;
mod slots;
mod surprise;
mod tokenizer;
mod train;
mod variant;
mod write;

#[cfg(test)]
mod tests;

pub use config::CopywriterConfig;
pub use consensus::Consensus;
pub use coverage::Covered;
pub use decoding::{DecodingConfig, Search};
pub use different::different;
pub use example::{Corpus, Example, Fact, Meaning};
pub use learner::{Learner, Part, Texts};
pub use lexicon::{Lexicon, Unfounded};
pub use model::{Copywriter, LOSS};
pub use reinforce::{Meanings, Reward, reinforce};
pub use reinforce_config::{REWARD, ReinforceConfig};
pub use surprise::Surprise;
pub use train::train;
pub use variant::{PROVIDER, Placement};
pub use write::{Draft, Writer};
