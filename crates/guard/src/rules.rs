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

use crate::matcher::Matcher;
use crate::pack::RulePack;
use crate::text::{covers, titles_of_works};
use crate::{Bindings, Bound, FieldLimit, GuardError, Origin, Severity, Shown};

/// Every check, in the order in which they are made; the first that fails names the refusal.
pub(crate) const CHECKS: [&str; 17] = [
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
    "wording",
    "opt_out",
    "capitals",
    "exclamation",
    "length",
];

/// What a rule found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The check that it belongs to, one of [`CHECKS`].
    pub(crate) check: &'static str,
    /// A short stable name, such as `length:title`.
    pub(crate) reason: String,
    /// The finding in words.
    pub(crate) detail: String,
    pub(crate) severity: Severity,
    /// The bytes of the field that it is about, where it is about some and not the whole.
    pub(crate) bytes: Option<Range<usize>>,
}

impl Fault {
    /// A fault of a text: its reason is the check and the subject.
    pub(crate) fn new(check: &'static str, subject: &str, detail: impl Into<String>) -> Self {
        Self {
            check,
            reason: format!("{check}:{subject}"),
            detail: detail.into(),
            severity: Severity::Error,
            bytes: None,
        }
    }

    /// The finding as a remark, which no text is refused for.
    pub(crate) fn remark(self) -> Self {
        Self {
            severity: Severity::Warning,
            ..self
        }
    }

    /// The finding about some bytes of the field.
    pub(crate) fn over(self, bytes: Range<usize>) -> Self {
        Self {
            bytes: Some(bytes),
            ..self
        }
    }

    /// Whether a text with it is refused.
    pub(crate) fn refuses(&self) -> bool {
        self.severity == Severity::Error
    }

    /// The fault that an error of a template or a binding is.
    pub(crate) fn of_error(error: &GuardError) -> Self {
        let check = match error {
            GuardError::Template { .. }
            | GuardError::FilterInput { .. }
            | GuardError::OutOfFuel { .. } => "template",
            _ => "bindings",
        };
        Self {
            check,
            reason: error.reason(),
            detail: error.to_string(),
            severity: Severity::Error,
            bytes: None,
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
    /// The titles of books and films.
    pub(crate) titles: Vec<Range<usize>>,
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
        let titles = titles_of_works(&shown.plain);
        Self {
            name,
            shown,
            approved,
            titles,
        }
    }

    pub(crate) fn plain(&self) -> &str {
        &self.shown.plain
    }

    /// The bytes that show values.
    fn values(&self) -> impl Iterator<Item = Range<usize>> {
        let parts = self.shown.parts();
        let values = parts.filter(|(.., origin)| *origin != Origin::Literal);
        values.map(|(start, text, _)| start..start + text.len())
    }

    fn is_approved(&self, bytes: &Range<usize>) -> bool {
        covers(&self.approved, bytes)
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
pub(crate) fn check(pack: &RulePack, matcher: &Matcher, message: &Message) -> Vec<Fault> {
    let mut findings = Vec::new();
    length::check(message, &mut findings);
    phrases::check(pack, matcher, message, &mut findings);
    for field in message.fields {
        hygiene::check(field, &mut findings);
        links::check(message, field, &mut findings);
        profile::check(message, field, &mut findings);
        numbers::check(message, field, &mut findings);
        if let Some(style) = &pack.style {
            style::check(style, message, field, &mut findings);
        }
    }
    if message.channel == Channel::Sms {
        hygiene::check_opt_out(&pack.opt_out, message.fields, &mut findings);
    }
    findings
}

/// Runs the rules about the form of a finished text, and says how each fault is mended. How loud it is, is a remark.
pub(crate) fn check_form(
    pack: &RulePack,
    message: &Message,
    channel: Option<Channel>,
) -> Vec<(Fault, Option<String>)> {
    let mut findings = Vec::new();
    for field in message.fields {
        hygiene::check(field, &mut findings);
        if let Some(style) = &pack.style {
            let mut loud = Vec::new();
            style::check(style, message, field, &mut loud);
            findings.extend(loud.into_iter().map(Fault::remark));
        }
    }
    if channel == Some(Channel::Sms) {
        hygiene::check_opt_out(&pack.opt_out, message.fields, &mut findings);
    }
    let text = message.fields.first().map_or("", Field::plain);
    let mended = |fault: Fault| {
        let fix = match fault.check {
            "exclamation" => pack.style.as_ref().map(|style| style::calm(style, text)),
            "capitals" => Some(style::lower(text)),
            "opt_out" => hygiene::advised_opt_out(&pack.opt_out, text),
            _ => Some(String::new()),
        };
        (fault, fix)
    };
    findings.into_iter().map(mended).collect()
}

/// Gathers findings into one check for each rule, in the order of [`CHECKS`].
pub(crate) fn gather(findings: &[Fault]) -> Vec<Check> {
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
                passed: !of_rule().any(Fault::refuses),
                detail,
            }
        })
        .collect()
}

/// The reason of a refusal: that of the first fault in the order of [`CHECKS`].
pub(crate) fn reason(findings: &[Fault]) -> Option<String> {
    findings
        .iter()
        .filter(|finding| finding.refuses())
        .min_by_key(|finding| CHECKS.iter().position(|check| *check == finding.check))
        .map(|finding| finding.reason.clone())
}
