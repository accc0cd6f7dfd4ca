//! Which candidates may be used.

use std::cmp::Ordering;

use events::{CopyVariant, Generator, Language, Premise, Scope, Strategy, VariantStatus};
use guard::{Guard, Value};

use super::drafts::{Draft, Drafts, Refused};
use super::echo::echoes;
use super::evidence::Evidence;
use super::model::Native;
use super::novelty::{Outline, similarity};
use super::write::{APPROVED_BY, Brief, Candidate, PROVIDER};
use crate::CopyError;
use crate::templates::{Entry, source};

/// What likelihood counts against difference when approved drafts are ordered.
const LIKELIHOOD: f64 = 0.5;

impl Native {
    pub(super) fn judge(
        &self,
        brief: &Brief<'_>,
        mut candidates: Vec<Candidate>,
        guard: &Guard,
    ) -> Result<Drafts, CopyError> {
        let library = self.outlines(brief.language, brief.strategy);
        let decoding = self.config.decoding;
        // Without held-out texts there is nothing to measure likelihood by.
        let least = self.usual_loss.map(|loss| -loss - decoding.max_surprise);
        // The likeliest of two near copies is kept; the sort is stable.
        candidates.sort_by(|a, b| b.mean_log_probability.total_cmp(&a.mean_log_probability));
        let mut drafts = Drafts::default();
        let mut kept: Vec<(Draft, Outline)> = Vec::new();
        for candidate in candidates {
            let outline = Outline::of(&candidate.fields);
            let nearest = nearest(&outline, &library);
            let mut draft = Draft {
                variant: self.variant(brief, &candidate)?,
                evidence: candidate.evidence,
                mean_log_probability: candidate.mean_log_probability,
                similarity: nearest.map_or(0.0, |(_, similarity)| similarity),
            };
            draft.variant.checks = guard.check_variant(&draft.variant);
            let failed = draft.variant.checks.iter().filter(|check| !check.passed);
            let failed: Vec<_> = failed.cloned().collect();
            let near = nearest.filter(|(_, similarity)| *similarity > decoding.max_similarity);
            let twin = kept
                .iter()
                .find(|(_, other)| similarity(&outline, other) > decoding.max_similarity);
            let refused = if !candidate.finished {
                Some(Refused::Unfinished)
            } else if echoes(&candidate.fields) {
                Some(Refused::Echo)
            } else if !failed.is_empty() {
                Some(Refused::Guard { failed })
            } else if let Some(least) = least.filter(|l| candidate.mean_log_probability < *l) {
                Some(Refused::Unlikely { least })
            } else if let Some((of, _)) = near {
                Some(Refused::NearCopy { of: of.to_owned() })
            } else {
                twin.map(|(twin, _)| Refused::Duplicate {
                    of: twin.variant.id.clone(),
                })
            };
            if let Some(refused) = refused {
                drafts.refused.push((draft, refused));
            } else {
                draft.variant.status = VariantStatus::Approved;
                draft.variant.approved_by = Some(APPROVED_BY.to_owned());
                kept.push((draft, outline));
            }
        }
        drafts.approved = diverse(kept);
        Ok(drafts)
    }

    /// The texts that a draft is compared with, with their ids.
    fn outlines(&self, language: Language, strategy: Strategy) -> Vec<(&str, Outline)> {
        self.styles
            .iter()
            .filter(|text| text.language == language && text.strategy == strategy)
            .map(|text| (text.id.as_str(), Outline::of(&text.fields)))
            .collect()
    }

    /// A draft as a variant; one that quotes the product's description speaks of that product alone.
    fn variant(&self, brief: &Brief<'_>, candidate: &Candidate) -> Result<CopyVariant, CopyError> {
        let entry = Entry::of(&candidate.fields);
        let text: Vec<&str> = candidate
            .fields
            .iter()
            .map(|(_, text)| text.as_str())
            .collect();
        let hash = blake3::hash(text.join("\u{1f}").as_bytes()).to_hex();
        let (channel, strategy) = (brief.channel, brief.strategy);
        let tag = &source(brief.language).locale;
        let id = format!("n/{channel}/{tag}/{}/{}", strategy.name(), &hash[..12]);
        let mut variant = source(brief.language).variant(id, channel, strategy, &entry)?;
        variant.status = VariantStatus::Draft;
        variant.approved_by = None;
        variant.generator = Generator {
            provider: PROVIDER.to_owned(),
            model: self.version.clone(),
            prompt_hash: Some(candidate.prompt_hash.clone()),
            seed: brief.seed,
        };
        if candidate.evidence == Evidence::Detail
            && let Some(product) = brief.product
        {
            variant.scope = Scope::ProductIds(vec![product.id.clone()]);
            // What is quoted must still stand there.
            let quoted = Value::Text(product.description.clone()).shown();
            variant.premises = vec![Premise {
                path: "product.description".to_owned(),
                value: quoted,
            }];
        }
        Ok(variant)
    }
}

fn nearest<'a>(outline: &Outline, library: &[(&'a str, Outline)]) -> Option<(&'a str, f64)> {
    let scored = library
        .iter()
        .map(|(id, other)| (*id, similarity(outline, other)));
    scored.max_by(|a, b| a.1.total_cmp(&b.1))
}

/// Orders drafts so that each is likely and differs from those before it: maximal marginal relevance with the mean
/// probability of a token as the relevance.
///
/// Source: Carbonell and Goldstein, "The Use of MMR, Diversity-Based Reranking for Reordering Documents and Producing
/// Summaries", 1998.
fn diverse(mut left: Vec<(Draft, Outline)>) -> Vec<Draft> {
    let mut ordered: Vec<(Draft, Outline)> = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let worth = |(draft, outline): &(Draft, Outline)| {
            let alike = ordered.iter().map(|(_, other)| similarity(outline, other));
            let likelihood = draft.mean_log_probability.exp();
            LIKELIHOOD * likelihood - (1.0 - LIKELIHOOD) * alike.fold(0.0, f64::max)
        };
        let worths: Vec<f64> = left.iter().map(worth).collect();
        let better = |a: &usize, b: &usize| match worths[*a].total_cmp(&worths[*b]) {
            // The earlier one is likelier.
            Ordering::Equal => b.cmp(a),
            other => other,
        };
        let best = (0..left.len()).max_by(better).unwrap_or(0);
        ordered.push(left.remove(best));
    }
    ordered.into_iter().map(|(draft, _)| draft).collect()
}

#[cfg(test)]
mod tests {
    use events::Channel;

    use super::super::text::Field;
    use super::*;
    use crate::templates;

    #[test]
    fn what_differs_comes_before_what_is_likely() {
        let variant = &templates::library(Channel::Push, Language::En)[0];
        let draft = |mean_log_probability: f64, text: &str| {
            let draft = Draft {
                variant: variant.clone(),
                evidence: Evidence::Plain,
                mean_log_probability,
                similarity: 0.0,
            };
            (draft, Outline::of(&[(Field::Body, text.to_owned())]))
        };
        let ordered = diverse(vec![
            draft(-0.5, "Have a look at the tea"),
            draft(-0.6, "Have a look at the pot"),
            draft(-1.5, "Something else entirely"),
        ]);
        let order: Vec<f64> = ordered.iter().map(|d| d.mean_log_probability).collect();
        assert_eq!(order, [-0.5, -1.5, -0.6]);
    }
}
