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
    File::read(text)?.variants()
}

impl File {
    /// Reads a library without looking at its texts.
    pub(crate) fn read(text: &str) -> Result<Self, CopyError> {
        let mut file: Self = toml::from_str(text).map_err(|error| CopyError::Library {
            detail: error.to_string().trim_end().to_owned(),
        })?;
        let hash = blake3::hash(text.as_bytes()).to_hex();
        file.version = format!("library/{}@{}", file.locale, &hash[..12]);
        Ok(file)
    }

    /// The entries by channel, strategy and number, with their ids.
    pub(crate) fn entries(&self) -> Result<Vec<(String, Channel, Strategy, &Entry)>, CopyError> {
        let mut all = Vec::new();
        for (&channel, strategies) in &self.texts {
            for (&strategy, entries) in strategies {
                for (number, entry) in numbered(channel, strategy, entries)? {
                    let id = format!("t/{channel}/{}/{}/{number}", self.locale, strategy.name());
                    all.push((id, channel, strategy, entry));
                }
            }
        }
        Ok(all)
    }

    /// Every text of the library.
    pub(crate) fn variants(&self) -> Result<Vec<CopyVariant>, CopyError> {
        self.entries()?
            .into_iter()
            .map(|(id, channel, strategy, entry)| self.variant(id, channel, strategy, entry))
            .collect()
    }
}

/// A library as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    /// Language tag of the texts.
    pub(crate) locale: String,
    /// Name and hash of the file.
    #[serde(skip)]
    version: String,
    /// What stands at the end of every text of a channel.
    #[serde(default)]
    closing: BTreeMap<Channel, String>,
    /// What the names of the templates stand for.
    pub(crate) names: BTreeMap<String, Name>,
    /// The texts by channel, strategy and number.
    texts: BTreeMap<Channel, BTreeMap<Strategy, BTreeMap<String, Entry>>>,
}

/// What a name of the templates stands for, and how it is shown where the template names no filter.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Name {
    /// The path of the binding.
    pub(crate) path: String,
    /// Filters, such as `title_case | truncate: 60`.
    #[serde(default)]
    pub(crate) show: String,
}

/// The fields of a text as they are written: bare names, no closing.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    pub(crate) title: Option<String>,
    pub(crate) subject: Option<String>,
    pub(crate) preheader: Option<String>,
    pub(crate) body: String,
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

impl File {
    /// What stands at the end of every text of a channel, written out, with the bindings of the names in it.
    pub(crate) fn closing(&self, channel: Channel) -> Result<(String, Vec<Binding>), CopyError> {
        let written = self.closing.get(&channel).map_or("", String::as_str);
        let mut bindings = BTreeMap::new();
        let closing = expand("closing", written, &self.names, &mut bindings)?;
        let bindings = bindings.into_iter();
        Ok((
            closing,
            bindings
                .map(|(name, path)| Binding { name, path })
                .collect(),
        ))
    }

    /// Writes an entry out: closing, paragraphs, filters and bindings.
    pub(crate) fn variant(
        &self,
        id: String,
        channel: Channel,
        strategy: Strategy,
        entry: &Entry,
    ) -> Result<CopyVariant, CopyError> {
        let closing = self.closing.get(&channel).map_or("", String::as_str);
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
        let template = written.try_map(|_, text| expand(&id, text, &self.names, &mut bindings))?;
        Ok(CopyVariant {
            id,
            scope: Scope::All,
            channel,
            slot: "default".to_owned(),
            locale: Locale(self.locale.clone()),
            strategy,
            template,
            bindings: bindings
                .into_iter()
                .map(|(name, path)| Binding { name, path })
                .collect(),
            premises: Vec::new(),
            assets: Vec::new(),
            generator: Generator {
                provider: PROVIDER.to_owned(),
                model: self.version.clone(),
                prompt_hash: None,
                seed: 0,
            },
            checks: Vec::new(),
            status: VariantStatus::Approved,
            approved_by: Some(APPROVED_BY.to_owned()),
            parent_id: None,
        })
    }
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
