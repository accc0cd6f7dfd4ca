use std::sync::Mutex;

use candle_core::Tensor;

use super::cross_entropy::{check, cross_entropy_soft};
use crate::NnError;
use crate::kernels::linear_cross_entropy::LinearCrossEntropy;
use crate::kernels::sparse_cross_entropy::SparseCrossEntropy;

/// Softmax cross-entropy of the logits x Eᵀ, which are never held all at once.
///
/// Equal to [`super::cross_entropy_soft`] of x · Eᵀ with the same entries (row, column, weight) and label smoothing.
/// On a CPU the logits of some rows at a time become their gradients and then those of x and E while they are in the
/// cache; the gradients can be asked for once.
///
/// # Shapes
/// x [N, D], table [V, D] → scalar.
///
/// # Errors
/// [`NnError::Shape`] where the widths differ, there is no entry or an entry lies outside the logits.
pub fn linear_cross_entropy(
    x: &Tensor,
    table: &Tensor,
    entries: &[(u32, u32, f32)],
    smoothing: f64,
) -> Result<Tensor, NnError> {
    let ((rows, width), (columns, table_width)) = (x.dims2()?, table.dims2()?);
    if width != table_width {
        return Err(NnError::Shape {
            operation: "linear cross entropy",
            expected: format!("states of the table's width {table_width}"),
            got: format!("{:?}", x.dims()),
        });
    }
    let nothing = Tensor::zeros(0, x.dtype(), x.device())?;
    check((rows, columns), &[], &nothing, entries)?;
    if !x.device().is_cpu() {
        return cross_entropy_soft(&x.matmul(&table.t()?)?, entries, smoothing);
    }
    let fused = LinearCrossEntropy {
        loss: SparseCrossEntropy::new(rows, &[], entries, smoothing),
        width,
        learns: x.track_op() || table.track_op(),
        learns_table: table.track_op(),
        gradients: Mutex::new(None),
    };
    Ok(x.contiguous()?.apply_op2(&table.contiguous()?, fused)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Init, generator};
    use candle_core::{DType, Device, Var};

    fn var(seed: u64, rows: usize, columns: usize) -> Var {
        let values = Init::Normal { std: 1.0 }.draw(rows * columns, &mut generator(seed, "x", 0));
        let tensor = Tensor::from_vec(values, (rows, columns), &Device::Cpu);
        let tensor = tensor.and_then(|t| t.to_dtype(DType::F64)).expect("fits");
        Var::from_tensor(&tensor).expect("floats")
    }

    #[test]
    fn equals_the_loss_of_the_logits_in_value_and_gradients() {
        // 300 rows are three blocks; one row has two targets and some have none.
        let (x, table) = (var(1, 300, 5), var(2, 17, 5));
        let mut entries: Vec<(u32, u32, f32)> =
            (0..290).map(|row| (row, row * 7 % 17, 0.01)).collect();
        entries.push((3, 16, 0.5));
        for smoothing in [0.0, 0.1] {
            let logits = table.t().and_then(|t| x.matmul(&t)).expect("fits");
            let whole = cross_entropy_soft(&logits, &entries, smoothing).expect("fits");
            let fused = linear_cross_entropy(&x, &table, &entries, smoothing).expect("fits");
            let [whole, fused] = [whole, fused].map(|loss| (loss * 3.0).expect("scales"));
            let value = |loss: &Tensor| loss.to_scalar::<f64>().expect("a scalar");
            assert!((value(&whole) - value(&fused)).abs() < 1e-10);
            let [whole, fused] = [whole, fused].map(|l| l.backward().expect("differentiable"));
            for variable in [&x, &table] {
                let [a, b] = [&whole, &fused].map(|store| -> Vec<f64> {
                    let gradient = store.get(variable).expect("depends on it");
                    let flat = gradient.flatten_all().and_then(|g| g.to_vec1());
                    flat.expect("f64")
                });
                for (a, b) in a.iter().zip(&b) {
                    assert!((a - b).abs() < 1e-10, "{a} is not {b}");
                }
            }
        }
    }

    #[test]
    fn widths_that_differ_are_named() {
        let error = linear_cross_entropy(&var(1, 2, 3), &var(2, 4, 5), &[(0, 0, 1.0)], 0.0);
        assert_eq!(
            error.expect_err("3 is not 5").to_string(),
            "linear cross entropy: expected states of the table's width 5, got [2, 3]; check the sizes given to the layer"
        );
    }
}
