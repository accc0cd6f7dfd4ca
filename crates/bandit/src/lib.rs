//! Decides by chance, on the record: policies with exact propensities, off-policy evaluation and the
//! tests that say whether a lift is real.
//!
//! The main type is [`LinearThompson`], Thompson sampling over actions described by features. It gives a
//! [`Pmf`] over the candidates of a decision; the choice is drawn from exactly these probabilities, and
//! they are what the decision logs.
//!
//! ```
//! use bandit::{Constraints, LinearThompsonConfig};
//!
//! let mut policy = LinearThompsonConfig::new(2).check()?;
//! policy.update(&[1.0, 0.0], 1.0, 1.0)?; // the first kind of message was clicked
//! policy.update(&[0.0, 1.0], 0.0, 1.0)?; // the second was not
//! let version = policy.sample(256, 7)?; // once per policy version
//! let actions = [1.0, 0.0, /* */ 0.0, 1.0, /* nothing: */ 0.0, 0.0];
//! let constraints = Constraints { weights: &[1.0, 1.0, 0.5], floor: 0.06 };
//! let propensities = version.propensities(&actions, constraints)?;
//! assert!(propensities.as_slice()[0] > 0.5 && propensities.as_slice()[1] >= 0.02);
//! let chosen = propensities.draw(42);
//! assert!(chosen < 3);
//! # Ok::<(), bandit::BanditError>(())
//! ```
//!
//! This crate never reads a clock or an ambient source of randomness, knows no tensors, and never draws
//! again to satisfy a constraint: constraints are weights, fixed before the draw.

pub mod bootstrap;
mod error;
mod exact;
pub mod experiment;
mod interval;
mod linalg;
pub mod ope;
pub mod pmf;
pub mod policy;
mod special;
#[cfg(test)]
mod testing;

pub use bootstrap::Bootstrap;
pub use error::BanditError;
pub use experiment::beta_binomial::BetaBinomial;
pub use experiment::cuped::Cuped;
pub use experiment::means::two_means;
pub use experiment::msprt::{Look, Msprt};
pub use experiment::proportions::{Counts, Lift, two_proportions};
pub use experiment::sample_ratio::{SequentialSampleRatio, sample_ratio};
pub use interval::Interval;
pub use ope::Evaluation;
pub use ope::round::{Logged, Predicted, Round};
pub use ope::support::{Support, SupportLimits};
pub use pmf::{Constraints, Pmf};
pub use policy::caps::{Uncapped, cap_weights, capped_weights};
pub use policy::epsilon_greedy::epsilon_greedy;
pub use policy::lin_thompson::{LinearThompson, LinearThompsonConfig, ScoreParts};
pub use policy::lin_ucb::lin_ucb;
pub use policy::ridge::{Observation, RidgePosterior};
pub use policy::sampled::SampledPosterior;
pub use policy::softmax::softmax;
pub use policy::square_cb::square_cb;
pub use policy::uniform::uniform;
