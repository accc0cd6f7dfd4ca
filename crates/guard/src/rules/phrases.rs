//! Forbidden phrases, and claims that need a fact behind them.

use super::{Field, Finding, Message};
use crate::pack::{PhraseRule, RulePack, Support};
use crate::phrase::{Match, Matcher};

/// A text with so many hits is refused whatever the rest of it says.
const MAX_HITS: usize = 100;

pub(super) fn check(
    pack: &RulePack,
    matcher: &Matcher,
    message: &Message,
    findings: &mut Vec<Finding>,
) {
    for field in message.fields {
        for hit in matcher.find(field.plain()).into_iter().take(MAX_HITS) {
            let rule = &pack.rules[hit.rule];
            let supported = || {
                rule.unless
                    .iter()
                    .any(|support| supports(*support, rule, &hit, message, field))
            };
            if !field.is_approved(&hit.bytes) && !supported() {
                findings.push(Finding::fault(
                    rule.kind.name(),
                    hit.phrase,
                    format!("`{}` in the {}: {}", hit.phrase, field.name, rule.reason),
                ));
            }
        }
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
                    (None, _) => bound.path.starts_with("fact."),
                    _ => false,
                })
        }
        Support::SalePrice => message
            .bindings
            .iter()
            .any(|bound| bound.path == "product.sale_price" && bound.value.is_some()),
        Support::Stock => message.shown_bounds().any(|bound| {
            ["fact.stock", "stat.stock"]
                .iter()
                .any(|path| bound.path.starts_with(path))
        }),
    }
}
