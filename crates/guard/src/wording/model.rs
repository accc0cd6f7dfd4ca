//! The grams of a language with their weights, as a file and as a table.

use std::fmt::Write;
use std::sync::LazyLock;

use super::Category;
use super::grams::{Gram, Key};

/// The bits of a hash by which a sieve is sorted.
const SIEVE_BITS: u32 = 17;

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

/// Models of texts without Chinese characters, and with.
#[derive(Debug, Clone)]
pub struct Wordings {
    models: [Model; 2],
}

impl Wordings {
    /// The models that were learnt from the development sentences.
    pub fn built_in() -> &'static Self {
        &BUILT_IN
    }

    /// Reads the models of texts without and with Chinese characters as [`Wordings::to_tsv`] writes them.
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

/// An entry of a table of grams; a free place has the square 0.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    key: Key,
    pub(super) weight: i16,
    pub(super) square: u8,
    pub(super) category: Category,
}

/// The model of a language as a table, probed linearly.
#[derive(Debug, Clone)]
pub(super) struct Model {
    pub(super) breach: f32,
    pub(super) innocent: f32,
    slots: Box<[Slot]>,
    /// A bit for each hash of a known gram: most of what is looked up is not known, and this fits the nearest cache.
    sieve: Box<[u64]>,
}

impl Model {
    fn new(written: &LanguageModel) -> Self {
        let free = Slot {
            key: 0,
            weight: 0,
            square: 0,
            category: Category::Other,
        };
        // At least a third of the places stays free, so that probing ends.
        let places = (written.entries.len() * 3 / 2 + 1).next_power_of_two();
        let mut slots = vec![free; places].into_boxed_slice();
        let mut sieve = vec![0_u64; 1 << (SIEVE_BITS - 6)].into_boxed_slice();
        for entry in &written.entries {
            let key = entry.gram.key();
            let (word, bit) = in_sieve(key);
            sieve[word] |= bit;
            let mut at = key as usize & (places - 1);
            while slots[at].square > 0 && slots[at].key != key {
                at = (at + 1) & (places - 1);
            }
            slots[at] = Slot {
                key,
                weight: entry.weight,
                square: entry.square.max(1),
                category: entry.category,
            };
        }
        Self {
            breach: written.breach,
            innocent: written.innocent,
            slots,
            sieve,
        }
    }

    pub(super) fn entry(&self, key: Key) -> Option<&Slot> {
        let (word, bit) = in_sieve(key);
        if self.sieve[word] & bit == 0 {
            return None;
        }
        let last = self.slots.len() - 1;
        let mut at = key as usize & last;
        loop {
            let slot = &self.slots[at];
            if slot.square == 0 {
                return None;
            }
            if slot.key == key {
                return Some(slot);
            }
            at = (at + 1) & last;
        }
    }
}

/// The word of a sieve and the bit in it that a key sets.
fn in_sieve(key: Key) -> (usize, u64) {
    let hash = (key >> (Key::BITS - SIEVE_BITS)) as usize;
    (hash >> 6, 1 << (hash & 63))
}
