//! Sample-ratio mismatch: whether the traffic was split as planned.
//!
//! Fabijan et al., "Diagnosing Sample Ratio Mismatch in Online Controlled Experiments", KDD 2019, by
//! Pearson's chi-square test; while it runs, Lindon & Malek, "Anytime-Valid Inference for Multinomial
//! Count Data", `NeurIPS` 2022: the Dirichlet-multinomial odds
//!
//! ```text
//! O = Γ(Σα) / Γ(Σα + n) · Π Γ(αᵢ + nᵢ) / Γ(αᵢ) / Π θᵢ^nᵢ        p = min over looks of 1 / O
//! ```
//!
//! How this differs from the papers: nothing. A mismatch voids the experiment; it is no result.

use serde::{Deserialize, Serialize};

use crate::error::{BanditError, check_count, check_len, check_range};
use crate::special::{chi_square_upper_tail, ln_gamma};

/// Tests the counts of the arms against their planned shares; returns the chi-square statistic and the
/// p-value.
///
/// # Errors
/// [`BanditError::Shape`] where counts and shares differ in number, [`BanditError::TooFew`] with fewer than
/// two arms, [`BanditError::OutOfRange`] where the shares are not positive with sum 1 or all counts are 0.
pub fn sample_ratio(counts: &[u64], shares: &[f64]) -> Result<(f64, f64), BanditError> {
    check_shares(counts, shares)?;
    let total = counts.iter().sum::<u64>() as f64;
    check_range("the sum of the counts", total, total > 0.0, "at least 1")?;
    let statistic = counts
        .iter()
        .zip(shares)
        .map(|(&count, share)| (count as f64 - total * share).powi(2) / (total * share))
        .sum();
    let degrees = (counts.len() - 1) as f64;
    Ok((statistic, chi_square_upper_tail(statistic, degrees)))
}

/// An always-valid test of the planned shares.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SequentialSampleRatio {
    shares: Vec<f64>,
    prior: Vec<f64>,
    largest_log_odds: f64,
}

impl SequentialSampleRatio {
    /// Starts a test of the planned shares with a Dirichlet mixture of the parameters `prior`; all 1 takes
    /// every split to be equally likely, larger ones proportional to the shares look for small mismatches.
    ///
    /// # Errors
    /// [`BanditError::Shape`] where they differ in number, [`BanditError::TooFew`] with fewer than two arms,
    /// [`BanditError::OutOfRange`] where the shares are not positive with sum 1 or a parameter is not
    /// positive.
    pub fn new(shares: Vec<f64>, prior: Vec<f64>) -> Result<Self, BanditError> {
        check_shares(&prior, &shares)?;
        for &parameter in &prior {
            let holds = parameter > 0.0 && parameter.is_finite();
            check_range(
                "a parameter of the prior",
                parameter,
                holds,
                "a positive number",
            )?;
        }
        Ok(Self {
            shares,
            prior,
            largest_log_odds: 0.0,
        })
    }

    /// Looks at the counts of all arms since the start; returns the logarithm of the odds.
    ///
    /// # Errors
    /// [`BanditError::Shape`] where the number of arms is another.
    pub fn look(&mut self, counts: &[u64]) -> Result<f64, BanditError> {
        check_len("counts", self.shares.len(), counts.len())?;
        let total = counts.iter().sum::<u64>() as f64;
        let prior: f64 = self.prior.iter().sum();
        let arms = counts.iter().zip(&self.prior).zip(&self.shares);
        let log_odds = arms.fold(
            ln_gamma(prior) - ln_gamma(prior + total),
            |sum, ((&count, alpha), share)| {
                let count = count as f64;
                sum + ln_gamma(alpha + count) - ln_gamma(*alpha) - count * share.ln()
            },
        );
        self.largest_log_odds = self.largest_log_odds.max(log_odds);
        Ok(log_odds)
    }

    /// The always-valid p-value: the inverse of the largest odds so far, at most 1.
    pub fn p_value(&self) -> f64 {
        (-self.largest_log_odds).exp()
    }
}

fn check_shares<T>(arms: &[T], shares: &[f64]) -> Result<(), BanditError> {
    check_count("the list of arms", arms.len(), 2)?;
    check_len("shares", arms.len(), shares.len())?;
    for &share in shares {
        check_range("a share", share, share > 0.0, "a positive number")?;
    }
    let total: f64 = shares.iter().sum();
    let near = (total - 1.0).abs() < 1e-9;
    check_range("the sum of the shares", total, near, "1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_all_close, assert_close, golden, numbers};

    /// Cumulative counts of three arms, look by look.
    fn looks(value: &serde_json::Value) -> Vec<Vec<u64>> {
        let flat = numbers(value);
        let row = |row: &[f64]| row.iter().map(|count| *count as u64).collect();
        flat.chunks_exact(3).map(row).collect()
    }

    #[test]
    fn equals_the_chi_square_test() {
        let Some(golden) = golden("sequential_tests.json") else {
            return;
        };
        let found = sample_ratio(&[5_050, 4_950], &[0.5, 0.5]).expect("valid");
        let expected = numbers(&golden["fixed"]["srm_chi2(5050,4950)"]);
        assert_all_close(&[found.0, found.1], &expected, 1e-12);
    }

    #[test]
    fn equals_the_closed_form_and_savvi() {
        let Some(golden) = golden("sequential_tests.json") else {
            return;
        };
        let reference = &golden["srm_dirichlet_multinomial"];
        let shares = numbers(&reference["theta0"]);
        let mut test =
            SequentialSampleRatio::new(shares, numbers(&reference["alpha0"])).expect("valid");
        let (odds, p_values) = (
            numbers(&reference["log_posterior_odds"]),
            numbers(&reference["sequential_p"]),
        );
        for (index, counts) in looks(&reference["cumulative_counts"]).iter().enumerate() {
            let found = test.look(counts).expect("valid");
            assert_close(found, odds[index], 1e-11);
            assert_close(test.p_value(), p_values[index], 1e-12);
        }

        let reference = &golden["savvi_multinomial"];
        let shares = numbers(&reference["theta0"]);
        let prior = shares.iter().map(|share| 3.0 * share).collect();
        let mut test = SequentialSampleRatio::new(shares, prior).expect("valid");
        let odds = numbers(&reference["odds_and_1/odds"]);
        for (index, counts) in looks(&reference["cumulative_counts"]).iter().enumerate() {
            let found = test.look(counts).expect("valid").exp();
            assert_close(found / odds[2 * index], 1.0, 1e-10);
        }
    }

    #[test]
    fn refuses_bad_shares() {
        let fault = sample_ratio(&[1, 2], &[0.5, 0.4]).expect_err("a fault");
        assert_eq!(
            fault.to_string(),
            "the sum of the shares is 0.9; expected 1"
        );
        assert!(sample_ratio(&[1], &[1.0]).is_err());
        assert!(sample_ratio(&[0, 0], &[0.5, 0.5]).is_err());
        assert!(SequentialSampleRatio::new(vec![0.5, 0.5], vec![1.0, 0.0]).is_err());
        let mut test = SequentialSampleRatio::new(vec![0.5, 0.5], vec![1.0; 2]).expect("valid");
        assert!(test.look(&[1, 2, 3]).is_err());
    }
}
