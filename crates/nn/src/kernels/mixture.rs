use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp2, Layout, Shape, Tensor};
use rayon::prelude::*;

use super::{Kernel, run_on_tensors, run_one};
use crate::simd::{Real, dot, vectorised};
use crate::{Device, NnError};

/// Numbers of one task of the thread pool, at least.
const TASK: usize = 1 << 15;

/// Constant rows that a mixture weighs, several rows of the output sharing one table.
///
/// Each table is row-major [H, V]; row n of the output uses table `of_row[n]`.
#[derive(Debug, Clone)]
pub struct MixtureTables {
    /// The tables, each of H × V numbers.
    pub tables: Vec<Arc<[f32]>>,
    /// The table of each row.
    pub of_row: Vec<usize>,
}

/// Adds to each row a weighted sum of the rows of its table: yₙ = xₙ + Σₕ wₙₕ · table(n)ₕ.
///
/// Gradients flow to x and to the weights. Equal to `x + (w · tables).squeeze()` over tables that were copied for every
/// row to [N, H, V], which this never does.
///
/// # Shapes
/// x [N, V], weights [N, H], tables of H · V numbers → [N, V].
///
/// # Errors
/// [`NnError::Shape`] where rows, weights and tables do not fit.
pub fn add_mixture(
    x: &Tensor,
    weights: &Tensor,
    tables: &Arc<MixtureTables>,
) -> Result<Tensor, NnError> {
    let (rows, columns) = x.dims2()?;
    let (weight_rows, count) = weights.dims2()?;
    let size = count * columns;
    let fits = weight_rows == rows
        && tables.of_row.len() == rows
        && tables
            .of_row
            .iter()
            .all(|table| *table < tables.tables.len())
        && tables.tables.iter().all(|table| table.len() == size);
    if !fits {
        return Err(NnError::Shape {
            operation: "mixture",
            expected: format!("weights [{rows}, H] and a table of H × {columns} for each row"),
            got: format!(
                "weights {:?} and {} rows of {} tables",
                weights.dims(),
                tables.of_row.len(),
                tables.tables.len()
            ),
        });
    }
    if !x.device().is_cpu() {
        return composed(x, weights, tables);
    }
    let mixture = Mixture(Arc::clone(tables));
    Ok(x.contiguous()?.apply_op2(&weights.contiguous()?, mixture)?)
}

/// The same of candle's own operations, for other devices.
fn composed(x: &Tensor, weights: &Tensor, tables: &MixtureTables) -> Result<Tensor, NnError> {
    let (rows, columns) = x.dims2()?;
    let copied: Vec<f32> = tables
        .of_row
        .iter()
        .flat_map(|table| tables.tables[*table].iter().copied())
        .collect();
    let copied = Tensor::from_vec(copied, (rows, weights.dim(1)?, columns), &Device::Cpu)?;
    let copied = copied.to_dtype(x.dtype())?.to_device(x.device())?;
    // [N, 1, H] · [N, H, V] → [N, V]
    let mixed = weights.unsqueeze(1)?.matmul(&copied)?.squeeze(1)?;
    Ok((x + mixed)?)
}

struct Mixture(Arc<MixtureTables>);

impl Mixture {
    fn forward<F: Real>(&self, x: &[F], weights: &[F], columns: usize) -> Vec<F> {
        let count = weights.len() / self.0.of_row.len().max(1);
        let mut out = x.to_vec();
        out.par_chunks_mut(columns)
            .zip(weights.par_chunks(count))
            .zip(self.0.of_row.par_iter())
            .with_min_len(TASK.div_ceil(columns * count))
            .for_each(|((out, weights), table)| {
                let table = &self.0.tables[*table];
                vectorised(
                    #[inline(always)]
                    || {
                        for (weight, part) in weights.iter().zip(table.chunks_exact(columns)) {
                            for (out, part) in out.iter_mut().zip(part) {
                                *out += *weight * F::from(*part);
                            }
                        }
                    },
                );
            });
        out
    }

    /// The gradient of the weights: ⟨gradient of the row, row of the table⟩.
    fn backward<F: Real>(&self, gradient: &[F], columns: usize, count: usize) -> Vec<F> {
        let mut of_weights = vec![F::zero(); self.0.of_row.len() * count];
        of_weights
            .par_chunks_mut(count)
            .zip(gradient.par_chunks(columns))
            .zip(self.0.of_row.par_iter())
            .with_min_len(TASK.div_ceil(columns * count))
            .for_each(|((out, gradient), table)| {
                let table = &self.0.tables[*table];
                vectorised(
                    #[inline(always)]
                    || {
                        for (out, part) in out.iter_mut().zip(table.chunks_exact(columns)) {
                            *out = dot(gradient, part);
                        }
                    },
                );
            });
        of_weights
    }
}

impl Kernel for Mixture {
    fn run<F: Real>(&self, inputs: &[&[F]]) -> Vec<Vec<F>> {
        let columns = inputs[0].len() / self.0.of_row.len();
        vec![self.forward(inputs[0], inputs[1], columns)]
    }
}

/// The gradient of the weights; its inputs are that of the result and the weights.
struct Backward<'a>(&'a Mixture);

impl Kernel for Backward<'_> {
    fn run<F: Real>(&self, inputs: &[&[F]]) -> Vec<Vec<F>> {
        let rows = self.0.0.of_row.len();
        let [columns, count] = [inputs[0], inputs[1]].map(|input| input.len() / rows);
        vec![self.0.backward(inputs[0], columns, count)]
    }
}

impl CustomOp2 for Mixture {
    fn name(&self) -> &'static str {
        "mixture"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        layout: &Layout,
        weights: &CpuStorage,
        weights_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        run_one(
            self,
            &[(x, layout), (weights, weights_layout)],
            layout.shape(),
        )
    }

    fn bwd(
        &self,
        _x: &Tensor,
        weights: &Tensor,
        _result: &Tensor,
        gradient: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>)> {
        let inputs = [gradient, weights];
        let [of_weights] = run_on_tensors(&Backward(self), &inputs, [weights.shape()])?;
        Ok((Some(gradient.clone()), Some(of_weights)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradients::check_gradient;

    /// Two tables of 2 × 3, the second used by two rows.
    fn tables() -> Arc<MixtureTables> {
        let table = |start: i32| (start..start + 6).map(|i| (i as f32).sin()).collect();
        Arc::new(MixtureTables {
            tables: vec![table(0), table(10)],
            of_row: vec![1, 0, 1],
        })
    }

    #[test]
    fn equals_the_composition() {
        let x = Tensor::arange(0f64, 9.0, &Device::Cpu).and_then(|x| x.reshape((3, 3)));
        let weights = Tensor::arange(-3f64, 3.0, &Device::Cpu).and_then(|w| w.reshape((3, 2)));
        let (x, weights) = (x.expect("fits"), weights.expect("fits"));
        let values = |y: Result<Tensor, NnError>| -> Vec<f64> {
            let y = y.expect("fits").flatten_all();
            y.and_then(|y| y.to_vec1()).expect("f64")
        };
        let whole = values(composed(&x, &weights, &tables()));
        for (a, b) in values(add_mixture(&x, &weights, &tables()))
            .iter()
            .zip(whole)
        {
            assert!((a - b).abs() < 1e-12, "{a} is not {b}");
        }
    }

    #[test]
    fn the_gradients_match_finite_differences() {
        let x = Tensor::arange(0f64, 9.0, &Device::Cpu).and_then(|x| x.reshape((3, 3)));
        let x = x.expect("fits");
        let weights = [0.3, -1.0, 2.0, 0.1, 0.4, -0.5];
        check_gradient(&weights, &[3, 2], |w| {
            Ok(add_mixture(&x, w, &tables())?.sqr()?.sum_all()?)
        });
        let w = Tensor::from_slice(&weights, (3, 2), &Device::Cpu).expect("fits");
        check_gradient(&[0.5; 9], &[3, 3], |x| {
            Ok(add_mixture(x, &w, &tables())?.sqr()?.sum_all()?)
        });
    }

    #[test]
    fn tables_that_do_not_fit_are_named() {
        let x = Tensor::zeros((3, 4), candle_core::DType::F32, &Device::Cpu).expect("small");
        let weights = Tensor::zeros((3, 2), candle_core::DType::F32, &Device::Cpu).expect("small");
        let error = add_mixture(&x, &weights, &tables()).expect_err("3 columns");
        assert_eq!(
            error.to_string(),
            "mixture: expected weights [3, H] and a table of H × 4 for each row, got weights [3, 2] and 3 rows of 2 tables; check the sizes given to the layer"
        );
    }
}
