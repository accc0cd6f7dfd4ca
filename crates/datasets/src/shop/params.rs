//! Every constant of the simulated shop, with its reason.
//!
//! They are frozen: a policy must never be tuned together with the world it is judged in. The test `frozen` pins
//! hashes of what they generate. Prices, seasons and how long a pack lasts stand with each category, the tiers with
//! each brand.
//!
//! | constant | reason |
//! |---|---|
//! | `CATEGORY_WORLD` | neighbouring categories attract the same shoppers, so a taste generalises |
//! | `PRODUCT_CATEGORY` | the unit of the three: a product is mostly its category |
//! | `PRODUCT_BRAND` | brands matter, less than what a thing is |
//! | `PRODUCT_OWN` | leaves something that only the product's own history can teach |
//! | `APPEAL_SD` | spreads orders so that their Gini coefficient lies near 0.63 at the default size, as in real shops |
//! | `LAUNCHED_WITHIN` | a fifth of the range turns over in a year: products without history exist |
//! | `ON_SALE` | sales are the exception, so that value is an argument for some products only |
//! | `SALE_DAYS` | long enough to be seen in the history before a campaign |
//! | `SOLD_OUT` | a few products must be refused by every campaign |
//! | `COST_SHARE` | gross margins of 40 to 65 %, usual for home goods |
//! | `STOCK` | most products can be sold for weeks |
//! | `STOCK_SD` | some nearly run out |
//! | `CNY_PER_GBP` | a round rate of the last years |
//! | `COMPLEMENTS_PER_CATEGORY` | few enough that a complement is a strong hint |
//! | `FAVOURITES` | most people shop for one to three things |
//! | `TASTE_OWN` | no two shoppers with the same favourites are alike |
//! | `DRIFT_STEP` | a taste keeps a correlation of about 0.8 over a year: old events mislead, a little |
//! | `WEEKS_AFTER_END` | campaigns of half a year meet tastes that still move |
//! | `PRICE_SENSITIVITY_SHAPE` | skewed: many care a little, a few a lot |
//! | `DAY_TYPES` | breakfast, lunch and evening are when people shop |
//! | `DAY_TYPE_SHARES` | evenings are the most common |
//! | `MAIN_PEAK` | one peak leads, the second is visible |
//! | `PEAK_SHIFT_HOURS` | people of one type differ by an hour |
//! | `PEAK_WIDTH_HOURS` | the hour is predictable, not certain; few visits fall between 1 and 5 |
//! | `WEEKEND_MEDIAN` | weekends are busier for most |
//! | `WEEKEND_SD` | and quieter for some |
//! | `CADENCE_DAYS` | about 55 events a shopper and year, 225,000 in all at the default size |
//! | `CADENCE_SD` | few shoppers visit weekly, most a few times a year |
//! | `HOUSEHOLD_SD` | the time until a pack is empty is personal, within a factor of about 1.6 |
//! | `JOINED_WITHIN` | a third of the shoppers have a short history: cold start |
//! | `RETURN_DAYS` | old accounts do not all appear in the first second |
//! | `BROWSED_BEFORE` | anonymous events exist that an `identify` links later |
//! | `BROWSED_DAYS` | within the usual life of a cookie |
//! | `SECOND_DEVICE` | a third shop on a phone and a computer |
//! | `SIGNED_IN` | the others stay anonymous until they order |
//! | `SEARCHES` | about a third of visits search, as shops report |
//! | `LOOKS_ON` | a geometric number of views with mean near 4 |
//! | `MOST_VIEWS` | bounds a visit |
//! | `VIEW_SECONDS` | half a minute on a product page |
//! | `VIEW_SECONDS_SD` | with a long tail |
//! | `INTENTION_TASTE` | favourites are many times likelier than the rest, and the rest still happens |
//! | `CHOICE_TASTE` | taste and popularity weigh about alike within a category |
//! | `CHOICE_PRICE` | price sensitivity can be read from what is viewed |
//! | `NEXT_VIEW` | complements and likeness lead: a sequence says more than popularity |
//! | `CHOICE_CONFORMITY` | conformity can be read from what is viewed, so a learner can know whom social proof suits |
//! | `CHOICE_NOVELTY` | so can novelty seeking |
//! | `ADD_BASE` | with the next two, one view in five goes into the basket |
//! | `ADD_TASTE` | what is liked is bought |
//! | `ADD_PRICE` | what is dear is bought less |
//! | `ADDS_COMPLEMENT` | baskets hold pairs that a model can find |
//! | `QUANTITIES` | mostly one piece |
//! | `ORDERS` | some 40 % of baskets are left behind |
//! | `ORDERS_NEED` | who comes for a thing buys it |
//! | `LARGEST_BASKET` | bounds a basket |
//! | `REFUND` | usual for home goods |
//! | `REFUND_DAYS` | within a return period |
//! | `REVIEW` | one line in ten |
//! | `REVIEW_DAYS` | after some use |
//! | `STARS` | mostly 4, following taste |
//! | `AGAIN_BASE` | somewhat over half of what is used up is bought again |
//! | `AGAIN_LOYALTY` | loyalty can be read from repeats, so a learner can know whom replenishment suits |
//! | `NEED_NOISE` | the due date is known within a fifth |
//! | `CONSENTS_TO_NOTHING` | a tenth must never be written to |
//! | `CONSENT_SHARES` | banners are nearly always allowed, text messages seldom |
//! | `WITHDRAWALS_PER_YEAR` | histories hold withdrawn consents |
//! | `CLICK_BASE` | a uniformly random message is clicked by about 2 % |
//! | `CLICK_TASTE` | the best product for a shopper is worth several random ones |
//! | `CLICK_APPEAL` | popularity alone helps a little, so that it is a baseline to beat |
//! | `CLICK_PRICE` | dear products are clicked less by those who care |
//! | `CLICK_NEED` | what runs out is welcome, whatever is said about it |
//! | `CLICK_OWNED` | nobody wants the lamp bought last month |
//! | `OWNED_DAYS` | half a year |
//! | `CLICK_HOUR` | the right hour is worth a factor of up to 2.5 |
//! | `MEAN_PRESENCE` | centres the hour's effect over the waking day |
//! | `CLICK_FATIGUE` | five messages in a week cost about half of the clicks |
//! | `FATIGUE_HALF_LIFE_DAYS` | a week's rest heals most |
//! | `FATIGUE_SHAPE` | people differ in patience |
//! | `CLICK_REPEAT` | the same product again is worth 0.6 of the first time |
//! | `REPEAT_HALF_LIFE_DAYS` | forgotten in a month |
//! | `CLICK_CHANNEL` | text messages are noticed, banners are overlooked |
//! | `CHANNEL_SD` | everyone has a channel of one's own |
//! | `CLICK_STRATEGY` | no strategy is best for all by much: the best constant one gains about 1.4 |
//! | `STRATEGY_SD` | a personal liking that only feedback can teach |
//! | `BENEFIT_QUALITY` | who does not look at prices looks at quality |
//! | `NOVELTY` | news must be news |
//! | `NOVEL_DAYS` | two months |
//! | `SOCIAL_PROOF` | works for what is popular and for those who follow |
//! | `REPLENISHMENT` | the strongest argument in its time, pointless before, wrong for what was never bought |
//! | `DUE_WIDTH` | due from about 0.7 to 1.4 of the usual time |
//! | `COMPLEMENT` | strong where it is true |
//! | `COMPLEMENT_DAYS` | a season |
//! | `VALUE` | works for the price-sensitive and for sales |
//! | `ORDER_BASE` | about one random click in ten orders |
//! | `ORDER_TASTE` | clicks on what is liked convert |
//! | `ORDER_PRICE` | price weighs more with the purse open |
//! | `ORDER_NEED` | a need converts best |
//! | `ORDER_SALE` | so does a sale |
//! | `ORDER_OWNED` | a second lamp is not bought |
//! | `LEAVE_BASE` | about 0.07 % of first messages make somebody leave |
//! | `LEAVE_FATIGUE` | ten messages in a week multiply that by ten and more |
//! | `LEAVE_TASTE` | what is liked drives fewer away |
//! | `LEAVE_CHANNEL` | text messages annoy, banners do not |

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

#[cfg(test)]
mod tests {
    #[test]
    fn every_constant_has_its_reason_in_the_table() {
        let source = include_str!("params.rs");
        let names: Vec<&str> = source
            .lines()
            .filter_map(|line| line.strip_prefix("pub(crate) const "))
            .filter_map(|line| line.split(':').next())
            .collect();
        assert!(names.len() > 90, "{}", names.len());
        for name in names {
            assert!(source.contains(&format!("//! | `{name}` | ")), "{name}");
        }
    }
}
