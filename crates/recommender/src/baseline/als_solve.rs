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

/// Adds λI + Σ (c − 1) y yᵀ to the upper triangle of the matrix, all that the decomposition reads, and Σ c y to the
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
        add_scaled(target, confidence, y);
        for (place, matrix_row) in matrix.chunks_exact_mut(width).enumerate() {
            let scaled = (confidence - 1.0) * y[place];
            add_scaled(&mut matrix_row[place..], scaled, &y[place..]);
        }
    }
}

/// `out` += `factor` · x.
#[inline(always)]
fn add_scaled(out: &mut [f32], factor: f32, x: &[f32]) {
    for (out, x) in out.iter_mut().zip(x) {
        *out += factor * x;
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

/// Replaces `target` by the solution of `matrix` · x = `target`, of which the upper triangle is read; it becomes the
/// factor U with `matrix` = Uᵀ U.
///
/// Rows are subtracted from the rows below them as a whole ("right-looking"), which vectorises where inner products of
/// such short rows do not.
#[inline(always)]
fn cholesky_solve(matrix: &mut [f32], target: &mut [f32]) {
    let width = target.len();
    for k in 0..width {
        let (done, below) = matrix.split_at_mut((k + 1) * width);
        let row = &mut done[k * width + k..];
        // Rounding can push a pivot of a nearly singular matrix to zero or below; the floor keeps the solution finite.
        let scale = 1.0 / row[0].max(1e-12).sqrt();
        for value in row.iter_mut() {
            *value *= scale;
        }
        for (below, i) in below.chunks_exact_mut(width).zip(k + 1..) {
            add_scaled(&mut below[i..], -row[i - k], &row[i - k..]);
        }
    }
    for k in 0..width {
        let row = &matrix[k * width..][..width];
        target[k] /= row[k];
        let solved = target[k];
        add_scaled(&mut target[k + 1..], -solved, &row[k + 1..]);
    }
    for k in (0..width).rev() {
        let row = &matrix[k * width..][..width];
        let known = dot::<f32, f32>(&row[k + 1..], &target[k + 1..]);
        target[k] = (target[k] - known) / row[k];
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
