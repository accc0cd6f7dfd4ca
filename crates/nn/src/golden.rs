//! Reference values for tests.

use candle_core::{DType, Device, Tensor};
use serde_json::Value;

/// The reference file, or nothing (and a line that says so) where it is absent.
pub(crate) fn reference() -> Option<Value> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/golden/nn_reference.json"
    );
    let Ok(text) = std::fs::read_to_string(path) else {
        eprintln!("skipped: {path} is not there");
        return None;
    };
    Some(serde_json::from_str(&text).expect("the reference file is JSON"))
}

/// A nested array of numbers as an `f64` tensor.
pub(crate) fn tensor(value: &Value) -> Tensor {
    let mut shape = Vec::new();
    let mut level = value;
    while let Value::Array(rows) = level {
        shape.push(rows.len());
        level = &rows[0];
    }
    Tensor::from_vec(numbers(value), shape, &Device::Cpu).expect("a regular array")
}

fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(rows) => rows.iter().flat_map(numbers).collect(),
        number => vec![number.as_f64().expect("a number")],
    }
}

/// Asserts that a tensor holds the numbers of a nested array, element by element.
pub(crate) fn assert_close(actual: &Tensor, expected: &Value, tolerance: f64) {
    let actual = actual
        .to_dtype(DType::F64)
        .and_then(|t| t.flatten_all())
        .and_then(|t| t.to_vec1::<f64>())
        .expect("a float tensor");
    let expected = numbers(expected);
    assert_eq!(actual.len(), expected.len());
    for (index, (a, e)) in actual.iter().zip(&expected).enumerate() {
        assert!(
            (a - e).abs() <= tolerance,
            "element {index}: {a} is not {e}"
        );
    }
}
