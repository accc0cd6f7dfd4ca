//! Dense symmetric positive-definite systems of a few dozen unknowns, stored row by row.

use crate::error::BanditError;

/// Factors `matrix = L Lᵀ` and returns `L`, lower triangular, zeros above the diagonal.
///
/// # Shapes
/// `matrix` is `dimension × dimension`, row by row; only its lower triangle is read.
///
/// # Errors
/// [`BanditError::NotPositiveDefinite`] where a pivot is not positive and finite.
pub(crate) fn cholesky(matrix: &[f64], dimension: usize) -> Result<Vec<f64>, BanditError> {
    let mut factor = vec![0.0; dimension * dimension];
    for row in 0..dimension {
        for col in 0..=row {
            let (of_row, of_col) = (row * dimension, col * dimension);
            let known = dot(&factor[of_row..of_row + col], &factor[of_col..of_col + col]);
            let rest = matrix[of_row + col] - known;
            if row == col {
                if !(rest > 0.0 && rest.is_finite()) {
                    return Err(BanditError::NotPositiveDefinite { row, pivot: rest });
                }
                factor[of_row + col] = rest.sqrt();
            } else {
                factor[of_row + col] = rest / factor[of_col + col];
            }
        }
    }
    Ok(factor)
}

/// Replaces `vector` by the solution of `L y = vector`.
pub(crate) fn solve_lower(factor: &[f64], vector: &mut [f64]) {
    let dimension = vector.len();
    for row in 0..dimension {
        let of_row = row * dimension;
        let known = dot(&factor[of_row..of_row + row], &vector[..row]);
        vector[row] = (vector[row] - known) / factor[of_row + row];
    }
}

/// Replaces `vector` by the solution of `Lᵀ y = vector`.
pub(crate) fn solve_upper(factor: &[f64], vector: &mut [f64]) {
    let dimension = vector.len();
    for row in (0..dimension).rev() {
        let of_row = row * dimension;
        vector[row] /= factor[of_row + row];
        let solved = vector[row];
        for (value, entry) in vector[..row].iter_mut().zip(&factor[of_row..of_row + row]) {
            *value -= entry * solved;
        }
    }
}

/// The inner product of two vectors of one length.
pub(crate) fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::assert_all_close;

    #[test]
    fn factors_and_solves_a_system_solved_by_hand() {
        // [4 2; 2 5] = [2 0; 1 2] [2 1; 0 2]; its inverse times (2, 9) is (-0.5, 2).
        let factor = cholesky(&[4.0, 2.0, 2.0, 5.0], 2).expect("positive definite");
        assert_all_close(&factor, &[2.0, 0.0, 1.0, 2.0], 0.0);
        let mut vector = [2.0, 9.0];
        solve_lower(&factor, &mut vector);
        assert_all_close(&vector, &[1.0, 4.0], 0.0);
        solve_upper(&factor, &mut vector);
        assert_all_close(&vector, &[-0.5, 2.0], 0.0);
    }

    #[test]
    fn refuses_a_matrix_that_is_not_positive_definite() {
        let fault = cholesky(&[1.0, 2.0, 2.0, 1.0], 2).expect_err("indefinite");
        assert_eq!(
            fault,
            BanditError::NotPositiveDefinite {
                row: 1,
                pivot: -3.0
            }
        );
        assert!(cholesky(&[f64::NAN], 1).is_err());
    }
}
