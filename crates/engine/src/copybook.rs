//! The texts that may be shown: the built-in library and what the native copywriter wrote, each checked by the guard.

use std::collections::BTreeMap;
use std::path::Path;

use events::{Channel, CopyVariant, Language, Strategy, VariantStatus};
use guard::{CompiledVariant, Guard};

use crate::config::Config;
use crate::error::Result;

/// One text that may be shown.
pub(crate) struct Text {
    pub(crate) id: String,
    pub(crate) variant: CopyVariant,
    pub(crate) compiled: CompiledVariant,
}

/// The texts of one channel, by language and strategy.
pub(crate) struct Copybook {
    pub(crate) guard: Guard,
    texts: BTreeMap<(Language, Strategy), Vec<Text>>,
}

impl Copybook {
    /// Gathers the texts of a channel, with the native copywriter's where the configuration says so; what the guard refuses is left
    /// out.
    pub(crate) fn open(data_dir: &Path, channel: Channel, config: &Config) -> Result<Self> {
        let guard = crate::copy_check::guard(config)?;
        let mut texts: BTreeMap<_, Vec<Text>> = BTreeMap::new();
        for language in [Language::En, Language::Zh] {
            let mut variants = copywriter::templates::library(channel, language);
            if config.copywriter.native {
                variants.extend(crate::native::saved_variants(data_dir, channel, language)?);
            }
            for variant in variants {
                let may_show = matches!(
                    variant.status,
                    VariantStatus::Approved | VariantStatus::Live
                );
                let passed = guard
                    .check_variant(&variant)
                    .iter()
                    .all(|check| check.passed);
                let Some(compiled) = CompiledVariant::new(&variant)
                    .ok()
                    .filter(|_| may_show && passed)
                else {
                    continue;
                };
                texts
                    .entry((language, variant.strategy))
                    .or_default()
                    .push(Text {
                        id: variant.id.clone(),
                        variant,
                        compiled,
                    });
            }
        }
        Ok(Self { guard, texts })
    }

    /// The texts of a language that make an argument.
    pub(crate) fn of(&self, language: Language, strategy: Strategy) -> &[Text] {
        self.texts
            .get(&(language, strategy))
            .map_or(&[], Vec::as_slice)
    }
}
