use std::collections::BTreeMap;

use candle_core::{DType, Device, Tensor, Var};

use crate::{Init, NnError, generator};

/// The named trainable tensors of a model.
///
/// A parameter's first values depend on the seed and on its own name, not on the order of creation: adding a layer
/// leaves the others as they were.
#[derive(Debug)]
pub struct ParameterStore {
    seed: u64,
    device: Device,
    dtype: DType,
    parameters: BTreeMap<String, Parameter>,
}

/// One trainable tensor.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// The variable that the optimiser moves.
    pub var: Var,
    /// Whether weight decay applies: true for matrices, false for biases, gains and embedding tables.
    pub decays: bool,
}

impl ParameterStore {
    /// Makes an empty store of `f32` parameters on a device.
    pub fn new(seed: u64, device: &Device) -> Self {
        Self::with_dtype(seed, device, DType::F32)
    }

    /// Makes an empty store of parameters of a float type; `f64` is for gradient checks.
    pub fn with_dtype(seed: u64, device: &Device, dtype: DType) -> Self {
        Self {
            seed,
            device: device.clone(),
            dtype,
            parameters: BTreeMap::new(),
        }
    }

    /// The device of the parameters.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The number type of the parameters.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// Creates a parameter and returns a tensor that follows its value.
    ///
    /// # Errors
    /// [`NnError::DuplicateParameter`] where the name is taken, [`NnError::Tensor`] where memory is short.
    pub fn create(
        &mut self,
        name: &str,
        shape: &[usize],
        init: Init,
        decays: bool,
    ) -> Result<Tensor, NnError> {
        if self.parameters.contains_key(name) {
            return Err(NnError::DuplicateParameter {
                name: name.to_owned(),
            });
        }
        let count = shape.iter().product();
        let values = init.draw(count, &mut generator(self.seed, name, 0));
        let tensor = Tensor::from_vec(values, shape, &self.device)?.to_dtype(self.dtype)?;
        let var = Var::from_tensor(&tensor)?;
        // The tensor shares the variable's storage: it sees every later step of the optimiser.
        let follower = var.as_tensor().clone();
        self.parameters
            .insert(name.to_owned(), Parameter { var, decays });
        Ok(follower)
    }

    /// The parameter of a name.
    pub fn get(&self, name: &str) -> Option<&Parameter> {
        self.parameters.get(name)
    }

    /// The parameters, ordered by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Parameter)> {
        self.parameters
            .iter()
            .map(|(name, parameter)| (name.as_str(), parameter))
    }

    /// The number of trainable scalars.
    pub fn element_count(&self) -> usize {
        self.parameters.values().map(|p| p.var.elem_count()).sum()
    }

    /// Overwrites one parameter.
    ///
    /// # Errors
    /// [`NnError::Weights`] where there is no such parameter or the shape differs.
    pub fn set(&self, name: &str, value: &Tensor) -> Result<(), NnError> {
        let fault = |fault: String| NnError::Weights {
            name: name.to_owned(),
            fault,
        };
        let parameter = self
            .get(name)
            .ok_or_else(|| fault("is not a parameter of the model".to_owned()))?;
        if parameter.var.shape() != value.shape() {
            return Err(fault(format!(
                "has shape {:?}, the model's has {:?}",
                value.dims(),
                parameter.var.dims()
            )));
        }
        let value = value.to_dtype(self.dtype)?.to_device(&self.device)?;
        Ok(parameter.var.set(&value.contiguous()?)?)
    }

    /// A copy of every parameter's present value, under its name.
    ///
    /// # Errors
    /// [`NnError::Tensor`] where memory is short.
    pub fn snapshot(&self) -> Result<BTreeMap<String, Tensor>, NnError> {
        self.parameters
            .iter()
            .map(|(name, p)| Ok((name.clone(), p.var.as_tensor().detach().copy()?)))
            .collect()
    }

    /// Overwrites every parameter from tensors of the same names.
    ///
    /// # Errors
    /// [`NnError::Weights`] where one is missing, unknown, of another shape or not finite; then nothing is changed.
    pub fn restore(&self, tensors: &BTreeMap<String, Tensor>) -> Result<(), NnError> {
        let fault = |name: &str, fault: String| NnError::Weights {
            name: name.to_owned(),
            fault,
        };
        if let Some(name) = tensors.keys().find(|n| !self.parameters.contains_key(*n)) {
            return Err(fault(name, "is not a parameter of the model".to_owned()));
        }
        for (name, parameter) in &self.parameters {
            let tensor = tensors
                .get(name)
                .ok_or_else(|| fault(name, "is missing".to_owned()))?;
            if tensor.shape() != parameter.var.shape() {
                let shapes = (tensor.dims(), parameter.var.dims());
                let text = format!("has shape {:?}, the model's has {:?}", shapes.0, shapes.1);
                return Err(fault(name, text));
            }
            // A sum of squares is finite exactly when every element is; f64 keeps large weights from overflowing.
            let squares = tensor.to_dtype(DType::F64)?.sqr()?.sum_all()?;
            if !squares.to_scalar::<f64>()?.is_finite() {
                return Err(fault(name, "holds values that are not finite".to_owned()));
            }
        }
        tensors
            .iter()
            .try_for_each(|(name, tensor)| self.set(name, tensor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> ParameterStore {
        let mut store = ParameterStore::new(3, &Device::Cpu);
        store
            .create("a", &[2, 2], Init::Normal { std: 1.0 }, true)
            .expect("fresh");
        store
            .create("b", &[2], Init::Constant(1.0), false)
            .expect("fresh");
        store
    }

    fn values(store: &ParameterStore, name: &str) -> Vec<f32> {
        let tensor = store.get(name).expect("present").var.flatten_all();
        tensor.and_then(|t| t.to_vec1()).expect("f32")
    }

    #[test]
    fn first_values_do_not_depend_on_the_order_of_creation() {
        let mut other = ParameterStore::new(3, &Device::Cpu);
        other
            .create("b", &[2], Init::Constant(1.0), false)
            .expect("fresh");
        other
            .create("a", &[2, 2], Init::Normal { std: 1.0 }, true)
            .expect("fresh");
        assert_eq!(values(&store(), "a"), values(&other, "a"));
        assert_eq!(store().element_count(), 6);
    }

    #[test]
    fn restoring_refuses_what_does_not_fit_and_changes_nothing() {
        let store = store();
        let before = values(&store, "a");
        let tensor = |v: &[f32], s: &[usize]| Tensor::from_slice(v, s, &Device::Cpu).expect("fits");
        let good_b = tensor(&[5.0, 6.0], &[2]);
        let cases = [
            (
                tensor(&[1.0; 4], &[4]),
                "weights do not fit the model: `a` has shape [4], the model's has [2, 2]; load the file with the configuration it was trained with",
            ),
            (
                tensor(&[1.0, f32::NAN, 0.0, 0.0], &[2, 2]),
                "weights do not fit the model: `a` holds values that are not finite; load the file with the configuration it was trained with",
            ),
        ];
        for (bad_a, message) in cases {
            let all = BTreeMap::from([("a".to_owned(), bad_a), ("b".to_owned(), good_b.clone())]);
            let error = store.restore(&all).expect_err("does not fit");
            assert_eq!(error.to_string(), message);
        }
        let missing = BTreeMap::from([("b".to_owned(), good_b.clone())]);
        assert!(
            store
                .restore(&missing)
                .expect_err("a is missing")
                .to_string()
                .contains("`a` is missing")
        );
        assert_eq!(values(&store, "a"), before);
        assert_eq!(values(&store, "b"), [1.0, 1.0]);
    }

    #[test]
    fn a_name_is_taken_once() {
        let error = store()
            .create("a", &[1], Init::Constant(0.0), true)
            .expect_err("taken");
        assert_eq!(
            error.to_string(),
            "parameter `a` exists already; give each layer its own name"
        );
    }
}
