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

    /// What each slot that a text has not used gains: token and bonus.
    pub(super) fn bonuses<'s>(
        &'s self,
        progress: &'s Progress,
    ) -> impl Iterator<Item = (u32, f64)> + 's {
        let slots = self.slots.iter().zip(&progress.uses);
        let unused = slots.filter(|(_, uses)| self.config.slot_bonus > 0.0 && **uses == 0);
        unused.map(|(slot, _)| (slot.token, self.config.slot_bonus))
    }

    /// What may follow a text.
    pub(super) fn next<'s>(&'s self, text: &'s [u32], progress: &'s Progress) -> Next<'s> {
        Next {
            constraints: self,
            text,
            progress,
            repeating: self.repeating(text),
        }
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
        if self.pieces.bytes(token).is_some() {
            return self.pieces.width(token);
        }
        self.slot(token).map_or(0, |at| self.slots[at].width)
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

    /// The tokens that would end an n-gram that stands in the text already.
    fn repeating(&self, text: &[u32]) -> Vec<u32> {
        let order = self.config.no_repeat;
        if order == 0 || text.len() < order {
            return Vec::new();
        }
        let last = &text[text.len() + 1 - order..];
        let windows = text.windows(order);
        let same = windows.filter(|window| window[..order - 1] == *last);
        same.map(|window| window[order - 1]).collect()
    }
}

/// What may follow a text.
pub(super) struct Next<'s> {
    constraints: &'s Constraints<'s>,
    text: &'s [u32],
    progress: &'s Progress,
    repeating: Vec<u32>,
}

impl Next<'_> {
    /// Whether a token may follow; the empty text may not be all.
    pub(super) fn allows(&self, token: u32) -> bool {
        let (rules, progress) = (self.constraints, self.progress);
        if token == END {
            let mut slots = rules.slots.iter().zip(&progress.uses);
            return !self.text.is_empty()
                && !rules.ends_banned(progress)
                && slots.all(|(slot, uses)| !slot.required || *uses > 0);
        }
        let known = rules.pieces.bytes(token).is_some()
            || rules.slot(token).is_some_and(|at| {
                progress.uses[at] < rules.slots[at].most && !rules.ends_banned(progress)
            });
        let most = rules.config.max_width;
        known
            && most.is_none_or(|most| progress.width + rules.width(token) <= most)
            && !self.repeating.contains(&token)
            && !rules.banned_after(progress, token).1
    }
}
