//! Softmax cross-entropy over wide rows as one operation, with its own backward.

use candle_core::{CpuStorage, CustomOp2, DType, Layout, Shape, Tensor};
use rayon::prelude::*;

use super::{Kernel, run_on_tensors, run_one};
use crate::simd::{Real, exp_and_sum, max, sum_of, vectorised};

/// Logits of one task of the thread pool, at least.
const TASK: usize = 1 << 15;

/// Σ over rows of W · log Σⱼ exp(zⱼ) − Σ w ((1 − s) `z_target` + s mean(z)), where z are the logits plus sparse
/// adjustments, w the weights of a row's targets and W their sum.
///
/// The gradient of a row is W · softmax(z) − (1 − s) · targets − s W / V, which backward computes anew from the
/// logits: rereading them costs less than keeping N × V probabilities. Rows are independent and summed in order, so
/// that the result does not depend on the number of threads.
pub(crate) struct SparseCrossEntropy {
    /// (column, weight) of the targets of each row.
    entries: Vec<Vec<(u32, f32)>>,
    /// (column, position of the value) of the adjustments of each row.
    adjusted: Vec<Vec<(u32, usize)>>,
    /// Label smoothing s.
    pub(super) smoothing: f64,
}

/// Groups things by their row.
fn by_row<T, U>(rows: usize, things: &[T], place: impl Fn(&T) -> (u32, U)) -> Vec<Vec<U>> {
    let mut grouped: Vec<Vec<U>> = (0..rows).map(|_| Vec::new()).collect();
    for thing in things {
        let (row, thing) = place(thing);
        grouped[row as usize].push(thing);
    }
    grouped
}

impl SparseCrossEntropy {
    /// The loss of `rows` rows, with (row, column) places of adjustments and (row, column, weight) entries of targets.
    pub(crate) fn new(
        rows: usize,
        places: &[(u32, u32)],
        entries: &[(u32, u32, f32)],
        smoothing: f64,
    ) -> Self {
        let values: Vec<usize> = (0..places.len()).collect();
        Self {
            entries: by_row(rows, entries, |entry| (entry.0, (entry.1, entry.2))),
            adjusted: by_row(rows, &values, |value| {
                (places[*value].0, (places[*value].1, *value))
            }),
            smoothing,
        }
    }

    /// The adjusted logits of a row, in `out`.
    #[inline(always)]
    fn adjust<F: Real>(&self, row: usize, logits: &[F], values: &[F], out: &mut [F]) {
        out.copy_from_slice(logits);
        for (column, value) in &self.adjusted[row] {
            out[*column as usize] += values[*value];
        }
    }

    pub(super) fn weight(&self, row: usize) -> f64 {
        let weights = self.entries[row].iter().map(|entry| f64::from(entry.1));
        weights.sum()
    }

    /// The loss of one row.
    #[inline(always)]
    fn loss<F: Real>(&self, row: usize, logits: &[F], values: &[F], scratch: &mut [F]) -> f64 {
        self.adjust(row, logits, values, scratch);
        let most = max(scratch);
        let sum = sum_of(
            scratch,
            #[inline(always)]
            |z| (z - most).exp(),
        );
        let normaliser = most.to_f64() + sum.ln().to_f64();
        let mut loss = self.weight(row) * normaliser;
        for (column, weight) in &self.entries[row] {
            let hit = scratch[*column as usize].to_f64();
            loss -= f64::from(*weight) * (1.0 - self.smoothing) * hit;
        }
        if self.smoothing > 0.0 {
            let mean = sum_of(
                scratch,
                #[inline(always)]
                |z| z,
            )
            .to_f64()
                / scratch.len() as f64;
            loss -= self.weight(row) * self.smoothing * mean;
        }
        loss
    }

    /// `scale` times the gradient of one row, in `out`.
    #[inline(always)]
    fn gradient<F: Real>(&self, row: usize, logits: &[F], values: &[F], scale: f64, out: &mut [F]) {
        self.adjust(row, logits, values, out);
        let most = max(out);
        let sum = exp_and_sum(out, most).to_f64();
        let weight = scale * self.weight(row);
        let factor = F::from_f64(weight / sum);
        let even = F::from_f64(weight * self.smoothing / out.len() as f64);
        for z in out.iter_mut() {
            *z = *z * factor - even;
        }
        for (column, weight) in &self.entries[row] {
            let part = scale * f64::from(*weight) * (1.0 - self.smoothing);
            out[*column as usize] -= F::from_f64(part);
        }
    }

    /// What the targets of a row among the logits from a column on add up to.
    #[inline(always)]
    pub(super) fn hits<F: Real>(&self, row: usize, from: usize, logits: &[F]) -> f64 {
        let mut hits = 0.0;
        for (column, weight) in self.targets(row) {
            if (from..from + logits.len()).contains(&column) {
                hits += weight * (1.0 - self.smoothing) * logits[column - from].to_f64();
            }
        }
        hits
    }

    /// The (column, weight) of the targets of a row.
    pub(super) fn targets(&self, row: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let entries = self.entries[row].iter();
        entries.map(|(column, weight)| (*column as usize, f64::from(*weight)))
    }

    fn total<F: Real>(&self, logits: &[F], values: &[F]) -> F {
        let columns = logits.len() / self.entries.len();
        let rows = logits.par_chunks(columns).enumerate();
        let losses: Vec<f64> = rows
            .with_min_len(TASK.div_ceil(columns))
            .map_init(
                || vec![F::zero(); columns],
                |scratch, (row, logits)| {
                    if self.entries[row].is_empty() {
                        return 0.0;
                    }
                    vectorised(
                        #[inline(always)]
                        || self.loss(row, logits, values, scratch),
                    )
                },
            )
            .collect();
        F::from_f64(losses.iter().sum())
    }

    /// `scale` times the gradients of the logits and of the adjustments.
    fn gradients<F: Real>(&self, logits: &[F], values: &[F], scale: f64) -> [Vec<F>; 2] {
        let columns = logits.len() / self.entries.len();
        let mut of_logits = vec![F::zero(); logits.len()];
        of_logits
            .par_chunks_mut(columns)
            .zip(logits.par_chunks(columns))
            .enumerate()
            .with_min_len(TASK.div_ceil(columns))
            .filter(|(row, _)| !self.entries[*row].is_empty())
            .for_each(|(row, (out, logits))| {
                vectorised(
                    #[inline(always)]
                    || self.gradient(row, logits, values, scale, out),
                );
            });
        let mut of_values = vec![F::zero(); values.len()];
        for (row, adjusted) in self.adjusted.iter().enumerate() {
            for (column, value) in adjusted {
                of_values[*value] = of_logits[row * columns + *column as usize];
            }
        }
        [of_logits, of_values]
    }
}

impl Kernel for SparseCrossEntropy {
    fn run<F: Real>(&self, inputs: &[&[F]]) -> Vec<Vec<F>> {
        vec![vec![self.total(inputs[0], inputs[1])]]
    }
}

struct Backward<'a> {
    loss: &'a SparseCrossEntropy,
    scale: f64,
}

impl Kernel for Backward<'_> {
    fn run<F: Real>(&self, inputs: &[&[F]]) -> Vec<Vec<F>> {
        self.loss.gradients(inputs[0], inputs[1], self.scale).into()
    }
}

impl CustomOp2 for SparseCrossEntropy {
    fn name(&self) -> &'static str {
        "sparse-cross-entropy"
    }

    fn cpu_fwd(
        &self,
        logits: &CpuStorage,
        layout: &Layout,
        values: &CpuStorage,
        values_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let inputs = [(logits, layout), (values, values_layout)];
        run_one(self, &inputs, &Shape::from(()))
    }

    fn bwd(
        &self,
        logits: &Tensor,
        values: &Tensor,
        _loss: &Tensor,
        gradient: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>)> {
        let backward = Backward {
            loss: self,
            scale: gradient.to_dtype(DType::F64)?.to_scalar()?,
        };
        let shapes = [logits.shape(), values.shape()];
        let [of_logits, of_values] = run_on_tensors(&backward, &[logits, values], shapes)?;
        Ok((Some(of_logits), Some(of_values)))
    }
}
