use events::{Currency, EventKind, Timestamp};

use crate::{
    Interest, InterestKind, Order, ProductHistory, ProductIndex, ProductKey, Profile,
    decayed::{days_between, median_gap_days},
};

/// A product that a shopper buys again and again, and how far the time since the last purchase is through its usual gap.
#[derive(Debug, Clone, PartialEq)]
pub struct Replenishment<'a> {
    /// The product.
    pub product_id: &'a str,
    /// Days since the last purchase over the median gap: 1 when it is due today.
    pub due_ratio: f64,
    /// Orders that hold it.
    pub times_bought: u32,
    /// Median days between purchases.
    pub median_gap_days: f64,
    /// The last purchase.
    pub last_at: Timestamp,
}

/// Purchases from which a cadence is read.
const CADENCE_FROM: usize = 3;
/// Products nearer to their last purchase than this part of their gap are not due yet.
const DUE_FROM: f64 = 0.8;
/// Products unbought for more than this many gaps have been given up.
const GIVEN_UP_AFTER: f64 = 4.0;

/// What the engine states as reasons.
impl Profile {
    /// The first and the last time that the shopper did something.
    pub fn seen(&self) -> Option<(Timestamp, Timestamp)> {
        self.first_seen.zip(self.last_seen)
    }

    /// Events of a kind; an order or a return that came in several events counts once.
    pub fn count(&self, kind: EventKind) -> u32 {
        self.counts[usize::from(kind.code()) - 1]
    }

    /// Orders placed, without those that came back whole.
    pub fn orders(&self) -> u32 {
        self.orders.count()
    }

    /// Orders that came back whole.
    pub fn undone_orders(&self) -> u32 {
        self.orders.undone()
    }

    /// The latest orders, latest first, without those that came back whole; at most 64 are known.
    pub fn last_orders(&self, n: usize) -> Vec<&Order> {
        self.orders.latest().take(n).collect()
    }

    /// The products of an order of [`Profile::last_orders`] that were kept, in the order of their ids.
    pub fn products_of<'a>(&self, order: &Order, index: &'a ProductIndex) -> Vec<&'a str> {
        let mut ids: Vec<&str> = self
            .history
            .unreturned_of(order.key)
            .into_iter()
            .filter_map(|(key, _)| index.id_of(key))
            .collect();
        ids.sort_unstable();
        ids
    }

    /// What the shopper spent after returns, in minor units of [`Profile::currency`].
    pub fn spend_minor(&self) -> i64 {
        self.totals.spend_minor - self.totals.refunded_minor
    }

    /// The value of the returned pieces at the price they were bought for.
    pub fn refunded_minor(&self) -> i64 {
        self.totals.refunded_minor
    }

    /// The first currency that the shopper paid in; amounts in another one are not summed.
    pub fn currency(&self) -> Option<Currency> {
        self.currency
    }

    /// Pieces bought, before returns.
    pub fn pieces(&self) -> u64 {
        self.totals.pieces
    }

    /// Pieces that came back, matched to the order they came from.
    pub fn returned_pieces(&self) -> u64 {
        self.totals.returned_pieces
    }

    /// Pieces that came back without a known order to match them to.
    pub fn unmatched_returns(&self) -> u64 {
        self.totals.unmatched_pieces
    }

    /// What the shopper did with a product; `None` for nothing.
    pub fn purchases_of(&self, product_id: &str) -> Option<&ProductHistory> {
        self.history.get(ProductKey::of(product_id))
    }

    /// Everything the shopper did with products, in the order of their keys; at most 4,096 products are known.
    pub fn products(&self) -> impl Iterator<Item = (ProductKey, &ProductHistory)> {
        self.history.iter()
    }

    /// The `n` strongest interests of a kind, strongest first.
    pub fn top_interests(&self, kind: InterestKind, n: usize, now: Timestamp) -> Vec<Interest> {
        self.interests.top(kind, n, now)
    }

    /// The share of one category, brand or price band among the shopper's interests, 0 to 1.
    pub fn interest_share(&self, kind: InterestKind, name: &str, now: Timestamp) -> f64 {
        self.interests.share(kind, name, now)
    }

    /// The local hour, 0 to 23, in which the shopper is most active.
    pub fn preferred_hour(&self) -> Option<u8> {
        self.rhythm.top_hour()
    }

    /// Acts by local hour.
    pub fn hours(&self) -> &[u32; 24] {
        self.rhythm.hours()
    }

    /// Acts by local weekday, Monday first.
    pub fn weekdays(&self) -> &[u32; 7] {
        self.rhythm.weekdays()
    }

    /// Median days between the orders, of the last 64; `None` for fewer than two visits.
    pub fn median_gap_days(&self) -> Option<f64> {
        self.orders.median_gap_days()
    }

    /// The products bought in at least three orders that are due again: between 0.8 and 4 of their usual gaps since the
    /// last purchase. Most often bought first, then nearest to its day.
    pub fn replenishment_due<'a>(
        &self,
        now: Timestamp,
        index: &'a ProductIndex,
    ) -> Vec<Replenishment<'a>> {
        let mut due: Vec<Replenishment<'a>> = self
            .due(now)
            .filter_map(|(key, history, median_gap_days, last_at)| {
                Some(Replenishment {
                    product_id: index.id_of(key)?,
                    due_ratio: days_between(last_at, now) / median_gap_days,
                    times_bought: history.times_bought,
                    median_gap_days,
                    last_at,
                })
            })
            .collect();
        let distance = |product: &Replenishment| product.due_ratio.ln().abs();
        due.sort_by(|a, b| {
            b.times_bought
                .cmp(&a.times_bought)
                .then_with(|| distance(a).total_cmp(&distance(b)))
                .then_with(|| a.product_id.cmp(b.product_id))
        });
        due
    }

    /// Number of products that are due again.
    pub(crate) fn due_products(&self, now: Timestamp) -> usize {
        self.due(now).count()
    }

    /// The due products, each with its median gap in days and its last purchase.
    fn due(
        &self,
        now: Timestamp,
    ) -> impl Iterator<Item = (ProductKey, &ProductHistory, f64, Timestamp)> {
        self.history.iter().filter_map(move |(key, history)| {
            if history.bought_at().count() < CADENCE_FROM {
                return None;
            }
            let median_gap_days = median_gap_days(history.bought_at())?;
            let last_at = history.bought_at().last()?;
            let due_ratio = days_between(last_at, now) / median_gap_days;
            (DUE_FROM..=GIVEN_UP_AFTER).contains(&due_ratio).then_some((
                key,
                history,
                median_gap_days,
                last_at,
            ))
        })
    }
}
