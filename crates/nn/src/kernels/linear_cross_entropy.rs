//! Output projection and softmax cross-entropy as one operation that never holds all logits.

use std::sync::{Mutex, PoisonError};

use candle_core::{CpuStorage, CustomOp3, DType, Layout, Shape, Tensor, bail};
use rayon::prelude::*;

use super::matmul::{Into, Matrix, MatrixMut, multiply};
use super::sparse_cross_entropy::SparseCrossEntropy;
use super::{Kernel, run, tensor_of};
use crate::simd::{Real, vectorised};

/// Rows whose logits exist at the same time: enough that packing the table is a small part of the product.
const BLOCK: usize = 128;

/// Rows that one task works through. Each task sums the table's gradient for itself; a constant, so that the result
/// does not depend on the number of threads.
const TASK: usize = 2048;

/// The loss of [`SparseCrossEntropy`] over the logits x Eᵀ, for x [N, D], a table E [V, D] and adjustments [M].
///
/// The gradients are made in the forward pass, block by block of rows, while the block's logits are in the cache:
/// dx = G E and dE = Gᵀ x for the gradient G of the logits. That takes three products; making the logits anew in the
/// backward pass would take four. What the backward pass adds is the factor of the loss.
///
/// Source: the chunked loss of Hsu et al., "Liger Kernel: Efficient Triton Kernels for LLM Training", 2024.
pub(crate) struct LinearCrossEntropy {
    /// The loss over given logits.
    pub(crate) loss: SparseCrossEntropy,
    /// Columns D of x.
    pub(crate) width: usize,
    /// Whether the pass learns: whether the gradients will be wanted.
    pub(crate) learns: bool,
    /// The gradients of x, the table and the adjustments, from the forward pass to the backward pass.
    pub(crate) gradients: Mutex<Option<Vec<CpuStorage>>>,
}

/// What one task of rows comes to.
struct Part<F> {
    loss: f64,
    of_table: Vec<F>,
    of_values: Vec<(usize, F)>,
}

impl LinearCrossEntropy {
    fn part<F: Real>(&self, first: usize, [x, table, values]: [&[F]; 3], dx: &mut [F]) -> Part<F> {
        let width = self.width;
        let columns = table.len() / width;
        let mut part = Part {
            loss: 0.0,
            of_table: vec![F::zero(); if self.learns { table.len() } else { 0 }],
            of_values: Vec::new(),
        };
        let by_row = Matrix::new(table, columns, width);
        let mut logits = vec![F::zero(); BLOCK.min(x.len() / width) * columns];
        for (block, x) in x.chunks(BLOCK * width).enumerate() {
            let rows = x.len() / width;
            let start = first + block * BLOCK;
            let logits = &mut logits[..rows * columns];
            let x = Matrix::new(x, rows, width);
            let out = MatrixMut::new(logits, rows, columns);
            multiply(out, Into::Fresh, x, by_row.t(), F::one());
            part.loss += self.rows(start, logits, columns, values);
            if !self.learns {
                continue;
            }
            self.loss
                .of_values(start, logits, columns, &mut part.of_values);
            let gradient = Matrix::new(logits, rows, columns);
            let from = block * BLOCK * width;
            let dx = MatrixMut::new(&mut dx[from..from + rows * width], rows, width);
            multiply(dx, Into::Fresh, gradient, by_row, F::one());
            let of_table = MatrixMut::new(&mut part.of_table, columns, width);
            multiply(of_table, Into::Sum, gradient.t(), x, F::one());
        }
        part
    }

    /// The loss of a block of rows, whose logits become their gradients.
    fn rows<F: Real>(&self, start: usize, logits: &mut [F], columns: usize, values: &[F]) -> f64 {
        let mut loss = 0.0;
        vectorised(
            #[inline(always)]
            || {
                for (logits, row) in logits.chunks_exact_mut(columns).zip(start..) {
                    loss += self.loss.loss_and_gradient(row, logits, values);
                }
            },
        );
        loss
    }
}

impl Kernel for LinearCrossEntropy {
    /// The loss, and in a learning pass the gradients of x, the table and the adjustments.
    fn run<F: Real>(&self, operands: &[&[F]]) -> Vec<Vec<F>> {
        let (x, table, values) = (operands[0], operands[1], operands[2]);
        let mut dx = vec![F::zero(); x.len()];
        let tasks = dx
            .par_chunks_mut(TASK * self.width)
            .zip(x.par_chunks(TASK * self.width));
        let parts: Vec<Part<F>> = tasks
            .enumerate()
            .map(|(task, (dx, x))| self.part(task * TASK, [x, table, values], dx))
            .collect();
        let loss: f64 = parts.iter().map(|part| part.loss).sum();
        let loss = vec![F::from_f64(loss)];
        if !self.learns {
            return vec![loss];
        }
        let mut of_values = vec![F::zero(); values.len()];
        let mut of_table = Vec::new();
        for part in parts {
            for (index, gradient) in part.of_values {
                of_values[index] = gradient;
            }
            if of_table.is_empty() {
                of_table = part.of_table;
                continue;
            }
            for (sum, gradient) in of_table.iter_mut().zip(part.of_table) {
                *sum += gradient;
            }
        }
        vec![loss, dx, of_table, of_values]
    }
}

impl CustomOp3 for LinearCrossEntropy {
    fn name(&self) -> &'static str {
        "linear-cross-entropy"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        table: &CpuStorage,
        table_layout: &Layout,
        values: &CpuStorage,
        values_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let operands = [
            (x, x_layout),
            (table, table_layout),
            (values, values_layout),
        ];
        let mut results = run(self, &operands)?.into_iter();
        let Some(loss) = results.next() else {
            bail!("a kernel without a result");
        };
        if self.learns {
            let mut gradients = self
                .gradients
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            *gradients = Some(results.collect());
        }
        Ok((loss, Shape::from(())))
    }

    fn bwd(
        &self,
        x: &Tensor,
        table: &Tensor,
        values: &Tensor,
        _loss: &Tensor,
        gradient: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let taken = self
            .gradients
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(gradients) = taken else {
            bail!("the gradients of a linear cross-entropy are gone: go backward once");
        };
        let scale: f64 = gradient.to_dtype(DType::F64)?.to_scalar()?;
        let operands = [x, table, values];
        let tensors = gradients
            .into_iter()
            .zip(operands)
            .map(|(storage, operand)| {
                let tensor = tensor_of(storage, operand.shape())?;
                // The loss is the last thing computed, nearly always unscaled.
                #[allow(
                    clippy::float_cmp,
                    reason = "a factor of exactly 1 is what a loss has that nothing follows"
                )]
                let unscaled = scale == 1.0;
                Ok(Some(if unscaled { tensor } else { (tensor * scale)? }))
            })
            .collect::<candle_core::Result<Vec<_>>>()?;
        match <[Option<Tensor>; 3]>::try_from(tensors) {
            Ok([dx, of_table, of_values]) => Ok((dx, of_table, of_values)),
            Err(_) => bail!("a kernel with another number of results than operands"),
        }
    }
}
