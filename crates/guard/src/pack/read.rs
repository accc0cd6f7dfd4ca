//! Reads a rule pack, and names the place of what is wrong with it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use events::{Channel, Language};
use serde::Deserialize;
use toml::Spanned;

use super::{LimitOverride, PhraseRule, RulePack, Style, Support};
use crate::pattern::{self, Lists};
use crate::wording::WordingRule;
use crate::{GuardError, limits};

/// A pack as it is written: its parts know where they stand.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    version: Spanned<String>,
    #[serde(default)]
    title: String,
    style: Option<Spanned<Style>>,
    #[serde(default)]
    words: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    opt_out: Vec<String>,
    #[serde(default)]
    limits: BTreeMap<Spanned<String>, LimitOverride>,
    wordings: Option<WordingRule>,
    #[serde(default, rename = "rule")]
    rules: Vec<Spanned<PhraseRule>>,
}

pub(super) fn pack(text: &str) -> Result<RulePack, GuardError> {
    let written: Written = toml::from_str(text).map_err(|error| GuardError::Pack {
        place: error.span().map(|span| place(text, span.start)),
        problem: error.message().trim().replace('\n', ", "),
        remedy: "compare it with the built-in pack `general.toml`",
    })?;
    let lists = Lists::read(&written.words).map_err(|(name, word, error)| {
        let quoted = text.find(&format!("\"{word}\""));
        GuardError::Pack {
            place: quoted.map(|at| place(text, at + 1 + error.at)),
            problem: format!(
                "the list `{name}` has the words `{word}`: {}",
                error.problem
            ),
            remedy: error.remedy,
        }
    })?;
    let reader = Reader { text, lists };
    reader.check(&written)?;
    Ok(RulePack {
        version: written.version.into_inner(),
        title: written.title,
        words: written.words,
        style: written.style.map(Spanned::into_inner),
        opt_out: written.opt_out,
        wordings: written.wordings,
        limits: written
            .limits
            .into_iter()
            .map(|(key, limit)| (key.into_inner(), limit))
            .collect(),
        rules: written.rules.into_iter().map(Spanned::into_inner).collect(),
    })
}

struct Reader<'t> {
    text: &'t str,
    lists: Lists,
}

impl Reader<'_> {
    fn check(&self, written: &Written) -> Result<(), GuardError> {
        if written.version.get_ref().trim().is_empty() {
            return Err(self.fault(
                written.version.span().start,
                "the version is empty".to_owned(),
                "name it, such as `general-2`",
            ));
        }
        if let Some(style) = &written.style
            && !(0.0..=1.0).contains(&style.get_ref().max_shouted_share)
        {
            return Err(self.fault(
                style.span().start,
                format!(
                    "`max_shouted_share` is {}",
                    style.get_ref().max_shouted_share
                ),
                "write a share from 0 to 1",
            ));
        }
        if let Some(key) = written.limits.keys().find(|key| !is_field(key.get_ref())) {
            return Err(self.fault(
                key.span().start,
                format!("`{}` is no field of a channel", key.get_ref()),
                "write it as `push.title` or `email.subject`",
            ));
        }
        let mut ids = BTreeSet::new();
        for rule in &written.rules {
            let id = &rule.get_ref().id;
            if id.trim().is_empty() || !ids.insert(id) {
                return Err(self.fault(
                    self.find(&rule.span(), id),
                    format!("the id `{id}` is empty or used twice"),
                    "give each rule its own id",
                ));
            }
            self.check_rule(rule)?;
        }
        Ok(())
    }

    fn check_rule(&self, rule: &Spanned<PhraseRule>) -> Result<(), GuardError> {
        let span = rule.span();
        let rule = rule.get_ref();
        let fault = |at, problem: &str, remedy| {
            Err(self.fault(at, format!("rule `{}` {problem}", rule.id), remedy))
        };
        let is_empty = |(phrase, _): &(&String, bool)| phrase.trim().is_empty();
        if rule.phrases.is_empty() || rule.every_phrase().any(|phrase| is_empty(&phrase)) {
            return fault(
                span.start,
                "holds no phrase or an empty one",
                "list at least one phrase, none of them empty",
            );
        }
        if rule.ends_within_hours.is_some() != rule.unless.contains(&Support::FactEnding) {
            return fault(
                span.start,
                "has one of `ends_within_hours` and `fact_ending` without the other",
                "give both, or neither",
            );
        }
        if let Some(phrase) = rule.fix.of.keys().find(|key| !rule.phrases.contains(key)) {
            return fault(
                self.find(&span, phrase),
                &format!("has a fix for `{phrase}`, which is none of its phrases"),
                "write the phrase as in `phrases`",
            );
        }
        for (phrase, _) in rule.every_phrase() {
            if let Err(error) = pattern::check(phrase, &self.lists) {
                return fault(
                    self.find(&span, phrase) + error.at,
                    &format!("has the phrase `{phrase}`: {}", error.problem),
                    error.remedy,
                );
            }
        }
        Ok(())
    }

    /// Where a string of a rule stands; the beginning of the rule where it is written with escapes.
    fn find(&self, span: &Range<usize>, string: &str) -> usize {
        let quoted = |quote: &str| format!("{quote}{string}{quote}");
        let part = &self.text[span.start..];
        let found = [quoted("\""), quoted("'")]
            .iter()
            .find_map(|quoted| part.find(quoted.as_str()));
        span.start + found.map_or(0, |at| at + 1)
    }

    fn fault(&self, at: usize, problem: String, remedy: &'static str) -> GuardError {
        GuardError::Pack {
            place: Some(place(self.text, at)),
            problem,
            remedy,
        }
    }
}

/// Line and column of a byte, in characters from 1.
fn place(text: &str, at: usize) -> (usize, usize) {
    let at = (0..=at.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0);
    let before = &text[..at];
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .map_or(0, |line| line.chars().count())
        + 1;
    (line, column)
}

/// Whether a key names a field of a channel, such as `push.title`.
fn is_field(key: &str) -> bool {
    Channel::ALL.iter().any(|&channel| {
        limits(channel, Language::En)
            .iter()
            .any(|limit| key == format!("{channel}.{}", limit.field))
    })
}
