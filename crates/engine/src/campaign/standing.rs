//! Whether a shopper may be written to at all: consent, segment, quiet hours, caps and the holdout.

use std::collections::{HashMap, HashSet};

use events::{Channel, Pseudonym, Timestamp};
use features::Segment;
use jiff::tz::TimeZone;

use crate::config::{CampaignConfig, Config};
use crate::error::{EngineError, Result};
use crate::shop::{KnownShopper, Shop};
use crate::store::Store;

/// The arm of the standing experiment that a shopper is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arm {
    /// Gets what the policy chooses.
    Policy,
    /// Gets a message drawn evenly from the candidates.
    Random,
    /// Gets nothing.
    Holdout,
}

impl Arm {
    /// The arm's name in [`events::Decision::experiment`].
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Random => "random",
            Self::Holdout => "holdout",
        }
    }

    /// The arm of a shopper: the same in every campaign, whatever its seed.
    pub(crate) fn of(user: Pseudonym, config: &CampaignConfig) -> Self {
        if unit_interval(user, "holdout") < config.holdout_share {
            Self::Holdout
        } else if unit_interval(user, "control") < config.control_share {
            Self::Random
        } else {
            Self::Policy
        }
    }
}

/// The rules of a campaign about who is written to.
pub(crate) struct Standing<'a> {
    config: &'a CampaignConfig,
    channel: Channel,
    now: Timestamp,
    time_zone: TimeZone,
    consented: HashSet<Pseudonym>,
    messages: HashMap<Pseudonym, usize>,
    shown: HashMap<Pseudonym, HashSet<String>>,
    segment: Option<Segment>,
}

impl<'a> Standing<'a> {
    /// Reads consents and recent messages.
    pub(crate) fn read(
        store: &Store,
        config: &'a Config,
        shop: &Shop,
        channel: Channel,
    ) -> Result<Self> {
        let campaign = &config.campaign;
        let window = jiff::SignedDuration::from_hours(24 * campaign.cap_days);
        let segment = match campaign.segment.as_str() {
            "" => None,
            name => Some(named_segment(config, name)?),
        };
        Ok(Self {
            config: campaign,
            channel,
            now: shop.now,
            time_zone: TimeZone::get(&config.shop.timezone).unwrap_or(TimeZone::UTC),
            consented: store.consented(channel, &campaign.purpose)?,
            shown: store.shown_since(
                channel,
                shop.now - jiff::SignedDuration::from_hours(24 * campaign.repeat_days),
            )?,
            messages: store.messages_since(channel, shop.now - window)?,
            segment,
        })
    }

    /// Why a shopper gets no message, as a short name and the detail; `None` where one may be sent.
    pub(crate) fn refusal(&self, known: &KnownShopper) -> Option<(&'static str, String)> {
        let user = known.shopper.pseudonym;
        if !self.consented.contains(&user) {
            let detail = format!("no consent for {} on {}", self.config.purpose, self.channel);
            return Some(("no_consent", detail));
        }
        if let Some(segment) = &self.segment
            && !segment.matches(&known.profile, self.now)
        {
            return Some((
                "not_in_segment",
                format!("not in segment {}", self.config.segment),
            ));
        }
        let sent = self.messages_lately(user);
        if sent >= self.config.cap_messages {
            let detail = format!("{sent} messages in {} days", self.config.cap_days);
            return Some(("frequency_cap", detail));
        }
        let hour = self.local_hour(known);
        if self.disturbs()
            && is_quiet(
                hour,
                self.config.quiet_from_hour,
                self.config.quiet_until_hour,
            )
        {
            return Some((
                "quiet_hours",
                format!("{hour} o'clock where the shopper lives"),
            ));
        }
        None
    }

    /// Messages that the shopper got within the cap's window.
    pub(crate) fn messages_lately(&self, user: Pseudonym) -> usize {
        self.messages.get(&user).copied().unwrap_or(0)
    }

    /// Whether the shopper has read of the product on this channel lately.
    pub(crate) fn was_shown(&self, user: Pseudonym, product_id: &str) -> bool {
        self.shown
            .get(&user)
            .is_some_and(|products| products.contains(product_id))
    }

    /// The hour of the day where the shopper lives.
    pub(crate) fn local_hour(&self, known: &KnownShopper) -> i8 {
        let own = known
            .shopper
            .timezone
            .as_deref()
            .and_then(|name| TimeZone::get(name).ok());
        own.as_ref()
            .unwrap_or(&self.time_zone)
            .to_datetime(self.now)
            .hour()
    }

    fn disturbs(&self) -> bool {
        matches!(self.channel, Channel::Push | Channel::Sms)
    }
}

/// The rule of a segment of the configuration.
pub(crate) fn named_segment(config: &Config, name: &str) -> Result<Segment> {
    let rule = config
        .segments
        .get(name)
        .ok_or_else(|| EngineError::NotReady {
            missing: format!("there is no segment `{name}`"),
            remedy: match config.segments.keys().cloned().collect::<Vec<_>>() {
                known if known.is_empty() => {
                    "define it under [segments] of the configuration".to_owned()
                }
                known => format!(
                    "define it under [segments], or use one of: {}",
                    known.join(", ")
                ),
            },
        })?;
    Segment::parse(rule).map_err(|error| EngineError::NotReady {
        missing: format!("segment `{name}`: {error}"),
        remedy: "correct the rule under [segments]".to_owned(),
    })
}

/// Whether an hour lies from `from` until `until`, which may be past midnight; equal hours mean never.
fn is_quiet(hour: i8, from: i8, until: i8) -> bool {
    if from <= until {
        (from..until).contains(&hour)
    } else {
        hour >= from || hour < until
    }
}

/// A number in [0, 1) that belongs to the shopper.
fn unit_interval(user: Pseudonym, purpose: &str) -> f64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(purpose.as_bytes()).update(&user.0);
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    (u64::from_le_bytes(bytes) >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_hours_may_span_midnight() {
        for (hour, quiet) in [
            (20, false),
            (21, true),
            (23, true),
            (0, true),
            (7, true),
            (8, false),
        ] {
            assert_eq!(is_quiet(hour, 21, 8), quiet, "{hour}");
        }
        assert!(is_quiet(13, 12, 14) && !is_quiet(14, 12, 14));
        assert!(!is_quiet(5, 8, 8));
    }

    #[test]
    fn arms_are_of_the_configured_size_and_stay() {
        let config = CampaignConfig {
            holdout_share: 0.1,
            control_share: 0.2,
            ..CampaignConfig::default()
        };
        let arms: Vec<Arm> = (0..20_000_u128)
            .map(|number| Arm::of(Pseudonym(number.to_le_bytes()), &config))
            .collect();
        let share = |arm| arms.iter().filter(|of| **of == arm).count() as f64 / arms.len() as f64;
        // Four standard errors.
        assert!((share(Arm::Holdout) - 0.1).abs() < 0.0085);
        assert!((share(Arm::Random) - 0.18).abs() < 0.011);
        assert!((share(Arm::Policy) - 0.72).abs() < 0.013);
    }
}
