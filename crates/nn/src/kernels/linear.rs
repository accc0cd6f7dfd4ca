//! An affine map as one operation: the product, and what is added to it.

use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Shape, Tensor};
use rayon::prelude::*;

use super::matmul::{Into, Matrix, MatrixMut, multiply};
use super::{Kernel, run_on_tensors, run_one};
use crate::simd::{Real, vectorised};

/// Rows of the result that one task of the thread pool computes: enough that packing the other operand is a
/// small part of the work, and a constant so that the result does not depend on the number of threads.
const ROWS: usize = 256;

/// y = x Wᵀ, y = x Wᵀ + b or y = r + x Wᵀ over x [N, I] and W [O, I], with b [O] or r [N, O] as the third operand.
///
/// dx = dy W, dW = dyᵀ x, db = Σ rows dy, dr = dy. Candle's own product of x and a transposed W gives the gradient
/// of the transposed view, which then takes two strided passes over the weights.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Product {
    /// Columns I of x.
    pub(crate) inputs: usize,
    /// Rows O of W.
    pub(crate) outputs: usize,
    /// What the third operand is, where there is one.
    pub(crate) added: Added,
}

/// What is added to a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Added {
    /// Nothing.
    Nothing,
    /// The same numbers [O] to every row.
    Bias,
    /// Numbers of its own [N, O] to each row.
    Residual,
}

impl Kernel for Product {
    fn run<F: Real>(&self, operands: &[&[F]]) -> Vec<Vec<F>> {
        let (x, weight) = (operands[0], operands[1]);
        let rows = x.len() / self.inputs.max(1);
        let (mut y, into) = match self.added {
            Added::Nothing => (vec![F::zero(); rows * self.outputs], Into::Fresh),
            Added::Bias => (operands[2].repeat(rows), Into::Sum),
            Added::Residual => (operands[2].to_vec(), Into::Sum),
        };
        let weight = Matrix::new(weight, self.outputs, self.inputs).t();
        by_rows(&mut y, self.outputs, x, self.inputs, |y, x, rows| {
            let x = Matrix::new(x, rows, self.inputs);
            multiply(
                MatrixMut::new(y, rows, self.outputs),
                into,
                x,
                weight,
                F::one(),
            );
        });
        vec![y]
    }
}

/// Calls `body` on parts of whole rows of `out` and of `x`, side by side on the thread pool.
pub(super) fn by_rows<F: Real>(
    out: &mut [F],
    out_width: usize,
    x: &[F],
    x_width: usize,
    body: impl Fn(&mut [F], &[F], usize) + Sync,
) {
    let parts = out.par_chunks_mut((ROWS * out_width).max(1));
    parts
        .zip(x.par_chunks((ROWS * x_width).max(1)))
        .for_each(|(out, x)| body(out, x, x.len() / x_width));
}

/// The gradients of x, W and of a bias.
struct Backward(Product);

impl Kernel for Backward {
    fn run<F: Real>(&self, operands: &[&[F]]) -> Vec<Vec<F>> {
        let (x, weight, dy) = (operands[0], operands[1], operands[2]);
        let Product {
            inputs, outputs, ..
        } = self.0;
        let dx = self.0.of_inputs(weight, dy);
        let mut results = vec![dx, weight_gradient(x, dy, inputs, outputs)];
        if self.0.added == Added::Bias {
            results.push(column_sums(dy, outputs));
        }
        results
    }
}

/// The gradient of x alone, where the weight is frozen: dx = dy W.
struct OfInputs(Product);

impl Kernel for OfInputs {
    fn run<F: Real>(&self, operands: &[&[F]]) -> Vec<Vec<F>> {
        let (weight, dy) = (operands[0], operands[1]);
        vec![self.0.of_inputs(weight, dy)]
    }
}

/// dW = dyᵀ x, [O, I].
pub(super) fn weight_gradient<F: Real>(x: &[F], dy: &[F], inputs: usize, outputs: usize) -> Vec<F> {
    let rows = dy.len() / outputs.max(1);
    let mut gradient = vec![F::zero(); outputs * inputs];
    let x = Matrix::new(x, rows, inputs);
    let parts = gradient.par_chunks_mut((ROWS * inputs).max(1)).enumerate();
    parts.for_each(|(part, gradient)| {
        let first = part * ROWS;
        let count = gradient.len() / inputs;
        let columns = Matrix::strided(&dy[first.min(dy.len())..], rows, count, outputs);
        let gradient = MatrixMut::new(gradient, count, inputs);
        multiply(gradient, Into::Fresh, columns.t(), x, F::one());
    });
    gradient
}

/// Σ over the rows of a matrix.
pub(super) fn column_sums<F: Real>(matrix: &[F], columns: usize) -> Vec<F> {
    let mut sums = vec![F::zero(); columns];
    vectorised(
        #[inline(always)]
        || {
            for row in matrix.chunks_exact(columns) {
                for (sum, number) in sums.iter_mut().zip(row) {
                    *sum += *number;
                }
            }
        },
    );
    sums
}

impl Product {
    /// dx = dy W, [N, I].
    fn of_inputs<F: Real>(&self, weight: &[F], dy: &[F]) -> Vec<F> {
        let (inputs, outputs) = (self.inputs, self.outputs);
        let mut dx = vec![F::zero(); dy.len() / outputs.max(1) * inputs];
        let by_output = Matrix::new(weight, outputs, inputs);
        by_rows(&mut dx, inputs, dy, outputs, |dx, dy, rows| {
            let dy = Matrix::new(dy, rows, outputs);
            let dx = MatrixMut::new(dx, rows, inputs);
            multiply(dx, Into::Fresh, dy, by_output, F::one());
        });
        dx
    }

    fn shape_of_result(&self, x: &Layout) -> Shape {
        let mut dims = x.shape().dims().to_vec();
        if let Some(last) = dims.last_mut() {
            *last = self.outputs;
        }
        Shape::from(dims)
    }
}

impl CustomOp2 for Product {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let operands = [(x, x_layout), (weight, weight_layout)];
        run_one(self, &operands, &self.shape_of_result(x_layout))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        _y: &Tensor,
        dy: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>)> {
        if !weight.track_op() {
            let [dx] = run_on_tensors(&OfInputs(*self), &[weight, dy], [x.shape()])?;
            return Ok((Some(dx), None));
        }
        let shapes = [x.shape(), weight.shape()];
        let [dx, of_weight] = run_on_tensors(&Backward(*self), &[x, weight, dy], shapes)?;
        Ok((Some(dx), Some(of_weight)))
    }
}

impl CustomOp3 for Product {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        added: &CpuStorage,
        added_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let operands = [
            (x, x_layout),
            (weight, weight_layout),
            (added, added_layout),
        ];
        run_one(self, &operands, &self.shape_of_result(x_layout))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        added: &Tensor,
        _y: &Tensor,
        dy: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let of_residual = (self.added == Added::Residual).then(|| dy.clone());
        if !weight.track_op() && (of_residual.is_some() || !added.track_op()) {
            let [dx] = run_on_tensors(&OfInputs(*self), &[weight, dy], [x.shape()])?;
            return Ok((Some(dx), None, of_residual));
        }
        let backward = Backward(*self);
        let operands = [x, weight, dy];
        if self.added == Added::Bias {
            let shapes = [x.shape(), weight.shape(), added.shape()];
            let [dx, of_weight, of_bias] = run_on_tensors(&backward, &operands, shapes)?;
            return Ok((Some(dx), Some(of_weight), Some(of_bias)));
        }
        let [dx, of_weight] = run_on_tensors(&backward, &operands, [x.shape(), weight.shape()])?;
        Ok((Some(dx), Some(of_weight), of_residual))
    }
}
