//! What moves the parameters.

pub(crate) mod adamw;
pub(crate) mod schedule;
