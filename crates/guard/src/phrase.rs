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
    /// For each ASCII character, the entries that begin with it.
    ascii: Vec<Range<usize>>,
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
        let ascii = (0..128u8)
            .map(|byte| starting_with(&entries, char::from(byte)))
            .collect();
        Self { entries, ascii }
    }

    /// Finds the phrases of a text that no exception covers, in reading order; of several that overlap within a rule,
    /// the longest that begins first.
    pub(crate) fn find(&self, text: &str) -> Vec<Match<'_>> {
        let normal = Normal::of(text);
        let mut found: Vec<(usize, usize, &Entry)> = Vec::new();
        for at in 0..normal.chars.len() {
            for entry in &self.entries[self.candidates(normal.chars[at])] {
                let end = at + entry.chars.len();
                if normal.chars[at..].starts_with(&entry.chars) && is_whole(&normal.chars, at, end)
                {
                    found.push((at, end, entry));
                }
            }
        }
        let covered = |(from, to, entry): &(usize, usize, &Entry)| {
            found.iter().any(|(other_from, other_to, other)| {
                let holds = other_from <= from && to <= other_to && other.rule == entry.rule;
                let longer = other_to - other_from > to - from;
                holds && (other.is_exception || longer)
            })
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

    fn candidates(&self, first: char) -> Range<usize> {
        match self.ascii.get(first as usize) {
            Some(range) => range.clone(),
            None => starting_with(&self.entries, first),
        }
    }
}

fn starting_with(entries: &[Entry], first: char) -> Range<usize> {
    let start = entries.partition_point(|entry| entry.chars[0] < first);
    let end = entries.partition_point(|entry| entry.chars[0] <= first);
    start..end
}

/// Whether a range of characters is whole words: no letter, digit or joining hyphen runs on at its ends. Chinese has no
/// spaces, so a Chinese character ends and begins a word by itself.
fn is_whole(chars: &[char], from: usize, to: usize) -> bool {
    let in_word = |c: char| c.is_alphanumeric() && !is_han(c);
    let runs_on = |inner: char, outer: Option<&char>, beyond: Option<&char>| {
        in_word(inner)
            && outer
                .is_some_and(|&c| in_word(c) || (c == '-' && beyond.is_some_and(|&c| in_word(c))))
    };
    let before = |steps: usize| from.checked_sub(steps).map(|at| &chars[at]);
    !runs_on(chars[from], before(1), before(2))
        && !runs_on(chars[to - 1], chars.get(to), chars.get(to + 1))
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
    fn every_rule_keeps_its_examples() {
        let pack = RulePack::general();
        let matcher = Matcher::new(&pack);
        for (index, rule) in pack.rules.iter().enumerate() {
            let breaks = |text: &str| matcher.find(text).iter().any(|hit| hit.rule == index);
            assert!(
                !rule.passes.is_empty() && !rule.fails.is_empty(),
                "{}",
                rule.id
            );
            for text in &rule.passes {
                assert!(!breaks(text), "{} should pass: {text}", rule.id);
            }
            for text in &rule.fails {
                assert!(breaks(text), "{} should fail: {text}", rule.id);
            }
        }
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
}
