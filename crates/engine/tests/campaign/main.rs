//! Campaigns and what is learnt of them through the public API, on a small shop that the tests write.

mod attribution;
mod caps;
mod decisions;
mod delivery;
mod format_1;
mod learning;
mod lift;
mod own_texts;
mod recommend;
mod refusals;
mod repetition;
mod shop;
mod texts;
