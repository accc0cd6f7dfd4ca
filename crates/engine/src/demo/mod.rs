//! A simulated shop on the outside of the engine: it exports files, receives campaigns, and its shoppers react.
//!
//! Everything crosses the border as it would with a real shop: a product feed and events come in as files, a campaign
//! goes out as a file with the shoppers' identifiers, and what they did comes back as events that name the decision.
//! The truth, which no learner sees, is read here alone, for the comparison in the report.

mod files;
mod round;

use std::path::{Path, PathBuf};

use bandit::{Lift, two_means};
use datasets::{ShopConfig, SimulatedShop};
use events::{Channel, Goal, Timestamp};
use serde::{Deserialize, Serialize};

pub use round::RoundReport;

use crate::config::Config;
use crate::error::{EngineError, Result};
use crate::store::Store;
use round::Ledger;

/// Hours between two campaigns: every third day, at a quarter past eleven and at six in the evening in turn.
const HOURS_BETWEEN: [i64; 2] = [79, 65];
/// The first campaign goes out this long after the history's end, at midnight.
const FIRST_AFTER_HOURS: i64 = 11;
/// Confidence of the intervals.
const CONFIDENCE: f64 = 0.95;

/// A simulated shop and what happened in it so far.
pub struct Demo {
    shop: SimulatedShop,
    dir: PathBuf,
    seed: u64,
    channel: Channel,
    goal: Goal,
    ledger: Ledger,
}

/// What the demo measured, beside the truth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DemoReport {
    /// Seed of the shop and of everything after it.
    pub seed: u64,
    /// The channel of the campaigns.
    pub channel: String,
    /// What the campaigns were to achieve.
    pub goal: String,
    /// One entry a campaign.
    pub rounds: Vec<RoundReport>,
    /// Clicks per campaign and shopper under the policy over those under even draws, less 1.
    pub lift_over_random: Option<MeasuredLift>,
    /// The same over the second half of the campaigns, after the policy has learnt.
    pub late_lift_over_random: Option<MeasuredLift>,
    /// Orders per shopper with messages, less those in the holdout, which gets none.
    pub orders_over_holdout: Option<MeasuredLift>,
}

/// A lift as it was measured, beside the simulator's own expectation for the very same messages.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MeasuredLift {
    /// The estimate.
    pub value: f64,
    /// Lower end of its 95 % interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// The exact value.
    pub truth: f64,
    /// Shoppers treated.
    pub treated: u64,
    /// Shoppers in the control.
    pub control: u64,
    /// Mean of the treated.
    pub treated_mean: f64,
    /// Mean of the control.
    pub control_mean: f64,
}

impl Demo {
    /// Generates a shop whose files go to a folder.
    ///
    /// # Errors
    /// [`EngineError::Dataset`] for a configuration outside its range.
    pub fn new(small: bool, seed: u64, dir: &Path) -> Result<Self> {
        let config = if small {
            ShopConfig::small()
        } else {
            ShopConfig::default()
        };
        let shop = SimulatedShop::new(
            ShopConfig {
                dirt: true,
                ..config
            },
            seed,
        )?;
        Ok(Self {
            ledger: Ledger::new(&shop),
            shop,
            dir: dir.to_owned(),
            seed,
            channel: Channel::Push,
            goal: Goal::Click,
        })
    }

    /// The configuration that suits the shop: small models, and a control group large enough to measure against.
    pub fn config(&self, small: bool) -> Config {
        let mut config = Config::default();
        "Simulated shop".clone_into(&mut config.shop.name);
        self.shop
            .currency()
            .code()
            .clone_into(&mut config.shop.currency);
        config.campaign.seed = self.seed;
        config.campaign.control_share = 0.3;
        // Shares of a few hundred messages jump by whole messages; a small catalogue needs room.
        config.campaign.max_product_share = 0.05;
        config.model.seed = self.seed;
        config.model.epochs = if small { 2 } else { 6 };
        config.model.windows_per_shopper = 2;
        config.copywriter.model.seed = self.seed;
        // A third of the default's texts: the demo has three minutes for everything.
        config.copywriter.model.epochs = 4;
        config.copywriter.model.composed_texts = 400;
        config.copywriter.model.product_texts = 200;
        if small {
            config.copywriter.model = copywriter::native::NativeConfig::small();
            config.copywriter.drafts = 4;
            config.model.width = 32;
            config.model.hidden = 64;
            config.evaluation.bootstrap_resamples = 200;
        }
        for (name, rule) in [
            ("loyal", "orders >= 5 and recency_days < 60"),
            ("lapsing", "orders >= 2 and recency_days > 120"),
            ("browsing", "views >= 20 and orders = 0"),
        ] {
            config.segments.insert(name.to_owned(), rule.to_owned());
        }
        config
    }

    /// Writes the product feed and the year's events, as the shop would export them.
    ///
    /// # Errors
    /// [`EngineError::Io`] when a file cannot be written.
    pub fn write_files(&self) -> Result<(PathBuf, PathBuf)> {
        files::write(&self.shop, &self.dir)
    }

    /// When the next campaign goes out.
    pub fn next_at(&self) -> Timestamp {
        let round = self.ledger.rounds.len();
        let hours: i64 = (0..round).map(|round| HOURS_BETWEEN[round % 2]).sum();
        self.shop.end() + jiff::SignedDuration::from_hours(FIRST_AFTER_HOURS + hours)
    }

    /// One campaign: written, sent, reacted to, and learnt from.
    ///
    /// # Errors
    /// Those of the campaign, of the import and of the policy.
    pub fn round(&mut self, store: &mut Store, config: &Config) -> Result<RoundReport> {
        round::run(self, store, config)
    }

    /// What was measured so far.
    ///
    /// # Errors
    /// [`EngineError::Bandit`] for figures that cannot be compared.
    pub fn report(&self) -> Result<DemoReport> {
        let rounds = self.ledger.rounds.len();
        Ok(DemoReport {
            seed: self.seed,
            channel: self.channel.to_string(),
            goal: self.goal.to_string(),
            rounds: self.ledger.rounds.clone(),
            lift_over_random: self.lift_over_random(0)?,
            late_lift_over_random: self.lift_over_random(rounds / 2)?,
            orders_over_holdout: self.orders_over_holdout()?,
        })
    }

    fn lift_over_random(&self, from_round: usize) -> Result<Option<MeasuredLift>> {
        let [policy, random] =
            ["policy", "random"].map(|arm| self.ledger.clicks_per_decision(arm, from_round));
        let truth = |arm| self.ledger.true_clicks(arm, from_round);
        let Some(lift) = compare(&random, &policy)? else {
            return Ok(None);
        };
        let ratio = RelativeLift::of(&lift);
        Ok(ratio.map(|ratio| MeasuredLift {
            value: ratio.value,
            low: ratio.low,
            high: ratio.high,
            truth: truth("policy") / truth("random") - 1.0,
            ..means(&lift, random.len(), policy.len())
        }))
    }

    fn orders_over_holdout(&self) -> Result<Option<MeasuredLift>> {
        let [policy, holdout] =
            ["policy", "holdout"].map(|arm| self.ledger.orders_per_shopper(arm));
        let Some(lift) = compare(&holdout, &policy)? else {
            return Ok(None);
        };
        Ok(Some(MeasuredLift {
            value: lift.difference.value,
            low: lift.difference.low,
            high: lift.difference.high,
            truth: self.ledger.true_orders_per_shopper("policy"),
            ..means(&lift, holdout.len(), policy.len())
        }))
    }
}

/// Treatment over control, less 1, with an interval that is normal on the logarithm of the ratio: with few clicks it stays
/// above −1, where one that is normal on the ratio itself does not (Katz et al., Biometrics 1978).
struct RelativeLift {
    value: f64,
    low: f64,
    high: f64,
}

impl RelativeLift {
    /// Takes the standard errors from the intervals of the two means; nothing where one mean is not above 0.
    fn of(lift: &Lift) -> Option<Self> {
        let (treatment, control) = (&lift.treatment, &lift.control);
        if treatment.value <= 0.0 || control.value <= 0.0 {
            return None;
        }
        let ratio = treatment.value / control.value;
        // Both half-widths are the same multiple of a standard error as the half-width of the logarithm.
        let half = |of: &bandit::Interval| (of.high - of.low) / 2.0 / of.value;
        let width = half(treatment).hypot(half(control));
        Some(Self {
            value: ratio - 1.0,
            low: ratio * (-width).exp() - 1.0,
            high: ratio * width.exp() - 1.0,
        })
    }
}

/// Compares two groups of shoppers; nothing where one has fewer than two.
fn compare(control: &[f64], treatment: &[f64]) -> Result<Option<Lift>> {
    if control.len() < 2 || treatment.len() < 2 {
        return Ok(None);
    }
    Ok(Some(two_means(control, treatment, CONFIDENCE)?))
}

fn means(lift: &Lift, control: usize, treated: usize) -> MeasuredLift {
    MeasuredLift {
        value: 0.0,
        low: 0.0,
        high: 0.0,
        truth: 0.0,
        treated: treated as u64,
        control: control as u64,
        treated_mean: lift.treatment.value,
        control_mean: lift.control.value,
    }
}

/// Writes the key of a simulated shop's vault: derived from the seed, so that the same seed gives the same pseudonyms.
///
/// # Errors
/// [`EngineError::Io`] when it cannot be written.
pub fn write_demo_key(data_dir: &Path, seed: u64) -> Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    std::fs::create_dir_all(data_dir).map_err(EngineError::io("create", data_dir))?;
    let path = data_dir.join("vault.key");
    let key = blake3::derive_key(
        "hawker 2026 key of a simulated shop v1",
        &seed.to_le_bytes(),
    );
    let mut options = std::fs::OpenOptions::new();
    match options.write(true).create_new(true).mode(0o600).open(&path) {
        Ok(mut file) => file
            .write_all(&key)
            .map_err(EngineError::io("write", &path)),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(EngineError::io("create", &path)(error)),
    }
}
