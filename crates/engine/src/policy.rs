//! The policy: linear Thompson sampling over messages described by features, its state kept in the store.

use bandit::{LinearThompson, LinearThompsonConfig};
use events::{Contribution, Explanation, Goal, Strategy};
use serde::{Deserialize, Serialize};

use crate::error::{EngineError, Result};
use crate::store::Store;

/// Draws from the posterior per policy version, and how many of them one decision uses.
pub(crate) const DRAWS: usize = 1024;
pub(crate) const DRAWS_PER_DECISION: usize = 128;

/// What is expected of a message before anything was observed, per goal.
const PRIOR_CLICK: f64 = 0.02;
const PRIOR_ORDER: f64 = 0.002;
/// Standard deviation of a reward around its expectation: that of a click of 2 %, of an order of 0.2 %.
const NOISE_CLICK: f64 = 0.15;
const NOISE_ORDER: f64 = 0.045;
/// λ: the prior's standard deviation of a coefficient is the noise over √λ, about 0.01 for clicks.
const RIDGE: f64 = 200.0;

/// Names of the features of an action, in their order.
pub const FEATURE_NAMES: [&str; FEATURE_COUNT] = [
    "message",
    "affinity",
    "top_pick",
    "due",
    "owned",
    "category_interest",
    "price_fit",
    "price",
    "popularity",
    "newness",
    "on_sale",
    "active_lately",
    "orders",
    "message_clicks",
    "messages_lately",
    "usual_hour",
    "benefit",
    "novelty",
    "social_proof",
    "replenishment",
    "complement",
    "value",
    "benefit:dear_taste",
    "novelty:newness",
    "social_proof:popularity",
    "replenishment:due",
    "complement:fit",
    "value:cheap_taste",
    "value:on_sale",
    "native_copy",
];

/// Number of features of an action.
pub const FEATURE_COUNT: usize = 30;
/// The position of the first strategy among the features.
const FIRST_STRATEGY: usize = 16;

/// What an action's features are made of; every number is about 0 to 1.
#[derive(Debug, Clone, Copy, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a feature of its own; they come in any combination"
)]
pub(crate) struct ActionFacts {
    /// How far the product's score stands above the shop's mean for this shopper, in thirds of a standard deviation.
    pub(crate) affinity: f64,
    pub(crate) top_pick: bool,
    /// Closeness to the day on which a regular product runs out.
    pub(crate) due: f64,
    pub(crate) owned: bool,
    pub(crate) category_interest: f64,
    /// 1 in the shopper's usual price band, 0 at the other end.
    pub(crate) price_fit: f64,
    /// The product's price band, −1 (cheapest) to 1.
    pub(crate) price: f64,
    pub(crate) popularity: f64,
    /// 1 on the day of the product's first sale, or before it, falling off over a month.
    pub(crate) newness: f64,
    pub(crate) on_sale: bool,
    pub(crate) active_lately: f64,
    pub(crate) orders: f64,
    pub(crate) message_clicks: f64,
    pub(crate) messages_lately: f64,
    pub(crate) usual_hour: f64,
    /// Mean price band of the interests, −1 (cheapest) to 1.
    pub(crate) price_taste: f64,
    /// Share of the product's score that the named purchase accounts for.
    pub(crate) complement_fit: f64,
    pub(crate) native_copy: bool,
}

impl ActionFacts {
    /// The features of a message with this argument, in the order of [`FEATURE_NAMES`].
    pub(crate) fn features(&self, strategy: Strategy) -> [f64; FEATURE_COUNT] {
        let one = |holds: bool| f64::from(u8::from(holds));
        let when = |of: Strategy, value: f64| if of == strategy { value } else { 0.0 };
        let mut x = [0.0; FEATURE_COUNT];
        x[..FIRST_STRATEGY].copy_from_slice(&[
            1.0,
            self.affinity,
            one(self.top_pick),
            self.due,
            one(self.owned),
            self.category_interest,
            self.price_fit,
            self.price,
            self.popularity,
            self.newness,
            one(self.on_sale),
            self.active_lately,
            self.orders,
            self.message_clicks,
            self.messages_lately,
            self.usual_hour,
        ]);
        for (place, of) in Strategy::ALL.into_iter().enumerate() {
            x[FIRST_STRATEGY + place] = when(of, 1.0);
        }
        x[FIRST_STRATEGY + Strategy::ALL.len()..].copy_from_slice(&[
            when(Strategy::Benefit, self.price_taste),
            when(Strategy::Novelty, self.newness),
            when(Strategy::SocialProof, self.popularity),
            when(Strategy::Replenishment, self.due),
            when(Strategy::Complement, self.complement_fit),
            when(Strategy::Value, -self.price_taste),
            when(Strategy::Value, one(self.on_sale)),
            one(self.native_copy),
        ]);
        x
    }
}

/// The policy of one goal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// The state of the regression.
    pub model: LinearThompson,
    /// Decisions that it has learnt from.
    pub learnt: u64,
    /// Decisions up to this moment are learnt, milliseconds since 1970.
    pub learnt_until_ms: i64,
    /// Position of the last outcome that was known then: what answers an earlier decision for the first time after it
    /// is still to be learnt.
    #[serde(default)]
    pub outcomes_until: Option<i64>,
}

impl Policy {
    /// The policy before any feedback.
    ///
    /// # Errors
    /// [`EngineError::Bandit`] never for the built-in prior.
    pub fn prior(goal: Goal) -> Result<Self> {
        let (prior, noise_scale) = match goal {
            Goal::Click => (PRIOR_CLICK, NOISE_CLICK),
            Goal::Purchase => (PRIOR_ORDER, NOISE_ORDER),
        };
        let mut config = LinearThompsonConfig::new(FEATURE_COUNT);
        config.prior_mean[0] = prior;
        config.ridge = RIDGE;
        config.noise_scale = noise_scale;
        config.intercept = Some(0);
        Ok(Self {
            model: config.check()?,
            learnt: 0,
            learnt_until_ms: i64::MIN,
            outcomes_until: None,
        })
    }

    /// The policy of a goal as the store has it, or the prior; also where the stored one knows other features, which then
    /// is learnt anew from the log.
    ///
    /// # Errors
    /// [`EngineError::Corrupt`] when it cannot be read.
    pub fn load(store: &Store, goal: Goal) -> Result<Self> {
        match store.meta(&key(goal))? {
            Some(json) => Self::read(goal, &json),
            None => Self::prior(goal),
        }
    }

    fn read(goal: Goal, json: &[u8]) -> Result<Self> {
        let policy: Self = serde_json::from_slice(json).map_err(|error| EngineError::Corrupt {
            what: "policy",
            place: key(goal),
            detail: error.to_string(),
        })?;
        if policy.model.mean().len() != FEATURE_COUNT {
            return Self::prior(goal);
        }
        Ok(policy)
    }

    /// Keeps the policy in the store.
    pub(crate) fn save(&self, store: &Store, goal: Goal) -> Result<()> {
        let json = serde_json::to_vec(self).map_err(|error| EngineError::Corrupt {
            what: "policy",
            place: key(goal),
            detail: error.to_string(),
        })?;
        store.set_meta(&key(goal), &json)
    }

    /// The version that decisions record: it changes with every update.
    pub fn version(&self, goal: Goal) -> String {
        format!("thompson-{goal}-{}", self.learnt)
    }

    /// The exact decomposition of an action's score, largest part first.
    ///
    /// Every feature that is not 0 is listed, also one without an influence yet, so that the record alone is enough to
    /// learn from.
    pub(crate) fn explain(&self, x: &[f64; FEATURE_COUNT], reason: String) -> Explanation {
        let mean = self.model.mean();
        let mut contributions: Vec<Contribution> = (1..FEATURE_COUNT)
            .filter(|feature| x[*feature] != 0.0)
            .map(|feature| Contribution {
                feature: FEATURE_NAMES[feature].to_owned(),
                value: x[feature],
                contribution: x[feature] * mean[feature],
            })
            .collect();
        contributions.sort_by(|a, b| {
            let larger = b.contribution.abs().total_cmp(&a.contribution.abs());
            larger.then_with(|| a.feature.cmp(&b.feature))
        });
        let base = x[0] * mean[0];
        Explanation {
            score: base
                + contributions
                    .iter()
                    .map(|part| part.contribution)
                    .sum::<f64>(),
            base,
            contributions,
            reason,
        }
    }

    /// Reads the features of a logged message back from its explanation.
    pub(crate) fn features_of(explanation: &Explanation) -> [f64; FEATURE_COUNT] {
        let mut x = [0.0; FEATURE_COUNT];
        x[0] = 1.0;
        for part in &explanation.contributions {
            if let Some(feature) = FEATURE_NAMES.iter().position(|name| *name == part.feature) {
                x[feature] = part.value;
            }
        }
        x
    }
}

fn key(goal: Goal) -> String {
    format!("policy:{goal}")
}

#[cfg(test)]
#[expect(
    clippy::float_cmp,
    reason = "the numbers are exact in binary, and so must the results be"
)]
mod tests {
    use super::*;

    #[test]
    fn the_explanation_sums_to_the_score_and_holds_the_features() {
        let policy = Policy::prior(Goal::Click).expect("prior");
        let facts = ActionFacts {
            affinity: 0.8,
            on_sale: true,
            price_taste: -0.5,
            ..ActionFacts::default()
        };
        let x = facts.features(Strategy::Value);
        let explanation = policy.explain(&x, String::new());
        let score = policy.model.score(&x).expect("score");
        assert!((explanation.score - score).abs() < 1e-12);
        assert_eq!(Policy::features_of(&explanation), x);
        let names: Vec<&str> = FEATURE_NAMES
            .into_iter()
            .zip(x)
            .filter(|(_, value)| *value != 0.0)
            .map(|(name, _)| name)
            .collect();
        assert_eq!(
            names,
            [
                "message",
                "affinity",
                "on_sale",
                "value",
                "value:cheap_taste",
                "value:on_sale"
            ]
        );
    }

    #[test]
    fn a_policy_over_other_features_is_learnt_anew() {
        let mut old = Policy::prior(Goal::Click).expect("prior");
        old.learnt = 7;
        let same = serde_json::to_vec(&old).expect("JSON");
        assert_eq!(Policy::read(Goal::Click, &same).expect("reads"), old);
        old.model = LinearThompsonConfig::new(FEATURE_COUNT - 4)
            .check()
            .expect("valid");
        let fewer = serde_json::to_vec(&old).expect("JSON");
        let fresh = Policy::read(Goal::Click, &fewer).expect("reads");
        assert_eq!(fresh, Policy::prior(Goal::Click).expect("prior"));
        assert!(Policy::read(Goal::Click, b"{").is_err());
    }

    #[test]
    fn every_strategy_has_its_own_feature() {
        for strategy in Strategy::ALL {
            let x = ActionFacts::default().features(strategy);
            let set: Vec<&str> = FEATURE_NAMES
                .into_iter()
                .zip(x)
                .filter(|(_, value)| *value == 1.0)
                .map(|(name, _)| name)
                .collect();
            assert_eq!(set, ["message", strategy.name()]);
        }
    }
}
