//! Alpha spending: a fixed number of looks at planned times.
//!
//! Lan and `DeMets`, "Discrete Sequential Boundaries for Clinical Trials", Biometrika 1983: the error that may
//! be spent up to the share t of the planned sample, of O'Brien–Fleming's type
//! `2 (1 − Φ(z_{α/2} / √t))` or of Pocock's `α ln(1 + (e − 1) t)`.
//! How this differs from the paper: the spent error is given; the critical values at each look, which need
//! multivariate normal integrals, are not. [`super::msprt`] needs no plan.

use crate::error::{BanditError, check_range};
use crate::interval::check_confidence;
use crate::special::{normal_quantile_two_sided, normal_two_sided};

/// The two-sided error spent up to the share `t` of the planned sample, of O'Brien and Fleming's type:
/// little early, nearly all at the end.
///
/// # Errors
/// [`BanditError::OutOfRange`] where `t` is not in (0, 1] or `alpha` not in (0, 1).
pub fn obrien_fleming(t: f64, alpha: f64) -> Result<f64, BanditError> {
    check_share(t)?;
    check_confidence(1.0 - alpha)?;
    Ok(normal_two_sided(
        normal_quantile_two_sided(1.0 - alpha) / t.sqrt(),
    ))
}

/// The error spent up to the share `t` of the planned sample, of Pocock's type: nearly evenly.
///
/// # Errors
/// [`BanditError::OutOfRange`] where `t` is not in (0, 1] or `alpha` not in (0, 1).
pub fn pocock(t: f64, alpha: f64) -> Result<f64, BanditError> {
    check_share(t)?;
    check_confidence(1.0 - alpha)?;
    Ok(alpha * ((std::f64::consts::E - 1.0) * t).ln_1p())
}

fn check_share(t: f64) -> Result<(), BanditError> {
    check_range("t", t, t > 0.0 && t <= 1.0, "a share in (0, 1]")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_close, golden, numbers};

    #[test]
    fn equals_the_reference() {
        let Some(golden) = golden("sequential_tests.json") else {
            return;
        };
        let golden = &golden["alpha_spending"];
        let times = numbers(&golden["t"]);
        let early = numbers(&golden["obf_0.05_two_sided"]);
        let even = numbers(&golden["pocock"]);
        for (index, &t) in times.iter().enumerate() {
            let found = obrien_fleming(t, 0.05).expect("valid");
            assert_close(found, early[index], 1e-12);
            let found = pocock(t, 0.05).expect("valid");
            assert_close(found, even[index], 1e-12);
        }
        assert!(obrien_fleming(0.0, 0.05).is_err());
        assert!(pocock(1.1, 0.05).is_err());
        assert!(pocock(0.5, 0.0).is_err());
    }
}
