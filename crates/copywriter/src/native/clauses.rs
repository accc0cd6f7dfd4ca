//! The clause bank: sentences that stand alone, kept as data in `library/clauses`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use events::{Channel, Language, Strategy};
use serde::Deserialize;

use super::evidence::Evidence;

static ENGLISH: LazyLock<Clauses> =
    LazyLock::new(|| built_in(include_str!("../../library/clauses/en.toml")));
static CHINESE: LazyLock<Clauses> =
    LazyLock::new(|| built_in(include_str!("../../library/clauses/zh.toml")));

/// Where quoted clauses of a description stand.
pub(super) const QUOTE: &str = "<quote>";

/// Sentences of one language by what they rest on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Clauses {
    /// Titles that name the product.
    named_titles: Part,
    /// Titles that do not.
    titles: Part,
    /// Sentences that name the product.
    lines: Part,
    /// The same, where one shopper is spoken to.
    private_lines: Part,
    /// What follows a title that names the product.
    about: Part,
    /// Lines beside a mail's subject.
    previews: Part,
    /// Sentences before.
    openers: Part,
    private_openers: Part,
    public_openers: Part,
    /// Sentences after.
    closers: Part,
    private_closers: Part,
    public_closers: Part,
}

/// Sentences by key.
type Part = BTreeMap<String, Vec<String>>;

/// The sentences that a kind of text may be composed of.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) named_titles: Vec<&'static str>,
    pub(super) titles: Vec<&'static str>,
    pub(super) lines: Vec<&'static str>,
    pub(super) about: Vec<&'static str>,
    pub(super) previews: Vec<&'static str>,
    pub(super) openers: Vec<&'static str>,
    /// The openers that stand under the key alone.
    pub(super) own_openers: Vec<&'static str>,
    pub(super) closers: Vec<&'static str>,
}

impl Clauses {
    /// The bank of a language.
    pub(super) fn of(language: Language) -> &'static Self {
        match language {
            Language::En => &ENGLISH,
            Language::Zh => &CHINESE,
        }
    }

    /// Every sentence.
    pub(super) fn all(&self) -> impl Iterator<Item = &str> {
        let parts = self.parts().into_iter();
        parts
            .flat_map(|part| part.values().flatten())
            .map(String::as_str)
    }

    /// The sentences for a channel, strategy and evidence.
    pub(super) fn choose(
        &'static self,
        channel: Channel,
        strategy: Strategy,
        evidence: Evidence,
    ) -> Choice {
        let key = match evidence {
            Evidence::Plain => strategy.name(),
            other => other.name(),
        };
        let under = |part: &'static Part, key: &str| {
            let sentences = part.get(key).map_or(&[][..], Vec::as_slice);
            sentences.iter().map(String::as_str).collect::<Vec<_>>()
        };
        let (openers, closers) = if channel == Channel::Social {
            (&self.public_openers, &self.public_closers)
        } else {
            (&self.private_openers, &self.private_closers)
        };
        let mut lines = under(&self.lines, key);
        if channel != Channel::Social {
            lines.extend(under(&self.private_lines, key));
        }
        Choice {
            named_titles: under(&self.named_titles, key),
            titles: under(&self.titles, key),
            lines,
            about: under(&self.about, key),
            previews: under(&self.previews, key),
            own_openers: under(&self.openers, key),
            openers: [under(&self.openers, key), under(openers, "any")].concat(),
            closers: [under(&self.closers, key), under(closers, "any")].concat(),
        }
    }

    fn parts(&self) -> [&Part; 12] {
        [
            &self.named_titles,
            &self.titles,
            &self.lines,
            &self.private_lines,
            &self.about,
            &self.previews,
            &self.openers,
            &self.private_openers,
            &self.public_openers,
            &self.closers,
            &self.private_closers,
            &self.public_closers,
        ]
    }
}

fn built_in(text: &str) -> Clauses {
    toml::from_str(text).expect("invariant: a test reads the built-in clause bank")
}

#[cfg(test)]
mod tests {
    use super::super::piece::shows_number;
    use super::super::text::slots;
    use super::*;
    use crate::templates::source;

    #[test]
    fn the_bank_keeps_the_rules_of_the_library() {
        for language in [Language::En, Language::Zh] {
            for sentence in Clauses::of(language).all() {
                assert!(!shows_number(sentence), "{sentence}");
                assert!(
                    language == Language::Zh || sentence.is_ascii(),
                    "{sentence}"
                );
                for slot in slots(sentence) {
                    assert!(source(language).names.contains_key(slot), "{sentence}");
                }
            }
        }
    }

    #[test]
    fn facts_stand_under_their_keys() {
        for language in [Language::En, Language::Zh] {
            for part in Clauses::of(language).parts() {
                for (key, sentences) in part {
                    let evidence = Evidence::ALL.into_iter().find(|e| e.name() == key);
                    let evidence = evidence.unwrap_or(Evidence::Plain);
                    for sentence in sentences {
                        let shown = Evidence::of_slots(&slots(sentence));
                        let quotes = sentence.contains(QUOTE);
                        assert!(
                            shown == evidence || shown == Evidence::Plain,
                            "{key}: {sentence}"
                        );
                        assert!(!quotes || evidence == Evidence::Detail, "{key}: {sentence}");
                    }
                }
            }
        }
    }

    #[test]
    fn every_kind_has_sentences() {
        for language in [Language::En, Language::Zh] {
            for channel in Channel::ALL {
                for strategy in Strategy::ALL {
                    let serves = |evidence: &Evidence| evidence.serves(channel, strategy);
                    for evidence in Evidence::ALL.into_iter().filter(serves) {
                        let choice = Clauses::of(language).choose(channel, strategy, evidence);
                        let parts = [&choice.named_titles, &choice.titles, &choice.lines];
                        assert!(parts.iter().all(|part| part.len() > 1), "{evidence:?}");
                        let parts = [&choice.about, &choice.previews];
                        assert!(parts.iter().all(|part| part.len() > 1), "{evidence:?}");
                    }
                }
            }
        }
    }
}
