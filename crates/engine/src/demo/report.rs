//! What the demo measured, beside the truth that the simulator alone knows.

use std::path::{Path, PathBuf};

use events::DecisionId;
use serde::{Deserialize, Serialize};

use super::round::{RoundReport, Truth};
use super::{Demo, LAST_WINDOW_DAYS};
use crate::config::{self, Config};
use crate::error::{EngineError, Result};
use crate::lift::{Comparison, GoalLift, HOLDOUT, Measured, POLICY, Panel, RANDOM, Scope};
use crate::store::Store;

/// What the demo measured as any shop does, see [`crate::lift()`], beside the truth.
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
    /// Clicks per decision of the policy over those of even draws, less 1.
    pub lift_over_random: Option<MeasuredLift>,
    /// The same over the second half of the campaigns, after the policy has learnt.
    pub late_lift_over_random: Option<MeasuredLift>,
    /// Orders per 1,000 shoppers of the policy arm less those of the holdout, which gets no messages. All orders count;
    /// but a simulated shopper orders only over a message once the history has ended, so that the holdout has none.
    pub orders_per_1000_over_holdout: Option<MeasuredLift>,
    /// Everything else that was measured.
    pub measured: GoalLift,
}

/// A lift as it was measured, beside the simulator's own expectation for the very same shoppers and messages.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MeasuredLift {
    /// As it was measured.
    #[serde(flatten)]
    pub measured: Comparison,
    /// The exact value.
    pub truth: f64,
}

impl Demo {
    /// What was measured so far, a week after the last campaign.
    ///
    /// # Errors
    /// [`EngineError::NotReady`] before the first campaign, and those of the measurement.
    pub fn report(&self, store: &Store, config: &Config) -> Result<DemoReport> {
        let scope = Scope {
            goal: Some(self.goal),
            since: None,
            at: self.next_at() + jiff::SignedDuration::from_hours(24 * LAST_WINDOW_DAYS),
        };
        let panels = Panel::read(store, config, &scope)?;
        let panel = panels.first().ok_or_else(|| EngineError::NotReady {
            missing: "no campaign was written yet".to_owned(),
            remedy: "write one, then ask what it brought".to_owned(),
        })?;
        let measured = GoalLift::of(panel)?;
        let mut rounds = self.ledger.rounds.clone();
        for (round, campaign) in rounds.iter_mut().zip(&measured.campaigns) {
            (round.policy_rate, round.random_rate) = (campaign.policy.rate, campaign.random.rate);
        }
        Ok(DemoReport {
            seed: self.seed,
            channel: self.channel.to_string(),
            goal: self.goal.to_string(),
            lift_over_random: self.over_random(panel, 0)?,
            late_lift_over_random: self.over_random(panel, rounds.len() / 2)?,
            orders_per_1000_over_holdout: self.over_holdout(panel, &measured),
            rounds,
            measured,
        })
    }

    /// The policy's lift over random messages since a campaign.
    fn over_random(&self, panel: &Panel, from: usize) -> Result<Option<MeasuredLift>> {
        let since =
            |number: f64, decision: &Measured| (decision.campaign >= from).then_some(number);
        let clicks = |arm| {
            panel.per_decision(arm, |decision| {
                since(f64::from(u8::from(panel.achieved(decision))), decision)
            })
        };
        let truth = |arm| {
            mean(&panel.per_decision(arm, |decision| {
                since(self.truth(&decision.id).click, decision)
            }))
        };
        let measured = Comparison::relative(&clicks(RANDOM), &clicks(POLICY))?;
        Ok(measured.map(|measured| MeasuredLift {
            measured,
            truth: truth(POLICY) / truth(RANDOM) - 1.0,
        }))
    }

    /// What messages bring over none.
    fn over_holdout(&self, panel: &Panel, measured: &GoalLift) -> Option<MeasuredLift> {
        let truth = |arm| {
            mean(&panel.per_shopper(arm, |subject| {
                let counted = subject.decisions.iter();
                let counted = counted.filter(|decision| decision.week_over);
                counted
                    .map(|decision| 1e3 * self.truth(&decision.id).order)
                    .sum()
            }))
        };
        measured
            .orders_per_1000_over_holdout
            .map(|measured| MeasuredLift {
                measured,
                truth: truth(POLICY) - truth(HOLDOUT),
            })
    }

    /// What the simulator expects of a decision; nothing where no message was sent.
    fn truth(&self, decision: &DecisionId) -> Truth {
        let truth = self.ledger.truths.get(decision);
        truth.copied().unwrap_or_default()
    }
}

impl DemoReport {
    /// Keeps the report in a data directory, with the configuration, so that every later command knows both.
    ///
    /// # Errors
    /// [`EngineError::Nn`] naming the file that cannot be written.
    pub fn save(&self, data_dir: &Path, config: &Config) -> Result<()> {
        let text = toml::to_string(config).map_err(|error| EngineError::Corrupt {
            what: "configuration",
            place: "the demo".to_owned(),
            detail: error.to_string(),
        })?;
        nn::replace_file(&config::default_path(data_dir), text.as_bytes())?;
        Ok(nn::write_checked_json(&path(data_dir), self)?)
    }
}

/// The report of the demo that a data directory belongs to.
///
/// # Errors
/// [`EngineError::Nn`] when the file is damaged.
pub fn saved_demo(data_dir: &Path) -> Result<Option<DemoReport>> {
    let path = path(data_dir);
    if !path.exists() {
        return Ok(None);
    }
    Ok(Some(nn::read_checked_json(&path)?))
}

fn path(data_dir: &Path) -> PathBuf {
    data_dir.join("demo.json")
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}
