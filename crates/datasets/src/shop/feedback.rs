//! Sampled reactions, which are all that a learner may see, and what they leave behind.

use std::collections::BTreeMap;

use events::{Channel, Money};
use rand::RngExt;

use super::SimulatedShop;
use super::calendar::DAY;
use super::history::Purchase;
use super::params as p;
use super::random::{Domain, stream};
use super::response::Message;

/// What a shopper did with a message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reaction {
    /// Whether the message was clicked.
    pub clicked: bool,
    /// What was paid, where the click led to an order.
    pub ordered: Option<Money>,
    /// Whether the shopper left the channel.
    pub unsubscribed: bool,
}

impl SimulatedShop {
    /// Shows a message and draws the reaction from the exact probabilities.
    ///
    /// The same seed gives the same reaction to the same message in the same state. The message is remembered: it
    /// adds to fatigue, an order to the shopper's possessions, and an unsubscribed channel stays closed. A message
    /// that the shopper does not allow is not delivered: it gets no reaction and leaves no trace.
    pub fn react(&mut self, message: &Message, seed: u64) -> Reaction {
        let click = self.click_probability(message);
        if click == 0.0 {
            return Reaction::default();
        }
        let purchase = self.purchase_probability(message);
        let leave = self.unsubscribe_probability(message);
        let mut rng = stream(
            seed ^ (message.at as u64).rotate_left(32),
            Domain::Reaction,
            ((message.shopper as u64) << 24) ^ ((message.item as u64) << 8) ^ message.code(),
        );
        let clicked = rng.random::<f64>() < click;
        let ordered = clicked && rng.random::<f64>() < purchase;
        let unsubscribed = rng.random::<f64>() < leave;
        let feedback = &mut self.feedback[message.shopper];
        feedback.remember(message.item, message.at);
        if unsubscribed {
            feedback.left[message.channel as usize] = Some(message.at);
        }
        if ordered {
            let purchases = &mut self.purchases[message.shopper];
            purchases.push(Purchase {
                at: message.at,
                item: message.item as u32,
                quantity: 1,
            });
            purchases.sort_by_key(|purchase| purchase.at);
        }
        let price = self.catalogue.items[message.item].product.current_price();
        Reaction {
            clicked,
            ordered: price.filter(|_| ordered),
            unsubscribed,
        }
    }
}

impl Message {
    fn code(&self) -> u64 {
        (self.channel as u64) * 8 + self.strategy as u64
    }
}

/// What the messages so far left behind in one shopper.
#[derive(Debug, Clone, Default)]
pub(crate) struct Feedback {
    messages: Fading,
    showings: BTreeMap<usize, Fading>,
    left: [Option<i64>; Channel::ALL.len()],
}

impl Feedback {
    /// Messages received, each counting half as much after every half-life.
    pub(crate) fn messages_lately(&self, unix: i64) -> f64 {
        self.messages.at(unix, p::FATIGUE_HALF_LIFE_DAYS)
    }

    /// Times that a product was shown, each counting half as much after every half-life.
    pub(crate) fn showings_lately(&self, item: usize, unix: i64) -> f64 {
        self.showings
            .get(&item)
            .map_or(0.0, |shown| shown.at(unix, p::REPEAT_HALF_LIFE_DAYS))
    }

    pub(crate) fn has_left(&self, channel: Channel, unix: i64) -> bool {
        self.left[channel as usize].is_some_and(|at| at < unix)
    }

    fn remember(&mut self, item: usize, unix: i64) {
        self.messages.add(unix, p::FATIGUE_HALF_LIFE_DAYS);
        let shown = self.showings.entry(item).or_default();
        shown.add(unix, p::REPEAT_HALF_LIFE_DAYS);
    }
}

/// A count that halves with every half-life.
#[derive(Debug, Clone, Copy, Default)]
struct Fading {
    count: f64,
    since: i64,
}

impl Fading {
    fn at(&self, unix: i64, half_life_days: f64) -> f64 {
        if self.count == 0.0 {
            return 0.0;
        }
        let elapsed = (unix - self.since).max(0) as f64 / DAY as f64;
        self.count * (-elapsed / half_life_days).exp2()
    }

    fn add(&mut self, unix: i64, half_life_days: f64) {
        let unix = unix.max(self.since);
        self.count = self.at(unix, half_life_days) + 1.0;
        self.since = unix;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_counts_half_after_a_half_life() {
        let mut feedback = Feedback::default();
        feedback.remember(3, 0);
        let later = (p::FATIGUE_HALF_LIFE_DAYS * DAY as f64) as i64;
        assert!((feedback.messages_lately(0) - 1.0).abs() < 1e-12);
        assert!((feedback.messages_lately(later) - 0.5).abs() < 1e-12);
        feedback.remember(4, later);
        assert!((feedback.messages_lately(later) - 1.5).abs() < 1e-12);
        assert!(feedback.showings_lately(3, later) > 0.5);
        assert!(feedback.showings_lately(5, later).abs() < 1e-12);
    }
}
