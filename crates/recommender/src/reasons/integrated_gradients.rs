//! How much each row of a model's input contributed to its output.

use nn::{DType, Device, NnError, Tensor, Var};

/// Points of the path that are evaluated together, which bounds the memory.
const TOGETHER: usize = 32;

/// A point of the path: which share of the input it is, and how much its gradient counts in the mean.
#[derive(Debug, Clone, Copy, PartialEq)]
struct PathPoint {
    share: f64,
    weight: f64,
}

/// Splits `score(inputs) − score(0)` among the rows of the input, up to the error of a sum of `steps` points.
///
/// Contribution of row t = Σ over D of `x_t` · ∫ ∂score/∂`x_t` at α x, dα from 0 to 1. The contributions sum to the
/// difference of the scores (completeness) as `steps` grows.
///
/// Source: Sundararajan, Taly and Yan, "Axiomatic Attribution for Deep Networks", 2017. How this differs from the paper:
/// the path is the same straight line, but its points are those of Gauss and Legendre over u with α = knee · sinh(k u)
/// instead of evenly spaced: about evenly within the first `knee` of the path, then a constant factor apart. A
/// normalised layer turns its input into a direction within a small share of the path, over which even steps stride.
///
/// # Shapes
/// inputs [T, D]; `score` maps [S, T, D] → [S], each row by itself; → [T].
pub(crate) fn integrated_gradients(
    inputs: &Tensor,
    knee: f64,
    steps: usize,
    score: impl Fn(&Tensor) -> Result<Tensor, NnError>,
) -> Result<Vec<f64>, NnError> {
    let inputs = inputs.detach();
    let mut contributions = vec![0.0; inputs.dim(0)?];
    for points in path(knee, steps).chunks(TOGETHER) {
        let of = |read: fn(&PathPoint) -> f64| -> Result<Tensor, NnError> {
            let numbers: Vec<f64> = points.iter().map(read).collect();
            Ok(Tensor::new(numbers, &Device::Cpu)?.to_dtype(inputs.dtype())?)
        };
        let shares = of(|point| point.share)?.reshape((points.len(), 1, 1))?;
        let along = Var::from_tensor(&inputs.unsqueeze(0)?.broadcast_mul(&shares)?)?;
        let scores = (score(along.as_tensor())? * of(|point| point.weight)?)?;
        let gradients = scores.sum_all()?.backward()?;
        let Some(gradient) = gradients.get(&along) else {
            continue;
        };
        // [S, T, D] → [T]
        let double = |x: &Tensor| x.to_dtype(DType::F64);
        let parts = (double(gradient)?.sum(0)? * double(&inputs)?)?.sum(1)?;
        let parts: Vec<f64> = parts.to_vec1()?;
        for (contribution, part) in contributions.iter_mut().zip(parts) {
            *contribution += part;
        }
    }
    Ok(contributions)
}

/// The points of the path, from the origin to the input.
fn path(knee: f64, steps: usize) -> Vec<PathPoint> {
    let growth = (1.0 / knee).asinh();
    let point = |(node, weight): (f64, f64)| {
        let angle = growth * (1.0 + node) / 2.0;
        PathPoint {
            share: knee * angle.sinh(),
            weight: weight / 2.0 * knee * growth * angle.cosh(),
        }
    };
    gauss_legendre(steps).into_iter().map(point).collect()
}

/// Nodes in (−1, 1), ascending, and weights of the rule that integrates polynomials of degree 2 n − 1 exactly.
///
/// The nodes are the roots of the Legendre polynomial `P_n`, found by Newton's method; the weights are
/// 2 / ((1 − x²) `P_n`'(x)²).
fn gauss_legendre(count: usize) -> Vec<(f64, f64)> {
    let node = |index: usize| {
        let mut x = -((index as f64 + 0.75) / (count as f64 + 0.5) * std::f64::consts::PI).cos();
        let mut slope = 1.0;
        for _ in 0..NEWTON_STEPS {
            let value;
            (value, slope) = legendre(count, x);
            x -= value / slope;
        }
        (x, 2.0 / ((1.0 - x * x) * slope * slope))
    };
    (0..count).map(node).collect()
}

/// Steps after which Newton's method no longer moves a root in double precision.
const NEWTON_STEPS: usize = 8;

/// The Legendre polynomial of a degree above 0 at x in (−1, 1), and its slope.
fn legendre(degree: usize, x: f64) -> (f64, f64) {
    let (mut before, mut value) = (1.0, x);
    for n in 2..=degree {
        let n = n as f64;
        (before, value) = (
            value,
            ((2.0 * n - 1.0) * x * value - (n - 1.0) * before) / n,
        );
    }
    let slope = degree as f64 * (x * value - before) / (x * x - 1.0);
    (value, slope)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64, tolerance: f64) {
        let error = (found - expected).abs();
        assert!(error < tolerance, "{found} is not {expected}");
    }

    #[test]
    fn the_rule_equals_the_tables() {
        close(gauss_legendre(1)[0].0, 0.0, 1e-15);
        close(gauss_legendre(1)[0].1, 2.0, 1e-15);
        let third = 0.6f64.sqrt();
        let expected = [(-third, 5.0 / 9.0), (0.0, 8.0 / 9.0), (third, 5.0 / 9.0)];
        for (found, expected) in gauss_legendre(3).into_iter().zip(expected) {
            close(found.0, expected.0, 1e-14);
            close(found.1, expected.1, 1e-14);
        }
        for steps in [2, 16, 64, 200] {
            let rule = gauss_legendre(steps);
            assert!(rule.windows(2).all(|pair| pair[0].0 < pair[1].0));
            close(rule.iter().map(|(_, w)| w).sum(), 2.0, 1e-12);
            close(rule.iter().map(|(x, w)| x * x * w).sum(), 2.0 / 3.0, 1e-12);
        }
    }

    #[test]
    fn the_path_covers_the_whole_way() {
        for knee in [1.0, 1e-3, 1e-12] {
            let path = path(knee, 64);
            assert!(path.iter().all(|p| p.share > 0.0 && p.share < 1.0));
            close(path.iter().map(|p| p.weight).sum(), 1.0, 1e-9);
            close(path.iter().map(|p| p.weight * p.share).sum(), 0.5, 1e-9);
        }
    }

    /// x₀ · x₁ + 3 x₂ over three rows of one number: the product is shared evenly, the rest goes to the third.
    #[test]
    fn contributions_equal_those_by_hand() {
        let inputs = Tensor::new(&[[2.0f64], [5.0], [-1.0]], &Device::Cpu).expect("small");
        let score = |x: &Tensor| -> Result<Tensor, NnError> {
            let row = |index| x.narrow(1, index, 1)?.flatten_all();
            Ok(((row(0)? * row(1)?)? + (row(2)? * 3.0)?)?)
        };
        let found = integrated_gradients(&inputs, 1e-3, 40, score).expect("floats");
        for (found, expected) in found.into_iter().zip([5.0, 5.0, -3.0]) {
            close(found, expected, 1e-9);
        }
    }

    /// A direction turns up within a thousandth of the path, and is not missed.
    #[test]
    fn a_normalised_input_is_complete() {
        let inputs = Tensor::new(&[[0.3f64, -0.4]], &Device::Cpu).expect("small");
        let score = |x: &Tensor| -> Result<Tensor, NnError> {
            let x = x.squeeze(1)?;
            let norm = (x.sqr()?.mean_keepdim(1)? + 1e-6)?.sqrt()?;
            Ok(x.broadcast_div(&norm)?.narrow(1, 0, 1)?.squeeze(1)?)
        };
        let whole = 0.3 / (0.125f64 + 1e-6).sqrt();
        let found = integrated_gradients(&inputs, 1e-3, 24, score).expect("floats");
        close(found[0], whole, 1e-6);
    }

    #[test]
    fn what_does_not_depend_on_the_input_contributes_nothing() {
        let inputs = Tensor::new(&[[2.0f32], [5.0]], &Device::Cpu).expect("small");
        let score = |x: &Tensor| -> Result<Tensor, NnError> {
            Ok(Tensor::ones(x.dim(0)?, DType::F32, &Device::Cpu)?)
        };
        let found = integrated_gradients(&inputs, 1e-3, 4, score).expect("floats");
        assert_eq!(found, [0.0, 0.0]);
    }
}
