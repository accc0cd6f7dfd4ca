//! A simulated shop on the outside of the engine: it exports files, receives campaigns, and its shoppers react.
//!
//! Everything crosses the border as it would with a real shop: a product feed and events come in as files, a campaign
//! goes out as a file with the shoppers' identifiers, and what they did comes back as events that name the decision.
//! The truth, which no learner sees, is read here alone, for the comparison in the report.

mod files;
mod report;
mod round;

use std::path::{Path, PathBuf};

use datasets::{ShopConfig, SimulatedShop};
use events::{Channel, Goal, Timestamp};

pub use report::{DemoReport, MeasuredLift, saved_demo};
pub use round::RoundReport;

use crate::config::Config;
use crate::error::{EngineError, Result};
use crate::store::Store;
use round::Ledger;

/// Hours between two campaigns: every third day, at a quarter past eleven and at six in the evening in turn.
const HOURS_BETWEEN: [i64; 2] = [79, 65];
/// The first campaign goes out this long after the history's end, at midnight.
const FIRST_AFTER_HOURS: i64 = 11;
/// Days after the last campaign in which its orders count.
const LAST_WINDOW_DAYS: i64 = 7;

/// A simulated shop and what happened in it so far.
pub struct Demo {
    shop: SimulatedShop,
    dir: PathBuf,
    seed: u64,
    channel: Channel,
    goal: Goal,
    ledger: Ledger,
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
            ledger: Ledger::default(),
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
        config.model.epochs = if small { 2 } else { 3 };
        config.model.windows_per_shopper = 2;
        config.copywriter.model.seed = self.seed;
        // A third of the default's texts: the demo has three minutes for everything.
        config.copywriter.model.epochs = 3;
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
