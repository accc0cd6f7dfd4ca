//! What the tests share: comparisons with a tolerance and the reference values.

use serde_json::Value;

/// Fails where two numbers differ by more than `tolerance`.
#[track_caller]
pub(crate) fn assert_close(found: f64, expected: f64, tolerance: f64) {
    assert!(
        (found - expected).abs() <= tolerance,
        "{found} is not {expected} within {tolerance}"
    );
}

/// Fails where two lists differ in length or in an entry by more than `tolerance`.
#[track_caller]
pub(crate) fn assert_all_close(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(
        found.len(),
        expected.len(),
        "{found:?} against {expected:?}"
    );
    for (found, expected) in found.iter().zip(expected) {
        assert_close(*found, *expected, tolerance);
    }
}

/// Reads a file of reference values, or says that the test is skipped.
pub(crate) fn golden(name: &str) -> Option<Value> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/golden/");
    let Ok(text) = std::fs::read_to_string(format!("{folder}{name}")) else {
        let mut notice = std::io::stderr();
        let _ = std::io::Write::write_all(&mut notice, b"skipped: no reference values\n");
        return None;
    };
    Some(serde_json::from_str(&text).expect("reference values are JSON"))
}

/// Takes a number out of the reference values.
#[track_caller]
pub(crate) fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number in the reference values")
}

/// Takes a list of numbers, nested lists flattened, out of the reference values.
#[track_caller]
pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        other => vec![number(other)],
    }
}
