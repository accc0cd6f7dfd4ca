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
//! | replenishment | something bought before, by how due it is, the more for the loyal; something never bought or not used up costs |
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shop::calendar::Zone;
    use crate::shop::history::Purchase;
    use crate::shop::shopper::{Peak, Permission};
    use crate::{ShopConfig, SimulatedShop};

    /// A shopper without peculiarities who likes exactly the third product, a tea that lasts 35 days, at the hour of
    /// the one daily peak.
    fn neutral(strategy: Strategy) -> (SimulatedShop, Message) {
        let mut shop = SimulatedShop::new(ShopConfig::small(), 1).expect("valid");
        let (start, at) = (shop.start, shop.end + 11 * 3_600);
        let item = &mut shop.catalogue.items[2];
        assert!(item.product.id.starts_with("tea-"));
        (item.appeal, item.price_z, item.popularity) = (0.0, 0.0, 0.5);
        item.launched = start - DAY;
        (item.product.sale_price, item.product.stock) = (None, Some(9));
        let shopper = &mut shop.shoppers[0];
        shopper.tastes = vec![item.vector];
        shopper.zone = Zone::London;
        (shopper.price_sensitivity, shopper.household) = (1.0, 1.0);
        (shopper.novelty_seeking, shopper.conformity) = (0.0, 0.0);
        (shopper.loyalty, shopper.fatigue_sensitivity) = (0.0, 1.0);
        (shopper.strategies, shopper.channels) = ([0.0; 6], [0.0; 5]);
        shopper.peaks = [1.0, 0.0].map(|weight| Peak { hour: 12.0, weight });
        shopper.top_density = 1.0;
        shopper.permissions = vec![Permission {
            channel: Channel::Push,
            granted: start,
            withdrawn: None,
        }];
        shop.purchases[0] = Vec::new();
        let message = Message {
            shopper: 0,
            item: 2,
            strategy,
            channel: Channel::Push,
            at,
        };
        (shop, message)
    }

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-6
    }

    #[test]
    fn the_logit_of_a_neutral_shopper_is_the_sum_worked_out_by_hand() {
        // −4.13 base + 1.6 taste + 0.15 push + 0.9 · (1 − 0.35) hour = −1.795, and then the strategy.
        for (strategy, term) in [
            (Strategy::Benefit, 0.1),
            (Strategy::Novelty, -0.7),
            (Strategy::SocialProof, 0.05),
            (Strategy::Replenishment, -1.2),
            (Strategy::Complement, -0.6),
            (Strategy::Value, 0.05),
        ] {
            let (shop, message) = neutral(strategy);
            let logit: f64 = shop.click_terms(&message).iter().sum();
            assert!(close(logit, -1.795 + term), "{strategy:?}: {logit}");
        }
        let (shop, message) = neutral(Strategy::Benefit);
        assert!(close(shop.click_probability(&message), 0.155_119_3));
        assert!(close(shop.purchase_probability(&message), 0.167_981_6));
        assert!(close(shop.unsubscribe_probability(&message), 0.000_552_8));
    }

    #[test]
    fn a_strategy_is_worth_what_the_shopper_and_the_product_make_of_it() {
        type Change = fn(&mut SimulatedShop);
        let table: [(Strategy, Change, f64); 7] = [
            (
                Strategy::Benefit,
                |shop| shop.shoppers[0].price_sensitivity = 0.0,
                0.5,
            ),
            (
                Strategy::Novelty,
                |shop| shop.catalogue.items[2].launched = shop.end - 10 * DAY,
                0.5,
            ),
            (
                Strategy::SocialProof,
                |shop| shop.catalogue.items[2].popularity = 1.0,
                0.35,
            ),
            (
                Strategy::SocialProof,
                |shop| {
                    shop.catalogue.items[2].popularity = 1.0;
                    shop.shoppers[0].conformity = -2.0;
                },
                0.05 - 0.4,
            ),
            (
                Strategy::Complement,
                |shop| {
                    shop.catalogue.items[5].complements = vec![2];
                    let at = shop.end - 5 * DAY;
                    shop.purchases[0] = vec![bought(5, at)];
                },
                1.0,
            ),
            (
                Strategy::Value,
                |shop| shop.shoppers[0].price_sensitivity = 3.0,
                1.05,
            ),
            (
                Strategy::Value,
                |shop| {
                    let product = &mut shop.catalogue.items[2].product;
                    product.sale_price = product.price;
                },
                0.45,
            ),
        ];
        for (strategy, change, term) in table {
            let (mut shop, message) = neutral(strategy);
            change(&mut shop);
            let actual = shop.click_terms(&message)[8];
            assert!(close(actual, term), "{strategy:?}: {actual}");
        }
    }

    #[test]
    fn something_is_due_when_it_runs_out_and_not_before_or_long_after() {
        for (days_ago, due) in [(35, 1.0), (70, 0.019_800_2), (1, 0.0)] {
            let (mut shop, message) = neutral(Strategy::Replenishment);
            shop.purchases[0] = vec![bought(2, message.at - days_ago * DAY)];
            let terms = shop.click_terms(&message);
            assert!(close(terms[4], 0.8 * due), "{days_ago}: {terms:?}");
            assert!(close(terms[8], 1.3 * due), "{days_ago}: {terms:?}");
        }
        let (mut shop, message) = neutral(Strategy::Replenishment);
        shop.purchases[0] = vec![bought(2, message.at - 35 * DAY)];
        // −2.7 base + 1.1 taste + 1.6 need is an even chance.
        assert!(close(shop.purchase_probability(&message), 0.5));
    }

    #[test]
    fn what_cannot_be_delivered_or_bought_has_no_chance() {
        let none = |shop: &SimulatedShop, message: &Message| {
            close(shop.expected_reward(message, Goal::Purchase), 0.0)
        };
        let (mut shop, message) = neutral(Strategy::Benefit);
        assert!(!none(&shop, &message));
        shop.catalogue.items[2].product.stock = Some(0);
        assert!(none(&shop, &message) && shop.click_probability(&message) > 0.1);
        shop.catalogue.items[2].launched = message.at + 1;
        assert!(close(shop.click_probability(&message), 0.0));
        let (mut shop, message) = neutral(Strategy::Benefit);
        shop.shoppers[0].permissions[0].withdrawn = Some(message.at);
        assert!(close(shop.click_probability(&message), 0.0));
    }

    fn bought(item: u32, at: i64) -> Purchase {
        Purchase {
            at,
            item,
            quantity: 1,
        }
    }
}
