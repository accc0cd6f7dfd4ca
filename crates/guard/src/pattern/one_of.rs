//! Alternatives that are found by the character at which they stand, so that a list of hundreds costs a look or two.

use super::{Segment, first_keys, last_keys};

/// Alternatives, the longest first, found by the characters that they may begin and end with.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct OneOf {
    pub(crate) alternatives: Vec<Segment>,
    first: Index,
    last: Index,
}

/// Alternatives by the key of a character, in the order of the keys, and those that any character may stand for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
struct Index {
    by_key: Vec<(u8, u32)>,
    always: Vec<u32>,
}

impl Index {
    fn new(keys: impl Iterator<Item = Keys>) -> Self {
        let mut index = Self::default();
        for (alternative, keys) in (0..).zip(keys) {
            if keys == Keys::ALL {
                index.always.push(alternative);
            } else {
                index
                    .by_key
                    .extend(keys.iter().map(|key| (key, alternative)));
            }
        }
        index.by_key.sort_unstable();
        index
    }

    /// The alternatives for a character; at an end of the text, those that any character may stand for.
    fn at(&self, c: Option<char>) -> impl Iterator<Item = u32> {
        let wanted = c.map(key);
        let from = self.by_key.partition_point(|(key, _)| Some(*key) < wanted);
        let found = self.by_key[from..]
            .iter()
            .take_while(move |(key, _)| Some(*key) == wanted);
        found
            .map(|(_, alternative)| *alternative)
            .chain(self.always.iter().copied())
    }

    fn keys(&self) -> Keys {
        if !self.always.is_empty() {
            return Keys::ALL;
        }
        let mut keys = Keys::default();
        for (key, _) in &self.by_key {
            keys.insert(*key);
        }
        keys
    }
}

/// A set of characters by their keys: one of another character with the same key counts as held.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct Keys([u64; 4]);

/// Spreads characters over the keys; those of ASCII are their own.
fn key(c: char) -> u8 {
    (u32::from(c) ^ u32::from(c) >> 8) as u8
}

impl Keys {
    pub(super) const ALL: Self = Self([u64::MAX; 4]);

    /// The keys of a text's outermost character, and of a space where one stands outside of it.
    pub(super) fn of(c: Option<char>, spaced: bool) -> Self {
        let Some(c) = c else {
            return Self::ALL;
        };
        let mut keys = Self::default();
        keys.insert(key(c));
        if spaced {
            keys.insert(key(' '));
        }
        keys
    }

    fn insert(&mut self, key: u8) {
        self.0[usize::from(key >> 6)] |= 1 << (key & 63);
    }

    fn iter(self) -> impl Iterator<Item = u8> {
        (0_u8..4).flat_map(move |part| {
            let mut left = self.0[usize::from(part)];
            std::iter::from_fn(move || {
                let bit = left.trailing_zeros();
                (bit < 64).then(|| {
                    left &= left - 1;
                    part << 6 | bit as u8
                })
            })
        })
    }

    pub(crate) fn may_hold(self, c: char) -> bool {
        let key = key(c);
        self.0[usize::from(key >> 6)] >> (key & 63) & 1 == 1
    }
}

impl OneOf {
    pub(super) fn new(alternatives: Vec<Segment>) -> Self {
        let first = Index::new(alternatives.iter().map(|pieces| first_keys(pieces)));
        let last = Index::new(alternatives.iter().map(|pieces| last_keys(pieces)));
        Self {
            alternatives,
            first,
            last,
        }
    }

    pub(super) fn first_keys(&self) -> Keys {
        self.first.keys()
    }

    pub(super) fn last_keys(&self) -> Keys {
        self.last.keys()
    }

    /// The alternatives that may begin with a character.
    pub(crate) fn beginning(&self, c: Option<char>) -> impl Iterator<Item = &Segment> {
        self.first
            .at(c)
            .map(|index| &self.alternatives[index as usize])
    }

    /// The alternatives that may end with a character.
    pub(crate) fn ending(&self, c: Option<char>) -> impl Iterator<Item = &Segment> {
        self.last
            .at(c)
            .map(|index| &self.alternatives[index as usize])
    }
}
