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

/// The small log of the off-policy reference values.
pub(crate) mod ope {
    use serde_json::Value;

    use super::{golden, number, numbers};
    use crate::ope::round::{Logged, Round};

    /// Reads the log with one cluster per round.
    pub(crate) fn reference() -> Option<(Value, Vec<Round>)> {
        let golden = golden("ope.json")?;
        let golden = golden["tiny"].clone();
        let list = |name: &str| numbers(&golden[name]);
        let (target, predicted) = (list("pi_e"), list("q_hat"));
        let (reward, action, propensity) = (list("reward"), list("action"), list("pscore"));
        let round = |index: usize| {
            let chosen = action[index] as usize;
            // Only the propensity of the chosen action is given; the others share the rest.
            let mut propensities = [(1.0 - propensity[index]) / 2.0; 3];
            propensities[chosen] = propensity[index];
            Round::new(&Logged {
                reward: reward[index],
                chosen,
                propensities: &propensities,
                target: &target[3 * index..3 * index + 3],
                predicted: Some(&predicted[3 * index..3 * index + 3]),
                cluster: index as u64,
            })
            .expect("a valid round")
        };
        let rounds = (0..reward.len()).map(round).collect();
        Some((golden, rounds))
    }

    /// Takes one estimate out of the reference values.
    #[track_caller]
    pub(crate) fn estimate(golden: &Value, name: &str) -> f64 {
        number(&golden["estimates"][name])
    }
}
