//! Every constant of the simulated shop, with its reason.
//!
//! They are frozen: a policy must never be tuned together with the world it is judged in. The test
//! `frozen` pins a hash of what they generate.
//!
//! | group | constants | reason |
//! |---|---|---|
//! | latent space | `CATEGORY_WORLD` … `PRODUCT_OWN` | a product is mostly its category, so tastes generalise, and partly itself, so there is something left to learn |
//! | popularity | `APPEAL_SD` | spreads orders so that the Gini coefficient lies near 0.6, usual for a shop of this size |
//! | catalogue | `LAUNCHED_WITHIN` … `COMPLEMENTS_PER_CATEGORY` | a fifth of the range is new within the year: cold start; a tenth is on sale; a few are sold out |
//! | tastes | `FAVOURITES`, `TASTE_OWN`, `DRIFT_STEP` | one to three favourite categories; a taste turns by about 0.7 rad in a year |
//! | habits | `DAY_TYPES` … `CADENCE_SD` | two daily peaks, a log-normal cadence: few shoppers visit weekly, most a few times a year |
//! | visits | `SIGNED_IN` … `LARGEST_BASKET` | some five views a visit and an order in every seventh to eighth, baskets of 1 to 6 lines |
//! | next view | `NEXT_VIEW` | complements and likeness dominate, so that a sequence says more than popularity |
//! | aftermath | `REFUND` … `NEED_NOISE` | refunds and reviews at usual rates; half of what is used up is bought again, on time within a fifth |
//! | consents | `CONSENT_SHARES` … `WITHDRAWALS_PER_YEAR` | not everyone may be written to, and some leave |
//! | click | `CLICK_*` | about 2 % for a uniformly random message, and several times that for the best one |
//! | order | `ORDER_*` | about 8 % of random clicks order |
//! | leaving | `LEAVE_*` | about 0.1 % a message, multiplied by fatigue and by irrelevance |

use std::ops::Range;

use events::{Channel, Strategy};

/// Weight of the world's direction in a category's, beside 1 for its own.
pub(crate) const CATEGORY_WORLD: f64 = 0.9;
/// Weight of the category in a product's direction.
pub(crate) const PRODUCT_CATEGORY: f64 = 1.0;
/// Weight of the brand in a product's direction.
pub(crate) const PRODUCT_BRAND: f64 = 0.35;
/// Weight of what is the product's own in its direction.
pub(crate) const PRODUCT_OWN: f64 = 0.4;
/// Standard deviation of log popularity.
pub(crate) const APPEAL_SD: f64 = 0.9;

/// Share of the products that enter the shop within the history.
pub(crate) const LAUNCHED_WITHIN: f64 = 0.2;
/// Share of the products with a sale price.
pub(crate) const ON_SALE: f64 = 0.12;
/// Days before the end of the history since when sale prices hold.
pub(crate) const SALE_DAYS: i64 = 30;
/// Share of the products that are out of stock when the history ends.
pub(crate) const SOLD_OUT: f64 = 0.04;
/// What a piece costs the shop, as a share of its price.
pub(crate) const COST_SHARE: Range<f64> = 0.35..0.6;
/// Median pieces in stock.
pub(crate) const STOCK: f64 = 80.0;
/// Log standard deviation of the stock.
pub(crate) const STOCK_SD: f64 = 0.9;
/// Renminbi for a pound.
pub(crate) const CNY_PER_GBP: f64 = 9.0;
/// Complements of a product in each category that goes with its own.
pub(crate) const COMPLEMENTS_PER_CATEGORY: usize = 2;

/// Weights of having one, two or three favourite categories.
pub(crate) const FAVOURITES: [f64; 3] = [0.3, 0.45, 0.25];
/// Weight of a shopper's own direction beside the favourites.
pub(crate) const TASTE_OWN: f64 = 0.4;
/// Length of a week's step of the taste, in radians.
pub(crate) const DRIFT_STEP: f64 = 0.1;
/// Weeks of taste kept after the end of the history, for campaigns that follow it.
pub(crate) const WEEKS_AFTER_END: usize = 27;
/// Shape of the gamma distribution of price sensitivity, whose mean is 1.
pub(crate) const PRICE_SENSITIVITY_SHAPE: f64 = 2.5;

/// Hours of the two daily peaks of a type of person.
pub(crate) const DAY_TYPES: [(f64, f64); 3] = [(8.0, 12.5), (12.5, 20.0), (20.5, 13.0)];
/// Shares of the types.
pub(crate) const DAY_TYPE_SHARES: [f64; 3] = [0.25, 0.45, 0.3];
/// Weight of the type's first peak.
pub(crate) const MAIN_PEAK: Range<f64> = 0.55..0.9;
/// Standard deviation of the hours of the peaks between shoppers.
pub(crate) const PEAK_SHIFT_HOURS: f64 = 0.8;
/// Standard deviation of a peak, in hours.
pub(crate) const PEAK_WIDTH_HOURS: f64 = 1.4;
/// Median of the factor on visits at weekends.
pub(crate) const WEEKEND_MEDIAN: f64 = 1.3;
/// Log standard deviation of that factor.
pub(crate) const WEEKEND_SD: f64 = 0.5;
/// Median days between visits.
pub(crate) const CADENCE_DAYS: f64 = 46.0;
/// Log standard deviation of the cadence between shoppers.
pub(crate) const CADENCE_SD: f64 = 0.75;
/// Log standard deviation of how long a pack lasts between households.
pub(crate) const HOUSEHOLD_SD: f64 = 0.25;
/// Share of shoppers who join within the history.
pub(crate) const JOINED_WITHIN: f64 = 0.35;
/// Days within which the accounts older than the history come back, most of them early.
pub(crate) const RETURN_DAYS: i64 = 28;
/// Share of shoppers who visited anonymously before they joined.
pub(crate) const BROWSED_BEFORE: f64 = 0.5;
/// Days before joining within which that was.
pub(crate) const BROWSED_DAYS: i64 = 14;
/// Share of shoppers with a second device.
pub(crate) const SECOND_DEVICE: f64 = 0.35;

/// Share of visits that begin signed in.
pub(crate) const SIGNED_IN: f64 = 0.6;
/// Share of visits that begin with a search.
pub(crate) const SEARCHES: f64 = 0.35;
/// P(another view follows).
pub(crate) const LOOKS_ON: f64 = 0.74;
/// Most views of a visit.
pub(crate) const MOST_VIEWS: usize = 25;
/// Median seconds of a view.
pub(crate) const VIEW_SECONDS: f64 = 35.0;
/// Log standard deviation of them.
pub(crate) const VIEW_SECONDS_SD: f64 = 0.8;
/// Weight of taste in the choice of the category of a visit.
pub(crate) const INTENTION_TASTE: f64 = 3.5;
/// Weight of taste in the choice of a product.
pub(crate) const CHOICE_TASTE: f64 = 2.5;
/// Weight of price in the choice of a product.
pub(crate) const CHOICE_PRICE: f64 = 0.5;
/// Weights of what is looked at next: a complement, something like it, something else.
pub(crate) const NEXT_VIEW: [f64; 3] = [0.3, 0.5, 0.2];
/// Weight of conformity in it: the conforming follow popularity more.
pub(crate) const CHOICE_CONFORMITY: f64 = 0.3;
/// Weight of novelty seeking in it, for products that are new.
pub(crate) const CHOICE_NOVELTY: f64 = 0.6;
/// Logit of putting a viewed product into the basket.
pub(crate) const ADD_BASE: f64 = -2.5;
/// Weight of taste in that.
pub(crate) const ADD_TASTE: f64 = 1.2;
/// Weight of price in that.
pub(crate) const ADD_PRICE: f64 = 0.35;
/// P(a complement is added too).
pub(crate) const ADDS_COMPLEMENT: f64 = 0.35;
/// Weights of 1, 2, 3 and 4 pieces.
pub(crate) const QUANTITIES: [f64; 4] = [0.8, 0.14, 0.04, 0.02];
/// P(a basket is ordered).
pub(crate) const ORDERS: f64 = 0.6;
/// P(a basket is ordered when the shopper came for something that ran out).
pub(crate) const ORDERS_NEED: f64 = 0.8;
/// Most lines of a basket.
pub(crate) const LARGEST_BASKET: usize = 6;

/// P(a line is sent back).
pub(crate) const REFUND: f64 = 0.04;
/// Days after which it comes back.
pub(crate) const REFUND_DAYS: Range<i64> = 3..20;
/// P(a line that is kept is reviewed).
pub(crate) const REVIEW: f64 = 0.1;
/// Days after which it is reviewed.
pub(crate) const REVIEW_DAYS: Range<i64> = 5..25;
/// Stars of a review: mean, weight of taste, standard deviation.
pub(crate) const STARS: (f64, f64, f64) = (3.7, 1.2, 0.8);
/// Logit of buying something that is used up again when it runs out.
pub(crate) const AGAIN_BASE: f64 = 0.2;
/// Weight of loyalty in it.
pub(crate) const AGAIN_LOYALTY: f64 = 0.7;
/// Log standard deviation of when it runs out.
pub(crate) const NEED_NOISE: f64 = 0.18;

/// Share of shoppers who consent to nothing.
pub(crate) const CONSENTS_TO_NOTHING: f64 = 0.1;
/// Shares of the others who consent, in the order of [`Channel::ALL`].
pub(crate) const CONSENT_SHARES: [f64; Channel::ALL.len()] = [0.6, 0.35, 0.7, 0.95, 0.45];
/// Withdrawals of a consent in a year.
pub(crate) const WITHDRAWALS_PER_YEAR: f64 = 0.08;

/// Intercept of the click logit.
pub(crate) const CLICK_BASE: f64 = -4.13;
/// Weight of taste, a cosine.
pub(crate) const CLICK_TASTE: f64 = 1.6;
/// Weight of log popularity.
pub(crate) const CLICK_APPEAL: f64 = 0.25;
/// Weight of price sensitivity times standardised log price.
pub(crate) const CLICK_PRICE: f64 = 0.22;
/// Weight of something that is about to run out.
pub(crate) const CLICK_NEED: f64 = 0.8;
/// Weight of owning already what is not used up.
pub(crate) const CLICK_OWNED: f64 = -1.2;
/// Days for which a thing counts as owned.
pub(crate) const OWNED_DAYS: f64 = 180.0;
/// Weight of the hour: presence 0 to 1 around its mean.
pub(crate) const CLICK_HOUR: f64 = 0.9;
/// Mean presence over the waking day.
pub(crate) const MEAN_PRESENCE: f64 = 0.35;
/// Weight of fatigue: personal sensitivity times recent messages.
pub(crate) const CLICK_FATIGUE: f64 = -0.22;
/// Days after which half of a message is forgotten.
pub(crate) const FATIGUE_HALF_LIFE_DAYS: f64 = 5.0;
/// Shape of the gamma distribution of fatigue sensitivity, whose mean is 1.
pub(crate) const FATIGUE_SHAPE: f64 = 3.0;
/// Weight of having been shown the same product lately.
pub(crate) const CLICK_REPEAT: f64 = -0.5;
/// Days after which half of a showing of a product is forgotten.
pub(crate) const REPEAT_HALF_LIFE_DAYS: f64 = 14.0;
/// Effects of the channels, in the order of [`Channel::ALL`].
pub(crate) const CLICK_CHANNEL: [f64; Channel::ALL.len()] = [0.15, 0.25, 0.1, -0.3, -0.2];
/// Standard deviation of a shopper's own channel effects.
pub(crate) const CHANNEL_SD: f64 = 0.35;
/// Effects of the strategies, in the order of [`Strategy::ALL`].
pub(crate) const CLICK_STRATEGY: [f64; Strategy::ALL.len()] = [0.1, 0.0, 0.05, 0.0, 0.0, 0.05];
/// Standard deviation of a shopper's own strategy effects.
pub(crate) const STRATEGY_SD: f64 = 0.4;
/// Benefit: weight of 1 − price sensitivity.
pub(crate) const BENEFIT_QUALITY: f64 = 0.4;
/// Novelty: of a new product, of novelty seeking, and of a product that is not new.
pub(crate) const NOVELTY: (f64, f64, f64) = (0.5, 0.4, -0.7);
/// Days for which a product is new.
pub(crate) const NOVEL_DAYS: f64 = 60.0;
/// Social proof: weight of popularity around its mean, and of conformity times that.
pub(crate) const SOCIAL_PROOF: (f64, f64) = (0.6, 0.7);
/// Replenishment: at the due time, of loyalty, and of something never bought or not used up.
pub(crate) const REPLENISHMENT: (f64, f64, f64) = (1.3, 0.4, -1.2);
/// Width of the due time on the logarithmic scale.
pub(crate) const DUE_WIDTH: f64 = 0.35;
/// Complement: of something bought lately, and of nothing.
pub(crate) const COMPLEMENT: (f64, f64) = (1.0, -0.6);
/// Days for which a purchase asks for its complement.
pub(crate) const COMPLEMENT_DAYS: f64 = 90.0;
/// Value: weight of price sensitivity − 1, and of a sale.
pub(crate) const VALUE: (f64, f64) = (0.5, 0.4);

/// Intercept of the order logit after a click.
pub(crate) const ORDER_BASE: f64 = -2.7;
/// Weight of taste in it.
pub(crate) const ORDER_TASTE: f64 = 1.1;
/// Weight of price in it.
pub(crate) const ORDER_PRICE: f64 = 0.4;
/// Weight of something that is about to run out.
pub(crate) const ORDER_NEED: f64 = 1.6;
/// Weight of a sale price.
pub(crate) const ORDER_SALE: f64 = 0.3;
/// Weight of owning it already.
pub(crate) const ORDER_OWNED: f64 = -1.5;

/// Intercept of the unsubscribe logit.
pub(crate) const LEAVE_BASE: f64 = -7.0;
/// Weight of fatigue.
pub(crate) const LEAVE_FATIGUE: f64 = 0.35;
/// Weight of taste: what is to one's liking drives fewer away.
pub(crate) const LEAVE_TASTE: f64 = -0.8;
/// Effects of the channels, in the order of [`Channel::ALL`].
pub(crate) const LEAVE_CHANNEL: [f64; Channel::ALL.len()] = [0.3, 0.5, 0.0, -1.5, -0.8];
