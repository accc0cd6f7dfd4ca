use std::collections::BTreeMap;

use candle_core::backprop::GradStore;
use candle_core::{Tensor, Var};

use crate::kernels::adamw::{Decay, Move};
use crate::{NamedGradients, NnError, ParameterStore, global_norm};

/// Constants of [`AdamW`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamWConfig {
    /// Decay of the mean of gradients, in [0, 1). Default 0.9.
    pub beta1: f64,
    /// Decay of the mean of squared gradients, in [0, 1). Default 0.98.
    pub beta2: f64,
    /// Added to the root of the second moment, above 0. Default 1e-8.
    pub epsilon: f64,
    /// Weight decay, at least 0; applies to matrices alone. Default 0.01.
    pub weight_decay: f64,
}

impl Default for AdamWConfig {
    fn default() -> Self {
        Self {
            beta1: 0.9,
            beta2: 0.98,
            epsilon: 1e-8,
            weight_decay: 0.01,
        }
    }
}

/// Adam with decoupled weight decay.
///
/// With gradient g at step t (from 1): m ← β₁ m + (1 − β₁) g; v ← β₂ v + (1 − β₂) g²; m̂ = m / (1 − β₁ᵗ);
/// v̂ = v / (1 − β₂ᵗ); θ ← (1 − η λ) θ − η m̂ / (√v̂ + ε).
///
/// Source: Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019. How this differs from the paper: the
/// decay is multiplied by the learning rate, as in `PyTorch`, and skips biases, gains and embedding tables.
#[derive(Debug)]
pub struct AdamW {
    config: AdamWConfig,
    steps: u64,
    moments: BTreeMap<String, Moments>,
}

#[derive(Debug)]
struct Moments {
    first: Tensor,
    second: Tensor,
}

/// What one step needs beside the parameter, its gradient and its moments.
struct Step {
    config: AdamWConfig,
    learning_rate: f64,
    correction1: f64,
    correction2: f64,
    /// What clipping multiplies each gradient by.
    scale: f64,
}

impl AdamW {
    /// Makes an optimiser that has taken no step.
    pub fn new(config: AdamWConfig) -> Self {
        Self {
            config,
            steps: 0,
            moments: BTreeMap::new(),
        }
    }

    /// The number of steps taken.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Moves the parameters against the gradients of a backward pass, after scaling these down to a norm of at most
    /// `max_norm` (infinity for no clipping), and returns the norm before scaling.
    ///
    /// # Errors
    /// [`NnError::NotFinite`] where the norm is not finite; then nothing is moved.
    pub fn step(
        &mut self,
        store: &ParameterStore,
        backward: &GradStore,
        learning_rate: f64,
        max_norm: f64,
    ) -> Result<f64, NnError> {
        let gradients = store.gradients(backward);
        self.step_named(store, &gradients, learning_rate, max_norm)
    }

    /// As [`AdamW::step`], with gradients that were gathered by name, such as sums over micro-batches.
    ///
    /// # Errors
    /// [`NnError::NotFinite`] where the norm is not finite; then nothing is moved.
    pub fn step_named(
        &mut self,
        store: &ParameterStore,
        gradients: &NamedGradients,
        learning_rate: f64,
        max_norm: f64,
    ) -> Result<f64, NnError> {
        let norm = global_norm(gradients)?;
        if !norm.is_finite() {
            return Err(NnError::NotFinite {
                quantity: "the gradient norm",
                value: norm,
                step: self.steps,
            });
        }
        self.steps += 1;
        let power = self.steps as f64;
        let step = Step {
            config: self.config,
            learning_rate,
            correction1: 1.0 - self.config.beta1.powf(power),
            correction2: 1.0 - self.config.beta2.powf(power),
            scale: if norm > max_norm {
                max_norm / norm
            } else {
                1.0
            },
        };
        for (name, parameter) in store.iter() {
            let Some(gradient) = gradients.get(name) else {
                continue;
            };
            // The graph that produced the gradient is no longer needed; detaching keeps the moments from holding it.
            let gradient = gradient.detach().contiguous()?;
            let moments = self.moments.remove(name);
            let decay = if parameter.decays {
                self.config.weight_decay
            } else {
                0.0
            };
            let moments = step.advance(&parameter.var, &gradient, moments, decay)?;
            self.moments.insert(name.to_owned(), moments);
        }
        Ok(norm)
    }

    /// The moments as named tensors `first/NAME` and `second/NAME`, for a checkpoint.
    pub fn snapshot(&self) -> BTreeMap<String, Tensor> {
        let pairs = self.moments.iter().flat_map(|(name, moments)| {
            [
                (format!("first/{name}"), moments.first.clone()),
                (format!("second/{name}"), moments.second.clone()),
            ]
        });
        pairs.collect()
    }

    /// Takes the moments and the number of steps back from a checkpoint.
    ///
    /// # Errors
    /// [`NnError::Weights`] where a first moment lacks its second or does not belong to the store.
    pub fn restore(
        &mut self,
        store: &ParameterStore,
        steps: u64,
        tensors: &BTreeMap<String, Tensor>,
    ) -> Result<(), NnError> {
        let mut moments = BTreeMap::new();
        for (key, first) in tensors {
            let Some(name) = key.strip_prefix("first/") else {
                continue;
            };
            let second = tensors.get(&format!("second/{name}"));
            let shape = store.get(name).map(|p| p.var.shape().clone());
            let fits = |t: &Tensor| Some(t.shape()) == shape.as_ref();
            let Some(second) = second.filter(|second| fits(second) && fits(first)) else {
                return Err(NnError::Weights {
                    name: key.clone(),
                    fault: "is a moment of no parameter of the model".to_owned(),
                });
            };
            // Steps change the moments in place; the caller's tensors stay as they are.
            let (first, second) = (first.copy()?, second.copy()?);
            moments.insert(name.to_owned(), Moments { first, second });
        }
        (self.steps, self.moments) = (steps, moments);
        Ok(())
    }
}

impl Step {
    fn advance(
        &self,
        var: &Var,
        gradient: &Tensor,
        moments: Option<Moments>,
        decay: f64,
    ) -> Result<Moments, NnError> {
        let AdamWConfig {
            beta1,
            beta2,
            epsilon,
            ..
        } = self.config;
        let Moments { first, second } = match moments {
            Some(old) => old,
            None => Moments {
                first: gradient.zeros_like()?,
                second: gradient.zeros_like()?,
            },
        };
        let fresh = |keep: f64, square: bool| Decay {
            keep,
            // The gradient is scaled where it is used.
            share: (1.0 - keep) * self.scale.powi(if square { 2 } else { 1 }),
            square,
        };
        if !gradient.device().is_cpu() {
            return self.advance_composed(var, &(gradient * self.scale)?, [first, second], decay);
        }
        first.inplace_op2(gradient, &fresh(beta1, false))?;
        second.inplace_op2(gradient, &fresh(beta2, true))?;
        let step = Move {
            shrink: 1.0 - self.learning_rate * decay,
            rate: self.learning_rate / self.correction1,
            correction: self.correction2,
            epsilon,
        };
        var.as_tensor().inplace_op3(&first, &second, &step)?;
        Ok(Moments { first, second })
    }

    /// The same of candle's own operations, for other devices.
    fn advance_composed(
        &self,
        var: &Var,
        gradient: &Tensor,
        [first, second]: [Tensor; 2],
        decay: f64,
    ) -> Result<Moments, NnError> {
        let AdamWConfig { beta1, beta2, .. } = self.config;
        let first = ((first * beta1)? + (gradient * (1.0 - beta1))?)?;
        let second = ((second * beta2)? + (gradient.sqr()? * (1.0 - beta2))?)?;
        let mean = (&first * (self.learning_rate / self.correction1))?;
        let root = ((&second / self.correction2)?.sqrt()? + self.config.epsilon)?;
        let shrunk = (var.as_tensor().detach() * (1.0 - self.learning_rate * decay))?;
        var.set(&(shrunk - (mean / root)?)?)?;
        Ok(Moments { first, second })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Init;
    use crate::golden::reference;
    use candle_core::{DType, Device};

    fn loss(w: &Tensor) -> Tensor {
        let target = Tensor::new(&[0.2f64, 0.4, -1.0], &Device::Cpu).expect("fits");
        let scale = Tensor::new(&[1.0f64, 0.5, 2.0], &Device::Cpu).expect("fits");
        (w - target)
            .and_then(|d| d.sqr())
            .and_then(|d| (d * scale)?.sum_all())
            .expect("fits")
    }

    fn start() -> (ParameterStore, Tensor) {
        let mut store = ParameterStore::with_dtype(0, &Device::Cpu, DType::F64);
        let w = store
            .create("w", &[3], Init::Constant(0.0), true)
            .expect("fresh");
        let first = Tensor::new(&[1.0f64, -2.0, 0.5], &Device::Cpu).expect("fits");
        store.set("w", &first).expect("fits");
        (store, w)
    }

    #[test]
    fn steps_equal_the_reference() {
        let Some(golden) = reference() else { return };
        let runs = &golden["optim_w0=[1,-2,.5]_f=sum(c*(w-t)^2)_c=[1,.5,2]_t=[.2,.4,-1]"];
        for (name, beta2, weight_decay) in [("adamw", 0.999, 0.05), ("adam", 0.98, 0.0)] {
            let (store, w) = start();
            let config = AdamWConfig {
                beta1: 0.9,
                beta2,
                epsilon: 1e-8,
                weight_decay,
            };
            let mut optimiser = AdamW::new(config);
            for expected in runs[name].as_array().expect("three steps") {
                let backward = loss(&w).backward().expect("differentiable");
                optimiser
                    .step(&store, &backward, 0.1, f64::INFINITY)
                    .expect("finite");
                crate::golden::assert_close(&w, expected, 1e-9);
            }
        }
    }

    #[test]
    fn the_passes_in_place_equal_the_composed_step() {
        let (store, _) = start();
        let var = &store.get("w").expect("exists").var;
        let gradient = Tensor::new(&[3.0f64, -1.0, 0.5], &Device::Cpu).expect("fits");
        let step = Step {
            config: AdamWConfig::default(),
            learning_rate: 0.1,
            correction1: 0.1,
            correction2: 0.02,
            scale: 0.25,
        };
        let before = var.as_tensor().copy().expect("copies");
        let fused = step.advance(var, &gradient, None, 0.3).expect("fits");
        let moved: Vec<f64> = var.to_vec1().expect("f64");
        var.set(&before).expect("fits");
        let zeros = || gradient.zeros_like().expect("small");
        let scaled = (&gradient * 0.25).expect("scales");
        let composed = step.advance_composed(var, &scaled, [zeros(), zeros()], 0.3);
        let composed = composed.expect("fits");
        let close = |a: Vec<f64>, b: Vec<f64>| a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-12);
        let numbers = |tensor: &Tensor| tensor.to_vec1::<f64>().expect("f64");
        assert!(close(moved, numbers(var)));
        assert!(close(numbers(&fused.first), numbers(&composed.first)));
        assert!(close(numbers(&fused.second), numbers(&composed.second)));
    }

    #[test]
    fn clipping_scales_to_the_norm_and_a_nan_moves_nothing() {
        let (store, w) = start();
        let mut optimiser = AdamW::new(AdamWConfig::default());
        let gradient = |values: [f64; 3]| {
            let gradient = Tensor::new(&values, &Device::Cpu).expect("fits");
            NamedGradients::from([("w".to_owned(), gradient)])
        };
        let norm = optimiser
            .step_named(&store, &gradient([3.0, 0.0, 4.0]), 0.0, 1.0)
            .expect("finite");
        assert!((norm - 5.0).abs() < 1e-12);
        let first: Vec<f64> = optimiser.snapshot()["first/w"].to_vec1().expect("f64");
        // A tenth of the clipped gradient (0.6, 0, 0.8).
        assert!((first[0] - 0.06).abs() < 1e-12 && (first[2] - 0.08).abs() < 1e-12);
        let before: Vec<f64> = w.to_vec1().expect("f64");
        let error = optimiser
            .step_named(&store, &gradient([f64::NAN, 0.0, 0.0]), 0.1, 1.0)
            .expect_err("not a number");
        assert!(
            error
                .to_string()
                .starts_with("the gradient norm became NaN at step 1;")
        );
        assert_eq!(w.to_vec1::<f64>().expect("f64"), before);
    }

    #[test]
    fn a_restored_optimiser_goes_on_as_if_never_stopped() {
        let advance = |store: &ParameterStore, w: &Tensor, optimiser: &mut AdamW| {
            let backward = loss(w).backward().expect("differentiable");
            optimiser.step(store, &backward, 0.1, 1.0).expect("finite");
        };
        let (store, w) = start();
        let mut optimiser = AdamW::new(AdamWConfig::default());
        advance(&store, &w, &mut optimiser);
        let (other, v) = start();
        other
            .restore(&store.snapshot().expect("copies"))
            .expect("fits");
        let mut second = AdamW::new(AdamWConfig::default());
        second
            .restore(&other, optimiser.steps(), &optimiser.snapshot())
            .expect("fits");
        advance(&store, &w, &mut optimiser);
        advance(&other, &v, &mut second);
        let bits = |t: &Tensor| t.to_vec1::<f64>().expect("f64");
        assert_eq!(bits(&w), bits(&v));
        let stray = BTreeMap::from([("first/x".to_owned(), w.clone())]);
        assert!(second.restore(&other, 1, &stray).is_err());
    }
}
