//! From a brief to judged drafts.

use std::collections::BTreeSet;

use events::{Channel, CopyVariant, Generator, Language, Product, Scope, Strategy, VariantStatus};
use guard::Guard;
use nn::{Device, NnError, Tensor, generator};

use super::batch::check_state;
use super::drafts::{Draft, Drafts, Refused};
use super::evidence::Evidence;
use super::fence::{Fence, Written};
use super::model::Native;
use super::novelty::{Outline, similarity};
use super::quotes::quotes;
use super::sample::draw;
use super::sequence::Prompt;
use super::text::{Field, ProductText};
use crate::CopyError;
use crate::templates::{Entry, source};

/// The name of this provider in [`Generator::provider`].
pub const PROVIDER: &str = "native";

/// The standing policy under which drafts are approved.
pub const APPROVED_BY: &str = "standing policy: native drafts that pass the guard";

/// What is to be written.
#[derive(Debug, Clone, Copy)]
pub struct Brief<'a> {
    /// The channel to write for.
    pub channel: Channel,
    /// The language to write in.
    pub language: Language,
    /// The argument to make.
    pub strategy: Strategy,
    /// The product to write about; without one the drafts speak of any product.
    pub product: Option<&'a Product>,
    /// The shopper's state, as the user model gives it; without one it is taken as zeros.
    pub user_state: Option<&'a [f32]>,
    /// The seed of the sampling.
    pub seed: u64,
    /// Number of candidates.
    pub count: usize,
}

/// A candidate before it is judged.
struct Candidate {
    fields: Vec<(Field, String)>,
    evidence: Evidence,
    mean_log_probability: f64,
    finished: bool,
    prompt_hash: String,
}

impl Native {
    /// Writes candidates and judges them.
    ///
    /// The candidates are spread over the kinds of evidence that the strategy may rest on and that the product has values
    /// for. In this order a candidate is refused where it is unfinished, where the guard finds a fault
    /// ([`Guard::check_variant`]), where the model finds it too unlikely, or where its [`similarity`] to a text of the
    /// library in the same language and strategy, or to a likelier draft of this call, exceeds the configured
    /// one. The rest is approved under [`APPROVED_BY`]. A channel and strategy without any text, such as
    /// Replenishment in public posts, gives no drafts.
    ///
    /// # Errors
    /// [`CopyError::UserState`] for a state of another length than the model was trained with, [`CopyError::Nn`] where
    /// memory is short.
    pub fn write(&self, brief: &Brief<'_>, guard: &Guard) -> Result<Drafts, CopyError> {
        if let Some(state) = brief.user_state {
            check_state(state, self.config.user_width)?;
        }
        let text = brief.product.map(ProductText::new);
        let missing = missing_slots(brief);
        let evidences: Vec<Evidence> = self
            .attested
            .evidences(brief.language, brief.channel, brief.strategy)
            .into_iter()
            .filter(|evidence| is_supported(*evidence, &missing, text.as_ref(), brief.language))
            .collect();
        let mut candidates = Vec::new();
        for (at, evidence) in evidences.iter().enumerate() {
            // The first kinds take what does not divide evenly.
            let share = (brief.count + evidences.len() - 1 - at) / evidences.len();
            candidates.extend(self.sample(
                brief,
                *evidence,
                share,
                text.as_ref(),
                &missing,
                guard,
            )?);
        }
        self.judge(brief, candidates, guard)
    }

    /// Samples candidates on one kind of evidence side by side.
    fn sample(
        &self,
        brief: &Brief<'_>,
        evidence: Evidence,
        count: usize,
        text: Option<&ProductText>,
        missing: &BTreeSet<&str>,
        guard: &Guard,
    ) -> Result<Vec<Candidate>, CopyError> {
        if count == 0 {
            return Ok(Vec::new());
        }
        let kind = (brief.language, brief.channel, brief.strategy, evidence);
        let quoted = text.filter(|_| evidence == Evidence::Detail);
        let quotes = quoted.map_or_else(Vec::new, |text| quotes(text, &self.vocabulary));
        let (vocabulary, attested) = (&self.vocabulary, &self.attested);
        let fence = Fence::new(vocabulary, attested, kind, missing, quotes, guard);
        let prompt = Prompt {
            language: brief.language,
            target: Some((brief.channel, brief.strategy, evidence)),
            words: text.map_or(&[], |text| &text.words),
        };
        let prompt = prompt.encode(vocabulary, self.config.prompt_words);
        let prompt_hash = self.prompt_hash(&prompt, brief.user_state);
        let mut rows = vec![(Written::default(), 0.0); count];
        let mut rngs: Vec<_> = (0..count as u64)
            .map(|row| generator(brief.seed, &format!("{kind:?}"), row))
            .collect();
        let (mut state, mut logits) = self.begin(&prompt, brief.user_state, count)?;
        let longest = self.config.max_tokens.saturating_sub(prompt.len());
        for _ in 0..longest {
            let scores: Vec<Vec<f32>> = logits.to_vec2().map_err(NnError::from)?;
            let mut read = vec![0u32; count];
            let mut open = false;
            for (row, (written, log_probability)) in rows.iter_mut().enumerate() {
                if written.finished || written.stuck {
                    continue;
                }
                let allowed = fence.next(written);
                let decoding = &self.config.decoding;
                match draw(&scores[row], &allowed, decoding, &mut rngs[row]) {
                    None => written.stuck = true,
                    Some(drawn) => {
                        fence.push(written, drawn.token);
                        *log_probability += drawn.log_probability;
                        read[row] = drawn.token;
                        open |= !written.finished;
                    }
                }
            }
            if !open {
                break;
            }
            let read = Tensor::from_vec(read, (count, 1), &Device::Cpu).map_err(NnError::from)?;
            logits = self.network.advance(&read, &mut state)?;
        }
        let candidate = |(written, log_probability): (Written, f64)| Candidate {
            fields: fence.fields(&written),
            evidence,
            mean_log_probability: log_probability / written.tokens.len().max(1) as f64,
            finished: written.finished,
            prompt_hash: prompt_hash.clone(),
        };
        Ok(rows.into_iter().map(candidate).collect())
    }

    /// Reads a prompt for `count` rows.
    fn begin(
        &self,
        prompt: &[u32],
        user_state: Option<&[f32]>,
        count: usize,
    ) -> Result<(super::network::DecodingState, Tensor), CopyError> {
        let width = self.config.user_width;
        let state = user_state.map_or_else(|| vec![0.0; width], <[f32]>::to_vec);
        let prompts = Tensor::from_vec(prompt.repeat(count), (count, prompt.len()), &Device::Cpu);
        let states = Tensor::from_vec(state.repeat(count), (count, width), &Device::Cpu);
        let prompts = prompts.map_err(NnError::from)?;
        let states = states.map_err(NnError::from)?;
        Ok(self.network.begin(&prompts, &states)?)
    }

    fn judge(
        &self,
        brief: &Brief<'_>,
        mut candidates: Vec<Candidate>,
        guard: &Guard,
    ) -> Result<Drafts, CopyError> {
        let library = self.outlines(brief.language, brief.strategy);
        let decoding = self.config.decoding;
        // The likeliest of two near copies is kept; the sort is stable.
        candidates.sort_by(|a, b| b.mean_log_probability.total_cmp(&a.mean_log_probability));
        let mut drafts = Drafts::default();
        let mut kept: Vec<(String, Outline)> = Vec::new();
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
            } else if !failed.is_empty() {
                Some(Refused::Guard { failed })
            } else if candidate.mean_log_probability < decoding.min_mean_log_probability {
                let least = decoding.min_mean_log_probability;
                Some(Refused::Unlikely { least })
            } else if let Some((of, _)) = near {
                Some(Refused::NearCopy { of: of.to_owned() })
            } else {
                twin.map(|(of, _)| Refused::Duplicate { of: of.clone() })
            };
            if let Some(refused) = refused {
                drafts.refused.push((draft, refused));
            } else {
                kept.push((draft.variant.id.clone(), outline));
                draft.variant.status = VariantStatus::Approved;
                draft.variant.approved_by = Some(APPROVED_BY.to_owned());
                drafts.approved.push(draft);
            }
        }
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
        }
        Ok(variant)
    }

    /// Hash of all that the model was given beside the seed.
    fn prompt_hash(&self, prompt: &[u32], user_state: Option<&[f32]>) -> String {
        let mut hasher = blake3::Hasher::new();
        for token in prompt {
            hasher.update(&token.to_le_bytes());
        }
        for number in user_state.unwrap_or_default() {
            hasher.update(&number.to_le_bytes());
        }
        hasher.update(format!("{:?}", self.config.decoding).as_bytes());
        hasher.finalize().to_hex()[..16].to_owned()
    }
}

fn nearest<'a>(outline: &Outline, library: &[(&'a str, Outline)]) -> Option<(&'a str, f64)> {
    let scored = library
        .iter()
        .map(|(id, other)| (*id, similarity(outline, other)));
    scored.max_by(|a, b| a.1.total_cmp(&b.1))
}

/// The slots for which the product has no value. Counts and the shopper's history are not known here; a text is shown
/// only where they have values.
fn missing_slots(brief: &Brief<'_>) -> BTreeSet<&'static str> {
    let Some(product) = brief.product else {
        return BTreeSet::new();
    };
    let has = |path: &str| match path.split_once('.') {
        Some(("product", "title")) => !product.title.is_empty(),
        Some(("product", "brand")) => product.brand.is_some(),
        Some(("product", "category")) => product.google_product_category.is_some(),
        Some(("product", "link")) => product.link.is_some(),
        Some(("product", "price" | "current_price")) => product.price.is_some(),
        Some(("product", "sale_price")) => {
            product.sale_price.is_some() && product.current_price() == product.sale_price
        }
        Some(("fact", name)) => product.facts.iter().any(|fact| fact.name == name),
        _ => true,
    };
    let names = source(brief.language).names.iter();
    names
        .filter(|(_, name)| !has(&name.path))
        .map(|(name, _)| name.as_str())
        .collect()
}

fn is_supported(
    evidence: Evidence,
    missing: &BTreeSet<&str>,
    text: Option<&ProductText>,
    language: Language,
) -> bool {
    if evidence == Evidence::Detail {
        return text.is_some_and(|text| text.language == language && !text.clauses.is_empty());
    }
    let slots = evidence.slots();
    slots.is_empty() || slots.iter().any(|slot| !missing.contains(slot))
}
