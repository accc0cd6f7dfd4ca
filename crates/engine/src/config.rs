//! The configuration: one TOML file, a documented default for every key, unknown keys refused by name.

mod copywriter;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ::copywriter::checkpoint::CheckpointConfig;
use ::copywriter::llm::LlmConfig;
use guard::Voice;
use recommender::RetrievalSettings;
use recommender::user_model::UserModelConfig;
use serde::{Deserialize, Serialize};

pub use self::copywriter::{Approval, ApprovalConfig, CopywriterConfig};
use crate::attribution::Attribution;
use crate::error::{EngineError, Result};

/// The commented file that `hawker init` writes; a test holds it equal to the defaults below.
pub const TEMPLATE: &str = include_str!("hawker.toml");

/// Everything that can be configured.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The shop itself.
    pub shop: ShopConfig,
    /// How files are read.
    pub import: ImportConfig,
    /// Where the log is cut for training, validation and test.
    pub evaluation: EvaluationConfig,
    /// The user model.
    pub model: UserModelConfig,
    /// The copywriters, and who approves their texts.
    pub copywriter: CopywriterConfig,
    /// Who is written to, how often and with what.
    pub campaign: CampaignConfig,
    /// What answers are credited to.
    pub learning: LearningConfig,
    /// How long personal data is kept that nobody needs.
    pub privacy: PrivacyConfig,
    /// What may be said.
    pub guard: GuardConfig,
    /// How the brand speaks.
    pub voice: Voice,
    /// How products are searched for in large catalogues.
    pub retrieval: RetrievalSettings,
    /// Named segments: a predicate over a shopper's features.
    pub segments: BTreeMap<String, String>,
}

/// The shop itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ShopConfig {
    /// The name that messages may show.
    pub name: String,
    /// ISO 4217 code of every price.
    pub currency: String,
    /// BCP 47 tag of the language in which shoppers are addressed unless they chose one.
    pub locale: String,
    /// IANA name of the time zone of naive timestamps and of shoppers who did not state one.
    pub timezone: String,
}

/// How files are read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImportConfig {
    /// Lines of an order above this number of pieces are quarantined as implausible.
    pub max_quantity: i64,
    /// A derived product counts as in stock until this many days after its last sale.
    pub in_stock_days: i64,
    /// Column mapping of the `csv` and `parquet` formats: field of the vocabulary = column of the file.
    pub columns: BTreeMap<String, String>,
    /// Event that a row of a mapped file is, unless the mapping names a column for it.
    pub event: String,
}

/// Where the log is cut; `auto` leaves the last 10 weeks for the test and the 9 before them for validation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EvaluationConfig {
    /// First day of the validation window, `YYYY-MM-DD`, or `auto`.
    pub validation_start: String,
    /// First day of the test window, `YYYY-MM-DD`, or `auto`.
    pub test_start: String,
    /// Resamples of the bootstrap intervals.
    pub bootstrap_resamples: usize,
    /// Seed of the bootstrap.
    pub seed: u64,
}

/// Who is written to, how often and with what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CampaignConfig {
    /// Purpose for which consent is needed.
    pub purpose: String,
    /// Most messages a shopper gets within `cap_days`.
    pub cap_messages: usize,
    /// Days over which messages are counted.
    pub cap_days: i64,
    /// Days after which a shopper may read of the same product again on the same channel.
    pub repeat_days: i64,
    /// Local hour from which nobody is disturbed (push and sms).
    pub quiet_from_hour: i8,
    /// Local hour until which nobody is disturbed (push and sms).
    pub quiet_until_hour: i8,
    /// Products that compete for a shopper.
    pub products_per_shopper: usize,
    /// Largest share of the messages that one product may take.
    pub max_product_share: f64,
    /// Largest share of the messages that one variant may take.
    pub max_variant_share: f64,
    /// Share of the eligible shoppers who get nothing, to measure against.
    pub holdout_share: f64,
    /// Share of the other eligible shoppers whose message is drawn at random, to measure the policy against.
    pub control_share: f64,
    /// Least share of the choices that explore.
    pub exploration: f64,
    /// Seed of every draw.
    pub seed: u64,
    /// Only shoppers of this segment; everybody where empty.
    pub segment: String,
}

/// What answers are credited to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LearningConfig {
    /// What an order that names no decision is credited to. A click always needs the id.
    pub attribution: Attribution,
}

/// What may be said, beyond the built-in rule packs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GuardConfig {
    /// Rule packs of the shop's own; relative to the configuration file.
    pub packs: Vec<PathBuf>,
}

/// How long personal data is kept that nobody needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PrivacyConfig {
    /// Days after which a row of the quarantine is removed, by the import that follows.
    pub quarantine_days: u32,
}

impl Default for PrivacyConfig {
    fn default() -> Self {
        Self {
            quarantine_days: 180,
        }
    }
}

impl Default for ShopConfig {
    fn default() -> Self {
        Self {
            name: "My shop".to_owned(),
            currency: "GBP".to_owned(),
            locale: "en-GB".to_owned(),
            timezone: "Europe/London".to_owned(),
        }
    }
}

impl Default for ImportConfig {
    fn default() -> Self {
        Self {
            max_quantity: 50_000,
            in_stock_days: 60,
            columns: BTreeMap::new(),
            event: "Order Completed".to_owned(),
        }
    }
}

impl Default for EvaluationConfig {
    fn default() -> Self {
        Self {
            validation_start: "auto".to_owned(),
            test_start: "auto".to_owned(),
            bootstrap_resamples: 1000,
            seed: 1,
        }
    }
}

impl Default for CampaignConfig {
    fn default() -> Self {
        Self {
            purpose: "marketing".to_owned(),
            cap_messages: 3,
            cap_days: 7,
            repeat_days: 14,
            quiet_from_hour: 21,
            quiet_until_hour: 8,
            products_per_shopper: 5,
            max_product_share: 0.02,
            max_variant_share: 0.25,
            holdout_share: 0.1,
            control_share: 0.05,
            exploration: 0.05,
            seed: 1,
            segment: String::new(),
        }
    }
}

impl Config {
    /// Reads a configuration file.
    ///
    /// # Errors
    /// [`EngineError::Config`] naming the line and, for an unknown key, the nearest known one.
    pub fn load(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(EngineError::io("read", path))?;
        Self::parse(&text, path)
    }

    /// Reads a configuration from text; `path` is named in errors.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn parse(text: &str, path: &Path) -> Result<Self> {
        let mut config: Self = toml::from_str(text).map_err(|error| {
            let message = error.message().to_owned();
            let line = error
                .span()
                .map_or(1, |span| text[..span.start].matches('\n').count() + 1);
            EngineError::Config {
                path: path.to_owned(),
                problem: format!(
                    "line {line}: {}",
                    message.lines().next().unwrap_or_default()
                ),
                remedy: nearest_key(&message).map_or(
                    "`hawker init` writes a file with every key".to_owned(),
                    |key| format!("did you mean `{key}`?"),
                ),
            }
        })?;
        config.check(path)?;
        if let Some(folder) = path.parent() {
            for pack in &mut config.guard.packs {
                *pack = folder.join(&*pack);
            }
        }
        Ok(config)
    }

    /// The currency of every price.
    ///
    /// # Errors
    /// [`EngineError::Config`] when `shop.currency` is no ISO 4217 code, which [`Config::load`] refuses already.
    pub fn currency(&self) -> Result<events::Currency> {
        events::Currency::parse(&self.shop.currency).map_err(|_| EngineError::Config {
            path: "hawker.toml".into(),
            problem: format!("`shop.currency` is {}", self.shop.currency),
            remedy: "give an ISO 4217 code such as GBP".to_owned(),
        })
    }

    /// Refuses values outside their range.
    fn check(&self, path: &Path) -> Result<()> {
        let fault = |key: &str, value: String, expected: &str| EngineError::Config {
            path: path.to_owned(),
            problem: format!("`{key}` is {value}"),
            remedy: format!("give {expected}"),
        };
        let shares = [
            (
                "campaign.max_product_share",
                self.campaign.max_product_share,
            ),
            (
                "campaign.max_variant_share",
                self.campaign.max_variant_share,
            ),
            ("campaign.holdout_share", self.campaign.holdout_share),
            ("campaign.control_share", self.campaign.control_share),
            ("campaign.exploration", self.campaign.exploration),
        ];
        for (key, share) in shares {
            if !(0.0..=1.0).contains(&share) {
                return Err(fault(key, share.to_string(), "a share from 0 to 1"));
            }
        }
        let hours = [
            ("campaign.quiet_from_hour", self.campaign.quiet_from_hour),
            ("campaign.quiet_until_hour", self.campaign.quiet_until_hour),
        ];
        for (key, hour) in hours {
            if !(0..24).contains(&hour) {
                return Err(fault(key, hour.to_string(), "an hour from 0 to 23"));
            }
        }
        if self.copywriter.live_lines == 0 {
            return Err(fault("copywriter.live_lines", "0".to_owned(), "1 or more"));
        }
        if events::Currency::parse(&self.shop.currency).is_err() {
            return Err(fault(
                "shop.currency",
                self.shop.currency.clone(),
                "an ISO 4217 code such as GBP",
            ));
        }
        if jiff::tz::TimeZone::get(&self.shop.timezone).is_err() {
            return Err(fault(
                "shop.timezone",
                self.shop.timezone.clone(),
                "an IANA name such as Europe/London",
            ));
        }
        let llm = self.copywriter.llm.as_ref();
        let checkpoint = self.copywriter.checkpoint.as_ref();
        let tables = [
            ("model", in_words(self.model.check())),
            ("retrieval", in_words(self.retrieval.check())),
            ("copywriter.model", in_words(self.copywriter.model.check())),
            (
                "copywriter.llm",
                in_words(llm.map_or(Ok(()), LlmConfig::check)),
            ),
            (
                "copywriter.checkpoint",
                in_words(checkpoint.map_or(Ok(()), CheckpointConfig::check)),
            ),
        ];
        for (table, problem) in tables {
            if let Some(problem) = problem {
                return Err(EngineError::Config {
                    path: path.to_owned(),
                    problem: format!("[{table}]: {problem}"),
                    remedy: "`hawker init` writes a file with every default".to_owned(),
                });
            }
        }
        for (name, rule) in &self.segments {
            features::Segment::parse(rule).map_err(|error| EngineError::Config {
                path: path.to_owned(),
                problem: format!("segment `{name}`: {error}"),
                remedy: "see `hawker init` for the names a rule may use".to_owned(),
            })?;
        }
        Ok(())
    }
}

/// What a check found.
fn in_words<E: std::fmt::Display>(checked: std::result::Result<(), E>) -> Option<String> {
    checked.err().map(|error| error.to_string())
}

/// The known key nearest to the one that serde's message calls unknown.
fn nearest_key(message: &str) -> Option<String> {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let unknown = quoted
        .next()
        .filter(|_| message.starts_with("unknown field"))?;
    quoted
        .min_by_key(|known| strsim::damerau_levenshtein(unknown, known))
        .map(str::to_owned)
}

/// Where the configuration file of a data directory stands unless one is named.
pub fn default_path(data_dir: &Path) -> PathBuf {
    data_dir.join("hawker.toml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_states_the_defaults() {
        let parsed =
            Config::parse(TEMPLATE, Path::new("hawker.toml")).expect("the template is valid");
        let mut defaults = Config::default();
        // The template shows segments as an example to edit; the defaults define none.
        defaults.segments.clone_from(&parsed.segments);
        assert_eq!(parsed, defaults);
    }

    #[test]
    fn bad_configurations_name_place_and_remedy() {
        for (text, message) in [
            (
                "[shop]\ncurency = \"GBP\"",
                "c.toml: line 2: unknown field `curency`, expected one of `name`, `currency`, `locale`, `timezone`; did you mean `currency`?",
            ),
            (
                "[campaign]\nholdout_share = 1.5",
                "c.toml: `campaign.holdout_share` is 1.5; give a share from 0 to 1",
            ),
            (
                "[shop]\ncurrency = \"pounds\"",
                "c.toml: `shop.currency` is pounds; give an ISO 4217 code such as GBP",
            ),
            (
                "[shop]\ntimezone = \"Mars/Base\"",
                "c.toml: `shop.timezone` is Mars/Base; give an IANA name such as Europe/London",
            ),
            (
                "[campaign]\nquiet_from_hour = 24",
                "c.toml: `campaign.quiet_from_hour` is 24; give an hour from 0 to 23",
            ),
            (
                "[learning]\nattribution = \"first_touch\"",
                "c.toml: line 2: unknown variant `first_touch`, expected `last_touch` or `explicit`; `hawker init` writes a file with every key",
            ),
            (
                "[retrieval]\ncandidates = 0",
                "c.toml: [retrieval]: `candidates` is 0; expected 1 to 100000; `hawker init` writes a file with every default",
            ),
            (
                "[copywriter.approval]\npush = \"always\"",
                "c.toml: line 2: unknown variant `always`, expected `person` or `standing`; `hawker init` writes a file with every key",
            ),
            (
                "[copywriter.llm]\nbase_ur = \"http://a\"",
                "did you mean `base_url`?",
            ),
            (
                "[copywriter.llm]\nretries = 0\nmodel = \"\"",
                "c.toml: [copywriter.llm]: `llm.model` is ; expected a model's name as the server has it; `hawker init` writes a file with every default",
            ),
            (
                "[model]\nheads = 3",
                "c.toml: [model]: `width` is 64; expected a multiple of twice `heads`, above 0; `hawker init` writes a file with every default",
            ),
        ] {
            let error = Config::parse(text, Path::new("c.toml")).expect_err("bad");
            let said = error.to_string();
            assert!(
                said == message || said.ends_with(&format!("; {message}")),
                "{said}"
            );
        }
    }
}
