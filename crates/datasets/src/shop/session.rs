//! One visit to the shop: an intention, some looking around, perhaps a basket and an order.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::calendar::DAY;
use super::categories::CATEGORIES;
use super::history::{Deed, Diary, Line, Need, Scene, Who};
use super::params as p;
use super::random::{lognormal, pick, sigmoid};
use super::taste::{Vector, affinity};

/// A visit in progress.
pub(crate) struct Session<'a> {
    scene: &'a Scene<'a>,
    taste: &'a Vector,
    now: i64,
    device: u8,
    signed_in: bool,
    has_account: bool,
    basket: Vec<Line>,
}

impl<'a> Session<'a> {
    pub(crate) fn new(scene: &'a Scene<'a>, at: i64, rng: &mut ChaCha8Rng) -> Self {
        Self {
            scene,
            taste: scene.shopper.taste(scene.start, at),
            now: at,
            device: rng.random_range(0..scene.shopper.devices.len()) as u8,
            signed_in: rng.random_bool(p::SIGNED_IN),
            has_account: true,
            basket: Vec::new(),
        }
    }

    /// A visit on the first device before there is an account: it ends without an order.
    pub(crate) fn before_joining(scene: &'a Scene<'a>, at: i64) -> Self {
        Self {
            scene,
            taste: scene.shopper.taste(scene.start, at),
            now: at,
            device: 0,
            signed_in: false,
            has_account: false,
            basket: Vec::new(),
        }
    }

    /// Looks around, or comes for the one thing that has run out, and perhaps orders.
    pub(crate) fn run(mut self, need: Option<Need>, diary: &mut Diary, rng: &mut ChaCha8Rng) {
        let mut views = 1;
        let mut item = if let Some(need) = need {
            need.item as usize
        } else {
            while views < p::MOST_VIEWS && rng.random_bool(p::LOOKS_ON) {
                views += 1;
            }
            let category = self.intention(rng);
            let Some(item) = self.choose(category, rng) else {
                return;
            };
            item
        };
        if rng.random_bool(p::SEARCHES) {
            let colour = rng.random_range(0..36);
            let deed = Deed::Search {
                item: item as u32,
                colour,
            };
            self.note(deed, diary, rng);
        }
        for view in 0..views {
            self.note(Deed::View(item as u32), diary, rng);
            if (need.is_some() && view == 0) || rng.random_bool(self.wants(item)) {
                self.add(item, diary, rng);
                self.add_complements(item, diary, rng);
            }
            match self.next(item, rng) {
                Some(next) => item = next,
                None => break,
            }
        }
        let buys = if need.is_some() {
            p::ORDERS_NEED
        } else {
            p::ORDERS
        };
        if self.has_account && !self.basket.is_empty() && rng.random_bool(buys) {
            self.check_out(diary, rng);
        }
    }

    fn check_out(&mut self, diary: &mut Diary, rng: &mut ChaCha8Rng) {
        if !self.signed_in {
            self.signed_in = true;
            let who = Who::UserOn(self.device);
            diary.note(self.now, who, Deed::Identify { traits: false });
        }
        self.now += 30 + rng.random_range(0..120);
        let lines = std::mem::take(&mut self.basket);
        diary.order(self.scene, self.now, self.who(), lines, rng);
    }

    /// The category that the visit is about: taste, season and chance.
    fn intention(&self, rng: &mut ChaCha8Rng) -> usize {
        let day = (self.now.rem_euclid(365 * DAY + DAY / 4) / DAY) as f64;
        let weights: Vec<f64> = CATEGORIES
            .iter()
            .zip(&self.scene.catalogue.categories)
            .map(|(category, direction)| {
                let (peak, strength) = category.season;
                let phase = (day - peak) / 365.0 * std::f64::consts::TAU;
                (p::INTENTION_TASTE * affinity(self.taste, direction) + strength * phase.cos())
                    .exp()
            })
            .collect();
        pick(&weights, rng)
    }

    /// A product of a category: taste, popularity and price.
    fn choose(&self, category: usize, rng: &mut ChaCha8Rng) -> Option<usize> {
        let members = &self.scene.catalogue.members[category];
        let weights: Vec<f64> = members.iter().map(|item| self.pull(*item)).collect();
        (weights.iter().sum::<f64>() > 0.0).then(|| members[pick(&weights, rng)])
    }

    fn pull(&self, item: usize) -> f64 {
        let item = &self.scene.catalogue.items[item];
        if item.launched > self.now {
            return 0.0;
        }
        let shopper = self.scene.shopper;
        let price = shopper.price_sensitivity * item.price_z;
        let fame = (1.0 + p::CHOICE_CONFORMITY * shopper.conformity).max(0.0) * item.appeal;
        let is_new = (self.now - item.launched) as f64 <= p::NOVEL_DAYS * DAY as f64;
        let news = p::CHOICE_NOVELTY * shopper.novelty_seeking * f64::from(u8::from(is_new));
        (p::CHOICE_TASTE * affinity(self.taste, &item.vector) + fame + news
            - p::CHOICE_PRICE * price)
            .exp()
    }

    /// What is looked at after `item`: something that goes with it, something like it, or something else.
    fn next(&self, item: usize, rng: &mut ChaCha8Rng) -> Option<usize> {
        match pick(&p::NEXT_VIEW, rng) {
            0 => self.complement(item, rng).or(Some(item)),
            1 => self.choose(self.scene.catalogue.items[item].category, rng),
            _ => {
                let category = self.intention(rng);
                self.choose(category, rng)
            }
        }
    }

    fn complement(&self, item: usize, rng: &mut ChaCha8Rng) -> Option<usize> {
        let complements = &self.scene.catalogue.items[item].complements;
        let weights: Vec<f64> = complements.iter().map(|other| self.pull(*other)).collect();
        (weights.iter().sum::<f64>() > 0.0).then(|| complements[pick(&weights, rng)])
    }

    /// P(the product goes into the basket | it is looked at).
    fn wants(&self, item: usize) -> f64 {
        let item = &self.scene.catalogue.items[item];
        sigmoid(
            p::ADD_BASE + p::ADD_TASTE * affinity(self.taste, &item.vector)
                - p::ADD_PRICE * self.scene.shopper.price_sensitivity * item.price_z,
        )
    }

    fn add(&mut self, item: usize, diary: &mut Diary, rng: &mut ChaCha8Rng) {
        let item = item as u32;
        let known = self.basket.iter().any(|line| line.item == item);
        if known || self.basket.len() >= p::LARGEST_BASKET {
            return;
        }
        let quantity = 1 + pick(&p::QUANTITIES, rng) as u32;
        self.basket.push(Line { item, quantity });
        self.note(Deed::Add(item), diary, rng);
    }

    fn add_complements(&mut self, item: usize, diary: &mut Diary, rng: &mut ChaCha8Rng) {
        if rng.random_bool(p::ADDS_COMPLEMENT)
            && let Some(other) = self.complement(item, rng)
        {
            self.note(Deed::View(other as u32), diary, rng);
            self.add(other, diary, rng);
        }
    }

    fn note(&mut self, deed: Deed, diary: &mut Diary, rng: &mut ChaCha8Rng) {
        diary.note(self.now, self.who(), deed);
        self.now += 1 + lognormal(rng, p::VIEW_SECONDS, p::VIEW_SECONDS_SD).min(1_800.0) as i64;
    }

    fn who(&self) -> Who {
        if self.signed_in {
            Who::UserOn(self.device)
        } else {
            Who::Device(self.device)
        }
    }
}
