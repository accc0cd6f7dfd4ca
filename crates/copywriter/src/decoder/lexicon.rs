//! Words that state a property, and which of them a text may not use.
//!
//! The values of an attribute that has one value at a time, such as a colour, contradict each other; those that the
//! corpus' texts use of things that have them are learnt here. A text that names another value than its facts contradicts
//! them, one that names a value of an attribute without a fact is unfounded.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::example::{Example, Fact};

/// Share of an attribute's meanings that may have several values of it.
const SEVERAL: f64 = 0.1;
/// Examples in which a value must be a fact and in which it must be said.
const LEAST_EXAMPLES: usize = 5;
/// Least share of the texts that say a value, among those whose meaning has its attribute, to which it is a fact.
const TELLING: f64 = 0.5;
/// What may follow a Latin word.
const AFTER_WORD: [char; 8] = [' ', ',', '.', ';', '-', ')', '!', '?'];

/// The values that state a property, by attribute.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lexicon {
    values: BTreeMap<String, BTreeSet<String>>,
}

/// A value that a text states without a fact to bear it out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unfounded {
    /// The attribute.
    pub name: String,
    /// The value, in small letters.
    pub value: String,
    /// Where it stands first, in Unicode scalars of the text: from, to, half-open.
    pub span: (usize, usize),
    /// Whether the facts have another value of the attribute.
    pub contradicts: bool,
}

impl Lexicon {
    /// Learns the attributes and values of a corpus; `exact` names those whose values are slots.
    pub fn learn(examples: &[Example], exact: &[String]) -> Self {
        let mut meanings: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
        let mut values: BTreeMap<(&str, String), usize> = BTreeMap::new();
        for example in examples {
            let facts = &example.meaning.facts;
            for (at, fact) in facts.iter().enumerate() {
                *values.entry((&fact.name, small(&fact.value))).or_default() += 1;
                let count = meanings.entry(&fact.name).or_default();
                let earlier = facts[..at].iter().filter(|other| other.name == fact.name);
                match earlier.count() {
                    0 => count.0 += 1.0,
                    1 => count.1 += 1.0,
                    _ => {}
                }
            }
        }
        let single = |name: &str| {
            let (all, several) = meanings[name];
            several <= SEVERAL * all && !exact.iter().any(|other| other == name)
        };
        values.retain(|(name, value), count| {
            *count >= LEAST_EXAMPLES && value.chars().count() >= 2 && single(name)
        });
        let texts: Vec<String> = examples
            .iter()
            .map(|example| small(&example.text))
            .collect();
        let mut lexicon = Self::default();
        for ((name, value), _) in values {
            if is_telling(examples, &texts, name, &value) {
                let of_name = lexicon.values.entry(name.to_owned()).or_default();
                of_name.insert(value);
            }
        }
        lexicon
    }

    /// The values that a text states and its facts do not, in the order of attribute and value.
    pub fn unfounded(&self, facts: &[Fact], text: &str) -> Vec<Unfounded> {
        let (small, places) = small_with_places(text);
        let said = self.others(facts).filter_map(|(name, value)| {
            let from = stated_at(&small, value)?;
            Some(Unfounded {
                name: name.to_owned(),
                value: value.to_owned(),
                span: (places[from], places[from + value.len() - 1] + 1),
                contradicts: facts.iter().any(|fact| fact.name == name),
            })
        });
        said.collect()
    }

    /// The phrases that would state a value that the facts do not have, for [`super::DecodingConfig::banned`].
    pub fn forbidden(&self, facts: &[Fact]) -> Vec<String> {
        let others = self.others(facts);
        others
            .flat_map(|(_, value)| {
                if !is_latin(value) {
                    return vec![value.to_owned()];
                }
                AFTER_WORD.map(|after| format!(" {value}{after}")).to_vec()
            })
            .collect()
    }

    /// The values that no fact holds, not even as a part.
    fn others<'a>(&'a self, facts: &[Fact]) -> impl Iterator<Item = (&'a str, &'a str)> {
        let held: Vec<String> = facts.iter().map(|fact| small(&fact.value)).collect();
        let all = self.values.iter();
        let all =
            all.flat_map(|(name, values)| values.iter().map(move |value| (&name[..], &value[..])));
        all.filter(move |(_, value)| !held.iter().any(|held| states(held, value)))
    }
}

/// Whether texts, given in small letters too, that say a value are mostly about things that have it.
fn is_telling(examples: &[Example], texts: &[String], name: &str, value: &str) -> bool {
    let (mut said, mut held) = (0usize, 0usize);
    for (example, text) in examples.iter().zip(texts) {
        let mut of_name = example
            .meaning
            .facts
            .iter()
            .filter(|fact| fact.name == name)
            .peekable();
        if of_name.peek().is_some() && states(text, value) {
            said += 1;
            held += usize::from(of_name.any(|fact| states(&small(&fact.value), value)));
        }
    }
    held >= LEAST_EXAMPLES && held as f64 >= TELLING * said as f64
}

/// Whether a text in small letters has a value, as whole words where its ends are Latin letters or digits: `men` does not
/// stand in `women`, `v领` does in `小v领`.
fn states(text: &str, value: &str) -> bool {
    stated_at(text, value).is_some()
}

/// The byte from which on a text has a value like that.
fn stated_at(text: &str, value: &str) -> Option<usize> {
    let mut matches = text.match_indices(value).map(|(at, _)| at);
    matches.find(|&at| {
        let before = text[..at].chars().next_back();
        let after = text[at + value.len()..].chars().next();
        let is_word = |letter: Option<char>| letter.is_some_and(|c| c.is_ascii_alphanumeric());
        let joined = |inside, outside| is_word(inside) && is_word(outside);
        !joined(value.chars().next(), before) && !joined(value.chars().next_back(), after)
    })
}

fn is_latin(value: &str) -> bool {
    value.chars().any(|letter| letter.is_ascii_alphabetic())
}

fn small(text: &str) -> String {
    text.trim().to_lowercase()
}

/// A text in small letters, and for each of its bytes the place of its letter in the text, in Unicode scalars.
fn small_with_places(text: &str) -> (String, Vec<usize>) {
    let (mut small, mut places) = (String::new(), Vec::new());
    for (place, letter) in text.chars().enumerate() {
        small.extend(letter.to_lowercase());
        places.resize(small.len(), place);
    }
    (small, places)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decoder::Meaning;

    fn example(facts: &[(&str, &str)], text: &str) -> Example {
        let facts = facts.iter().map(|(name, value)| Fact::new(*name, *value));
        Example {
            meaning: Meaning::of_facts(facts.collect()),
            text: text.to_owned(),
        }
    }

    #[test]
    fn only_telling_values_of_single_attributes_are_learnt() {
        let mut examples = Vec::new();
        for _ in 0..6 {
            examples.push(example(
                &[("colour", "Red"), ("style", "plain"), ("style", "bold")],
                "a red, bold one",
            ));
            examples.push(example(
                &[("colour", "blue"), ("brand", "Acme")],
                "a blue one, layered",
            ));
            // White is said of what is not white, and of nothing that is.
            examples.push(example(&[("colour", "white")], "a blue one"));
        }
        let lexicon = Lexicon::learn(&examples, &["brand".to_owned()]);
        let colours: Vec<&str> = lexicon.values["colour"]
            .iter()
            .map(String::as_str)
            .collect();
        assert_eq!((lexicon.values.len(), colours), (1, vec!["blue", "red"]));

        let facts = [Fact::new("colour", "Dark Blue")];
        let found = lexicon.unfounded(&facts, "Red and blue, layered.");
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].value.as_str(), found[0].contradicts),
            ("red", true)
        );
        assert!(!lexicon.unfounded(&[], "Red.")[0].contradicts);
        assert_eq!(lexicon.unfounded(&facts, "Layered, a redo."), []);
        // It is found where it is a word of its own, whatever a letter before becomes in small ones.
        let found = lexicon.unfounded(&facts, "İ: layered, in RED.");
        assert_eq!(found[0].span, (15, 18));
        // A fact bears a value out as a whole word alone.
        let layered = [Fact::new("colour", "Blue"), Fact::new("title", "Layered")];
        assert_eq!(lexicon.unfounded(&layered, "A red one.")[0].value, "red");
        let banned = lexicon.forbidden(&facts);
        assert_eq!(banned.len(), AFTER_WORD.len());
        assert!(banned.contains(&" red,".to_owned()));
    }

    #[test]
    fn chinese_values_need_no_ends_of_words() {
        let examples = vec![example(&[("颜色", "红色")], "这条红色的裙子"); 6];
        let lexicon = Lexicon::learn(&examples, &[]);
        let facts = [Fact::new("颜色", "白色")];
        assert_eq!(lexicon.forbidden(&facts), ["红色"]);
        assert_eq!(lexicon.unfounded(&facts, "大红色的")[0].value, "红色");
        assert!(states("小v领的", "v领") && states("一件t恤", "t恤") && !states("1320", "32"));
        // A value within a longer one is borne out by it.
        assert_eq!(
            lexicon.forbidden(&[Fact::new("颜色", "酒红色")]),
            Vec::<String>::new()
        );
    }
}
