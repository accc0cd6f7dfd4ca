use candle_core::Tensor;

use crate::kernels::sparse_cross_entropy::SparseCrossEntropy;
use crate::{NnError, log_sum_exp};

/// Softmax cross-entropy with one target a row, averaged over the rows.
///
/// `L = mean over rows of log Σⱼ exp(zⱼ) − (1 − s) z_y − s · mean(z)`, with label smoothing s in [0, 1).
/// Source of the smoothing: Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", 2016.
///
/// # Shapes
/// logits [N, V], targets [N] below V → scalar.
///
/// # Errors
/// [`NnError::Shape`] where the numbers of rows differ or a target is not below V.
pub fn cross_entropy(logits: &Tensor, targets: &[u32], smoothing: f64) -> Result<Tensor, NnError> {
    let (rows, _) = logits.dims2()?;
    let share = 1.0 / rows.max(1) as f32;
    let entries: Vec<(u32, u32, f32)> = (0u32..)
        .zip(targets)
        .map(|(row, target)| (row, *target, share))
        .collect();
    if targets.len() != rows {
        return Err(mismatch(
            logits.dims2()?,
            format!("{} targets", targets.len()),
        ));
    }
    cross_entropy_soft(logits, &entries, smoothing)
}

/// Softmax cross-entropy with a sparse distribution of targets a row.
///
/// Each entry is (row, column, weight); the loss is `Σ weight · (log Σⱼ exp(zⱼ) − (1 − s) z_column − s · mean(z))`, so
/// weights of 1 / (rows · targets of the row) average over the targets of a row and then over the rows. A row without
/// an entry does not count.
///
/// # Shapes
/// logits [N, V] → scalar.
///
/// # Errors
/// [`NnError::Shape`] where there is no entry or an entry lies outside the logits.
pub fn cross_entropy_soft(
    logits: &Tensor,
    entries: &[(u32, u32, f32)],
    smoothing: f64,
) -> Result<Tensor, NnError> {
    let nothing = Tensor::zeros(0, logits.dtype(), logits.device())?;
    cross_entropy_adjusted(logits, &[], &nothing, entries, smoothing)
}

/// As [`cross_entropy_soft`], after numbers were added to some of the logits.
///
/// `values[i]` is added to the logit at (row, column) = `places[i]`. The sum is never written down: on a CPU one
/// pass a row makes the loss and one the gradient, where the composition of index-add, log-sum-exp and gather takes a
/// dozen passes over N × V numbers.
///
/// # Shapes
/// logits [N, V], values [M] for M places → scalar.
///
/// # Errors
/// [`NnError::Shape`] where there is no entry, an entry or a place lies outside the logits, or there are not as many
/// values as places.
pub fn cross_entropy_adjusted(
    logits: &Tensor,
    places: &[(u32, u32)],
    values: &Tensor,
    entries: &[(u32, u32, f32)],
    smoothing: f64,
) -> Result<Tensor, NnError> {
    let (rows, columns) = logits.dims2()?;
    check((rows, columns), places, values, entries)?;
    if !logits.device().is_cpu() {
        return composed(logits, places, values, entries, smoothing);
    }
    let fused = SparseCrossEntropy::new(rows, places, entries, smoothing);
    Ok(logits
        .contiguous()?
        .apply_op2(&values.contiguous()?, fused)?)
}

/// Whether targets and adjustments lie within logits of a shape.
pub(super) fn check(
    shape: (usize, usize),
    places: &[(u32, u32)],
    values: &Tensor,
    entries: &[(u32, u32, f32)],
) -> Result<(), NnError> {
    let (rows, columns) = shape;
    let outside = |row: u32, column: u32| row as usize >= rows || column as usize >= columns;
    if let Some(entry) = entries.iter().find(|entry| outside(entry.0, entry.1)) {
        let text = format!("a target at row {}, column {}", entry.0, entry.1);
        return Err(mismatch(shape, text));
    }
    if let Some(place) = places.iter().find(|place| outside(place.0, place.1)) {
        let text = format!("an adjustment at row {}, column {}", place.0, place.1);
        return Err(mismatch(shape, text));
    }
    if entries.is_empty() {
        return Err(mismatch(shape, "no targets".to_owned()));
    }
    if values.dims() != [places.len()] {
        let text = format!("{} places for values of {:?}", places.len(), values.dims());
        return Err(mismatch(shape, text));
    }
    Ok(())
}

/// The same of candle's own operations, for other devices.
fn composed(
    logits: &Tensor,
    places: &[(u32, u32)],
    values: &Tensor,
    entries: &[(u32, u32, f32)],
    smoothing: f64,
) -> Result<Tensor, NnError> {
    let (rows, columns) = logits.dims2()?;
    let (device, dtype) = (logits.device(), logits.dtype());
    let flat = |row: u32, column: u32| row * columns as u32 + column;
    let mut adjusted = logits.flatten_all()?;
    if !places.is_empty() {
        let places: Vec<u32> = places.iter().map(|place| flat(place.0, place.1)).collect();
        adjusted = adjusted.index_add(&Tensor::new(places, device)?, values, 0)?;
    }
    let vector = |values: Vec<f32>| -> Result<Tensor, NnError> {
        Ok(Tensor::new(values, device)?.to_dtype(dtype)?)
    };
    let mut row_weights = vec![0f32; rows];
    for (row, _, weight) in entries {
        row_weights[*row as usize] += weight;
    }
    let row_weights = vector(row_weights)?;
    let targets: Vec<u32> = entries.iter().map(|entry| flat(entry.0, entry.1)).collect();
    let chosen = adjusted.index_select(&Tensor::new(targets, device)?, 0)?;
    let weights = vector(entries.iter().map(|entry| entry.2).collect())?;
    let adjusted = adjusted.reshape((rows, columns))?;
    let normaliser = (log_sum_exp(&adjusted)? * &row_weights)?.sum_all()?;
    let hit = ((chosen * weights)?.sum_all()? * (1.0 - smoothing))?;
    let loss = (normaliser - hit)?;
    if smoothing == 0.0 {
        return Ok(loss);
    }
    let spread = (adjusted.mean(1)? * row_weights)?.sum_all()?;
    Ok((loss - (spread * smoothing)?)?)
}

fn mismatch((rows, columns): (usize, usize), got: String) -> NnError {
    NnError::Shape {
        operation: "cross entropy",
        expected: format!("targets for logits of [{rows}, {columns}]"),
        got,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::{assert_close, reference, tensor};
    use candle_core::{Device, Var};

    #[test]
    fn value_and_gradient_equal_the_reference() {
        let Some(golden) = reference() else { return };
        let losses = &golden["losses"];
        let logits = Var::from_tensor(&tensor(&losses["logits"])).expect("floats");
        for (smoothing, name) in [(0.0, "ce_ls0.0"), (0.1, "ce_ls0.1")] {
            let loss = cross_entropy(&logits, &[0, 3, 5, 2], smoothing).expect("fits");
            assert_close(&loss, &losses[name], 1e-7);
            let backward = loss.backward().expect("differentiable");
            let gradient = backward.get(&logits).expect("depends on the logits");
            assert_close(gradient, &losses[format!("{name}_grad")], 1e-7);
        }
    }

    #[test]
    fn the_fused_operation_equals_the_composed_one() {
        let values: Vec<f64> = (0..3 * 37)
            .map(|i| (f64::from(i) * 1.3).sin() * 5.0)
            .collect();
        let logits = Tensor::from_vec(values, (3, 37), &Device::Cpu).expect("fits");
        let logits = Var::from_tensor(&logits).expect("floats");
        let added = Tensor::new(&[2.5f64, -1e9, 0.3, 1.0], &Device::Cpu).expect("fits");
        let added = Var::from_tensor(&added).expect("floats");
        let places = [(2, 1), (0, 5), (0, 36), (2, 1)];
        let entries = [(2, 1, 0.25), (0, 36, 0.25), (2, 7, 0.5)];
        for smoothing in [0.0, 0.2] {
            let fused = cross_entropy_adjusted(&logits, &places, &added, &entries, smoothing);
            let whole = composed(&logits, &places, &added, &entries, smoothing);
            let [fused, whole] =
                [fused, whole].map(|loss| (loss.expect("fits") * 3.0).expect("scales"));
            let [a, b] = [&fused, &whole].map(|loss| loss.to_scalar::<f64>().expect("a scalar"));
            // A smoothed target of −1e9 is large, and so is the rounding.
            assert!((a - b).abs() < 1e-9 * (1.0 + b.abs()), "{a} is not {b}");
            let [fused, whole] =
                [fused, whole].map(|loss| loss.backward().expect("differentiable"));
            for variable in [&logits, &added] {
                let of = |store: &candle_core::backprop::GradStore| -> Vec<f64> {
                    let gradient = store.get(variable).expect("depends on it");
                    gradient
                        .flatten_all()
                        .and_then(|g| g.to_vec1())
                        .expect("f64")
                };
                for (a, b) in of(&fused).iter().zip(of(&whole)) {
                    assert!((a - b).abs() < 1e-9, "{a} is not {b}");
                }
            }
        }
    }

    #[test]
    fn soft_targets_average_what_hard_ones_give() {
        let logits = Tensor::new(&[[1f64, 2., -1.], [0., 0., 3.]], &Device::Cpu).expect("fits");
        let value = |loss: Result<Tensor, NnError>| {
            let loss = loss.expect("fits");
            loss.to_scalar::<f64>().expect("a scalar")
        };
        let hard = |a, b| value(cross_entropy(&logits, &[a, b], 0.1));
        // Row 0 has the targets 0 and 1, row 1 has the target 2.
        let entries = [(0, 0, 0.25), (0, 1, 0.25), (1, 2, 0.5)];
        let soft = value(cross_entropy_soft(&logits, &entries, 0.1));
        assert!((soft - f64::midpoint(hard(0, 2), hard(1, 2))).abs() < 1e-9);
    }

    #[test]
    fn targets_outside_are_named() {
        let logits = Tensor::new(&[[1f64, 2.]], &Device::Cpu).expect("fits");
        let message = |targets: &[u32]| {
            let error = cross_entropy(&logits, targets, 0.0).expect_err("does not fit");
            error.to_string()
        };
        assert_eq!(
            message(&[2]),
            "cross entropy: expected targets for logits of [1, 2], got a target at row 0, column 2; check the sizes given to the layer"
        );
        assert!(message(&[0, 1]).contains("got 2 targets"));
        assert!(message(&[]).contains("got 0 targets"));
    }
}
