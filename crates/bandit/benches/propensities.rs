//! Measures the propensities of one decision: 24 candidates of 24 dense features, 64 and 256 posterior
//! draws, one thread; and one update of the posterior.
//!
//! `cargo bench -p bandit --bench propensities`

use std::hint::black_box;
use std::io::Write;
use std::time::{Duration, Instant};

use bandit::{BanditError, Constraints, LinearThompsonConfig};

const CANDIDATES: usize = 24;
const FEATURES: usize = 24;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut report = std::io::stdout();
    let actions: Vec<f64> = (0..CANDIDATES * FEATURES)
        .map(|index| (index * 7_919 % 1_000) as f64 / 1_000.0 - 0.5)
        .collect();
    let mut policy = LinearThompsonConfig::new(FEATURES).check()?;
    let updated = per_call(1_000, |index| {
        let start = index % CANDIDATES * FEATURES;
        policy.update(&actions[start..start + FEATURES], 0.02, 1.0)
    })?;
    writeln!(report, "update: {updated:?}")?;
    let constraints = Constraints {
        weights: &[1.0; CANDIDATES],
        floor: 0.05,
    };
    for samples in [64, 256] {
        let version = policy.sample(samples, 1)?;
        let decided = per_call(5_000, |index| {
            let pmf = version.propensities(&actions, constraints)?;
            black_box(pmf.draw(index as u64));
            Ok(())
        })?;
        writeln!(report, "decision with {samples} draws: {decided:?}")?;
    }
    Ok(())
}

/// The shortest mean time of a call over five rounds.
fn per_call(
    calls: usize,
    mut call: impl FnMut(usize) -> Result<(), BanditError>,
) -> Result<Duration, BanditError> {
    let mut shortest = Duration::MAX;
    for _ in 0..5 {
        let start = Instant::now();
        for index in 0..calls {
            call(index)?;
        }
        shortest = shortest.min(start.elapsed() / calls as u32);
    }
    Ok(shortest)
}
