//! A shopper's interactions as the tokens that the encoder reads.

use std::collections::BTreeMap;

use crate::{Basket, Interaction, InteractionKind, baskets};

/// Buckets of time gaps: 0 for "nothing before", then one a doubling of hours.
pub(super) const GAP_BUCKETS: usize = 18;
/// The kind of the token that opens every window.
pub(super) const START_KIND: u32 = InteractionKind::COUNT as u32;
/// What is known of an item in the shopper's own past; see [`OwnItem`].
pub(super) const OWN_FEATURES: usize = 3;

/// One interaction as the encoder reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) item: u32,
    pub(super) kind: u32,
    pub(super) gap: u32,
}

/// Interactions that happened at once: an order's lines, or a single interaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    /// Tokens `start..end` of the history.
    pub(super) start: usize,
    pub(super) end: usize,
    /// When it ended, in Unix seconds.
    pub(super) at_s: i64,
}

/// A shopper's whole history, cut into blocks.
#[derive(Debug, Clone)]
pub(super) struct History {
    pub(super) tokens: Vec<Token>,
    /// Which interaction each token is, by its position.
    pub(super) positions: Vec<usize>,
    pub(super) blocks: Vec<Block>,
    pub(super) baskets: Vec<Basket>,
    /// Whether what was bought may be bought again.
    repeats: bool,
}

/// An item that the shopper bought before: whether (1), ln(1 + times), and 1 / (1 + baskets since).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct OwnItem {
    pub(super) item: u32,
    pub(super) features: [f32; OWN_FEATURES],
}

impl History {
    /// Cuts a history into blocks: a run of purchases of one order (or of one second, without an order number) is one
    /// block, anything else a block of its own. A repeated line of a block is kept once.
    ///
    /// Without `repeats` nobody comes back for an item, and there is no own past to know.
    pub(super) fn new(interactions: &[Interaction], repeats: bool) -> Self {
        let mut history = Self {
            tokens: Vec::with_capacity(interactions.len()),
            positions: Vec::with_capacity(interactions.len()),
            blocks: Vec::new(),
            baskets: baskets(interactions),
            repeats,
        };
        let mut open: Option<Result<u32, i64>> = None;
        let mut previous_s = None;
        for (position, interaction) in interactions.iter().enumerate() {
            let bought = interaction.kind == InteractionKind::Purchase;
            let key = bought.then(|| interaction.order.ok_or(interaction.at_s));
            if key.is_none() || key != open || history.blocks.is_empty() {
                previous_s = history.blocks.last().map(|block| block.at_s);
                let start = history.tokens.len();
                history.blocks.push(Block {
                    start,
                    end: start,
                    at_s: interaction.at_s,
                });
                open = key;
            }
            history.append(position, interaction, previous_s);
        }
        history
    }

    /// The history in which whatever comes next stands for the next order, and nobody comes back for anything.
    pub(super) fn unlabelled(interactions: &[Interaction]) -> Self {
        let mut history = Self::new(interactions, false);
        let tokens = &history.tokens;
        let basket = |block: &Block| {
            let mut items: Vec<u32> = tokens[block.start..block.end]
                .iter()
                .map(|t| t.item)
                .collect();
            items.sort_unstable();
            items.dedup();
            Basket {
                at_s: block.at_s,
                items,
            }
        };
        history.baskets = history.blocks.iter().map(basket).collect();
        history
    }

    fn append(&mut self, position: usize, interaction: &Interaction, previous_s: Option<i64>) {
        let Some(block) = self.blocks.last_mut() else {
            return;
        };
        block.at_s = interaction.at_s;
        let gap = previous_s.map_or(0, |before_s| gap_bucket(interaction.at_s - before_s));
        let token = Token {
            item: interaction.item,
            kind: interaction.kind.index() as u32,
            gap,
        };
        let seen = &self.tokens[block.start..];
        if !seen
            .iter()
            .any(|t| t.item == token.item && t.kind == token.kind)
        {
            self.tokens.push(token);
            self.positions.push(position);
            block.end = self.tokens.len();
        }
    }

    /// The basket that a prediction after `at_s` is judged by: the first that begins later.
    pub(super) fn next_basket(&self, at_s: i64) -> Option<&Basket> {
        // Baskets are in order of their beginning.
        let index = self.baskets.partition_point(|basket| basket.at_s <= at_s);
        self.baskets.get(index)
    }

    /// How many blocks end before a moment.
    pub(super) fn blocks_before(&self, at_s: i64) -> usize {
        self.blocks.partition_point(|block| block.at_s < at_s)
    }

    /// The items that were viewed after `at_s` and up to `until_s`, once a view; those that were put into the cart or on a
    /// wish list so often as `views` says.
    pub(super) fn looked_at(&self, at_s: i64, until_s: i64, views: usize) -> Vec<u32> {
        let (view, add) = (InteractionKind::View as u32, InteractionKind::Add as u32);
        let first = self.blocks.partition_point(|block| block.at_s <= at_s);
        let after = self.blocks[first..].iter();
        let within = after.take_while(|block| block.at_s <= until_s);
        let tokens = within.flat_map(|block| &self.tokens[block.start..block.end]);
        let items = tokens.flat_map(|token| {
            let times = if token.kind == view {
                1
            } else if token.kind == add {
                views
            } else {
                0
            };
            std::iter::repeat_n(token.item, times)
        });
        items.collect()
    }

    /// What was bought up to and including `at_s`, by ascending item.
    pub(super) fn own_items(&self, at_s: i64) -> Vec<OwnItem> {
        if !self.repeats {
            return Vec::new();
        }
        let past = self.baskets.partition_point(|basket| basket.at_s <= at_s);
        let mut counts: BTreeMap<u32, (u32, usize)> = BTreeMap::new();
        for (index, basket) in self.baskets[..past].iter().enumerate() {
            for item in &basket.items {
                let entry = counts.entry(*item).or_default();
                *entry = (entry.0 + 1, index);
            }
        }
        let own = counts.into_iter().map(|(item, (times, last))| OwnItem {
            item,
            features: [1.0, (times as f32).ln_1p(), 1.0 / (past - last) as f32],
        });
        own.collect()
    }
}

/// The bucket of a time gap: 1 for less than an hour, then one more each time the hours double.
pub(super) fn gap_bucket(gap_s: i64) -> u32 {
    let hours = (gap_s.max(0) / 3_600) as u64;
    (1 + u64::BITS - hours.leading_zeros()).min(GAP_BUCKETS as u32 - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::buy;

    fn view(item: u32, at_s: i64) -> Interaction {
        Interaction {
            kind: InteractionKind::View,
            ..buy(item, at_s, None)
        }
    }

    #[test]
    fn orders_are_blocks_and_views_stand_alone() {
        let history = History::new(
            &[
                buy(3, 100, Some(1)),
                buy(4, 101, Some(1)),
                buy(3, 101, Some(1)),
                view(5, 200),
                view(6, 200),
                buy(5, 7_500, None),
                buy(6, 7_500, None),
            ],
            true,
        );
        let blocks: Vec<_> = history
            .blocks
            .iter()
            .map(|b| (b.start, b.end, b.at_s))
            .collect();
        assert_eq!(
            blocks,
            [(0, 2, 101), (2, 3, 200), (3, 4, 200), (4, 6, 7_500)]
        );
        let gaps: Vec<u32> = history.tokens.iter().map(|t| t.gap).collect();
        assert_eq!(gaps, [0, 0, 1, 1, 3, 3]);
        assert_eq!(history.positions, [0, 1, 3, 4, 5, 6]);
        assert_eq!(
            history.next_basket(101).map(|b| b.items.clone()),
            Some(vec![5, 6])
        );
        assert_eq!(history.next_basket(7_500), None);
    }

    #[test]
    fn views_count_once_and_the_cart_as_often_as_asked() {
        let add = Interaction {
            kind: InteractionKind::Add,
            ..buy(7, 300, None)
        };
        let events = [
            view(5, 100),
            view(6, 200),
            add,
            buy(8, 300, None),
            view(6, 400),
        ];
        let history = History::new(&events, true);
        assert_eq!(history.looked_at(100, 300, 2), [6, 7, 7]);
        assert_eq!(history.looked_at(0, 100, 2), [5]);
        assert!(history.looked_at(400, 900, 2).is_empty());
    }

    #[test]
    fn without_labels_the_next_events_are_what_is_asked_for() {
        let events = [
            buy(4, 100, Some(1)),
            buy(3, 101, Some(1)),
            view(5, 200),
            view(4, 300),
        ];
        let history = History::unlabelled(&events);
        let baskets: Vec<_> = history
            .baskets
            .iter()
            .map(|b| (b.at_s, b.items.clone()))
            .collect();
        assert_eq!(baskets, [(101, vec![3, 4]), (200, vec![5]), (300, vec![4])]);
        assert!(history.own_items(300).is_empty());
    }

    #[test]
    fn the_own_past_counts_baskets_up_to_the_moment() {
        let history = History::new(
            &[
                buy(1, 10, Some(1)),
                buy(2, 10, Some(1)),
                buy(1, 20, Some(2)),
                buy(3, 30, Some(3)),
            ],
            true,
        );
        let own = history.own_items(20);
        assert_eq!(own.iter().map(|o| o.item).collect::<Vec<_>>(), [1, 2]);
        let expected = [[1.0, 3f32.ln(), 1.0], [1.0, 2f32.ln(), 0.5]];
        for (own, expected) in own.iter().zip(expected) {
            for (found, expected) in own.features.iter().zip(expected) {
                assert!((found - expected).abs() < 1e-6);
            }
        }
        assert!(history.own_items(5).is_empty());
    }

    #[test]
    fn gaps_grow_by_doublings_and_stay_in_range() {
        let hour = 3_600;
        let buckets = [0, hour - 1, hour, 2 * hour, 3 * hour, 4 * hour].map(gap_bucket);
        assert_eq!(buckets, [1, 1, 2, 3, 3, 4]);
        assert_eq!(gap_bucket(i64::MAX) as usize, GAP_BUCKETS - 1);
        assert_eq!(gap_bucket(-5), 1);
    }
}
