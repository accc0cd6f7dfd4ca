//! The rotation of rotary positions as one operation.

use candle_core::{CpuStorage, CustomOp3, Layout, Shape, Tensor};
use rayon::prelude::*;

use super::{Kernel, run_on_tensors, run_one};
use crate::simd::{Real, vectorised};

/// Rows of one task of the thread pool.
const ROWS: usize = 256;

/// Turns the pairs (xᵢ, xᵢ₊ₕ), h half the width, of each row by the row's angles; its backward turns the other way.
///
/// x [B, H, T, D], cosines and sines [T, D/2] or [B, 1, T, D/2].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turn {
    heads: usize,
    time: usize,
    half: usize,
    /// Whether each sequence has angles of its own.
    by_sequence: bool,
    /// Whether to turn back.
    back: bool,
}

impl Turn {
    /// The rotation for x [B, H, T, D].
    pub(crate) fn of(x: &Tensor, cos: &Tensor) -> candle_core::Result<Self> {
        let (_, heads, time, width) = x.dims4()?;
        Ok(Self {
            heads,
            time,
            half: width / 2,
            by_sequence: cos.rank() == 4,
            back: false,
        })
    }

    /// The row of angles of a row of x.
    #[inline(always)]
    fn angles_of(&self, row: usize) -> usize {
        let at = row % self.time;
        if self.by_sequence {
            row / (self.heads * self.time) * self.time + at
        } else {
            at
        }
    }
}

impl Kernel for Turn {
    fn run<F: Real>(&self, inputs: &[&[F]]) -> Vec<Vec<F>> {
        let (x, cos, sin) = (inputs[0], inputs[1], inputs[2]);
        let (half, width) = (self.half, 2 * self.half);
        let sign = F::from_f64(if self.back { -1.0 } else { 1.0 });
        let mut y = vec![F::zero(); x.len()];
        let tasks = y
            .par_chunks_mut(ROWS * width)
            .zip(x.par_chunks(ROWS * width));
        tasks.enumerate().for_each(|(task, (y, x))| {
            vectorised(
                #[inline(always)]
                || {
                    let rows = y.chunks_exact_mut(width).zip(x.chunks_exact(width));
                    for (row, (y, x)) in (task * ROWS..).zip(rows) {
                        let start = self.angles_of(row) * half;
                        let angles = cos[start..start + half]
                            .iter()
                            .zip(&sin[start..start + half]);
                        let (x1, x2) = x.split_at(half);
                        let (y1, y2) = y.split_at_mut(half);
                        let outputs = y1.iter_mut().zip(y2);
                        let inputs = x1.iter().zip(x2).zip(angles);
                        for ((y1, y2), ((x1, x2), (cos, sin))) in outputs.zip(inputs) {
                            let sin = *sin * sign;
                            *y1 = *x1 * *cos - *x2 * sin;
                            *y2 = *x2 * *cos + *x1 * sin;
                        }
                    }
                },
            );
        });
        vec![y]
    }
}

impl CustomOp3 for Turn {
    fn name(&self) -> &'static str {
        "turn"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        layout: &Layout,
        cos: &CpuStorage,
        cos_layout: &Layout,
        sin: &CpuStorage,
        sin_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let inputs = [(x, layout), (cos, cos_layout), (sin, sin_layout)];
        run_one(self, &inputs, layout.shape())
    }

    fn bwd(
        &self,
        x: &Tensor,
        cos: &Tensor,
        sin: &Tensor,
        _y: &Tensor,
        dy: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let back = Self {
            back: !self.back,
            ..*self
        };
        let [dx] = run_on_tensors(&back, &[dy, cos, sin], [x.shape()])?;
        Ok((Some(dx), None, None))
    }
}
