//! What a model's answer holds, and a finished variant as such an answer.

use events::{Channel, CopyVariant};
use serde_json::{Map, Value, json};

use super::refused::Refused;
use super::slots::Slot;
use super::{Brief, text};
use crate::templates::source;

/// The beginning of a text from outside, for a message: characters that a terminal would act on become spaces.
pub(crate) fn beginning(text: &str, characters: usize) -> String {
    let shown = text.trim().chars().take(characters);
    shown
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// Takes the first JSON object out of an answer; models like to put words or a code fence around it.
pub(super) fn first_object(text: &str) -> Option<Value> {
    // An answer has few braces that begin an object and are none: those of slots. A cap keeps a hostile one from costing the
    // square of its length.
    const MOST_BRACES: usize = 200;
    let mut braces = text.match_indices('{').take(MOST_BRACES);
    braces.find_map(|(at, _)| {
        let rest = serde_json::Deserializer::from_str(&text[at..]);
        rest.into_iter::<Value>().next()?.ok()
    })
}

/// A variant in the form in which a model answers: slots without filters, no closing, no tags.
///
/// # Errors
/// [`Refused::Markup`] where the template has more than text and slots, [`Refused::UnknownSlot`] for a name that is not
/// among the slots, [`Refused::MissingField`] for a field that the variant lacks.
pub(crate) fn answer_of(
    variant: &CopyVariant,
    brief: &Brief<'_>,
    slots: &[Slot],
    fields: &[String],
) -> Result<String, Refused> {
    let library = source(brief.language);
    let closing = library.closing(brief.channel);
    let closing = closing.map_err(|error| text::markup(&error.to_string()))?.0;
    let mut entry = Map::new();
    for field in fields {
        let found = variant.template.fields().find(|(name, _)| name == field);
        let (_, written) = found.ok_or_else(|| Refused::MissingField {
            field: field.clone(),
        })?;
        let mut written = written.to_owned();
        if field == "body" {
            if brief.channel == Channel::Email {
                written = without_paragraphs(&written);
            }
            let end = closing.trim();
            let kept = written.trim().strip_suffix(end).map(str::to_owned);
            written = kept.unwrap_or(written);
        }
        let slotted = with_slots(written.trim(), variant, slots)?;
        entry.insert(field.clone(), Value::String(slotted));
    }
    Ok(json!({"variants": [entry]}).to_string())
}

/// A template with its names replaced by the slots that show the same values in the same way.
fn with_slots(template: &str, variant: &CopyVariant, slots: &[Slot]) -> Result<String, Refused> {
    let (mut slotted, mut rest) = (String::new(), template);
    while let Some((before, after)) = rest.split_once("{{") {
        let (inside, behind) = after.split_once("}}").ok_or_else(|| text::markup("{{"))?;
        let (name, show) = inside.split_once('|').unwrap_or((inside, ""));
        let (name, show) = (name.trim(), show.trim());
        let bound = variant.bindings.iter().find(|binding| binding.name == name);
        let path = bound.map_or("", |binding| binding.path.as_str());
        // Several slots may show one value in different lengths.
        let mut same = slots.iter().filter(|slot| slot.path == path).peekable();
        if same.peek().is_none() {
            return Err(Refused::UnknownSlot {
                name: name.to_owned(),
            });
        }
        let slot = same.find(|slot| slot.show == show);
        let slot = slot.ok_or_else(|| text::markup(&format!("{{{{{inside}}}}}")))?;
        slotted.extend([before, "{{ ", &slot.name, " }}"]);
        rest = behind;
    }
    slotted.push_str(rest);
    Ok(slotted)
}

/// A mail's body without the tags of its paragraphs; the opposite of what the library does to write one out.
fn without_paragraphs(body: &str) -> String {
    let paragraphs = body.replace("</p>\n<p>", "\n\n").replace("<br>", "\n");
    let inside = paragraphs.trim().strip_prefix("<p>");
    let inside = inside.and_then(|inside| inside.strip_suffix("</p>"));
    inside.unwrap_or(&paragraphs).to_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use events::{Currency, Language, Money, Product, Strategy, Timestamp};
    use guard::{Facts, Guard, RulePack};
    use serde_json::json;

    use super::super::{Judge, Prompt, Written, slots_with_evidence};
    use super::*;
    use crate::templates;

    #[test]
    fn the_first_object_is_found() {
        let object = json!({"a": "}{ {{ title }}"});
        for text in [
            r#"{"a": "}{ {{ title }}"}"#,
            "Sure! Here it is:\n```json\n{\"a\": \"}{ {{ title }}\"}\n```\nEnjoy.",
            r#"<think>I use {{ title }} {now}</think>{"a": "}{ {{ title }}"} {"b": 1}"#,
        ] {
            assert_eq!(first_object(text), Some(object.clone()), "{text}");
        }
        for text in ["", "{", "no object", r#"{"a": "cut off"#, "[1, 2]"] {
            assert_eq!(first_object(text), None, "{text}");
        }
    }

    /// Every text of the library that has no condition of its own comes back from its answer as it was.
    #[test]
    fn a_variant_comes_back_from_its_answer() {
        let pack = RulePack::from_toml("version = \"none\"").expect("an empty pack");
        let guard = Guard::new(pack);
        let product = product();
        let facts = Facts {
            product: &product,
            stats: &BTreeMap::from([("orders_30d".to_owned(), guard::Value::Count(17))]),
            user: &BTreeMap::new(),
            now: Timestamp::UNIX_EPOCH,
            version: "1",
        };
        let mut compared = 0;
        for channel in [Channel::Push, Channel::Email, Channel::Sms, Channel::Social] {
            for variant in templates::library(channel, Language::En) {
                let brief = Brief {
                    channel,
                    language: Language::En,
                    strategy: variant.strategy,
                    facts,
                    brand: "",
                    count: 1,
                    seed: 1,
                };
                let Ok(slots) = slots_with_evidence(&brief) else {
                    continue;
                };
                let prompt = Prompt::new(&brief, &slots, &guard);
                let Ok(answer) = answer_of(&variant, &brief, &slots, &prompt.fields) else {
                    continue;
                };
                let judge = Judge {
                    brief: &brief,
                    slots: &slots,
                    guard: &guard,
                    generator: variant.generator.clone(),
                };
                let mut written = Written::default();
                judge.judge(&answer, &mut written);
                for back in &written.approved {
                    assert_eq!(back.template, variant.template, "{answer}");
                    compared += 1;
                }
            }
        }
        assert!(compared > 20, "{compared} texts were compared");
    }

    #[test]
    fn a_value_that_is_not_offered_is_named() {
        let mut library = templates::library(Channel::Push, Language::En).into_iter();
        let variant = library.find(|variant| variant.strategy == Strategy::Benefit);
        let mut variant = variant.expect("the library has one");
        variant.template.body = "{{ secret | truncate: 9 }} {{ secret".to_owned();
        let product = product();
        let empty = BTreeMap::new();
        let brief = Brief {
            channel: Channel::Push,
            language: Language::En,
            strategy: Strategy::Benefit,
            facts: Facts {
                product: &product,
                stats: &empty,
                user: &empty,
                now: Timestamp::UNIX_EPOCH,
                version: "1",
            },
            brand: "",
            count: 1,
            seed: 1,
        };
        let slots = slots_with_evidence(&brief).expect("none is needed");
        let refused = answer_of(&variant, &brief, &slots, &["body".to_owned()]);
        let name = "secret".to_owned();
        assert_eq!(refused, Err(Refused::UnknownSlot { name }));
        let refused = answer_of(&variant, &brief, &slots, &["subject".to_owned()]);
        let field = "subject".to_owned();
        assert_eq!(refused, Err(Refused::MissingField { field }));
    }

    fn product() -> Product {
        Product {
            id: "mug".to_owned(),
            title: "red mug".to_owned(),
            price: Some(Money {
                minor: 1_200,
                currency: Currency::GBP,
            }),
            link: Some("https://shop.example/mug".to_owned()),
            ..Product::default()
        }
    }
}
