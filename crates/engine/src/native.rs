//! The native copywriter of a shop: trained on its own texts, its drafts kept beside the model.

use std::path::Path;

use events::{Channel, CopyVariant, Language};

use crate::error::Result;
use crate::train::ModelFolders;

/// The drafts that passed the guard, of all channels and languages.
const VARIANTS: &str = "variants.json";

/// The texts of a channel and language that the native copywriter of a data directory wrote and the guard passed.
pub(crate) fn saved_variants(
    data_dir: &Path,
    channel: Channel,
    language: Language,
) -> Result<Vec<CopyVariant>> {
    let path = ModelFolders::of(data_dir).copywriter().join(VARIANTS);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let mut variants: Vec<CopyVariant> = nn::read_checked_json(&path)?;
    variants.retain(|variant| variant.channel == channel && variant.locale.language() == language);
    Ok(variants)
}
