//! What a language model is asked for, and what becomes of its answer: what the providers `llm` and `checkpoint` share.
//!
//! A [`Brief`] becomes [`Written`]: variants that the guard passed as rendered, and a [`Refused`] for everything else. The
//! files follow the data: `slots` (which facts have names) → `prompt` (rules, and facts as data) → a model, which is the
//! provider's → `answer` and `text` (what it says) → `judge` (what may be used).
//!
//! # What the model decides, and what it does not
//! It chooses words. It is told values, so that it knows what it writes about, and writes none: an exact value is a slot such
//! as `{{ price }}`, so that the answer is a template that follows the facts, and a digit or a currency sign outside a slot
//! refuses the text. Facts reach it as JSON in a message of their own. If one of them talks it into something else, the
//! answer is still only a template that must parse, use the slots that were offered, and pass the guard.
//!
//! The values of a shopper's history are never told: the model learns that there is a `{{ last }}` and what it means.
//!
//! This module never asks a model and never shows a text.

mod answer;
mod judge;
mod prompt;
mod refused;
mod slots;
mod text;

use std::collections::BTreeMap;

use events::{Channel, CopyVariant, Language, Strategy};
use guard::Facts;

pub use refused::Refused;

pub(crate) use answer::{answer_of, beginning};
pub(crate) use judge::Judge;
pub(crate) use prompt::Prompt;
pub(crate) use slots::{Slot, slots_with_evidence};

/// The standing policy under which variants are approved.
pub const APPROVED_BY: &str =
    "standing policy: answers of a language model that pass the guard as rendered";

/// What is to be written.
#[derive(Debug, Clone, Copy)]
pub struct Brief<'a> {
    /// The channel to write for.
    pub channel: Channel,
    /// The language to write in.
    pub language: Language,
    /// The argument to make.
    pub strategy: Strategy,
    /// The product, the counts and the shopper's history. Values of the history are never told, only that there are some.
    pub facts: Facts<'a>,
    /// The brand guide's words on tone and manner; may be empty.
    pub brand: &'a str,
    /// Number of variants.
    pub count: usize,
    /// The seed of the sampling, and of the waits between attempts at a server.
    pub seed: u64,
}

/// What became of a brief.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Written {
    /// Variants that the guard passed as rendered for the brief's facts.
    pub approved: Vec<CopyVariant>,
    /// Why the others, or the whole answer, came to nothing.
    pub refused: Vec<Refused>,
}

impl Written {
    /// Nothing, for one reason.
    pub(crate) fn refusal(refused: Refused) -> Self {
        Self {
            approved: Vec::new(),
            refused: vec![refused],
        }
    }

    /// Refusals by their stable names.
    pub fn refusals(&self) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::new();
        for refused in &self.refused {
            *counts.entry(refused.name()).or_insert(0) += 1;
        }
        counts
    }
}
