//! The response model: what a shopper does with a message, as exact probabilities.
//!
//! Click (logistic; every symbol a constant of `params`):
//!
//! ```text
//! P(click) = σ( base + w_taste·⟨taste(t), product⟩ + w_appeal·appeal − w_price·s·z(price) + w_need·due
//!   + owned + channel + own channel + w_hour·(presence(hour) − mean) + strategy + own strategy
//!   + fit(strategy, shopper, product) − w_fatigue·f·F(t) − w_repeat·R(t) )
//! ```
//!
//! where s is price sensitivity, due = exp(−(ln(elapsed / lasts) / width)²) for what is used up, F the messages
//! lately received and R the times that this product was lately shown, both with exponential forgetting, and *fit*
//! is what makes a strategy right for one shopper and product and wrong for another:
//!
//! | strategy | fit |
//! |---|---|
//! | benefit | shoppers who look less at prices |
//! | novelty | a product newly in the shop, the more for novelty seekers; a claim about an old one costs |
//! | social proof | popular products, the more for conformists; for the contrary-minded the reverse |
//! | replenishment | something bought before that is due, the more for the loyal; otherwise it costs |
//! | complement | goes with something bought in the last 90 days; otherwise it costs |
//! | value | price-sensitive shoppers, and sale prices |
//!
//! P(order | click) and P(unsubscribe) are logistic in a subset of the same terms. Whether a message may be sent at
//! all is part of the truth: without consent, or before the product's launch, every probability is 0.
//!
//! The form is that of the logistic click models with user, item and context factors of Li et al., "A
//! contextual-bandit approach to personalized news article recommendation" (2010) and of the latent factor model of
//! Koren et al. (2009). How this differs from them: the strategy is part of the action, and fatigue makes the rewards
//! depend on what was sent before.

use events::{Channel, Goal, Strategy, Timestamp};

use super::SimulatedShop;
use super::calendar::DAY;
use super::catalogue::Item;
use super::params as p;
use super::random::sigmoid;
use super::shopper::Shopper;
use super::taste::affinity;

/// Names of the parts of the click logit, in the order of [`SimulatedShop::click_terms`].
pub const CLICK_TERMS: [&str; 11] = [
    "base", "taste", "appeal", "price", "need", "owned", "channel", "hour", "strategy", "fatigue",
    "repeat",
];

/// A message to a shopper of the simulated shop about a product of its catalogue.
///
/// [`SimulatedShop::message`] makes it, so that shopper and product are known to exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    pub(crate) shopper: usize,
    pub(crate) item: usize,
    pub(crate) strategy: Strategy,
    pub(crate) channel: Channel,
    pub(crate) at: i64,
}

impl Message {
    /// The argument that the message makes.
    pub fn strategy(&self) -> Strategy {
        self.strategy
    }

    /// Where it is shown.
    pub fn channel(&self) -> Channel {
        self.channel
    }

    /// When it is shown, to the second.
    pub fn at(&self) -> Timestamp {
        super::calendar::timestamp(self.at)
    }
}

impl SimulatedShop {
    /// P(click | message), 0 where the shopper does not allow the channel or the product is not yet sold.
    pub fn click_probability(&self, message: &Message) -> f64 {
        if self.deliverable(message) {
            sigmoid(self.click_terms(message).iter().sum())
        } else {
            0.0
        }
    }

    /// P(order | click on the message), 0 for a product that is not in stock.
    pub fn purchase_probability(&self, message: &Message) -> f64 {
        let (shopper, item) = self.parties(message);
        if !self.deliverable(message) || item.product.stock == Some(0) {
            return 0.0;
        }
        let (due, owned) = self.possession(message);
        sigmoid(
            p::ORDER_BASE + p::ORDER_TASTE * self.liking(message)
                - p::ORDER_PRICE * shopper.price_sensitivity * item.price_z
                + p::ORDER_NEED * due
                + p::ORDER_OWNED * owned
                + p::ORDER_SALE * on_sale(item),
        )
    }

    /// P(the shopper leaves the channel | message).
    pub fn unsubscribe_probability(&self, message: &Message) -> f64 {
        if !self.deliverable(message) {
            return 0.0;
        }
        let (shopper, _) = self.parties(message);
        let recent = self.feedback[message.shopper].messages_lately(message.at);
        sigmoid(
            p::LEAVE_BASE
                + p::LEAVE_FATIGUE * shopper.fatigue_sensitivity * recent
                + p::LEAVE_TASTE * self.liking(message)
                + p::LEAVE_CHANNEL[message.channel as usize],
        )
    }

    /// The exact expected reward of a message: P(click), or P(click) · P(order | click).
    pub fn expected_reward(&self, message: &Message, goal: Goal) -> f64 {
        let click = self.click_probability(message);
        match goal {
            Goal::Click => click,
            Goal::Purchase => click * self.purchase_probability(message),
        }
    }

    /// The parts of the click logit, named by [`CLICK_TERMS`]; the logit is their sum.
    pub fn click_terms(&self, message: &Message) -> [f64; CLICK_TERMS.len()] {
        let (shopper, item) = self.parties(message);
        let (due, owned) = self.possession(message);
        let hour = self.calendar.hour(shopper.zone, message.at);
        let feedback = &self.feedback[message.shopper];
        let (channel, strategy) = (message.channel as usize, message.strategy as usize);
        [
            p::CLICK_BASE,
            p::CLICK_TASTE * self.liking(message),
            p::CLICK_APPEAL * item.appeal,
            -p::CLICK_PRICE * shopper.price_sensitivity * item.price_z,
            p::CLICK_NEED * due,
            p::CLICK_OWNED * owned,
            p::CLICK_CHANNEL[channel] + shopper.channels[channel],
            p::CLICK_HOUR * (shopper.presence(hour) - p::MEAN_PRESENCE),
            p::CLICK_STRATEGY[strategy] + shopper.strategies[strategy] + self.fit(message, due),
            p::CLICK_FATIGUE * shopper.fatigue_sensitivity * feedback.messages_lately(message.at),
            p::CLICK_REPEAT * feedback.showings_lately(message.item, message.at),
        ]
    }

    /// How right the strategy is for this shopper and this product.
    fn fit(&self, message: &Message, due: f64) -> f64 {
        let (shopper, item) = self.parties(message);
        match message.strategy {
            Strategy::Benefit => p::BENEFIT_QUALITY * (1.0 - shopper.price_sensitivity),
            Strategy::Novelty => {
                let (new, seeking, old) = p::NOVELTY;
                if days(item.launched, message.at) < p::NOVEL_DAYS {
                    new + seeking * shopper.novelty_seeking
                } else {
                    old
                }
            }
            Strategy::SocialProof => {
                let (general, personal) = p::SOCIAL_PROOF;
                (general + personal * shopper.conformity) * (item.popularity - 0.5)
            }
            Strategy::Replenishment => {
                let (in_time, loyalty, otherwise) = p::REPLENISHMENT;
                if due > 0.0 {
                    (in_time + loyalty * shopper.loyalty) * due
                } else {
                    otherwise
                }
            }
            Strategy::Complement => {
                let (right, otherwise) = p::COMPLEMENT;
                if self.completes(message) {
                    right
                } else {
                    otherwise
                }
            }
            Strategy::Value => {
                let (sensitivity, sale) = p::VALUE;
                sensitivity * (shopper.price_sensitivity - 1.0) + sale * on_sale(item)
            }
        }
    }

    /// Whether the product goes with something bought in the last weeks.
    fn completes(&self, message: &Message) -> bool {
        self.purchases[message.shopper].iter().any(|purchase| {
            (0.0..p::COMPLEMENT_DAYS).contains(&days(purchase.at, message.at))
                && self.catalogue.items[purchase.item as usize]
                    .complements
                    .contains(&message.item)
        })
    }

    /// How due a thing is that is used up, and whether one that is not used up is owned: both 0 to 1.
    fn possession(&self, message: &Message) -> (f64, f64) {
        let (shopper, item) = self.parties(message);
        let last = self.purchases[message.shopper]
            .iter()
            .rev()
            .find(|purchase| purchase.item as usize == message.item && purchase.at <= message.at);
        let Some(last) = last else {
            return (0.0, 0.0);
        };
        let elapsed = days(last.at, message.at);
        let lasts = item.lasts_days() * shopper.household * f64::from(last.quantity);
        if lasts > 0.0 {
            let distance = (elapsed.max(0.01) / lasts).ln() / p::DUE_WIDTH;
            ((-distance * distance).exp(), 0.0)
        } else {
            (0.0, f64::from(u8::from(elapsed < p::OWNED_DAYS)))
        }
    }

    fn liking(&self, message: &Message) -> f64 {
        let (shopper, item) = self.parties(message);
        affinity(shopper.taste(self.start, message.at), &item.vector)
    }

    /// Whether the message reaches the shopper at all.
    fn deliverable(&self, message: &Message) -> bool {
        let (shopper, item) = self.parties(message);
        item.launched <= message.at
            && shopper.permits(message.channel, message.at)
            && !self.feedback[message.shopper].has_left(message.channel, message.at)
    }

    fn parties(&self, message: &Message) -> (&Shopper, &Item) {
        (
            &self.shoppers[message.shopper],
            &self.catalogue.items[message.item],
        )
    }
}

fn on_sale(item: &Item) -> f64 {
    f64::from(u8::from(item.product.sale_price.is_some()))
}

fn days(from: i64, to: i64) -> f64 {
    (to - from) as f64 / DAY as f64
}
