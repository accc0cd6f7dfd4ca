//! What a message may state about one shopper and one product, and what the policy reads of both.

use std::collections::BTreeMap;

use events::{EventKind, Timestamp};
use features::{InterestKind, PriceBands, Replenishment};
use guard::Value;

use crate::policy::ActionFacts;
use crate::sales::days_between;
use crate::shop::{KnownShopper, Shop};
use crate::train::Ranker;

/// A purchase counts as the reason for a complement only if it brings at least this share of the product's score.
const COMPLEMENT_SHARE: f64 = 0.15;
/// Older purchases are no occasion to speak of something that goes with them.
const COMPLEMENT_DAYS: f64 = 400.0;

/// A purchase that speaks for a product.
#[derive(Debug, Clone)]
pub(crate) struct Earlier {
    pub(crate) position: usize,
    pub(crate) at: Timestamp,
    /// Its part of the score, 0 to 1.
    pub(crate) share: f64,
}

/// What is known of one shopper beside one product.
pub(crate) struct Pair<'a> {
    pub(crate) shop: &'a Shop,
    pub(crate) known: &'a KnownShopper,
    pub(crate) position: usize,
    /// The purchases that speak for the product, strongest first, the product itself left out.
    pub(crate) earlier: Vec<Earlier>,
    pub(crate) due: Option<Replenishment<'a>>,
}

impl<'a> Pair<'a> {
    pub(crate) fn new(
        shop: &'a Shop,
        ranker: &Ranker,
        known: &'a KnownShopper,
        position: usize,
        due: Option<Replenishment<'a>>,
    ) -> Self {
        let because = ranker.because(shop, known, position);
        let total: f32 = because.iter().map(|part| part.contribution).sum();
        let earlier = because
            .into_iter()
            .filter(|part| part.item as usize != position)
            .filter_map(|part| {
                let id = &shop.products[part.item as usize].id;
                let at = known.profile.purchases_of(id)?.bought_at().last()?;
                Some(Earlier {
                    position: part.item as usize,
                    at,
                    share: f64::from(part.contribution / total.max(f32::MIN_POSITIVE)),
                })
            })
            .take(3)
            .collect();
        Self {
            shop,
            known,
            position,
            earlier,
            due,
        }
    }

    /// The purchase that a complement may name.
    pub(crate) fn complements(&self) -> Option<&Earlier> {
        self.earlier.first().filter(|earlier| {
            earlier.share >= COMPLEMENT_SHARE
                && days_between(earlier.at, self.shop.now) < COMPLEMENT_DAYS
        })
    }

    /// The shopper's history as `user.NAME`; a name without an honest value is absent.
    pub(crate) fn user_facts(&self) -> BTreeMap<String, Value> {
        let mut facts = BTreeMap::new();
        if let Some(earlier) = self.complements() {
            let title = self.shop.products[earlier.position].title.clone();
            facts.insert("last_bought_title".to_owned(), Value::Text(title));
            facts.insert("last_bought_at".to_owned(), Value::Date(earlier.at));
        }
        if let Some(due) = &self.due {
            let gap = (due.median_gap_days.round() as u64).max(1);
            facts.insert(
                "times_bought".to_owned(),
                Value::Count(due.times_bought.into()),
            );
            facts.insert("usual_gap_days".to_owned(), Value::Count(gap));
            facts.insert("last_bought_this_at".to_owned(), Value::Date(due.last_at));
        }
        facts
    }

    /// What the policy reads; the strategy and the origin of the text are added by the caller.
    pub(crate) fn action_facts(
        &self,
        affinity: f64,
        top_pick: bool,
        messages: usize,
        hour: i8,
    ) -> ActionFacts {
        let (shop, profile, now) = (self.shop, &self.known.profile, self.shop.now);
        let product = &shop.products[self.position];
        let fields = shop.index.get(&product.id);
        let taste = price_taste(self.known, now);
        let band = fields.and_then(|fields| fields.price_band).map(centred);
        let idle = profile
            .seen()
            .map_or(365.0, |(_, last)| days_between(last, now).max(0.0));
        let clicks =
            profile.count(EventKind::PromotionClicked) + profile.count(EventKind::EmailLinkClicked);
        ActionFacts {
            affinity: affinity.clamp(-1.0, 1.5),
            top_pick,
            // 1 on the day itself, falling off on both sides.
            due: self
                .due
                .as_ref()
                .map_or(0.0, |due| (-due.due_ratio.ln().powi(2) / 0.5).exp()),
            owned: profile
                .purchases_of(&product.id)
                .is_some_and(|history| history.times_bought > 0),
            category_interest: fields
                .and_then(|fields| fields.category.as_deref())
                .map_or(0.0, |category| {
                    profile.interest_share(InterestKind::Category, category, now)
                }),
            price_fit: band.map_or(0.5, |band| 1.0 - (band - taste).abs() / 2.0),
            price: band.unwrap_or(0.0),
            popularity: shop.sales[self.position].popularity,
            newness: shop.sales[self.position].first_sold.map_or(1.0, |first| {
                (-days_between(first, now).max(0.0) / 30.0).exp()
            }),
            on_sale: product.sale_price_at(now).is_some(),
            active_lately: (-idle / 30.0).exp(),
            orders: (f64::from(profile.orders()).ln_1p() / 4.0).min(1.0),
            message_clicks: (f64::from(clicks) / 5.0).min(1.0),
            messages_lately: messages as f64 / 3.0,
            usual_hour: usual_hour(profile.hours(), hour),
            price_taste: taste,
            complement_fit: self.complements().map_or(0.0, |earlier| earlier.share),
            native_copy: false,
        }
    }
}

/// Mean price band of the interests, −1 (cheapest) to 1; 0 where nothing is known.
fn price_taste(known: &KnownShopper, now: Timestamp) -> f64 {
    let bands = known
        .profile
        .top_interests(InterestKind::PriceBand, PriceBands::COUNT, now);
    bands
        .iter()
        .filter_map(|band| Some(band.share * centred(band.name.parse().ok()?)))
        .sum()
}

/// A price band as a number from −1 to 1.
fn centred(band: u8) -> f64 {
    (f64::from(band) - 3.0) / 2.0
}

/// Share of the shopper's acts that fall within an hour of this one, four times it, at most 1.
fn usual_hour(hours: &[u32; 24], hour: i8) -> f64 {
    let total: u32 = hours.iter().sum();
    let near: u32 = [23, 0, 1]
        .iter()
        .map(|shift| hours[(hour.unsigned_abs() as usize + shift) % 24])
        .sum();
    (4.0 * f64::from(near) / f64::from(total.max(1))).min(1.0)
}

#[cfg(test)]
#[expect(
    clippy::float_cmp,
    reason = "the numbers are exact in binary, and so must the results be"
)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_hour_is_near_the_acts() {
        let mut hours = [0; 24];
        hours[23] = 3;
        hours[12] = 1;
        assert_eq!(usual_hour(&hours, 0), 1.0);
        assert_eq!(usual_hour(&hours, 12), 1.0);
        assert_eq!(usual_hour(&hours, 17), 0.0);
        assert_eq!(usual_hour(&[0; 24], 5), 0.0);
    }

    #[test]
    fn price_bands_are_centred() {
        assert_eq!([1, 3, 5].map(centred), [-1.0, 0.0, 1.0]);
    }
}
