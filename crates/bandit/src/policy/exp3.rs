//! Exp3: exponential weights for rewards that may be chosen by an adversary.
//!
//! Auer, Cesa-Bianchi, Freund & Schapire, "The Nonstochastic Multiarmed Bandit Problem", SIAM J. Computing
//! 2002: `pₖ = (1 − γ) wₖ / Σ w + γ / K`, and after action a with reward r in [0, 1] `w_a ← w_a
//! exp(γ r / (p_a K))`.
//! How this differs from the paper: the logarithms of the weights are kept, so that they never overflow.

use serde::{Deserialize, Serialize};

use super::softmax::softmax;
use crate::error::{BanditError, check_count, check_range};
use crate::pmf::{Constraints, Pmf};

/// The state of Exp3.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Exp3 {
    log_weights: Vec<f64>,
    gamma: f64,
}

impl Exp3 {
    /// Starts with equal weights; `gamma` in (0, 1] is both the learning rate and the share of exploration.
    ///
    /// # Errors
    /// [`BanditError::TooFew`] without an action, [`BanditError::OutOfRange`] where `gamma` is outside (0, 1].
    pub fn new(actions: usize, gamma: f64) -> Result<Self, BanditError> {
        check_count("the list of actions", actions, 1)?;
        let holds = gamma > 0.0 && gamma <= 1.0;
        check_range("gamma", gamma, holds, "a number in (0, 1]")?;
        Ok(Self {
            log_weights: vec![0.0; actions],
            gamma,
        })
    }

    /// The probabilities of the next action.
    ///
    /// # Errors
    /// [`BanditError::OutOfRange`] where a restored state holds a weight that is not finite.
    pub fn pmf(&self) -> Result<Pmf, BanditError> {
        let weights = vec![1.0; self.log_weights.len()];
        softmax(&self.log_weights, 1.0)?.constrained(Constraints {
            weights: &weights,
            floor: self.gamma,
        })
    }

    /// Learns the reward of an action that was drawn with the given propensity.
    ///
    /// # Errors
    /// [`BanditError::OutOfRange`] for an action that is none, a reward outside [0, 1], or a propensity
    /// outside (0, 1].
    pub fn update(
        &mut self,
        action: usize,
        propensity: f64,
        reward: f64,
    ) -> Result<(), BanditError> {
        let actions = self.log_weights.len();
        let known = action < actions;
        check_range("action", action as f64, known, "the index of an action")?;
        let holds = (0.0..=1.0).contains(&reward);
        check_range("the reward", reward, holds, "a number in [0, 1]")?;
        let holds = propensity > 0.0 && propensity <= 1.0;
        check_range("the propensity", propensity, holds, "a number in (0, 1]")?;
        self.log_weights[action] += self.gamma * reward / propensity / actions as f64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_all_close, assert_close, golden, number, numbers};

    #[test]
    fn equals_the_reference_step() {
        let Some(golden) = golden("bandit.json") else {
            return;
        };
        let golden = &golden["pmf"]["exp3_gamma0.1_step"];
        let mut policy = Exp3::new(3, 0.1).expect("valid");
        let pmf = policy.pmf().expect("finite");
        assert_all_close(pmf.as_slice(), &numbers(&golden["p"]), 1e-15);
        policy
            .update(1, pmf.as_slice()[1], number(&golden["reward"]))
            .expect("valid");
        let weights: Vec<f64> = policy
            .log_weights
            .iter()
            .map(|weight| weight.exp())
            .collect();
        assert_all_close(&weights, &numbers(&golden["w_after"]), 1e-14);
    }

    #[test]
    fn survives_many_rewards_and_refuses_bad_ones() {
        let mut policy = Exp3::new(2, 0.2).expect("valid");
        for _ in 0..100_000 {
            policy.update(0, 0.5, 1.0).expect("valid");
        }
        let pmf = policy.pmf().expect("finite");
        assert_close(pmf.as_slice()[1], 0.1, 1e-12);
        assert!(policy.update(2, 0.5, 1.0).is_err());
        assert!(policy.update(0, 0.0, 1.0).is_err());
        assert!(policy.update(0, 0.5, 2.0).is_err());
        assert!(Exp3::new(0, 0.1).is_err());
        assert!(Exp3::new(2, 0.0).is_err());
    }
}
