//! Matrix products over slices, without a tensor around them.

use gemm::Parallelism;

use crate::simd::Real;

/// A view of a matrix in a slice: element (i, j) lies at `i * row_stride + j * column_stride`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Matrix<'a, F> {
    data: &'a [F],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

/// A view of a matrix whose elements can be written; the elements of a row lie side by side.
#[derive(Debug)]
pub(crate) struct MatrixMut<'a, F> {
    data: &'a mut [F],
    rows: usize,
    columns: usize,
    row_stride: usize,
}

/// What becomes of the numbers that lie in the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Into {
    /// They are overwritten.
    Fresh,
    /// The product is added to them.
    Sum,
}

impl<'a, F> Matrix<'a, F> {
    /// Rows that lie one after the other.
    pub(crate) fn new(data: &'a [F], rows: usize, columns: usize) -> Self {
        Self::strided(data, rows, columns, columns)
    }

    /// Rows that begin `row_stride` elements apart.
    pub(crate) fn strided(data: &'a [F], rows: usize, columns: usize, row_stride: usize) -> Self {
        assert!(
            reaches(rows, columns, row_stride) <= data.len(),
            "invariant: a [{rows}, {columns}] view with stride {row_stride} lies within {} elements",
            data.len()
        );
        Self {
            data,
            rows,
            columns,
            row_stride,
            column_stride: 1,
        }
    }

    /// The transposed view.
    pub(crate) fn t(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }
}

impl<'a, F> MatrixMut<'a, F> {
    /// Rows that lie one after the other.
    pub(crate) fn new(data: &'a mut [F], rows: usize, columns: usize) -> Self {
        Self::strided(data, rows, columns, columns)
    }

    /// Rows that begin `row_stride` elements apart.
    pub(crate) fn strided(
        data: &'a mut [F],
        rows: usize,
        columns: usize,
        row_stride: usize,
    ) -> Self {
        assert!(
            row_stride >= columns && reaches(rows, columns, row_stride) <= data.len(),
            "invariant: a [{rows}, {columns}] view with stride {row_stride} lies within {} elements",
            data.len()
        );
        Self {
            data,
            rows,
            columns,
            row_stride,
        }
    }
}

/// Elements from the first of a view to its last, and one more.
fn reaches(rows: usize, columns: usize, row_stride: usize) -> usize {
    if rows == 0 || columns == 0 {
        return 0;
    }
    (rows - 1) * row_stride + columns
}

/// out = scale · a · b, or out += scale · a · b, on the calling thread.
///
/// Sums run in the order of the inner dimension, whatever part of the result is asked for.
///
/// # Shapes
/// a [M, K], b [K, N] → out [M, N].
#[allow(
    unsafe_code,
    clippy::cast_possible_wrap,
    clippy::needless_pass_by_value,
    reason = "the crate `gemm` takes pointers and signed strides; the views above are checked to lie within their slices, \
              whose lengths are signed numbers too, and a view that is written to is written to once"
)]
pub(crate) fn multiply<F: Real>(
    out: MatrixMut<'_, F>,
    into: Into,
    a: Matrix<'_, F>,
    b: Matrix<'_, F>,
    scale: F,
) {
    assert!(
        a.columns == b.rows && out.rows == a.rows && out.columns == b.columns,
        "invariant: [{}, {}] · [{}, {}] gives [{}, {}]",
        a.rows,
        a.columns,
        b.rows,
        b.columns,
        out.rows,
        out.columns
    );
    // SAFETY: every element that `gemm` touches is i · row_stride + j · column_stride with i, j within the view, which
    // `strided` checked to lie within the slice; `t` swaps both alike. `out` is borrowed mutably, so it overlaps
    // neither operand, and its rows do not overlap because its row stride is at least its width.
    unsafe {
        gemm::gemm(
            out.rows,
            out.columns,
            a.columns,
            out.data.as_mut_ptr(),
            1,
            out.row_stride as isize,
            into == Into::Sum,
            a.data.as_ptr(),
            a.column_stride as isize,
            a.row_stride as isize,
            b.data.as_ptr(),
            b.column_stride as isize,
            b.row_stride as isize,
            F::one(),
            scale,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

/// Writes a matrix [M, N] as its transpose [N, M].
///
/// A block of rows at a time, so that what is read stays in the first-level cache until all of it is written.
pub(crate) fn transpose(matrix: &[f32], rows: usize, out: &mut [f32]) {
    const BLOCK: usize = 64;
    let columns = matrix.len() / rows.max(1);
    for (block, matrix) in matrix.chunks((BLOCK * columns).max(1)).enumerate() {
        for (column, out) in out.chunks_exact_mut(rows).enumerate() {
            let out = &mut out[block * BLOCK..];
            for (out, row) in out.iter_mut().zip(matrix.chunks_exact(columns)) {
                *out = row[column];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transpose_swaps_rows_and_columns() {
        let matrix: Vec<f32> = (0..130 * 3).map(|i| i as f32).collect();
        let mut out = vec![0f32; 130 * 3];
        transpose(&matrix, 130, &mut out);
        for row in 0..130 {
            for column in 0..3 {
                let (a, b) = (out[column * 130 + row], matrix[row * 3 + column]);
                assert_eq!(a.to_bits(), b.to_bits());
            }
        }
    }

    #[test]
    fn strided_views_multiply_as_by_hand() {
        // a = [[1, 2], [3, 4], [5, 6]] with a row stride of 3, b = [[1, 10], [100, 1000]] transposed.
        let a = [1f64, 2., 9., 3., 4., 9., 5., 6.];
        let b = [1f64, 100., 10., 1000.];
        let mut out = [1f64; 11];
        let view = MatrixMut::strided(&mut out, 3, 2, 4);
        multiply(
            view,
            Into::Sum,
            Matrix::strided(&a, 3, 2, 3),
            Matrix::new(&b, 2, 2).t(),
            2.0,
        );
        let whole = |numbers: &[f64]| numbers.iter().map(|x| *x as i64).collect::<Vec<_>>();
        let expected = [403, 4021, 1, 1, 807, 8061, 1, 1, 1211, 12101, 1];
        assert_eq!(whole(&out), expected);
        let view = MatrixMut::new(&mut out[..4], 2, 2);
        multiply(
            view,
            Into::Fresh,
            Matrix::new(&b, 2, 2),
            Matrix::new(&b, 2, 2).t(),
            1.0,
        );
        assert_eq!(whole(&out[..4]), [10_001, 100_010, 100_010, 1_000_100]);
    }

    #[test]
    #[should_panic(expected = "lies within 5 elements")]
    fn a_view_beyond_its_slice_is_a_bug() {
        Matrix::new(&[0f32; 5], 2, 3);
    }
}
