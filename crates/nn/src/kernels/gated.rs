//! The gate of a `SwiGLU` feed-forward layer as one operation.

use candle_core::{CpuStorage, CustomOp2, Layout, Shape, Tensor};
use rayon::prelude::*;

use super::{Kernel, run_on_tensors, run_one};
use crate::simd::{Real, vectorised};

/// Numbers of one task of the thread pool.
const TASK: usize = 1 << 14;

/// silu(gate) ⊙ up, with silu(x) = x σ(x).
///
/// d gate = dy ⊙ up ⊙ σ (1 + gate (1 − σ)), d up = dy ⊙ silu(gate).
pub(crate) struct Gated;

#[inline(always)]
fn sigmoid<F: Real>(x: F) -> F {
    F::one() / (F::one() + (F::zero() - x).exp())
}

impl Kernel for Gated {
    fn run<F: Real>(&self, inputs: &[&[F]]) -> Vec<Vec<F>> {
        let (gate, up) = (inputs[0], inputs[1]);
        let mut y = vec![F::zero(); gate.len()];
        let inputs = gate.par_chunks(TASK).zip(up.par_chunks(TASK));
        y.par_chunks_mut(TASK)
            .zip(inputs)
            .for_each(|(y, (gate, up))| {
                vectorised(
                    #[inline(always)]
                    || {
                        for (y, (gate, up)) in y.iter_mut().zip(gate.iter().zip(up)) {
                            *y = *gate * sigmoid(*gate) * *up;
                        }
                    },
                );
            });
        vec![y]
    }
}

struct Backward;

impl Kernel for Backward {
    fn run<F: Real>(&self, inputs: &[&[F]]) -> Vec<Vec<F>> {
        let (gate, up, dy) = (inputs[0], inputs[1], inputs[2]);
        let mut of_gate = vec![F::zero(); gate.len()];
        let mut of_up = vec![F::zero(); gate.len()];
        let inputs = gate
            .par_chunks(TASK)
            .zip(up.par_chunks(TASK))
            .zip(dy.par_chunks(TASK));
        let outputs = of_gate.par_chunks_mut(TASK).zip(of_up.par_chunks_mut(TASK));
        outputs
            .zip(inputs)
            .for_each(|((of_gate, of_up), ((gate, up), dy))| {
                vectorised(
                    #[inline(always)]
                    || {
                        let outputs = of_gate.iter_mut().zip(of_up);
                        let inputs = gate.iter().zip(up).zip(dy);
                        for ((of_gate, of_up), ((gate, up), dy)) in outputs.zip(inputs) {
                            let s = sigmoid(*gate);
                            *of_up = *dy * *gate * s;
                            *of_gate = *dy * *up * s * (F::one() + *gate * (F::one() - s));
                        }
                    },
                );
            });
        vec![of_gate, of_up]
    }
}

impl CustomOp2 for Gated {
    fn name(&self) -> &'static str {
        "gated"
    }

    fn cpu_fwd(
        &self,
        gate: &CpuStorage,
        layout: &Layout,
        up: &CpuStorage,
        up_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        run_one(self, &[(gate, layout), (up, up_layout)], layout.shape())
    }

    fn bwd(
        &self,
        gate: &Tensor,
        up: &Tensor,
        _y: &Tensor,
        dy: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>)> {
        let [of_gate, of_up] =
            run_on_tensors(&Backward, &[gate, up, dy], [gate.shape(), up.shape()])?;
        Ok((Some(of_gate), Some(of_up)))
    }
}
