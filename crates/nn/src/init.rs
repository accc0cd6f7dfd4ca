use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// How a parameter starts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Init {
    /// Every element has this value.
    Constant(f64),
    /// Normal with mean 0 and this standard deviation.
    Normal {
        /// Standard deviation.
        std: f64,
    },
    /// Uniform on (−bound, bound).
    Uniform {
        /// Half the width of the interval.
        bound: f64,
    },
}

impl Init {
    /// Glorot's uniform initialisation of a weight [outputs, inputs]: bound √(6 / (inputs + outputs)).
    ///
    /// Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010.
    pub fn glorot(inputs: usize, outputs: usize) -> Self {
        Self::Uniform {
            bound: (6.0 / (inputs + outputs).max(1) as f64).sqrt(),
        }
    }

    /// Draws `count` values.
    pub(crate) fn draw(self, count: usize, rng: &mut ChaCha8Rng) -> Vec<f64> {
        match self {
            Self::Constant(value) => vec![value; count],
            Self::Uniform { bound } => (0..count)
                .map(|_| (rng.random::<f64>() * 2.0 - 1.0) * bound)
                .collect(),
            Self::Normal { std } => (0..count).map(|_| std * standard_normal(rng)).collect(),
        }
    }
}

/// One standard normal draw by the method of Box and Muller (1958): √(−2 ln u) cos(2πv).
fn standard_normal(rng: &mut ChaCha8Rng) -> f64 {
    // `random` is in [0, 1); 1 − u is in (0, 1], where the logarithm is finite.
    let u = 1.0 - rng.random::<f64>();
    let v = rng.random::<f64>();
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generator;

    #[test]
    fn draws_have_the_stated_moments() {
        let normal = Init::Normal { std: 0.5 }.draw(40_000, &mut generator(1, "test", 0));
        let mean = normal.iter().sum::<f64>() / 40_000.0;
        let variance = normal.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 40_000.0;
        assert!(mean.abs() < 0.01, "mean {mean}");
        assert!((variance - 0.25).abs() < 0.01, "variance {variance}");
        let uniform = Init::glorot(3, 3).draw(10_000, &mut generator(1, "test", 1));
        assert!(uniform.iter().all(|x| x.abs() <= 1.0));
        assert!(uniform.iter().any(|x| *x > 0.95) && uniform.iter().any(|x| *x < -0.95));
    }
}
