//! The texts that may be shown on a channel: the built-in library, what the native copywriter wrote, and the shop's own,
//! each checked by the guard.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use events::{Channel, CopyVariant, Language, Scope, Strategy, VariantStatus};
use guard::{CompiledVariant, Guard};

use crate::config::Config;
use crate::error::Result;
use crate::store::{Catalogue, Store, StoredVariant};

/// One text that may be shown.
pub(crate) struct Text {
    pub(crate) id: String,
    pub(crate) variant: CopyVariant,
    pub(crate) compiled: CompiledVariant,
}

/// The texts of one channel, by language and strategy.
pub(crate) struct Copybook {
    pub(crate) guard: Guard,
    /// A hash of the shop's own texts; none where it has none to show.
    pub(crate) own_version: Option<String>,
    texts: BTreeMap<(Language, Strategy), Vec<Text>>,
    own: BTreeMap<(Language, Strategy), Own>,
}

/// The shop's own texts that make an argument.
#[derive(Default)]
struct Own {
    texts: Vec<Text>,
    /// The places of the texts about a product alone.
    about: HashMap<String, Vec<usize>>,
    /// The places of the texts about every product.
    wide: Vec<usize>,
}

impl Copybook {
    /// Gathers the texts of a channel, with the native copywriter's where the configuration says so; what the guard refuses is left
    /// out, and so is what the shop holds back.
    pub(crate) fn open(
        store: &Store,
        guard: Guard,
        channel: Channel,
        config: &Config,
    ) -> Result<Self> {
        let stored = store.variants()?;
        let stored: Vec<StoredVariant> = stored
            .into_iter()
            .filter(|stored| stored.variant.channel == channel)
            .collect();
        let taken_over = stored
            .iter()
            .map(|stored| &stored.variant)
            .filter(|variant| variant.status != VariantStatus::Draft);
        let taken_over: BTreeSet<&str> = taken_over.map(|variant| variant.id.as_str()).collect();
        let mut book = Self {
            guard,
            own_version: None,
            texts: BTreeMap::new(),
            own: BTreeMap::new(),
        };
        for language in [Language::En, Language::Zh] {
            let mut variants = copywriter::templates::library(channel, language);
            if config.copywriter.native {
                variants.extend(crate::native::saved_variants(
                    store.dir(),
                    channel,
                    language,
                )?);
            }
            // What the shop has taken over lives and rests as the shop says.
            variants.retain(|variant| !taken_over.contains(variant.id.as_str()));
            for variant in variants {
                book.add(language, variant);
            }
        }
        if !stored.is_empty() {
            book.add_own(stored, &store.catalogue()?);
        }
        Ok(book)
    }

    /// The texts of a language that make an argument, of the library and the native copywriter.
    pub(crate) fn of(&self, language: Language, strategy: Strategy) -> &[Text] {
        self.texts
            .get(&(language, strategy))
            .map_or(&[], Vec::as_slice)
    }

    /// The shop's own texts of a language that make an argument and may speak of a product: those about it alone first.
    pub(crate) fn own(&self, language: Language, strategy: Strategy, product: &str) -> Vec<&Text> {
        let Some(own) = self.own.get(&(language, strategy)) else {
            return Vec::new();
        };
        let about = own.about.get(product).into_iter().flatten();
        let places = about.chain(&own.wide);
        places.map(|place| &own.texts[*place]).collect()
    }

    fn add(&mut self, language: Language, variant: CopyVariant) {
        if let Some(text) = self.text(variant, &[]) {
            let key = (language, text.variant.strategy);
            self.texts.entry(key).or_default().push(text);
        }
    }

    fn add_own(&mut self, stored: Vec<StoredVariant>, catalogue: &Catalogue) {
        let mut hasher = blake3::Hasher::new();
        for stored in stored {
            let claims = claims(&stored.variant, catalogue);
            let Some(text) = self.text(stored.variant, &claims) else {
                continue;
            };
            hasher.update(text.id.as_bytes()).update(&[0]);
            let variant = &text.variant;
            let key = (variant.locale.language(), variant.strategy);
            let own = self.own.entry(key).or_default();
            let place = own.texts.len();
            match &variant.scope {
                Scope::All => own.wide.push(place),
                Scope::ProductIds(ids) => {
                    for id in ids.iter().collect::<BTreeSet<_>>() {
                        own.about.entry(id.clone()).or_default().push(place);
                    }
                }
            }
            own.texts.push(text);
        }
        self.own_version =
            (!self.own.is_empty()).then(|| hasher.finalize().to_hex()[..12].to_owned());
    }

    /// A variant that may be shown, read once for all its messages.
    fn text(&self, variant: CopyVariant, claims: &[String]) -> Option<Text> {
        if !variant.status.may_show() {
            return None;
        }
        self.checked(variant, claims).ok()
    }

    /// A variant that the guard passes as a template, read once for all its messages; else the rule that it breaks.
    pub(crate) fn checked(
        &self,
        mut variant: CopyVariant,
        claims: &[String],
    ) -> std::result::Result<Text, String> {
        let checks = self.guard.check_variant_with(&variant, claims);
        if let Some(broken) = checks.iter().find(|check| !check.passed) {
            return Err(broken.rule.clone());
        }
        let compiled = CompiledVariant::new(&variant).map_err(|error| error.to_string())?;
        variant.checks = checks;
        Ok(Text {
            id: variant.id.clone(),
            compiled,
            variant,
        })
    }
}

/// The sentences that a person approved for the products that a variant speaks of.
fn claims(variant: &CopyVariant, catalogue: &Catalogue) -> Vec<String> {
    let Scope::ProductIds(ids) = &variant.scope else {
        return Vec::new();
    };
    let products = ids.iter().filter_map(|id| catalogue.products.get(id));
    products
        .flat_map(|product| product.allowed_claims.clone())
        .collect()
}
