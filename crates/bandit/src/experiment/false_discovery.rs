//! The false discovery rate over many tests.
//!
//! Benjamini & Hochberg, "Controlling the False Discovery Rate", JRSS B 1995: of m sorted p-values,
//! `qᵢ = min over j ≥ i of m pⱼ / j`; rejecting where `q ≤ α` keeps the expected share of false rejections
//! at most α. How this differs from the paper: given as adjusted p-values, at most 1.

use crate::error::{BanditError, check_range};

/// The adjusted p-values, in the order of the p-values.
///
/// # Errors
/// [`BanditError::OutOfRange`] for a p-value outside [0, 1].
pub fn benjamini_hochberg(p_values: &[f64]) -> Result<Vec<f64>, BanditError> {
    for &p_value in p_values {
        let holds = (0.0..=1.0).contains(&p_value);
        check_range("a p-value", p_value, holds, "a number in [0, 1]")?;
    }
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    let tests = p_values.len() as f64;
    let mut adjusted = vec![1.0; p_values.len()];
    let mut smallest = 1.0_f64;
    for (rank, &index) in order.iter().enumerate().rev() {
        smallest = smallest.min(p_values[index] * tests / (rank + 1) as f64);
        adjusted[index] = smallest;
    }
    Ok(adjusted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_all_close, golden, numbers};

    #[test]
    fn equals_the_reference_in_any_order() {
        let Some(golden) = golden("sequential_tests.json") else {
            return;
        };
        let mut p_values = numbers(&golden["bh_fdr"]["p"]);
        let mut expected = numbers(&golden["bh_fdr"]["q"]);
        let found = benjamini_hochberg(&p_values).expect("valid");
        assert_all_close(&found, &expected, 1e-12);
        p_values.reverse();
        expected.reverse();
        let found = benjamini_hochberg(&p_values).expect("valid");
        assert_all_close(&found, &expected, 1e-12);
        assert!(benjamini_hochberg(&[1.1]).is_err());
    }
}
