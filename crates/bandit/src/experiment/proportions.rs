//! Two proportions at a fixed sample size.
//!
//! The pooled two-proportion z-test (Fleiss, Levin & Paik, *Statistical Methods for Rates and
//! Proportions*, 3rd ed., 2003, chapter 3); the interval of one proportion by Wilson, JASA 1927; the relative
//! lift `p_t / p_c − 1` by the delta method on the logarithm of the ratio (Katz et al., Biometrics 1978).
//! How this differs from the sources: no continuity correction.
//!
//! Valid for one look at a size fixed in advance, and for units that are independent: count shoppers, not
//! decisions. To watch while it runs, use [`super::msprt`].

use serde::{Deserialize, Serialize};

use crate::error::{BanditError, check_range};
use crate::interval::{Interval, check_confidence};
use crate::special;

/// How many of some independent trials succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// The successes.
    pub successes: u64,
    /// The trials, successes included.
    pub trials: u64,
}

/// A treatment beside its control.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Lift {
    /// The control's mean or rate.
    pub control: Interval,
    /// The treatment's mean or rate.
    pub treatment: Interval,
    /// Treatment less control.
    pub difference: Interval,
    /// Treatment over control, less 1; absent where a ratio makes no sense, as for a control of zero.
    pub relative: Option<Interval>,
    /// The test statistic of no difference: z, or Welch's t.
    pub statistic: f64,
    /// The two-sided p-value of no difference.
    pub p_value: f64,
}

impl Counts {
    /// The share of successes.
    pub fn rate(&self) -> f64 {
        self.successes as f64 / self.trials as f64
    }

    /// Wilson's interval of the rate.
    ///
    /// # Errors
    /// [`BanditError::OutOfRange`] without trials, with more successes than trials, or for a confidence
    /// outside (0, 1).
    pub fn wilson(&self, confidence: f64) -> Result<Interval, BanditError> {
        check_confidence(confidence)?;
        self.check()?;
        let z = special::normal_quantile_two_sided(confidence);
        let (rate, trials) = (self.rate(), self.trials as f64);
        let shrink = 1.0 + z * z / trials;
        let centre = (rate + z * z / (2.0 * trials)) / shrink;
        let spread = rate * (1.0 - rate) / trials + z * z / (4.0 * trials * trials);
        let half = z * spread.sqrt() / shrink;
        Ok(Interval {
            value: rate,
            low: (centre - half).max(0.0),
            high: (centre + half).min(1.0),
        })
    }

    fn check(&self) -> Result<(), BanditError> {
        let trials = self.trials as f64;
        check_range("trials", trials, self.trials > 0, "at least 1")?;
        let fits = self.successes <= self.trials;
        let successes = self.successes as f64;
        check_range("successes", successes, fits, "at most the number of trials")
    }

    fn variance_of_rate(&self) -> f64 {
        self.rate() * (1.0 - self.rate()) / self.trials as f64
    }
}

/// Compares two proportions.
///
/// The p-value is that of the pooled z-test, the difference's interval is Wald's, unpooled.
///
/// # Errors
/// [`BanditError::OutOfRange`] without trials, with more successes than trials, or for a confidence outside
/// (0, 1).
pub fn two_proportions(
    control: Counts,
    treatment: Counts,
    confidence: f64,
) -> Result<Lift, BanditError> {
    let control_rate = control.wilson(confidence)?;
    let treatment_rate = treatment.wilson(confidence)?;
    let difference = treatment.rate() - control.rate();
    let deviation = (control.variance_of_rate() + treatment.variance_of_rate()).sqrt();
    let pooled = Counts {
        successes: control.successes + treatment.successes,
        trials: control.trials + treatment.trials,
    };
    let sizes = 1.0 / control.trials as f64 + 1.0 / treatment.trials as f64;
    let null_deviation = (pooled.rate() * (1.0 - pooled.rate()) * sizes).sqrt();
    // Without any variation there is no difference either.
    let statistic = if null_deviation > 0.0 {
        difference / null_deviation
    } else {
        0.0
    };
    Ok(Lift {
        control: control_rate,
        treatment: treatment_rate,
        difference: Interval::normal(difference, deviation, confidence)?,
        relative: relative_lift(control, treatment, confidence),
        statistic,
        p_value: special::normal_two_sided(statistic),
    })
}

fn relative_lift(control: Counts, treatment: Counts, confidence: f64) -> Option<Interval> {
    if control.successes == 0 || treatment.successes == 0 {
        return None;
    }
    let ratio = treatment.rate() / control.rate();
    let part = |counts: Counts| (1.0 - counts.rate()) / counts.successes as f64;
    let deviation = (part(control) + part(treatment)).sqrt();
    let half = special::normal_quantile_two_sided(confidence) * deviation;
    Some(Interval {
        value: ratio - 1.0,
        low: ratio * (-half).exp() - 1.0,
        high: ratio * half.exp() - 1.0,
    })
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use rand_distr::{Binomial, Distribution};

    use super::*;
    use crate::testing::{assert_all_close, assert_close, golden, numbers};

    fn counts(successes: u64, trials: u64) -> Counts {
        Counts { successes, trials }
    }

    #[test]
    fn equals_the_reference() {
        let Some(golden) = golden("sequential_tests.json") else {
            return;
        };
        let fixed = &golden["fixed"];
        let wilson = counts(37, 200).wilson(0.95).expect("valid");
        let expected = numbers(&fixed["wilson_95(37,200)"]);
        assert_all_close(&[wilson.low, wilson.high], &expected, 1e-12);

        let lift = two_proportions(counts(50, 1_000), counts(70, 1_000), 0.95).expect("valid");
        let expected = numbers(&fixed["two_prop_z(50/1000 vs 70/1000 pooled)"]);
        assert_all_close(&[lift.statistic, lift.p_value], &expected, 1e-12);
        let expected = numbers(&fixed["chi2_nocorr"]);
        assert_all_close(&[lift.statistic.powi(2), lift.p_value], &expected, 1e-12);
    }

    #[test]
    fn intervals_computed_by_hand() {
        let lift = two_proportions(counts(50, 1_000), counts(70, 1_000), 0.95).expect("valid");
        // √(0.05 · 0.95 / 1000 + 0.07 · 0.93 / 1000) = 0.010612...
        let half = 1.959_963_984_540_054 * (0.0475e-3 + 0.0651e-3_f64).sqrt();
        assert_close(lift.difference.low, 0.02 - half, 1e-12);
        let relative = lift.relative.expect("successes in both");
        assert_close(relative.value, 0.4, 1e-12);
        let half = 1.959_963_984_540_054 * (0.95 / 50.0 + 0.93 / 70.0_f64).sqrt();
        assert_close(relative.high, 1.4 * half.exp() - 1.0, 1e-12);
    }

    #[test]
    fn edges_have_no_ratio_and_no_significance() {
        let lift = two_proportions(counts(0, 10), counts(0, 10), 0.95).expect("valid");
        assert_eq!(lift.relative, None);
        assert_close(lift.p_value, 1.0, 0.0);
        assert!(
            lift.control.high > 0.2,
            "no success in ten is no proof of zero"
        );
        let fault = two_proportions(counts(3, 2), counts(0, 10), 0.95).expect_err("a fault");
        assert_eq!(
            fault.to_string(),
            "successes is 3; expected at most the number of trials"
        );
        assert!(counts(0, 0).wilson(0.95).is_err());
    }

    #[test]
    fn intervals_cover_the_truth_as_often_as_they_say() {
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        let mut sample = |rate: f64| {
            let shoppers = Binomial::new(4_000, rate).expect("a probability");
            counts(shoppers.sample(&mut rng), 4_000)
        };
        let (mut difference, mut relative) = (0, 0);
        for _ in 0..400 {
            let lift = two_proportions(sample(0.02), sample(0.026), 0.95).expect("valid");
            difference += u32::from(lift.difference.contains(0.006));
            relative += u32::from(lift.relative.expect("successes").contains(0.3));
        }
        // 380 expected, standard deviation 4.4.
        assert!((364..=396).contains(&difference), "{difference} of 400");
        assert!((364..=396).contains(&relative), "{relative} of 400");
    }
}
