//! What became of the candidates.

use std::collections::BTreeMap;
use std::fmt;

use events::{Check, CopyVariant};

use super::evidence::Evidence;
use crate::metrics::distinct_n;
use crate::tokenise;

/// The candidates of one or several briefs, judged.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Drafts {
    /// The variants that may be used: the first few are likely and differ from each other.
    pub approved: Vec<Draft>,
    /// The others, with the reason.
    pub refused: Vec<(Draft, Refused)>,
}

/// A text that the model wrote.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// The text as a variant.
    pub variant: CopyVariant,
    /// What its argument rests on.
    pub evidence: Evidence,
    /// Mean log-probability of a token under the model, in nats.
    pub mean_log_probability: f64,
    /// Similarity to the nearest text of the library, in [0, 1].
    pub similarity: f64,
}

/// Why a draft is not used.
#[derive(Debug, Clone, PartialEq)]
pub enum Refused {
    /// No allowed token could follow, or the text became too long.
    Unfinished,
    /// Two of its fields say the same words.
    Echo,
    /// The guard found a fault.
    Guard {
        /// The checks that failed.
        failed: Vec<Check>,
    },
    /// It is much less likely than texts that were held out.
    Unlikely {
        /// The mean log-probability that it must reach, in nats a token.
        least: f64,
    },
    /// It is too similar to a text of the library.
    NearCopy {
        /// The text's id.
        of: String,
    },
    /// It is too similar to a draft that is kept.
    Duplicate {
        /// The draft's id.
        of: String,
    },
}

impl Refused {
    /// A short stable name, for counting.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Unfinished => "unfinished",
            Self::Echo => "echo",
            Self::Guard { .. } => "guard",
            Self::Unlikely { .. } => "unlikely",
            Self::NearCopy { .. } => "near_copy",
            Self::Duplicate { .. } => "duplicate",
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unfinished => f.write_str("the text could not be finished within its limits"),
            Self::Echo => f.write_str("two of its fields say the same words"),
            Self::Guard { failed } => {
                let details: Vec<String> = failed
                    .iter()
                    .map(|check| format!("{}: {}", check.rule, check.detail))
                    .collect();
                write!(f, "the guard refuses it: {}", details.join("; "))
            }
            Self::Unlikely { least } => {
                write!(
                    f,
                    "the model finds it less likely than {least} nats a token"
                )
            }
            Self::NearCopy { of } => write!(f, "nearly the library's `{of}`"),
            Self::Duplicate { of } => write!(f, "nearly the draft `{of}`"),
        }
    }
}

/// Figures over drafts.
#[derive(Debug, Clone, PartialEq)]
pub struct DraftFigures {
    /// Candidates.
    pub drafts: usize,
    /// Candidates that were finished.
    pub finished: usize,
    /// Share of the finished ones that the guard passes.
    pub guard_pass_rate: f64,
    /// Candidates that may be used.
    pub approved: usize,
    /// Refused candidates by reason.
    pub refused: BTreeMap<&'static str, usize>,
    /// Share of distinct words among all words of the finished candidates, before any selection.
    pub distinct_1: f64,
    /// Share of distinct pairs of words.
    pub distinct_2: f64,
    /// Mean of 1 − similarity to the nearest text of the library, over the finished candidates.
    pub novelty: f64,
}

impl Drafts {
    /// Adds the candidates of another brief.
    pub fn extend(&mut self, other: Self) {
        self.approved.extend(other.approved);
        self.refused.extend(other.refused);
    }

    /// Summarises the candidates.
    pub fn figures(&self) -> DraftFigures {
        let mut refused = BTreeMap::new();
        for (_, reason) in &self.refused {
            *refused.entry(reason.name()).or_insert(0) += 1;
        }
        let is_finished = |(_, reason): &&(Draft, Refused)| *reason != Refused::Unfinished;
        let others = self.refused.iter().filter(is_finished);
        let finished: Vec<&Draft> = self
            .approved
            .iter()
            .chain(others.map(|(draft, _)| draft))
            .collect();
        let texts: Vec<Vec<String>> = finished
            .iter()
            .map(|draft| tokenise(&written(&draft.variant)))
            .collect();
        let count = finished.len().max(1) as f64;
        let stopped = refused.get("guard").copied().unwrap_or(0);
        let novelty = finished.iter().map(|draft| 1.0 - draft.similarity);
        DraftFigures {
            drafts: self.approved.len() + self.refused.len(),
            finished: finished.len(),
            guard_pass_rate: finished.len().saturating_sub(stopped) as f64 / count,
            approved: self.approved.len(),
            refused,
            distinct_1: distinct_n(&texts, 1),
            distinct_2: distinct_n(&texts, 2),
            novelty: novelty.sum::<f64>() / count,
        }
    }
}

/// The fields of a template, one after the other.
fn written(variant: &CopyVariant) -> String {
    let fields: Vec<&str> = variant.template.fields().map(|(_, text)| text).collect();
    fields.join(" ")
}
