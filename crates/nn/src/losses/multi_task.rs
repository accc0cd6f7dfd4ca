//! One loss of several tasks.

use candle_core::Tensor;

use crate::{Init, NnError, ParameterStore};

/// Adds up losses by fixed weights: Σᵢ wᵢ Lᵢ.
///
/// # Shapes
/// M scalars → scalar.
///
/// # Errors
/// [`NnError::Shape`] where there is no loss, one is no scalar or there are not as many weights as losses,
/// [`NnError::Config`] where a weight is negative or not finite.
pub fn weighted_losses(losses: &[Tensor], weights: &[f64]) -> Result<Tensor, NnError> {
    let losses = stacked(losses, weights.len())?;
    if let Some((task, weight)) = (weights.iter().enumerate())
        .find(|(_, weight)| !weight.is_finite() || weight.is_sign_negative())
    {
        return Err(NnError::Config {
            field: "weights",
            value: format!("{weight} for task {task}"),
            expected: "finite numbers, 0 or more",
        });
    }
    let weights = Tensor::new(weights, losses.device())?.to_dtype(losses.dtype())?;
    Ok((losses * weights)?.sum_all()?)
}

/// Learnt weights of several losses: Σᵢ exp(−sᵢ) Lᵢ + sᵢ with one trainable s for each task.
///
/// At the optimum exp(sᵢ) is the size of Lᵢ, so a task of large losses cannot drown the others. Every s starts at 0,
/// a weight of 1. Source: Kendall, Gal and Cipolla, "Multi-Task Learning Using Uncertainty to Weigh Losses for Scene
/// Geometry and Semantics", 2018, where s is log σ². How this differs: one form for all tasks, while the paper halves
/// the weight of regressions; and no task's loss may be negative, or its weight would grow without bound.
#[derive(Debug, Clone)]
pub struct UncertaintyWeights {
    log_variances: Tensor,
}

impl UncertaintyWeights {
    /// Creates the parameter `NAME.log_variances` [M], to which no weight decay applies.
    ///
    /// # Errors
    /// [`NnError::Config`] for 0 tasks, [`NnError::DuplicateParameter`] where the name is taken.
    pub fn new(store: &mut ParameterStore, name: &str, tasks: usize) -> Result<Self, NnError> {
        if tasks == 0 {
            return Err(NnError::Config {
                field: "tasks",
                value: tasks.to_string(),
                expected: "at least 1",
            });
        }
        let name = format!("{name}.log_variances");
        let log_variances = store.create(&name, &[tasks], Init::Constant(0.0), false)?;
        Ok(Self { log_variances })
    }

    /// Adds up losses by the weights of this moment; gradients flow to the losses and to the weights.
    ///
    /// # Shapes
    /// M scalars → scalar.
    ///
    /// # Errors
    /// [`NnError::Shape`] where there are not M losses or one is no scalar.
    pub fn combine(&self, losses: &[Tensor]) -> Result<Tensor, NnError> {
        self.combine_part(losses, 1.0)
    }

    /// Adds up the losses of a part of a batch, a share of it in [0, 1]; the sums of parts whose losses and shares add up
    /// to those of the batch add up to [`UncertaintyWeights::combine`] of it.
    ///
    /// # Shapes
    /// M scalars → scalar.
    ///
    /// # Errors
    /// Those of [`UncertaintyWeights::combine`].
    pub fn combine_part(&self, losses: &[Tensor], share: f64) -> Result<Tensor, NnError> {
        let losses = stacked(losses, self.log_variances.dim(0)?)?;
        let weights = self.log_variances.neg()?.exp()?;
        Ok(((losses * weights)? + (&self.log_variances * share)?)?.sum_all()?)
    }

    /// The weights exp(−sᵢ) of this moment.
    ///
    /// # Errors
    /// [`NnError::Tensor`] where memory is short.
    pub fn weights(&self) -> Result<Vec<f64>, NnError> {
        let weights = self.log_variances.neg()?.exp()?;
        Ok(weights.to_dtype(candle_core::DType::F64)?.to_vec1()?)
    }
}

/// The losses as one tensor [M].
fn stacked(losses: &[Tensor], count: usize) -> Result<Tensor, NnError> {
    let scalars = losses.iter().all(|loss| loss.rank() == 0);
    if losses.len() != count || count == 0 || !scalars {
        let shapes: Vec<_> = losses.iter().map(Tensor::dims).collect();
        return Err(NnError::Shape {
            operation: "losses of several tasks",
            expected: format!("a scalar for each of {count} weights, at least one"),
            got: format!("{shapes:?}"),
        });
    }
    Ok(Tensor::stack(losses, 0)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradients::check_gradient;
    use candle_core::{DType, Device};

    fn scalars(values: &[f64]) -> Vec<Tensor> {
        let scalar = |value: &f64| Tensor::new(*value, &Device::Cpu).expect("a scalar");
        values.iter().map(scalar).collect()
    }

    fn store() -> ParameterStore {
        ParameterStore::with_dtype(0, &Device::Cpu, DType::F64)
    }

    fn value(loss: Result<Tensor, NnError>) -> f64 {
        loss.expect("fits").to_scalar().expect("a scalar")
    }

    #[test]
    fn both_add_up_as_the_formulas_say() {
        let losses = scalars(&[2.0, 0.5, 4.0]);
        let fixed = value(weighted_losses(&losses, &[0.5, 2.0, 0.0]));
        assert!((fixed - 2.0).abs() < 1e-15);
        let mut store = store();
        let learnt = UncertaintyWeights::new(&mut store, "tasks", 3).expect("fresh");
        assert!((value(learnt.combine(&losses)) - 6.5).abs() < 1e-15);
        let s = Tensor::new(&[2f64.ln(), 0.0, -1.0], &Device::Cpu).expect("fits");
        store.set("tasks.log_variances", &s).expect("exists");
        let expected = 1.0 + 2f64.ln() + 0.5 + 4.0 * 1f64.exp() - 1.0;
        assert!((value(learnt.combine(&losses)) - expected).abs() < 1e-12);
        let weights = learnt.weights().expect("floats");
        assert!((weights[0] - 0.5).abs() < 1e-15 && (weights[1] - 1.0).abs() < 1e-15);
    }

    #[test]
    fn the_gradients_match_finite_differences() {
        let mut store = store();
        let learnt = UncertaintyWeights::new(&mut store, "tasks", 2).expect("fresh");
        let s = Tensor::new(&[0.7, -0.4], &Device::Cpu).expect("fits");
        store.set("tasks.log_variances", &s).expect("exists");
        check_gradient(&[2.0, 0.5], &[2], |losses| {
            learnt.combine(&[losses.get(0)?, losses.get(1)?])
        });
        check_gradient(&[2.0, 0.5], &[2], |losses| {
            weighted_losses(&[losses.get(0)?, losses.get(1)?], &[3.0, 0.25])
        });
        check_gradient(&[0.7, -0.4], &[2], |s| {
            let weights = UncertaintyWeights {
                log_variances: s.clone(),
            };
            weights.combine(&scalars(&[2.0, 0.5]))
        });
    }

    #[test]
    fn descent_on_the_weights_balances_the_tasks() {
        let mut store = store();
        let learnt = UncertaintyWeights::new(&mut store, "tasks", 2).expect("fresh");
        let losses = scalars(&[8.0, 0.25]);
        for _ in 0..2_000 {
            let loss = learnt.combine(&losses).expect("fits");
            let gradients = store.gradients(&loss.backward().expect("differentiable"));
            let name = "tasks.log_variances";
            let s = store.get(name).expect("exists").var.as_tensor();
            let moved = (s - (&gradients[name] * 0.01).expect("scales")).expect("fits");
            store.set(name, &moved).expect("exists");
        }
        let weights = learnt.weights().expect("floats");
        assert!((weights[0] - 1.0 / 8.0).abs() < 1e-3 && (weights[1] - 4.0).abs() < 1e-3);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let learnt = UncertaintyWeights::new(&mut store(), "tasks", 2).expect("fresh");
        let vector = Tensor::new(&[1f64, 2.0], &Device::Cpu).expect("fits");
        let one = scalars(&[1.0]);
        let cases = [
            (
                learnt.combine(&one),
                "losses of several tasks: expected a scalar for each of 2 weights, at least one, got [[]]; check the sizes given to the layer",
            ),
            (
                learnt.combine(&[one[0].clone(), vector]),
                "losses of several tasks: expected a scalar for each of 2 weights, at least one, got [[], [2]]; check the sizes given to the layer",
            ),
            (
                weighted_losses(&[], &[]),
                "losses of several tasks: expected a scalar for each of 0 weights, at least one, got []; check the sizes given to the layer",
            ),
            (
                weighted_losses(&one, &[-0.5]),
                "`weights` is -0.5 for task 0; expected finite numbers, 0 or more",
            ),
            (
                weighted_losses(&one, &[f64::NAN]),
                "`weights` is NaN for task 0; expected finite numbers, 0 or more",
            ),
        ];
        for (result, expected) in cases {
            assert_eq!(result.expect_err("does not fit").to_string(), expected);
        }
        let none = UncertaintyWeights::new(&mut store(), "tasks", 0).expect_err("no task");
        assert_eq!(none.to_string(), "`tasks` is 0; expected at least 1");
    }
}
