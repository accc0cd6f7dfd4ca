//! Import, repair and export through the public API, on files that the tests write.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bad_files;
mod export;
mod formats;
mod repair;
mod shop;
mod state;
