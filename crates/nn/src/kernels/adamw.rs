//! The passes of an `AdamW` step, in place.

use candle_core::{CpuStorage, InplaceOp2, InplaceOp3, Layout, Tensor, bail};
use rayon::prelude::*;

use super::{Kernel, part, run_on_tensors};
use crate::simd::{Real, sum_of, vectorised};

/// Numbers of one task of the thread pool.
const TASK: usize = 1 << 15;

/// m ← keep · m + share · g, or m ← keep · m + share · g².
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decay {
    /// Factor of the old average.
    pub(crate) keep: f64,
    /// Factor of what is new.
    pub(crate) share: f64,
    /// Whether g is squared.
    pub(crate) square: bool,
}

/// θ ← shrink · θ − rate · m / (√(v / correction) + ε).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Move {
    /// 1 − η λ.
    pub(crate) shrink: f64,
    /// η / (1 − β₁ᵗ).
    pub(crate) rate: f64,
    /// 1 − β₂ᵗ.
    pub(crate) correction: f64,
    /// ε.
    pub(crate) epsilon: f64,
}

impl Decay {
    fn run<F: Real>(self, average: &mut [F], fresh: &[F]) {
        let (keep, share) = (F::from_f64(self.keep), F::from_f64(self.share));
        let tasks = average.par_chunks_mut(TASK).zip(fresh.par_chunks(TASK));
        tasks.for_each(|(average, fresh)| {
            vectorised(
                #[inline(always)]
                || {
                    if self.square {
                        for (average, fresh) in average.iter_mut().zip(fresh) {
                            *average = *average * keep + *fresh * *fresh * share;
                        }
                    } else {
                        for (average, fresh) in average.iter_mut().zip(fresh) {
                            *average = *average * keep + *fresh * share;
                        }
                    }
                },
            );
        });
    }
}

impl Move {
    fn run<F: Real>(self, parameter: &mut [F], first: &[F], second: &[F]) {
        let [shrink, rate, epsilon] = [self.shrink, self.rate, self.epsilon].map(F::from_f64);
        let correction = F::from_f64(1.0 / self.correction);
        let moments = first.par_chunks(TASK).zip(second.par_chunks(TASK));
        let tasks = parameter.par_chunks_mut(TASK).zip(moments);
        tasks.for_each(|(parameter, (first, second))| {
            vectorised(
                #[inline(always)]
                || {
                    let moments = first.iter().zip(second);
                    for (parameter, (first, second)) in parameter.iter_mut().zip(moments) {
                        let root = (*second * correction).sqrt() + epsilon;
                        *parameter = *parameter * shrink - rate * *first / root;
                    }
                },
            );
        });
    }
}

/// The numbers of a contiguous tensor, to be changed.
fn part_mut<'a, F>(storage: &'a mut [F], layout: &Layout) -> candle_core::Result<&'a mut [F]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&mut storage[start..end]),
        None => bail!("a fused operation takes contiguous tensors"),
    }
}

impl InplaceOp2 for Decay {
    fn name(&self) -> &'static str {
        "decay"
    }

    fn cpu_fwd(
        &self,
        average: &mut CpuStorage,
        layout: &Layout,
        fresh: &CpuStorage,
        fresh_layout: &Layout,
    ) -> candle_core::Result<()> {
        match (average, fresh) {
            (CpuStorage::F32(average), CpuStorage::F32(fresh)) => {
                self.run(part_mut(average, layout)?, part(fresh, fresh_layout)?);
            }
            (CpuStorage::F64(average), CpuStorage::F64(fresh)) => {
                self.run(part_mut(average, layout)?, part(fresh, fresh_layout)?);
            }
            _ => bail!("a moment and its gradient are of one type, f32 or f64"),
        }
        Ok(())
    }
}

impl InplaceOp3 for Move {
    fn name(&self) -> &'static str {
        "move"
    }

    fn cpu_fwd(
        &self,
        parameter: &mut CpuStorage,
        layout: &Layout,
        first: &CpuStorage,
        first_layout: &Layout,
        second: &CpuStorage,
        second_layout: &Layout,
    ) -> candle_core::Result<()> {
        match (parameter, first, second) {
            (CpuStorage::F32(parameter), CpuStorage::F32(first), CpuStorage::F32(second)) => {
                let moments = (part(first, first_layout)?, part(second, second_layout)?);
                self.run(part_mut(parameter, layout)?, moments.0, moments.1);
            }
            (CpuStorage::F64(parameter), CpuStorage::F64(first), CpuStorage::F64(second)) => {
                let moments = (part(first, first_layout)?, part(second, second_layout)?);
                self.run(part_mut(parameter, layout)?, moments.0, moments.1);
            }
            _ => bail!("a parameter and its moments are of one type, f32 or f64"),
        }
        Ok(())
    }
}

/// Σ x².
struct Squares;

impl Kernel for Squares {
    fn run<F: Real>(&self, operands: &[&[F]]) -> Vec<Vec<F>> {
        let tasks = operands[0].par_chunks(TASK).map(|numbers| {
            vectorised(
                #[inline(always)]
                || {
                    sum_of(
                        numbers,
                        #[inline(always)]
                        |x| x * x,
                    )
                },
            )
            .to_f64()
        });
        // The tasks' sums come back in order, so that the total does not depend on the number of threads.
        vec![vec![F::from_f64(tasks.collect::<Vec<f64>>().iter().sum())]]
    }
}

/// Σ x² of a tensor on a CPU.
pub(crate) fn sum_of_squares(x: &Tensor) -> candle_core::Result<f64> {
    let [sum] = run_on_tensors(&Squares, &[x], [&().into()])?;
    sum.to_dtype(candle_core::DType::F64)?.to_scalar()
}

/// Σ over tensors, in their order.
struct Sum;

impl Kernel for Sum {
    fn run<F: Real>(&self, operands: &[&[F]]) -> Vec<Vec<F>> {
        let Some((first, rest)) = operands.split_first() else {
            return vec![];
        };
        let mut sum = first.to_vec();
        sum.par_chunks_mut(TASK)
            .enumerate()
            .for_each(|(task, sum)| {
                vectorised(
                    #[inline(always)]
                    || {
                        for operand in rest {
                            let part = &operand[task * TASK..];
                            for (sum, part) in sum.iter_mut().zip(part) {
                                *sum += *part;
                            }
                        }
                    },
                );
            });
        vec![sum]
    }
}

/// The sum of tensors of one shape on a CPU, outside the graph.
pub(crate) fn sum(tensors: &[&Tensor]) -> candle_core::Result<Tensor> {
    let Some(first) = tensors.first() else {
        bail!("a sum of no tensors");
    };
    let [sum] = run_on_tensors(&Sum, tensors, [first.shape()])?;
    Ok(sum)
}
