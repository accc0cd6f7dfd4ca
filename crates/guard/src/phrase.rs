//! Finds the phrases of a rule pack in a text.

use std::ops::Range;

use crate::RulePack;
use crate::normal::{Normal, is_han};

/// One phrase of a pack as it is looked for.
#[derive(Debug, Clone)]
struct Entry {
    chars: Vec<char>,
    /// Index of its rule in the pack.
    rule: usize,
    /// The phrase as the pack writes it.
    text: String,
    is_exception: bool,
}

/// A phrase found in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Match<'m> {
    /// Index of its rule in the pack.
    pub(crate) rule: usize,
    /// The phrase as the pack writes it.
    pub(crate) phrase: &'m str,
    /// The bytes of the text that it covers.
    pub(crate) bytes: Range<usize>,
}

/// The phrases of a pack, ordered by their characters, so that those with one first character lie together.
#[derive(Debug, Clone)]
pub(crate) struct Matcher {
    entries: Vec<Entry>,
    /// Each first character with its entries, in order.
    firsts: Vec<(char, Range<usize>)>,
    /// The characters of the longest phrase.
    longest: usize,
}

impl Matcher {
    pub(crate) fn new(pack: &RulePack) -> Self {
        let mut entries: Vec<Entry> = Vec::new();
        for (rule, phrases) in pack.rules.iter().enumerate() {
            let all = phrases.phrases.iter().map(|text| (text, false));
            for (text, is_exception) in all.chain(phrases.except.iter().map(|text| (text, true))) {
                entries.push(Entry {
                    chars: Normal::of(text).chars,
                    rule,
                    text: text.clone(),
                    is_exception,
                });
            }
        }
        entries.retain(|entry| !entry.chars.is_empty());
        entries.sort_by(|a, b| (&a.chars, a.rule).cmp(&(&b.chars, b.rule)));
        entries.dedup_by(|a, b| {
            a.chars == b.chars && a.rule == b.rule && a.is_exception == b.is_exception
        });
        let mut firsts: Vec<(char, Range<usize>)> = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            match firsts.last_mut() {
                Some((first, range)) if *first == entry.chars[0] => range.end = index + 1,
                _ => firsts.push((entry.chars[0], index..index + 1)),
            }
        }
        let longest = entries.iter().map(|entry| entry.chars.len()).max();
        Self {
            longest: longest.unwrap_or(0),
            entries,
            firsts,
        }
    }

    /// Finds the phrases of a text that no exception covers, in reading order; of several that overlap within a rule,
    /// the longest that begins first.
    pub(crate) fn find(&self, text: &str) -> Vec<Match<'_>> {
        let normal = Normal::of(text);
        let chars = &normal.chars[..];
        let mut found: Vec<(usize, usize, &Entry)> = Vec::new();
        for at in 0..chars.len() {
            let before = |steps: usize| at.checked_sub(steps).map(|at| chars[at]);
            if runs_on(chars[at], before(1), before(2)) {
                continue;
            }
            for entry in self.starting_with(chars[at]) {
                let end = at + entry.chars.len();
                let after = |steps: usize| chars.get(end + steps - 1).copied();
                if chars[at..].starts_with(&entry.chars)
                    && !runs_on(chars[end - 1], after(1), after(2))
                {
                    found.push((at, end, entry));
                }
            }
        }
        // Hits come in the order of their beginnings, so those that could cover one lie within the longest phrase of it.
        let covered = |(from, to, entry): &(usize, usize, &Entry)| {
            let first = found.partition_point(|hit| hit.0 + self.longest < *to);
            found[first..]
                .iter()
                .take_while(|other| other.0 <= *from)
                .filter(|other| *to <= other.1 && other.2.rule == entry.rule)
                .any(|other| other.2.is_exception || other.1 - other.0 > to - from)
        };
        found
            .iter()
            .filter(|hit| !hit.2.is_exception && !covered(hit))
            .map(|(from, to, entry)| Match {
                rule: entry.rule,
                phrase: &entry.text,
                bytes: normal.bytes(text, *from, *to),
            })
            .collect()
    }

    fn starting_with(&self, first: char) -> &[Entry] {
        match self
            .firsts
            .binary_search_by_key(&first, |(first, _)| *first)
        {
            Ok(index) => &self.entries[self.firsts[index].1.clone()],
            Err(_) => &[],
        }
    }
}

/// Whether a word runs on from a phrase's first or last character to its neighbour, directly or over a hyphen. Chinese
/// has no spaces, so a Chinese character begins and ends a word by itself.
fn runs_on(inner: char, neighbour: Option<char>, beyond: Option<char>) -> bool {
    let in_word = |c: char| c.is_alphanumeric() && !is_han(c);
    let joined = |c: char| in_word(c) || (c == '-' && beyond.is_some_and(in_word));
    in_word(inner) && neighbour.is_some_and(joined)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(String, String)> {
        let pack = RulePack::general();
        Matcher::new(&pack)
            .find(text)
            .into_iter()
            .map(|hit| (hit.phrase.to_owned(), text[hit.bytes].to_owned()))
            .collect()
    }

    #[test]
    fn matches_carry_the_place_in_the_original() {
        let one = |phrase: &str, part: &str| vec![(phrase.to_owned(), part.to_owned())];
        assert_eq!(found("so ＢＥＳＴ!"), one("best", "ＢＥＳＴ"));
        assert_eq!(found("真的最 好喝"), one("最好", "最 好"));
        assert_eq!(found("bestow, breast, Northwest"), []);
        assert_eq!(
            found("A miracle cure!"),
            one("miracle cure", "miracle cure")
        );
        assert_eq!(found("best before June, and the best"), one("best", "best"));
        assert_eq!(found("销量第一，第一次"), one("第一", "第一"));
    }

    #[test]
    fn an_exception_covers_what_lies_within_it() {
        let mut pack = RulePack::general();
        pack.rules.truncate(1);
        pack.rules[0].phrases = vec!["free".to_owned(), "free of".to_owned()];
        pack.rules[0].except = vec!["feel free".to_owned()];
        let matcher = Matcher::new(&pack);
        let hits = |text: &str| {
            let found = matcher.find(text);
            found
                .iter()
                .map(|hit| hit.phrase.to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(hits("feel free"), [""; 0]);
        assert_eq!(hits("do feel free, it is free"), ["free"]);
        assert_eq!(hits("free of"), ["free of"]);
        assert_eq!(hits("feel free of"), ["free of"]);
    }
}
