//! The simulated shop from outside: its wire format, its statistics and its response model.

mod response;
mod statistics;
mod wire;

use datasets::{ShopConfig, SimulatedShop};

/// The small shop that every test uses.
fn small(seed: u64) -> SimulatedShop {
    SimulatedShop::new(ShopConfig::small(), seed).expect("the preset is valid")
}
