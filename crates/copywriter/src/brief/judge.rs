//! From an answer to variants: parse → fields → words and slots → the guard, before and after the text is rendered.

use std::collections::BTreeSet;

use events::{Binding, CopyVariant, Generator, Premise, Scope, VariantStatus};
use guard::{Facts, Guard, Refusal, value_at};
use serde_json::Value;

use super::answer::{beginning, first_object};
use super::refused::Refused;
use super::slots::{Slot, TITLES, evidence, listed};
use super::text::{Part, Scripts, Text, first_literal, numbers};
use super::{APPROVED_BY, Brief, Written};
use crate::templates::{Entry, source};

/// The first of the private characters that hold the places of slots which the copy library does not know, while it writes a
/// variant out. [`Text::read`] refuses them, so that no answer can hold one.
const FIRST_MARK: u32 = 0xe000;

/// Fields of a product that are texts, of which a model makes words of its own.
const TOLD: [&str; 4] = [
    "product.title",
    "product.brand",
    "product.category",
    "product.description",
];

/// What an answer is judged by.
pub(crate) struct Judge<'a> {
    pub(crate) brief: &'a Brief<'a>,
    pub(crate) slots: &'a [Slot],
    pub(crate) guard: &'a Guard,
    pub(crate) generator: Generator,
}

impl Judge<'_> {
    /// Judges every entry of an answer and adds it to what was written before; what the answer has beyond the number asked
    /// for is passed over.
    pub(crate) fn judge(&self, answer: &str, written: &mut Written) {
        let entries = match entries(answer) {
            Ok(entries) => entries,
            Err(refused) => return written.refused.push(refused),
        };
        for entry in entries.iter().take(self.brief.count) {
            let is_known = |variant: &CopyVariant| {
                let mut known = written.approved.iter();
                known.any(|other| other.id == variant.id)
            };
            match self.entry(entry) {
                Ok(variant) if is_known(&variant) => written.refused.push(Refused::Duplicate),
                Ok(variant) => written.approved.push(variant),
                Err(refused) => written.refused.push(refused),
            }
        }
    }

    fn entry(&self, entry: &Value) -> Result<CopyVariant, Refused> {
        let limits = self.guard.limits(self.brief.channel, self.brief.language);
        let texts = limits
            .iter()
            .map(|limit| field(entry, &limit.field))
            .collect::<Result<Vec<&str>, Refused>>()?;
        let read = texts
            .iter()
            .map(|text| Text::read(text))
            .collect::<Result<Vec<Text>, Refused>>()?;
        self.check_slots(&read)?;
        self.check_words(&read)?;
        let fields = limits.iter().map(|limit| limit.field.as_str()).zip(&read);
        let variant = self.variant(fields)?;
        self.check_by_guard(variant)
    }

    fn check_slots(&self, texts: &[Text]) -> Result<(), Refused> {
        let shown: Vec<&str> = texts.iter().flat_map(Text::slots).collect();
        let is_offered = |name: &&&str| self.slots.iter().any(|slot| slot.name == **name);
        if let Some(name) = shown.iter().find(|name| !is_offered(name)) {
            return Err(Refused::UnknownSlot {
                name: (*name).to_owned(),
            });
        }
        for needs in [TITLES, evidence(self.brief.strategy)] {
            if !needs.is_empty() && !shown.iter().any(|name| needs.contains(name)) {
                return Err(Refused::Unsupported {
                    needs: listed(needs),
                });
            }
        }
        Ok(())
    }

    fn check_words(&self, texts: &[Text]) -> Result<(), Refused> {
        let mut scripts = Scripts::default();
        for words in texts.iter().flat_map(Text::words) {
            if let Some(found) = first_literal(words) {
                return Err(Refused::Literal {
                    found: found.to_owned(),
                    slot: self.slot_of(found),
                });
            }
            scripts.add(words);
        }
        scripts.check(self.brief.language)
    }

    /// The slot whose value holds the number that was written out; a price before anything else that has it.
    fn slot_of(&self, literal: &str) -> Option<String> {
        let number = *numbers(literal).first()?;
        let has_number = |slot: &&Slot| {
            let value = slot.value.as_deref().unwrap_or_default();
            numbers(value).iter().any(|n| (n - number).abs() < 1e-9)
        };
        let is_price = |slot: &&Slot| slot.path.ends_with("price");
        let mut found = self.slots.iter().filter(has_number);
        let first = found.clone().find(is_price).or_else(|| found.next());
        first.map(|slot| slot.name.clone())
    }

    /// The variant as a draft, with the channel's closing and the filters of each slot. The model was told of one product, so
    /// it speaks of that one alone.
    fn variant<'t>(
        &self,
        fields: impl Iterator<Item = (&'t str, &'t Text<'t>)>,
    ) -> Result<CopyVariant, Refused> {
        let Brief {
            channel,
            strategy,
            language,
            ..
        } = *self.brief;
        let mut entry = Entry {
            title: None,
            subject: None,
            preheader: None,
            body: String::new(),
        };
        for (field, text) in fields {
            let text = self.marked(text);
            match field {
                "title" => entry.title = Some(text),
                "subject" => entry.subject = Some(text),
                "preheader" => entry.preheader = Some(text),
                _ => entry.body = text,
            }
        }
        let library = source(language);
        let draft = library.variant(String::new(), channel, strategy, &entry);
        let mut variant = draft.map_err(|error| Refused::Guard {
            reason: error.to_string(),
            failed: Vec::new(),
        })?;
        self.unmark(&mut variant);
        let texts: Vec<&str> = variant.template.fields().map(|(_, text)| text).collect();
        let hash = blake3::hash(texts.join("\u{1f}").as_bytes()).to_hex();
        let (tag, strategy) = (&library.locale, strategy.name());
        // An id begins with the first letter of the provider.
        let provider = self.generator.provider.get(..1).unwrap_or_default();
        variant.id = format!("{provider}/{channel}/{tag}/{strategy}/{}", &hash[..12]);
        variant.scope = Scope::ProductIds(vec![self.brief.facts.product.id.clone()]);
        variant.premises = self.premises();
        variant.generator = self.generator.clone();
        variant.status = VariantStatus::Draft;
        variant.approved_by = None;
        Ok(variant)
    }

    /// What the model was told of the product and may have put into words. Prices and counts are not among it: a text shows
    /// them as slots or not at all.
    fn premises(&self) -> Vec<Premise> {
        let Facts { product, now, .. } = self.brief.facts;
        let is_words = |path: &str| path.starts_with("fact.") || TOLD.contains(&path);
        let mut paths: BTreeSet<&str> = self.slots.iter().map(|slot| slot.path.as_str()).collect();
        paths.insert("product.description");
        let told = paths.into_iter().filter(|path| is_words(path));
        told.filter_map(|path| {
            Some(Premise {
                path: path.to_owned(),
                value: value_at(path, product, now)?,
            })
        })
        .collect()
    }

    /// The text in the library's notation, with marks for slots that the library does not know.
    fn marked(&self, text: &Text) -> String {
        let written = text.parts().map(|part| match part {
            Part::Words(words) => words.to_owned(),
            Part::Slot(name) => match self.own_slots().find(|(_, slot)| slot.name == name) {
                Some((mark, _)) => mark.to_string(),
                None => format!("{{{{ {name} }}}}"),
            },
        });
        written.collect::<String>().trim().to_owned()
    }

    fn unmark(&self, variant: &mut CopyVariant) {
        for (mark, slot) in self.own_slots() {
            let Slot {
                name, path, show, ..
            } = slot;
            let template = &mut variant.template;
            let fields = [
                template.title.as_mut(),
                template.subject.as_mut(),
                template.preheader.as_mut(),
                Some(&mut template.body),
            ];
            let mut is_shown = false;
            for text in fields
                .into_iter()
                .flatten()
                .filter(|text| text.contains(mark))
            {
                *text = text.replace(mark, &format!("{{{{ {name} | {show} }}}}"));
                is_shown = true;
            }
            if is_shown {
                variant.bindings.push(Binding {
                    name: name.clone(),
                    path: path.clone(),
                });
            }
        }
    }

    /// The slots that the library does not know, with their marks.
    fn own_slots(&self) -> impl Iterator<Item = (char, &Slot)> {
        let marks = (FIRST_MARK..).filter_map(char::from_u32);
        let own = self.slots.iter().filter(|slot| !slot.is_library);
        marks.zip(own)
    }

    fn check_by_guard(&self, mut variant: CopyVariant) -> Result<CopyVariant, Refused> {
        let facts = &self.brief.facts;
        let rendered = self.guard.render(&variant, facts);
        rendered.map_err(|refusal| of_guard(&refusal))?;
        let claims = &facts.product.allowed_claims;
        variant.checks = self.guard.check_variant_with(&variant, claims);
        let failed: Vec<_> = variant
            .checks
            .iter()
            .filter(|check| !check.passed)
            .collect();
        if let Some(first) = failed.first() {
            return Err(Refused::Guard {
                reason: first.rule.clone(),
                failed: failed.into_iter().cloned().collect(),
            });
        }
        variant.status = VariantStatus::Approved;
        variant.approved_by = Some(APPROVED_BY.to_owned());
        Ok(variant)
    }
}

fn entries(answer: &str) -> Result<Vec<Value>, Refused> {
    if answer.trim().is_empty() {
        return Err(empty("variants"));
    }
    let mut object = first_object(answer).ok_or_else(|| Refused::MalformedJson {
        detail: format!("it begins `{}`", beginning(answer, 60)),
    })?;
    match object.get_mut("variants").map(Value::take) {
        Some(Value::Array(entries)) if entries.is_empty() => Err(empty("variants")),
        Some(Value::Array(entries)) => Ok(entries),
        _ => Err(missing("variants")),
    }
}

fn of_guard(refusal: &Refusal) -> Refused {
    let failed = || refusal.checks.iter().filter(|check| !check.passed);
    match refusal.reason.strip_prefix("length:") {
        Some(field) => Refused::TooLong {
            field: field.to_owned(),
            detail: failed()
                .next()
                .map_or_else(String::new, |check| check.detail.clone()),
        },
        None => Refused::Guard {
            reason: refusal.reason.clone(),
            failed: failed().cloned().collect(),
        },
    }
}

fn field<'v>(entry: &'v Value, name: &str) -> Result<&'v str, Refused> {
    let text = entry.get(name).and_then(Value::as_str);
    let text = text.ok_or_else(|| missing(name))?.trim();
    if text.is_empty() {
        return Err(empty(name));
    }
    Ok(text)
}

fn missing(field: &str) -> Refused {
    Refused::MissingField {
        field: field.to_owned(),
    }
}

fn empty(field: &str) -> Refused {
    Refused::Empty {
        field: field.to_owned(),
    }
}
