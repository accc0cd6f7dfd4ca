//! Drafts for a product of the shop, or for facts that somebody gives, and what is kept of them.

use std::path::Path;

use copywriter::CopyError;
use copywriter::providers::PassedOver;
use events::{CopyVariant, Timestamp};
use guard::{Finding, Guard};
use serde::Serialize;

use super::asked::{DraftProvider, DraftRequest};
use super::{from_facts, providers};
use crate::brand_voice::brand_voice;
use crate::config::Config;
use crate::copy_check;
use crate::error::{EngineError, Result};
use crate::store::{Catalogue, Store};
use crate::variants::{self, Examiner, KeptVariant, Remark};

/// A draft and what the guard says of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CheckedDraft {
    /// The text.
    pub text: String,
    /// Whether it may be sent: no finding is an error.
    pub ok: bool,
    /// log P of the text under the language model that wrote it from facts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_probability: Option<f64>,
    /// Facts that it leaves out, as far as they are recognised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<usize>,
    /// Facts that it states and that were not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub added: Option<usize>,
    /// How like the brand's voice it is, where the configuration has samples: 1 as like them as they are to each other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voice: Option<f64>,
    /// What the guard found.
    pub findings: Vec<Finding>,
    /// What it is in the store, where it was kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept: Option<KeptVariant>,
    /// Why it was not kept, where it was to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_kept: Option<Remark>,
}

/// What came of a request for drafts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Drafted {
    /// Who wrote; none where nobody had a text.
    pub provider: Option<&'static str>,
    /// The drafts, the best first, those that must not be sent last.
    pub drafts: Vec<CheckedDraft>,
    /// Texts of the same provider that were refused at once.
    pub refused: Vec<Remark>,
    /// The providers that were asked before it, and why they wrote nothing.
    pub passed_over: Vec<PassedProvider>,
}

/// A provider that was asked and wrote nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PassedProvider {
    /// The provider.
    pub provider: &'static str,
    /// Its reasons by their stable names, with how often each occurred.
    pub reasons: std::collections::BTreeMap<String, usize>,
    /// The first reason in words.
    pub detail: String,
}

/// A draft on its way to the store.
pub(super) struct Draft {
    pub(super) checked: CheckedDraft,
    /// The text as a variant; none where it is about no product, or for no channel.
    pub(super) variant: Option<std::result::Result<CopyVariant, CopyError>>,
}

/// What a provider wrote.
pub(super) struct Written {
    pub(super) provider: Option<&'static str>,
    pub(super) drafts: Vec<Draft>,
    pub(super) refused: Vec<(String, String)>,
    pub(super) passed_over: Vec<PassedOver>,
}

/// Writes drafts and has the guard check each; a text that is streamed is told piece by piece before. Those that it passes are kept where the request says so, as drafts or as the
/// channel's standing policy has it.
///
/// # Errors
/// [`EngineError::NotReady`] where there is no model, no such product, no such control, or nothing to write about.
pub fn draft(
    data_dir: &Path,
    store: Option<&Store>,
    config: &Config,
    request: &DraftRequest,
    told: &mut dyn FnMut(&str),
) -> Result<Drafted> {
    if (request.shopper.is_some() || request.stream) && request.provider != DraftProvider::Decoder {
        return Err(EngineError::NotReady {
            missing: format!(
                "{} neither writes for one shopper nor piece by piece",
                request.provider
            ),
            remedy: "leave --shopper and --stream out, or name --provider decoder".to_owned(),
        });
    }
    let from_facts = !(request.facts.is_empty() && request.controls.is_empty());
    if from_facts && request.provider != DraftProvider::Decoder {
        return Err(EngineError::NotReady {
            missing: format!("{} writes from the catalogue alone", request.provider),
            remedy: "leave --facts and --control out, or name --provider decoder".to_owned(),
        });
    }
    let guard = copy_check::guard(config)?;
    let catalogue = store.map(Store::catalogue).transpose()?.unwrap_or_default();
    let product = match &request.product {
        Some(id) => Some(copy_check::product(&catalogue, id)?),
        None => None,
    };
    let shown = product.zip(request.channel);
    let mut written = match (request.provider, store, shown) {
        (DraftProvider::Decoder, ..) if !request.keep || shown.is_some() => {
            let desk = from_facts::Desk {
                data_dir,
                store,
                config,
                guard: &guard,
                product,
            };
            desk.write(request, told)?
        }
        (
            DraftProvider::Native
            | DraftProvider::Llm
            | DraftProvider::Checkpoint
            | DraftProvider::Templates,
            Some(store),
            Some(shown),
        ) => providers::write(store, config, &guard, shown, request)?,
        _ => {
            return Err(EngineError::NotReady {
                missing: "a text that is kept, or written as a template, is about a product and for a channel".to_owned(),
                remedy: "name them with --product and --channel".to_owned(),
            });
        }
    };
    if let Some(voice) = brand_voice(config, request.language_in(config)) {
        for draft in &mut written.drafts {
            draft.checked.voice = Some(voice.similarity(&draft.checked.text));
        }
    }
    let Some(store) = store.filter(|_| request.keep) else {
        return Ok(drafted(written));
    };
    kept(store, config, &guard, &catalogue, request.now, written)
}

/// Keeps what may be kept.
fn kept(
    store: &Store,
    config: &Config,
    guard: &Guard,
    catalogue: &Catalogue,
    now: Timestamp,
    mut written: Written,
) -> Result<Drafted> {
    let examiner = Examiner::new(guard, catalogue, now);
    for draft in &mut written.drafts {
        let checked = &mut draft.checked;
        let found = checked
            .findings
            .iter()
            .find(|found| found.severity.is_error());
        let outcome = match (found, &draft.variant) {
            (Some(found), _) => Err(Remark::new(&found.rule, &found.reason)),
            (None, Some(Ok(variant))) => variants::keep(store, config, &examiner, variant)?,
            (None, Some(Err(error))) => Err(Remark::new("template", &error.to_string())),
            (None, None) => Err(Remark::new(
                "scope:none",
                "it is about no product of the catalogue",
            )),
        };
        match outcome {
            Ok(kept) => checked.kept = Some(kept),
            Err(remark) => checked.not_kept = Some(remark),
        }
    }
    Ok(drafted(written))
}

fn drafted(written: Written) -> Drafted {
    let refused = written.refused.iter();
    let passed_over = written.passed_over.into_iter();
    Drafted {
        provider: written.provider,
        drafts: written
            .drafts
            .into_iter()
            .map(|draft| draft.checked)
            .collect(),
        refused: refused
            .map(|(name, words)| Remark::new(name, words))
            .collect(),
        passed_over: passed_over
            .map(|one| PassedProvider {
                provider: one.provider,
                reasons: one.reasons,
                detail: one.detail,
            })
            .collect(),
    }
}

impl CheckedDraft {
    /// A text in which nothing was found.
    pub(super) fn passing(text: String) -> Self {
        Self {
            text,
            ok: true,
            log_probability: None,
            missing: None,
            added: None,
            voice: None,
            findings: Vec::new(),
            kept: None,
            not_kept: None,
        }
    }
}
