//! Meanings and texts as tokens.

use super::example::{Example, Meaning};
use super::slots::{Piece, Slotted, Values};
use super::tokenizer::{
    BEGIN, END, FACT, Tokenizer, WRITE, control_token, fact_token, slot_token, spaced,
};
use crate::CopyError;
use crate::network::Sequence;

/// A meaning as the model reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Prompt<'a> {
    /// `<begin> control… (<fact:name> [<slot:name>] [value…])… <write>`
    pub(super) tokens: Vec<u32>,
    /// The tokens of the slots, in the order of the values.
    pub(super) slots: Vec<u32>,
    pub(super) values: Values<'a>,
}

impl<'a> Prompt<'a> {
    pub(super) fn new(
        meaning: &'a Meaning,
        slotted: &Slotted,
        tokenizer: &Tokenizer,
    ) -> Result<Self, CopyError> {
        let (values, places) = Values::of(&meaning.facts, slotted);
        let mut tokens = vec![BEGIN];
        let controls = meaning.controls.iter();
        tokens.extend(controls.filter_map(|name| tokenizer.special(&control_token(name))));
        let mut slots = Vec::new();
        for (fact, place) in meaning.facts.iter().zip(places) {
            if let Some(token) = tokenizer.special(&fact_token(&fact.name)) {
                tokens.push(token);
            } else {
                tokens.push(FACT);
                tokenizer.encode(&spaced(&fact.name), &mut tokens)?;
            }
            let slot = place.map(|at| &values.slots[at]);
            let token = slot.and_then(|slot| tokenizer.special(&slot_token(&slot.name)));
            if let Some(token) = token {
                slots.push(token);
                tokens.push(token);
            }
            if token.is_none() || slot.is_some_and(|slot| !slot.exact) {
                tokenizer.encode(&spaced(&fact.value), &mut tokens)?;
            }
        }
        tokens.push(WRITE);
        Ok(Self {
            tokens,
            slots,
            values,
        })
    }

    /// The prompt with a text to be learnt, `… text <end>`; nothing where the text names an exact value only in part.
    pub(super) fn with_text(
        self,
        text: &str,
        tokenizer: &Tokenizer,
    ) -> Result<Option<Vec<u32>>, CopyError> {
        let Some(pieces) = self.values.cut(text.trim()) else {
            return Ok(None);
        };
        let mut tokens = self.tokens;
        for piece in pieces {
            match piece {
                Piece::Words(text) => tokenizer.encode(text, &mut tokens)?,
                Piece::Slot(slot) => tokens.push(self.slots[slot]),
            }
        }
        tokens.push(END);
        Ok(Some(tokens))
    }
}

/// The examples as sequences, each with its place among them; those that name an exact value in part or have more than
/// `longest` tokens are left out.
pub(super) fn sequences(
    examples: &[Example],
    slotted: &Slotted,
    tokenizer: &Tokenizer,
    longest: usize,
) -> Result<Vec<(usize, Sequence)>, CopyError> {
    let mut sequences = Vec::new();
    for (place, example) in examples.iter().enumerate() {
        let prompt = Prompt::new(&example.meaning, slotted, tokenizer)?;
        let length = prompt.tokens.len();
        let Some(tokens) = prompt.with_text(&example.text, tokenizer)? else {
            continue;
        };
        if tokens.len() <= longest {
            let sequence = Sequence {
                tokens,
                prompt: length,
                user_state: example.meaning.user_state.clone(),
            };
            sequences.push((place, sequence));
        }
    }
    Ok(sequences)
}
