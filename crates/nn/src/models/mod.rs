//! Whole networks of published architectures.

pub(crate) mod decoder;
