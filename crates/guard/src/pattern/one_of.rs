//! Alternatives that are found by the character at which they stand, so that a list of hundreds costs a look or two.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::{Piece, Segment, first_keys, last_keys};

/// Alternatives, found by the characters that they may begin and end with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OneOf {
    /// Of the alternatives: a list is hashed once and not for each phrase that names it.
    hash: u64,
    pub(crate) alternatives: Vec<Segment>,
    first: Index,
    last: Index,
}

impl Hash for OneOf {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.hash.hash(state);
    }
}

/// Alternatives by the keys of their two outermost characters, of one where a single one is known, and those that any
/// character may stand for; each in the order of the keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Index {
    by_two: Vec<(u16, u32)>,
    by_one: Vec<(u8, u32)>,
    always: Vec<u32>,
}

/// The outermost characters of an alternative.
enum Outermost {
    /// The two of a text, for each way in which it may stand.
    Two(Vec<u16>),
    One(Keys),
}

impl Index {
    fn new(all: impl Iterator<Item = Outermost>) -> Self {
        let mut index = Self::default();
        for (alternative, outermost) in (0..).zip(all) {
            match outermost {
                Outermost::One(Keys::ALL) => index.always.push(alternative),
                Outermost::One(keys) => {
                    let entries = keys.iter().map(|key| (key, alternative));
                    index.by_one.extend(entries);
                }
                Outermost::Two(keys) => {
                    let entries = keys.into_iter().map(|key| (key, alternative));
                    index.by_two.extend(entries);
                }
            }
        }
        index.by_two.sort_unstable();
        index.by_one.sort_unstable();
        index
    }

    /// What the first of the alternatives gives that gives something, among those for two characters from the outside in; at
    /// an end of the text, among those that any character may stand for.
    fn find<T>(
        &self,
        mut chars: impl Iterator<Item = char>,
        mut of: impl FnMut(u32) -> Option<T>,
    ) -> Option<T> {
        if let Some(one) = chars.next().map(key) {
            if let Some(second) = chars.next().filter(|_| !self.by_two.is_empty()) {
                let wanted = pair(one, second);
                let from = self.by_two.partition_point(|(key, _)| *key < wanted);
                for (key, alternative) in &self.by_two[from..] {
                    if *key != wanted {
                        break;
                    }
                    if let Some(found) = of(*alternative) {
                        return Some(found);
                    }
                }
            }
            let from = self.by_one.partition_point(|(key, _)| *key < one);
            for (key, alternative) in &self.by_one[from..] {
                if *key != one {
                    break;
                }
                if let Some(found) = of(*alternative) {
                    return Some(found);
                }
            }
        }
        self.always.iter().find_map(|alternative| of(*alternative))
    }

    fn keys(&self) -> Keys {
        if !self.always.is_empty() {
            return Keys::ALL;
        }
        let mut keys = Keys::default();
        for (key, _) in &self.by_one {
            keys.insert(*key);
        }
        for (pair, _) in &self.by_two {
            keys.insert((pair >> 8) as u8);
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

fn pair(outer: u8, inner: char) -> u16 {
    u16::from(outer) << 8 | u16::from(key(inner))
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
    pub(crate) fn new(alternatives: Vec<Segment>) -> Self {
        let first = Index::new(alternatives.iter().map(|pieces| match pieces.first() {
            Some(Piece::Text(text)) => outermost(text.chars()),
            _ => Outermost::One(first_keys(pieces)),
        }));
        let last = Index::new(alternatives.iter().map(|pieces| match pieces.last() {
            Some(Piece::Text(text)) => outermost(text.chars().rev()),
            _ => Outermost::One(last_keys(pieces)),
        }));
        let mut hasher = DefaultHasher::new();
        alternatives.hash(&mut hasher);
        Self {
            hash: hasher.finish(),
            alternatives,
            first,
            last,
        }
    }

    pub(crate) fn first_keys(&self) -> Keys {
        self.first.keys()
    }

    pub(super) fn last_keys(&self) -> Keys {
        self.last.keys()
    }

    /// What the first of the alternatives gives that may begin with the characters at hand and gives something.
    pub(crate) fn find_beginning<T>(
        &self,
        chars: impl Iterator<Item = char>,
        mut of: impl FnMut(&Segment) -> Option<T>,
    ) -> Option<T> {
        self.first
            .find(chars, |index| of(&self.alternatives[index as usize]))
    }

    /// The same of those that may end with the characters before, the nearest first.
    pub(crate) fn find_ending<T>(
        &self,
        chars: impl Iterator<Item = char>,
        mut of: impl FnMut(&Segment) -> Option<T>,
    ) -> Option<T> {
        self.last
            .find(chars, |index| of(&self.alternatives[index as usize]))
    }
}

/// A text's outermost characters, from the outside in. Where a space stands outside, it may stand already, or be the last.
fn outermost(mut chars: impl Iterator<Item = char> + Clone) -> Outermost {
    let mut all = chars.clone();
    let spaced = all.next() == Some(' ');
    if spaced {
        chars.next();
    }
    let (Some(outer), inner) = (chars.next(), chars.next()) else {
        return Outermost::One(Keys::ALL);
    };
    match inner {
        Some(' ') | None => Outermost::One(Keys::of(Some(outer), spaced)),
        Some(inner) => {
            let mut keys = vec![pair(key(outer), inner)];
            if spaced {
                keys.push(pair(key(' '), outer));
            }
            Outermost::Two(keys)
        }
    }
}
