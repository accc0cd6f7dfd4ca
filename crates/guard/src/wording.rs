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
//! innocent copy where it is below another.

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
/// The most clauses of a part: of one with more, the last runs to its end.
const MAX_CLAUSES: usize = 64;

/// Whether copy that reads like a breach is refused, though no phrase of the pack names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WordingRule {
    /// Whether such a text may be sent at all.
    #[serde(default, skip_serializing_if = "Severity::is_error")]
    pub severity: Severity,
    /// Why such words are refused, and what to do instead; what they read like is put before it.
    pub reason: String,
    /// Texts that keep the rule, run as its tests.
    pub passes: Vec<String>,
    /// Texts that break the rule, run as its tests.
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

    /// The category of a name; [`Category::Other`] for those that have none of their own.
    pub fn of(name: &str) -> Self {
        let mut all = Self::ALL.into_iter();
        all.find(|category| category.name() == name)
            .unwrap_or(Self::Other)
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
    let reduced = |bytes: &Range<usize>| normal.reduced(bytes.start)..normal.reduced(bytes.end);
    let founded: Vec<Range<usize>> = founded.iter().map(reduced).collect();
    let reduced = normal.text.as_str();
    let mut breaches = Vec::new();
    for part in parts(reduced, &founded) {
        let model = Wordings::built_in().model(reduced[part.clone()].contains(is_han));
        if model.is_breach(reduced, slice::from_ref(&part), &founded) {
            let (range, category) = model.weightiest(reduced, part, &founded);
            let bytes = normal.source(text, &range);
            breaches.push(Breach { bytes, category });
        }
    }
    breaches
}

/// Whether each sentence that has a byte of `bytes` reads like innocent copy.
pub(crate) fn is_innocent(normal: &Normal, bytes: &Range<usize>) -> bool {
    let range = normal.reduced(bytes.start)..normal.reduced(bytes.end);
    let text = normal.text.as_str();
    let sentences = cut(text, 0..text.len(), 0, &[], ends_sentence);
    let mut around = sentences
        .into_iter()
        .filter(|sentence| sentence.start < range.end && range.start < sentence.end);
    around.all(|sentence| {
        let model = Wordings::built_in().model(text[sentence.clone()].contains(is_han));
        model
            .score(text, slice::from_ref(&sentence), &[])
            .is_some_and(|score| score < model.innocent)
    })
}

impl Model {
    fn is_breach(&self, text: &str, ranges: &[Range<usize>], founded: &[Range<usize>]) -> bool {
        self.score(text, ranges, founded)
            .is_some_and(|score| score > self.breach)
    }

    /// Σ w(g) / √Σ q(g) over the known grams of ranges; none where they are too few to tell.
    fn score(&self, text: &str, ranges: &[Range<usize>], founded: &[Range<usize>]) -> Option<f32> {
        let (mut known, mut sum, mut squares) = (0, 0_i32, 0_u32);
        grams::each(text, ranges, founded, |key, _| {
            if let Some(entry) = self.entry(key) {
                known += 1;
                sum += i32::from(entry.weight);
                squares += u32::from(entry.square);
            }
        });
        (known >= LEAST_GRAMS).then(|| sum as f32 / (squares as f32).sqrt())
    }

    /// The shortest run of clauses of a part without which it would pass, grown from the weightiest, and what it reads
    /// like.
    fn weightiest(
        &self,
        text: &str,
        part: Range<usize>,
        founded: &[Range<usize>],
    ) -> (Range<usize>, Category) {
        let clauses = clauses(text, part.clone(), founded);
        let mut weights = vec![[0_i32; Category::ALL.len()]; clauses.len()];
        let mut sums = vec![0_i32; clauses.len()];
        grams::each(text, slice::from_ref(&part), founded, |key, at| {
            let clause = clauses.partition_point(|clause| clause.end <= at);
            if let Some(entry) = self.entry(key) {
                sums[clause] += i32::from(entry.weight);
                weights[clause][entry.category as usize] += i32::from(entry.weight.max(0));
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
fn parts(text: &str, founded: &[Range<usize>]) -> Vec<Range<usize>> {
    cut(text, 0..text.len(), JUDGED_BYTES, founded, ends_sentence)
}

fn ends_sentence(c: char) -> bool {
    matches!(c, '.' | '!' | '?' | '。' | ';')
}

fn clauses(text: &str, part: Range<usize>, founded: &[Range<usize>]) -> Vec<Range<usize>> {
    let ends = |c| {
        matches!(
            c,
            '.' | '!' | '?' | '。' | ',' | ';' | ':' | '、' | '(' | '…' | '–' | '—'
        )
    };
    let mut clauses = cut(text, part.clone(), 0, founded, ends);
    if clauses.len() > MAX_CLAUSES {
        clauses.truncate(MAX_CLAUSES);
        clauses[MAX_CLAUSES - 1].end = part.end;
    }
    clauses
}

/// Cuts a range behind marks outside the founded ranges, each piece of the given bytes at least; one of four times as many
/// also behind a space or a Chinese character.
fn cut(
    text: &str,
    part: Range<usize>,
    least: usize,
    founded: &[Range<usize>],
    ends: impl Fn(char) -> bool,
) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let mut from = part.start;
    if part.len() > least {
        for (at, c) in text[part.clone()].char_indices() {
            let start = part.start + at;
            let end = start + c.len_utf8();
            let is_long = least > 0 && end - from >= 4 * least && (c == ' ' || is_han(c));
            let is_end = (ends(c) && end - from >= least || is_long) && end < part.end;
            if is_end && !founded.iter().any(|range| range.contains(&start)) {
                pieces.push(from..end);
                from = end;
            }
        }
    }
    pieces.push(from..part.end);
    pieces
}

#[cfg(test)]
mod tests;
