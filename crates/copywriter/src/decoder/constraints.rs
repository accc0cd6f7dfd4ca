//! What may be written next.

use aho_corasick::automaton::Automaton;
use aho_corasick::dfa::DFA;
use aho_corasick::{Anchored, MatchKind};

use super::decoding::DecodingConfig;
use super::pieces::{Pieces, width};
use super::sequence::Prompt;
use super::tokenizer::END;
use crate::CopyError;

/// Times that the slot of an exact value may stand in one text.
const USES: usize = 2;
/// Times that the slot of a copied value may: people repeat a material more often than a name.
const COPIED_USES: usize = 4;

/// The rules of one text: required slots, banned phrases, width, no repetition. A rule is a mask over the logits.
#[derive(Debug)]
pub(super) struct Constraints<'a> {
    pieces: &'a Pieces,
    /// The slots that have a value.
    slots: Vec<Slot>,
    banned: Option<DFA>,
    config: &'a DecodingConfig,
}

/// What the rules need to know of a slot.
#[derive(Debug)]
struct Slot {
    token: u32,
    /// Columns of its value.
    width: usize,
    required: bool,
    /// Times that it may be used.
    most: usize,
}

/// What the rules need to know of a text so far.
#[derive(Debug, Clone)]
pub(super) struct Progress {
    /// Uses of each slot.
    uses: Vec<usize>,
    width: usize,
    /// The state of the automaton of banned phrases.
    banned: aho_corasick::automaton::StateID,
}

impl<'a> Constraints<'a> {
    pub(super) fn new(
        prompt: &Prompt<'_>,
        pieces: &'a Pieces,
        config: &'a DecodingConfig,
    ) -> Result<Self, CopyError> {
        let slots = prompt.slots.iter().zip(&prompt.values.slots);
        let slots = slots.map(|(token, slot)| {
            // A further value of the name has a slot of its own: `colour.2`.
            let required = config.required.iter().any(|other| {
                let rest = slot.name.strip_prefix(other.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            });
            Slot {
                token: *token,
                width: width(slot.value.as_bytes()),
                required,
                most: if slot.exact { USES } else { COPIED_USES },
            }
        });
        let banned = (!config.banned.is_empty()).then(|| {
            DFA::builder()
                .ascii_case_insensitive(true)
                .match_kind(MatchKind::Standard)
                .build(&config.banned)
                .map_err(|error| CopyError::Banned {
                    detail: error.to_string(),
                })
        });
        Ok(Self {
            pieces,
            slots: slots.collect(),
            banned: banned.transpose()?,
            config,
        })
    }

    /// The state before the first token.
    pub(super) fn begin(&self) -> Progress {
        // A text begins like a word after a space.
        let start = |dfa: &DFA| {
            let start = dfa.start_state(Anchored::No).ok()?;
            Some(dfa.next_state(Anchored::No, start, b' '))
        };
        Progress {
            uses: vec![0; self.slots.len()],
            width: 0,
            banned: self.banned.as_ref().and_then(start).unwrap_or_default(),
        }
    }

    /// The state after one more token, which must be allowed.
    pub(super) fn advance(&self, progress: &Progress, token: u32) -> Progress {
        let mut next = progress.clone();
        if let Some(slot) = self.slot(token) {
            next.uses[slot] += 1;
        }
        next.width += self.width(token);
        next.banned = self.banned_after(progress, token).0;
        next
    }

    /// Whether a token may follow a text; the empty text may not be all.
    pub(super) fn allows(&self, text: &[u32], progress: &Progress, token: u32) -> bool {
        if token == END {
            let mut slots = self.slots.iter().zip(&progress.uses);
            return !text.is_empty()
                && !self.ends_banned(progress)
                && slots.all(|(slot, uses)| !slot.required || *uses > 0);
        }
        let known = match self.slot(token) {
            Some(at) => progress.uses[at] < self.slots[at].most && !self.ends_banned(progress),
            None => self.pieces.bytes(token).is_some(),
        };
        known
            && self
                .config
                .max_width
                .is_none_or(|most| progress.width + self.width(token) <= most)
            && !self.banned_after(progress, token).1
            && !self.repeats(text, token)
    }

    /// Whether the text would end with a banned phrase, if its last word ended here.
    fn ends_banned(&self, progress: &Progress) -> bool {
        self.banned.as_ref().is_some_and(|dfa| {
            let ended = dfa.next_state(Anchored::No, progress.banned, b' ');
            dfa.is_match(ended)
        })
    }

    fn slot(&self, token: u32) -> Option<usize> {
        self.slots.iter().position(|slot| slot.token == token)
    }

    fn width(&self, token: u32) -> usize {
        let slot = self.slot(token).map(|at| self.slots[at].width);
        slot.unwrap_or_else(|| self.pieces.width(token))
    }

    /// The automaton's state after a token, and whether a banned phrase ended on the way. A slot ends every phrase.
    fn banned_after(
        &self,
        progress: &Progress,
        token: u32,
    ) -> (aho_corasick::automaton::StateID, bool) {
        let Some(dfa) = &self.banned else {
            return (progress.banned, false);
        };
        let Some(bytes) = self.pieces.bytes(token) else {
            return (self.begin().banned, false);
        };
        let mut state = progress.banned;
        for byte in bytes {
            state = dfa.next_state(Anchored::No, state, *byte);
            if dfa.is_match(state) {
                return (state, true);
            }
        }
        (state, false)
    }

    /// Whether a token would end an n-gram that stands in the text already.
    fn repeats(&self, text: &[u32], token: u32) -> bool {
        let order = self.config.no_repeat;
        if order == 0 || text.len() < order {
            return false;
        }
        let last = &text[text.len() + 1 - order..];
        let mut windows = text.windows(order);
        windows.any(|window| window[order - 1] == token && window[..order - 1] == *last)
    }
}
