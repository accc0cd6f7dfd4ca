//! Root-mean-square normalisation as one operation.

use candle_core::{CpuStorage, CustomOp2, Layout, Shape, Tensor};
use rayon::prelude::*;

use super::{Kernel, run_on_tensors, run_one};
use crate::simd::{Real, dot, vectorised};

/// Rows of one task; a constant, because the gradient of the gain is summed task by task.
const ROWS: usize = 128;

/// y = γ · x / √(mean(x²) + ε) over the rows of x; see [`crate::RmsNorm`].
///
/// With r = 1 / √(mean(x²) + ε) and g = γ ⊙ dy: dx = r g − x r³ (g · x) / D, and dγ = Σ rows dy ⊙ x r.
pub(crate) struct FusedRmsNorm {
    pub(crate) epsilon: f64,
}

impl FusedRmsNorm {
    /// 1 / √(mean(x²) + ε) of a row.
    #[inline(always)]
    fn scale<F: Real>(&self, x: &[F]) -> F {
        let mean = dot::<F, F>(x, x).to_f64() / x.len() as f64;
        F::from_f64(1.0 / (mean + self.epsilon).sqrt())
    }
}

impl Kernel for FusedRmsNorm {
    fn run<F: Real>(&self, inputs: &[&[F]]) -> Vec<Vec<F>> {
        let (x, gain) = (inputs[0], inputs[1]);
        let width = gain.len();
        let mut y = vec![F::zero(); x.len()];
        let tasks = y
            .par_chunks_mut(ROWS * width)
            .zip(x.par_chunks(ROWS * width));
        tasks.for_each(|(y, x)| {
            vectorised(
                #[inline(always)]
                || {
                    for (y, x) in y.chunks_exact_mut(width).zip(x.chunks_exact(width)) {
                        let scale = self.scale(x);
                        for ((y, x), gain) in y.iter_mut().zip(x).zip(gain) {
                            *y = *x * scale * *gain;
                        }
                    }
                },
            );
        });
        vec![y]
    }
}

struct Backward(FusedRmsNorm);

impl Kernel for Backward {
    fn run<F: Real>(&self, inputs: &[&[F]]) -> Vec<Vec<F>> {
        let (x, gain, dy) = (inputs[0], inputs[1], inputs[2]);
        let width = gain.len();
        let mut dx = vec![F::zero(); x.len()];
        let tasks = dx
            .par_chunks_mut(ROWS * width)
            .zip(x.par_chunks(ROWS * width))
            .zip(dy.par_chunks(ROWS * width));
        let of_gain: Vec<Vec<F>> = tasks
            .map(|((dx, x), dy)| {
                let mut of_gain = vec![F::zero(); width];
                vectorised(
                    #[inline(always)]
                    || self.rows(x, gain, dy, dx, &mut of_gain),
                );
                of_gain
            })
            .collect();
        let mut sum = vec![F::zero(); width];
        for part in of_gain {
            for (sum, part) in sum.iter_mut().zip(part) {
                *sum += part;
            }
        }
        vec![dx, sum]
    }
}

impl Backward {
    #[inline(always)]
    fn rows<F: Real>(&self, x: &[F], gain: &[F], dy: &[F], dx: &mut [F], of_gain: &mut [F]) {
        let width = gain.len();
        let rows = x.chunks_exact(width).zip(dy.chunks_exact(width));
        for (dx, (x, dy)) in dx.chunks_exact_mut(width).zip(rows) {
            let scale = self.0.scale(x);
            for ((dx, dy), gain) in dx.iter_mut().zip(dy).zip(gain) {
                *dx = *dy * *gain;
            }
            let along = dot::<F, F>(dx, x) * scale * scale / F::from_f64(width as f64);
            for ((dx, x), (dy, of_gain)) in dx.iter_mut().zip(x).zip(dy.iter().zip(&mut *of_gain)) {
                *of_gain += *dy * *x * scale;
                *dx = (*dx - *x * along) * scale;
            }
        }
    }
}

impl CustomOp2 for FusedRmsNorm {
    fn name(&self) -> &'static str {
        "rms-norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        layout: &Layout,
        gain: &CpuStorage,
        gain_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        run_one(self, &[(x, layout), (gain, gain_layout)], layout.shape())
    }

    fn bwd(
        &self,
        x: &Tensor,
        gain: &Tensor,
        _y: &Tensor,
        dy: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>)> {
        let backward = Backward(Self {
            epsilon: self.epsilon,
        });
        let [dx, of_gain] = run_on_tensors(&backward, &[x, gain, dy], [x.shape(), gain.shape()])?;
        Ok((Some(dx), Some(of_gain)))
    }
}
