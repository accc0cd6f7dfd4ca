use candle_core::Tensor;

use super::cross_entropy;
use crate::{NnError, log_softmax};

/// How a student learns from a teacher and from the targets at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DistillationConfig {
    /// Temperature τ above 0 that flattens both distributions; 2 by default. At 1 they stay as they are.
    pub temperature: f64,
    /// Share w in [0, 1] of the teacher in the loss; 0.5 by default. The rest is the targets'.
    pub teacher_weight: f64,
}

impl Default for DistillationConfig {
    fn default() -> Self {
        Self {
            temperature: 2.0,
            teacher_weight: 0.5,
        }
    }
}

/// Knowledge distillation: follows a teacher's distribution and the targets, averaged over the rows.
///
/// `L = w τ² KL(softmax(teacher / τ) ‖ softmax(student / τ)) + (1 − w) CE(student, targets)`. The factor τ² keeps the
/// size of the teacher's gradient where the temperature changes. No gradient flows to the teacher. Source: Hinton,
/// Vinyals and Dean, "Distilling the Knowledge in a Neural Network", 2015. How this differs: the divergence instead of
/// the cross-entropy with the teacher, which has the same gradient and is 0 where the student equals the teacher.
///
/// # Shapes
/// student and teacher [N, V] of finite logits, targets [N] below V → scalar.
///
/// # Errors
/// [`NnError::Shape`] where the logits differ in shape or the targets do not fit, [`NnError::Config`] where the
/// temperature or the weight is outside its range.
pub fn distillation(
    student: &Tensor,
    teacher: &Tensor,
    targets: &[u32],
    config: DistillationConfig,
) -> Result<Tensor, NnError> {
    let weight = config.teacher_weight;
    if !(0.0..=1.0).contains(&weight) {
        return Err(NnError::Config {
            field: "teacher_weight",
            value: weight.to_string(),
            expected: "a number from 0 to 1",
        });
    }
    let soft = distillation_divergence(student, teacher, config.temperature)?;
    let hard = cross_entropy(student, targets, 0.0)?;
    Ok(((soft * weight)? + (hard * (1.0 - weight))?)?)
}

/// The teacher's part of [`distillation`]: τ² KL(softmax(teacher / τ) ‖ softmax(student / τ)), averaged over the rows.
///
/// # Shapes
/// student and teacher [N, V] of finite logits → scalar.
///
/// # Errors
/// As [`distillation`].
pub fn distillation_divergence(
    student: &Tensor,
    teacher: &Tensor,
    temperature: f64,
) -> Result<Tensor, NnError> {
    if !(temperature.is_finite() && temperature > 0.0) {
        return Err(NnError::Config {
            field: "temperature",
            value: temperature.to_string(),
            expected: "a finite number above 0",
        });
    }
    let rows = match student.dims() {
        [rows, columns] if *rows > 0 && *columns > 0 && student.dims() == teacher.dims() => *rows,
        _ => {
            return Err(NnError::Shape {
                operation: "distillation",
                expected: "student and teacher [N, V] with N and V above 0".to_owned(),
                got: format!("{:?} and {:?}", student.dims(), teacher.dims()),
            });
        }
    };
    let log_p = log_softmax(&(teacher.detach() / temperature)?)?;
    let log_q = log_softmax(&(student / temperature)?)?;
    let divergence = (log_p.exp()? * (log_p - log_q)?)?.sum_all()?;
    Ok((divergence * (temperature * temperature / rows as f64))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradients::check_gradient;
    use candle_core::{Device, Var};

    fn new(values: &[f64], shape: &[usize]) -> Tensor {
        Tensor::from_slice(values, shape, &Device::Cpu).expect("fits")
    }

    const CONFIG: DistillationConfig = DistillationConfig {
        temperature: 2.0,
        teacher_weight: 0.25,
    };

    #[test]
    fn equals_a_calculation_by_hand() {
        // At τ = 2 the teacher's odds 9 : 1 become 3 : 1, the student's 1 : 1 stay.
        let teacher = new(&[9f64.ln(), 0.0], &[1, 2]);
        let student = new(&[0.0, 0.0], &[1, 2]);
        let divergence = 0.75 * 1.5f64.ln() + 0.25 * 0.5f64.ln();
        let expected = 0.25 * 4.0 * divergence + 0.75 * 2f64.ln();
        let loss = distillation(&student, &teacher, &[1], CONFIG).expect("fits");
        let loss: f64 = loss.to_scalar().expect("a scalar");
        assert!((loss - expected).abs() < 1e-12, "{loss} is not {expected}");
        let same = distillation_divergence(&teacher, &teacher, 3.0).expect("fits");
        assert!(same.to_scalar::<f64>().expect("a scalar").abs() < 1e-15);
    }

    #[test]
    fn the_gradient_matches_finite_differences_and_none_flows_to_the_teacher() {
        let values = [0.3, 1.0, -1.0, 0.2, 0.0, 2.5];
        let teacher = new(&[1.0, 0.5, -0.2, 0.0, 0.0, 1.0], &[2, 3]);
        check_gradient(&values, &[2, 3], |student| {
            distillation(student, &teacher, &[2, 0], CONFIG)
        });
        let teacher = Var::from_tensor(&teacher).expect("floats");
        let student = Var::from_tensor(&new(&values, &[2, 3])).expect("floats");
        let loss = distillation(&student, &teacher, &[2, 0], CONFIG).expect("fits");
        let backward = loss.backward().expect("differentiable");
        assert!(backward.get(&teacher).is_none());
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let message = |teacher: &[usize], targets: &[u32], temperature, teacher_weight| {
            let student = new(&[0.0; 4], &[2, 2]);
            let teacher = new(&vec![0.0; teacher.iter().product()], teacher);
            let config = DistillationConfig {
                temperature,
                teacher_weight,
            };
            let loss = distillation(&student, &teacher, targets, config);
            loss.expect_err("does not fit").to_string()
        };
        let cases = [
            (
                message(&[2, 3], &[0, 1], 1.0, 0.5),
                "distillation: expected student and teacher [N, V] with N and V above 0, got [2, 2] and [2, 3]; check the sizes given to the layer",
            ),
            (
                message(&[2, 2], &[0], 1.0, 0.5),
                "cross entropy: expected targets for logits of [2, 2], got 1 targets; check the sizes given to the layer",
            ),
            (
                message(&[2, 2], &[0, 1], 0.0, 0.5),
                "`temperature` is 0; expected a finite number above 0",
            ),
            (
                message(&[2, 2], &[0, 1], f64::INFINITY, 0.5),
                "`temperature` is inf; expected a finite number above 0",
            ),
            (
                message(&[2, 2], &[0, 1], 1.0, -0.1),
                "`teacher_weight` is -0.1; expected a number from 0 to 1",
            ),
        ];
        for (message, expected) in cases {
            assert_eq!(message, expected);
        }
    }
}
