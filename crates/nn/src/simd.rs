//! Loops compiled once for each instruction set, the best one chosen at run time.
//!
//! The sums below run over [`LANES`] partial sums whatever the instruction set, so that a result does not depend on the
//! processor.

use candle_core::WithDType;

/// Partial sums of a reduction.
const LANES: usize = 16;

/// Runs a loop with the widest instructions of this processor.
///
/// The closure should be marked `#[inline(always)]` where it is long: only what is inlined into it is compiled so.
#[inline]
pub fn vectorised<R>(body: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(body)
}

/// A float type whose loops the compiler can vectorise.
pub trait Real: WithDType + From<f32> {
    /// eˣ; see [`exp_f32`] for `f32`.
    #[must_use]
    fn exp(self) -> Self;
    /// The larger of two numbers.
    #[must_use]
    fn larger(self, other: Self) -> Self;
    /// Natural logarithm.
    #[must_use]
    fn ln(self) -> Self;
    /// Square root.
    #[must_use]
    fn sqrt(self) -> Self;
}

impl Real for f32 {
    #[inline(always)]
    fn exp(self) -> Self {
        exp_f32(self)
    }

    #[inline(always)]
    fn larger(self, other: Self) -> Self {
        if self > other { self } else { other }
    }

    #[inline(always)]
    fn ln(self) -> Self {
        self.ln()
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        self.sqrt()
    }
}

impl Real for f64 {
    #[inline(always)]
    fn exp(self) -> Self {
        f64::exp(self)
    }

    #[inline(always)]
    fn larger(self, other: Self) -> Self {
        if self > other { self } else { other }
    }

    #[inline(always)]
    fn ln(self) -> Self {
        self.ln()
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        self.sqrt()
    }
}

/// eˣ in single precision, within 2 units in the last place; exactly 0 below −87 and finite above 88.
///
/// x = n ln 2 + r with |r| ≤ ln 2 / 2, eʳ by a polynomial of degree 6, 2ⁿ through the exponent bits. Source: Moshier,
/// Cephes `expf`. How this differs: no branches, so that a loop over it vectorises, and subnormal results are 0.
#[inline(always)]
pub fn exp_f32(x: f32) -> f32 {
    /// Adding 1.5 · 2²³ rounds to the nearest whole number and leaves it in the low bits.
    const ROUND: f32 = 12_582_912.0;
    /// ln 2 in two parts, the first with few bits so that its multiples are exact.
    const LN2_HIGH: f32 = 355.0 / 512.0;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    let bounded = if x > 88.0 { 88.0 } else { x };
    let shifted = bounded * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (bounded - n * LN2_HIGH) - n * LN2_LOW;
    let mut p = 1.987_569_1e-4;
    p = p * r + 1.398_199_9e-3;
    p = p * r + 8.333_452e-3;
    p = p * r + 4.166_579_6e-2;
    p = p * r + 1.666_666_5e-1;
    p = p * r + 0.5;
    let mantissa = p * (r * r) + r + 1.0;
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(0x3F80_0000));
    if x < -87.0 { 0.0 } else { mantissa * power }
}

/// The largest element; the row must not be empty.
#[inline(always)]
pub fn max<F: Real>(row: &[F]) -> F {
    let mut lanes = [row[0]; LANES];
    let mut chunks = row.chunks_exact(LANES);
    for chunk in &mut chunks {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane = lane.larger(*x);
        }
    }
    let rest = chunks.remainder().iter().copied();
    lanes.into_iter().chain(rest).fold(row[0], F::larger)
}

/// The sum of the partial sums, halves added to halves: four additions one after the other instead of sixteen.
#[inline(always)]
fn total<F: Real>(mut lanes: [F; LANES]) -> F {
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            let other = lanes[lane + half];
            lanes[lane] += other;
        }
        half /= 2;
    }
    lanes[0]
}

/// Σ f(xᵢ).
#[inline(always)]
pub fn sum_of<F: Real>(row: &[F], f: impl Fn(F) -> F) -> F {
    let mut lanes = [F::zero(); LANES];
    let mut chunks = row.chunks_exact(LANES);
    for chunk in &mut chunks {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane += f(*x);
        }
    }
    for (lane, x) in lanes.iter_mut().zip(chunks.remainder()) {
        *lane += f(*x);
    }
    total(lanes)
}

/// Overwrites a row by exp(xᵢ − most) and returns the sum.
#[inline(always)]
pub fn exp_and_sum<F: Real>(row: &mut [F], most: F) -> F {
    let mut lanes = [F::zero(); LANES];
    let mut chunks = row.chunks_exact_mut(LANES);
    for chunk in &mut chunks {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *x = (*x - most).exp();
            *lane += *x;
        }
    }
    for (lane, x) in lanes.iter_mut().zip(chunks.into_remainder()) {
        *x = (*x - most).exp();
        *lane += *x;
    }
    total(lanes)
}

/// Σ xᵢ yᵢ.
#[inline(always)]
pub fn dot<F: Real + From<G>, G: Real>(x: &[F], y: &[G]) -> F {
    let mut lanes = [F::zero(); LANES];
    let mut xs = x.chunks_exact(LANES);
    let mut ys = y.chunks_exact(LANES);
    for (x, y) in (&mut xs).zip(&mut ys) {
        for ((lane, x), y) in lanes.iter_mut().zip(x).zip(y) {
            *lane += *x * F::from(*y);
        }
    }
    let rest = xs.remainder().iter().zip(ys.remainder());
    for (lane, (x, y)) in lanes.iter_mut().zip(rest) {
        *lane += *x * F::from(*y);
    }
    total(lanes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_right_to_two_units_in_the_last_place() {
        let mut worst = 0f64;
        for step in -870_000..880_000 {
            let x = step as f32 * 1e-4;
            let expected = f64::from(x).exp();
            let error = (f64::from(exp_f32(x)) - expected).abs() / expected;
            worst = worst.max(error);
        }
        assert!(worst < 2.4e-7, "{worst}");
        assert_eq!(exp_f32(f32::NEG_INFINITY).to_bits(), 0);
        assert_eq!(exp_f32(-1e9).to_bits(), 0);
        assert_eq!(exp_f32(0.0).to_bits(), 1f32.to_bits());
        assert!(exp_f32(1e9).is_finite());
        assert!(exp_f32(f32::NAN).is_nan());
    }

    #[test]
    fn reductions_are_the_same_with_and_without_wide_instructions() {
        let x: Vec<f32> = (0..1_003).map(|i| (i as f32 * 0.37).sin() * 4.0).collect();
        let y: Vec<f32> = (0..1_003).map(|i| (i as f32 * 0.11).cos()).collect();
        let all = || [max(&x), sum_of(&x, exp_f32), dot(&x, &y)].map(f32::to_bits);
        assert_eq!(vectorised(all), all());
        let close = |a: f32, b: f64| assert!((f64::from(a) - b).abs() < 1e-3 * b.abs(), "{a} {b}");
        close(
            sum_of(&x, exp_f32),
            x.iter().map(|x| f64::from(*x).exp()).sum(),
        );
        let exact = x.iter().zip(&y).map(|(x, y)| f64::from(x * y)).sum::<f64>();
        assert!((f64::from(dot(&x, &y)) - exact).abs() < 1e-3);
        let most = x.iter().copied().fold(f32::MIN, f32::max);
        assert_eq!(max(&x).to_bits(), most.to_bits());
    }
}
