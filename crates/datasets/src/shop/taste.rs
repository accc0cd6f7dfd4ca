//! Points of the latent space in which shoppers, categories, brands and products meet.

use rand_chacha::ChaCha8Rng;

use super::random::normal;

/// Latent dimensions: enough that 27 categories are told apart, few enough that tastes are shared.
pub(crate) const DIMENSIONS: usize = 8;

/// A direction of the latent space; stored in single precision, since a year of weekly tastes of every
/// shopper is kept.
pub(crate) type Vector = [f32; DIMENSIONS];

/// A direction drawn uniformly from the unit sphere.
pub(crate) fn direction(rng: &mut ChaCha8Rng) -> Vector {
    unit(std::array::from_fn(|_| normal(rng) as f32))
}

/// The weighted sum of directions, scaled to length 1.
pub(crate) fn blend(parts: &[(f64, Vector)]) -> Vector {
    unit(std::array::from_fn(|axis| {
        parts
            .iter()
            .map(|(weight, part)| *weight as f32 * part[axis])
            .sum()
    }))
}

/// The cosine of two directions, −1 to 1.
pub(crate) fn affinity(a: &Vector, b: &Vector) -> f64 {
    f64::from(a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>())
}

/// A slow random walk on the sphere: one direction a week, each a step of length `step` from the last.
pub(crate) fn walk(start: Vector, weeks: usize, step: f64, rng: &mut ChaCha8Rng) -> Vec<Vector> {
    std::iter::successors(Some(start), |taste| {
        Some(blend(&[(1.0, *taste), (step, direction(rng))]))
    })
    .take(weeks.max(1))
    .collect()
}

fn unit(vector: Vector) -> Vector {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt().max(1e-12);
    vector.map(|x| x / length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shop::random::{Domain, stream};

    #[test]
    fn directions_have_length_one_and_blends_lean_to_the_heavier_part() {
        let mut rng = stream(3, Domain::Shopper, 0);
        let (a, b) = (direction(&mut rng), direction(&mut rng));
        let mixed = blend(&[(3.0, a), (1.0, b)]);
        for vector in [a, b, mixed] {
            assert!((affinity(&vector, &vector) - 1.0).abs() < 1e-5);
        }
        assert!(affinity(&mixed, &a) > affinity(&mixed, &b));
    }

    #[test]
    fn a_walk_drifts_slowly_and_far() {
        let mut rng = stream(3, Domain::Shopper, 1);
        let start = direction(&mut rng);
        let path = walk(start, 60, 0.1, &mut rng);
        assert_eq!(path.len(), 60);
        assert!(
            path.windows(2)
                .all(|pair| affinity(&pair[0], &pair[1]) > 0.98)
        );
        assert!(affinity(&path[0], &path[59]) < 0.95);
    }
}
