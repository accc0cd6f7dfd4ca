//! The report: one self-contained HTML page made of what was measured.
//!
//! Never computes a figure of its own: what is not in [`data::Report`] is not on the page.

pub(crate) mod data;
