use candle_core::Tensor;
use rayon::prelude::*;

use super::{Precision, numbers};
use crate::NnError;
use crate::kernels::int8::{Int8Matrix, Quantised};
use crate::kernels::matmul::{Into, Matrix, MatrixMut, multiply, transpose};
use crate::simd::{dot, vectorised};

/// Rows of weights that one task of the thread pool multiplies.
const TASK: usize = 256;

/// Vectors from which on a blocked product beats a pass of dot products.
const BLOCKED: usize = 4;

/// Linear maps of the same inputs, stacked: y = x Wᵀ + b.
#[derive(Debug, Clone)]
pub(super) struct Projection {
    rows: usize,
    columns: usize,
    weights: Weights,
    bias: Option<Vec<f32>>,
}

#[derive(Debug, Clone)]
enum Weights {
    F32(Vec<f32>),
    Int8(Int8Matrix),
}

/// Memory that products work in.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    quantised: Quantised,
    by_row: Vec<f32>,
}

impl Scratch {
    /// Memory for products of up to `vectors` vectors with up to `rows` rows of up to `columns` weights.
    pub(super) fn new(vectors: usize, rows: usize, columns: usize) -> Self {
        let mut quantised = Quantised::default();
        quantised.fill(&vec![0.0; vectors * columns], columns);
        Self {
            quantised,
            by_row: vec![0.0; vectors * rows],
        }
    }
}

impl Projection {
    /// Stacks weights [Oᵢ, I] and biases [Oᵢ].
    pub(super) fn new(
        parts: &[(&Tensor, Option<&Tensor>)],
        precision: Precision,
    ) -> Result<Self, NnError> {
        let (mut weights, mut bias, mut rows, mut columns) = (Vec::new(), Vec::new(), 0, 0);
        for (weight, added) in parts {
            let (outputs, inputs) = weight.dims2()?;
            weights.extend(numbers(weight)?);
            bias.extend(added.map_or(Ok(vec![0.0; outputs]), numbers)?);
            (rows, columns) = (rows + outputs, inputs);
        }
        let weights = match precision {
            Precision::F32 => Weights::F32(weights),
            Precision::Int8 => Weights::Int8(Int8Matrix::new(&weights, rows, columns)),
        };
        let biased = parts.iter().any(|part| part.1.is_some());
        Ok(Self {
            rows,
            columns,
            weights,
            bias: biased.then_some(bias),
        })
    }

    /// Bytes of the weights.
    pub(super) fn bytes(&self) -> usize {
        match &self.weights {
            Weights::F32(weights) => 4 * weights.len(),
            Weights::Int8(_) => self.rows * self.columns + 4 * self.rows,
        }
    }

    /// A row of the weights.
    pub(super) fn row(&self, row: usize, out: &mut [f32]) {
        match &self.weights {
            Weights::F32(weights) => {
                out.copy_from_slice(&weights[row * self.columns..][..self.columns]);
            }
            Weights::Int8(matrix) => matrix.row(row, out),
        }
    }

    /// y = x Wᵀ + b for x [N, I] → out [N, O].
    pub(super) fn apply(&self, x: &[f32], scratch: &mut Scratch, out: &mut [f32]) {
        let count = x.len() / self.columns;
        let by_row = &mut scratch.by_row[..count * self.rows];
        match &self.weights {
            Weights::Int8(matrix) => {
                scratch.quantised.fill(x, self.columns);
                matrix.multiply(&scratch.quantised, by_row, out);
            }
            Weights::F32(weights) if count < BLOCKED => self.dots(weights, x, out),
            Weights::F32(weights) => self.blocks(weights, x, by_row, out),
        }
        if let Some(bias) = &self.bias {
            for out in out.chunks_exact_mut(self.rows) {
                for (out, bias) in out.iter_mut().zip(bias) {
                    *out += *bias;
                }
            }
        }
    }

    fn dots(&self, weights: &[f32], x: &[f32], out: &mut [f32]) {
        let vectors = out.chunks_exact_mut(self.rows);
        for (x, out) in x.chunks_exact(self.columns).zip(vectors) {
            out.par_chunks_mut(TASK)
                .zip(weights.par_chunks(TASK * self.columns))
                .for_each(|(out, weights)| {
                    vectorised(
                        #[inline(always)]
                        || {
                            let rows = weights.chunks_exact(self.columns);
                            for (out, row) in out.iter_mut().zip(rows) {
                                *out = dot::<f32, f32>(row, x);
                            }
                        },
                    );
                });
        }
    }

    fn blocks(&self, weights: &[f32], x: &[f32], by_row: &mut [f32], out: &mut [f32]) {
        let count = x.len() / self.columns;
        let x = Matrix::new(x, count, self.columns).t();
        by_row
            .par_chunks_mut(TASK * count)
            .zip(weights.par_chunks(TASK * self.columns))
            .for_each(|(out, weights)| {
                let rows = weights.len() / self.columns;
                let weights = Matrix::new(weights, rows, self.columns);
                multiply(
                    MatrixMut::new(out, rows, count),
                    Into::Fresh,
                    weights,
                    x,
                    1.0,
                );
            });
        transpose(by_row, self.rows, out);
    }
}
