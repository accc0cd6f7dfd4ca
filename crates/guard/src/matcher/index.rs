//! Phrases by the rarest of their grams: only where it stands in a text is the rest of a phrase compared.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::beside::{self, around};
use super::grams::{self, Frequencies, Gram, Marks, Sieve, Table, Tokens};
use super::walk::{WORD_CHARS, backward, forward, is_edge};
use crate::number;
use crate::pattern::{Keys, OneOf, Piece, Segment, first_keys};

/// How far `…` reaches, in columns: 40 letters or 20 Chinese characters.
const GAP_COLUMNS: usize = 40;
/// What a look costs that a frequent gram calls for, in places of the table that an alternative takes.
const LOOK: u64 = 16;

/// A phrase: segments with a gap between two of them.
#[derive(Debug, Clone)]
struct Sequence {
    source: Source,
    segments: Vec<u32>,
    /// Which of them is looked for first.
    key: usize,
}

/// Where a phrase stands in its pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Source {
    /// Index of its rule in the pack.
    pub(super) rule: usize,
    /// Index of its phrase among those of the rule, exceptions behind them.
    pub(super) phrase: usize,
    pub(super) is_exception: bool,
}

/// What stands between two gaps of a phrase.
#[derive(Debug, Clone)]
struct Stretch {
    pieces: Segment,
    /// What it may begin with: characters, and whole words or signs.
    first: (Keys, Marks),
    /// The most bytes that it covers.
    reach: usize,
}

/// A stretch cut at a gram by which it is found: what stands before it, and what begins with it.
#[derive(Debug, Clone)]
struct Anchor {
    /// The rules whose phrases are looked for by it.
    rules: Rules,
    stretch: u32,
    before: Segment,
    after: Segment,
}

/// A set of rules: one of another number of the same remainder counts as held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rules(u128);

impl Rules {
    pub(super) const ALL: Self = Self(u128::MAX);

    pub(super) fn of(rules: impl Iterator<Item = usize>) -> Self {
        Self(rules.fold(0, |set, rule| set | 1 << (rule % 128)))
    }

    fn meet(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// A phrase found in a reduced text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) range: Range<usize>,
    pub(super) source: Source,
}

/// Phrases by their grams.
#[derive(Debug, Clone)]
pub(super) struct Index {
    anchors: Table<Anchor>,
    stretches: Vec<Stretch>,
    /// For each stretch, the sequences that are looked for by it.
    keyed: Vec<Vec<u32>>,
    sequences: Vec<Sequence>,
    /// The bytes of the longest match.
    pub(super) longest: usize,
}

/// One of a sequence's segments found in a reduced text.
#[derive(Debug)]
struct Part {
    /// Which of them.
    index: usize,
    range: Range<usize>,
}

impl Index {
    /// Sorts phrases, each a sequence of segments, by what is rarest in them, which the sieve lets through from now on.
    /// Gives the first phrase, if any, that has no gram to be found by.
    pub(super) fn new(
        phrases: Vec<(Source, Vec<Segment>)>,
        frequencies: &Frequencies,
        sieve: &mut Sieve,
    ) -> Result<Self, Source> {
        let mut builder = Builder {
            frequencies,
            lists: HashMap::new(),
            indices: HashMap::new(),
            stretches: Vec::new(),
            costs: Vec::new(),
        };
        let mut sequences = Vec::with_capacity(phrases.len());
        let mut longest = 0;
        for (source, segments) in phrases {
            let reaches = segments
                .iter()
                .map(|segment| reach(segment) + GAP_COLUMNS * 4);
            longest = longest.max(reaches.sum());
            let segments: Vec<u32> = segments
                .iter()
                .map(|segment| builder.hold(segment))
                .collect();
            let cost = |at: &usize| builder.costs[segments[*at] as usize];
            let key = (0..segments.len())
                .filter(|at| cost(at).is_some())
                .min_by_key(cost)
                .ok_or(source)?;
            sequences.push(Sequence {
                source,
                segments,
                key,
            });
        }
        let mut keyed = vec![Vec::new(); builder.stretches.len()];
        for (index, sequence) in (0..).zip(&sequences) {
            keyed[sequence.segments[sequence.key] as usize].push(index);
        }
        let mut anchors = Vec::new();
        for (stretch, keyed) in (0..).zip(&keyed) {
            if !keyed.is_empty() {
                let rule = |index: &u32| sequences[*index as usize].source.rule;
                let rules = Rules::of(keyed.iter().map(rule));
                let pieces = builder.stretches[stretch as usize].pieces.clone();
                for (before, gram, after) in builder.anchored(&pieces, (false, false)) {
                    let beside = (
                        beside::before(&before, &gram),
                        beside::behind(&after, &gram),
                    );
                    let anchor = Anchor {
                        rules,
                        stretch,
                        before,
                        after,
                    };
                    sieve.add(&gram);
                    anchors.push((gram, beside, anchor));
                }
            }
        }
        Ok(Self {
            anchors: Table::new(anchors),
            stretches: builder.stretches,
            keyed,
            sequences,
            longest,
        })
    }

    /// The phrases that a reduced text holds, those of the wanted rules at least, in no order.
    pub(super) fn find(&self, text: &str, tokens: &Tokens, wanted: Rules) -> Vec<Hit> {
        let mut hits = Vec::new();
        // Of phrases with gaps, the key parts.
        let mut keys: Vec<(u32, Range<usize>)> = Vec::new();
        for gram in tokens.grams() {
            for anchor in self.anchors.at(gram, tokens) {
                if !anchor.rules.meet(wanted) {
                    continue;
                }
                let Some(range) = stretch_at(text, gram.at as usize, anchor) else {
                    continue;
                };
                for index in &self.keyed[anchor.stretch as usize] {
                    let sequence = &self.sequences[*index as usize];
                    if sequence.segments.len() > 1 {
                        keys.push((*index, range.clone()));
                    } else {
                        hits.push(Hit {
                            range: range.clone(),
                            source: sequence.source,
                        });
                    }
                }
            }
        }
        keys.sort_unstable_by_key(|(index, range)| (*index, range.start, range.end));
        keys.dedup();
        for keys in keys.chunk_by(|a, b| a.0 == b.0) {
            self.complete(text, tokens, keys, &mut hits);
        }
        hits
    }

    /// Looks for the other segments of a sequence around the places at which its key was found, nearest places together.
    fn complete(
        &self,
        text: &str,
        tokens: &Tokens,
        keys: &[(u32, Range<usize>)],
        hits: &mut Vec<Hit>,
    ) {
        let sequence = &self.sequences[keys[0].0 as usize];
        let reach = |segments: &[u32]| -> usize {
            let bytes = |segment: &u32| self.stretches[*segment as usize].reach + 4 * GAP_COLUMNS;
            segments.iter().map(bytes).sum()
        };
        let (before, after) = (
            reach(&sequence.segments[..sequence.key]),
            reach(&sequence.segments[sequence.key + 1..]),
        );
        let near = |a: &(u32, Range<usize>), b: &(u32, Range<usize>)| {
            a.1.end + after + before >= b.1.start
        };
        for keys in keys.chunk_by(near) {
            let (first, last) = (&keys[0].1, &keys[keys.len() - 1].1);
            let mut parts = Vec::new();
            for (index, segment) in sequence.segments.iter().enumerate() {
                let held = parts.len();
                if index == sequence.key {
                    let range = |key: &(u32, Range<usize>)| key.1.clone();
                    parts.extend(keys.iter().map(range).map(|range| Part { index, range }));
                    continue;
                }
                let within = if index < sequence.key {
                    first.start.saturating_sub(before)..last.start
                } else {
                    first.end..last.end + after
                };
                self.parts(text, tokens, within, *segment, |range| {
                    parts.push(Part { index, range });
                });
                if parts.len() == held {
                    parts.clear();
                    break;
                }
            }
            parts.sort_by_key(|part| part.range.start);
            for (at, part) in parts.iter().enumerate().filter(|(_, part)| part.index == 0) {
                let last = sequence.segments.len() - 1;
                let farthest = sequence.source.is_exception;
                if let Some(end) = join(text, &parts[at + 1..], part.range.end, 1..=last, farthest)
                {
                    hits.push(Hit {
                        range: part.range.start..end,
                        source: sequence.source,
                    });
                }
            }
        }
    }

    /// Where a segment stands that begins within a range of bytes.
    fn parts(
        &self,
        text: &str,
        tokens: &Tokens,
        within: Range<usize>,
        segment: u32,
        mut found: impl FnMut(Range<usize>),
    ) {
        let stretch = &self.stretches[segment as usize];
        for (start, c) in tokens.begun_in(text, within, stretch.first.1) {
            if stretch.first.0.may_hold(c)
                && let Some(end) = forward(text, start, &stretch.pieces, None)
            {
                found(trimmed(text, start..end));
            }
        }
    }
}

/// Where the stretch of an anchor stands whose gram stands at a byte.
fn stretch_at(text: &str, at: usize, anchor: &Anchor) -> Option<Range<usize>> {
    let start = if anchor.before.is_empty() {
        is_edge(text, at).then_some(at)?
    } else {
        backward(text, at, &anchor.before, None)?
    };
    let end = forward(text, at, &anchor.after, None)?;
    Some(trimmed(text, start..end))
}

/// A range without the spaces at its ends, which belong to the gaps around it.
fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let found = &text[range.clone()];
    let head = found.len() - found.trim_start_matches(' ').len();
    range.start + head..range.start + found.trim_end_matches(' ').len()
}

/// Where a sequence ends whose segment before those of `indices` ends at `end`, if these follow among the parts, each within
/// a gap of the one before: at the nearest end, or at the `farthest`, as an exception covers what it can.
fn join(
    text: &str,
    parts: &[Part],
    end: usize,
    indices: std::ops::RangeInclusive<usize>,
    farthest: bool,
) -> Option<usize> {
    if indices.is_empty() {
        return Some(end);
    }
    let mut best = None;
    for (at, part) in parts.iter().enumerate() {
        if part.range.start < end {
            continue;
        }
        if part.range.start - end > 4 * GAP_COLUMNS {
            break;
        }
        if part.index == *indices.start() && is_gap(&text[end..part.range.start]) {
            let rest = indices.start() + 1..=*indices.end();
            let found = join(text, &parts[at + 1..], part.range.end, rest, farthest);
            if found.is_some() && !farthest {
                return found;
            }
            best = best.max(found);
        }
    }
    best
}

/// Whether a stretch of text is short enough for a gap and ends no sentence; the point of 99.9 ends none.
fn is_gap(text: &str) -> bool {
    let mut columns = 0;
    text.char_indices().all(|(at, c)| {
        columns += if c.is_ascii() { 1 } else { 2 };
        let in_number = c == '.' && text[at + 1..].starts_with(|c: char| c.is_ascii_digit());
        columns <= GAP_COLUMNS && (in_number || !matches!(c, '.' | '!' | '?' | '。' | ';'))
    })
}

/// The most bytes that a segment covers.
fn reach(pieces: &[Piece]) -> usize {
    let of = |piece: &Piece| match piece {
        Piece::Text(text) => text.len(),
        Piece::Number => number::MAX_BYTES,
        Piece::Word => WORD_CHARS * 4,
        Piece::OneOf(one_of) => one_of
            .alternatives
            .iter()
            .map(|pieces| reach(pieces))
            .max()
            .unwrap_or(0),
    };
    pieces.iter().map(of).sum()
}

/// A segment without the space at its beginning: it belongs to the gap before.
fn without_first_space(pieces: &[Piece]) -> Segment {
    let Some((first, rest)) = pieces.split_first() else {
        return Vec::new();
    };
    let first = match first {
        Piece::Text(text) => match text.trim_start_matches(' ') {
            "" => return without_first_space(rest),
            trimmed => Piece::Text(trimmed.to_owned()),
        },
        Piece::OneOf(one_of) if one_of.first_keys().may_hold(' ') => {
            let all = one_of.alternatives.iter();
            let trimmed = all.map(|pieces| without_first_space(pieces)).collect();
            Piece::OneOf(Arc::new(OneOf::new(trimmed)))
        }
        other => other.clone(),
    };
    [&[first], rest].concat()
}

/// What is known while an index is made.
struct Builder<'f> {
    frequencies: &'f Frequencies,
    /// What lists cost that were seen before, by where they lie and whether words run on around them.
    lists: HashMap<(*const OneOf, (bool, bool)), Option<u64>>,
    indices: HashMap<Segment, u32>,
    stretches: Vec<Stretch>,
    costs: Vec<Option<u64>>,
}

impl Builder<'_> {
    /// The index of a segment among the stretches.
    fn hold(&mut self, segment: &[Piece]) -> u32 {
        let segment = without_first_space(segment);
        if let Some(index) = self.indices.get(&segment) {
            return *index;
        }
        let index = self.stretches.len() as u32;
        let cost = self
            .cheapest(&segment, (false, false))
            .map(|(_, cost)| cost);
        self.costs.push(cost);
        self.stretches.push(Stretch {
            first: (first_keys(&segment), beside::first(&segment)),
            reach: reach(&segment),
            pieces: segment.clone(),
        });
        self.indices.insert(segment, index);
        index
    }

    /// The piece by which a segment is found with the fewest looks, and what that costs; `open` says whether words run on
    /// before and behind the segment.
    fn cheapest(&mut self, pieces: &[Piece], open: (bool, bool)) -> Option<(usize, u64)> {
        let mut best: Option<(usize, u64)> = None;
        for at in 0..pieces.len() {
            let open = around(pieces, at, open);
            if let Some(cost) = self.cost(&pieces[at], open)
                && best.is_none_or(|(_, least)| cost < least)
            {
                best = Some((at, cost));
            }
        }
        best
    }

    fn cost(&mut self, piece: &Piece, open: (bool, bool)) -> Option<u64> {
        match piece {
            Piece::Text(text) => self.rarest(text, open).map(|(_, cost)| cost),
            Piece::Number | Piece::Word => None,
            Piece::OneOf(one_of) => {
                let key = (Arc::as_ptr(one_of), open);
                if let Some(cost) = self.lists.get(&key) {
                    return *cost;
                }
                let mut sum = Some(0);
                for pieces in &one_of.alternatives {
                    let cost = self.cheapest(pieces, open).map(|(_, cost)| cost);
                    sum = sum.zip(cost).map(|(sum, cost)| sum + cost);
                }
                self.lists.insert(key, sum);
                sum
            }
        }
    }

    fn rarest(&self, text: &str, open: (bool, bool)) -> Option<(Gram, u64)> {
        let cost = |gram: &Gram| 1 + LOOK * u64::from(self.frequencies.of(gram));
        let priced = grams::of_phrase(text, open)
            .into_iter()
            .map(|gram| (gram, cost(&gram)));
        priced.min_by_key(|(_, cost)| *cost)
    }

    /// Cuts a segment at the grams by which it is found.
    fn anchored(&mut self, pieces: &[Piece], open: (bool, bool)) -> Vec<(Segment, Gram, Segment)> {
        let Some((at, _)) = self.cheapest(pieces, open) else {
            return Vec::new();
        };
        let open = around(pieces, at, open);
        let inner = match &pieces[at] {
            Piece::Text(text) => {
                let rarest = self.rarest(text, open);
                let of = |text: &str| match text {
                    "" => Vec::new(),
                    text => vec![Piece::Text(text.to_owned())],
                };
                let cut =
                    |(gram, _): (Gram, u64)| (of(&text[..gram.at]), gram, of(&text[gram.at..]));
                rarest.map(cut).into_iter().collect()
            }
            Piece::OneOf(one_of) => {
                let mut all = Vec::new();
                for pieces in &one_of.alternatives {
                    all.extend(self.anchored(pieces, open));
                }
                all
            }
            Piece::Number | Piece::Word => Vec::new(),
        };
        let whole = |(before, gram, after): (Segment, Gram, Segment)| {
            (
                [&pieces[..at], &before].concat(),
                gram,
                [&after, &pieces[at + 1..]].concat(),
            )
        };
        inner.into_iter().map(whole).collect()
    }
}
