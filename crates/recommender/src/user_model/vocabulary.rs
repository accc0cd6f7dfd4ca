use std::collections::{BTreeMap, HashSet};

use nn::{NnError, SparseMatrix};
use serde::{Deserialize, Serialize};

use super::text_features::text_features;
use crate::Corpus;

/// The names that a trained model knows: rows of its tables are positions here.
///
/// Saved with the weights, so that a model meets a corpus whose items, categories or brands are numbered anew or have
/// grown since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Vocabulary {
    /// Identifiers of the items that were sold in the training corpus.
    pub(super) items: Vec<String>,
    pub(super) categories: Vec<String>,
    pub(super) brands: Vec<String>,
    pub(super) price_bands: u32,
}

/// What is known of each item of the present corpus, as the network reads it. Nothing here is learnt.
#[derive(Debug)]
pub(super) struct Catalogue {
    /// The titles' features [V, buckets].
    pub(super) text: SparseMatrix,
    /// Row of the item's own vector [V]; 0 where it has none.
    pub(super) own_row: Vec<u32>,
    /// 1 where the item has a vector of its own, else 0.
    pub(super) known: Vec<f32>,
    /// Labels as table rows [V]: 0 for none, else one more than the position in the vocabulary.
    pub(super) label_rows: [Vec<u32>; LABELS],
}

/// Number of label fields: category, brand, price band.
pub(super) const LABELS: usize = 3;

impl Vocabulary {
    pub(super) fn of(corpus: &Corpus) -> Self {
        let items = corpus.items.iter().zip(corpus.sold());
        let items = items
            .filter(|(_, sold)| *sold)
            .map(|(item, _)| item.id.clone());
        let bands = corpus.items.iter().filter_map(|item| item.price_band);
        Self {
            items: items.collect(),
            categories: corpus.categories.clone(),
            brands: corpus.brands.clone(),
            price_bands: bands.max().map_or(0, |band| u32::from(band) + 1),
        }
    }

    /// The same names under the same numbers, and after them those of a corpus that are not among them.
    pub(super) fn grown(self, corpus: &Corpus) -> Self {
        let present = Self::of(corpus);
        Self {
            items: joined(self.items, present.items),
            categories: joined(self.categories, present.categories),
            brands: joined(self.brands, present.brands),
            price_bands: self.price_bands.max(present.price_bands),
        }
    }

    /// Number of labels of each field.
    pub(super) fn label_counts(&self) -> [usize; LABELS] {
        [
            self.categories.len(),
            self.brands.len(),
            self.price_bands as usize,
        ]
    }
}

impl Catalogue {
    /// Describes the items of a corpus in a model's vocabulary; an item, category or brand that the model never saw
    /// has no row and is told by the rest.
    pub(super) fn new(
        corpus: &Corpus,
        vocabulary: &Vocabulary,
        buckets: usize,
    ) -> Result<Self, NnError> {
        let items = &corpus.items;
        let titles: Vec<&str> = items.iter().map(|item| item.title.as_str()).collect();
        let text = text_features(&titles, buckets);
        let rows = positions(&vocabulary.items);
        let own: Vec<Option<u32>> = items
            .iter()
            .map(|item| rows.get(item.id.as_str()).copied())
            .collect();
        let categories = renumber(&corpus.categories, &vocabulary.categories);
        let brands = renumber(&corpus.brands, &vocabulary.brands);
        let row = |index: Option<u32>, map: &[u32]| index.map_or(0, |index| map[index as usize]);
        let band = |band: Option<u8>| {
            band.map(u32::from)
                .filter(|band| *band < vocabulary.price_bands)
                .map_or(0, |band| band + 1)
        };
        let label_rows = [
            items.iter().map(|i| row(i.category, &categories)).collect(),
            items.iter().map(|i| row(i.brand, &brands)).collect(),
            items.iter().map(|i| band(i.price_band)).collect(),
        ];
        Ok(Self {
            text: SparseMatrix::new(buckets, &text)?,
            own_row: own.iter().map(|row| row.unwrap_or(0)).collect(),
            known: own
                .iter()
                .map(|row| f32::from(u8::from(row.is_some())))
                .collect(),
            label_rows,
        })
    }

    /// What is known of some of the items, in the order in which they are asked for.
    pub(super) fn part(&self, items: &[u32]) -> Result<Self, NnError> {
        let pick = |rows: &Vec<u32>| items.iter().map(|item| rows[*item as usize]).collect();
        Ok(Self {
            text: self.text.rows(items)?,
            own_row: pick(&self.own_row),
            known: items
                .iter()
                .map(|item| self.known[*item as usize])
                .collect(),
            label_rows: self.label_rows.each_ref().map(pick),
        })
    }

    /// Number of items V.
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }
}

/// Names, and after them the others that are not among them.
fn joined(mut names: Vec<String>, others: Vec<String>) -> Vec<String> {
    let there: HashSet<&str> = names.iter().map(String::as_str).collect();
    let others = others.into_iter();
    let new: Vec<String> = others
        .filter(|name| !there.contains(name.as_str()))
        .collect();
    names.extend(new);
    names
}

fn positions(names: &[String]) -> BTreeMap<&str, u32> {
    names.iter().map(String::as_str).zip(0u32..).collect()
}

/// The table row of each present name: one more than its position among the trained names, 0 where it is new.
fn renumber(present: &[String], trained: &[String]) -> Vec<u32> {
    let rows = positions(trained);
    let row = |name: &String| rows.get(name.as_str()).map_or(0, |row| row + 1);
    present.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{buy, corpus_of};

    #[test]
    fn a_corpus_numbered_anew_keeps_its_rows_and_new_names_have_none() {
        let mut old = corpus_of(3, vec![vec![buy(0, 1, None), buy(2, 2, None)]]);
        old.categories = vec!["cups".to_owned(), "pots".to_owned()];
        old.items[0].category = Some(1);
        let vocabulary = Vocabulary::of(&old);
        assert_eq!(vocabulary.items, ["i0", "i2"]);
        let mut new = old.clone();
        new.items.reverse();
        new.categories = vec!["pans".to_owned(), "pots".to_owned()];
        new.items[0].category = Some(0);
        new.items[2].category = Some(1);
        let catalogue = Catalogue::new(&new, &vocabulary, 8).expect("small");
        assert_eq!(catalogue.known, [1.0, 0.0, 1.0]);
        assert_eq!(catalogue.own_row, [1, 0, 0]);
        assert_eq!(catalogue.label_rows[0], [0, 0, 2]);
        let part = catalogue.part(&[2, 0]).expect("items");
        assert_eq!((part.own_row, part.known), (vec![0, 1], vec![1.0, 1.0]));
        assert_eq!(part.label_rows[0], [2, 0]);
    }
}
