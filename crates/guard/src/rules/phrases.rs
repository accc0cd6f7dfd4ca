//! Forbidden phrases, claims that need a fact behind them, and what reads like them.

use std::collections::BTreeMap;
use std::ops::Range;

use super::{Fault, Field, Message};
use crate::matcher::{Match, Matcher, Scope};
use crate::normal::Normal;
use crate::pack::{PhraseKind, PhraseRule, RulePack, Severity, Support};
use crate::text::covers;
use crate::wording::{self, WordingRule};

/// The most findings of each severity that are told of a field.
const MAX_FINDINGS: usize = 100;

pub(super) fn check(
    pack: &RulePack,
    matcher: &Matcher,
    message: &Message,
    findings: &mut Vec<Fault>,
) {
    for field in message.fields {
        let normal = Normal::of(field.plain());
        let hits = matcher.find(field.plain(), &normal, Scope::All);
        let refused_before = findings.len();
        let mut founded = [&field.approved[..], &field.titles].concat();
        let mut told = BTreeMap::new();
        for hit in hits {
            let rule = &pack.rules[hit.rule];
            // A template's own words about the product are a matter for whoever approves it.
            if rule.kind == PhraseKind::Attribute {
                continue;
            }
            let supported = || {
                rule.unless
                    .iter()
                    .any(|support| supports(*support, rule, &hit, message, field))
            };
            let is_claim = matches!(rule.kind, PhraseKind::Forbidden | PhraseKind::Urgency);
            if field.is_approved(&hit.bytes) || is_claim && covers(&field.titles, &hit.bytes) {
                continue;
            }
            if supported() {
                founded.push(hit.bytes);
            } else {
                let count = told.entry(rule.severity).or_insert(0);
                *count += 1;
                if *count > MAX_FINDINGS {
                    continue;
                }
                let said = Normal::of(&field.plain()[hit.bytes.clone()]).text;
                let fault = Fault::new(
                    rule.kind.name(),
                    &said,
                    format!("`{said}` in the {}: {}", field.name, rule.reason),
                );
                findings.push(match rule.severity {
                    Severity::Error => fault.over(hit.bytes),
                    Severity::Warning => fault.over(hit.bytes).remark(),
                });
            }
        }
        if let Some(rule) = &pack.wordings
            && !findings[refused_before..].iter().any(Fault::refuses)
        {
            founded.extend(field.values());
            check_wordings(rule, field, &normal, &founded, findings);
        }
    }
}

/// What reads like a breach in a field that no phrase refuses: a remark, since a person approves what a template says.
fn check_wordings(
    rule: &WordingRule,
    field: &Field,
    normal: &Normal,
    founded: &[Range<usize>],
    findings: &mut Vec<Fault>,
) {
    for breach in wording::breaches(field.plain(), normal, founded) {
        let said = &field.plain()[breach.bytes.clone()];
        let detail = format!(
            "`{said}` in the {} {}",
            field.name,
            rule.reason(breach.category)
        );
        let subject = format!("{}:{}", breach.category.name(), field.name);
        let fault = Fault::new("wording", &subject, detail);
        findings.push(fault.over(breach.bytes).remark());
    }
}

fn supports(
    support: Support,
    rule: &PhraseRule,
    hit: &Match,
    message: &Message,
    field: &Field,
) -> bool {
    let over = || message.bound_over(field, &hit.bytes);
    match support {
        Support::Name => over().is_some_and(crate::Bound::is_name),
        Support::Fact => over().is_some_and(|bound| bound.path.starts_with("fact.")),
        Support::Value => over().is_some(),
        Support::FactEnding => {
            message
                .shown_bounds()
                .any(|bound| match (message.now, bound.ends) {
                    // A fact that has ended has no value and is not shown.
                    (Some(now), Some(ends)) => {
                        let hours = i64::from(rule.ends_within_hours.unwrap_or(u32::MAX));
                        ends.as_second() - now.as_second() <= hours * 3600
                    }
                    (None, _) => {
                        bound.path.starts_with("fact.") || bound.path == "product.sale_price"
                    }
                    _ => false,
                })
        }
        Support::SalePrice => message
            .bindings
            .iter()
            .any(|bound| bound.path == "product.sale_price" && bound.value.is_some()),
        // Whether a product is sold is decided before a message about it is written.
        Support::Available => true,
        Support::Stock => message.shown_bounds().any(|bound| {
            ["fact.stock", "stat.stock"]
                .iter()
                .any(|path| bound.path.starts_with(path))
        }),
    }
}
