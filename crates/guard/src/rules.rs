//! The rules that a rendered text must keep, one file for each kind.

mod hygiene;
mod length;
mod links;
mod numbers;
mod phrases;
mod profile;
mod style;

use std::ops::Range;

use events::{Channel, Check, Timestamp};

use crate::pack::RulePack;
use crate::phrase::Matcher;
use crate::{Bindings, Bound, FieldLimit, GuardError, Origin, Shown};

/// Every check, in the order in which they are made; the first that fails names the refusal.
pub(crate) const CHECKS: [&str; 16] = [
    "scope",
    "template",
    "bindings",
    "fields",
    "syntax",
    "control",
    "links",
    "profile",
    "numbers",
    "forbidden",
    "urgency",
    "offer",
    "opt_out",
    "capitals",
    "exclamation",
    "length",
];

/// What a rule found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The check that it belongs to, one of [`CHECKS`].
    pub(crate) check: &'static str,
    /// A short stable name, such as `length:title`.
    pub(crate) reason: String,
    /// The finding in words.
    pub(crate) detail: String,
    /// Whether it is a remark and no fault.
    pub(crate) passed: bool,
}

impl Finding {
    /// A fault of a text: its reason is the check and the subject.
    pub(crate) fn fault(check: &'static str, subject: &str, detail: impl Into<String>) -> Self {
        Self {
            check,
            reason: format!("{check}:{subject}"),
            detail: detail.into(),
            passed: false,
        }
    }

    /// The fault that an error of a template or a binding is.
    pub(crate) fn of_error(error: &GuardError) -> Self {
        let check = match error {
            GuardError::Template { .. } | GuardError::FilterInput { .. } => "template",
            _ => "bindings",
        };
        Self {
            check,
            reason: error.reason(),
            detail: error.to_string(),
            passed: false,
        }
    }
}

/// A field of a message, rendered.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) shown: Shown,
    /// The parts that repeat a sentence that a person approved for the product.
    pub(crate) approved: Vec<Range<usize>>,
}

impl Field {
    /// `claims` are the sentences that a person approved.
    pub(crate) fn new(name: &'static str, shown: Shown, claims: &[String]) -> Self {
        let approved = claims
            .iter()
            .filter(|claim| !claim.is_empty())
            .flat_map(|claim| shown.plain.match_indices(claim.as_str()))
            .map(|(at, claim)| at..at + claim.len())
            .collect();
        Self {
            name,
            shown,
            approved,
        }
    }

    pub(crate) fn plain(&self) -> &str {
        &self.shown.plain
    }

    fn is_approved(&self, bytes: &Range<usize>) -> bool {
        self.approved
            .iter()
            .any(|range| range.start <= bytes.start && bytes.end <= range.end)
    }
}

/// A message as the rules see it.
#[derive(Debug)]
pub(crate) struct Message<'a> {
    pub(crate) channel: Channel,
    pub(crate) limits: &'a [FieldLimit],
    pub(crate) fields: &'a [Field],
    pub(crate) bindings: &'a Bindings,
    /// When it is shown; absent while a template is checked with sample values, whose lengths and ends say nothing.
    pub(crate) now: Option<Timestamp>,
}

impl Message<'_> {
    /// The entry that a part of a text shows.
    fn bound(&self, origin: Origin) -> Option<&Bound> {
        match origin {
            Origin::Literal => None,
            Origin::Value(index) => Some(self.bindings.at(index)),
        }
    }

    /// The entry whose value wholly covers a range of a field.
    fn bound_over(&self, field: &Field, bytes: &Range<usize>) -> Option<&Bound> {
        field
            .shown
            .parts()
            .find(|(start, text, _)| *start <= bytes.start && bytes.end <= start + text.len())
            .and_then(|(.., origin)| self.bound(origin))
    }

    /// The entries that the message shows; while a template is checked, all that it could show.
    fn shown_bounds(&self) -> impl Iterator<Item = &Bound> {
        let shows = |index: usize| {
            let is_it = |(.., origin): (usize, &str, Origin)| origin == Origin::Value(index);
            self.fields
                .iter()
                .any(|field| field.shown.parts().any(is_it))
        };
        self.bindings
            .iter()
            .enumerate()
            .filter(move |(index, _)| self.now.is_none() || shows(*index))
            .map(|(_, bound)| bound)
    }
}

/// Runs every rule over a rendered message.
pub(crate) fn check(pack: &RulePack, matcher: &Matcher, message: &Message) -> Vec<Finding> {
    let mut findings = Vec::new();
    length::check(message, &mut findings);
    phrases::check(pack, matcher, message, &mut findings);
    for field in message.fields {
        hygiene::check(field, &mut findings);
        links::check(message, field, &mut findings);
        profile::check(message, field, &mut findings);
        numbers::check(message, field, &mut findings);
        style::check(&pack.style, message, field, &mut findings);
        if field.name == "subject" {
            hygiene::check_subject(field, &mut findings);
        }
    }
    if message.channel == Channel::Sms {
        hygiene::check_opt_out(&pack.opt_out, message.fields, &mut findings);
    }
    findings
}

/// Gathers findings into one check for each rule, in the order of [`CHECKS`].
pub(crate) fn gather(findings: &[Finding]) -> Vec<Check> {
    CHECKS
        .iter()
        .map(|&rule| {
            let of_rule = || findings.iter().filter(|finding| finding.check == rule);
            let mut detail = String::new();
            for finding in of_rule() {
                if !detail.is_empty() {
                    detail.push_str("; ");
                }
                detail.push_str(&finding.detail);
            }
            Check {
                rule: rule.to_owned(),
                passed: of_rule().all(|finding| finding.passed),
                detail,
            }
        })
        .collect()
}

/// The reason of a refusal: that of the first fault in the order of [`CHECKS`].
pub(crate) fn reason(findings: &[Finding]) -> Option<String> {
    findings
        .iter()
        .filter(|finding| !finding.passed)
        .min_by_key(|finding| CHECKS.iter().position(|check| *check == finding.check))
        .map(|finding| finding.reason.clone())
}
