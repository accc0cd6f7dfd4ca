//! Who writes when the language model does not.

use std::collections::BTreeMap;

use events::CopyVariant;
use guard::Guard;

use crate::brief::{Brief, Refused, Written};
use crate::checkpoint::{self, Checkpoint};
use crate::llm::{self, Llm};
use crate::native::{self, Native};
use crate::templates;

/// The providers of a shop, in the order in which they are asked: language model on a server, language
/// model on this machine, native model, template library.
#[derive(Debug, Clone, Copy, Default)]
pub struct Providers<'a> {
    /// The language model on a server, where one is configured.
    pub llm: Option<&'a Llm>,
    /// The language model on this machine, where one is configured.
    pub checkpoint: Option<&'a Checkpoint>,
    /// The native model, where one is trained.
    pub native: Option<&'a Native>,
    /// The shopper's state for the native model; it stays on this machine.
    pub user_state: Option<&'a [f32]>,
}

/// What the first provider wrote that wrote anything.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Chain {
    /// The provider; none where all came to nothing.
    pub provider: Option<&'static str>,
    /// Its variants, which the guard passed as rendered for the brief's facts.
    pub variants: Vec<CopyVariant>,
    /// Why its other texts are not among them: a stable name and words.
    pub refused: Vec<(String, String)>,
    /// The providers before it, and why they wrote nothing.
    pub passed_over: Vec<PassedOver>,
}

/// A provider that wrote nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassedOver {
    /// The provider.
    pub provider: &'static str,
    /// Its reasons by their stable names, with how often each occurred; `off` for one that is not there.
    pub reasons: BTreeMap<String, usize>,
    /// The first reason in words.
    pub detail: String,
}

/// What one provider came to: variants, and the name and words of each reason for what is not among them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Attempt {
    /// Variants that may be shown.
    pub variants: Vec<CopyVariant>,
    /// Reasons: a stable name and words.
    pub reasons: Vec<(String, String)>,
}

impl Providers<'_> {
    /// Writes with the first provider that has a variant for the brief.
    pub fn write(&self, brief: &Brief<'_>, guard: &Guard) -> Chain {
        first_that_writes([
            (llm::PROVIDER, &mut || self.by_llm(brief, guard)),
            (checkpoint::PROVIDER, &mut || {
                self.by_checkpoint(brief, guard)
            }),
            (native::PROVIDER, &mut || self.by_native(brief, guard)),
            (templates::PROVIDER, &mut || by_templates(brief, guard)),
        ])
    }

    fn by_llm(&self, brief: &Brief<'_>, guard: &Guard) -> Attempt {
        let Some(llm) = self.llm else {
            return off("no language model is configured");
        };
        llm.write(brief, guard).into()
    }

    fn by_checkpoint(&self, brief: &Brief<'_>, guard: &Guard) -> Attempt {
        let Some(checkpoint) = self.checkpoint else {
            return off("no model on this machine is configured");
        };
        checkpoint.write(brief, guard).into()
    }

    fn by_native(&self, brief: &Brief<'_>, guard: &Guard) -> Attempt {
        let Some(native) = self.native else {
            return off("no native model is trained");
        };
        let asked = native::Brief {
            channel: brief.channel,
            language: brief.language,
            strategy: brief.strategy,
            product: Some(brief.facts.product),
            user_state: self.user_state,
            seed: brief.seed,
            count: brief.count,
        };
        let drafts = match native.write(&asked, guard) {
            Ok(drafts) => drafts,
            Err(error) => {
                return Attempt {
                    variants: Vec::new(),
                    reasons: vec![("error".to_owned(), error.to_string())],
                };
            }
        };
        let variants = drafts.approved.into_iter().map(|draft| draft.variant);
        let mut attempt = rendered(variants, brief, guard);
        let refused = drafts.refused.iter();
        let reasons = refused.map(|(_, reason)| (reason.name().to_owned(), reason.to_string()));
        attempt.reasons.extend(reasons);
        attempt
    }
}

impl From<Written> for Attempt {
    fn from(written: Written) -> Self {
        let reason = |refused: &Refused| (refused.name().to_owned(), refused.to_string());
        Self {
            reasons: written.refused.iter().map(reason).collect(),
            variants: written.approved,
        }
    }
}

/// Asks providers in turn until one writes.
pub fn first_that_writes<const N: usize>(
    providers: [(&'static str, &mut dyn FnMut() -> Attempt); N],
) -> Chain {
    let mut chain = Chain::default();
    for (provider, write) in providers {
        let attempt = write();
        if !attempt.variants.is_empty() {
            chain.provider = Some(provider);
            chain.variants = attempt.variants;
            chain.refused = attempt.reasons;
            break;
        }
        let mut reasons = BTreeMap::new();
        for (name, _) in &attempt.reasons {
            *reasons.entry(name.clone()).or_insert(0) += 1;
        }
        let first = attempt.reasons.into_iter().next();
        chain.passed_over.push(PassedOver {
            provider,
            reasons,
            detail: first.map(|(_, words)| words).unwrap_or_default(),
        });
    }
    chain
}

fn by_templates(brief: &Brief<'_>, guard: &Guard) -> Attempt {
    let library = templates::library(brief.channel, brief.language);
    let fitting = library
        .into_iter()
        .filter(|variant| variant.strategy == brief.strategy);
    rendered(fitting, brief, guard)
}

/// Keeps the variants that the guard passes as rendered for the brief's facts.
fn rendered(
    variants: impl Iterator<Item = CopyVariant>,
    brief: &Brief<'_>,
    guard: &Guard,
) -> Attempt {
    let mut attempt = Attempt::default();
    for variant in variants {
        match guard.render(&variant, &brief.facts) {
            Ok(_) => attempt.variants.push(variant),
            Err(refusal) => attempt
                .reasons
                .push((refusal.reason.clone(), refusal.to_string())),
        }
    }
    attempt
}

fn off(why: &str) -> Attempt {
    Attempt {
        variants: Vec::new(),
        reasons: vec![("off".to_owned(), why.to_owned())],
    }
}
