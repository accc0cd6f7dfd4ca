//! The grams of a language with their weights, as a file and as a table.

use std::collections::HashMap;
use std::fmt::Write;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::LazyLock;

use super::Category;
use super::grams::{Gram, Key};

static BUILT_IN: LazyLock<Wordings> = LazyLock::new(|| {
    Wordings::from_tsv(include_str!("../../packs/wordings.tsv"))
        .expect("invariant: the built-in wordings are whole")
});

/// A gram of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The gram.
    pub gram: Gram,
    /// How much it speaks for a breach.
    pub weight: i16,
    /// The square of its inverse document frequency.
    pub square: u8,
    /// What it reads like most.
    pub category: Category,
}

/// The model of a language, as it is written down.
#[derive(Debug, Clone, PartialEq)]
pub struct LanguageModel {
    /// The score above which a text reads like a breach.
    pub breach: f32,
    /// The score below which it reads like innocent copy.
    pub innocent: f32,
    /// Its grams.
    pub entries: Vec<Entry>,
}

/// Models of texts in Latin letters for the most part, and of Chinese ones.
#[derive(Debug, Clone)]
pub struct Wordings {
    models: [Model; 2],
}

impl Wordings {
    /// The models that were learnt from the development sentences.
    pub fn built_in() -> &'static Self {
        &BUILT_IN
    }

    /// Reads the models of English and of Chinese texts as [`Wordings::to_tsv`] writes them.
    ///
    /// # Errors
    /// Says which line cannot be read.
    pub fn from_tsv(text: &str) -> Result<Self, String> {
        let mut models = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let unread = || {
                format!(
                    "line {} of the wordings cannot be read: `{line}`",
                    index + 1
                )
            };
            let fields: Vec<&str> = line.split('\t').collect();
            match fields[..] {
                ["limits", breach, innocent] => models.push(LanguageModel {
                    breach: breach.parse().map_err(|_| unread())?,
                    innocent: innocent.parse().map_err(|_| unread())?,
                    entries: Vec::new(),
                }),
                [gram, weight, square, category] => {
                    let model = models.last_mut().ok_or_else(unread)?;
                    model.entries.push(Entry {
                        gram: Gram::parse(gram).ok_or_else(unread)?,
                        weight: weight.parse().map_err(|_| unread())?,
                        square: square.parse().map_err(|_| unread())?,
                        category: Category::of(category).ok_or_else(unread)?,
                    });
                }
                _ => return Err(unread()),
            }
        }
        let models: Vec<Model> = models.iter().map(Model::new).collect();
        let models = models.try_into();
        Ok(Self {
            models: models.map_err(|_| "the wordings must hold two models".to_owned())?,
        })
    }

    /// Writes models: `limits` with those of breaches and of innocent copy, then a line for each gram with its weight, square
    /// and category, parted by tabs.
    pub fn to_tsv(models: [&LanguageModel; 2]) -> String {
        let mut text = String::new();
        for model in models {
            let _ = writeln!(text, "limits\t{}\t{}", model.breach, model.innocent);
            for entry in &model.entries {
                let Entry {
                    gram,
                    weight,
                    square,
                    category,
                } = entry;
                let _ = writeln!(text, "{gram}\t{weight}\t{square}\t{}", category.name());
            }
        }
        text
    }

    pub(super) fn model(&self, is_chinese: bool) -> &Model {
        &self.models[usize::from(is_chinese)]
    }
}

/// A gram that the model knows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub(super) weight: i16,
    pub(super) square: u8,
    pub(super) category: Category,
}

/// The model of a language, by the hashes of its grams.
#[derive(Debug, Clone)]
pub(super) struct Model {
    pub(super) breach: f32,
    pub(super) innocent: f32,
    grams: HashMap<Key, Known, BuildHasherDefault<Hashed>>,
}

impl Model {
    fn new(written: &LanguageModel) -> Self {
        let grams = written.entries.iter().map(|entry| {
            let known = Known {
                weight: entry.weight,
                square: entry.square,
                category: entry.category,
            };
            (entry.gram.key(), known)
        });
        Self {
            breach: written.breach,
            innocent: written.innocent,
            grams: grams.collect(),
        }
    }

    pub(super) fn known(&self, key: Key) -> Option<&Known> {
        self.grams.get(&key)
    }
}

/// Takes a key as it is: it is a hash.
#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}
