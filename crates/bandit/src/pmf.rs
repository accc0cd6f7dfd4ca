//! Probabilities over a candidate set, and what constrains them.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::error::{BanditError, check_len, check_range};

/// The probabilities with which the actions of one candidate set are chosen.
///
/// The entries are non-negative and sum to 1. A decision logs these numbers as its propensities and is
/// drawn from exactly them by [`Pmf::draw`], so a logged propensity is exact even where the policy behind
/// it was estimated by Monte Carlo.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<f64>", into = "Vec<f64>")]
pub struct Pmf(Vec<f64>);

/// What a policy must respect at one decision, fixed before anything is sampled.
#[derive(Debug, Clone, Copy)]
pub struct Constraints<'a> {
    /// One weight per action, finite and ≥ 0: 0 excludes the action, others scale its probability before
    /// the probabilities are normalised again. Caps act through these.
    pub weights: &'a [f64],
    /// The share ε in [0, 1] that is spread evenly over the allowed actions, so that each of them keeps a
    /// propensity of at least ε / (allowed actions).
    pub floor: f64,
}

impl Pmf {
    /// Normalises non-negative masses to probabilities.
    ///
    /// # Errors
    /// [`BanditError::OutOfRange`] for a mass that is negative or not finite,
    /// [`BanditError::NoAllowedAction`] where no mass is positive.
    pub fn from_masses(mut masses: Vec<f64>) -> Result<Self, BanditError> {
        let largest = check_masses("a mass", &masses)?;
        // Scaling by the largest first keeps sums of very small and very large masses finite.
        for mass in &mut masses {
            *mass /= largest;
        }
        let total: f64 = masses.iter().sum();
        for mass in &mut masses {
            *mass /= total;
        }
        Ok(Self(masses))
    }

    /// Applies weights and floor: `p'ₖ = (1 − ε) wₖ pₖ / Σⱼ wⱼ pⱼ + ε [wₖ > 0] / #{j : wⱼ > 0}`.
    ///
    /// Where the policy puts no mass on any allowed action, the weights alone decide.
    ///
    /// # Errors
    /// [`BanditError::Shape`] where weights and actions differ in number, [`BanditError::OutOfRange`] for a
    /// negative or infinite weight or a floor outside [0, 1], [`BanditError::NoAllowedAction`] where every
    /// weight is zero.
    pub fn constrained(&self, constraints: Constraints<'_>) -> Result<Self, BanditError> {
        let allowed = constraints.check(self.0.len())?;
        let weights = constraints.weights;
        let product = |(probability, weight): (&f64, &f64)| probability * weight;
        let mut masses: Vec<f64> = self.0.iter().zip(weights).map(product).collect();
        if masses.iter().all(|mass| *mass == 0.0) {
            masses = weights.to_vec();
        }
        let Self(mut probabilities) = Self::from_masses(masses)?;
        let share = constraints.floor / allowed as f64;
        for (probability, weight) in probabilities.iter_mut().zip(weights) {
            let explored = if *weight > 0.0 { share } else { 0.0 };
            *probability = (1.0 - constraints.floor) * *probability + explored;
        }
        Ok(Self(probabilities))
    }

    /// Draws the index of an action, the same one for the same seed.
    ///
    /// An action of probability zero is never drawn.
    pub fn draw(&self, seed: u64) -> usize {
        let mut left: f64 = ChaCha8Rng::seed_from_u64(seed).random();
        let mut last = 0;
        for (action, &probability) in self.0.iter().enumerate() {
            if probability <= 0.0 {
                continue;
            }
            if left < probability {
                return action;
            }
            left -= probability;
            last = action;
        }
        last
    }

    /// The probabilities, in the order of the actions.
    pub fn as_slice(&self) -> &[f64] {
        &self.0
    }

    /// Returns the probabilities, in the order of the actions.
    pub fn into_vec(self) -> Vec<f64> {
        self.0
    }
}

impl Constraints<'_> {
    /// Checks the constraints against the number of actions and returns how many are allowed.
    pub(crate) fn check(&self, actions: usize) -> Result<usize, BanditError> {
        check_len("weights", actions, self.weights.len())?;
        let in_range = (0.0..=1.0).contains(&self.floor);
        check_range("floor", self.floor, in_range, "a share in [0, 1]")?;
        check_masses("a weight", self.weights)?;
        Ok(self.weights.iter().filter(|weight| **weight > 0.0).count())
    }
}

impl TryFrom<Vec<f64>> for Pmf {
    type Error = BanditError;

    /// Accepts probabilities that sum to 1 within 1e-9.
    fn try_from(probabilities: Vec<f64>) -> Result<Self, BanditError> {
        check_masses("a probability", &probabilities)?;
        let total: f64 = probabilities.iter().sum();
        let near = (total - 1.0).abs() <= 1e-9;
        check_range("the sum of the probabilities", total, near, "1")?;
        Ok(Self(probabilities))
    }
}

impl From<Pmf> for Vec<f64> {
    fn from(pmf: Pmf) -> Self {
        pmf.0
    }
}

/// Returns the largest mass after checking that all are non-negative and one is positive.
fn check_masses(what: &'static str, masses: &[f64]) -> Result<f64, BanditError> {
    let mut largest = 0.0_f64;
    for &mass in masses {
        let holds = mass >= 0.0 && mass.is_finite();
        check_range(what, mass, holds, "a finite number of at least 0")?;
        largest = largest.max(mass);
    }
    if largest > 0.0 {
        return Ok(largest);
    }
    Err(BanditError::NoAllowedAction {
        actions: masses.len(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{assert_all_close, assert_close};

    fn pmf(masses: &[f64]) -> Pmf {
        Pmf::from_masses(masses.to_vec()).expect("valid masses")
    }

    #[test]
    fn weights_and_floor_act_as_computed_by_hand() {
        let constraints = Constraints {
            weights: &[0.5, 1.0, 0.0, 1.0],
            floor: 0.3,
        };
        let constrained = pmf(&[4.0, 1.0, 5.0, 0.0])
            .constrained(constraints)
            .expect("valid");
        // Weighted masses 2, 1, 0, 0 give 2/3, 1/3; the floor gives 0.1 to each of three.
        let expected = [0.7 * 2.0 / 3.0 + 0.1, 0.7 / 3.0 + 0.1, 0.0, 0.1];
        assert_all_close(constrained.as_slice(), &expected, 1e-15);
    }

    #[test]
    fn weights_alone_decide_where_the_policy_only_likes_what_is_excluded() {
        let constraints = Constraints {
            weights: &[0.0, 3.0, 1.0],
            floor: 0.0,
        };
        let constrained = pmf(&[1.0, 0.0, 0.0])
            .constrained(constraints)
            .expect("valid");
        assert_all_close(constrained.as_slice(), &[0.0, 0.75, 0.25], 1e-15);
    }

    #[test]
    fn extreme_masses_stay_finite() {
        assert_all_close(pmf(&[1e308, 1e308]).as_slice(), &[0.5, 0.5], 1e-15);
        assert_all_close(pmf(&[5e-324, 5e-324]).as_slice(), &[0.5, 0.5], 1e-15);
    }

    #[test]
    fn bad_constraints_name_the_value() {
        let with = |weights: &[f64], floor| {
            let constraints = Constraints { weights, floor };
            let refused = pmf(&[1.0, 1.0]).constrained(constraints);
            refused.expect_err("a fault").to_string()
        };
        assert_eq!(
            with(&[1.0], 0.0),
            "weights has 1 entries, expected 2; pass one entry for each"
        );
        assert_eq!(
            with(&[1.0, -0.5], 0.0),
            "a weight is -0.5; expected a finite number of at least 0"
        );
        assert_eq!(
            with(&[1.0, 1.0], 1.1),
            "floor is 1.1; expected a share in [0, 1]"
        );
        assert_eq!(
            with(&[0.0, 0.0], 0.1),
            "none of the 2 actions is allowed; keep one action, such as `nothing`, at a positive weight"
        );
    }

    #[test]
    fn serde_refuses_what_does_not_sum_to_one() {
        let parsed: Result<Pmf, _> = serde_json::from_str("[0.5,0.25]");
        let message = parsed.expect_err("a fault").to_string();
        assert!(message.starts_with("the sum of the probabilities is 0.75"));
        let parsed: Pmf = serde_json::from_str("[0.75,0.25]").expect("valid");
        assert_eq!(
            serde_json::to_string(&parsed).expect("serialisable"),
            "[0.75,0.25]"
        );
    }

    #[test]
    fn draws_follow_the_probabilities_and_the_seed() {
        let pmf = pmf(&[0.0, 0.2, 0.5, 0.0, 0.3]);
        let mut counts = [0_u32; 5];
        for seed in 0..20_000 {
            counts[pmf.draw(seed)] += 1;
        }
        assert_eq!(pmf.draw(5), pmf.draw(5));
        assert_eq!((counts[0], counts[3]), (0, 0));
        // Chi-square with two degrees of freedom: 13.8 is exceeded once in a thousand.
        let statistic: f64 = [(1, 0.2), (2, 0.5), (4, 0.3)]
            .iter()
            .map(|&(action, probability)| {
                let expected = 20_000.0 * probability;
                (f64::from(counts[action]) - expected).powi(2) / expected
            })
            .sum();
        assert!(statistic < 13.8, "chi-square {statistic}");
    }

    proptest! {
        #[test]
        fn constrained_probabilities_sum_to_one_and_respect_floor_and_exclusion(
            pairs in prop::collection::vec((0.0..1e6_f64, prop_oneof![Just(0.0), 1e-9..10.0_f64]), 1..30),
            floor in 0.0..=1.0_f64,
            seed: u64,
        ) {
            let (masses, weights): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
            prop_assume!(masses.iter().any(|mass| *mass > 0.0));
            let allowed = weights.iter().filter(|weight| **weight > 0.0).count();
            let result = pmf(&masses).constrained(Constraints { weights: &weights, floor });
            if allowed == 0 {
                prop_assert_eq!(result, Err(BanditError::NoAllowedAction { actions: weights.len() }));
                return Ok(());
            }
            let constrained = result.expect("some action is allowed");
            assert_close(constrained.as_slice().iter().sum(), 1.0, 1e-12);
            for (probability, weight) in constrained.as_slice().iter().zip(&weights) {
                if *weight > 0.0 {
                    prop_assert!(*probability >= floor / allowed as f64 - 1e-15);
                } else {
                    prop_assert!(*probability == 0.0);
                }
            }
            prop_assert!(constrained.as_slice()[constrained.draw(seed)] > 0.0);
        }
    }
}
