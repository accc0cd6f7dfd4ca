//! The simulated shop from outside: its wire format, its statistics, its response model and its frozen truth.

mod frozen;
mod response;
mod statistics;
mod wire;

use datasets::{ShopConfig, SimulatedShop};

/// The small shop that every test uses.
fn small(seed: u64) -> SimulatedShop {
    SimulatedShop::new(ShopConfig::small(), seed).expect("the preset is valid")
}
