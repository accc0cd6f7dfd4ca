//! What may be written next: the constraints under which the model is decoded.

use std::collections::BTreeSet;

use guard::Guard;

use super::attested::{Attested, Kind};
use super::control::{self, Control};
use super::piece::slot_name;
use super::ruler::Ruler;
use super::sample::Drawn;
use super::text::Field;
use super::vocabulary::Vocabulary;

/// A run of so many tokens is not written twice in a field.
const REPEATED: usize = 4;
/// Columns that are kept for what follows a quotation: a price and the marks around it.
const AFTER_QUOTE: usize = 15;

/// The constraints of one kind of text for one product.
#[derive(Debug)]
pub(super) struct Fence<'a> {
    vocabulary: &'a Vocabulary,
    attested: Attested,
    kind: Kind,
    /// Columns of each token; nothing for a token that may never be written.
    widths: Vec<Option<usize>>,
    /// Fields of the channel with the columns that they have.
    budgets: Vec<(Field, usize)>,
    /// Token sequences that may stand between the marks of a quotation.
    quotes: Vec<Vec<u32>>,
}

/// A text in progress.
#[derive(Debug, Clone, Default)]
pub(super) struct Written {
    pub(super) tokens: Vec<u32>,
    /// Position of the present field among the channel's, once one is begun.
    field: Option<usize>,
    /// Where its text begins.
    start: usize,
    width: usize,
    /// Where the present quotation begins, and the columns written before it.
    quote: Option<(usize, usize)>,
    pub(super) finished: bool,
    /// Whether nothing may follow.
    pub(super) stuck: bool,
    /// Sum of the tokens' log-probabilities.
    pub(super) log_probability: f64,
    /// Length and log-probability of the longest beginning that could have been the whole text.
    whole: Option<(usize, f64)>,
}

impl<'a> Fence<'a> {
    /// `missing` are the slots without a value.
    pub(super) fn new(
        vocabulary: &'a Vocabulary,
        attested: Attested,
        kind: Kind,
        missing: &BTreeSet<&str>,
        quotes: Vec<Vec<u32>>,
        guard: &Guard,
    ) -> Self {
        let (language, channel, ..) = kind;
        let ruler = Ruler::new(channel, language, guard.limits(channel, language));
        let width = |id: u32| match vocabulary.text(id) {
            _ if id == Control::Unknown as u32 => None,
            piece if slot_name(piece).is_some_and(|name| missing.contains(name)) => None,
            piece => ruler.width(piece),
        };
        Self {
            vocabulary,
            attested,
            kind,
            widths: (0..vocabulary.len() as u32).map(width).collect(),
            budgets: ruler.budgets,
            quotes,
        }
    }

    /// The tokens that may come next, in ascending order.
    fn next(&self, written: &Written) -> Vec<u32> {
        if let Some((start, width)) = written.quote {
            let budget = written.field.map_or(0, |field| self.budgets[field].1);
            let room = budget.saturating_sub(width + AFTER_QUOTE);
            return self.next_in_quote(&written.tokens[start..], room);
        }
        let free: Vec<u32>;
        let candidates = if self.attested.is_free() {
            free = (0..self.vocabulary.len() as u32).collect();
            &free
        } else {
            self.attested.after(&written.tokens)
        };
        let allowed = |token: &u32| self.allows(written, *token);
        candidates.iter().copied().filter(allowed).collect()
    }

    /// Goes on with one of the allowed tokens. Where there is none, the text ends with the last sentence after which it
    /// could have ended, or is stuck.
    pub(super) fn advance(
        &self,
        written: &mut Written,
        draw: impl FnOnce(&[u32]) -> Option<Drawn>,
    ) {
        let allowed = self.next(written);
        if allowed.contains(&(Control::End as u32)) {
            written.whole = Some((written.tokens.len(), written.log_probability));
        }
        match (draw(&allowed), written.whole) {
            (Some(drawn), _) => {
                written.log_probability += drawn.log_probability;
                self.push(written, drawn.token);
            }
            (None, Some((length, log_probability))) => {
                written.tokens.truncate(length);
                written.log_probability = log_probability;
                self.push(written, Control::End as u32);
            }
            (None, None) => written.stuck = true,
        }
    }

    fn push(&self, written: &mut Written, token: u32) {
        written.tokens.push(token);
        let next_field = written.field.map_or(0, |field| field + 1);
        if token == Control::End as u32 {
            written.finished = true;
        } else if token == Control::Quote as u32 {
            written.quote = Some((written.tokens.len(), written.width));
        } else if token == Control::EndQuote as u32 {
            written.quote = None;
        } else if self.vocabulary.is_control(token) {
            written.field = Some(next_field);
            written.start = written.tokens.len();
            written.width = 0;
        } else {
            written.width += self.widths[token as usize].unwrap_or(0);
        }
    }

    /// The channel's fields as the library writes them; those that were not reached are empty.
    pub(super) fn fields(&self, written: &Written) -> Vec<(Field, String)> {
        let empty = |(field, _): &(Field, usize)| (*field, String::new());
        let mut fields: Vec<(Field, String)> = self.budgets.iter().map(empty).collect();
        let mut present = 0;
        for token in &written.tokens {
            let begins = |(field, _): &(Field, String)| control::field(*field) == *token;
            match fields.iter().position(begins) {
                Some(field) => present = field,
                None => fields[present].1.push_str(self.vocabulary.text(*token)),
            }
        }
        fields
    }

    fn allows(&self, written: &Written, token: u32) -> bool {
        let next_field = written.field.map_or(0, |field| field + 1);
        if self.vocabulary.is_control(token) {
            let has_text = written.field.is_none() || written.tokens.len() > written.start;
            return match self.budgets.get(next_field) {
                _ if token == Control::Quote as u32 => !self.quotes.is_empty(),
                Some((field, _)) => has_text && token == control::field(*field),
                None => has_text && token == Control::End as u32 && self.is_complete(written),
            };
        }
        let Some(field) = written.field else {
            return false;
        };
        let Some(width) = self.widths[token as usize] else {
            return false;
        };
        let fits = written.width + width <= self.budgets[field].1;
        fits && !self.repeats(&written.tokens[written.start..], token)
    }

    /// Whether the text shows a title and one of the facts that its argument rests on.
    fn is_complete(&self, written: &Written) -> bool {
        let texts = written
            .tokens
            .iter()
            .map(|token| self.vocabulary.text(*token));
        let slots: Vec<&str> = texts.filter_map(slot_name).collect();
        let (.., strategy, evidence) = self.kind;
        evidence.is_shown(strategy, &slots)
    }

    /// Whether a token would show a slot twice in its field, or complete a run that the field has already.
    fn repeats(&self, field: &[u32], token: u32) -> bool {
        let piece = self.vocabulary.text(token).trim_start();
        if slot_name(piece).is_some() {
            let same = |other: &u32| self.vocabulary.text(*other).trim_start() == piece;
            return field.iter().any(same);
        }
        let Some(from) = (field.len() + 1).checked_sub(REPEATED) else {
            return false;
        };
        let run = &field[from..];
        field
            .windows(REPEATED)
            .any(|window| window[..REPEATED - 1] == *run && window[REPEATED - 1] == token)
    }

    /// Goes on with one of the quotations that have the room.
    fn next_in_quote(&self, quoted: &[u32], room: usize) -> Vec<u32> {
        let fits = |quote: &&Vec<u32>| {
            let widths = quote.iter().map(|token| self.widths[*token as usize]);
            widths
                .sum::<Option<usize>>()
                .is_some_and(|width| width <= room)
        };
        let begun = self.quotes.iter().filter(|quote| quote.starts_with(quoted));
        let next: BTreeSet<u32> = begun
            .filter(fits)
            .map(|quote| quote.get(quoted.len()).copied())
            .map(|token| token.unwrap_or(Control::EndQuote as u32))
            .collect();
        next.into_iter().collect()
    }
}
