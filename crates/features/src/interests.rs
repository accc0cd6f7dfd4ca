use std::collections::BTreeMap;

use events::{EventKind, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{PriceBands, ProductFields, decayed::Decayed};

/// What a shopper is drawn to: decayed weights over categories, brands and price bands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Interests {
    #[serde(with = "crate::exact")]
    half_life_days: f64,
    categories: BTreeMap<String, Decayed>,
    brands: BTreeMap<String, Decayed>,
    price_bands: [Decayed; PriceBands::COUNT],
}

/// What an interest is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InterestKind {
    /// The product's category.
    Category,
    /// The product's brand.
    Brand,
    /// The product's price band, `1` (cheapest) to `5`.
    PriceBand,
}

/// One interest of a shopper.
#[derive(Debug, Clone, PartialEq)]
pub struct Interest {
    /// The category, the brand, or the number of the price band.
    pub name: String,
    /// The decayed weight of what the shopper did: about 5 for a purchase today, 2.5 for one a half-life ago.
    pub weight: f64,
    /// The part of the shopper's positive weight of this kind, 0 to 1.
    pub share: f64,
}

/// Categories and brands kept per shopper; past it the one with the least weight is forgotten.
const KEPT: usize = 64;

/// Weight of a bought line; a returned one takes it back.
pub(crate) const PURCHASE_WEIGHT: f64 = 5.0;

/// What an event says about the interest in its product. Purchases and returns are weighed by the line.
///
/// A view or click counts 1, putting into the cart or on the wishlist 3 (taking out again −2), sharing 2, a review
/// `2 · (stars − 2.5)`, that is −3 for one star and 5 for five. Being shown a list or a message counts nothing.
pub(crate) fn event_weight(kind: EventKind, rating: Option<f32>) -> f64 {
    match kind {
        EventKind::ProductViewed
        | EventKind::ProductClicked
        | EventKind::CheckoutStarted
        | EventKind::PromotionClicked
        | EventKind::EmailLinkClicked => 1.0,
        EventKind::ProductAdded | EventKind::ProductAddedToWishlist => 3.0,
        EventKind::ProductRemoved => -2.0,
        EventKind::ProductShared => 2.0,
        EventKind::ProductReviewed => 2.0 * (f64::from(rating.unwrap_or(4.0)) - 2.5),
        _ => 0.0,
    }
}

impl Interests {
    pub(crate) fn new(half_life_days: f64) -> Self {
        Self {
            half_life_days,
            categories: BTreeMap::new(),
            brands: BTreeMap::new(),
            price_bands: [Decayed::default(); PriceBands::COUNT],
        }
    }

    pub(crate) fn add(&mut self, fields: &ProductFields, weight: f64, at: Timestamp) {
        let half_life = self.half_life_days;
        if let Some(category) = &fields.category {
            add_to(&mut self.categories, category, weight, at, half_life);
        }
        if let Some(brand) = &fields.brand {
            add_to(&mut self.brands, brand, weight, at, half_life);
        }
        if let Some(band) = fields.price_band {
            let slot = usize::from(band.clamp(1, PriceBands::COUNT as u8) - 1);
            self.price_bands[slot].add(weight, at, half_life);
        }
    }

    /// Positive weights at `now` by name, in the order of the names.
    fn weights(&self, kind: InterestKind, now: Timestamp) -> Vec<(String, f64)> {
        let named = |map: &BTreeMap<String, Decayed>| {
            map.iter()
                .map(|(name, sum)| (name.clone(), sum.value_at(now, self.half_life_days)))
                .filter(|(_, weight)| *weight > 0.0)
                .collect()
        };
        match kind {
            InterestKind::Category => named(&self.categories),
            InterestKind::Brand => named(&self.brands),
            InterestKind::PriceBand => (1..)
                .zip(self.band_weights(now))
                .filter(|(_, weight)| *weight > 0.0)
                .map(|(band, weight): (u8, f64)| (band.to_string(), weight))
                .collect(),
        }
    }

    /// The `n` strongest interests of a kind, strongest first, equal ones by name.
    pub(crate) fn top(&self, kind: InterestKind, n: usize, now: Timestamp) -> Vec<Interest> {
        let mut weights = self.weights(kind, now);
        let total: f64 = weights.iter().map(|(_, weight)| weight).sum();
        weights.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        weights
            .into_iter()
            .take(n)
            .map(|(name, weight)| Interest {
                name,
                weight,
                share: weight / total,
            })
            .collect()
    }

    /// The share of one name, compared without regard to ASCII case; 0 where there is no such interest.
    pub(crate) fn share(&self, kind: InterestKind, name: &str, now: Timestamp) -> f64 {
        let weights = self.weights(kind, now);
        let total: f64 = weights.iter().map(|(_, weight)| weight).sum();
        weights
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map_or(0.0, |(_, weight)| weight / total)
    }

    /// Number of categories with a positive weight, and the sum of their squared shares (Herfindahl): 1 for a single one.
    pub(crate) fn category_spread(&self, now: Timestamp) -> (usize, f64) {
        let mut count = 0;
        let (mut sum, mut squares) = (0.0, 0.0);
        for decayed in self.categories.values() {
            let weight = decayed.value_at(now, self.half_life_days);
            if weight > 0.0 {
                count += 1;
                sum += weight;
                squares += weight * weight;
            }
        }
        (
            count,
            if sum > 0.0 {
                squares / (sum * sum)
            } else {
                0.0
            },
        )
    }

    /// Weighted mean and standard deviation of the price band; zeros where nothing is known.
    pub(crate) fn band_moments(&self, now: Timestamp) -> (f64, f64) {
        let weights = self.band_weights(now);
        let total: f64 = weights.iter().sum();
        if total <= 0.0 {
            return (0.0, 0.0);
        }
        let moment = |power: i32| -> f64 {
            (1..)
                .zip(&weights)
                .map(|(band, weight): (u8, _)| f64::from(band).powi(power) * weight)
                .sum::<f64>()
                / total
        };
        let mean = moment(1);
        (mean, (moment(2) - mean * mean).max(0.0).sqrt())
    }

    fn band_weights(&self, now: Timestamp) -> [f64; PriceBands::COUNT] {
        self.price_bands
            .map(|sum| sum.value_at(now, self.half_life_days).max(0.0))
    }
}

fn add_to(
    sums: &mut BTreeMap<String, Decayed>,
    name: &str,
    weight: f64,
    at: Timestamp,
    half_life_days: f64,
) {
    if let Some(sum) = sums.get_mut(name) {
        sum.add(weight, at, half_life_days);
        return;
    }
    let mut sum = Decayed::default();
    sum.add(weight, at, half_life_days);
    sums.insert(name.to_owned(), sum);
    if sums.len() > KEPT {
        let least = sums
            .iter()
            .min_by(|a, b| {
                let worth = |sum: &Decayed| sum.value_at(at, half_life_days).abs();
                worth(a.1).total_cmp(&worth(b.1))
            })
            .map(|(name, _)| name.clone());
        if let Some(least) = least {
            sums.remove(&least);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::at;

    fn of_category(name: &str) -> ProductFields {
        ProductFields {
            category: Some(name.to_owned()),
            ..ProductFields::default()
        }
    }

    #[test]
    fn the_weakest_interest_makes_room() {
        let mut interests = Interests::new(90.0);
        for n in 0..KEPT {
            interests.add(&of_category(&format!("c{n:02}")), 5.0 + n as f64, at(0));
        }
        // The first had the least weight until now.
        interests.add(&of_category("c00"), 100.0, at(0));
        interests.add(&of_category("late"), 7.5, at(0));
        assert_eq!(interests.categories.len(), KEPT);
        assert!(!interests.categories.contains_key("c01"));
        assert!(interests.categories.contains_key("c00"));
        assert!(interests.categories.contains_key("late"));
    }

    #[test]
    fn a_dislike_is_no_interest() {
        let mut interests = Interests::new(90.0);
        interests.add(&of_category("liked"), 5.0, at(0));
        interests.add(
            &of_category("disliked"),
            event_weight(EventKind::ProductReviewed, Some(1.0)),
            at(0),
        );
        let top = interests.top(InterestKind::Category, 9, at(0));
        assert_eq!(top.len(), 1);
        assert!((top[0].share - 1.0).abs() < 1e-12);
        assert!(
            interests
                .share(InterestKind::Category, "disliked", at(0))
                .abs()
                < 1e-12
        );
        assert_eq!(interests.category_spread(at(0)), (1, 1.0));
    }

    #[test]
    fn events_weigh_as_the_table_says() {
        for (kind, rating, weight) in [
            (EventKind::ProductViewed, None, 1.0),
            (EventKind::ProductAdded, None, 3.0),
            (EventKind::ProductRemoved, None, -2.0),
            (EventKind::ProductReviewed, Some(5.0), 5.0),
            (EventKind::ProductReviewed, Some(1.0), -3.0),
            (EventKind::ProductReviewed, None, 3.0),
            (EventKind::ProductListViewed, None, 0.0),
            (EventKind::EmailOpened, None, 0.0),
        ] {
            assert!(
                (event_weight(kind, rating) - weight).abs() < 1e-12,
                "{kind:?}"
            );
        }
    }
}
