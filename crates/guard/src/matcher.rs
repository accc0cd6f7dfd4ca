//! Finds the phrases of a rule pack in a text: one automaton over their literal texts, and a look around each hit.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use crate::normal::{Normal, is_han};
use crate::number;
use crate::pattern::{self, Keys, Lists, PatternError, Piece, Segment};
use crate::{GuardError, RulePack};

/// How far `…` reaches, in columns: 40 letters or 20 Chinese characters.
const GAP_COLUMNS: usize = 40;
/// The longest ending that `~` stands for, in characters.
const WORD_CHARS: usize = 24;

/// How many matches back one that runs into the present one is looked for: several rules may find the same words.
const NEIGHBOURS: usize = 64;

/// A way to find a segment: what stands before and behind the text that the automaton looks for.
#[derive(Debug, Clone)]
struct Anchor {
    segment: usize,
    /// The characters that may stand before and behind the text: most anchors need no longer look.
    last_before: Keys,
    first_after: Keys,
    before: Segment,
    after: Segment,
}

/// A phrase as a sequence of segments with a gap between two of them.
#[derive(Debug, Clone)]
struct Sequence {
    /// Index of its rule in the pack.
    rule: usize,
    /// Index of its phrase among those of the rule, exceptions behind them.
    phrase: usize,
    is_exception: bool,
    /// The segments behind the first.
    rest: Vec<usize>,
}

/// A phrase found in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Match {
    /// Index of its rule in the pack.
    pub(crate) rule: usize,
    /// Index of its phrase among those of the rule.
    pub(crate) phrase: usize,
    /// The bytes of the text that it covers.
    pub(crate) bytes: Range<usize>,
}

/// The phrases of a pack as an automaton.
#[derive(Debug, Clone)]
pub(crate) struct Matcher {
    automaton: AhoCorasick,
    /// For each text of the automaton, the segments that hang on it.
    anchors: Vec<Vec<Anchor>>,
    /// For each segment, the phrases that begin with it.
    sequences: Vec<Vec<Sequence>>,
    /// The bytes of the longest match.
    longest: usize,
}

/// A segment found in a reduced text.
#[derive(Debug)]
struct Part {
    segment: usize,
    range: Range<usize>,
}

/// A phrase found in a reduced text.
#[derive(Debug)]
struct Hit<'m> {
    range: Range<usize>,
    sequence: &'m Sequence,
}

impl Matcher {
    /// # Errors
    /// [`GuardError::Pack`] for the first phrase that cannot be read.
    pub(crate) fn new(pack: &RulePack) -> Result<Self, GuardError> {
        let lists =
            Lists::read(&pack.words).map_err(|(name, word, error)| unread(&name, &word, &error))?;
        let mut anchors: BTreeMap<String, Vec<Anchor>> = BTreeMap::new();
        let mut segments: HashMap<Segment, usize> = HashMap::new();
        let mut sequences: Vec<Vec<Sequence>> = Vec::new();
        let mut longest = 0;
        for (rule, phrases) in pack.rules.iter().enumerate() {
            for (phrase, (text, is_exception)) in phrases.every_phrase().enumerate() {
                let read = pattern::parse(text, &lists)
                    .map_err(|error| unread(&phrases.id, text, &error))?;
                for sequence in read {
                    let bytes = sequence
                        .iter()
                        .map(|segment| reach(segment) + GAP_COLUMNS * 4);
                    longest = longest.max(bytes.sum());
                    let mut indices = Vec::with_capacity(sequence.len());
                    for segment in sequence {
                        let next = segments.len();
                        indices.push(*segments.entry(segment).or_insert_with_key(|segment| {
                            sequences.push(Vec::new());
                            for (before, text, after) in anchored(segment) {
                                let anchor = Anchor {
                                    segment: next,
                                    last_before: pattern::last_keys(&before),
                                    first_after: pattern::first_keys(&after),
                                    before,
                                    after,
                                };
                                anchors.entry(text).or_default().push(anchor);
                            }
                            next
                        }));
                    }
                    let rest = indices.split_off(1);
                    sequences[indices[0]].push(Sequence {
                        rule,
                        phrase,
                        is_exception,
                        rest,
                    });
                }
            }
        }
        let (texts, anchors): (Vec<_>, Vec<_>) = anchors.into_iter().unzip();
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(&texts)
            .map_err(|error| GuardError::Pack {
                place: None,
                problem: format!("the phrases make no automaton: {error}"),
                remedy: "leave some of them out",
            })?;
        Ok(Self {
            automaton,
            anchors,
            sequences,
            longest,
        })
    }

    /// Finds the phrases of a text that no exception covers, in reading order; of several that overlap within a rule,
    /// the longest that begins first.
    pub(crate) fn find(&self, source: &str, normal: &Normal) -> Vec<Match> {
        let mut matches = self.find_in(source, normal);
        if let Some(undisguised) = normal.undisguised() {
            let mut disguised = self.find_in(source, &undisguised);
            disguised.retain(|hit| !overlaps(&matches, &hit.bytes));
            matches.append(&mut disguised);
            matches.sort_by_key(|hit| hit.bytes.start);
        }
        matches
    }

    fn find_in(&self, source: &str, normal: &Normal) -> Vec<Match> {
        let text = normal.text.as_str();
        let parts = self.parts(text);
        let mut held = vec![0_u64; self.sequences.len().div_ceil(64)];
        for part in &parts {
            held[part.segment / 64] |= 1 << (part.segment % 64);
        }
        let is_held = |segment: &usize| held[segment / 64] >> (segment % 64) & 1 == 1;
        let mut hits: Vec<Hit> = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            for sequence in &self.sequences[part.segment] {
                if sequence.rest.iter().all(is_held)
                    && let Some(end) = join(
                        text,
                        &parts[index + 1..],
                        part.range.end,
                        &sequence.rest,
                        sequence.is_exception,
                    )
                {
                    let range = part.range.start..end;
                    hits.push(Hit { range, sequence });
                }
            }
        }
        if hits.is_empty() {
            return Vec::new();
        }
        hits.sort_by(|a, b| {
            let key = |hit: &Hit| (hit.range.start, hit.range.end, hit.sequence.phrase);
            key(a).cmp(&key(b))
        });
        // Those that could cover a hit lie within the longest match of it.
        let covered = |index: usize, hit: &Hit| {
            let first =
                hits.partition_point(|other| other.range.start + self.longest < hit.range.end);
            hits[first..]
                .iter()
                .zip(first..)
                .take_while(|(other, _)| other.range.start <= hit.range.start)
                .filter(|(other, _)| {
                    hit.range.end <= other.range.end && other.sequence.rule == hit.sequence.rule
                })
                .any(|(other, at)| {
                    other.sequence.is_exception
                        || other.range.len() > hit.range.len()
                        || other.range == hit.range && at < index
                })
        };
        let mut matches: Vec<Match> = Vec::new();
        for (index, hit) in hits.iter().enumerate() {
            if hit.sequence.is_exception || covered(index, hit) {
                continue;
            }
            let bytes = normal.source(source, &hit.range);
            let rule = hit.sequence.rule;
            // Hits of a rule that run into each other are one, so that a fix takes the whole of them.
            let runs_in = |other: &&mut Match| other.rule == rule && bytes.start < other.bytes.end;
            if let Some(other) = matches.iter_mut().rev().take(NEIGHBOURS).find(runs_in) {
                other.bytes.end = other.bytes.end.max(bytes.end);
            } else {
                matches.push(Match {
                    rule,
                    phrase: hit.sequence.phrase,
                    bytes,
                });
            }
        }
        matches
    }

    /// The segments that a reduced text holds, in the order of their beginnings.
    fn parts(&self, text: &str) -> Vec<Part> {
        let mut parts = Vec::new();
        for found in self.automaton.find_overlapping_iter(text) {
            let (starts, ends) = (is_edge(text, found.start()), is_edge(text, found.end()));
            let before = text[..found.start()].chars().next_back();
            let after = text[found.end()..].chars().next();
            for anchor in &self.anchors[found.pattern().as_usize()] {
                let edged =
                    (starts || !anchor.before.is_empty()) && (ends || !anchor.after.is_empty());
                let goes_on = before.is_none_or(|c| anchor.last_before.may_hold(c))
                    && after.is_none_or(|c| anchor.first_after.may_hold(c));
                if !edged || !goes_on {
                    continue;
                }
                let from = if anchor.before.is_empty() {
                    Some(found.start())
                } else {
                    backward(text, found.start(), &anchor.before, None)
                };
                let to = from.and_then(|_| {
                    if anchor.after.is_empty() {
                        Some(found.end())
                    } else {
                        forward(text, found.end(), &anchor.after, None)
                    }
                });
                if let (Some(start), Some(end)) = (from, to) {
                    // The spaces at its ends belong to the gaps around it.
                    let found = &text[start..end];
                    let head = found.len() - found.trim_start().len();
                    parts.push(Part {
                        segment: anchor.segment,
                        range: start + head..start + found.trim_end().len(),
                    });
                }
            }
        }
        parts.sort_by_key(|part| part.range.start);
        parts
    }
}

/// Whether one of the nearest matches before the end of a range, in the order of their beginnings, shares a byte with it.
fn overlaps(matches: &[Match], bytes: &Range<usize>) -> bool {
    let begun = matches.partition_point(|other| other.bytes.start < bytes.end);
    let mut nearest = matches[..begun].iter().rev().take(NEIGHBOURS);
    nearest.any(|other| bytes.start < other.bytes.end)
}

/// Where a sequence ends whose first segment ends at `end`, if its other segments follow among the parts, each within a
/// gap of the one before: at the nearest end, or at the `farthest`, as an exception covers what it can.
fn join(text: &str, parts: &[Part], end: usize, rest: &[usize], farthest: bool) -> Option<usize> {
    let Some((segment, rest)) = rest.split_first() else {
        return Some(end);
    };
    let mut best = None;
    for (index, part) in parts.iter().enumerate() {
        if part.range.start < end {
            continue;
        }
        if part.range.start - end > 4 * GAP_COLUMNS {
            break;
        }
        if part.segment == *segment && is_gap(&text[end..part.range.start]) {
            let found = join(text, &parts[index + 1..], part.range.end, rest, farthest);
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

/// The error of a phrase that was set by hand and not read from a text.
fn unread(rule: &str, phrase: &str, error: &PatternError) -> GuardError {
    GuardError::Pack {
        place: None,
        problem: format!("rule `{rule}` has the phrase `{phrase}`: {}", error.problem),
        remedy: error.remedy,
    }
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

/// Splits a segment at the text by which it is surely found, the rarest there is; at each of several where that lies in
/// alternatives.
fn anchored(pieces: &[Piece]) -> Vec<(Segment, String, Segment)> {
    let best = (0..pieces.len()).max_by_key(|&at| (pieces[at].rarity(), std::cmp::Reverse(at)));
    let Some(at) = best else {
        return Vec::new();
    };
    let inner = match &pieces[at] {
        Piece::Text(text) => {
            let (head, tail) = (text.len() - text.trim_start().len(), text.trim_end().len());
            let spaces = |text: &str| match text {
                "" => Vec::new(),
                spaces => vec![Piece::Text(spaces.to_owned())],
            };
            vec![(
                spaces(&text[..head]),
                text[head..tail].to_owned(),
                spaces(&text[tail..]),
            )]
        }
        Piece::OneOf(one_of) => one_of
            .alternatives
            .iter()
            .flat_map(|pieces| anchored(pieces))
            .collect(),
        Piece::Number | Piece::Word => Vec::new(),
    };
    inner
        .into_iter()
        .map(|(before, text, after)| {
            (
                [&pieces[..at], &before].concat(),
                text,
                [&after, &pieces[at + 1..]].concat(),
            )
        })
        .collect()
}

/// What remains to be matched when the pieces at hand are.
struct Next<'p> {
    pieces: &'p [Piece],
    next: Option<&'p Next<'p>>,
}

/// Where the pieces behind an anchor end, if they stand there.
fn forward(text: &str, at: usize, pieces: &[Piece], next: Option<&Next>) -> Option<usize> {
    let Some((piece, rest)) = pieces.split_first() else {
        return match next {
            Some(Next { pieces, next }) => forward(text, at, pieces, *next),
            None => is_edge(text, at).then_some(at),
        };
    };
    match piece {
        Piece::Text(piece) => {
            // A space that stands already, or with which the phrase ends, is no further one.
            let piece = match piece.strip_prefix(' ') {
                Some(rest) if text[..at].ends_with(' ') => rest,
                _ => piece,
            };
            let found = |piece: &str| {
                let end = at + piece.len();
                (text.as_bytes().get(at..end) == Some(piece.as_bytes()))
                    .then(|| forward(text, end, rest, next))?
            };
            found(piece).or_else(|| piece.strip_suffix(' ').and_then(found))
        }
        Piece::Number => forward(text, at + number::length_at(&text[at..])?, rest, next),
        Piece::Word => {
            let letters = text[at..]
                .chars()
                .take(WORD_CHARS)
                .take_while(|c| in_word(*c));
            let mut end: usize = at + letters.map(char::len_utf8).sum::<usize>();
            // As much of the word as the pieces behind it leave.
            loop {
                if let Some(end) = forward(text, end, rest, next) {
                    return Some(end);
                }
                if end == at {
                    return None;
                }
                end -= text[..end].chars().next_back().map_or(1, char::len_utf8);
            }
        }
        Piece::OneOf(one_of) => {
            let next = Next { pieces: rest, next };
            let c = text[at..].chars().next();
            let through = |pieces: &Segment| forward(text, at, pieces, Some(&next));
            one_of.beginning(c).find_map(through)
        }
    }
}

/// Where the pieces before an anchor begin, if they stand there.
fn backward(text: &str, at: usize, pieces: &[Piece], next: Option<&Next>) -> Option<usize> {
    let Some((piece, rest)) = pieces.split_last() else {
        return match next {
            Some(Next { pieces, next }) => backward(text, at, pieces, *next),
            None => is_edge(text, at).then_some(at),
        };
    };
    match piece {
        Piece::Text(piece) => {
            let piece = match piece.strip_suffix(' ') {
                Some(rest) if text[at..].starts_with(' ') => rest,
                _ => piece,
            };
            let found = |piece: &str| {
                let start = at.checked_sub(piece.len())?;
                (text.as_bytes()[start..at] == *piece.as_bytes())
                    .then(|| backward(text, start, rest, next))?
            };
            found(piece).or_else(|| piece.strip_prefix(' ').and_then(found))
        }
        Piece::Number => backward(text, at - number::length_before(&text[..at])?, rest, next),
        Piece::Word => {
            let letters = text[..at]
                .chars()
                .rev()
                .take(WORD_CHARS)
                .take_while(|c| in_word(*c));
            let mut start: usize = at - letters.map(char::len_utf8).sum::<usize>();
            loop {
                if let Some(start) = backward(text, start, rest, next) {
                    return Some(start);
                }
                if start == at {
                    return None;
                }
                start += text[start..].chars().next().map_or(1, char::len_utf8);
            }
        }
        Piece::OneOf(one_of) => {
            let next = Next { pieces: rest, next };
            let c = text[..at].chars().next_back();
            let through = |pieces: &Segment| backward(text, at, pieces, Some(&next));
            one_of.ending(c).find_map(through)
        }
    }
}

/// Whether a character belongs to a word of an alphabet. Chinese has no spaces, so its characters begin and end words.
fn in_word(c: char) -> bool {
    if c.is_ascii() {
        c.is_ascii_alphanumeric()
    } else {
        !is_han(c) && c.is_alphanumeric()
    }
}

/// Whether no word runs on over this place.
fn is_edge(text: &str, at: usize) -> bool {
    let bytes = text.as_bytes();
    let ends_no_word = |byte: u8| byte.is_ascii() && !byte.is_ascii_alphanumeric();
    match (
        at.checked_sub(1).map(|at| bytes[at]),
        bytes.get(at).copied(),
    ) {
        (None, _) | (_, None) => return true,
        (Some(before), Some(after)) if ends_no_word(before) || ends_no_word(after) => return true,
        (Some(before), Some(after)) if before.is_ascii() && after.is_ascii() => return false,
        _ => {}
    }
    let before = text[..at].chars().next_back();
    let after = text[at..].chars().next();
    !(before.is_some_and(in_word) && after.is_some_and(in_word))
}

#[cfg(test)]
mod tests;
