//! What the whole shop did with each product: the counts behind "ordered 31 times in the past month".

use std::collections::BTreeMap;

use events::Timestamp;
use features::Profile;
use guard::Value;

/// Days over which `orders_30d` counts, and for which a product counts as new.
pub const RECENT_DAYS: i64 = 30;
/// The log must reach this many days before a first sale for it to mean that the product is new.
const HISTORY_BEFORE_NEW_DAYS: i64 = 60;
/// Fewer orders in a month are no proof of anything and may point to a person.
const LEAST_RECENT_ORDERS: u32 = 5;
/// Fewer orders ever are none either.
const LEAST_ORDERS: u32 = 20;
/// A mean of fewer ratings, or one below, is not stated.
const LEAST_RATINGS: u32 = 5;
const LEAST_RATING: f64 = 4.0;

/// The counts of one product.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ProductSales {
    /// Orders that hold it and did not come back, in the last [`RECENT_DAYS`].
    pub orders_recent: u32,
    /// Orders that hold it and did not come back, since the log begins.
    pub orders: u32,
    /// When it was first sold.
    pub first_sold: Option<Timestamp>,
    /// Ratings.
    pub ratings: u32,
    /// Sum of the stars.
    pub stars: f64,
    /// Share of the catalogue with fewer recent orders, 0 to 1.
    pub popularity: f64,
}

impl ProductSales {
    /// Whether the product was first sold within the last [`RECENT_DAYS`], in a log that reaches far enough back to tell.
    pub fn is_new(&self, log_start: Timestamp, now: Timestamp) -> bool {
        self.first_sold.is_some_and(|first| {
            days_between(first, now) < RECENT_DAYS as f64
                && days_between(log_start, first) >= HISTORY_BEFORE_NEW_DAYS as f64
        })
    }

    /// The counts that copy may state, by their names as `stat.NAME`; what would be no honest argument is left out.
    pub fn stats(&self, log_start: Timestamp, now: Timestamp) -> BTreeMap<String, Value> {
        let mut stats = BTreeMap::new();
        if self.orders_recent >= LEAST_RECENT_ORDERS {
            stats.insert(
                "orders_30d".to_owned(),
                Value::Count(self.orders_recent.into()),
            );
        }
        if self.orders >= LEAST_ORDERS {
            stats.insert("orders_total".to_owned(), Value::Count(self.orders.into()));
        }
        let rating = self.stars / f64::from(self.ratings.max(1));
        if self.ratings >= LEAST_RATINGS && rating >= LEAST_RATING {
            stats.insert(
                "rating".to_owned(),
                Value::Number((rating * 10.0).round() / 10.0),
            );
        }
        if let Some(first) = self.first_sold.filter(|_| self.is_new(log_start, now)) {
            stats.insert("first_sold".to_owned(), Value::Date(first));
        }
        stats
    }
}

/// Adds the orders of one shopper's profile to the counts of the products, by their position in the catalogue.
pub(crate) fn add_orders(
    sales: &mut [ProductSales],
    profile: &Profile,
    position_of: &dyn Fn(features::ProductKey) -> Option<usize>,
    now: Timestamp,
) {
    for (key, history) in profile.products() {
        let Some(sales) = position_of(key).and_then(|position| sales.get_mut(position)) else {
            continue;
        };
        sales.orders += history.times_bought;
        sales.orders_recent += history
            .bought_at()
            .filter(|at| *at <= now && days_between(*at, now) < RECENT_DAYS as f64)
            .count() as u32;
    }
}

/// Ranks the products by recent orders; equal counts share the lowest place.
pub(crate) fn set_popularity(sales: &mut [ProductSales]) {
    let mut counts: Vec<u32> = sales.iter().map(|product| product.orders_recent).collect();
    counts.sort_unstable();
    for product in sales.iter_mut() {
        let fewer = counts.partition_point(|count| *count < product.orders_recent);
        product.popularity = fewer as f64 / counts.len() as f64;
    }
}

/// Days from one moment to a later one; negative where it is earlier.
pub(crate) fn days_between(from: Timestamp, to: Timestamp) -> f64 {
    (to.as_millisecond() - from.as_millisecond()) as f64 / 86_400_000.0
}

#[cfg(test)]
#[expect(
    clippy::float_cmp,
    reason = "the numbers are exact in binary, and so must the results be"
)]
mod tests {
    use super::*;

    fn day(day: i64) -> Timestamp {
        Timestamp::from_second(day * 86_400).expect("valid")
    }

    #[test]
    fn only_honest_counts_are_stated() {
        let sales = ProductSales {
            orders_recent: 4,
            orders: 20,
            first_sold: Some(day(390)),
            ratings: 9,
            stars: 31.5,
            ..ProductSales::default()
        };
        let stats = sales.stats(day(0), day(400));
        assert_eq!(
            stats.keys().collect::<Vec<_>>(),
            ["first_sold", "orders_total"]
        );
        // In a log of a month, a first sale ten days ago does not make a product new.
        assert!(!sales.is_new(day(370), day(400)));
        assert!(!sales.is_new(day(0), day(420)));
        let liked = ProductSales {
            stars: 40.0,
            orders_recent: 5,
            ..sales
        };
        let stats = liked.stats(day(0), day(500));
        assert_eq!(stats.get("rating"), Some(&Value::Number(4.4)));
        assert_eq!(stats.get("orders_30d"), Some(&Value::Count(5)));
    }

    #[test]
    fn popularity_is_a_rank() {
        let mut sales = [3, 0, 3, 9].map(|orders_recent| ProductSales {
            orders_recent,
            ..ProductSales::default()
        });
        set_popularity(&mut sales);
        assert_eq!(
            sales.map(|product| product.popularity),
            [0.25, 0.0, 0.25, 0.75]
        );
    }
}
