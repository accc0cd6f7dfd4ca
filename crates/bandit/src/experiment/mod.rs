//! Experiments: whether a lift is real, at a fixed size or watched while it runs.

pub mod alpha_spending;
pub mod beta_binomial;
pub mod cuped;
pub mod false_discovery;
pub mod means;
pub mod msprt;
pub mod proportions;
pub mod sample_ratio;
