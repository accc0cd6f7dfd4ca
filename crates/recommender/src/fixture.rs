//! Small corpora for the tests.

use events::Pseudonym;

use crate::{Corpus, Interaction, InteractionKind, Item, Sequence};

/// A purchase.
pub(crate) fn buy(item: u32, at_s: i64, order: Option<u32>) -> Interaction {
    Interaction {
        item,
        kind: InteractionKind::Purchase,
        at_s,
        order,
    }
}

/// A corpus of `items` items named `i0`, `i1`, …, with one shopper a sequence, numbered from 0.
pub(crate) fn corpus_of(items: usize, sequences: Vec<Vec<Interaction>>) -> Corpus {
    let items = (0..items).map(|index| Item {
        id: format!("i{index}"),
        title: format!("item {index}"),
        ..Item::default()
    });
    let sequences = sequences
        .into_iter()
        .enumerate()
        .map(|(index, interactions)| Sequence {
            user: Pseudonym((index as u128).to_be_bytes()),
            interactions,
        });
    Corpus {
        items: items.collect(),
        sequences: sequences.collect(),
        ..Corpus::default()
    }
}
