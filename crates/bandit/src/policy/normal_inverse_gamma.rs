//! Linear Thompson sampling that learns the noise as well.
//!
//! The conjugate normal-inverse-gamma regression (Bishop, *Pattern Recognition and Machine Learning*, 2006,
//! 3.3 and exercise 3.12; as a policy Riquelme, Tucker & Snoek, "Deep Bayesian Bandits Showdown", ICLR 2018):
//!
//! ```text
//! σ² ~ IG(a, b)      θ | σ² ~ N(mean, σ² A⁻¹)
//! a = a₀ + Σw / 2    b = b₀ + (Σ w r² + λ μ₀ᵀμ₀ − meanᵀ A mean) / 2
//! ```
//!
//! How this differs from the papers: a weight per observation, and no forgetting.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{ChiSquared, Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use super::ridge::{Observation, RidgePosterior};
use super::sampled::SampledPosterior;
use crate::error::{BanditError, check_count, check_len, check_range};
use crate::{exact, linalg};

/// Bayesian linear regression with unknown noise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NormalInverseGamma {
    posterior: RidgePosterior,
    /// `a₀`, `b₀`, `λ μ₀ᵀμ₀`, and `Σ w r²`.
    #[serde(with = "exact")]
    noise: Vec<f64>,
}

/// The distribution of the next reward: Student's t.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Predictive {
    /// The degrees of freedom.
    pub degrees: f64,
    /// The centre.
    pub location: f64,
    /// The scale.
    pub scale: f64,
}

impl NormalInverseGamma {
    /// Starts from a prior: mean and precision of the coefficients, and shape `a₀` and scale `b₀` of the
    /// noise's variance, whose prior mean is `b₀ / (a₀ − 1)`.
    ///
    /// # Errors
    /// Those of [`RidgePosterior::new`], and [`BanditError::OutOfRange`] where shape or scale is not
    /// positive.
    pub fn new(
        prior_mean: Vec<f64>,
        ridge: f64,
        shape: f64,
        scale: f64,
    ) -> Result<Self, BanditError> {
        for (what, value) in [("shape", shape), ("scale", scale)] {
            let holds = value > 0.0 && value.is_finite();
            check_range(what, value, holds, "a positive number")?;
        }
        let prior_squares = ridge * linalg::dot(&prior_mean, &prior_mean);
        Ok(Self {
            posterior: RidgePosterior::new(prior_mean, ridge)?,
            noise: vec![shape, scale, prior_squares, 0.0],
        })
    }

    /// Learns from a batch of observations.
    ///
    /// # Errors
    /// Those of [`RidgePosterior::update`]; the state is then unchanged.
    pub fn update(&mut self, batch: &[Observation<'_>]) -> Result<(), BanditError> {
        self.posterior.update(batch)?;
        let square =
            |observation: &Observation<'_>| observation.weight * observation.reward.powi(2);
        self.noise[3] += batch.iter().map(square).sum::<f64>();
        Ok(())
    }

    /// The state of the regression.
    pub fn posterior(&self) -> &RidgePosterior {
        &self.posterior
    }

    /// Shape `a` and scale `b` of the noise's variance.
    pub fn noise(&self) -> (f64, f64) {
        let explained: f64 = linalg::dot(self.posterior.mean(), self.posterior.response());
        let shape = self.noise[0] + 0.5 * self.posterior.weight();
        let rest = self.noise[2] + self.noise[3] - explained;
        // Rounding may leave a sum of squares a little below zero.
        (shape, self.noise[1] + 0.5 * rest.max(0.0))
    }

    /// The estimated standard deviation of the noise, `√(b / a)`: a value for
    /// [`super::lin_thompson::LinearThompsonConfig::noise_scale`].
    pub fn noise_scale(&self) -> f64 {
        let (shape, scale) = self.noise();
        (scale / shape).sqrt()
    }

    /// The distribution of the next reward of features `x`.
    ///
    /// # Errors
    /// [`BanditError::Shape`] where `x` has another dimension.
    pub fn predictive(&self, x: &[f64]) -> Result<Predictive, BanditError> {
        check_len("x", self.posterior.dimension(), x.len())?;
        let width = self.posterior.width(x)?;
        Ok(Predictive {
            degrees: 2.0 * self.noise().0,
            location: self.posterior.score(x)?,
            scale: self.noise_scale() * (1.0 + width * width).sqrt(),
        })
    }

    /// Draws coefficient vectors, each with a noise of its own, once per policy version.
    ///
    /// # Errors
    /// [`BanditError::TooFew`] where `samples` is 0, [`BanditError::OutOfRange`] where the shape of the noise
    /// is no number to draw from.
    pub fn sample(&self, samples: usize, seed: u64) -> Result<SampledPosterior, BanditError> {
        check_count("the list of posterior samples", samples, 1)?;
        let (shape, scale) = self.noise();
        let Ok(chi_squared) = ChiSquared::new(2.0 * shape) else {
            return Err(BanditError::OutOfRange {
                what: "the shape of the noise",
                value: shape,
                expected: "a positive number",
            });
        };
        let dimension = self.posterior.dimension();
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut thetas = Vec::with_capacity(samples * dimension);
        for _ in 0..samples {
            let deviation = (2.0 * scale / chi_squared.sample(&mut rng)).sqrt();
            let mut theta: Vec<f64> = (0..dimension)
                .map(|_| StandardNormal.sample(&mut rng))
                .collect();
            self.posterior.place(&mut theta, deviation);
            thetas.extend(theta);
        }
        SampledPosterior::new(&thetas, dimension)
    }
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;
    use crate::pmf::Constraints;
    use crate::testing::{assert_all_close, assert_close, golden, number, numbers};

    #[test]
    fn equals_the_reference() {
        let Some(golden) = golden("bandit.json") else {
            return;
        };
        let (data, nig) = (&golden["linucb"], &golden["nig"]);
        let (shape, scale) = (number(&nig["a0"]), number(&nig["b0"]));
        let ridge = number(&nig["Lambda0"]);
        let mut model = NormalInverseGamma::new(vec![0.0; 3], ridge, shape, scale).expect("valid");
        let (rows, rewards) = (numbers(&data["X"]), numbers(&data["reward"]));
        for (x, &reward) in rows.chunks_exact(3).zip(&rewards) {
            let weight = 1.0;
            model
                .update(&[Observation { x, reward, weight }])
                .expect("valid");
        }
        assert_all_close(model.posterior().mean(), &numbers(&nig["mu_n"]), 1e-12);
        assert_all_close(
            model.posterior().precision(),
            &numbers(&nig["Lambda_n"]),
            1e-12,
        );
        let (shape, scale) = model.noise();
        assert_all_close(
            &[shape, scale],
            &[number(&nig["a_n"]), number(&nig["b_n"])],
            1e-12,
        );
        let found = model.predictive(&numbers(&data["x_test"])).expect("valid");
        let expected = &nig["predictive_t_at_x_test"];
        assert_close(found.degrees, number(&expected["df"]), 1e-12);
        assert_close(found.location, number(&expected["loc"]), 1e-12);
        assert_close(found.scale, number(&expected["scale"]), 1e-12);
    }

    #[test]
    fn finds_the_noise_and_the_coefficients_of_a_simulator() {
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        let prior = vec![0.2, 0.0];
        let mut model = NormalInverseGamma::new(prior, 1.0, 1.0, 0.01).expect("valid");
        for _ in 0..4_000 {
            let x = [1.0, rng.random::<f64>()];
            let noise: f64 = StandardNormal.sample(&mut rng);
            let reward = 0.3 - 0.5 * x[1] + 0.25 * noise;
            let observation = Observation {
                x: &x,
                reward,
                weight: 1.0,
            };
            model.update(&[observation]).expect("valid");
        }
        assert_close(model.noise_scale(), 0.25, 0.01);
        assert_all_close(model.posterior().mean(), &[0.3, -0.5], 0.05);
        let version = model.sample(64, 1).expect("valid");
        let free = Constraints {
            weights: &[1.0; 2],
            floor: 0.0,
        };
        let pmf = version
            .propensities(&[1.0, 0.0, 1.0, 1.0], free)
            .expect("valid");
        assert_close(pmf.as_slice()[0], 1.0, 0.0);
        let text = serde_json::to_string(&model).expect("serialisable");
        let restored: NormalInverseGamma = serde_json::from_str(&text).expect("valid");
        assert_eq!(restored.sample(4, 2), model.sample(4, 2));
    }

    #[test]
    fn refuses_bad_arguments() {
        assert!(NormalInverseGamma::new(vec![0.0], 1.0, 0.0, 1.0).is_err());
        assert!(NormalInverseGamma::new(vec![0.0], 1.0, 1.0, -1.0).is_err());
        let model = NormalInverseGamma::new(vec![0.0], 1.0, 1.0, 1.0).expect("valid");
        assert!(model.sample(0, 1).is_err());
        assert!(model.predictive(&[1.0, 2.0]).is_err());
    }
}
