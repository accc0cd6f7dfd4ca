use std::collections::VecDeque;

use events::Timestamp;
use serde::{Deserialize, Serialize};

use crate::decayed::median_gap_days;

/// One order, as far as it has arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The 64-bit hash of the `order_id`; of the message where the event names no order.
    pub key: u64,
    /// When it was placed.
    pub at: Timestamp,
    /// Price times pieces over its lines, before returns.
    pub spend_minor: i64,
    /// Pieces ordered.
    pub pieces: u64,
    /// Pieces of these that came back.
    pub returned: u64,
    /// Distinct products.
    pub lines: u32,
}

impl Order {
    /// Whether all of it came back, so that it counts as no order.
    pub fn is_undone(&self) -> bool {
        self.pieces > 0 && self.returned >= self.pieces
    }
}

/// The orders of a shopper: the last 64 one by one, earlier ones as a number.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Orders {
    /// By time.
    kept: VecDeque<Order>,
    total: u32,
    undone: u32,
}

/// Orders kept one by one; a line of an order that has left would open it a second time.
const KEPT: usize = 64;

impl Orders {
    /// Opens the order unless it is open already; says whether it was new.
    pub(crate) fn open(&mut self, key: u64, at: Timestamp) -> bool {
        if self.kept.iter().rev().any(|order| order.key == key) {
            return false;
        }
        let place = self.kept.partition_point(|order| order.at <= at);
        let order = Order {
            key,
            at,
            spend_minor: 0,
            pieces: 0,
            returned: 0,
            lines: 0,
        };
        self.kept.insert(place, order);
        if self.kept.len() > KEPT {
            self.kept.pop_front();
        }
        self.total += 1;
        true
    }

    /// Adds pieces to an open order.
    pub(crate) fn add(&mut self, key: u64, pieces: u32, spend_minor: i64, is_new_line: bool) {
        self.change(key, |order| {
            order.pieces += u64::from(pieces);
            order.spend_minor = order.spend_minor.saturating_add(spend_minor);
            order.lines += u32::from(is_new_line);
        });
    }

    /// Takes pieces back from an order, if it is still kept.
    pub(crate) fn give_back(&mut self, key: u64, pieces: u32) {
        self.change(key, |order| order.returned += u64::from(pieces));
    }

    /// Orders placed, without those that came back whole.
    pub(crate) fn count(&self) -> u32 {
        self.total - self.undone
    }

    /// Orders that came back whole.
    pub(crate) fn undone(&self) -> u32 {
        self.undone
    }

    /// The kept orders that did not come back whole, latest first.
    pub(crate) fn latest(&self) -> impl Iterator<Item = &Order> {
        self.kept.iter().rev().filter(|order| !order.is_undone())
    }

    pub(crate) fn median_gap_days(&self) -> Option<f64> {
        median_gap_days(self.latest().map(|order| order.at))
    }

    fn change(&mut self, key: u64, change: impl FnOnce(&mut Order)) {
        if let Some(order) = self.kept.iter_mut().rev().find(|order| order.key == key) {
            let was_undone = order.is_undone();
            change(order);
            self.undone += u32::from(order.is_undone());
            self.undone -= u32::from(was_undone);
        }
    }
}
