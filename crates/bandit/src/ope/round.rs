//! One logged decision, reduced to what the estimators need.

use crate::error::{BanditError, check_finite, check_len, check_range};

/// A matured decision as it was logged, beside what the evaluated policy would have done.
#[derive(Debug, Clone, Copy)]
pub struct Logged<'a> {
    /// What followed.
    pub reward: f64,
    /// The index of the chosen action.
    pub chosen: usize,
    /// The logged propensities of all candidates.
    pub propensities: &'a [f64],
    /// The probabilities of the evaluated policy over the same candidates.
    pub target: &'a [f64],
    /// A reward model's predictions for the same candidates, if there is one; made without the reward of
    /// this round, by cross-fitting.
    pub predicted: Option<&'a [f64]>,
    /// The unit within which rounds depend on each other: the shopper.
    pub cluster: u64,
}

/// What the estimators need of a decision: constant in size, whatever the number of candidates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Round {
    /// What followed.
    pub reward: f64,
    /// The importance weight `w = π(a) / p`.
    pub weight: f64,
    /// The reward model's part, if there is one.
    pub predicted: Option<Predicted>,
    /// The evaluated policy's mass on candidates that were never to be chosen: `Σ π(k) [p(k) = 0]`.
    pub off_support: f64,
    /// The unit within which rounds depend on each other.
    pub cluster: u64,
}

/// What a reward model says of a round.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Predicted {
    /// The expected reward under the evaluated policy, `q̂(π) = Σ π(k) q̂(k)`.
    pub of_policy: f64,
    /// The predicted reward of the chosen action, `q̂(a)`.
    pub of_chosen: f64,
}

impl Round {
    /// Reduces a logged decision.
    ///
    /// # Errors
    /// [`BanditError::Shape`] where the lists differ in length, [`BanditError::OutOfRange`] where the chosen
    /// index is none of the candidates, its propensity is not in (0, 1], or a number is not finite.
    pub fn new(logged: &Logged<'_>) -> Result<Self, BanditError> {
        let count = logged.propensities.len();
        check_len("target", count, logged.target.len())?;
        check_finite("a target probability", logged.target)?;
        check_finite("the reward", &[logged.reward])?;
        let known = logged.chosen < count;
        check_range(
            "chosen",
            logged.chosen as f64,
            known,
            "the index of a candidate",
        )?;
        let propensity = logged.propensities[logged.chosen];
        check_range(
            "the propensity of the chosen action",
            propensity,
            propensity > 0.0 && propensity <= 1.0,
            "a number in (0, 1]",
        )?;
        let predicted = logged.predicted.map(|predicted| {
            check_len("predicted", count, predicted.len())?;
            check_finite("a predicted reward", predicted)?;
            Ok(Predicted {
                of_policy: crate::linalg::dot(logged.target, predicted),
                of_chosen: predicted[logged.chosen],
            })
        });
        let pairs = logged.propensities.iter().zip(logged.target);
        let unsupported = pairs.filter(|(propensity, _)| **propensity <= 0.0);
        Ok(Self {
            reward: logged.reward,
            weight: logged.target[logged.chosen] / propensity,
            predicted: predicted.transpose()?,
            off_support: unsupported.map(|(_, target)| target).sum(),
            cluster: logged.cluster,
        })
    }
}

/// The reward model's part of every round.
pub(crate) fn predictions(rounds: &[Round]) -> Result<Vec<Predicted>, BanditError> {
    let of_round = |(round, logged): (usize, &Round)| {
        logged.predicted.ok_or(BanditError::NoRewardModel { round })
    };
    rounds.iter().enumerate().map(of_round).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::assert_close;

    const LOGGED: Logged<'static> = Logged {
        reward: 1.0,
        chosen: 1,
        propensities: &[0.5, 0.25, 0.25, 0.0],
        target: &[0.0, 0.5, 0.25, 0.25],
        predicted: Some(&[0.1, 0.2, 0.4, 0.8]),
        cluster: 7,
    };

    #[test]
    fn reduces_as_computed_by_hand() {
        let round = Round::new(&LOGGED).expect("valid");
        assert_close(round.weight, 2.0, 0.0);
        assert_close(round.off_support, 0.25, 0.0);
        let predicted = round.predicted.expect("a model");
        assert_close(predicted.of_policy, 0.4, 1e-15);
        assert_close(predicted.of_chosen, 0.2, 0.0);
    }

    #[test]
    fn bad_rounds_name_the_value() {
        let cases = [
            (
                Logged {
                    chosen: 3,
                    ..LOGGED
                },
                "the propensity of the chosen action is 0; expected a number in (0, 1]",
            ),
            (
                Logged {
                    chosen: 4,
                    ..LOGGED
                },
                "chosen is 4; expected the index of a candidate",
            ),
            (
                Logged {
                    target: &[1.0],
                    ..LOGGED
                },
                "target has 1 entries, expected 4; pass one entry for each",
            ),
            (
                Logged {
                    predicted: Some(&[0.1]),
                    ..LOGGED
                },
                "predicted has 1 entries, expected 4; pass one entry for each",
            ),
            (
                Logged {
                    reward: f64::NAN,
                    ..LOGGED
                },
                "the reward is NaN; expected a finite number",
            ),
        ];
        for (logged, message) in cases {
            let fault = Round::new(&logged).expect_err("a fault");
            assert_eq!(fault.to_string(), message);
        }
        let without = Logged {
            predicted: None,
            ..LOGGED
        };
        let rounds = [LOGGED, without].map(|logged| Round::new(&logged).expect("valid"));
        assert_eq!(
            predictions(&rounds),
            Err(BanditError::NoRewardModel { round: 1 })
        );
    }
}
