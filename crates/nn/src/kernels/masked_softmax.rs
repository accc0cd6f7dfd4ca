//! Softmax of attention scores under a mask, in one pass forward and one backward.

use candle_core::{CpuStorage, CustomOp2, Layout, Shape, Tensor};
use rayon::prelude::*;

use super::{Kernel, run_on_tensors, run_one};
use crate::simd::{Real, dot, max, sum_of, vectorised};
use crate::{NnError, softmax};

/// Numbers that one task of the pool handles at least, so that small inputs stay on one core.
const TASK: usize = 16_384;

/// Softmax over the last dimension of scores + mask.
///
/// On the CPU in `f32` and `f64` it is one operation with its own backward, dS = P ⊙ (dP − Σ P ⊙ dP): candle's
/// composition of it reads and writes the T × T scores about twenty times. Elsewhere it is that composition. The result
/// does not depend on the number of threads: each row is summed by one of them, in order. The mask gets no gradient.
///
/// # Shapes
/// scores [B, H, T, K], mask [B, 1, T, K] or [1, 1, T, K], each row with a finite element → [B, H, T, K].
///
/// # Errors
/// [`NnError::Shape`] where the mask does not fit the scores.
pub(crate) fn masked_softmax(scores: &Tensor, mask: &Tensor) -> Result<Tensor, NnError> {
    let (batch, heads, time, keys) = scores.dims4()?;
    let fits = |rows: usize| mask.dims() == [rows, 1, time, keys];
    if !fits(batch) && !fits(1) {
        return Err(NnError::Shape {
            operation: "masked softmax",
            expected: format!("a mask of [{batch}, 1, {time}, {keys}]"),
            got: format!("{:?}", mask.dims()),
        });
    }
    if !scores.device().is_cpu() {
        return softmax(&scores.broadcast_add(mask)?);
    }
    let (scores, mask) = (scores.contiguous()?, mask.contiguous()?);
    let keys = keys.max(1);
    Ok(scores.apply_op2(&mask, MaskedSoftmax { heads, time, keys })?)
}

struct MaskedSoftmax {
    heads: usize,
    time: usize,
    keys: usize,
}

impl Kernel for MaskedSoftmax {
    fn run<F: Real>(&self, inputs: &[&[F]]) -> Vec<Vec<F>> {
        vec![self.forward(inputs[0], inputs[1])]
    }
}

/// dS = P ⊙ (dP − Σ P ⊙ dP); its inputs are P and dP.
struct Backward {
    keys: usize,
}

impl Kernel for Backward {
    fn run<F: Real>(&self, inputs: &[&[F]]) -> Vec<Vec<F>> {
        vec![backward(inputs[0], inputs[1], self.keys)]
    }
}

impl CustomOp2 for MaskedSoftmax {
    fn name(&self) -> &'static str {
        "masked-softmax"
    }

    fn cpu_fwd(
        &self,
        scores: &CpuStorage,
        layout: &Layout,
        mask: &CpuStorage,
        mask_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        run_one(
            self,
            &[(scores, layout), (mask, mask_layout)],
            layout.shape(),
        )
    }

    fn bwd(
        &self,
        _scores: &Tensor,
        _mask: &Tensor,
        probabilities: &Tensor,
        gradient: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>)> {
        let backward = Backward { keys: self.keys };
        let shapes = [probabilities.shape()];
        let [scores] = run_on_tensors(&backward, &[probabilities, gradient], shapes)?;
        Ok((Some(scores), None))
    }
}

impl MaskedSoftmax {
    fn forward<F: Real>(&self, scores: &[F], mask: &[F]) -> Vec<F> {
        let Self { heads, time, keys } = *self;
        let mut result = vec![F::zero(); scores.len()];
        let rows = result.par_chunks_mut(keys).zip(scores.par_chunks(keys));
        let least = TASK.div_ceil(keys);
        rows.enumerate()
            .with_min_len(least)
            .for_each(|(row, (out, scores))| {
                // Row (b, h, t) uses mask row (b, t); a mask of one sequence serves all.
                let mask_row = (row / (heads * time) * time + row % time) * keys % mask.len();
                let mask = &mask[mask_row..mask_row + keys];
                vectorised(
                    #[inline(always)]
                    || {
                        for ((out, score), mask) in out.iter_mut().zip(scores).zip(mask) {
                            *out = *score + *mask;
                        }
                        let top = max(out);
                        for out in out.iter_mut() {
                            *out = (*out - top).exp();
                        }
                        let scale = F::one() / sum_of(out, |x| x);
                        for out in out.iter_mut() {
                            *out *= scale;
                        }
                    },
                );
            });
        result
    }
}

fn backward<F: Real>(probabilities: &[F], gradient: &[F], keys: usize) -> Vec<F> {
    let mut result = vec![F::zero(); probabilities.len()];
    let inputs = probabilities
        .par_chunks(keys)
        .zip(gradient.par_chunks(keys));
    let rows = result.par_chunks_mut(keys).zip(inputs);
    let least = TASK.div_ceil(keys);
    rows.with_min_len(least).for_each(|(out, (p, g))| {
        vectorised(
            #[inline(always)]
            || {
                let along = dot::<F, F>(p, g);
                for ((out, p), g) in out.iter_mut().zip(p).zip(g) {
                    *out = *p * (*g - along);
                }
            },
        );
    });
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Mask;
    use crate::gradients::check_gradient;
    use candle_core::{DType, Device};

    /// Scores of shape [2, 3, 4, 4] without a pattern.
    fn scores() -> Vec<f64> {
        (0..96).map(|i| (f64::from(i) * 1.7).sin() * 3.0).collect()
    }

    fn masks() -> [Tensor; 2] {
        let blocks = [vec![0, 1, 1, 2], vec![0, 0]];
        [
            Mask::causal(4)
                .to_tensor(DType::F64, &Device::Cpu)
                .expect("small"),
            Mask::block_causal(&blocks, 4)
                .to_tensor(DType::F64, &Device::Cpu)
                .expect("small"),
        ]
    }

    #[test]
    fn equals_the_composition() {
        let x = Tensor::from_vec(scores(), (2, 3, 4, 4), &Device::Cpu).expect("fits");
        for mask in masks() {
            let fused = masked_softmax(&x, &mask).expect("fits");
            let composed = softmax(&x.broadcast_add(&mask).expect("fits")).expect("fits");
            let values =
                |t: Tensor| -> Vec<f64> { t.flatten_all().and_then(|t| t.to_vec1()).expect("f64") };
            for (a, b) in values(fused).iter().zip(values(composed)) {
                assert!((a - b).abs() < 1e-15, "{a} is not {b}");
            }
        }
    }

    #[test]
    fn the_gradient_matches_finite_differences() {
        let weights: Vec<f64> = (0..96).map(|i| (f64::from(i) * 0.3).cos()).collect();
        let weights = Tensor::from_vec(weights, (2, 3, 4, 4), &Device::Cpu).expect("fits");
        for mask in masks() {
            check_gradient(&scores(), &[2, 3, 4, 4], |x| {
                Ok((masked_softmax(x, &mask)? * &weights)?.sum_all()?)
            });
        }
    }

    #[test]
    fn a_mask_that_does_not_fit_is_named() {
        let x = Tensor::zeros((2, 1, 3, 3), DType::F32, &Device::Cpu).expect("small");
        let mask = Mask::causal(4)
            .to_tensor(DType::F32, &Device::Cpu)
            .expect("small");
        assert_eq!(
            masked_softmax(&x, &mask)
                .expect_err("4 is not 3")
                .to_string(),
            "masked softmax: expected a mask of [2, 1, 3, 3], got [1, 1, 4, 4]; check the sizes given to the layer"
        );
    }
}
