use std::collections::BTreeMap;

use events::{
    Binding, Channel, CopyText, CopyVariant, Generator, Locale, Scope, Strategy, VariantStatus,
};
use serde::Deserialize;

use super::expand::expand;
use super::paragraphs::paragraphs;
use super::{APPROVED_BY, PROVIDER};
use crate::CopyError;

/// Reads a library in the form of `library/en.toml` and returns its variants by channel, strategy and number.
///
/// The version in [`Generator::model`] is the file's hash, so that two libraries never share one.
///
/// # Errors
/// [`CopyError::Library`] when the text is not such a file or has unknown keys; the other variants name the entry
/// at fault.
pub fn parse(text: &str) -> Result<Vec<CopyVariant>, CopyError> {
    let file: File = toml::from_str(text).map_err(|error| CopyError::Library {
        detail: error.to_string().trim_end().to_owned(),
    })?;
    let hash = blake3::hash(text.as_bytes()).to_hex();
    let model = format!("library/{}@{}", file.locale, &hash[..12]);
    let mut variants = Vec::new();
    for (&channel, strategies) in &file.texts {
        for (&strategy, entries) in strategies {
            for (number, entry) in numbered(channel, strategy, entries)? {
                let id = format!("t/{channel}/{}/{}/{number}", file.locale, strategy.name());
                variants.push(variant(&file, &model, id, channel, strategy, entry)?);
            }
        }
    }
    Ok(variants)
}

/// A library as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// Language tag of the texts.
    locale: String,
    /// What stands at the end of every text of a channel.
    #[serde(default)]
    closing: BTreeMap<Channel, String>,
    /// What the names of the templates stand for.
    names: BTreeMap<String, Name>,
    /// The texts by channel, strategy and number.
    texts: BTreeMap<Channel, BTreeMap<Strategy, BTreeMap<String, Entry>>>,
}

/// What a name of the templates stands for, and how it is shown where the template names no filter.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Name {
    /// The path of the binding.
    pub(super) path: String,
    /// Filters, such as `title_case | truncate: 60`.
    #[serde(default)]
    pub(super) show: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    title: Option<String>,
    subject: Option<String>,
    preheader: Option<String>,
    body: String,
}

/// Sorts entries by number: as text, `10` would come before `2`.
fn numbered(
    channel: Channel,
    strategy: Strategy,
    entries: &BTreeMap<String, Entry>,
) -> Result<BTreeMap<u32, &Entry>, CopyError> {
    entries
        .iter()
        .map(|(key, entry)| {
            let number = key.parse().ok().filter(|&number| number > 0);
            number
                .map(|number| (number, entry))
                .ok_or_else(|| CopyError::VariantNumber {
                    id: format!("{channel}.{}.{key}", strategy.name()),
                })
        })
        .collect()
}

fn variant(
    file: &File,
    model: &str,
    id: String,
    channel: Channel,
    strategy: Strategy,
    entry: &Entry,
) -> Result<CopyVariant, CopyError> {
    let closing = file.closing.get(&channel).map_or("", String::as_str);
    let mut body = format!("{}{closing}", entry.body.trim());
    if channel == Channel::Email {
        body = paragraphs(&body);
    }
    let written = CopyText {
        title: entry.title.clone(),
        subject: entry.subject.clone(),
        preheader: entry.preheader.clone(),
        body,
    };
    check_fields(&id, channel, &written)?;
    let mut bindings = BTreeMap::new();
    let template = written.try_map(|_, text| expand(&id, text, &file.names, &mut bindings))?;
    Ok(CopyVariant {
        id,
        scope: Scope::All,
        channel,
        slot: "default".to_owned(),
        locale: Locale(file.locale.clone()),
        strategy,
        template,
        bindings: bindings
            .into_iter()
            .map(|(name, path)| Binding { name, path })
            .collect(),
        assets: Vec::new(),
        generator: Generator {
            provider: PROVIDER.to_owned(),
            model: model.to_owned(),
            prompt_hash: None,
            seed: 0,
        },
        checks: Vec::new(),
        status: VariantStatus::Approved,
        approved_by: Some(APPROVED_BY.to_owned()),
        parent_id: None,
    })
}

/// Refuses a mail without a subject or a text message with a title: the channel would not show it.
fn check_fields(id: &str, channel: Channel, text: &CopyText) -> Result<(), CopyError> {
    let expected: &[&str] = match channel {
        Channel::Push | Channel::Banner => &["title", "body"],
        Channel::Email => &["subject", "preheader", "body"],
        Channel::Sms | Channel::Social => &["body"],
    };
    let found: Vec<&str> = text.fields().map(|(name, _)| name).collect();
    if found == expected {
        return Ok(());
    }
    Err(CopyError::Fields {
        id: id.to_owned(),
        found: found.join(", "),
        expected: expected.join(", "),
    })
}
