use std::collections::HashMap;

use events::{EventKind, Pseudonym};

use crate::RecommenderError;

/// A shop as a recommender sees it: items by index, and each shopper's interactions in time order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Corpus {
    /// The products; an item's index is its position here.
    pub items: Vec<Item>,
    /// Names of the categories that [`Item::category`] refers to.
    pub categories: Vec<String>,
    /// Names of the brands that [`Item::brand`] refers to.
    pub brands: Vec<String>,
    /// One sequence a shopper.
    pub sequences: Vec<Sequence>,
}

/// One product of a [`Corpus`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Item {
    /// The catalogue's `id`.
    pub id: String,
    /// The name that is shown.
    pub title: String,
    /// Index into [`Corpus::categories`].
    pub category: Option<u32>,
    /// Index into [`Corpus::brands`].
    pub brand: Option<u32>,
    /// Price band, 0 the cheapest.
    pub price_band: Option<u8>,
}

/// What one shopper did, in time order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequence {
    /// Who it was.
    pub user: Pseudonym,
    /// The interactions, earliest first.
    pub interactions: Vec<Interaction>,
}

/// One thing a shopper did with one item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interaction {
    /// Index of the item.
    pub item: u32,
    /// What was done.
    pub kind: InteractionKind,
    /// When, in Unix seconds.
    pub at_s: i64,
    /// The order it belongs to; the interactions of one shopper with the same number form one basket.
    pub order: Option<u32>,
}

/// What a shopper did with an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum InteractionKind {
    /// Looked at it.
    View = 0,
    /// Put it into the cart or on a wish list.
    Add = 1,
    /// Bought it.
    Purchase = 2,
    /// Wrote a review of it.
    Review = 3,
    /// Did something else that shows interest, such as sharing it.
    Other = 4,
}

impl InteractionKind {
    /// Number of kinds; [`InteractionKind::index`] is below it.
    pub const COUNT: usize = 5;

    /// The kind's number, for embedding tables.
    pub fn index(self) -> usize {
        self as usize
    }

    /// The kind of interaction that an event is, or nothing where it shows no interest in its products (a refund,
    /// a removal from the cart, an event without products).
    pub fn of(event: EventKind) -> Option<Self> {
        match event {
            EventKind::ProductViewed | EventKind::ProductClicked => Some(Self::View),
            EventKind::ProductAdded | EventKind::ProductAddedToWishlist => Some(Self::Add),
            EventKind::OrderCompleted => Some(Self::Purchase),
            EventKind::ProductReviewed => Some(Self::Review),
            EventKind::ProductShared => Some(Self::Other),
            _ => None,
        }
    }
}

/// What a shopper bought together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Basket {
    /// When its first line was bought, in Unix seconds.
    pub at_s: i64,
    /// The distinct items, ascending.
    pub items: Vec<u32>,
}

impl Corpus {
    /// Verifies that every index is in range and every sequence in time order.
    ///
    /// # Errors
    /// [`RecommenderError::UnknownLabel`], [`RecommenderError::UnknownItem`] or [`RecommenderError::OutOfOrder`] at the
    /// first fault.
    pub fn check(&self) -> Result<(), RecommenderError> {
        for item in &self.items {
            check_label(item, "category", item.category, self.categories.len())?;
            check_label(item, "brand", item.brand, self.brands.len())?;
        }
        for sequence in &self.sequences {
            let mut last_s = i64::MIN;
            for (position, interaction) in sequence.interactions.iter().enumerate() {
                if interaction.item as usize >= self.items.len() {
                    return Err(RecommenderError::UnknownItem {
                        user: sequence.user.to_string(),
                        position,
                        item: interaction.item,
                        items: self.items.len(),
                    });
                }
                if interaction.at_s < last_s {
                    return Err(RecommenderError::OutOfOrder {
                        user: sequence.user.to_string(),
                        position,
                    });
                }
                last_s = interaction.at_s;
            }
        }
        Ok(())
    }

    /// The corpus as it was known just before `cut_s`: the same items under the same indices, only the interactions
    /// strictly before the cut, and no shopper without any.
    ///
    /// Whatever is fitted on the result cannot have seen the future.
    #[must_use]
    pub fn before(&self, cut_s: i64) -> Self {
        let sequences = self.sequences.iter().filter_map(|sequence| {
            let known = before(&sequence.interactions, cut_s);
            (!known.is_empty()).then(|| Sequence {
                user: sequence.user,
                interactions: known.to_vec(),
            })
        });
        Self {
            items: self.items.clone(),
            categories: self.categories.clone(),
            brands: self.brands.clone(),
            sequences: sequences.collect(),
        }
    }

    /// Which items were bought at least once by anybody.
    pub fn sold(&self) -> Vec<bool> {
        let mut sold = vec![false; self.items.len()];
        for interaction in self.purchases() {
            sold[interaction.item as usize] = true;
        }
        sold
    }

    /// Every purchase of every shopper.
    pub fn purchases(&self) -> impl Iterator<Item = &Interaction> {
        self.sequences
            .iter()
            .flat_map(|sequence| &sequence.interactions)
            .filter(|interaction| interaction.kind == InteractionKind::Purchase)
    }
}

/// The part of a shopper's interactions strictly before `cut_s`.
pub fn before(interactions: &[Interaction], cut_s: i64) -> &[Interaction] {
    &interactions[..interactions.partition_point(|interaction| interaction.at_s < cut_s)]
}

/// The baskets of a shopper, earliest first: purchases that share an order number, or, without one, their second.
pub fn baskets(interactions: &[Interaction]) -> Vec<Basket> {
    let mut baskets: Vec<Basket> = Vec::new();
    let mut position_of = HashMap::new();
    for interaction in interactions {
        if interaction.kind != InteractionKind::Purchase {
            continue;
        }
        let key = interaction.order.ok_or(interaction.at_s);
        let position = *position_of.entry(key).or_insert_with(|| {
            baskets.push(Basket {
                at_s: interaction.at_s,
                items: Vec::new(),
            });
            baskets.len() - 1
        });
        baskets[position].items.push(interaction.item);
    }
    for basket in &mut baskets {
        basket.items.sort_unstable();
        basket.items.dedup();
    }
    baskets
}

/// The distinct items that a shopper bought, ascending.
pub fn bought(interactions: &[Interaction]) -> Vec<u32> {
    let mut items: Vec<u32> = interactions
        .iter()
        .filter(|interaction| interaction.kind == InteractionKind::Purchase)
        .map(|interaction| interaction.item)
        .collect();
    items.sort_unstable();
    items.dedup();
    items
}

fn check_label(
    item: &Item,
    field: &'static str,
    index: Option<u32>,
    count: usize,
) -> Result<(), RecommenderError> {
    match index {
        Some(index) if index as usize >= count => Err(RecommenderError::UnknownLabel {
            item: item.id.clone(),
            field,
            index,
            count,
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{buy, corpus_of};

    #[test]
    fn a_basket_is_an_order_however_its_lines_arrive() {
        let mut view = buy(9, 105, None);
        view.kind = InteractionKind::View;
        let lines = [
            buy(3, 100, Some(7)),
            buy(1, 101, Some(8)),
            buy(2, 102, Some(7)),
            buy(3, 103, Some(7)),
            view,
            buy(5, 110, None),
            buy(4, 110, None),
            buy(4, 111, None),
        ];
        let found: Vec<(i64, Vec<u32>)> = baskets(&lines)
            .into_iter()
            .map(|basket| (basket.at_s, basket.items))
            .collect();
        assert_eq!(
            found,
            [
                (100, vec![2, 3]),
                (101, vec![1]),
                (110, vec![4, 5]),
                (111, vec![4])
            ]
        );
        assert_eq!(bought(&lines), [1, 2, 3, 4, 5]);
    }

    #[test]
    fn the_past_of_a_corpus_ends_strictly_before_the_cut() {
        let corpus = corpus_of(
            4,
            vec![
                vec![buy(0, 10, None), buy(1, 20, None)],
                vec![buy(2, 20, None)],
            ],
        );
        let past = corpus.before(20);
        assert_eq!(past.items.len(), 4);
        assert_eq!(past.sequences.len(), 1);
        assert_eq!(past.sequences[0].interactions, [buy(0, 10, None)]);
        assert_eq!(past.sold(), [true, false, false, false]);
    }

    #[test]
    fn a_faulty_corpus_is_named_with_its_place() {
        let unknown = corpus_of(1, vec![vec![buy(0, 1, None), buy(1, 2, None)]]);
        let unordered = corpus_of(1, vec![vec![buy(0, 2, None), buy(0, 1, None)]]);
        let mut unlabelled = corpus_of(1, vec![]);
        unlabelled.items[0].brand = Some(0);
        for (corpus, message) in [
            (
                unknown,
                "interaction 1 of shopper p_00000000000000000000000000000000 names item 1, but the corpus has 1 items; rebuild the corpus from one catalogue",
            ),
            (
                unordered,
                "interaction 1 of shopper p_00000000000000000000000000000000 is earlier than the one before it; sort each sequence by time",
            ),
            (
                unlabelled,
                "item i0 names brand 0, but the corpus has 0; rebuild the corpus from one catalogue",
            ),
        ] {
            assert_eq!(corpus.check().expect_err("faulty").to_string(), message);
        }
    }

    #[test]
    fn events_without_interest_are_no_interactions() {
        assert_eq!(
            InteractionKind::of(EventKind::OrderCompleted),
            Some(InteractionKind::Purchase)
        );
        assert_eq!(InteractionKind::of(EventKind::OrderRefunded), None);
        assert_eq!(InteractionKind::of(EventKind::ProductRemoved), None);
        assert!(InteractionKind::Other.index() < InteractionKind::COUNT);
    }
}
