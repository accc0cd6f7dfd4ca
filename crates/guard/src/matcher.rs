//! Finds the phrases of a rule pack in a text.

mod beside;
mod grams;
mod index;
mod walk;

use std::ops::Range;

use crate::normal::Normal;
use crate::pattern::{self, Lists, PatternError};
use crate::{GuardError, PhraseKind, RulePack};
pub(crate) use grams::step;
use grams::{Frequencies, Sieve, Tokens};
use index::{Hit, Index, Rules, Source};
pub(crate) use walk::in_word;

/// How many matches back one that runs into the present one is looked for: several rules may find the same words.
const NEIGHBOURS: usize = 64;

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

/// The phrases of a pack, to be looked for.
#[derive(Debug, Clone)]
pub(crate) struct Matcher {
    /// What may not be said, whatever it is about.
    forbidden: Index,
    /// What says something of a product that must be true of it.
    claims: Index,
    /// What passes, looked for only where something of its rule was found.
    exceptions: Index,
    sieve: Sieve,
    /// The bytes of the longest match.
    longest: usize,
}

/// Which phrases are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Those of every kind.
    All,
    /// Not those that only a product could bear out or deny.
    WithoutProduct,
}

impl Matcher {
    /// # Errors
    /// [`GuardError::Pack`] for the first phrase that cannot be read or looked for.
    pub(crate) fn new(pack: &RulePack) -> Result<Self, GuardError> {
        let lists =
            Lists::read(&pack.words).map_err(|(name, word, error)| unread(&name, &word, &error))?;
        let frequencies = Frequencies::common();
        let (mut forbidden, mut claims, mut exceptions) = (Vec::new(), Vec::new(), Vec::new());
        for (rule, phrases) in pack.rules.iter().enumerate() {
            for (phrase, (text, is_exception)) in phrases.every_phrase().enumerate() {
                let source = Source {
                    rule,
                    phrase,
                    is_exception,
                };
                let sequences = pattern::parse(text, &lists)
                    .map_err(|error| unread(&phrases.id, text, &error))?;
                let group = match phrases.kind {
                    _ if is_exception => &mut exceptions,
                    PhraseKind::Forbidden | PhraseKind::Urgency => &mut forbidden,
                    PhraseKind::Offer | PhraseKind::Attribute | PhraseKind::Numbers => &mut claims,
                };
                group.extend(sequences.into_iter().map(|segments| (source, segments)));
            }
        }
        let mut sieve = Sieve::none();
        let mut index = |phrases| {
            Index::new(phrases, &frequencies, &mut sieve).map_err(|source| {
                let rule = &pack.rules[source.rule];
                let text = rule
                    .every_phrase()
                    .nth(source.phrase)
                    .map_or("", |(text, _)| text);
                unread(&rule.id, text, &pattern::NO_WORD)
            })
        };
        let (forbidden, claims, exceptions) =
            (index(forbidden)?, index(claims)?, index(exceptions)?);
        let indices = [&forbidden, &claims, &exceptions];
        Ok(Self {
            longest: indices
                .map(|index| index.longest)
                .into_iter()
                .max()
                .unwrap_or(0),
            sieve,
            forbidden,
            claims,
            exceptions,
        })
    }

    /// Finds the phrases of a text that no exception covers, in reading order; of several that overlap within a rule,
    /// the longest that begins first.
    pub(crate) fn find(&self, source: &str, normal: &Normal, scope: Scope) -> Vec<Match> {
        let mut matches = self.find_in(source, normal, scope);
        if let Some(undisguised) = normal.undisguised() {
            let mut disguised = self.find_in(source, &undisguised, scope);
            disguised.retain(|hit| !overlaps(&matches, &hit.bytes));
            matches.append(&mut disguised);
            matches.sort_by_key(|hit| hit.bytes.start);
        }
        matches
    }

    fn find_in(&self, source: &str, normal: &Normal, scope: Scope) -> Vec<Match> {
        let text = normal.text.as_str();
        let tokens = Tokens::of(text, &self.sieve);
        let mut hits = self.forbidden.find(text, &tokens, Rules::ALL);
        if scope == Scope::All {
            hits.append(&mut self.claims.find(text, &tokens, Rules::ALL));
        }
        if hits.is_empty() {
            return Vec::new();
        }
        let found = Rules::of(hits.iter().map(|hit| hit.source.rule));
        hits.append(&mut self.exceptions.find(text, &tokens, found));
        hits.sort_by_key(|hit| (hit.range.start, hit.range.end, hit.source.phrase));
        joined(&hits, self.longest, source, normal)
    }
}

/// The matches that hits in the order of their beginnings make: those that no exception and no longer hit of their rule
/// covers, those of a rule that run into each other as one, so that a fix takes the whole of them.
fn joined(hits: &[Hit], longest: usize, source: &str, normal: &Normal) -> Vec<Match> {
    // Those that could cover a hit lie within the longest match of it.
    let covered = |index: usize, hit: &Hit| {
        let first = hits.partition_point(|other| other.range.start + longest < hit.range.end);
        hits[first..]
            .iter()
            .zip(first..)
            .take_while(|(other, _)| other.range.start <= hit.range.start)
            .filter(|(other, _)| {
                hit.range.end <= other.range.end && other.source.rule == hit.source.rule
            })
            .any(|(other, at)| {
                other.source.is_exception
                    || other.range.len() > hit.range.len()
                    || other.range == hit.range && at < index
            })
    };
    let mut matches: Vec<Match> = Vec::new();
    for (index, hit) in hits.iter().enumerate() {
        if hit.source.is_exception || covered(index, hit) {
            continue;
        }
        let bytes = normal.source(source, &hit.range);
        let rule = hit.source.rule;
        let runs_in = |other: &&mut Match| other.rule == rule && bytes.start < other.bytes.end;
        if let Some(other) = matches.iter_mut().rev().take(NEIGHBOURS).find(runs_in) {
            other.bytes.end = other.bytes.end.max(bytes.end);
        } else {
            matches.push(Match {
                rule,
                phrase: hit.source.phrase,
                bytes,
            });
        }
    }
    matches
}

/// Whether one of the nearest matches before the end of a range, in the order of their beginnings, shares a byte with it.
fn overlaps(matches: &[Match], bytes: &Range<usize>) -> bool {
    let begun = matches.partition_point(|other| other.bytes.start < bytes.end);
    let mut nearest = matches[..begun].iter().rev().take(NEIGHBOURS);
    nearest.any(|other| bytes.start < other.bytes.end)
}

/// The error of a phrase that was set by hand and not read from a text.
fn unread(rule: &str, phrase: &str, error: &PatternError) -> GuardError {
    GuardError::Pack {
        place: None,
        problem: format!("rule `{rule}` has the phrase `{phrase}`: {}", error.problem),
        remedy: error.remedy,
    }
}

#[cfg(test)]
mod tests;
