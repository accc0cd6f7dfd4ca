//! Drafts of the providers that write templates themselves: language model on a server, native model, library.

use std::collections::BTreeMap;
use std::path::Path;

use copywriter::brief::Brief;
use copywriter::llm::{Llm, PROVIDER as LLM};
use copywriter::native::{Native, PROVIDER as NATIVE};
use copywriter::providers::{PassedOver, Providers};
use events::{Channel, CopyVariant, Product};
use guard::{Facts, Guard, Tone, Value, Voice};

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
    let native = match request.provider {
        DraftProvider::Templates => None,
        _ => native(store.dir(), config)?,
    };
    let providers = Providers {
        llm: llm.as_ref(),
        native: native.as_ref(),
        user_state: None,
    };
    let stats = stats(store, config, product)?;
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
        DraftProvider::Native => passed_over.provider != LLM,
        DraftProvider::Templates => ![LLM, NATIVE].contains(&passed_over.provider),
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

/// The counts of a product that copy may state; none before anything was imported that could be counted.
fn stats(store: &Store, config: &Config, product: &Product) -> Result<BTreeMap<String, Value>> {
    if store.log_summary()?.events == 0 {
        return Ok(BTreeMap::new());
    }
    let shop = Shop::load(store, config, None)?;
    let sales = shop.position(&product.id).map(|at| &shop.sales[at]);
    Ok(sales.map_or_else(BTreeMap::new, |sales| {
        sales.stats(shop.log_start(), shop.now)
    }))
}

/// The brand's voice in words.
fn brand(voice: &Voice) -> String {
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
