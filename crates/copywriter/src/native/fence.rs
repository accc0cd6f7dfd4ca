//! What may be written next: the constraints under which the model is decoded.

use std::collections::BTreeSet;

use events::{Channel, Language};
use guard::{FieldLimit, Guard, Unit, display_width, post_weight};

use super::attested::{Attested, Kind};
use super::control::{self, Control};
use super::piece::{shows_number, slot_name};
use super::text::Field;
use super::vocabulary::Vocabulary;
use crate::templates::source;

/// Slots of which every message shows one: a text that names no product sells none.
const TITLES: [&str; 3] = ["title", "headline", "short"];
/// A run of so many tokens is not written twice in a field.
const REPEATED: usize = 4;
/// Columns of a value whose filters do not bound it: a date, a price, a count, a word in its plural.
const DATE: usize = 14;
const MONEY: usize = 11;
const COUNT: usize = 7;
/// What a link and the space before it weigh in a post.
const LINK: usize = 24;

/// The constraints of one kind of text for one product.
#[derive(Debug)]
pub(super) struct Fence<'a> {
    vocabulary: &'a Vocabulary,
    attested: &'a Attested,
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
    /// Where the present quotation begins.
    quote: Option<usize>,
    pub(super) finished: bool,
    /// Whether nothing may follow.
    pub(super) stuck: bool,
}

impl<'a> Fence<'a> {
    /// `missing` are the slots without a value.
    pub(super) fn new(
        vocabulary: &'a Vocabulary,
        attested: &'a Attested,
        kind: Kind,
        missing: &BTreeSet<&str>,
        quotes: Vec<Vec<u32>>,
        guard: &Guard,
    ) -> Self {
        let (language, channel, ..) = kind;
        let limits = guard.limits(channel, language);
        let budget = |field: &Field| {
            let limit = limits.iter().find(|limit| limit.field == field.name());
            (*field, limit.map_or(0, |limit| budget(limit, language)))
        };
        let body = limits.iter().find(|limit| limit.field == "body");
        let unit = body.map_or(Unit::Width, |limit| limit.unit);
        let width = |id: u32| {
            if id == Control::Unknown as u32 {
                return None;
            }
            let piece = vocabulary.text(id);
            match slot_name(piece) {
                Some(name) if missing.contains(name) => None,
                Some(name) => slot_width(piece, name, language, channel, unit),
                None if shows_number(piece) || piece.contains(['{', '}']) => None,
                None => Some(measure(unit, piece)),
            }
        };
        Self {
            vocabulary,
            attested,
            kind,
            widths: (0..vocabulary.len() as u32).map(width).collect(),
            budgets: Field::of_channel(channel).iter().map(budget).collect(),
            quotes,
        }
    }

    /// The tokens that may come next, in ascending order.
    pub(super) fn next(&self, written: &Written) -> Vec<u32> {
        if let Some(start) = written.quote {
            return self.next_in_quote(written, &written.tokens[start..]);
        }
        let free: Vec<u32>;
        let candidates = if self.attested.is_free() {
            free = (0..self.vocabulary.len() as u32).collect();
            &free
        } else {
            self.attested.after(self.kind, &written.tokens)
        };
        let allowed = |token: &u32| self.allows(written, *token);
        candidates.iter().copied().filter(allowed).collect()
    }

    /// Adds a token that [`Fence::next`] gave.
    pub(super) fn push(&self, written: &mut Written, token: u32) {
        written.tokens.push(token);
        let next_field = written.field.map_or(0, |field| field + 1);
        if token == Control::End as u32 {
            written.finished = true;
        } else if token == Control::Quote as u32 {
            written.quote = Some(written.tokens.len());
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
        let shows = |names: &[&str]| {
            written.tokens.iter().any(|token| {
                let name = slot_name(self.vocabulary.text(*token));
                name.is_some_and(|name| names.contains(&name))
            })
        };
        let evidence = self.kind.3.slots();
        shows(&TITLES) && (evidence.is_empty() || shows(evidence))
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

    fn next_in_quote(&self, written: &Written, quoted: &[u32]) -> Vec<u32> {
        let mut next = BTreeSet::new();
        let budget = written.field.map_or(0, |field| self.budgets[field].1);
        for quote in self.quotes.iter().filter(|quote| quote.starts_with(quoted)) {
            match quote.get(quoted.len()) {
                None => {
                    next.insert(Control::EndQuote as u32);
                }
                Some(token) => {
                    let width = self.widths[*token as usize];
                    if width.is_some_and(|width| written.width + width <= budget) {
                        next.insert(*token);
                    }
                }
            }
        }
        next.into_iter().collect()
    }
}

/// The columns that the template and its values may take together.
fn budget(limit: &FieldLimit, language: Language) -> usize {
    match limit.unit {
        Unit::Width => limit.max,
        Unit::Weight => limit.max.saturating_sub(LINK),
        Unit::Segments => {
            let closing = guard::sms::opt_out(language).chars().count() + 1;
            let units = match (
                language,
                limit.ideal.unwrap_or(limit.max).min(limit.max),
                limit.max,
            ) {
                (Language::En, 1, _) => 160,
                (Language::En, segments, _) => 153 * segments,
                (Language::Zh, _, 1) => 70,
                (Language::Zh, _, segments) => 67 * segments,
            };
            units - closing
        }
    }
}

fn measure(unit: Unit, text: &str) -> usize {
    match unit {
        Unit::Width => display_width(text),
        Unit::Weight => post_weight(text),
        Unit::Segments => text.encode_utf16().count(),
    }
}

/// The columns that a slot's value takes at most, with the space before it; nothing for a slot that the channel may
/// not show.
fn slot_width(
    piece: &str,
    name: &str,
    language: Language,
    channel: Channel,
    unit: Unit,
) -> Option<usize> {
    let known = source(language).names.get(name)?;
    // A post is public.
    if channel == Channel::Social && known.path.starts_with("user.") {
        return None;
    }
    let space = piece.len() - piece.trim_start().len();
    let filters = piece
        .split_once('|')
        .map_or(known.show.as_str(), |(_, own)| own);
    let truncated = filters.split_once("truncate:").map(|(_, length)| {
        let digits = length.trim().chars().take_while(char::is_ascii_digit);
        let length = digits.collect::<String>().parse().unwrap_or(COUNT);
        let wide = language == Language::Zh && unit != Unit::Segments;
        if wide { 2 * length } else { length }
    });
    let width = match truncated {
        Some(width) => width,
        None if filters.contains("date") => DATE,
        None if filters.contains("money") => MONEY,
        None => COUNT,
    };
    Some(space + width)
}
