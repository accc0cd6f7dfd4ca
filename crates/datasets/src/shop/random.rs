//! Draws from seeded streams, one stream for each thing that is generated.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

/// What a stream is for, so that one more draw in one place changes nothing in another.
#[derive(Clone, Copy)]
pub(crate) enum Domain {
    Catalogue = 1,
    Shopper = 2,
    History = 3,
    Reaction = 4,
    Dirt = 5,
}

/// The stream number `index` of a domain.
pub(crate) fn stream(seed: u64, domain: Domain, index: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(((domain as u64) << 48) ^ index);
    rng
}

/// A standard normal draw.
pub(crate) fn normal(rng: &mut ChaCha8Rng) -> f64 {
    rng.sample(StandardNormal)
}

/// A log-normal draw with the given median and standard deviation of the logarithm.
pub(crate) fn lognormal(rng: &mut ChaCha8Rng, median: f64, sd: f64) -> f64 {
    median * (sd * normal(rng)).exp()
}

/// An index drawn with probability proportional to its weight; the last one where all weights are 0.
pub(crate) fn pick(weights: &[f64], rng: &mut ChaCha8Rng) -> usize {
    let mut left = rng.random::<f64>() * weights.iter().sum::<f64>();
    for (index, weight) in weights.iter().enumerate() {
        left -= weight;
        if left < 0.0 {
            return index;
        }
    }
    weights.len() - 1
}

/// An entry drawn uniformly.
pub(crate) fn one_of<'a, T>(entries: &'a [T], rng: &mut ChaCha8Rng) -> &'a T {
    &entries[rng.random_range(0..entries.len())]
}

/// σ(x) = 1 / (1 + e⁻ˣ).
pub(crate) fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pick_follows_its_weights() {
        let mut rng = stream(1, Domain::Dirt, 0);
        let mut counts = [0_u32; 3];
        for _ in 0..10_000 {
            counts[pick(&[1.0, 0.0, 3.0], &mut rng)] += 1;
        }
        assert_eq!(counts[1], 0);
        assert!((2_300..2_700).contains(&counts[0]), "{counts:?}");
    }

    #[test]
    fn streams_differ_and_repeat() {
        let draw = |domain, index| normal(&mut stream(9, domain, index)).to_bits();
        assert_eq!(draw(Domain::Shopper, 4), draw(Domain::Shopper, 4));
        assert_ne!(draw(Domain::Shopper, 4), draw(Domain::Shopper, 5));
        assert_ne!(draw(Domain::Shopper, 4), draw(Domain::History, 4));
    }
}
