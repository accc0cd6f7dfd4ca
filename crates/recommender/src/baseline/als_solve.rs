//! The regularised least-squares problem that alternating least squares solves for each row.

use nn::simd::{dot, vectorised};

/// Solves (G + λI + Σ (c − 1) y yᵀ) x = Σ c y over the row's entries, by Cholesky decomposition.
///
/// `gram` is G = Σ over all rows of `factors` of y yᵀ; `entries` names rows of `factors` with their confidence c ≥ 1. The
/// matrix is positive definite because G is positive semidefinite and λ > 0.
///
/// # Shapes
/// `factors` N × D row-major, `gram` D × D; the result D.
pub(super) fn solve_row(
    factors: &[f32],
    gram: &[f32],
    entries: &[(u32, f32)],
    regularisation: f32,
) -> Vec<f32> {
    let mut matrix = gram.to_vec();
    let mut target = vec![0.0f32; gram.len().isqrt()];
    vectorised(
        #[inline(always)]
        || {
            add_entries(factors, entries, regularisation, &mut matrix, &mut target);
            cholesky_solve(&mut matrix, &mut target);
        },
    );
    target
}

/// Adds λI + Σ (c − 1) y yᵀ to the lower triangle of the matrix, all that the decomposition reads, and Σ c y to the
/// target.
#[inline(always)]
fn add_entries(
    factors: &[f32],
    entries: &[(u32, f32)],
    regularisation: f32,
    matrix: &mut [f32],
    target: &mut [f32],
) {
    let width = target.len();
    for d in 0..width {
        matrix[d * width + d] += regularisation;
    }
    for &(row, confidence) in entries {
        let y = &factors[row as usize * width..][..width];
        for (t, value) in target.iter_mut().zip(y) {
            *t += confidence * value;
        }
        let rows = matrix.chunks_exact_mut(width).enumerate();
        for (a, (place, matrix_row)) in y.iter().zip(rows) {
            let scaled = (confidence - 1.0) * a;
            for (m, b) in matrix_row[..=place].iter_mut().zip(y) {
                *m += scaled * b;
            }
        }
    }
}

/// G = Σ over the rows y of `factors` of y yᵀ.
///
/// # Shapes
/// `factors` N × `width` row-major; the result `width` × `width`.
pub(super) fn gram(factors: &[f32], width: usize) -> Vec<f32> {
    let mut gram = vec![0.0f32; width * width];
    for y in factors.chunks_exact(width) {
        for (a, gram_row) in y.iter().zip(gram.chunks_exact_mut(width)) {
            for (g, b) in gram_row.iter_mut().zip(y) {
                *g += a * b;
            }
        }
    }
    gram
}

/// Replaces `target` by the solution of `matrix` · x = `target`, of which the lower triangle is read; `matrix` becomes
/// its lower Cholesky factor.
#[inline(always)]
fn cholesky_solve(matrix: &mut [f32], target: &mut [f32]) {
    let width = target.len();
    for i in 0..width {
        let (done, rest) = matrix.split_at_mut(i * width);
        let row = &mut rest[..width];
        for j in 0..i {
            let other = &done[j * width..][..=j];
            row[j] = (row[j] - dot::<f32, f32>(&row[..j], &other[..j])) / other[j];
        }
        // Rounding can push a pivot of a nearly singular matrix to zero or below; the floor keeps the solution finite.
        row[i] = (row[i] - dot::<f32, f32>(&row[..i], &row[..i]))
            .max(1e-12)
            .sqrt();
    }
    for i in 0..width {
        let row = &matrix[i * width..][..=i];
        target[i] = (target[i] - dot::<f32, f32>(&row[..i], &target[..i])) / row[i];
    }
    for i in (0..width).rev() {
        let row = &matrix[i * width..][..=i];
        target[i] /= row[i];
        let solved = target[i];
        for (t, l) in target[..i].iter_mut().zip(row) {
            *t -= l * solved;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_system_is_solved() {
        // [4 2 0; 2 5 1; 0 1 3] · (1, −2, 3) = (0, −5, 7).
        let mut matrix = vec![4.0, 2.0, 0.0, 2.0, 5.0, 1.0, 0.0, 1.0, 3.0];
        let mut target = vec![0.0, -5.0, 7.0];
        cholesky_solve(&mut matrix, &mut target);
        for (found, expected) in target.iter().zip([1.0, -2.0, 3.0]) {
            assert!((found - expected).abs() < 1e-5, "{target:?}");
        }
    }

    #[test]
    fn a_row_solves_its_normal_equations() {
        let factors = [1.0, 0.0, 0.0, 2.0, 1.0, 1.0];
        let gram = gram(&factors, 2);
        assert_eq!(gram, [2.0, 1.0, 1.0, 5.0]);
        // (G + ½I + 2 · (1,1)(1,1)ᵀ) x = 3 · (1,1): [4.5 3; 3 7.5] x = (3, 3).
        let x = solve_row(&factors, &gram, &[(2, 3.0)], 0.5);
        let determinant = 4.5 * 7.5 - 9.0;
        assert!((x[0] - 3.0 * 4.5 / determinant).abs() < 1e-5, "{x:?}");
        assert!((x[1] - 3.0 * 1.5 / determinant).abs() < 1e-5, "{x:?}");
    }
}
