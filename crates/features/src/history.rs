use std::collections::BTreeMap;

use events::{LineItem, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ProductKey;

/// What a shopper did with one product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductHistory {
    /// Orders that hold it, without those whose pieces of it all came back.
    pub times_bought: u32,
    /// Pieces bought, less the returned ones.
    pub pieces: u64,
    /// Times it was viewed or clicked.
    pub views: u32,
    /// The price last paid for a piece, in minor units of the shopper's currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_price_minor: Option<i64>,
    /// When anything was last done with it.
    pub last_at: Timestamp,
    /// The last 8 orders of it, earliest first, returned ones included.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub purchases: Vec<Purchase>,
}

/// One product in one order; serialised as an array of its fields, since a profile holds many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "PurchaseRow", into = "PurchaseRow")]
pub struct Purchase {
    /// The order's key, as in [`Order`](crate::Order).
    pub order: u64,
    /// When it was ordered.
    pub at: Timestamp,
    /// Pieces ordered.
    pub pieces: u32,
    /// Pieces of these that came back.
    pub returned: u32,
    /// Price times pieces in minor units of the shopper's currency; 0 where the event states no price.
    pub amount_minor: i64,
    /// The part of the amount that came back with its pieces.
    pub returned_minor: i64,
}

/// The fields of a [`Purchase`] in their order.
type PurchaseRow = (u64, Timestamp, u32, u32, i64, i64);

impl From<PurchaseRow> for Purchase {
    fn from((order, at, pieces, returned, amount_minor, returned_minor): PurchaseRow) -> Self {
        Self {
            order,
            at,
            pieces,
            returned,
            amount_minor,
            returned_minor,
        }
    }
}

impl From<Purchase> for PurchaseRow {
    fn from(line: Purchase) -> Self {
        (
            line.order,
            line.at,
            line.pieces,
            line.returned,
            line.amount_minor,
            line.returned_minor,
        )
    }
}

impl Purchase {
    /// Whether every piece came back.
    pub fn is_undone(&self) -> bool {
        self.returned >= self.pieces
    }

    /// Takes pieces back, at most those left, and with them their share of what is left of the amount; says both.
    fn give_back(&mut self, pieces: u32) -> (u32, i64) {
        let left = self.unreturned();
        let taken = left.min(pieces);
        if taken == 0 {
            return (0, 0);
        }
        // 128 bits hold the product of any amount and any number of pieces.
        let worth = i128::from(self.amount_minor.saturating_sub(self.returned_minor));
        let value_minor = (worth * i128::from(taken) / i128::from(left)) as i64;
        self.returned += taken;
        self.returned_minor += value_minor;
        (taken, value_minor)
    }

    fn unreturned(&self) -> u32 {
        self.pieces.saturating_sub(self.returned)
    }
}

impl ProductHistory {
    /// The times it was bought and kept, earliest first, among the last 8 orders of it.
    pub fn bought_at(&self) -> impl Iterator<Item = Timestamp> {
        self.purchases
            .iter()
            .filter(|purchase| !purchase.is_undone())
            .map(|purchase| purchase.at)
    }
}

/// The products of a shopper, at most 4,096.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct History {
    products: BTreeMap<ProductKey, ProductHistory>,
    distinct_bought: u32,
}

/// What buying a line has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bought {
    /// The product is new to this order; `repeat` where an earlier order held it.
    Line { repeat: bool },
    /// The order held the product already; the pieces were added to it.
    Merged,
}

/// Pieces taken back from one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GivenBack {
    pub(crate) order: u64,
    pub(crate) pieces: u32,
    pub(crate) ordered: u32,
    pub(crate) value_minor: i64,
}

/// Orders kept per product.
const KEPT_PURCHASES: usize = 8;
/// Products kept per shopper; past it the quarter that was touched longest ago is forgotten.
const KEPT_PRODUCTS: usize = 4096;

impl History {
    pub(crate) fn get(&self, key: ProductKey) -> Option<&ProductHistory> {
        self.products.get(&key)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (ProductKey, &ProductHistory)> {
        self.products.iter().map(|(key, history)| (*key, history))
    }

    /// Distinct products ever bought.
    pub(crate) fn distinct_bought(&self) -> u32 {
        self.distinct_bought
    }

    pub(crate) fn view(&mut self, key: ProductKey, at: Timestamp) {
        self.touch(key, at).views += 1;
    }

    /// Adds a bought line, whose price counts where it is in the shopper's currency.
    pub(crate) fn buy(
        &mut self,
        order: u64,
        at: Timestamp,
        line: &LineItem,
        counts_money: bool,
    ) -> Bought {
        let price_minor = line.price_minor.filter(|_| counts_money);
        let amount_minor = if counts_money { line.amount_minor() } else { 0 };
        let history = self.touch(ProductKey::of(&line.product_id), at);
        history.pieces += u64::from(line.quantity);
        history.last_price_minor = price_minor.or(history.last_price_minor);
        if let Some(purchase) = history
            .purchases
            .iter_mut()
            .rev()
            .find(|p| p.order == order)
        {
            let was_undone = purchase.is_undone();
            purchase.pieces = purchase.pieces.saturating_add(line.quantity);
            purchase.amount_minor = purchase.amount_minor.saturating_add(amount_minor);
            history.times_bought += u32::from(was_undone && !purchase.is_undone());
            return Bought::Merged;
        }
        let is_first = history.purchases.is_empty();
        let place = history
            .purchases
            .partition_point(|purchase| purchase.at <= at);
        let purchase = Purchase {
            order,
            at,
            pieces: line.quantity,
            returned: 0,
            amount_minor,
            returned_minor: 0,
        };
        // Most products are bought once: room for four at first would be most of a profile.
        history.purchases.reserve_exact(1);
        history.purchases.insert(place, purchase);
        if history.purchases.len() > KEPT_PURCHASES {
            history.purchases.remove(0);
        }
        history.times_bought += 1;
        self.distinct_bought += u32::from(is_first);
        Bought::Line { repeat: !is_first }
    }

    /// Takes `pieces` of a product back.
    ///
    /// They are taken from the order named in the return, else from the latest order line that has enough unreturned
    /// pieces, else from the latest lines one after the other; what remains of them belongs to no known order.
    pub(crate) fn give_back(
        &mut self,
        key: ProductKey,
        pieces: u32,
        named_order: Option<u64>,
    ) -> Vec<GivenBack> {
        let Some(history) = self.products.get_mut(&key) else {
            return Vec::new();
        };
        let lines = &history.purchases;
        let mut order_of_lines: Vec<usize> = (0..lines.len()).rev().collect();
        order_of_lines.sort_by_key(|line| {
            let is_named = Some(lines[*line].order) == named_order;
            let is_enough = lines[*line].unreturned() >= pieces;
            (!is_named, !is_enough)
        });
        let mut remaining = pieces;
        let mut given_back = Vec::new();
        for line in order_of_lines {
            let purchase = &mut history.purchases[line];
            let (taken, value_minor) = purchase.give_back(remaining);
            if taken == 0 {
                continue;
            }
            remaining -= taken;
            history.pieces = history.pieces.saturating_sub(u64::from(taken));
            history.times_bought -= u32::from(purchase.is_undone());
            given_back.push(GivenBack {
                order: purchase.order,
                pieces: taken,
                ordered: purchase.pieces,
                value_minor,
            });
        }
        given_back
    }

    /// The unreturned pieces of an order by product.
    pub(crate) fn unreturned_of(&self, order: u64) -> Vec<(ProductKey, u32)> {
        self.iter()
            .flat_map(|(key, history)| history.purchases.iter().map(move |p| (key, p)))
            .filter(|(_, purchase)| purchase.order == order && !purchase.is_undone())
            .map(|(key, purchase)| (key, purchase.unreturned()))
            .collect()
    }

    fn touch(&mut self, key: ProductKey, at: Timestamp) -> &mut ProductHistory {
        if self.products.len() >= KEPT_PRODUCTS && !self.products.contains_key(&key) {
            self.forget_oldest_quarter();
        }
        let history = self.products.entry(key).or_insert_with(|| ProductHistory {
            times_bought: 0,
            pieces: 0,
            views: 0,
            last_price_minor: None,
            last_at: at,
            purchases: Vec::new(),
        });
        history.last_at = history.last_at.max(at);
        history
    }

    fn forget_oldest_quarter(&mut self) {
        let mut by_age: Vec<(Timestamp, ProductKey)> = self
            .products
            .iter()
            .map(|(key, history)| (history.last_at, *key))
            .collect();
        by_age.sort_unstable();
        for (_, key) in &by_age[..KEPT_PRODUCTS / 4] {
            self.products.remove(key);
        }
    }
}
