//! Campaigns and what is learnt of them through the public API, on a small shop that the tests write.

mod caps;
mod decisions;
mod delivery;
mod learning;
mod lift;
mod refusals;
mod repetition;
mod shop;
mod texts;
