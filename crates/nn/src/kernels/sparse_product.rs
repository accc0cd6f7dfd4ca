//! A constant sparse matrix times a table.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, Layout, Shape, Tensor};
use rayon::prelude::*;

use super::{Kernel, run_on_tensors, run_one};
use crate::simd::{Real, vectorised};

/// Rows that one task computes.
const TASK: usize = 256;

/// The numbers of a sparse matrix that are not 0, row by row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entries {
    /// Where each row's entries start, and the end of the last.
    pub(crate) starts: Vec<usize>,
    /// Column and number of each entry.
    pub(crate) entries: Vec<(u32, f32)>,
}

impl Entries {
    /// The same matrix with rows and columns exchanged; within a row the order is that of the rows here.
    pub(crate) fn transposed(&self, columns: usize) -> Self {
        let mut starts = vec![0; columns + 1];
        for (column, _) in &self.entries {
            starts[*column as usize + 1] += 1;
        }
        for column in 0..columns {
            starts[column + 1] += starts[column];
        }
        let mut next = starts.clone();
        let mut entries = vec![(0, 0.0); self.entries.len()];
        for (row, bounds) in (0u32..).zip(self.starts.windows(2)) {
            for (column, number) in &self.entries[bounds[0]..bounds[1]] {
                let place = &mut next[*column as usize];
                entries[*place] = (row, *number);
                *place += 1;
            }
        }
        Self { starts, entries }
    }

    fn rows(&self) -> usize {
        self.starts.len() - 1
    }
}

/// S T for a sparse S [N, V] and a table T [V, D]; backward is Sᵀ dy. Each result is summed in the order of its row's
/// entries, so that it does not depend on the number of threads.
#[derive(Debug, Clone)]
pub(crate) struct SparseProduct {
    /// S.
    pub(crate) matrix: Arc<Entries>,
    /// Sᵀ.
    pub(crate) transposed: Arc<Entries>,
    /// Columns D.
    pub(crate) width: usize,
}

impl Kernel for SparseProduct {
    fn run<F: Real>(&self, operands: &[&[F]]) -> Vec<Vec<F>> {
        let (width, table) = (self.width, operands[0]);
        let mut out = vec![F::zero(); self.matrix.rows() * width];
        let tasks = out.par_chunks_mut((TASK * width).max(1)).enumerate();
        tasks.for_each(|(task, out)| {
            vectorised(
                #[inline(always)]
                || {
                    for (row, sums) in out.chunks_exact_mut(width).enumerate() {
                        let start = task * TASK + row;
                        let bounds = self.matrix.starts[start]..self.matrix.starts[start + 1];
                        for (column, number) in &self.matrix.entries[bounds] {
                            let number = F::from_f64(f64::from(*number));
                            let from = *column as usize * width;
                            let values = &table[from..from + width];
                            for (sum, value) in sums.iter_mut().zip(values) {
                                *sum += number * *value;
                            }
                        }
                    }
                },
            );
        });
        vec![out]
    }
}

impl CustomOp1 for SparseProduct {
    fn name(&self) -> &'static str {
        "sparse product"
    }

    fn cpu_fwd(
        &self,
        table: &CpuStorage,
        layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let shape = Shape::from((self.matrix.rows(), self.width));
        run_one(self, &[(table, layout)], &shape)
    }

    fn bwd(&self, table: &Tensor, _y: &Tensor, dy: &Tensor) -> candle_core::Result<Option<Tensor>> {
        let back = Self {
            matrix: Arc::clone(&self.transposed),
            transposed: Arc::clone(&self.matrix),
            width: self.width,
        };
        let [of_table] = run_on_tensors(&back, &[dy], [table.shape()])?;
        Ok(Some(of_table))
    }
}
