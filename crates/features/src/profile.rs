use events::{Currency, Event, EventKind, LineItem, Timestamp};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::{
    FeatureError, ProductFields, ProductIndex, ProductKey,
    decayed::Decayed,
    history::{Bought, History},
    interests::{Interests, PURCHASE_WEIGHT, event_weight},
    orders::Orders,
    product_index::fnv1a,
    rhythm::Rhythm,
};

/// The state of the fold over one shopper's events.
///
/// The fold is exact for events in the order (time, position in the log), however they are cut into chunks and however
/// often the state is stored in between. A late event counts as if it had come in time, up to rounding, but for three
/// things: a return finds only the orders that came before it, the currency is that of the first order to arrive, and
/// an order older than every one kept of its product is not kept.
/// To link two pseudonyms, fold their events together.
///
/// Memory is bounded: 64 orders, 64 categories, 64 brands, 4,096 products with 8 purchases each. The 5,942 shoppers of
/// the UCI gift shop, with 81 products each on average, take 21 KiB each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    pub(crate) first_seen: Option<Timestamp>,
    pub(crate) last_seen: Option<Timestamp>,
    pub(crate) last_event: Option<Timestamp>,
    pub(crate) counts: [u32; 24],
    pub(crate) currency: Option<Currency>,
    pub(crate) orders: Orders,
    pub(crate) history: History,
    pub(crate) interests: Interests,
    pub(crate) rhythm: Rhythm,
    pub(crate) totals: Totals,
    pub(crate) recent_views: Decayed,
    pub(crate) recent_adds: Decayed,
    pub(crate) recent_orders: Decayed,
    last_return: Option<u64>,
}

/// Sums over all events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Totals {
    pub(crate) spend_minor: i64,
    pub(crate) refunded_minor: i64,
    pub(crate) pieces: u64,
    pub(crate) returned_pieces: u64,
    pub(crate) unmatched_pieces: u64,
    pub(crate) lines: u32,
    pub(crate) repeat_lines: u32,
    pub(crate) ratings: u32,
    #[serde(with = "crate::exact")]
    pub(crate) rating_sum: f64,
}

/// Half-life of the `recent_*` features in days.
pub(crate) const RECENT_HALF_LIFE_DAYS: f64 = 30.0;

impl Default for Profile {
    /// A shopper nothing is known of, with a half-life of interests of 90 days.
    fn default() -> Self {
        Self::with_half_life(90.0)
    }
}

impl Profile {
    /// The version of the fold: a stored profile of another version is folded anew from the log.
    pub const VERSION: u32 = 1;

    /// A shopper nothing is known of, whose interests halve every `half_life_days`, at least a hundredth.
    pub fn with_half_life(half_life_days: f64) -> Self {
        Self {
            first_seen: None,
            last_seen: None,
            last_event: None,
            counts: [0; 24],
            currency: None,
            orders: Orders::default(),
            history: History::default(),
            interests: Interests::new(half_life_days.max(0.01)),
            rhythm: Rhythm::default(),
            totals: Totals::default(),
            recent_views: Decayed::default(),
            recent_adds: Decayed::default(),
            recent_orders: Decayed::default(),
            last_return: None,
        }
    }

    /// Folds the events up to and including `until` with the default half-life; see [`Profile::folded`].
    pub fn fold<'a>(
        events: impl IntoIterator<Item = &'a Event>,
        index: &ProductIndex,
        until: Timestamp,
    ) -> Self {
        Self::default().folded(events, index, until)
    }

    /// Folds further events up to and including `until`; later ones are not read, so nothing leaks from the future.
    #[must_use]
    pub fn folded<'a>(
        mut self,
        events: impl IntoIterator<Item = &'a Event>,
        index: &ProductIndex,
        until: Timestamp,
    ) -> Self {
        for event in events.into_iter().filter(|event| event.at <= until) {
            self.apply(event, index);
        }
        self
    }

    /// Takes one event in, with hours and weekdays in the shop's time zone.
    pub fn apply(&mut self, event: &Event, index: &ProductIndex) {
        self.apply_in(event, index, index.time_zone());
    }

    /// Takes one event in, with hours and weekdays in the shopper's own time zone.
    pub fn apply_in(&mut self, event: &Event, index: &ProductIndex, time_zone: &TimeZone) {
        self.last_event = self.last_event.max(Some(event.at));
        let counts_once = match event.kind {
            EventKind::OrderCompleted => self.buy(event, index),
            EventKind::OrderRefunded | EventKind::OrderCancelled => self.give_back(event, index),
            _ => {
                self.browse(event, index);
                true
            }
        };
        if !counts_once {
            return;
        }
        self.counts[usize::from(event.kind.code()) - 1] += 1;
        if is_act(event.kind) {
            let earliest = self.first_seen.map_or(event.at, |at| at.min(event.at));
            self.first_seen = Some(earliest);
            self.last_seen = self.last_seen.max(Some(event.at));
            self.rhythm.add(event.at, time_zone);
        }
    }

    /// Confirms that no event after `now` has been folded.
    ///
    /// # Errors
    /// [`FeatureError::Leak`] when one has.
    pub fn check_known_at(&self, now: Timestamp) -> Result<(), FeatureError> {
        match self.last_event {
            Some(last_event) if last_event > now => Err(FeatureError::Leak { last_event, now }),
            _ => Ok(()),
        }
    }

    /// Takes an order or a part of it in; says whether the order was new.
    fn buy(&mut self, event: &Event, index: &ProductIndex) -> bool {
        let order = order_key(event);
        let is_new = self.orders.open(order, event.at);
        if is_new {
            self.recent_orders.add(1.0, event.at, RECENT_HALF_LIFE_DAYS);
        }
        let counts_money = self.takes_currency(event.properties.currency);
        // A line of no pieces is none; the import refuses it, a caller of this crate may not.
        let lines = event.properties.products.iter();
        for line in lines.filter(|line| line.quantity > 0) {
            let spend_minor = if counts_money { line.amount_minor() } else { 0 };
            let bought = self.history.buy(order, event.at, line, counts_money);
            self.orders
                .add(order, line.quantity, spend_minor, bought != Bought::Merged);
            self.totals.spend_minor = self.totals.spend_minor.saturating_add(spend_minor);
            self.totals.pieces += u64::from(line.quantity);
            if let Bought::Line { repeat } = bought {
                self.totals.lines += 1;
                self.totals.repeat_lines += u32::from(repeat);
                self.note_interest(index.get(&line.product_id), PURCHASE_WEIGHT, event.at);
            }
        }
        is_new
    }

    /// Takes pieces, or the whole order where no product is named, back; says whether the return was new.
    fn give_back(&mut self, event: &Event, index: &ProductIndex) -> bool {
        let named_order = event.properties.order_id.as_ref().map(|_| order_key(event));
        let products = &event.properties.products;
        match named_order.filter(|_| products.is_empty()) {
            Some(order) => {
                for (product, pieces) in self.history.unreturned_of(order) {
                    self.give_back_line(product, pieces, named_order, event.at, index);
                }
            }
            None => {
                for LineItem {
                    product_id,
                    quantity,
                    ..
                } in products
                {
                    let product = ProductKey::of(product_id);
                    self.give_back_line(product, *quantity, named_order, event.at, index);
                }
            }
        }
        let is_new = named_order.is_none() || self.last_return != named_order;
        self.last_return = named_order;
        is_new
    }

    fn give_back_line(
        &mut self,
        product: ProductKey,
        pieces: u32,
        named_order: Option<u64>,
        at: Timestamp,
        index: &ProductIndex,
    ) {
        let mut unmatched = pieces;
        for part in self.history.give_back(product, pieces, named_order) {
            unmatched -= part.pieces;
            self.orders.give_back(part.order, part.pieces);
            self.totals.returned_pieces += u64::from(part.pieces);
            self.totals.refunded_minor =
                self.totals.refunded_minor.saturating_add(part.value_minor);
            // A few broken pieces of a large order say little against the product.
            let part_returned = f64::from(part.pieces) / f64::from(part.ordered);
            self.note_interest(index.by_key(product), -PURCHASE_WEIGHT * part_returned, at);
        }
        self.totals.unmatched_pieces += u64::from(unmatched);
    }

    fn browse(&mut self, event: &Event, index: &ProductIndex) {
        let weight = event_weight(event.kind, event.properties.rating);
        let is_view = matches!(
            event.kind,
            EventKind::ProductViewed | EventKind::ProductClicked
        );
        for line in &event.properties.products {
            if is_view {
                self.history
                    .view(ProductKey::of(&line.product_id), event.at);
            }
            if weight != 0.0 {
                self.note_interest(index.get(&line.product_id), weight, event.at);
            }
        }
        if is_view {
            self.recent_views.add(1.0, event.at, RECENT_HALF_LIFE_DAYS);
        }
        if event.kind == EventKind::ProductAdded {
            self.recent_adds.add(1.0, event.at, RECENT_HALF_LIFE_DAYS);
        }
        if let Some(rating) = event.properties.rating {
            self.totals.ratings += 1;
            self.totals.rating_sum += f64::from(rating);
        }
    }

    fn note_interest(&mut self, fields: Option<&ProductFields>, weight: f64, at: Timestamp) {
        if let Some(fields) = fields {
            self.interests.add(fields, weight, at);
        }
    }

    /// Whether an amount counts: the first currency a shopper pays in is the one that is summed.
    fn takes_currency(&mut self, currency: Option<Currency>) -> bool {
        match (self.currency, currency) {
            (Some(known), Some(currency)) => known == currency,
            (None, Some(_)) => {
                self.currency = currency;
                true
            }
            (_, None) => true,
        }
    }
}

/// Whether the shopper did it: being sent something, being shown something and being refunded are the shop's doing.
fn is_act(kind: EventKind) -> bool {
    !matches!(
        kind,
        EventKind::EmailDelivered
            | EventKind::PromotionViewed
            | EventKind::Identified
            | EventKind::OrderRefunded
            | EventKind::OrderCancelled
    )
}

fn order_key(event: &Event) -> u64 {
    match &event.properties.order_id {
        Some(order_id) => fnv1a(order_id.as_bytes()),
        None => fnv1a(&event.message.0),
    }
}
