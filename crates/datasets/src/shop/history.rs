//! A shopper's year: visits, searches, views, baskets, refunds and reviews, in the simulator's compact form.

use events::Channel;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::calendar::{Calendar, DAY};
use super::catalogue::Catalogue;
use super::params as p;
use super::random::{Domain, lognormal, normal, sigmoid, stream};
use super::session::Session;
use super::shopper::{Shopper, draw_hour};

/// Which identifiers an event carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// The account alone.
    User,
    /// A device that is not signed in.
    Device(u8),
    /// The account and the device it signs in on.
    UserOn(u8),
}

/// A line of a basket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) item: u32,
    pub(crate) quantity: u32,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Deed {
    /// The account is made or signed in to; the traits are stated when it is made.
    Identify {
        traits: bool,
    },
    Search {
        item: u32,
        colour: u8,
    },
    View(u32),
    Add(u32),
    Order {
        number: u32,
        lines: Vec<Line>,
    },
    Refund {
        number: u32,
        lines: Vec<Line>,
    },
    Review {
        item: u32,
        stars: u8,
        text: u8,
    },
    Unsubscribe(Channel),
    /// The consents are stated again after one was withdrawn.
    Withdraw(Channel),
}

/// One thing that happened, before it is put into words.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Record {
    pub(crate) at: i64,
    pub(crate) shopper: u32,
    /// Running number within the shopper.
    pub(crate) sequence: u32,
    pub(crate) who: Who,
    pub(crate) deed: Deed,
}

/// One product that a shopper bought.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Purchase {
    pub(crate) at: i64,
    pub(crate) item: u32,
    pub(crate) quantity: u32,
}

/// What the simulation of one shopper needs to know.
pub(crate) struct Scene<'a> {
    pub(crate) catalogue: &'a Catalogue,
    pub(crate) calendar: &'a Calendar,
    pub(crate) shopper: &'a Shopper,
    pub(crate) start: i64,
    pub(crate) end: i64,
}

/// What one shopper did, in time order, and what remained in the house.
#[derive(Debug, Default)]
pub(crate) struct History {
    pub(crate) records: Vec<Record>,
    pub(crate) purchases: Vec<Purchase>,
}

/// A product that will be needed again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Need {
    pub(crate) due: i64,
    pub(crate) item: u32,
}

/// Lives one shopper's life from the start of the history to its end.
pub(crate) fn live(scene: &Scene<'_>, index: usize, seed: u64) -> History {
    let rng = &mut stream(seed, Domain::History, index as u64);
    let shopper = scene.shopper;
    let mut diary = Diary::default();
    diary.note(
        shopper.joined,
        Who::UserOn(0),
        Deed::Identify { traits: true },
    );
    for permission in &shopper.permissions {
        if let Some(at) = permission.withdrawn {
            diary.note(at, Who::User, Deed::Unsubscribe(permission.channel));
            diary.note(at + 1, Who::User, Deed::Withdraw(permission.channel));
        }
    }
    if rng.random_bool(p::BROWSED_BEFORE) {
        let before = shopper.joined - rng.random_range(0..p::BROWSED_DAYS) * DAY - 3_600;
        if before > scene.start {
            Session::before_joining(scene, before).run(None, &mut diary, rng);
        }
    }
    let mut visit = shopper.joined + 60;
    while visit < scene.end {
        let need = diary.take_need_before(visit);
        let at = need.map_or(visit, |need| settle(scene, need.due, rng));
        if at < scene.end {
            Session::new(scene, at, rng).run(need, &mut diary, rng);
        }
        if need.is_none() {
            visit = next_visit(scene, visit, rng);
        }
    }
    diary.into_history(index, scene.end)
}

/// The moment of the next visit: a gap of the shopper's cadence, a day of the week and an hour of the liking.
fn next_visit(scene: &Scene<'_>, last: i64, rng: &mut ChaCha8Rng) -> i64 {
    // The sum of two exponential gaps: visits are less bursty than a Poisson process.
    let half_gaps = -(rng.random::<f64>().max(1e-12).ln() + rng.random::<f64>().max(1e-12).ln());
    let gap = scene.shopper.cadence_days * half_gaps / 2.0;
    let mut day = last + (gap.max(0.1) * DAY as f64) as i64;
    let weekend = scene.shopper.weekend;
    for _ in 0..6 {
        let local = scene.calendar.local(scene.shopper.zone, day);
        let weight = match local.weekday().to_monday_zero_offset() {
            5 | 6 => weekend,
            _ => 1.0,
        };
        if rng.random::<f64>() < weight / weekend.max(1.0) {
            break;
        }
        day += DAY;
    }
    settle(scene, day, rng).max(last + 3_600)
}

/// Moves a moment to an hour at which the shopper is about.
fn settle(scene: &Scene<'_>, day: i64, rng: &mut ChaCha8Rng) -> i64 {
    let hour = draw_hour(&scene.shopper.peaks, rng);
    let second = rng.random_range(0..60);
    scene
        .calendar
        .at_hour(scene.shopper.zone, day, hour)
        .max(scene.shopper.joined + 60)
        + second
}

/// What is being written down while a life is lived.
#[derive(Debug, Default)]
pub(crate) struct Diary {
    entries: Vec<(i64, Who, Deed)>,
    purchases: Vec<Purchase>,
    needs: Vec<Need>,
    orders: u32,
}

impl Diary {
    pub(crate) fn note(&mut self, at: i64, who: Who, deed: Deed) {
        self.entries.push((at, who, deed));
    }

    /// Records an order with what follows from it: refunds, reviews and things that will be needed again.
    pub(crate) fn order(
        &mut self,
        scene: &Scene<'_>,
        at: i64,
        who: Who,
        lines: Vec<Line>,
        rng: &mut ChaCha8Rng,
    ) {
        let number = self.orders;
        self.orders += 1;
        for line in &lines {
            self.purchases.push(Purchase {
                at,
                item: line.item,
                quantity: line.quantity,
            });
            if rng.random_bool(p::REFUND) {
                let later =
                    at + rng.random_range(p::REFUND_DAYS) * DAY + rng.random_range(0..DAY / 2);
                let lines = vec![*line];
                self.note(later, Who::User, Deed::Refund { number, lines });
            } else if rng.random_bool(p::REVIEW) {
                let later =
                    at + rng.random_range(p::REVIEW_DAYS) * DAY + rng.random_range(0..DAY / 2);
                self.note(later, Who::User, review(scene, at, line.item, rng));
            }
            self.foresee(scene, at, *line, rng);
        }
        self.note(at, who, Deed::Order { number, lines });
    }

    /// Plans the next purchase of something that is used up.
    fn foresee(&mut self, scene: &Scene<'_>, at: i64, line: Line, rng: &mut ChaCha8Rng) {
        let lasts = scene.catalogue.items[line.item as usize].lasts_days();
        let again = self.needs.iter().any(|need| need.item == line.item);
        let buys_again = sigmoid(p::AGAIN_BASE + p::AGAIN_LOYALTY * scene.shopper.loyalty);
        if lasts > 0.0 && !again && rng.random_bool(buys_again) {
            let days = lasts * scene.shopper.household * f64::from(line.quantity);
            let due = at + (lognormal(rng, days, p::NEED_NOISE) * DAY as f64) as i64;
            self.needs.push(Need {
                due,
                item: line.item,
            });
        }
    }

    fn take_need_before(&mut self, visit: i64) -> Option<Need> {
        let next = (0..self.needs.len()).min_by_key(|index| self.needs[*index].due)?;
        (self.needs[next].due < visit).then(|| self.needs.swap_remove(next))
    }

    fn into_history(mut self, index: usize, end: i64) -> History {
        self.entries.retain(|(at, ..)| *at < end);
        self.entries.sort_by_key(|(at, ..)| *at);
        self.purchases.retain(|purchase| purchase.at < end);
        self.purchases.sort_by_key(|purchase| purchase.at);
        let number = |(sequence, (at, who, deed))| Record {
            at,
            shopper: index as u32,
            sequence: sequence as u32,
            who,
            deed,
        };
        History {
            records: self.entries.into_iter().enumerate().map(number).collect(),
            purchases: self.purchases,
        }
    }
}

/// A review whose stars follow the taste for the product.
fn review(scene: &Scene<'_>, at: i64, item: u32, rng: &mut ChaCha8Rng) -> Deed {
    let liking = super::taste::affinity(
        scene.shopper.taste(scene.start, at),
        &scene.catalogue.items[item as usize].vector,
    );
    let (mean, by_liking, sd) = p::STARS;
    let stars = mean + by_liking * liking + sd * normal(rng);
    Deed::Review {
        item,
        stars: stars.round().clamp(1.0, 5.0) as u8,
        text: rng.random_range(0..3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ShopConfig, SimulatedShop};

    /// The small shop, and one of its shoppers seen from inside.
    fn scene(shop: &SimulatedShop) -> Scene<'_> {
        Scene {
            catalogue: &shop.catalogue,
            calendar: &shop.calendar,
            shopper: &shop.shoppers[0],
            start: shop.start,
            end: shop.end,
        }
    }

    fn shop() -> SimulatedShop {
        SimulatedShop::new(ShopConfig::small(), 2).expect("valid")
    }

    #[test]
    fn needs_are_met_in_the_order_in_which_they_are_due() {
        let mut diary = Diary::default();
        for (due, item) in [(30, 1), (10, 2), (20, 3)] {
            diary.needs.push(Need { due, item });
        }
        assert_eq!(diary.take_need_before(10), None);
        assert_eq!(diary.take_need_before(25), Some(Need { due: 10, item: 2 }));
        assert_eq!(diary.take_need_before(25), Some(Need { due: 20, item: 3 }));
        assert_eq!(diary.take_need_before(25), None);
    }

    #[test]
    fn only_what_is_used_up_is_needed_again_and_only_once_at_a_time() {
        let mut shop = shop();
        shop.shoppers[0].loyalty = 50.0;
        let scene = scene(&shop);
        let place = |key: &str| {
            let mut items = scene.catalogue.items.iter();
            let place = items.position(|item| item.product.id.starts_with(key));
            place.expect("the category has members") as u32
        };
        let rng = &mut stream(1, Domain::History, 0);
        let mut diary = Diary::default();
        for item in [place("mugs-"), place("tea-"), place("tea-")] {
            diary.foresee(&scene, scene.start, Line { item, quantity: 1 }, rng);
        }
        assert_eq!(diary.needs.len(), 1);
        let days = (diary.needs[0].due - scene.start) as f64 / DAY as f64;
        let usual = 35.0 * scene.shopper.household;
        assert!((0.5 * usual..2.0 * usual).contains(&days), "{days}");
    }

    #[test]
    fn visits_follow_the_cadence() {
        let mut shop = shop();
        shop.shoppers[0].cadence_days = 10.0;
        let scene = scene(&shop);
        let rng = &mut stream(1, Domain::History, 0);
        let first = shop.shoppers[0].joined;
        let mut last = first;
        for _ in 0..2_000 {
            let next = next_visit(&scene, last, rng);
            assert!(next > last);
            last = next;
        }
        let mean = (last - first) as f64 / DAY as f64 / 2_000.0;
        assert!((9.0..13.0).contains(&mean), "{mean}");
    }

    #[test]
    fn a_life_is_in_order_ends_with_the_history_and_repeats_with_its_seed() {
        let shop = shop();
        let scene = scene(&shop);
        let history = live(&scene, 0, 2);
        assert_eq!(history.records, live(&scene, 0, 2).records);
        assert_ne!(history.records, live(&scene, 0, 3).records);
        let ordered = |pair: &[Record]| pair[0].at <= pair[1].at;
        assert!(history.records.windows(2).all(ordered));
        assert!(history.records.iter().all(|record| record.at < scene.end));
        let bought: usize = history
            .records
            .iter()
            .map(|record| match &record.deed {
                Deed::Order { lines, .. } => lines.len(),
                _ => 0,
            })
            .sum();
        assert_eq!(history.purchases.len(), bought);
    }
}
