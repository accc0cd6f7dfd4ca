//! The life of the shop's own texts: kept as drafts, approved, shown, paused, retired.
//!
//! A text gets in by [`keep`], which the guard must pass as rendered, and is shown while it is approved or live. `examine`
//! asks the guard again whenever a text is listed, approved or about to compete in a campaign.

mod examine;

use std::collections::BTreeSet;

use events::{Channel, CopyVariant, Language, Scope, Timestamp, VariantStatus};
use guard::Guard;
use serde::Serialize;

pub use examine::Remark;
pub(crate) use examine::{Examiner, stand_in_history};

use crate::brand_voice::brand_voice;
use crate::config::Config;
use crate::copy_check;
use crate::error::{EngineError, Result};
use crate::store::{Store, StoredVariant};

/// What may be done with the shop's own texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VariantChange<'a> {
    /// A person, by this name, lets them be shown.
    Approve(&'a str),
    /// They are held back until somebody approves them again.
    Pause,
    /// They are never shown again.
    Retire,
}

/// Which of the shop's own texts are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VariantFilter {
    /// Those of a status.
    pub status: Option<VariantStatus>,
    /// Those that may speak of a product.
    pub product: Option<String>,
    /// Those of a channel.
    pub channel: Option<Channel>,
}

/// One of the shop's own texts, and what the guard says of it now.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ListedVariant {
    /// The text and what became of it.
    #[serde(flatten)]
    pub stored: StoredVariant,
    /// The text as it would be read now, about the first of its products that it may speak of; the template where there
    /// is none.
    pub text: String,
    /// How like the brand's voice the text is, where the configuration has samples: 1 as like them as they are to each other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voice: Option<f64>,
    /// Why the guard does not let it be shown now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<Remark>,
}

/// What became of a text that was to be kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeptVariant {
    /// Its id in the store.
    pub id: String,
    /// Its status there.
    pub status: VariantStatus,
    /// Who approved it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<String>,
    /// Whether the store did not have it yet.
    pub is_new: bool,
}

/// The shop's own texts with what the guard says of each at a moment, in the order in which they were kept.
///
/// # Errors
/// Those of the rule packs and of the store.
pub fn list_variants(
    store: &Store,
    config: &Config,
    filter: &VariantFilter,
    now: Timestamp,
) -> Result<Vec<ListedVariant>> {
    let mut listed = list(store, &copy_check::guard(config)?, filter, now)?;
    for language in [Language::En, Language::Zh] {
        if let Some(voice) = brand_voice(config, language) {
            let of_language =
                |one: &&mut ListedVariant| one.stored.variant.locale.language() == language;
            for one in listed.iter_mut().filter(of_language) {
                one.voice = Some(voice.similarity(&one.text));
            }
        }
    }
    Ok(listed)
}

fn list(
    store: &Store,
    guard: &Guard,
    filter: &VariantFilter,
    now: Timestamp,
) -> Result<Vec<ListedVariant>> {
    let catalogue = store.catalogue()?;
    let examiner = Examiner::new(guard, &catalogue, now);
    let fits = |stored: &StoredVariant| {
        let variant = &stored.variant;
        filter.status.is_none_or(|status| variant.status == status)
            && filter.channel.is_none_or(|at| variant.channel == at)
            && filter.product.as_ref().is_none_or(|id| covers(variant, id))
    };
    let stored = store.variants()?.into_iter().filter(fits);
    Ok(stored
        .map(|stored| {
            let (text, refused) = match examiner.examine(&stored.variant) {
                Ok(rendered) => (rendered.text, None),
                Err(remark) => (
                    crate::campaign::one_line(&stored.variant.template),
                    Some(remark),
                ),
            };
            ListedVariant {
                stored,
                text,
                voice: None,
                refused,
            }
        })
        .collect())
}

/// Changes the status of texts, all of them or none.
///
/// # Errors
/// [`EngineError::NotReady`] naming the first text that is not there, that may not go there from its status, or that the
/// guard does not pass, and what to do.
pub fn change_variants(
    store: &mut Store,
    config: &Config,
    ids: &[String],
    change: VariantChange<'_>,
    now: Timestamp,
) -> Result<Vec<StoredVariant>> {
    if let VariantChange::Approve(by) = change
        && by.trim().is_empty()
    {
        return Err(refused(
            "an approval without a name is none",
            "give yours with --by NAME",
        ));
    }
    // Holding a text back needs no rules, and must not fail where they cannot be read.
    let guard = match change {
        VariantChange::Approve(_) => Some(copy_check::guard(config)?),
        VariantChange::Pause | VariantChange::Retire => None,
    };
    apply(store, guard.as_ref(), ids, change, now)
}

/// Changes the status of texts; an approval asks the guard.
fn apply(
    store: &mut Store,
    guard: Option<&Guard>,
    ids: &[String],
    change: VariantChange<'_>,
    now: Timestamp,
) -> Result<Vec<StoredVariant>> {
    let catalogue = store.catalogue()?;
    let examiner = guard.map(|guard| Examiner::new(guard, &catalogue, now));
    let ids: BTreeSet<&String> = ids.iter().collect();
    store.transaction(|store| {
        ids.into_iter()
            .map(|id| {
                let mut stored = store.variant(id)?.ok_or_else(|| unknown(store, id))?;
                stored.variant.status = next_status(&stored.variant, change)?;
                stored.reason = None;
                stored.changed_at = now;
                if let (VariantChange::Approve(by), Some(examiner)) = (change, &examiner) {
                    let passed = examiner.examine(&stored.variant).map_err(|remark| {
                        let problem = format!("`{id}` cannot be approved: {remark}");
                        refused(&problem, "draft another with `hawker copy draft --keep`")
                    })?;
                    stored.variant.checks = passed.checks;
                    stored.variant.approved_by = Some(by.trim().to_owned());
                }
                store.update_variant(&stored)?;
                Ok(stored)
            })
            .collect()
    })
}

/// Keeps a text that the guard passes as rendered: as a draft, or approved by the channel's standing policy.
///
/// What wrote it approves nothing: whatever status the text comes with is set aside.
pub(crate) fn keep(
    store: &Store,
    config: &Config,
    examiner: &Examiner<'_>,
    variant: &CopyVariant,
) -> Result<std::result::Result<KeptVariant, Remark>> {
    if variant.generator.provider == copywriter::templates::PROVIDER {
        return Ok(Err(Remark::new(
            "library",
            "a text of the library is in every campaign already",
        )));
    }
    let mut variant = variant.clone();
    variant.id = own_id(&variant);
    variant.checks = match examiner.examine(&variant) {
        Ok(rendered) => rendered.checks,
        Err(remark) => return Ok(Err(remark)),
    };
    variant.approved_by = config.copywriter.approval.standing(variant.channel);
    variant.status = match variant.approved_by {
        Some(_) => VariantStatus::Approved,
        None => VariantStatus::Draft,
    };
    let is_new = store.put_variant(&variant, examiner.now())?;
    let kept = store
        .variant(&variant.id)?
        .map_or(variant, |kept| kept.variant);
    Ok(Ok(KeptVariant {
        id: kept.id,
        status: kept.status,
        approved_by: kept.approved_by,
        is_new,
    }))
}

/// Pauses every text that may be shown and is no longer true: a product, a field or a fact that it rests on is gone, has
/// ended or is another. Says which, and why.
pub(crate) fn pause_untrue(
    store: &mut Store,
    guard: &Guard,
    now: Timestamp,
) -> Result<Vec<(String, Remark)>> {
    let mut shown = store.variants()?;
    shown.retain(|stored| stored.variant.status.may_show());
    if shown.is_empty() {
        return Ok(Vec::new());
    }
    let catalogue = store.catalogue()?;
    let examiner = Examiner::new(guard, &catalogue, now);
    let untrue = shown.into_iter().filter_map(|stored| {
        let remark = examiner.examine(&stored.variant).err()?;
        remark.is_about_facts().then_some((stored, remark))
    });
    let untrue: Vec<(StoredVariant, Remark)> = untrue.collect();
    store.transaction(|store| {
        untrue
            .into_iter()
            .map(|(mut stored, remark)| {
                stored.variant.status = VariantStatus::Paused;
                stored.reason = Some(remark.reason.clone());
                stored.changed_at = now;
                store.update_variant(&stored)?;
                Ok((stored.variant.id, remark))
            })
            .collect()
    })
}

/// Whether a text may speak of a product.
fn covers(variant: &CopyVariant, product: &str) -> bool {
    match &variant.scope {
        Scope::All => true,
        Scope::ProductIds(ids) => ids.iter().any(|id| id == product),
    }
}

/// The id in the store. The same words about another product, or resting on other facts, are another text.
fn own_id(variant: &CopyVariant) -> String {
    let Scope::ProductIds(products) = &variant.scope else {
        return variant.id.clone();
    };
    let said = format!("{products:?} {:?} {:?}", variant.premises, variant.template);
    let hash = blake3::hash(said.as_bytes()).to_hex();
    let (kind, _) = variant.id.rsplit_once('/').unwrap_or((&variant.id, ""));
    format!("{kind}/{}", &hash[..12])
}

/// Where a text goes from its status.
fn next_status(variant: &CopyVariant, change: VariantChange<'_>) -> Result<VariantStatus> {
    use VariantStatus::{Approved, Draft, Live, Paused, Retired};
    let (problem, remedy) = match (variant.status, change) {
        (Draft | Paused, VariantChange::Approve(_)) => return Ok(Approved),
        (Approved | Live, VariantChange::Pause) => return Ok(Paused),
        (Draft | Approved | Live | Paused, VariantChange::Retire) => return Ok(Retired),
        (Retired, _) => (
            "retired, for good",
            "keep another text with `hawker copy draft --keep`",
        ),
        (Draft, VariantChange::Pause) => (
            "a draft, which nobody is shown",
            "approve it with `hawker copy approve`, or `hawker copy retire` it",
        ),
        (Paused, VariantChange::Pause) => (
            "paused already",
            "approve it with `hawker copy approve`, or `hawker copy retire` it",
        ),
        (Approved | Live, VariantChange::Approve(_)) => {
            ("approved already", "`hawker copy pause` holds it back")
        }
    };
    Err(refused(&format!("`{}` is {problem}", variant.id), remedy))
}

fn unknown(store: &Store, id: &str) -> EngineError {
    let known = store.variants().unwrap_or_default();
    let known = known.into_iter().map(|stored| stored.variant.id);
    let nearest = known.min_by_key(|known| strsim::damerau_levenshtein(known, id));
    let remedy = match nearest {
        Some(nearest) => format!("did you mean `{nearest}`? `hawker copy list` shows all"),
        None => "keep some with `hawker copy draft --keep`".to_owned(),
    };
    refused(&format!("the shop has no text `{id}` of its own"), &remedy)
}

fn refused(problem: &str, remedy: &str) -> EngineError {
    EngineError::NotReady {
        missing: problem.to_owned(),
        remedy: remedy.to_owned(),
    }
}

#[cfg(test)]
mod tests;
