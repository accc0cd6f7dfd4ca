//! Texts composed of the clause bank: what widens the library's five texts of a kind to hundreds.

use events::{Channel, Language, Strategy};
use rand::RngExt;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use super::attested::Kind;
use super::clauses::{Choice, Clauses, QUOTE};
use super::evidence::Evidence;
use super::quotes::quotable;
use super::ruler::Ruler;
use super::rules::keeps_the_rules;
use super::sequence::QUOTES;
use super::text::{Field, ProductText, StyleText};

/// Tries to compose one text that keeps the rules.
const TRIES: usize = 30;

/// Composes texts of random kinds; those that quote a description quote that of one of the products.
pub(super) fn compose(
    products: &[ProductText],
    count: usize,
    rng: &mut ChaCha8Rng,
) -> Vec<StyleText> {
    let kinds = kinds();
    let described = |language| {
        let is_it = |p: &&ProductText| p.language == language && !p.clauses.is_empty();
        products.iter().filter(is_it).collect::<Vec<_>>()
    };
    let [english, chinese] = [Language::En, Language::Zh].map(described);
    let one = |_| {
        let kind = *kinds.choose(rng)?;
        if kind.3 != Evidence::Detail {
            return text(kind, None, rng);
        }
        let described = match kind.0 {
            Language::En => &english,
            Language::Zh => &chinese,
        };
        let product = described.choose(rng)?;
        text(kind, Some(product), rng)
    };
    (0..count).filter_map(one).collect()
}

/// Composes texts of one kind; a quotation is empty.
pub(super) fn compose_for(kind: Kind, count: usize, rng: &mut ChaCha8Rng) -> Vec<StyleText> {
    (0..count).filter_map(|_| text(kind, None, rng)).collect()
}

fn kinds() -> Vec<Kind> {
    let mut kinds = Vec::new();
    for language in [Language::En, Language::Zh] {
        for channel in Channel::ALL {
            for strategy in Strategy::ALL {
                let serves = |evidence: &Evidence| evidence.serves(channel, strategy);
                let evidences = Evidence::ALL.into_iter().filter(serves);
                kinds.extend(evidences.map(|evidence| (language, channel, strategy, evidence)));
            }
        }
    }
    kinds
}

fn text(kind: Kind, product: Option<&ProductText>, rng: &mut ChaCha8Rng) -> Option<StyleText> {
    let (language, channel, strategy, evidence) = kind;
    let choice = Clauses::of(language).choose(channel, strategy, evidence);
    let ruler = Ruler::new(channel, language, &guard::limits(channel, language));
    for _ in 0..TRIES {
        let mut fields = draft(kind, &choice, rng)?;
        let quoted = product.map(quotable).unwrap_or_default();
        let quote = quoted.choose(rng).map_or("", String::as_str);
        for (_, text) in &mut fields {
            *text = text.replace(QUOTE, &format!("{}{quote}{}", QUOTES[0], QUOTES[1]));
        }
        if channel == Channel::Sms && !ruler.fits(&fields) {
            for (_, text) in &mut fields {
                *text = text.replace("{{ title }}", "{{ headline }}");
            }
        }
        if keeps_the_rules(&fields, strategy, evidence) && ruler.fits(&fields) {
            return Some(StyleText {
                id: "composed".to_owned(),
                language,
                channel,
                strategy,
                evidence,
                words: product.map_or_else(Vec::new, |product| product.words.clone()),
                fields,
                user_state: None,
            });
        }
    }
    None
}

/// Puts sentences together in the order in which the channel's texts are read.
fn draft(kind: Kind, choice: &Choice, rng: &mut ChaCha8Rng) -> Option<Vec<(Field, String)>> {
    let (language, channel, ..) = kind;
    let between = match language {
        Language::En => " ",
        Language::Zh => "",
    };
    let is_named = rng.random::<bool>();
    let titles = if is_named {
        &choice.named_titles
    } else {
        &choice.titles
    };
    let title = titles.choose(rng)?.to_string();
    // After a title that names the product, only what belongs to the matter stands before its facts.
    let matter = is_named && !choice.own_openers.is_empty();
    let openers = if matter {
        &choice.own_openers
    } else {
        &choice.openers
    };
    let opener = *openers.choose(rng)?;
    let closer = *choice.closers.choose(rng)?;
    let line = *choice.lines.choose(rng)?;
    let about = *choice.about.choose(rng)?;
    let turn = rng.random_range(0..4);
    let fields = match channel {
        Channel::Push | Channel::Banner => {
            let core = if is_named { about } else { line };
            let turn = if is_named && !matter {
                turn / 2 * 2
            } else {
                turn
            };
            let body = around(turn, opener, core, closer).join(between);
            let (title, body) = match channel {
                Channel::Banner => shorter(language, &title, &body),
                _ => (title, body),
            };
            vec![(Field::Title, title), (Field::Body, body)]
        }
        Channel::Sms | Channel::Social => {
            let body = around(turn, opener, line, closer).join(between);
            let is_short = (channel, language) == (Channel::Sms, Language::Zh);
            let body = if is_short {
                body.replace("{{ title }}", "{{ headline }}")
            } else {
                body
            };
            vec![(Field::Body, body)]
        }
        Channel::Email => {
            let preview = choice.previews.choose(rng)?.to_string();
            let greeting = match language {
                Language::En => "Hello,",
                Language::Zh => "你好，",
            };
            let body = match turn {
                0 => vec![opener.to_owned(), line.to_owned(), closer.to_owned()],
                1 => vec![[opener, line].join(between), closer.to_owned()],
                2 => vec![greeting.to_owned(), line.to_owned(), closer.to_owned()],
                _ => vec![
                    greeting.to_owned(),
                    [opener, line].join(between),
                    closer.to_owned(),
                ],
            };
            let body = body.join("\n\n");
            vec![
                (Field::Subject, title),
                (Field::Preheader, preview),
                (Field::Body, body),
            ]
        }
    };
    Some(fields)
}

/// A sentence alone, with one before, with one after, or between both.
fn around<'a>(turn: usize, opener: &'a str, core: &'a str, closer: &'a str) -> Vec<&'a str> {
    match turn {
        0 => vec![core],
        1 => vec![opener, core],
        2 => vec![core, closer],
        _ => vec![opener, core, closer],
    }
}

/// A banner shows the product by its shorter names.
fn shorter(language: Language, title: &str, body: &str) -> (String, String) {
    let is_bare = language == Language::En && title == "{{ headline }}";
    let title = if is_bare {
        title.to_owned()
    } else {
        title.replace("headline", "short")
    };
    (title, body.replace("{{ title }}", "{{ headline }}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use guard::{Guard, RulePack};

    use super::super::text::ProductText;
    use super::*;
    use crate::templates::{Entry, source};

    #[test]
    fn every_kind_has_many_texts_and_the_guard_passes_them() {
        let guard = Guard::new(RulePack::built_in());
        let mut rng = nn::generator(1, "compose", 0);
        for kind in kinds() {
            let texts = compose_for(kind, 30, &mut rng);
            let distinct: BTreeSet<String> =
                texts.iter().map(|t| format!("{:?}", t.fields)).collect();
            // A banner has little room beside long values.
            let least = if kind.1 == Channel::Banner { 2 } else { 6 };
            assert!(distinct.len() >= least, "{kind:?}: {}", distinct.len());
            for text in &texts[..5.min(texts.len())] {
                assert_eq!(text.kind(), kind);
                let entry = Entry::of(&text.fields);
                let variant = source(kind.0).variant("x".to_owned(), kind.1, kind.2, &entry);
                // The marks of an empty quotation are no text.
                let mut variant = variant.expect("names of the library");
                variant.template.body = variant.template.body.replace(['\u{2}', '\u{3}'], "");
                for check in guard.check_variant(&variant) {
                    assert!(check.passed, "{check:?}: {:?}", text.fields);
                }
            }
        }
    }

    #[test]
    fn a_text_quotes_the_product_it_was_composed_for() {
        let product = |id: &str, clause: &str| ProductText {
            id: id.to_owned(),
            language: Language::En,
            words: vec![id.to_owned()],
            clauses: vec![clause.to_owned()],
        };
        let products = [product("mug", "wide handle"), product("bag", "zip pocket")];
        let texts = compose(&products, 600, &mut nn::generator(1, "compose", 0));
        let mut quoted = 0;
        for text in texts
            .iter()
            .filter(|text| text.evidence == Evidence::Detail)
        {
            let clause = if text.words == ["mug"] {
                "wide handle"
            } else {
                "zip pocket"
            };
            let quotes = text
                .fields
                .iter()
                .filter(|(_, text)| text.contains(QUOTES[0]));
            for (_, field) in quotes {
                assert!(field.contains(clause), "{text:?}");
                quoted += 1;
            }
            assert_eq!(
                text.language,
                Language::En,
                "there is no Chinese description"
            );
        }
        assert!(quoted > 5, "{quoted} quotations");
    }
}
