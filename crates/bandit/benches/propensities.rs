//! Measures the propensities of one decision: 24 candidates of 24 dense features, 64 and 256 posterior
//! draws, one thread; one update of the posterior; and the caps of a campaign of 20,000 shoppers, 60
//! products with at most 5 % and 6 variants with at most 25 % each.
//!
//! `cargo bench -p bandit --bench propensities`

use std::hint::black_box;
use std::io::Write;
use std::time::{Duration, Instant};

use bandit::policy::caps::{Uncapped, cap_weights};
use bandit::{BanditError, Constraints, LinearThompsonConfig, Pmf};

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
    let (weights, elapsed) = caps(20_000)?;
    let bound = weights.iter().filter(|weight| **weight < 1.0).count();
    writeln!(report, "caps: {elapsed:?}, {bound} of 66 bind")?;
    Ok(())
}

/// Finds the weights of a campaign in which some products and variants are favourites.
fn caps(shoppers: usize) -> Result<(Vec<f64>, Duration), BanditError> {
    let mut pmfs = Vec::with_capacity(shoppers);
    let mut groups = Vec::with_capacity(shoppers);
    for shopper in 0..shoppers {
        let candidate = |index: usize| (shopper * 31 + index * 17) % 360;
        let favour = |index: usize| 1.0 / (1.0 + (candidate(index) % 60) as f64 / 4.0);
        pmfs.push(Pmf::from_masses((0..CANDIDATES).map(favour).collect())?);
        let of = |index: usize| match index {
            0 => Vec::new(),
            _ => vec![candidate(index) % 60, 60 + candidate(index) / 60],
        };
        groups.push((0..CANDIDATES).map(of).collect::<Vec<_>>());
    }
    let decisions: Vec<Uncapped<'_>> = pmfs
        .iter()
        .zip(&groups)
        .map(|(pmf, groups)| Uncapped {
            pmf,
            weights: &[1.0; CANDIDATES],
            groups,
            mass: 1.0,
        })
        .collect();
    let limits = [vec![0.05; 60], vec![0.25; 6]].concat();
    let start = Instant::now();
    let weights = cap_weights(&decisions, &limits, 0.05)?;
    Ok((weights, start.elapsed()))
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
