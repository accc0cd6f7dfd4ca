//! Copy that breaks a rule in words that no phrase of a pack names, told from innocent copy by a linear model.
//!
//! The model of a language is a list of grams with weights, `packs/wordings.tsv`, learnt from the labelled development
//! sentences by `examples/learn_wordings.rs`. With a text's known grams g, as often as they stand in it,
//!
//! score(text) = Σ w(g) / √Σ q(g),
//!
//! where q is the square of the gram's inverse document frequency and w holds the weight of a support vector machine on
//! features that are scaled by their log-count ratio (Wang and Manning 2012, "Baselines and Bigrams: Simple, Good Sentiment
//! and Topic Classification"). A text reads like a breach where its score is above one limit of the language, and like
//! innocent copy where it is below another. It differs from the paper in the scale, the root of the ratio's size in the place
//! of the ratio with its sign, in counting grams as often as they stand there, and in the squared hinge loss.

mod grams;
mod model;

use std::ops::Range;
use std::slice;

use serde::{Deserialize, Serialize};

use crate::normal::{Normal, is_han};
use crate::pack::Severity;
pub use grams::{Gram, grams};
use model::Model;
pub use model::{Entry, LanguageModel, Wordings};

/// The fewest bytes of a text that are judged as one: a longer text is cut behind the sentence that reaches them.
const JUDGED_BYTES: usize = 240;
/// The known grams of a text that is judged, at least.
const LEAST_GRAMS: u32 = 5;
/// The clauses on each side of a phrase that tell whether it stands in innocent copy, at most.
const NEIGHBOURS: usize = 3;
/// The most clauses of a part: of one with more, the last runs to its end.
const MAX_CLAUSES: usize = 64;

/// Whether copy that reads like a breach is refused, though no phrase of the pack names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WordingRule {
    /// Whether such a text may be sent at all.
    #[serde(default, skip_serializing_if = "Severity::is_error")]
    pub severity: Severity,
    /// Why such words are refused, and what to do instead; what they read like is put before it. Empty: the reason of the
    /// pack before.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Texts that keep the rule, run as its tests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passes: Vec<String>,
    /// Texts that break the rule, run as its tests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fails: Vec<String>,
}

/// What a breach reads like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Category {
    /// Promises of an effect on health.
    Medical,
    /// What stands above everything else.
    Superlative,
    /// Promises of a result.
    Guarantee,
    /// What says that others are worse.
    Comparison,
    /// Someone's recommendation, or an authority's.
    Endorsement,
    /// Subjects that say something else than the mail.
    DeceptiveSubject,
    /// Prizes, easy money and the like.
    Spam,
    /// Promises of gain or credit.
    Financial,
    /// Pressure without a date or a stock.
    Urgency,
    /// Claims in disguise.
    Evasion,
    /// What is forbidden elsewhere in the law.
    Other,
}

impl Category {
    /// Every category.
    pub const ALL: [Self; 11] = [
        Self::Medical,
        Self::Superlative,
        Self::Guarantee,
        Self::Comparison,
        Self::Endorsement,
        Self::DeceptiveSubject,
        Self::Spam,
        Self::Financial,
        Self::Urgency,
        Self::Evasion,
        Self::Other,
    ];

    /// The name that labelled sentences and rules use, such as `medical`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Medical => "medical",
            Self::Superlative => "superlative",
            Self::Guarantee => "guarantee",
            Self::Comparison => "comparison",
            Self::Endorsement => "endorsement",
            Self::DeceptiveSubject => "deceptive_subject",
            Self::Spam => "spam",
            Self::Financial => "financial",
            Self::Urgency => "urgency",
            Self::Evasion => "evasion",
            Self::Other => "other",
        }
    }

    /// The category of a name; none for those that have none of their own.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|category| category.name() == name)
    }

    /// What a breach of it reads like, in words.
    pub(crate) fn in_words(self) -> &'static str {
        match self {
            Self::Medical => "a health claim",
            Self::Superlative => "a superlative",
            Self::Guarantee => "a promise of a result",
            Self::Comparison => "a comparison with others",
            Self::Endorsement => "an endorsement",
            Self::DeceptiveSubject => "a deceptive subject line",
            Self::Spam => "spam",
            Self::Financial => "a promise of money",
            Self::Urgency => "pressure to buy at once",
            Self::Evasion => "a claim in disguise",
            Self::Other => "something that the law forbids",
        }
    }
}

/// Words that read like a breach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Breach {
    /// The bytes without which the text would pass.
    pub(crate) bytes: Range<usize>,
    pub(crate) category: Category,
}

impl WordingRule {
    /// The rule of a pack that comes after another one with a rule.
    pub(crate) fn after(mut self, before: Option<Self>) -> Self {
        if let Some(before) = before {
            if self.reason.is_empty() {
                self.reason = before.reason;
            }
            self.passes.extend(before.passes);
            self.fails.extend(before.fails);
        }
        self
    }

    /// The name of a finding, such as `wording_medical`.
    pub(crate) fn id(category: Category) -> String {
        format!("wording_{}", category.name())
    }

    /// Why a breach is refused, in words.
    pub(crate) fn reason(&self, category: Category) -> String {
        format!("reads like {}: {}", category.in_words(), self.reason)
    }
}

/// What of a text reads like a breach. `founded` bytes are borne out by facts and read as a comma.
pub(crate) fn breaches(text: &str, normal: &Normal, founded: &[Range<usize>]) -> Vec<Breach> {
    let founded = Founded::new(founded.iter().map(|bytes| reduced(normal, bytes)));
    let reduced = normal.text.as_str();
    let mut breaches = Vec::new();
    for part in parts(reduced, &founded) {
        let model = Wordings::built_in().model_of(reduced, &part, &founded);
        if model.is_breach(reduced, slice::from_ref(&part), &founded) {
            let (range, category) = model.weightiest(reduced, part, &founded);
            let spaces = reduced[range.clone()].len() - reduced[range.clone()].trim_start().len();
            let bytes = normal.source(text, &(range.start + spaces..range.end));
            breaches.push(Breach { bytes, category });
        }
    }
    breaches
}

fn reduced(normal: &Normal, bytes: &Range<usize>) -> Range<usize> {
    normal.reduced(bytes.start)..normal.reduced(bytes.end)
}

/// The clauses of a text, among which phrases stand.
#[derive(Debug)]
pub(crate) struct Surroundings {
    clauses: Vec<Range<usize>>,
}

impl Surroundings {
    pub(crate) fn new(normal: &Normal) -> Self {
        let text = normal.text.as_str();
        Self {
            clauses: clauses(text, 0..text.len(), &Founded::default()),
        }
    }

    /// Whether a phrase of a text stands in innocent copy: its clause with the next of the same sentence and line reads like
    /// such, and alone it does not read like a breach.
    pub(crate) fn is_innocent(&self, text: &str, normal: &Normal, bytes: &Range<usize>) -> bool {
        let hit = reduced(normal, bytes);
        let line = text[..bytes.start].rfind('\n').map_or(0, |at| at + 1)
            ..text[bytes.end..]
                .find('\n')
                .map_or(text.len(), |at| bytes.end + at);
        let line = reduced(normal, &line);
        let first = self
            .clauses
            .partition_point(|clause| clause.end <= hit.start);
        let behind = self
            .clauses
            .partition_point(|clause| clause.start < hit.end);
        let reduced = normal.text.as_str();
        let ends = |at: usize| {
            reduced[self.clauses[at].clone()]
                .trim_end()
                .ends_with(ends_sentence)
        };
        let (mut from, mut to) = (first, behind);
        while from > 0 && first - from < NEIGHBOURS && !ends(from - 1) {
            from -= 1;
        }
        while to < self.clauses.len() && to - behind < NEIGHBOURS && !ends(to - 1) {
            to += 1;
        }
        let span = |from: usize, to: usize| {
            let (start, end) = (self.clauses[from].start, self.clauses[to - 1].end);
            start.max(line.start)..end.min(line.end)
        };
        let (clause, around) = (span(first, behind), span(from, to));
        let none = Founded::default();
        let model = Wordings::built_in().model_of(reduced, &around, &none);
        let score = |range: Range<usize>| model.score(reduced, slice::from_ref(&range), &none);
        score(around).is_some_and(|score| score < model.innocent)
            && score(clause).is_none_or(|score| score < model.breach)
    }
}

/// Ranges of a reduced text that are borne out, in order and apart.
#[derive(Debug, Default)]
struct Founded(Vec<Range<usize>>);

impl Founded {
    fn new(ranges: impl Iterator<Item = Range<usize>>) -> Self {
        let mut ranges: Vec<Range<usize>> = ranges.collect();
        ranges.sort_by_key(|range| range.start);
        ranges.dedup_by(|next, before| {
            let joins = next.start <= before.end;
            if joins {
                before.end = before.end.max(next.end);
            }
            joins
        });
        Self(ranges)
    }

    /// The range that has a byte.
    fn over(&self, at: usize) -> Option<&Range<usize>> {
        let next = self.0.partition_point(|range| range.end <= at);
        self.0.get(next).filter(|range| range.start <= at)
    }
}

impl Wordings {
    /// The model of the script in which most of a range is written; a Chinese character counts as three letters.
    fn model_of(&self, text: &str, range: &Range<usize>, founded: &Founded) -> &Model {
        let (mut chinese, mut letters) = (0, 0);
        for (at, c) in text[range.clone()].char_indices() {
            if c.is_ascii_alphabetic() {
                letters += usize::from(founded.over(range.start + at).is_none());
            } else if is_han(c) {
                chinese += usize::from(founded.over(range.start + at).is_none());
            }
        }
        self.model(chinese * 3 > letters)
    }
}

impl Model {
    fn is_breach(&self, text: &str, ranges: &[Range<usize>], founded: &Founded) -> bool {
        self.score(text, ranges, founded)
            .is_some_and(|score| score > self.breach)
    }

    /// Σ w(g) / √Σ q(g) over the known grams of ranges; none where they are too few to tell.
    fn score(&self, text: &str, ranges: &[Range<usize>], founded: &Founded) -> Option<f32> {
        let (mut known, mut sum, mut squares) = (0, 0_i32, 0_u32);
        grams::each(text, ranges, founded, |key, _| {
            if let Some(gram) = self.known(key) {
                known += 1;
                sum += i32::from(gram.weight);
                squares += u32::from(gram.square);
            }
        });
        (known >= LEAST_GRAMS).then(|| sum as f32 / (squares as f32).sqrt())
    }

    /// The clauses of a part without which it would pass, from the weightiest on to both sides, and what they read like.
    fn weightiest(
        &self,
        text: &str,
        part: Range<usize>,
        founded: &Founded,
    ) -> (Range<usize>, Category) {
        let mut clauses = clauses(text, part.clone(), founded);
        if clauses.len() > MAX_CLAUSES {
            clauses.truncate(MAX_CLAUSES);
            clauses[MAX_CLAUSES - 1].end = part.end;
        }
        let mut weights = vec![[0_i32; Category::ALL.len()]; clauses.len()];
        let mut sums = vec![0_i32; clauses.len()];
        grams::each(text, slice::from_ref(&part), founded, |key, at| {
            let clause = clauses.partition_point(|clause| clause.end <= at);
            if let Some(gram) = self.known(key) {
                sums[clause] += i32::from(gram.weight);
                weights[clause][gram.category as usize] += i32::from(gram.weight.max(0));
            }
        });
        let heaviest = (0..clauses.len()).max_by_key(|at| sums[*at]).unwrap_or(0);
        let (mut from, mut to) = (heaviest, heaviest + 1);
        loop {
            let range = clauses[from].start..clauses[to - 1].end;
            let rest = [part.start..range.start, range.end..part.end];
            if to - from == clauses.len() || !self.is_breach(text, &rest, founded) {
                let total = |category: &Category| -> i32 {
                    let of = weights[from..to].iter();
                    of.map(|weights| weights[*category as usize]).sum()
                };
                let category = Category::ALL.into_iter().max_by_key(total);
                return (range, category.unwrap_or(Category::Other));
            }
            let before = from.checked_sub(1).map(|at| sums[at]);
            if before >= sums.get(to).copied() {
                from -= 1;
            } else {
                to += 1;
            }
        }
    }
}

/// A text whole, or a long one in runs of sentences.
fn parts(text: &str, founded: &Founded) -> Vec<Range<usize>> {
    cut(text, 0..text.len(), JUDGED_BYTES, founded, ends_sentence)
}

fn ends_sentence(c: char) -> bool {
    matches!(c, '.' | '!' | '?' | '。' | ';')
}

fn clauses(text: &str, part: Range<usize>, founded: &Founded) -> Vec<Range<usize>> {
    let ends = |c| ends_sentence(c) || matches!(c, ',' | ':' | '、' | '(' | '…' | '-');
    cut(text, part, 0, founded, ends)
}

/// Cuts a range behind marks outside the founded ranges, each piece of the given bytes at least where the whole has as
/// many; a piece of four times what is judged also behind a space or a Chinese character. A mark inside a number or word
/// is none.
fn cut(
    text: &str,
    part: Range<usize>,
    least: usize,
    founded: &Founded,
    ends: impl Fn(char) -> bool,
) -> Vec<Range<usize>> {
    let mut pieces: Vec<Range<usize>> = Vec::new();
    let mut from = part.start;
    for (at, c) in text[part.clone()].char_indices() {
        let start = part.start + at;
        let end = start + c.len_utf8();
        let is_mark = ends(c)
            && match c {
                '.' | ',' | ':' => !text[end..].starts_with(|c: char| c.is_ascii_alphanumeric()),
                '-' => text[..start].ends_with(' ') && text[end..].starts_with(' '),
                _ => true,
            };
        let is_long = end - from >= 4 * JUDGED_BYTES && (c == ' ' || is_han(c));
        let is_end = (is_mark && end - from >= least || is_long) && end < part.end;
        if is_end && founded.over(start).is_none() {
            pieces.push(from..end);
            from = end;
        }
    }
    match pieces.last_mut() {
        Some(last) if part.end - from < least => last.end = part.end,
        _ => pieces.push(from..part.end),
    }
    pieces
}

#[cfg(test)]
mod tests;
