//! Rows of a table by index, and their gradients added up.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, Layout, Shape, Tensor};

use super::{Kernel, run_on_tensors, run_one};
use crate::simd::{Real, vectorised};

/// The rows of a table [V, D] at given indices, [N, D]; backward adds each row's gradient to its place.
///
/// Rows are added in the order of the indices, so that the result does not depend on the number of threads.
#[derive(Debug, Clone)]
pub(crate) struct Gather {
    /// The indices [N], each below V.
    pub(crate) rows: Arc<[u32]>,
    /// Columns D.
    pub(crate) width: usize,
}

impl Kernel for Gather {
    fn run<F: Real>(&self, operands: &[&[F]]) -> Vec<Vec<F>> {
        let mut out = Vec::with_capacity(self.rows.len() * self.width);
        for row in self.rows.iter() {
            let start = *row as usize * self.width;
            out.extend_from_slice(&operands[0][start..start + self.width]);
        }
        vec![out]
    }
}

struct Scatter<'a> {
    gather: &'a Gather,
    rows: usize,
}

impl Kernel for Scatter<'_> {
    fn run<F: Real>(&self, operands: &[&[F]]) -> Vec<Vec<F>> {
        let width = self.gather.width;
        let mut table = vec![F::zero(); self.rows * width];
        vectorised(
            #[inline(always)]
            || {
                let gradients = operands[0].chunks_exact(width.max(1));
                for (row, gradient) in self.gather.rows.iter().zip(gradients) {
                    let start = *row as usize * width;
                    let sums = table[start..start + width].iter_mut();
                    for (sum, gradient) in sums.zip(gradient) {
                        *sum += *gradient;
                    }
                }
            },
        );
        vec![table]
    }
}

impl CustomOp1 for Gather {
    fn name(&self) -> &'static str {
        "gather"
    }

    fn cpu_fwd(
        &self,
        table: &CpuStorage,
        layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let shape = Shape::from((self.rows.len(), self.width));
        run_one(self, &[(table, layout)], &shape)
    }

    fn bwd(&self, table: &Tensor, _y: &Tensor, dy: &Tensor) -> candle_core::Result<Option<Tensor>> {
        let scatter = Scatter {
            gather: self,
            rows: table.dim(0)?,
        };
        let [of_table] = run_on_tensors(&scatter, &[dy], [table.shape()])?;
        Ok(Some(of_table))
    }
}
