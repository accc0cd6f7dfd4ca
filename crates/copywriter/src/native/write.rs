//! From a brief to judged drafts.

use std::collections::BTreeSet;

use events::{Channel, Language, Product, Strategy};
use guard::Guard;
use nn::{Device, NnError, Tensor, generator};

use super::attested::Attested;
use super::drafts::Drafts;
use super::evidence::Evidence;
use super::fence::{Fence, Written};
use super::model::Native;
use super::quotes::quotes;
use super::sample::draw;
use super::sequence::Prompt;
use super::text::{Field, ProductText};
use crate::CopyError;
use crate::network::{DecodingState, check_state};
use crate::templates::source;

/// The name of this provider in [`events::Generator::provider`].
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

/// What the candidates on one kind of evidence have in common.
struct Task<'a> {
    evidence: Evidence,
    fence: Fence<'a>,
    prompt: Vec<u32>,
    prompt_hash: String,
}

/// A candidate before it is judged.
pub(super) struct Candidate {
    pub(super) fields: Vec<(Field, String)>,
    pub(super) evidence: Evidence,
    pub(super) mean_log_probability: f64,
    pub(super) finished: bool,
    pub(super) prompt_hash: String,
}

impl Native {
    /// Writes candidates and judges them.
    ///
    /// The candidates are spread over the kinds of evidence that the strategy may rest on and that the product has values
    /// for. In this order a candidate is refused where it is unfinished, where two fields say the same words, where the
    /// guard finds a fault ([`Guard::check_variant`]), where the model finds it too unlikely, or where its
    /// [`similarity`](super::similarity) to a text of the library in the same language and strategy, or to a likelier
    /// draft of this call, exceeds the configured one. The rest is approved under [`APPROVED_BY`] and ordered so that the
    /// first few are likely and differ from each other. A channel and strategy without any text, such as Replenishment in
    /// public posts, gives no drafts.
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
        let evidences: Vec<Evidence> = Evidence::ALL
            .into_iter()
            .filter(|evidence| evidence.serves(brief.channel, brief.strategy))
            .filter(|evidence| is_supported(*evidence, &missing, text.as_ref(), brief.language))
            .collect();
        if evidences.is_empty() || brief.count == 0 {
            return Ok(Drafts::default());
        }
        let evidences: Vec<Evidence> = evidences.into_iter().take(brief.count).collect();
        let tasks: Vec<Task> = evidences
            .iter()
            .map(|evidence| self.task(brief, *evidence, text.as_ref(), &missing, guard))
            .collect();
        let candidates = self.sample(brief, &tasks)?;
        self.judge(brief, candidates, guard)
    }

    /// What the candidates on one kind of evidence have in common.
    fn task(
        &self,
        brief: &Brief<'_>,
        evidence: Evidence,
        text: Option<&ProductText>,
        missing: &BTreeSet<&str>,
        guard: &Guard,
    ) -> Task<'_> {
        let kind = (brief.language, brief.channel, brief.strategy, evidence);
        let quoted = text.filter(|_| evidence == Evidence::Detail);
        let quotes = quoted.map_or_else(Vec::new, |text| quotes(text, &self.vocabulary));
        let vocabulary = &self.vocabulary;
        let context = self.config.decoding.context;
        let attested = Attested::new(kind, &self.styles, vocabulary, context);
        let prompt = Prompt {
            language: brief.language,
            target: Some((brief.channel, brief.strategy, evidence)),
            words: text.map_or(&[], |text| &text.words),
        };
        let prompt = prompt.encode(vocabulary, self.config.prompt_words);
        Task {
            evidence,
            fence: Fence::new(vocabulary, attested, kind, missing, quotes, guard),
            prompt_hash: self.prompt_hash(&prompt, brief.user_state),
            prompt,
        }
    }

    /// Samples candidates side by side, the tasks in turn.
    fn sample(&self, brief: &Brief<'_>, tasks: &[Task<'_>]) -> Result<Vec<Candidate>, CopyError> {
        let count = brief.count;
        let task = |row: usize| &tasks[row % tasks.len()];
        let mut rows = vec![Written::default(); count];
        let mut rngs: Vec<_> = (0..count)
            .map(|row| {
                let purpose = format!("{} {:?}", brief.channel, task(row).evidence);
                generator(brief.seed, &purpose, row as u64)
            })
            .collect();
        let prompts: Vec<&[u32]> = (0..count).map(|row| task(row).prompt.as_slice()).collect();
        let (mut state, mut scores) = self.begin(&prompts, brief.user_state)?;
        let longest = self.config.max_tokens.saturating_sub(prompts[0].len());
        for _ in 0..longest {
            let log_probabilities: Vec<Vec<f32>> = scores.to_vec2().map_err(NnError::from)?;
            let mut read = vec![0u32; count];
            let mut open = false;
            for (row, written) in rows.iter_mut().enumerate() {
                if written.finished || written.stuck {
                    continue;
                }
                let decoding = &self.config.decoding;
                let (scores, rng) = (&log_probabilities[row], &mut rngs[row]);
                let sample = |allowed: &[u32]| draw(scores, allowed, decoding, rng);
                task(row).fence.advance(written, sample);
                read[row] = written.tokens.last().copied().unwrap_or_default();
                open |= !(written.finished || written.stuck);
            }
            if !open {
                break;
            }
            let read = Tensor::from_vec(read, (count, 1), &Device::Cpu).map_err(NnError::from)?;
            scores = self.network.advance(&read, &mut state)?;
        }
        let rows = rows.into_iter().enumerate();
        let candidate = |(row, written): (usize, Written)| Candidate {
            fields: task(row).fence.fields(&written),
            evidence: task(row).evidence,
            mean_log_probability: written.log_probability / written.tokens.len().max(1) as f64,
            finished: written.finished,
            prompt_hash: task(row).prompt_hash.clone(),
        };
        Ok(rows.map(candidate).collect())
    }

    /// Reads the prompts, which differ in the evidence alone and so are of one length.
    fn begin(
        &self,
        prompts: &[&[u32]],
        user_state: Option<&[f32]>,
    ) -> Result<(DecodingState, Tensor), CopyError> {
        let (count, width) = (prompts.len(), self.config.user_width);
        let state = user_state.map_or_else(|| vec![0.0; width], <[f32]>::to_vec);
        let shape = (count, prompts[0].len());
        let prompts = Tensor::from_vec(prompts.concat(), shape, &Device::Cpu);
        let states = Tensor::from_vec(state.repeat(count), (count, width), &Device::Cpu);
        let prompts = prompts.map_err(NnError::from)?;
        let states = states.map_err(NnError::from)?;
        Ok(self.network.begin(&prompts, &states)?)
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
