use events::{EventKind, Timestamp};

use crate::{Profile, decayed::days_between, profile::RECENT_HALF_LIFE_DAYS};

/// Number of features.
pub const FEATURE_COUNT: usize = FEATURES.len();

/// The names of the features in the order of the vector.
pub const FEATURE_NAMES: [&str; FEATURE_COUNT] = {
    let mut names = [""; FEATURE_COUNT];
    let mut i = 0;
    while i < FEATURE_COUNT {
        names[i] = FEATURES[i].name;
        i += 1;
    }
    names
};

/// A feature's name, scale and meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeatureSpec {
    /// The name, in vectors and in segments.
    pub name: &'static str,
    /// Whether the vector holds `sign(x) · ln(1 + |x|)` of the raw value; segments read the raw value.
    pub is_logged: bool,
    /// The meaning, with its unit and range.
    pub meaning: &'static str,
}

const fn logged(name: &'static str, meaning: &'static str) -> FeatureSpec {
    FeatureSpec {
        name,
        is_logged: true,
        meaning,
    }
}

const fn plain(name: &'static str, meaning: &'static str) -> FeatureSpec {
    FeatureSpec {
        name,
        is_logged: false,
        meaning,
    }
}

/// Every feature, in the order of the vector: the one list that models, outliers and segments share.
pub const FEATURES: [FeatureSpec; 33] = [
    logged(
        "recency_days",
        "days since the last order; since first seen where there is none",
    ),
    logged("idle_days", "days since the shopper last did anything"),
    logged("tenure_days", "days since first seen"),
    logged("orders", "orders, without those that came back whole"),
    logged(
        "spend",
        "amount spent after returns, in major units of the shopper's first currency",
    ),
    logged("average_order", "spend over orders; 0 without an order"),
    logged(
        "pieces_per_order",
        "pieces bought over orders; 0 without an order",
    ),
    logged(
        "lines_per_order",
        "distinct products of an order, on average; 0 without an order",
    ),
    logged(
        "median_gap_days",
        "median days between orders; 0 for fewer than two",
    ),
    plain(
        "overdue_ratio",
        "days since the last order over the median gap, at most 10; 0 without a gap",
    ),
    logged("distinct_products", "distinct products ever bought"),
    plain(
        "repeat_share",
        "share of bought lines whose product an earlier order held, 0 to 1",
    ),
    plain(
        "refund_share",
        "share of bought pieces that came back, 0 to 1",
    ),
    logged("undone_orders", "orders that came back whole"),
    plain(
        "hour_sin",
        "sine of the mean time of day, its length shrunk by the spread, -1 to 1",
    ),
    plain(
        "hour_cos",
        "cosine of the mean time of day, its length shrunk by the spread, -1 to 1",
    ),
    plain(
        "hour_entropy",
        "entropy of the hours of activity, 0 (one hour) to 1 (all alike)",
    ),
    plain(
        "weekend_share",
        "share of acts on Saturday and Sunday, 0 to 1",
    ),
    logged(
        "categories",
        "categories with a positive interest, at most 64",
    ),
    plain(
        "category_concentration",
        "sum of the squared category shares, 0 to 1 (a single category)",
    ),
    plain(
        "price_band_mean",
        "mean price band of the interests, 1 to 5; 0 where unknown",
    ),
    plain(
        "price_band_spread",
        "standard deviation of the price band of the interests",
    ),
    logged(
        "recent_views",
        "product views and clicks, with a half-life of 30 days",
    ),
    logged(
        "recent_adds",
        "additions to the cart, with a half-life of 30 days",
    ),
    logged("recent_orders", "orders, with a half-life of 30 days"),
    logged("views", "product views and clicks ever"),
    logged("adds", "additions to the cart ever"),
    logged("searches", "searches ever"),
    logged("reviews", "reviews ever"),
    plain(
        "mean_rating",
        "mean stars of the reviews, 1 to 5; 0 without a rating",
    ),
    logged("message_clicks", "clicks on messages and promotions ever"),
    logged(
        "due_products",
        "products bought three times or more that are due again",
    ),
    plain(
        "unsubscribed",
        "1 where the shopper has ever unsubscribed, else 0",
    ),
];

/// The features of one shopper at one time, in the order of [`FEATURE_NAMES`].
#[derive(Debug, Clone, PartialEq)]
pub struct Features {
    /// The values that models read: counts, amounts and durations on a logarithmic scale.
    pub values: [f64; FEATURE_COUNT],
    /// The values that people read, unlogged.
    pub raw: [f64; FEATURE_COUNT],
}

impl Features {
    /// The raw value under a name; `None` for a name that is not in [`FEATURE_NAMES`].
    pub fn raw(&self, name: &str) -> Option<f64> {
        position(name).map(|i| self.raw[i])
    }
}

impl AsRef<[f64]> for Features {
    fn as_ref(&self) -> &[f64] {
        &self.values
    }
}

/// The position of a feature in the vector.
pub(crate) fn position(name: &str) -> Option<usize> {
    FEATURE_NAMES.iter().position(|feature| *feature == name)
}

impl Profile {
    /// The features at `now`; decays and durations run up to it.
    ///
    /// Only events up to `now` may have been folded, which [`Profile::check_known_at`] confirms and
    /// [`Profile::fold`] ensures; a duration that would be negative reads as 0.
    pub fn features(&self, now: Timestamp) -> Features {
        let raw = self.raw_features(now);
        let mut values = raw;
        for (value, spec) in values.iter_mut().zip(&FEATURES) {
            if spec.is_logged {
                *value = value.signum() * value.abs().ln_1p();
            }
        }
        Features { values, raw }
    }

    /// The unlogged features, in the order of [`FEATURES`].
    fn raw_features(&self, now: Timestamp) -> [f64; FEATURE_COUNT] {
        let days_since =
            |at: Option<Timestamp>| at.map_or(0.0, |at| days_between(at, now).max(0.0));
        let last_order = self.orders.latest().next().map(|order| order.at);
        let orders = f64::from(self.orders());
        let per_order = |amount: f64| if orders > 0.0 { amount / orders } else { 0.0 };
        let totals = &self.totals;
        let exponent = self.currency.map_or(2, |currency| currency.exponent());
        let spend = self.spend_minor() as f64 / 10f64.powi(exponent.cast_signed());
        let gap = self.median_gap_days().unwrap_or(0.0);
        let overdue = ratio(days_since(last_order), gap).min(10.0);
        let (hour_sin, hour_cos) = self.rhythm.hour_vector();
        let (categories, concentration) = self.interests.category_spread(now);
        let (band_mean, band_spread) = self.interests.band_moments(now);
        let recent = |sum: &crate::decayed::Decayed| sum.value_at(now, RECENT_HALF_LIFE_DAYS);
        let count = |kind| f64::from(self.count(kind));
        [
            days_since(last_order.or(self.first_seen)),
            days_since(self.last_seen),
            days_since(self.first_seen),
            orders,
            spend,
            per_order(spend),
            per_order((totals.pieces - totals.returned_pieces) as f64),
            per_order(f64::from(totals.lines)),
            gap,
            overdue,
            f64::from(self.history.distinct_bought()),
            ratio(f64::from(totals.repeat_lines), f64::from(totals.lines)),
            ratio(totals.returned_pieces as f64, totals.pieces as f64),
            f64::from(self.undone_orders()),
            hour_sin,
            hour_cos,
            self.rhythm.hour_entropy(),
            self.rhythm.weekend_share(),
            categories as f64,
            concentration,
            band_mean,
            band_spread,
            recent(&self.recent_views),
            recent(&self.recent_adds),
            recent(&self.recent_orders),
            count(EventKind::ProductViewed) + count(EventKind::ProductClicked),
            count(EventKind::ProductAdded),
            count(EventKind::ProductsSearched),
            count(EventKind::ProductReviewed),
            ratio(totals.rating_sum, f64::from(totals.ratings)),
            count(EventKind::EmailLinkClicked) + count(EventKind::PromotionClicked),
            self.due_products(now) as f64,
            count(EventKind::Unsubscribed).min(1.0),
        ]
    }
}

/// `part / whole`, 0 where there is no whole.
fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_feature_has_one_place_and_a_meaning() {
        let names: std::collections::BTreeSet<&str> = FEATURE_NAMES.into_iter().collect();
        assert_eq!(names.len(), FEATURE_COUNT);
        for (place, spec) in FEATURES.iter().enumerate() {
            assert_eq!(position(spec.name), Some(place));
            assert!(!spec.meaning.is_empty());
            assert!(
                spec.name
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c == '_')
            );
        }
    }

    #[test]
    fn a_stranger_is_all_zeros() {
        let features = Profile::default().features(crate::testing::at(0));
        assert_eq!(features.values.map(f64::to_bits), [0; FEATURE_COUNT]);
    }
}
