//! Exact Shapley values of a function of few features.

use crate::RecommenderError;

/// Most features of an exact answer, which asks for 2^16 coalitions.
pub const MOST_FEATURES: usize = 16;

/// How much each feature contributed to a function's value; base and values sum to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Shapley {
    /// The mean of the function over the background.
    pub base: f64,
    /// One contribution a feature.
    pub values: Vec<f64>,
}

/// Splits `function(x) − base` among the features of `x`, fairly.
///
/// φ(i) = Σ over coalitions S without i of |S|! (n − |S| − 1)! / n! · (v(S ∪ {i}) − v(S)), where v(S) is the mean of the
/// function over the rows of the background, with the features of S taken from `x`. Each coalition is evaluated once:
/// 2^n evaluations a row.
///
/// Source: Shapley, "A Value for n-Person Games", 1953; Lundberg and Lee, "A Unified Approach to Interpreting Model
/// Predictions", 2017. How this differs from the latter: all coalitions are enumerated, none is sampled, and an absent
/// feature is set from the background whatever the others are (interventional), so that a feature which the function
/// does not read gets exactly 0.
///
/// # Errors
/// [`RecommenderError::Setting`] for more than 16 features or a background row of another length than `x`, and
/// [`RecommenderError::Empty`] without a background.
pub fn shapley(
    mut function: impl FnMut(&[f64]) -> f64,
    x: &[f64],
    background: &[Vec<f64>],
) -> Result<Shapley, RecommenderError> {
    check(x.len(), background)?;
    let mut row = vec![0.0; x.len()];
    let mut value = |coalition: usize| {
        let mut sum = 0.0;
        for absent in background {
            for (feature, slot) in row.iter_mut().enumerate() {
                let present = coalition >> feature & 1 == 1;
                *slot = if present { x[feature] } else { absent[feature] };
            }
            sum += function(&row);
        }
        sum / background.len() as f64
    };
    let of_coalition: Vec<f64> = (0..1 << x.len()).map(&mut value).collect();
    Ok(Shapley {
        base: of_coalition[0],
        values: values(x.len(), &of_coalition),
    })
}

/// The values of `features` players, given what each coalition is worth; bit i of its index says whether i is in it.
fn values(features: usize, of_coalition: &[f64]) -> Vec<f64> {
    let weights = weights(features);
    let value = |feature: usize| {
        let without = (0..of_coalition.len()).filter(|coalition| coalition >> feature & 1 == 0);
        let gain = |coalition: usize| {
            let gain = of_coalition[coalition | 1 << feature] - of_coalition[coalition];
            weights[coalition.count_ones() as usize] * gain
        };
        without.map(gain).sum()
    };
    (0..features).map(value).collect()
}

/// s! (n − s − 1)! / n! = 1 / (n · C(n − 1, s)) for each size s of a coalition.
fn weights(features: usize) -> Vec<f64> {
    let mut choices = 1.0;
    let weight = |size: usize| {
        let weight = 1.0 / (features as f64 * choices);
        choices *= (features - 1 - size) as f64 / (size + 1) as f64;
        weight
    };
    (0..features).map(weight).collect()
}

fn check(features: usize, background: &[Vec<f64>]) -> Result<(), RecommenderError> {
    if features > MOST_FEATURES {
        return Err(RecommenderError::Setting {
            field: "features",
            value: features.to_string(),
            expected: "at most 16; group what belongs together",
        });
    }
    if background.is_empty() {
        return Err(RecommenderError::Empty {
            what: "the background",
            remedy: "give at least one row that stands for an absent feature",
        });
    }
    match background.iter().find(|row| row.len() != features) {
        Some(row) => Err(RecommenderError::Setting {
            field: "background",
            value: format!("a row of {} numbers for {features} features", row.len()),
            expected: "one number a feature in each row",
        }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn golden() -> Option<Value> {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../../shared/golden/shap.json"
        );
        let Ok(text) = std::fs::read_to_string(path) else {
            eprintln!("skipped: no golden values");
            return None;
        };
        Some(serde_json::from_str(&text).expect("golden values are JSON"))
    }

    fn numbers(value: &Value) -> Vec<f64> {
        let list = value.as_array().expect("a list");
        let number = |value: &Value| value.as_f64().expect("a number");
        list.iter().map(number).collect()
    }

    fn rows(value: &Value) -> Vec<Vec<f64>> {
        let rows = value.as_array().expect("a list of lists");
        rows.iter().map(numbers).collect()
    }

    /// Compares every row of a case, and that base and values sum to the function.
    fn assert_case(
        function: impl Fn(&[f64]) -> f64,
        x: &[Vec<f64>],
        background: &[Vec<f64>],
        expected: (&[Vec<f64>], f64),
        tolerance: f64,
    ) {
        assert_eq!(x.len(), expected.0.len());
        for (x, values) in x.iter().zip(expected.0) {
            let found = shapley(&function, x, background).expect("few features");
            assert!((found.base - expected.1).abs() < tolerance, "{found:?}");
            for (found, expected) in found.values.iter().zip(values) {
                let error = (found - expected).abs();
                assert!(error < tolerance, "{found} is not {expected}");
            }
            let sum = found.base + found.values.iter().sum::<f64>();
            assert!((sum - function(x)).abs() < 1e-12, "{found:?}");
        }
    }

    #[test]
    fn a_function_with_interactions_equals_the_golden_values() {
        let Some(golden) = golden() else { return };
        let case = &golden["nonlinear4"];
        let function = |x: &[f64]| {
            let step = if x[3] > 0.0 { x[1] } else { 0.0 };
            2.0 * x[0] - x[1] + 0.5 * x[2] * x[3] + (x[0] * x[2]).tanh() + step
        };
        let base = case["base_value"].as_f64().expect("a number");
        assert_case(
            function,
            &rows(&case["x"]),
            &rows(&case["background"]),
            (&rows(&case["exact_bruteforce"]), base),
            1e-12,
        );
    }

    #[test]
    fn a_linear_function_equals_the_golden_values() {
        let Some(golden) = golden() else { return };
        let case = &golden["linear3"];
        let weights = numbers(&case["w"]);
        let function = |x: &[f64]| x.iter().zip(&weights).map(|(x, w)| x * w).sum();
        let base = case["base"].as_f64().expect("a number");
        assert_case(
            function,
            &[numbers(&case["x"])],
            &rows(&case["background"]),
            (&[numbers(&case["phi"])], base),
            1e-12,
        );
    }

    #[test]
    fn a_decision_tree_equals_the_golden_values() {
        let Some(golden) = golden() else { return };
        let case = &golden["decision_tree"];
        let tree = |name: &str| numbers(&case["tree"][name]);
        let (left, right, feature) = (tree("left"), tree("right"), tree("feature"));
        let (threshold, value) = (tree("threshold"), tree("value"));
        let function = |x: &[f64]| {
            let mut node = 0;
            while left[node] >= 0.0 {
                let goes_left = x[feature[node] as usize] <= threshold[node];
                node = if goes_left { left[node] } else { right[node] } as usize;
            }
            value[node]
        };
        // The package works in single precision and is 1.6e-7 away from its own enumeration.
        assert_case(
            function,
            &rows(&case["x"]),
            &rows(&case["X8"]),
            (
                &rows(&case["interventional_bg_X8"]),
                numbers(&case["interventional_base"])[0],
            ),
            2e-7,
        );
    }

    #[test]
    fn each_coalition_is_evaluated_once_a_row() {
        let mut calls = 0;
        let x = [1.0; MOST_FEATURES];
        let function = |x: &[f64]| {
            calls += 1;
            x.iter().sum::<f64>()
        };
        let found = shapley(function, &x, &[vec![0.0; 16]]).expect("few features");
        assert_eq!(calls, 1 << 16);
        for value in found.values {
            assert!((value - 1.0).abs() < 1e-9, "{value}");
        }
    }

    #[test]
    fn bad_inputs_are_named() {
        let message = |x: &[f64], background: &[Vec<f64>]| {
            let found = shapley(|_| 0.0, x, background);
            found.expect_err("bad").to_string()
        };
        let cases = [
            (
                message(&[0.0; 17], &[vec![0.0; 17]]),
                "`features` is 17; expected at most 16; group what belongs together",
            ),
            (
                message(&[0.0], &[]),
                "the background is empty; give at least one row that stands for an absent feature",
            ),
            (
                message(&[0.0], &[vec![0.0], vec![]]),
                "`background` is a row of 0 numbers for 1 features; expected one number a feature in each row",
            ),
        ];
        for (message, expected) in cases {
            assert_eq!(message, expected);
        }
    }

    proptest! {
        /// Efficiency: nothing is lost. Dummy: what is not read gets nothing. Symmetry: equals get the same.
        #[test]
        fn the_axioms_hold(
            x in prop::collection::vec(-2.0..2.0f64, 5),
            background in prop::collection::vec(prop::collection::vec(-2.0..2.0f64, 5), 1..4),
        ) {
            let function = |x: &[f64]| (x[0] * x[1]).sin() + x[2] * x[1].exp() - x[3].abs();
            let found = shapley(function, &x, &background).expect("few features");
            let sum = found.base + found.values.iter().sum::<f64>();
            prop_assert!((sum - function(&x)).abs() < 1e-10);
            prop_assert!(found.values[4].abs() <= 0.0);
            let twice = |row: &[f64]| vec![row[0], row[0], row[2]];
            let (x, background) = (twice(&x), background.iter().map(|b| twice(b)).collect::<Vec<_>>());
            let symmetric = |x: &[f64]| (x[0] * x[1] * x[2]).cos();
            let found = shapley(symmetric, &x, &background).expect("few features");
            prop_assert!((found.values[0] - found.values[1]).abs() < 1e-12);
        }
    }
}
