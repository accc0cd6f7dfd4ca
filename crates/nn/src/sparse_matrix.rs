use std::sync::Arc;

use candle_core::Tensor;

use crate::NnError;
use crate::kernels::sparse_product::{Entries, SparseProduct};

/// A constant matrix of which few numbers are not 0, such as the words of titles.
#[derive(Debug, Clone)]
pub struct SparseMatrix {
    matrix: Arc<Entries>,
    transposed: Arc<Entries>,
    columns: usize,
}

impl SparseMatrix {
    /// A matrix of the given rows, each a list of columns and numbers; a column may come again, and then adds up.
    ///
    /// # Errors
    /// [`NnError::Config`] for a column that is not below `columns`.
    pub fn new(columns: usize, rows: &[Vec<(u32, f32)>]) -> Result<Self, NnError> {
        let mut starts = vec![0];
        let mut entries = Vec::new();
        for row in rows {
            if let Some((column, _)) = row.iter().find(|entry| entry.0 as usize >= columns) {
                return Err(NnError::Config {
                    field: "rows",
                    value: format!("a number in column {column} of {columns}"),
                    expected: "columns below their number",
                });
            }
            entries.extend_from_slice(row);
            starts.push(entries.len());
        }
        let matrix = Entries { starts, entries };
        Ok(Self {
            transposed: Arc::new(matrix.transposed(columns)),
            matrix: Arc::new(matrix),
            columns,
        })
    }

    /// The matrix of some of the rows, in the order in which they are asked for.
    ///
    /// # Errors
    /// [`NnError::Shape`] for a row that does not exist.
    pub fn rows(&self, rows: &[u32]) -> Result<Self, NnError> {
        let all = self.matrix.starts.len() - 1;
        let mut part = Entries {
            starts: vec![0],
            entries: Vec::new(),
        };
        for row in rows {
            let row = *row as usize;
            if row >= all {
                return Err(NnError::Shape {
                    operation: "rows of a sparse matrix",
                    expected: format!("rows below {all}"),
                    got: format!("row {row}"),
                });
            }
            let bounds = self.matrix.starts[row]..self.matrix.starts[row + 1];
            part.entries.extend_from_slice(&self.matrix.entries[bounds]);
            part.starts.push(part.entries.len());
        }
        Ok(Self {
            transposed: Arc::new(part.transposed(self.columns)),
            matrix: Arc::new(part),
            columns: self.columns,
        })
    }

    /// The product with a table, whose gradient is exact.
    ///
    /// # Shapes
    /// this [N, V], table [V, D] → [N, D].
    ///
    /// # Errors
    /// [`NnError::Shape`] where the table has another number of rows.
    pub fn multiply(&self, table: &Tensor) -> Result<Tensor, NnError> {
        let (rows, width) = table.dims2()?;
        if rows != self.columns {
            return Err(NnError::Shape {
                operation: "sparse product",
                expected: format!("a table of {} rows", self.columns),
                got: format!("{:?}", table.dims()),
            });
        }
        if !table.device().is_cpu() {
            return self.composed(table);
        }
        let product = SparseProduct {
            matrix: Arc::clone(&self.matrix),
            transposed: Arc::clone(&self.transposed),
            width,
        };
        Ok(table.contiguous()?.apply_op1(product)?)
    }

    /// The same of candle's own operations, for other devices.
    fn composed(&self, table: &Tensor) -> Result<Tensor, NnError> {
        let rows = self.matrix.starts.len() - 1;
        let mut dense = vec![0f32; rows * self.columns];
        for (row, bounds) in self.matrix.starts.windows(2).enumerate() {
            for (column, number) in &self.matrix.entries[bounds[0]..bounds[1]] {
                dense[row * self.columns + *column as usize] += number;
            }
        }
        let dense = Tensor::from_vec(dense, (rows, self.columns), table.device())?;
        Ok(dense.to_dtype(table.dtype())?.matmul(table)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradients::check_gradient;
    use candle_core::Device;

    fn matrix() -> SparseMatrix {
        let rows = [
            vec![(0, 1.5), (2, -0.5)],
            vec![],
            vec![(2, 2.0), (1, 0.25), (2, 1.0)],
        ];
        SparseMatrix::new(3, &rows).expect("columns fit")
    }

    fn numbers() -> Vec<f64> {
        (0..15).map(|n| f64::from(n) * 0.3 - 2.0).collect()
    }

    fn table() -> Tensor {
        Tensor::from_vec(numbers(), (3, 5), &Device::Cpu).expect("fits")
    }

    #[test]
    fn the_product_is_that_of_the_dense_matrix() {
        let (matrix, table) = (matrix(), table());
        let found = matrix.multiply(&table).expect("fits");
        let expected = matrix.composed(&table).expect("fits");
        let gap = (found - expected).and_then(|d| d.abs()?.max_all()?.to_scalar::<f64>());
        assert!(gap.expect("a number") < 1e-12);
    }

    #[test]
    fn rows_are_those_of_the_product() {
        let (matrix, table) = (matrix(), table());
        let part = matrix.rows(&[2, 0, 2]).expect("rows");
        let found: Vec<Vec<f64>> = part
            .multiply(&table)
            .and_then(|p| Ok(p.to_vec2()?))
            .expect("fits");
        let whole: Vec<Vec<f64>> = matrix
            .multiply(&table)
            .and_then(|p| Ok(p.to_vec2()?))
            .expect("fits");
        assert_eq!(found, [2, 0, 2].map(|row: usize| whole[row].clone()));
        assert!(matrix.rows(&[3]).is_err());
    }

    #[test]
    fn the_gradient_matches_finite_differences() {
        let matrix = matrix();
        check_gradient(&numbers(), &[3, 5], |table| {
            Ok(matrix.multiply(table)?.sqr()?.sum_all()?)
        });
    }

    #[test]
    fn a_column_outside_and_a_table_of_other_rows_are_refused() {
        let error = SparseMatrix::new(2, &[vec![(2, 1.0)]]).expect_err("outside");
        assert!(
            error.to_string().contains("a number in column 2 of 2"),
            "{error}"
        );
        let wide = SparseMatrix::new(4, &[vec![(3, 1.0)]]).expect("inside");
        let error = wide.multiply(&table()).expect_err("three rows");
        assert!(error.to_string().contains("a table of 4 rows"), "{error}");
    }
}
