//! By what a phrase is found: words, beginnings and ends of words, and pairs of Chinese characters or signs, looked up by
//! hash. A text costs one pass, whatever there is to be looked for.

use std::collections::HashMap;
use std::ops::Range;

use super::walk::in_word;
use crate::normal::Normal;

/// The most letters of a word's beginning or end that are looked up.
const PART: usize = 4;
/// The most letters that are looked up where a word runs on on both sides.
const INSIDE: usize = 6;
/// Bits of a hash by which a sieve is sorted: its 8 kB stay in the nearest cache.
const SIEVE_BITS: u32 = 16;

/// What a hash was made of, so that `free`, `free~` and `~free` are three things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Word,
    Beginning,
    End,
    Inside,
    Sign,
    Signs,
}

/// A gram of a phrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gram {
    kind: Kind,
    hash: u64,
    letters: usize,
    /// The byte at which it stands.
    pub(super) at: usize,
    /// The bytes of the words or signs that it is of.
    pub(super) token: (usize, usize),
}

impl Gram {
    /// Whether its word goes on before it.
    pub(super) fn runs_before(&self) -> bool {
        matches!(self.kind, Kind::End | Kind::Inside)
    }

    /// Whether its word goes on behind it.
    pub(super) fn runs_behind(&self) -> bool {
        matches!(self.kind, Kind::Beginning | Kind::Inside)
    }
}

/// A gram of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    hash: u64,
    pub(super) at: u32,
    /// Index of the word or sign that it is of; a pair of signs is of two.
    token: u32,
    is_pair: bool,
}

/// A set of words and signs: another one of the same mark counts as held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Marks(u64);

impl Marks {
    pub(super) const ALL: Self = Self(u64::MAX);
    pub(super) const NONE: Self = Self(0);

    pub(super) fn of(token: &str) -> Self {
        Self(1 << mark(token.chars().fold(0, step)))
    }

    pub(super) fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn may_hold(self, mark: Option<u8>) -> bool {
        self == Self::ALL || mark.is_some_and(|mark| self.0 >> mark & 1 == 1)
    }
}

/// A number below 64 for a word or sign.
fn mark(hash: u64) -> u8 {
    (finish(Kind::Word, hash) >> 20 & 63) as u8
}

/// The grams of texts that are looked for: a word's whole, up to four letters of its beginning or end where it runs on, up
/// to six where it does so on both sides, two characters beside each other, or one where there are no two.
///
/// `open` says whether the text's first word may go on before it, and its last one behind it.
pub(super) fn of_phrase(text: &str, open: (bool, bool)) -> Vec<Gram> {
    let mut grams = Vec::new();
    let mut push = |kind, chars: &str, at, token| {
        let hash = finish(kind, chars.chars().fold(0, step));
        grams.push(Gram {
            kind,
            hash,
            letters: chars.chars().count(),
            at,
            token,
        });
    };
    let mut signs: Option<usize> = None;
    for (start, token) in tokens(text) {
        let end = start + token.len();
        if !token.starts_with(in_word) {
            match signs.filter(|before| next_char(text, *before) == start) {
                Some(before) => push(Kind::Signs, &text[before..end], before, (before, end)),
                None if tokens(&text[end..])
                    .next()
                    .is_some_and(|(gap, token)| gap == 0 && !token.starts_with(in_word)) => {}
                None => push(Kind::Sign, token, start, (start, end)),
            }
            signs = Some(start);
            continue;
        }
        let runs_on = (open.0 && start == 0, open.1 && end == text.len());
        match runs_on {
            (false, false) => push(Kind::Word, token, start, (start, end)),
            (false, true) => push(
                Kind::Beginning,
                first_chars(token, PART),
                start,
                (start, end),
            ),
            (true, false) => {
                let part = last_chars(token, PART);
                push(Kind::End, part, end - part.len(), (start, end));
            }
            (true, true) => {
                let part = first_chars(token, INSIDE);
                push(Kind::Inside, part, start, (start, end));
            }
        }
    }
    grams
}

/// Words and single signs of a reduced text, with the bytes at which they begin.
pub(super) fn tokens(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        at += text[at..].len() - text[at..].trim_start_matches(' ').len();
        let rest = &text[at..];
        let first = rest.chars().next()?;
        let len = if in_word(first) {
            rest.find(|c| !in_word(c)).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        at += len;
        Some((at - len, &rest[..len]))
    })
}

fn next_char(text: &str, at: usize) -> usize {
    at + text[at..].chars().next().map_or(0, char::len_utf8)
}

fn first_chars(word: &str, count: usize) -> &str {
    let end = word
        .char_indices()
        .nth(count)
        .map_or(word.len(), |(at, _)| at);
    &word[..end]
}

fn last_chars(word: &str, count: usize) -> &str {
    let from = word
        .char_indices()
        .rev()
        .nth(count - 1)
        .map_or(0, |(at, _)| at);
    &word[from..]
}

pub(crate) fn step(hash: u64, c: char) -> u64 {
    (hash.rotate_left(5) ^ u64::from(u32::from(c))).wrapping_mul(0x517c_c1b7_2722_0a95)
}

fn finish(kind: Kind, hash: u64) -> u64 {
    let mixed = (hash ^ (kind as u64 + 1)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ mixed >> 32
}

/// A reduced text's grams and the places where a phrase may begin.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    /// The bytes at which words and signs begin.
    starts: Vec<u32>,
    marks: Vec<u8>,
    grams: Vec<Found>,
}

/// Which grams are looked for at all: most of a text's are not.
#[derive(Debug, Clone)]
pub(super) struct Sieve {
    beginnings: [bool; PART + 1],
    ends: [bool; PART + 1],
    inside: [bool; INSIDE + 1],
    /// By the upper bits of the hash.
    bits: Vec<u64>,
}

impl Sieve {
    pub(super) fn none() -> Self {
        Self {
            beginnings: [false; PART + 1],
            ends: [false; PART + 1],
            inside: [false; INSIDE + 1],
            bits: vec![0; 1 << (SIEVE_BITS - 6)],
        }
    }

    fn all() -> Self {
        Self {
            beginnings: [true; PART + 1],
            ends: [true; PART + 1],
            inside: [true; INSIDE + 1],
            bits: vec![u64::MAX; 1 << (SIEVE_BITS - 6)],
        }
    }

    pub(super) fn add(&mut self, gram: &Gram) {
        match gram.kind {
            Kind::Beginning => self.beginnings[gram.letters] = true,
            Kind::End => self.ends[gram.letters] = true,
            Kind::Inside => self.inside[gram.letters] = true,
            Kind::Word | Kind::Sign | Kind::Signs => {}
        }
        let upper = gram.hash >> (64 - SIEVE_BITS);
        self.bits[(upper >> 6) as usize] |= 1 << (upper & 63);
    }

    fn holds(&self, hash: u64) -> bool {
        let upper = hash >> (64 - SIEVE_BITS);
        self.bits[(upper >> 6) as usize] >> (upper & 63) & 1 == 1
    }
}

impl Tokens {
    /// Those of its grams that a sieve holds.
    pub(super) fn of(text: &str, sieve: &Sieve) -> Self {
        let mut tokens = Self {
            starts: Vec::with_capacity(text.len() / 3 + 1),
            marks: Vec::with_capacity(text.len() / 3 + 1),
            grams: Vec::new(),
        };
        tokens.read(text, sieve);
        tokens
    }

    fn read(&mut self, text: &str, sieve: &Sieve) {
        let mut chars = text.char_indices().peekable();
        let mut sign_before: Option<(usize, usize, char)> = None;
        while let Some((at, c)) = chars.next() {
            if c == ' ' {
                continue;
            }
            self.starts.push(at as u32);
            let mut hash = step(0, c);
            if !in_word(c) {
                self.marks.push(mark(hash));
                self.push(sieve, Kind::Sign, hash, at);
                if let Some((before, end, first)) = sign_before
                    && end == at
                {
                    self.push(sieve, Kind::Signs, step(step(0, first), c), before);
                }
                sign_before = Some((at, at + c.len_utf8(), c));
                continue;
            }
            let mut last = [(at, c); INSIDE];
            let mut count = 1;
            if sieve.beginnings[1] {
                self.push(sieve, Kind::Beginning, hash, at);
            }
            self.push_inside(sieve, &last, count);
            while let Some((next, c)) = chars.next_if(|(_, c)| in_word(*c)) {
                hash = step(hash, c);
                last[count % INSIDE] = (next, c);
                count += 1;
                if count <= PART && sieve.beginnings[count] {
                    self.push(sieve, Kind::Beginning, hash, at);
                }
                self.push_inside(sieve, &last, count);
            }
            self.marks.push(mark(hash));
            self.push(sieve, Kind::Word, hash, at);
            for len in (1..=count.min(PART)).filter(|len| sieve.ends[*len]) {
                self.push_last(sieve, Kind::End, &last, count, len);
            }
        }
    }

    fn push_inside(&mut self, sieve: &Sieve, last: &[(usize, char); INSIDE], count: usize) {
        for len in (1..=count.min(INSIDE)).filter(|len| sieve.inside[*len]) {
            self.push_last(sieve, Kind::Inside, last, count, len);
        }
    }

    /// The last `len` of the `count` letters of a word.
    fn push_last(
        &mut self,
        sieve: &Sieve,
        kind: Kind,
        last: &[(usize, char); INSIDE],
        count: usize,
        len: usize,
    ) {
        let part = (count - len..count).map(|index| last[index % INSIDE].1);
        let at = last[(count - len) % INSIDE].0;
        self.push(sieve, kind, part.fold(0, step), at);
    }

    fn push(&mut self, sieve: &Sieve, kind: Kind, hash: u64, at: usize) {
        let hash = finish(kind, hash);
        if !sieve.holds(hash) {
            return;
        }
        let is_pair = kind == Kind::Signs;
        self.grams.push(Found {
            hash,
            at: at as u32,
            token: self.starts.len() as u32 - if is_pair { 2 } else { 1 },
            is_pair,
        });
    }

    pub(super) fn grams(&self) -> &[Found] {
        &self.grams
    }

    /// The bytes within a range at which one of some words or signs may begin, with the characters there.
    pub(super) fn begun_in<'t>(
        &'t self,
        text: &'t str,
        within: Range<usize>,
        marks: Marks,
    ) -> impl Iterator<Item = (usize, char)> {
        let at = |byte: usize| {
            self.starts
                .partition_point(|start| (*start as usize) < byte)
        };
        let tokens = at(within.start)..at(within.end);
        let starts = self.starts[tokens.clone()].iter().zip(&self.marks[tokens]);
        starts
            .filter(move |(_, mark)| marks.may_hold(Some(**mark)))
            .filter_map(|(start, _)| {
                let start = *start as usize;
                Some((start, text[start..].chars().next()?))
            })
    }
}

/// Words, signs and pairs of signs of shop texts, with how many of 10,000 sentences hold them; `bench/guard/common.py` wrote it.
const COMMON: &str = include_str!("common.txt");

/// In how many of 10,000 texts each gram stands.
#[derive(Debug)]
pub(super) struct Frequencies(HashMap<u64, u32>);

impl Frequencies {
    pub(super) fn common() -> Self {
        let (mut shares, all) = (HashMap::new(), Sieve::all());
        for line in COMMON.lines() {
            let (text, share) = line
                .split_once(' ')
                .expect("invariant: a text and its share");
            let share: u32 = share.parse().expect("invariant: a share is a number");
            let text = Normal::of(text).text;
            let is_pair = !text.starts_with(in_word) && text.chars().nth(1).is_some();
            let tokens = Tokens::of(&text, &all);
            let skipped = tokens.grams.len().saturating_sub(1);
            for gram in tokens.grams.iter().skip(if is_pair { skipped } else { 0 }) {
                *shares.entry(gram.hash).or_default() += share;
            }
        }
        Self(shares)
    }

    pub(super) fn of(&self, gram: &Gram) -> u32 {
        self.0.get(&gram.hash).copied().unwrap_or(0)
    }
}

/// Values by the gram under which they are found, and by the words or signs beside it.
#[derive(Debug, Clone)]
pub(super) struct Table<T> {
    /// Open addressing: the hash, and the range of its values; an empty range is a free place.
    places: Vec<(u64, u32, u32)>,
    /// What may stand before and behind the gram of each value.
    beside: Vec<(Marks, Marks)>,
    values: Vec<T>,
}

impl<T> Table<T> {
    pub(super) fn new(mut entries: Vec<(Gram, (Marks, Marks), T)>) -> Self {
        entries.sort_by_key(|(gram, ..)| gram.hash);
        let mut places = vec![(0, 0, 0); (entries.len() * 2).next_power_of_two().max(8)];
        let mut from = 0;
        for equal in entries.chunk_by(|a, b| a.0.hash == b.0.hash) {
            let hash = equal[0].0.hash;
            let mut place = hash as usize & (places.len() - 1);
            while places[place].1 < places[place].2 {
                place = (place + 1) & (places.len() - 1);
            }
            places[place] = (hash, from, from + equal.len() as u32);
            from += equal.len() as u32;
        }
        let beside = entries.iter().map(|(_, beside, _)| *beside).collect();
        Self {
            places,
            beside,
            values: entries.into_iter().map(|(.., value)| value).collect(),
        }
    }

    /// The values of a gram of a text, given the words or signs around it.
    pub(super) fn at<'t>(&'t self, gram: &Found, tokens: &Tokens) -> impl Iterator<Item = &'t T> {
        let values = self.range(gram.hash);
        let first = gram.token as usize;
        let behind = first + 1 + usize::from(gram.is_pair);
        let before = first.checked_sub(1).map(|at| tokens.marks[at]);
        let after = tokens.marks.get(behind).copied();
        self.beside[values.clone()]
            .iter()
            .zip(values)
            .filter(move |((may_precede, may_follow), _)| {
                may_precede.may_hold(before) && may_follow.may_hold(after)
            })
            .map(|(_, value)| &self.values[value])
    }

    fn range(&self, hash: u64) -> Range<usize> {
        let mut place = hash as usize & (self.places.len() - 1);
        loop {
            let (held, from, to) = self.places[place];
            if from == to || held == hash {
                return from as usize..to as usize;
            }
            place = (place + 1) & (self.places.len() - 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_holds_the_grams_of_the_phrases_in_it() {
        for (phrase, open, text) in [
            ("best", (false, false), "the best mug"),
            ("guarant", (false, true), "guaranteed"),
            ("gu", (false, true), "guaranteed"),
            ("-free", (true, false), "sugar-free"),
            ("iest", (true, false), "the comfiest chair"),
            ("最好", (false, false), "真的最好喝"),
            ("茶", (false, false), "喝茶去"),
            ("bestprice", (true, true), "xxbestpricexx"),
            ("ok", (true, true), "cookies"),
            ("%", (true, false), "20% off"),
            ("d'or", (false, false), "a palme d'or"),
        ] {
            let all = Tokens::of(text, &Sieve::all());
            let grams = of_phrase(phrase, open);
            assert!(!grams.is_empty(), "{phrase}");
            for gram in grams {
                let found = all.grams().iter().find(|found| found.hash == gram.hash);
                let at = found.map(|found| &text[found.at as usize..]);
                let rest = &phrase[gram.at..];
                assert!(
                    at.is_some_and(|at| at.starts_with(rest)),
                    "{phrase} in {text}"
                );
            }
        }
        assert_eq!(of_phrase("s", (true, true)).len(), 1);
    }

    #[test]
    fn values_are_found_by_whole_words_and_what_is_beside_them() {
        let best = of_phrase("best", (false, false))[0];
        let any = (Marks::ALL, Marks::ALL);
        let table = Table::new(vec![
            (best, any, 'a'),
            (best, (Marks::of("the"), Marks::ALL), 'b'),
            (
                best,
                (Marks::ALL, Marks::of("mug").with(Marks::of("茶"))),
                'c',
            ),
        ]);
        let found = |text: &str| -> String {
            let tokens = Tokens::of(text, &Sieve::all());
            let grams = tokens.grams().iter();
            grams.flat_map(|gram| table.at(gram, &tokens)).collect()
        };
        assert_eq!(found("the best"), "ab");
        assert_eq!(found("best mug"), "ac");
        assert_eq!(found("our best茶"), "ac");
        assert_eq!(found("bestow"), "");
    }
}
