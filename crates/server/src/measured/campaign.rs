//! Campaigns, their examples and what the guard refused.

use engine::{CampaignReport, Shop};
use events::CopyText;

use super::words;
use crate::report::data::Contribution;
use crate::report::data::campaign as page;

/// What a campaign came to.
pub(super) fn campaign(report: &CampaignReport, shop: &Shop) -> page::Campaign {
    page::Campaign {
        channel: report.channel.clone(),
        goal: report.goal.clone(),
        decided_at: Some(report.decided_at.clone()),
        policy_version: report.policy_version.clone(),
        model_version: report.model_version.clone(),
        shoppers: report.shoppers,
        messages: report.messages,
        nothing: report
            .nothing
            .iter()
            .map(|(reason, count)| page::ReasonCount {
                reason: reason.clone(),
                meaning: words::nothing(reason).to_owned(),
                count: *count,
            })
            .collect(),
        seconds: None,
        strategies: report
            .strategies
            .iter()
            .map(|(strategy, messages)| page::StrategyCount {
                strategy: strategy.clone(),
                messages: *messages,
            })
            .collect(),
        top_products: taken(&report.top_products, report.messages, |id| {
            shop.position(id)
                .map(|position| shop.products[position].title.clone())
        }),
        top_variants: taken(&report.top_variants, report.messages, |_| None),
        distinct_products: Some(report.products),
        distinct_variants: Some(report.variants),
        max_product_share: Some(report.product_cap),
        max_variant_share: Some(report.variant_cap),
        propensities: report
            .propensities
            .iter()
            .enumerate()
            .map(|(bin, count)| page::HistogramBin {
                from: bin as f64 / 10.0,
                until: (bin + 1) as f64 / 10.0,
                count: *count,
            })
            .collect(),
        diversity: report.diversity.map(|diversity| page::Diversity {
            distinct_1: diversity.distinct_1,
            distinct_2: diversity.distinct_2,
            self_bleu: diversity.self_bleu,
            texts: diversity.texts as u64,
        }),
        examples: report
            .examples
            .iter()
            .map(|line| example(line, shop))
            .collect(),
    }
}

fn taken(
    counts: &[(String, u64)],
    messages: u64,
    label: impl Fn(&str) -> Option<String>,
) -> Vec<page::TakenShare> {
    counts
        .iter()
        .map(|(id, count)| page::TakenShare {
            id: id.clone(),
            label: label(id).unwrap_or_else(|| id.clone()),
            messages: *count,
            share: *count as f64 / messages.max(1) as f64,
        })
        .collect()
}

fn example(line: &engine::DeliveredLine, shop: &Shop) -> page::Example {
    let decision = &line.decision;
    let chosen = decision.chosen();
    let text = line.plain_text.clone().unwrap_or_default();
    page::Example {
        decision_id: decision.decision_id.to_string(),
        shopper: decision.user.to_string(),
        channel: decision.channel.to_string(),
        locale: decision.context.locale.to_string(),
        product_id: chosen.product.clone().unwrap_or_default(),
        product_title: line
            .product
            .as_ref()
            .map(|product| product.title.clone())
            .unwrap_or_default(),
        variant_id: chosen.variant.clone().unwrap_or_default(),
        strategy: line.strategy.clone().unwrap_or_default(),
        provider: line.provider.clone().unwrap_or_default(),
        sms_segments: (decision.channel == events::Channel::Sms).then(|| segments(&text)),
        text: message(&text),
        reason: line.reason.clone(),
        bindings: line
            .bindings
            .iter()
            .map(|(name, value)| page::Binding {
                name: name.clone(),
                value: value.clone(),
                path: line.paths.get(name).cloned().unwrap_or_default(),
            })
            .collect(),
        checks: line
            .checks
            .iter()
            .map(|check| page::Check {
                rule: check.rule.clone(),
                passed: check.passed,
                detail: check.detail.clone(),
            })
            .collect(),
        propensity: chosen.propensity,
        score: decision.explanation.score,
        base: decision.explanation.base,
        contributions: decision
            .explanation
            .contributions
            .iter()
            .map(|part| Contribution {
                feature: part.feature.clone(),
                value: Some(part.value),
                contribution: part.contribution,
            })
            .collect(),
        candidates: candidates(decision, shop),
        decided_at: Some(decision.decided_at.to_string()),
    }
}

fn candidates(decision: &events::Decision, shop: &Shop) -> Vec<page::Candidate> {
    decision
        .candidates
        .iter()
        .enumerate()
        .map(|(place, candidate)| page::Candidate {
            label: match &candidate.product {
                Some(id) => shop.position(id).map_or_else(
                    || id.clone(),
                    |position| shop.products[position].title.clone(),
                ),
                None => "nothing".to_owned(),
            },
            variant_id: candidate.variant.clone().unwrap_or_default(),
            propensity: candidate.propensity,
            score: candidate.score,
            chosen: place == decision.chosen,
        })
        .collect()
}

fn message(text: &CopyText) -> page::MessageText {
    page::MessageText {
        title: text.title.clone(),
        subject: text.subject.clone(),
        preheader: text.preheader.clone(),
        body: text.body.clone(),
    }
}

fn segments(text: &CopyText) -> u32 {
    engine::sms_segments(&text.body) as u32
}

/// What the guard refused in a campaign.
pub(super) fn refusals(report: &CampaignReport) -> Option<page::Refusals> {
    let refused = report.refused.iter().map(|refused| refused.count).sum();
    (refused > 0).then(|| page::Refusals {
        checked: None,
        refused,
        reasons: report
            .refused
            .iter()
            .map(|refused| page::RefusalReason {
                reason: refused.reason.clone(),
                meaning: words::refusal(&refused.reason).to_owned(),
                count: refused.count,
                example: Some(page::RefusedText {
                    channel: report.channel.clone(),
                    locale: String::new(),
                    text: refused.example.clone(),
                    detail: refused.reason.clone(),
                }),
            })
            .collect(),
    })
}
