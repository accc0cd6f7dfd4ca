//! Byte-level BPE over English and Chinese, in the layout of Hugging Face's `tokenizer.json`.

use std::collections::BTreeSet;
use std::path::Path;

use tokenizers::models::TrainerWrapper;
use tokenizers::models::bpe::{BPE, BpeTrainerBuilder};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::{AddedToken, Tokenizer as HuggingFace};

use super::example::Corpus;
use super::slots::{PER_NAME, Piece, Values, slot_name};
use crate::CopyError;
use crate::metrics::jieba_words;

/// Texts in which a pair of pieces must stand to become one piece.
const LEAST_PAIRS: u64 = 2;

/// The tokens that are no text, in the order of their ids.
const SPECIAL: [&str; 5] = ["<padding>", "<begin>", "<write>", "<end>", "<fact>"];

/// Begins a meaning.
pub(super) const BEGIN: u32 = 1;
/// Ends a meaning; the text follows.
pub(super) const WRITE: u32 = 2;
/// Ends a text.
pub(super) const END: u32 = 3;
/// Introduces a fact whose name was never read; the name follows as words.
pub(super) const FACT: u32 = 4;

/// Cuts texts into tokens: pieces of words, and tokens of their own for what a text is asked for.
///
/// Source: Sennrich et al., "Neural Machine Translation of Rare Words with Subword Units", 2016, over bytes as in Radford
/// et al., "Language Models are Unsupervised Multitask Learners", 2019. The `tokenizers` crate learns the merges and
/// cuts, so that Python's package of the same name reads the file and gives the same ids.
#[derive(Debug, Clone)]
pub(super) struct Tokenizer {
    inner: HuggingFace,
}

impl Tokenizer {
    /// Learns the pieces of a corpus, `size` tokens in all.
    pub(super) fn train(corpus: &Corpus, size: usize) -> Result<Self, CopyError> {
        let mut inner = HuggingFace::new(BPE::default());
        // The space before a word belongs to it, and a text's first word gets none.
        let bytes = ByteLevel::new(false, true, true);
        inner.with_pre_tokenizer(Some(bytes));
        inner.with_decoder(Some(bytes));
        let special = special_tokens(corpus);
        let trainer = BpeTrainerBuilder::new()
            .vocab_size(size.max(special.len() + 256))
            .min_frequency(LEAST_PAIRS)
            .show_progress(false)
            .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
            .special_tokens(
                special
                    .into_iter()
                    .map(|name| AddedToken::from(name, true))
                    .collect(),
            )
            .build();
        inner
            .train(
                &mut TrainerWrapper::from(trainer),
                words(corpus).into_iter(),
            )
            .map_err(|error| fault(&error))?;
        Ok(Self::ready(inner))
    }

    /// Reads a `tokenizer.json`, which must have a hash where one was kept.
    pub(super) fn load(path: &Path, blake3: Option<&str>) -> Result<Self, CopyError> {
        let json = std::fs::read(path).map_err(|error| CopyError::Tokenizer {
            detail: format!("`{}`: {error}", path.display()),
        })?;
        if blake3.is_some_and(|expected| blake3::hash(&json).to_hex().as_str() != expected) {
            return Err(CopyError::Tokenizer {
                detail: format!(
                    "`{}` is not what the model was trained with",
                    path.display()
                ),
            });
        }
        Ok(Self::ready(
            HuggingFace::from_bytes(&json).map_err(|error| fault(&error))?,
        ))
    }

    /// The `tokenizer.json`.
    pub(super) fn to_json(&self) -> Result<String, CopyError> {
        self.inner.to_string(false).map_err(|error| fault(&error))
    }

    /// What looks like a special token in a text is text.
    fn ready(mut inner: HuggingFace) -> Self {
        inner.set_encode_special_tokens(true);
        Self { inner }
    }

    /// The number of tokens V.
    pub(super) fn len(&self) -> usize {
        self.inner.get_vocab_size(true)
    }

    /// The token of a special name, such as `<slot:name>`.
    pub(super) fn special(&self, name: &str) -> Option<u32> {
        self.inner.token_to_id(name)
    }

    /// The controls that the corpus had, by name.
    pub(super) fn controls(&self) -> Vec<String> {
        let tokens = self.inner.get_added_tokens_decoder();
        let names = tokens.values().filter_map(|token| {
            let name = token.content.strip_prefix("<control:")?;
            Some(name.strip_suffix('>')?.to_owned())
        });
        let mut names: Vec<String> = names.collect();
        names.sort_unstable();
        names
    }

    /// Appends the tokens of a text.
    pub(super) fn encode(&self, text: &str, ids: &mut Vec<u32>) -> Result<(), CopyError> {
        let encoding = self
            .inner
            .encode_fast(text, false)
            .map_err(|error| fault(&error))?;
        ids.extend_from_slice(encoding.get_ids());
        Ok(())
    }

    /// A piece as the vocabulary spells it, byte by byte; nothing for a special token.
    pub(super) fn piece(&self, id: u32) -> Option<String> {
        let special = self
            .inner
            .get_added_vocabulary()
            .is_special_token(&self.inner.id_to_token(id)?);
        if special {
            None
        } else {
            self.inner.id_to_token(id)
        }
    }
}

/// Every token that is no piece of a word, in the order of the ids.
fn special_tokens(corpus: &Corpus) -> Vec<String> {
    let (mut controls, mut names) = (BTreeSet::new(), BTreeSet::new());
    for example in &corpus.train {
        controls.extend(&example.meaning.controls);
        names.extend(example.meaning.facts.iter().map(|fact| &fact.name));
    }
    let mut tokens: Vec<String> = SPECIAL.map(str::to_owned).into();
    tokens.extend(controls.into_iter().map(|name| control_token(name)));
    tokens.extend(names.into_iter().map(|name| fact_token(name)));
    for name in corpus.slotted().names() {
        tokens.extend((0..PER_NAME).map(|number| slot_token(&slot_name(name, number))));
    }
    tokens
}

pub(super) fn control_token(name: &str) -> String {
    format!("<control:{name}>")
}

pub(super) fn fact_token(name: &str) -> String {
    format!("<fact:{name}>")
}

pub(super) fn slot_token(name: &str) -> String {
    format!("<slot:{name}>")
}

/// What the merges are learnt from: the texts between their slots, and the values that are told as words. Chinese is
/// given word by word: a run without spaces would be one word to the trainer, and its cost grows with the runs.
fn words(corpus: &Corpus) -> Vec<String> {
    let mut words = Vec::new();
    let mut add = |text: &str| {
        if text.chars().any(is_han) {
            words.extend(jieba_words(text));
        } else {
            words.push(text.to_owned());
        }
    };
    let slotted = corpus.slotted();
    for example in &corpus.train {
        let (values, places) = Values::of(&example.meaning.facts, &slotted);
        for piece in values.cut(&example.text).unwrap_or_default() {
            if let Piece::Words(text) = piece {
                add(text);
            }
        }
        for (fact, place) in example.meaning.facts.iter().zip(places) {
            if place.is_none_or(|at| !values.slots[at].exact) {
                add(&spaced(&fact.value));
            }
        }
    }
    words
}

fn is_han(letter: char) -> bool {
    matches!(letter, '\u{4E00}'..='\u{9FFF}' | '\u{3400}'..='\u{4DBF}')
}

/// A value as it would stand in a sentence: a Latin word after a space.
pub(super) fn spaced(value: &str) -> String {
    let latin = value.chars().next().is_some_and(|letter| letter.is_ascii());
    if latin {
        format!(" {value}")
    } else {
        value.to_owned()
    }
}

fn fault(error: &tokenizers::Error) -> CopyError {
    CopyError::Tokenizer {
        detail: error.to_string(),
    }
}
