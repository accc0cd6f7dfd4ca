//! Distribution functions, from the incomplete gamma and beta functions.
//!
//! Press et al., *Numerical Recipes*, 3rd ed., chapter 6: series and Lentz's continued fractions; the
//! logarithm of the gamma function by Lanczos' approximation with g = 7 and nine coefficients.

const LANCZOS: [f64; 9] = [
    0.999_999_999_999_809_9,
    676.520_368_121_885_1,
    -1_259.139_216_722_402_8,
    771.323_428_777_653_1,
    -176.615_029_162_140_6,
    12.507_343_278_686_905,
    -0.138_571_095_265_720_12,
    9.984_369_578_019_572e-6,
    1.505_632_735_149_311_6e-7,
];
const STEPS: u32 = 1_000;
const TINY: f64 = 1e-300;

/// `ln Γ(x)` for x > 0.
pub(crate) fn ln_gamma(x: f64) -> f64 {
    if x < 0.5 {
        // The reflection formula.
        let sine = (std::f64::consts::PI * x).sin();
        return (std::f64::consts::PI / sine).ln() - ln_gamma(1.0 - x);
    }
    let shifted = x - 1.0;
    let terms = LANCZOS.iter().enumerate().skip(1);
    let series = terms.fold(LANCZOS[0], |sum, (index, coefficient)| {
        sum + coefficient / (shifted + index as f64)
    });
    let base = shifted + 7.5;
    0.5 * (2.0 * std::f64::consts::PI).ln() + (shifted + 0.5) * base.ln() - base + series.ln()
}

/// `ln B(a, b)` for a, b > 0.
pub(crate) fn ln_beta(a: f64, b: f64) -> f64 {
    ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b)
}

/// The upper regularised incomplete gamma function `Q(a, x)`.
fn upper_gamma(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    let scale = (a * x.ln() - x - ln_gamma(a)).exp();
    if x < a + 1.0 {
        let (mut term, mut sum, mut denominator) = (1.0 / a, 1.0 / a, a);
        for _ in 0..STEPS {
            denominator += 1.0;
            term *= x / denominator;
            sum += term;
            if term.abs() < sum.abs() * f64::EPSILON {
                break;
            }
        }
        return 1.0 - scale * sum;
    }
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / TINY;
    let mut d = 1.0 / b;
    let mut fraction = d;
    for step in 1..STEPS {
        let step = f64::from(step);
        let numerator = -step * (step - a);
        b += 2.0;
        d = 1.0 / away_from_zero(numerator * d + b);
        c = away_from_zero(b + numerator / c);
        fraction *= d * c;
        if (d * c - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    scale * fraction
}

/// The regularised incomplete beta function `I_x(a, b)`.
fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return x.clamp(0.0, 1.0);
    }
    let scale = (a * x.ln() + b * (-x).ln_1p() - ln_beta(a, b)).exp();
    if x < (a + 1.0) / (a + b + 2.0) {
        scale * beta_fraction(a, b, x) / a
    } else {
        1.0 - scale * beta_fraction(b, a, 1.0 - x) / b
    }
}

fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    for step in 1..STEPS {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for numerator in [even, odd] {
            d = 1.0 / away_from_zero(1.0 + numerator * d);
            c = away_from_zero(1.0 + numerator / c);
            change = d * c;
            fraction *= change;
        }
        if (change - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    fraction
}

fn away_from_zero(value: f64) -> f64 {
    if value.abs() < TINY { TINY } else { value }
}

/// `P(|Z| > |z|)` for a standard normal Z.
pub(crate) fn normal_two_sided(z: f64) -> f64 {
    upper_gamma(0.5, 0.5 * z * z)
}

/// The z with `P(|Z| > z) = 1 − confidence`, by Newton's method.
///
/// The tail is convex for z > 0, so the steps from 0 never pass the solution.
pub(crate) fn normal_quantile_two_sided(confidence: f64) -> f64 {
    let mut z = 0.0_f64;
    for _ in 0..STEPS {
        let density = (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt();
        let step = (normal_two_sided(z) - (1.0 - confidence)) / (2.0 * density);
        z += step;
        if step.abs() <= 4.0 * f64::EPSILON * z {
            break;
        }
    }
    z
}

/// `P(X > statistic)` for a chi-square variable.
pub(crate) fn chi_square_upper_tail(statistic: f64, degrees: f64) -> f64 {
    upper_gamma(0.5 * degrees, 0.5 * statistic)
}

/// `P(|T| > |t|)` for Student's t.
pub(crate) fn student_two_sided(t: f64, degrees: f64) -> f64 {
    incomplete_beta(0.5 * degrees, 0.5, degrees / (degrees + t * t))
}

/// The t with `P(|T| > t) = 1 − confidence` for Student's t, by bisection on the tail.
pub(crate) fn student_quantile_two_sided(confidence: f64, degrees: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    while student_two_sided(high, degrees) > 1.0 - confidence && high < 1e12 {
        high *= 2.0;
    }
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        if student_two_sided(middle, degrees) > 1.0 - confidence {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::assert_close;

    #[test]
    fn equals_tabulated_values() {
        assert_close(ln_gamma(0.5), 0.572_364_942_924_700_1, 1e-14);
        assert_close(ln_gamma(10.0), 362_880.0_f64.ln(), 1e-13);
        assert_close(ln_gamma(0.25), 1.288_022_524_698_077_4, 1e-13);
        assert_close(ln_beta(2.0, 3.0), (1.0_f64 / 12.0).ln(), 1e-13);
        assert_close(normal_two_sided(1.0), 0.317_310_507_862_914_1, 1e-14);
        assert_close(normal_two_sided(-6.0) * 1e9, 1.973_175_290_075_396_4, 1e-9);
        assert_close(
            normal_quantile_two_sided(0.95),
            1.959_963_984_540_054,
            1e-12,
        );
        assert_close(
            normal_quantile_two_sided(0.5),
            0.674_489_750_196_081_7,
            1e-12,
        );
        for confidence in [1e-6, 0.999, 1.0 - 1e-12] {
            let tail = normal_two_sided(normal_quantile_two_sided(confidence));
            assert_close(tail / (1.0 - confidence), 1.0, 1e-9);
        }
        assert_close(
            chi_square_upper_tail(5.991_464_547_107_979, 2.0),
            0.05,
            1e-14,
        );
        assert_close(
            student_quantile_two_sided(0.95, 10.0),
            2.228_138_851_986_275,
            1e-11,
        );
        assert_close(
            student_quantile_two_sided(0.95, 1.0),
            12.706_204_736_432_095,
            1e-9,
        );
        assert_close(student_two_sided(1.0, 1.0), 0.5, 1e-14);
    }
}
