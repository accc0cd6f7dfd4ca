//! The truth for evaluation: the best action, and the exact worth of a policy's choice.
//!
//! A learner never calls these; reports do, to measure lift and regret against the truth.

use events::{Channel, Goal, Identity, Strategy, Timestamp};

use super::SimulatedShop;
use super::response::Message;
use crate::DatasetError;

/// The message that a policy which knew everything would send.
#[derive(Debug, Clone, PartialEq)]
pub struct BestAction {
    /// The message, ready for [`SimulatedShop::react`].
    pub message: Message,
    /// The product that it speaks of.
    pub product_id: String,
    /// The argument that it makes.
    pub strategy: Strategy,
    /// Its exact expected reward.
    pub expected_reward: f64,
}

impl SimulatedShop {
    /// The product and the strategy of the highest expected reward; `None` where the shopper does not allow the
    /// channel, since nothing may be sent then.
    ///
    /// # Errors
    /// [`DatasetError::UnknownShopper`].
    pub fn best_action(
        &self,
        shopper: &Identity,
        channel: Channel,
        at: Timestamp,
        goal: Goal,
    ) -> Result<Option<BestAction>, DatasetError> {
        let candidates = self.candidates(shopper, channel, at)?;
        Ok(self.best_of(&candidates, goal))
    }

    /// The candidate of the highest expected reward; `None` where none has one above 0.
    pub fn best_of(&self, candidates: &[Message], goal: Goal) -> Option<BestAction> {
        let rewards = candidates
            .iter()
            .map(|message| (message, self.expected_reward(message, goal)));
        let (message, expected_reward) = rewards
            .filter(|(_, reward)| *reward > 0.0)
            .max_by(|a, b| a.1.total_cmp(&b.1))?;
        Some(BestAction {
            message: *message,
            product_id: self.product_id(message).to_owned(),
            strategy: message.strategy,
            expected_reward,
        })
    }

    /// Every message about a product in stock that could be sent to a shopper, in the order of the catalogue and of
    /// [`Strategy::ALL`].
    ///
    /// # Errors
    /// [`DatasetError::UnknownShopper`].
    pub fn candidates(
        &self,
        shopper: &Identity,
        channel: Channel,
        at: Timestamp,
    ) -> Result<Vec<Message>, DatasetError> {
        let shopper = self.shopper_index(shopper)?;
        let at = at.as_second();
        Ok(self
            .catalogue
            .items
            .iter()
            .enumerate()
            .filter(|(_, item)| item.launched <= at && item.product.stock != Some(0))
            .flat_map(|(item, _)| {
                Strategy::ALL.into_iter().map(move |strategy| Message {
                    shopper,
                    item,
                    strategy,
                    channel,
                    at,
                })
            })
            .collect())
    }

    /// The exact expected reward of a stochastic choice: Σ propensity · reward, where sending nothing (`None`) earns 0.
    pub fn expected_reward_of(&self, choice: &[(Option<Message>, f64)], goal: Goal) -> f64 {
        choice
            .iter()
            .filter_map(|(message, propensity)| {
                message.map(|message| propensity * self.expected_reward(&message, goal))
            })
            .sum()
    }
}
