//! Output projection and softmax cross-entropy as one operation that never holds all logits.

use std::sync::{Mutex, PoisonError};

use candle_core::{CpuStorage, CustomOp2, DType, Layout, Shape, Tensor, bail};
use rayon::prelude::*;

use super::matmul::{Into, Matrix, MatrixMut, multiply};
use super::sparse_cross_entropy::SparseCrossEntropy;
use super::{Kernel, run, tensor_of};
use crate::simd::{Real, exp_and_sum, max, sum_of, vectorised};

/// Rows whose logits exist at the same time: enough that packing the table is a small part of the products.
const BLOCK: usize = 256;

/// Columns of a tile of logits: a block's tile stays in the second-level cache between its product and its exponentials.
const COLUMNS: usize = 512;

/// Rows that one task works through. Each task sums the table's gradient for itself; a constant, so that the result
/// does not depend on the number of threads.
const TASK: usize = 2048;

/// The loss of [`SparseCrossEntropy`] over the logits x Eᵀ, for x [N, D] and a table E [V, D]; it has no adjustments.
///
/// The gradients are made in the forward pass, a block of rows at a time: dx = G E and dE = Gᵀ x for the gradient
/// G = f ⊙ U − targets of the logits, where U are exponentials and f the factor of a row. A tile of logits becomes
/// exponentials over the largest logit of its row so far; that the largest grows later, and the normaliser, is made up
/// for in f, a number a row and tile, which multiplies the small operands of the products and never the tile. That
/// takes three products; making the logits anew in the backward pass would take four. What the backward pass adds is
/// the factor of the loss.
///
/// Source: the chunked loss of Hsu et al., "Liger Kernel: Efficient Triton Kernels for LLM Training", 2024, and the
/// running normaliser of Milakov and Gimelshein, "Online normalizer calculation for softmax", 2018.
pub(crate) struct LinearCrossEntropy {
    /// The loss over given logits.
    pub(crate) loss: SparseCrossEntropy,
    /// Columns D of x.
    pub(crate) width: usize,
    /// Whether the pass learns: whether the gradients will be wanted.
    pub(crate) learns: bool,
    /// Whether that of the table will be among them; a frozen one has none.
    pub(crate) learns_table: bool,
    /// The gradients of x and the table, from the forward pass to the backward pass.
    pub(crate) gradients: Mutex<Option<Vec<CpuStorage>>>,
}

/// What one task of rows comes to.
struct Part<F> {
    loss: f64,
    of_table: Vec<F>,
}

/// The exponentials of a block of rows, a tile of columns after the other, and what is known of its rows.
struct Block<F> {
    /// Tiles of [rows, columns of the tile].
    tiles: Vec<F>,
    /// The largest logit of each row.
    most: Vec<F>,
    /// The largest logit that each tile's exponentials are over, [tiles, rows].
    over: Vec<F>,
    /// Σ of the exponentials over `most`.
    sums: Vec<F>,
    /// Σ of the logits, for label smoothing.
    totals: Vec<F>,
}

impl LinearCrossEntropy {
    fn part<F: Real>(&self, first: usize, [x, table]: [&[F]; 2], dx: &mut [F]) -> Part<F> {
        let width = self.width;
        let columns = table.len() / width;
        let mut part = Part {
            loss: 0.0,
            of_table: vec![F::zero(); if self.learns_table { table.len() } else { 0 }],
        };
        let rows = BLOCK.min(x.len() / width);
        let mut block = Block {
            tiles: vec![F::zero(); rows * if self.learns { columns } else { COLUMNS }],
            most: Vec::new(),
            over: Vec::new(),
            sums: Vec::new(),
            totals: Vec::new(),
        };
        for (index, x) in x.chunks(BLOCK * width).enumerate() {
            let start = first + index * BLOCK;
            part.loss += self.exponentials(start, [x, table], &mut block);
            if self.learns {
                let from = index * BLOCK * width;
                let dx = &mut dx[from..from + x.len()];
                self.gradients(start, [x, table], &block, dx, &mut part);
            }
        }
        part
    }

    /// Fills a block with the exponentials of its rows' logits, and returns the rows' loss.
    fn exponentials<F: Real>(
        &self,
        start: usize,
        [x, table]: [&[F]; 2],
        block: &mut Block<F>,
    ) -> f64 {
        let width = self.width;
        let (rows, columns) = (x.len() / width, table.len() / width);
        let x = Matrix::new(x, rows, width);
        let mut hits = 0.0;
        let nothing = F::from_f64(f64::NEG_INFINITY);
        block.over.clear();
        for (numbers, fill) in [
            (&mut block.most, nothing),
            (&mut block.sums, F::zero()),
            (&mut block.totals, F::zero()),
        ] {
            numbers.clear();
            numbers.resize(rows, fill);
        }
        for from in (0..columns).step_by(COLUMNS) {
            let count = COLUMNS.min(columns - from);
            let at = if self.learns { rows * from } else { 0 };
            let tile = &mut block.tiles[at..at + rows * count];
            let part = &table[from * width..(from + count) * width];
            let part = Matrix::new(part, count, width).t();
            let out = MatrixMut::new(&mut *tile, rows, count);
            multiply(out, Into::Fresh, x, part, F::one());
            vectorised(
                #[inline(always)]
                || {
                    for (row, logits) in tile.chunks_exact_mut(count).enumerate() {
                        hits += self.loss.hits(start + row, from, logits);
                        if self.loss.smoothing > 0.0 {
                            block.totals[row] += sum_of(
                                logits,
                                #[inline(always)]
                                |z| z,
                            );
                        }
                        let before = block.most[row];
                        let most = before.larger(max(logits));
                        let kept = block.sums[row] * (before - most).exp();
                        block.sums[row] = kept + exp_and_sum(logits, most);
                        block.most[row] = most;
                        block.over.push(most);
                    }
                },
            );
        }
        let rows = start..start + rows;
        let normalisers = block.most.iter().zip(&block.sums).zip(&block.totals);
        let losses = rows.zip(normalisers).map(|(row, ((most, sum), total))| {
            let normaliser = most.to_f64() + sum.to_f64().ln();
            let even = self.loss.smoothing * total.to_f64() / columns as f64;
            self.loss.weight(row) * (normaliser - even)
        });
        losses.sum::<f64>() - hits
    }

    /// The gradients that a block of exponentials says, in `dx` and added to the part's.
    fn gradients<F: Real>(
        &self,
        start: usize,
        [x, table]: [&[F]; 2],
        block: &Block<F>,
        dx: &mut [F],
        part: &mut Part<F>,
    ) {
        let width = self.width;
        let (rows, columns) = (x.len() / width, table.len() / width);
        let weights: Vec<f64> = (start..start + rows)
            .map(|row| self.loss.weight(row))
            .collect();
        let (mut scaled, mut product) = (vec![F::zero(); x.len()], vec![F::zero(); x.len()]);
        let factors = |over: &[F]| -> Vec<F> {
            let rows = weights
                .iter()
                .zip(over)
                .zip(block.most.iter().zip(&block.sums));
            rows.map(|((weight, over), (most, sum))| {
                F::from_f64(weight / sum.to_f64()) * (*over - *most).exp()
            })
            .collect()
        };
        for (from, over) in (0..columns).step_by(COLUMNS).zip(block.over.chunks(rows)) {
            let count = COLUMNS.min(columns - from);
            let tile = &block.tiles[rows * from..rows * (from + count)];
            let factors = factors(over);
            let range = from * width..(from + count) * width;
            let exponentials = Matrix::new(tile, rows, count);
            let out = MatrixMut::new(&mut product, rows, width);
            let table = Matrix::new(&table[range.clone()], count, width);
            multiply(out, Into::Fresh, exponentials, table, F::one());
            vectorised(
                #[inline(always)]
                || {
                    let rows = scaled.chunks_exact_mut(width).zip(x.chunks_exact(width));
                    let results = dx.chunks_exact_mut(width).zip(product.chunks_exact(width));
                    for ((factor, (scaled, x)), (dx, product)) in
                        factors.iter().zip(rows).zip(results)
                    {
                        for (scaled, x) in scaled.iter_mut().zip(x) {
                            *scaled = *x * *factor;
                        }
                        for (dx, product) in dx.iter_mut().zip(product) {
                            *dx += *product * *factor;
                        }
                    }
                },
            );
            if self.learns_table {
                let of_table = MatrixMut::new(&mut part.of_table[range], count, width);
                let scaled = Matrix::new(&scaled, rows, width);
                multiply(of_table, Into::Sum, exponentials.t(), scaled, F::one());
            }
        }
        self.subtract_targets(start, [x, table], dx, &mut part.of_table);
    }

    /// Subtracts the targets' part of G from what the exponentials say of x and of the table.
    fn subtract_targets<F: Real>(
        &self,
        start: usize,
        [x, table]: [&[F]; 2],
        dx: &mut [F],
        of_table: &mut [F],
    ) {
        let width = self.width;
        let columns = table.len() / width;
        let rows = x.chunks_exact(width).zip(dx.chunks_exact_mut(width));
        for (row, (x, dx)) in (start..).zip(rows) {
            for (column, weight) in self.loss.targets(row) {
                let weight = F::from_f64(weight * (1.0 - self.loss.smoothing));
                let range = column * width..(column + 1) * width;
                for (dx, table) in dx.iter_mut().zip(&table[range.clone()]) {
                    *dx -= weight * *table;
                }
                // Empty where the table is frozen.
                for (of_table, x) in of_table.get_mut(range).into_iter().flatten().zip(x) {
                    *of_table -= weight * *x;
                }
            }
        }
        if self.loss.smoothing > 0.0 {
            let mut sums = vec![F::zero(); width];
            for row in table.chunks_exact(width) {
                for (sum, number) in sums.iter_mut().zip(row) {
                    *sum += *number;
                }
            }
            let mut along = vec![F::zero(); width];
            let rows = x.chunks_exact(width).zip(dx.chunks_exact_mut(width));
            for (row, (x, dx)) in (start..).zip(rows) {
                let even = self.loss.weight(row) * self.loss.smoothing / columns as f64;
                let even = F::from_f64(even);
                for (j, along) in along.iter_mut().enumerate() {
                    dx[j] -= even * sums[j];
                    *along += even * x[j];
                }
            }
            for row in of_table.chunks_exact_mut(width) {
                for (number, along) in row.iter_mut().zip(&along) {
                    *number -= *along;
                }
            }
        }
    }
}

impl Kernel for LinearCrossEntropy {
    /// The loss, and in a learning pass the gradients of x and the table.
    fn run<F: Real>(&self, operands: &[&[F]]) -> Vec<Vec<F>> {
        let (x, table) = (operands[0], operands[1]);
        let mut dx = vec![F::zero(); x.len()];
        let tasks = dx
            .par_chunks_mut(TASK * self.width)
            .zip(x.par_chunks(TASK * self.width));
        let parts: Vec<Part<F>> = tasks
            .enumerate()
            .map(|(task, (dx, x))| self.part(task * TASK, [x, table], dx))
            .collect();
        let loss: f64 = parts.iter().map(|part| part.loss).sum();
        let loss = vec![F::from_f64(loss)];
        if !self.learns {
            return vec![loss];
        }
        if !self.learns_table {
            return vec![loss, dx];
        }
        let mut of_table = Vec::new();
        for part in parts {
            if of_table.is_empty() {
                of_table = part.of_table;
                continue;
            }
            for (sum, gradient) in of_table.iter_mut().zip(part.of_table) {
                *sum += gradient;
            }
        }
        vec![loss, dx, of_table]
    }
}

impl CustomOp2 for LinearCrossEntropy {
    fn name(&self) -> &'static str {
        "linear-cross-entropy"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        table: &CpuStorage,
        table_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let operands = [(x, x_layout), (table, table_layout)];
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
        _loss: &Tensor,
        gradient: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>)> {
        let taken = self
            .gradients
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(gradients) = taken else {
            bail!("the gradients of a linear cross-entropy are gone: go backward once");
        };
        let scale: f64 = gradient.to_dtype(DType::F64)?.to_scalar()?;
        let operands = [x, table];
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
        let mut tensors = tensors.into_iter();
        Ok((tensors.next().flatten(), tensors.next().flatten()))
    }
}
