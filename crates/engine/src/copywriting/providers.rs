//! Drafts of the providers that write templates themselves: language model on a server or on this machine, native
//! model, library.

use std::collections::BTreeMap;
use std::path::Path;

use copywriter::brief::Brief;
use copywriter::checkpoint::{Checkpoint, PROVIDER as CHECKPOINT};
use copywriter::llm::{Llm, PROVIDER as LLM};
use copywriter::native::{Native, PROVIDER as NATIVE};
use copywriter::providers::{PassedOver, Providers};
use events::{Channel, CopyVariant, Product};
use guard::{Facts, Guard, Tone, Value, Voice};

use super::adapter::checkpoint_config;
use super::asked::{DraftProvider, DraftRequest};
use super::drafts::{CheckedDraft, Draft, Written};
use crate::campaign::one_line;
use crate::config::Config;
use crate::error::Result;
use crate::shop::Shop;
use crate::store::Store;
use crate::train::ModelFolders;
use crate::variants::stand_in_history;

/// Writes with the provider that is asked for, or the first after it that has a text.
pub(super) fn write(
    store: &Store,
    config: &Config,
    guard: &Guard,
    (product, channel): (&Product, Channel),
    request: &DraftRequest,
) -> Result<Written> {
    let llm = match (&config.copywriter.llm, request.provider) {
        (Some(llm), DraftProvider::Llm) => Some(Llm::new(llm.clone(), request.access.clone())?),
        _ => None,
    };
    let checkpoint = match (checkpoint_config(store.dir(), config)?, request.provider) {
        (Some(checkpoint), DraftProvider::Llm | DraftProvider::Checkpoint) => {
            Some(Checkpoint::open(checkpoint)?)
        }
        _ => None,
    };
    let native = match request.provider {
        DraftProvider::Templates => None,
        _ => native(store.dir(), config)?,
    };
    let providers = Providers {
        llm: llm.as_ref(),
        checkpoint: checkpoint.as_ref(),
        native: native.as_ref(),
        user_state: None,
    };
    let stats = Counts::load(store, config)?.of(product);
    let user = stand_in_history(product, request.now);
    let brand = brand(&config.voice);
    let brief = Brief {
        channel,
        language: request.language_in(config),
        strategy: request.strategy_or_default(),
        facts: Facts {
            product,
            stats: &stats,
            user: &user,
            now: request.now,
            version: "",
        },
        brand: &brand,
        count: request.count,
        seed: request.seed,
    };
    let mut chain = providers.write(&brief, guard);
    chain.variants.truncate(request.count);
    let passed_over = chain.passed_over.into_iter();
    Ok(Written {
        provider: chain.provider,
        drafts: chain
            .variants
            .into_iter()
            .filter_map(|variant| draft(guard, variant, &brief.facts))
            .collect(),
        refused: chain.refused,
        passed_over: passed_over
            .filter(|one| is_asked(request.provider, one))
            .collect(),
    })
}

/// A variant with its text as a person would read it; the guard has passed it for these facts already.
fn draft(guard: &Guard, variant: CopyVariant, facts: &Facts<'_>) -> Option<Draft> {
    let rendered = guard.render(&variant, facts).ok()?;
    Some(Draft {
        checked: CheckedDraft::passing(one_line(&rendered.plain)),
        variant: Some(Ok(variant)),
    })
}

/// Whether a provider was asked for, or comes after the one that was.
fn is_asked(provider: DraftProvider, passed_over: &PassedOver) -> bool {
    match provider {
        DraftProvider::Llm | DraftProvider::Decoder => true,
        DraftProvider::Checkpoint => passed_over.provider != LLM,
        DraftProvider::Native => ![LLM, CHECKPOINT].contains(&passed_over.provider),
        DraftProvider::Templates => ![LLM, CHECKPOINT, NATIVE].contains(&passed_over.provider),
    }
}

/// The native model, where one was trained and is to be used.
fn native(data_dir: &Path, config: &Config) -> Result<Option<Native>> {
    let is_trained = !crate::native::saved_drafts(data_dir)?.model.is_empty();
    if !(config.copywriter.native && is_trained) {
        return Ok(None);
    }
    Ok(Some(Native::load(
        &ModelFolders::of(data_dir).copywriter(),
    )?))
}

/// The counts of products that copy may state.
pub(super) struct Counts(Option<Shop>);

impl Counts {
    /// Counts what was imported; nothing before there was anything.
    pub(super) fn load(store: &Store, config: &Config) -> Result<Self> {
        if store.log_summary()?.events == 0 {
            return Ok(Self(None));
        }
        Ok(Self(Some(Shop::load(store, config, None)?)))
    }

    /// The counts of a product.
    pub(super) fn of(&self, product: &Product) -> BTreeMap<String, Value> {
        let counted = self.0.as_ref().and_then(|shop| {
            let sales = &shop.sales[shop.position(&product.id)?];
            Some(sales.stats(shop.log_start(), shop.now))
        });
        counted.unwrap_or_default()
    }
}

/// The brand's voice in words.
pub(super) fn brand(voice: &Voice) -> String {
    let mut words = vec![match voice.tone {
        Tone::Any => String::new(),
        Tone::Formal => "Formal, without slang or emoji.".to_owned(),
        Tone::Friendly => "Friendly, as one speaks to a neighbour.".to_owned(),
    }];
    if !voice.avoid.is_empty() {
        words.push(format!("Never say: {}.", voice.avoid.join(", ")));
    }
    let preferred = voice.preferred.iter();
    words.extend(preferred.map(|(avoided, used)| format!("Say {used}, not {avoided}.")));
    if !voice.samples.is_empty() {
        words.push(format!(
            "It sounds like this: {}",
            voice.samples.join(" / ")
        ));
    }
    words.retain(|sentence| !sentence.is_empty());
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_voice_is_put_into_words() {
        let voice: Voice = toml::from_str(
            "tone = \"formal\"\navoid = [\"cheap\"]\nsamples = [\"A. B.\"]\n[use]\ncustomers = \"guests\"",
        )
        .expect("well formed");
        assert_eq!(
            brand(&voice),
            "Formal, without slang or emoji. Never say: cheap. Say guests, not customers. It sounds like this: A. B."
        );
        assert_eq!(brand(&Voice::default()), "");
    }
}
