//! The shoppers: their latent tastes, their habits and how they take messages.

use events::{Channel, Identity, Strategy};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::Gamma;

use super::calendar::{Calendar, DAY, Zone};
use super::catalogue::Catalogue;
use super::config::ShopConfig;
use super::params as p;
use super::random::{Domain, lognormal, normal, pick, stream};
use super::taste::{Vector, blend, direction, walk};

/// One peak of the day at which a shopper is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peak {
    pub(crate) hour: f64,
    pub(crate) weight: f64,
}

/// A consent in the simulator's own time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Permission {
    pub(crate) channel: Channel,
    pub(crate) granted: i64,
    pub(crate) withdrawn: Option<i64>,
}

/// One simulated person.
#[derive(Debug, Clone)]
pub(crate) struct Shopper {
    pub(crate) user_id: String,
    pub(crate) devices: Vec<String>,
    pub(crate) zh: bool,
    pub(crate) zone: Zone,
    /// When the account was made.
    pub(crate) joined: i64,
    /// One direction a week from the start of the history on.
    pub(crate) tastes: Vec<Vector>,
    /// 0 is indifferent to prices, 1 is usual.
    pub(crate) price_sensitivity: f64,
    pub(crate) novelty_seeking: f64,
    pub(crate) conformity: f64,
    pub(crate) loyalty: f64,
    /// Personal liking of each strategy, in the order of [`Strategy::ALL`].
    pub(crate) strategies: [f64; Strategy::ALL.len()],
    /// Personal liking of each channel, in the order of [`Channel::ALL`].
    pub(crate) channels: [f64; Channel::ALL.len()],
    pub(crate) peaks: [Peak; 2],
    /// The density of the peaks where it is highest.
    pub(crate) top_density: f64,
    /// Factor on visits at weekends.
    pub(crate) weekend: f64,
    /// Mean days between two visits.
    pub(crate) cadence_days: f64,
    /// Factor on how long a pack lasts: a large household uses it up faster.
    pub(crate) household: f64,
    pub(crate) fatigue_sensitivity: f64,
    pub(crate) permissions: Vec<Permission>,
}

impl Shopper {
    pub(crate) fn draw(
        index: usize,
        config: &ShopConfig,
        (catalogue, calendar): (&Catalogue, &Calendar),
        (start, end): (i64, i64),
        seed: u64,
    ) -> Self {
        let rng = &mut stream(seed, Domain::Shopper, index as u64);
        let zh = rng.random_bool(config.zh_share);
        let devices = 1 + usize::from(rng.random_bool(p::SECOND_DEVICE));
        let zone = if zh { Zone::Shanghai } else { Zone::London };
        let peaks = draw_peaks(rng);
        let joined = if rng.random_bool(p::JOINED_WITHIN) {
            start + (rng.random::<f64>() * (end - start - 2 * DAY) as f64) as i64
        } else {
            // The accounts that existed before are seen as they first come back.
            start + (rng.random::<f64>().powi(2) * (p::RETURN_DAYS * DAY) as f64) as i64
        };
        let hour = draw_hour(&peaks, rng);
        let joined = calendar.at_hour(zone, joined, hour).max(start);
        let weeks = config.days as usize / 7 + p::WEEKS_AFTER_END;
        let first_taste = first_taste(catalogue, rng);
        Self {
            user_id: format!("u{:06}", 100_000 + index),
            devices: (0..devices)
                .map(|_| format!("anon-{:016x}", rng.random::<u64>()))
                .collect(),
            zh,
            zone,
            joined,
            tastes: walk(first_taste, weeks, p::DRIFT_STEP, rng),
            price_sensitivity: gamma(p::PRICE_SENSITIVITY_SHAPE, 1.0, rng),
            novelty_seeking: normal(rng),
            conformity: normal(rng),
            loyalty: normal(rng),
            strategies: std::array::from_fn(|_| p::STRATEGY_SD * normal(rng)),
            channels: std::array::from_fn(|_| p::CHANNEL_SD * normal(rng)),
            peaks,
            top_density: peaks
                .iter()
                .map(|peak| density(&peaks, peak.hour))
                .fold(0.0, f64::max),
            weekend: lognormal(rng, p::WEEKEND_MEDIAN, p::WEEKEND_SD),
            cadence_days: lognormal(rng, p::CADENCE_DAYS, p::CADENCE_SD),
            household: lognormal(rng, 1.0, p::HOUSEHOLD_SD),
            fatigue_sensitivity: gamma(p::FATIGUE_SHAPE, 1.0, rng),
            permissions: permissions(joined, end, rng),
        }
    }

    /// The taste that holds at a moment; the last one after the walk ends.
    pub(crate) fn taste(&self, start: i64, unix: i64) -> &Vector {
        let week = (unix - start).div_euclid(7 * DAY).max(0) as usize;
        &self.tastes[week.min(self.tastes.len() - 1)]
    }

    /// How much the shopper is about at an hour of the day: 1 at the top of the highest peak.
    pub(crate) fn presence(&self, hour: f64) -> f64 {
        (density(&self.peaks, hour) / self.top_density).min(1.0)
    }

    /// Whether messages on a channel are allowed at a moment.
    pub(crate) fn permits(&self, channel: Channel, unix: i64) -> bool {
        self.permissions.iter().any(|permission| {
            permission.channel == channel
                && permission.granted <= unix
                && permission.withdrawn.is_none_or(|at| at > unix)
        })
    }

    /// The language tag under which the shopper is addressed.
    pub(crate) fn locale(&self) -> &'static str {
        if self.zh { "zh-CN" } else { "en-GB" }
    }

    /// The name under which the shopper signs in.
    pub(crate) fn identity(&self) -> Identity {
        Identity::User(self.user_id.clone())
    }
}

/// A mixture of a few favourite categories and something of one's own.
fn first_taste(catalogue: &Catalogue, rng: &mut ChaCha8Rng) -> Vector {
    let favourites = 1 + pick(&p::FAVOURITES, rng);
    let mut parts = vec![(p::TASTE_OWN, direction(rng))];
    for rank in 0..favourites {
        let category = rng.random_range(0..catalogue.categories.len());
        parts.push((1.0 / (1 + rank) as f64, catalogue.categories[category]));
    }
    blend(&parts)
}

/// An hour of the day at which somebody with these peaks is about, 0 to 24.
pub(crate) fn draw_hour(peaks: &[Peak; 2], rng: &mut ChaCha8Rng) -> f64 {
    let peak = peaks[pick(&peaks.map(|peak| peak.weight), rng)];
    (peak.hour + p::PEAK_WIDTH_HOURS * normal(rng)).rem_euclid(24.0)
}

/// The unnormalised density of being about at an hour, around the clock.
fn density(peaks: &[Peak; 2], hour: f64) -> f64 {
    peaks
        .iter()
        .map(|peak| {
            let apart = (hour - peak.hour).abs();
            let z = apart.min(24.0 - apart) / p::PEAK_WIDTH_HOURS;
            peak.weight * (-0.5 * z * z).exp()
        })
        .sum()
}

/// A morning person looks in at breakfast and at lunch, the others at lunch and in the evening.
fn draw_peaks(rng: &mut ChaCha8Rng) -> [Peak; 2] {
    let (first, second) = p::DAY_TYPES[pick(&p::DAY_TYPE_SHARES, rng)];
    let main = rng.random_range(p::MAIN_PEAK);
    [(first, main), (second, 1.0 - main)].map(|(hour, weight)| Peak {
        hour: (hour + p::PEAK_SHIFT_HOURS * normal(rng)).rem_euclid(24.0),
        weight,
    })
}

fn permissions(joined: i64, end: i64, rng: &mut ChaCha8Rng) -> Vec<Permission> {
    if rng.random_bool(p::CONSENTS_TO_NOTHING) {
        return Vec::new();
    }
    let years = (end - joined) as f64 / (365.0 * DAY as f64);
    let mut permissions = Vec::new();
    for (channel, share) in Channel::ALL.into_iter().zip(p::CONSENT_SHARES) {
        let (granted, leaves, when) = (
            rng.random_bool(share),
            rng.random_bool(1.0 - (-p::WITHDRAWALS_PER_YEAR * years).exp()),
            rng.random::<f64>(),
        );
        if granted {
            let left = joined + DAY + (when * (end - joined - DAY) as f64) as i64;
            permissions.push(Permission {
                channel,
                granted: joined,
                withdrawn: (leaves && left < end).then_some(left),
            });
        }
    }
    permissions
}

/// A gamma draw with the given shape and mean.
fn gamma(shape: f64, mean: f64, rng: &mut ChaCha8Rng) -> f64 {
    let gamma = Gamma::new(shape, mean / shape).expect("invariant: shape and scale are positive");
    rng.sample(gamma)
}
