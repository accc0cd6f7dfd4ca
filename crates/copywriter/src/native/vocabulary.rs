use std::collections::{BTreeMap, BTreeSet, HashMap};

use events::Language;
use serde::{Deserialize, Serialize};

use super::clauses::Clauses;
use super::control::{self, Control};
use super::piece::{pieces, slot_name};
use super::text::TrainingTexts;

/// The tokens of the model: controls, slots, frequent pieces, and single characters for all other words.
///
/// A slot is one token, so that a fact's value is neither read nor written. How this differs from byte-pair encoding
/// (Sennrich, Haddow, Birch, 2016): words are whole or spelt, which suits some thousand words; a
/// vocabulary in the `tokenizer.json` layout can take its place behind the same methods.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Tokens", into = "Tokens")]
pub(super) struct Vocabulary {
    tokens: Vec<String>,
    index: HashMap<String, u32>,
    /// Number of control tokens, which come first.
    controls: usize,
}

/// A vocabulary as it is written: the tokens after the controls, in the order of their ids.
#[derive(Serialize, Deserialize)]
struct Tokens {
    tokens: Vec<String>,
}

impl From<Tokens> for Vocabulary {
    fn from(saved: Tokens) -> Self {
        let mut tokens = control::names();
        let controls = tokens.len();
        tokens.extend(saved.tokens);
        let ids = (0u32..).zip(&tokens);
        let index = ids.map(|(id, token)| (token.clone(), id)).collect();
        Self {
            tokens,
            index,
            controls,
        }
    }
}

impl From<Vocabulary> for Tokens {
    fn from(vocabulary: Vocabulary) -> Self {
        let mut tokens = vocabulary.tokens;
        Self {
            tokens: tokens.split_off(vocabulary.controls),
        }
    }
}

impl Vocabulary {
    /// Collects the slots and the most frequent pieces of texts, and every character.
    pub(super) fn new<'a>(texts: impl Iterator<Item = &'a str>, max_pieces: usize) -> Self {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        let mut slots = BTreeSet::new();
        let mut letters = BTreeSet::from([' ', '\n']);
        for text in texts {
            for piece in pieces(text) {
                if slot_name(piece).is_some() {
                    let bare = piece.trim_start();
                    slots.extend([bare.to_owned(), format!(" {bare}")]);
                } else {
                    *counts.entry(piece).or_insert(0) += 1;
                    letters.extend(piece.chars());
                }
            }
        }
        let several = |(piece, count): &(&str, usize)| *count > 1 && piece.chars().count() > 1;
        let mut frequent: Vec<_> = counts.into_iter().filter(several).collect();
        frequent.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        let frequent = frequent.into_iter().take(max_pieces);
        let tokens = slots
            .into_iter()
            .chain(frequent.map(|(piece, _)| piece.to_owned()))
            .chain(letters.into_iter().map(String::from));
        Tokens {
            tokens: tokens.collect(),
        }
        .into()
    }

    /// The vocabulary of a model that learns from these texts and from the clause bank.
    pub(super) fn of_training(texts: &TrainingTexts, max_pieces: usize) -> Self {
        let bank = [Language::En, Language::Zh].map(Clauses::of);
        let clauses = bank.iter().flat_map(|clauses| clauses.all());
        Self::new(Self::texts_of(texts).chain(clauses), max_pieces)
    }

    /// The texts that a vocabulary is collected from.
    pub(super) fn texts_of(texts: &TrainingTexts) -> impl Iterator<Item = &str> {
        let styles = texts.styles.iter().flat_map(|text| &text.fields);
        let products = texts.products.iter();
        let spoken = products.flat_map(|text| text.words.iter().chain(&text.clauses));
        styles
            .map(|(_, text)| text.as_str())
            .chain(spoken.map(String::as_str))
    }

    pub(super) fn len(&self) -> usize {
        self.tokens.len()
    }

    /// The tokens of a text; a piece that is no token is spelt.
    pub(super) fn encode(&self, text: &str, ids: &mut Vec<u32>) {
        for piece in pieces(text) {
            if let Some(id) = self.index.get(piece) {
                ids.push(*id);
                continue;
            }
            for letter in piece.chars() {
                let id = self.index.get(letter.encode_utf8(&mut [0; 4]) as &str);
                ids.push(id.copied().unwrap_or(Control::Unknown as u32));
            }
        }
    }

    /// The text that a token stands for; empty for a control.
    pub(super) fn text(&self, id: u32) -> &str {
        match self.tokens.get(id as usize) {
            Some(token) if id as usize >= self.controls => token,
            _ => "",
        }
    }

    pub(super) fn is_control(&self, id: u32) -> bool {
        (id as usize) < self.controls
    }
}

#[cfg(test)]
mod tests {
    use super::super::evidence::Evidence;
    use super::*;

    fn vocabulary() -> Vocabulary {
        let texts = TrainingTexts::from_library().expect("valid");
        Vocabulary::new(Vocabulary::texts_of(&texts), 2_000)
    }

    #[test]
    fn what_is_encoded_can_be_read() {
        let vocabulary = vocabulary();
        for text in [
            "Picked for you: {{ headline }}",
            "「{{ title }}」，{{ price }}。看看合不合心意。",
            "An unknownish word",
        ] {
            let mut ids = Vec::new();
            vocabulary.encode(text, &mut ids);
            let read: String = ids.iter().map(|id| vocabulary.text(*id)).collect();
            assert_eq!(read, text);
        }
        let mut ids = Vec::new();
        vocabulary.encode("{{ price }}", &mut ids);
        assert_eq!(ids.len(), 1);
        ids.clear();
        vocabulary.encode("\u{1F600}", &mut ids);
        assert_eq!(ids, [Control::Unknown as u32]);
    }

    #[test]
    fn controls_come_first() {
        let vocabulary = vocabulary();
        let last = control::evidence(Evidence::Sale);
        assert!(vocabulary.is_control(last) && !vocabulary.is_control(last + 1));
        assert_eq!(vocabulary.text(last), "");
        assert!(vocabulary.text(last + 1).contains("{{"));
    }

    #[test]
    fn a_vocabulary_survives_being_written() {
        let vocabulary = vocabulary();
        let text = serde_json::to_string(&vocabulary).expect("plain");
        let read: Vocabulary = serde_json::from_str(&text).expect("as written");
        assert_eq!(read, vocabulary);
    }
}
