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
    /// What new parameters start from instead of being drawn, while a model is built around weights that exist.
    values: Option<BTreeMap<String, Tensor>>,
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
            values: None,
        }
    }

    /// Makes an empty store of `f32` parameters that start from given values; nothing is drawn until
    /// [`ParameterStore::end_of_values`].
    pub(crate) fn of_values(values: BTreeMap<String, Tensor>, device: &Device) -> Self {
        Self {
            values: Some(values),
            ..Self::new(0, device)
        }
    }

    /// Checks that every given value became a parameter; parameters created later are drawn.
    ///
    /// # Errors
    /// [`NnError::Weights`] where a value is left.
    pub(crate) fn end_of_values(&mut self) -> Result<(), NnError> {
        match self
            .values
            .take()
            .and_then(|values| values.into_keys().next())
        {
            None => Ok(()),
            Some(name) => Err(misfit(&name, NOT_A_PARAMETER)),
        }
    }

    /// A store of the same variables as several others, each name behind its part's, as `NAME.`: models that are trained
    /// together and saved apart.
    ///
    /// # Errors
    /// [`NnError::DuplicateParameter`] where two names come out alike.
    pub fn joined(parts: &[(&str, &Self)]) -> Result<Self, NnError> {
        let first = parts.first().map(|(_, store)| *store);
        let device = first.map_or(&Device::Cpu, Self::device);
        let mut joined = Self::with_dtype(0, device, first.map_or(DType::F32, Self::dtype));
        for (part, store) in parts {
            for (name, parameter) in store.iter() {
                let name = format!("{part}.{name}");
                if joined.parameters.contains_key(&name) {
                    return Err(NnError::DuplicateParameter { name });
                }
                joined.parameters.insert(name, parameter.clone());
            }
        }
        Ok(joined)
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
    /// [`NnError::DuplicateParameter`] where the name is taken, [`NnError::Tensor`] where memory is short,
    /// [`NnError::Weights`] where the model is built around weights that lack it or hold it in another shape.
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
        let tensor = self.first_value(name, shape, init)?;
        let var = Var::from_tensor(&tensor)?;
        // The tensor shares the variable's storage: it sees every later step of the optimiser.
        let follower = var.as_tensor().clone();
        self.parameters
            .insert(name.to_owned(), Parameter { var, decays });
        Ok(follower)
    }

    /// The given value of a parameter, or a drawn one.
    fn first_value(&mut self, name: &str, shape: &[usize], init: Init) -> Result<Tensor, NnError> {
        let Some(values) = &mut self.values else {
            let count = shape.iter().product();
            let values = init.draw(count, &mut generator(self.seed, name, 0));
            return Ok(Tensor::from_vec(values, shape, &self.device)?.to_dtype(self.dtype)?);
        };
        let value = values.remove(name).ok_or_else(|| misfit(name, MISSING))?;
        if value.dims() != shape {
            return Err(misfit(name, other_shape(value.dims(), shape)));
        }
        Ok(value.to_dtype(self.dtype)?.to_device(&self.device)?)
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
        let parameter = self
            .get(name)
            .ok_or_else(|| misfit(name, NOT_A_PARAMETER))?;
        if parameter.var.shape() != value.shape() {
            let fault = other_shape(value.dims(), parameter.var.dims());
            return Err(misfit(name, fault));
        }
        let value = value.to_dtype(self.dtype)?.to_device(&self.device)?;
        Ok(parameter.var.set(&value.contiguous()?)?)
    }

    /// A hash of every parameter's name, shape and present value in `f32`.
    ///
    /// # Errors
    /// [`NnError::Tensor`] where memory is short.
    pub fn fingerprint(&self) -> Result<String, NnError> {
        let mut hash = blake3::Hasher::new();
        for (name, parameter) in self.iter() {
            hash.update(format!("{name} {:?}\n", parameter.var.dims()).as_bytes());
            let value = parameter.var.as_tensor().to_dtype(DType::F32)?;
            let numbers: Vec<f32> = value.flatten_all()?.to_vec1()?;
            let bytes: Vec<u8> = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
            hash.update(&bytes);
        }
        Ok(hash.finalize().to_hex().to_string())
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
        if let Some(name) = tensors.keys().find(|n| !self.parameters.contains_key(*n)) {
            return Err(misfit(name, NOT_A_PARAMETER));
        }
        for (name, parameter) in &self.parameters {
            let tensor = tensors.get(name).ok_or_else(|| misfit(name, MISSING))?;
            if tensor.shape() != parameter.var.shape() {
                let fault = other_shape(tensor.dims(), parameter.var.dims());
                return Err(misfit(name, fault));
            }
            // A sum of squares is finite exactly when every element is; f64 keeps large weights from overflowing.
            let squares = tensor.to_dtype(DType::F64)?.sqr()?.sum_all()?;
            if !squares.to_scalar::<f64>()?.is_finite() {
                return Err(misfit(name, "holds values that are not finite"));
            }
        }
        tensors
            .iter()
            .try_for_each(|(name, tensor)| self.set(name, tensor))
    }
}

const MISSING: &str = "is missing";
const NOT_A_PARAMETER: &str = "is not a parameter of the model";

fn misfit(name: &str, fault: impl Into<String>) -> NnError {
    NnError::Weights {
        name: name.to_owned(),
        fault: fault.into(),
    }
}

fn other_shape(found: &[usize], expected: &[usize]) -> String {
    format!("has shape {found:?}, the model's has {expected:?}")
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
    fn given_values_are_taken_whole_and_what_comes_later_is_drawn() {
        let value = Tensor::new(&[3f32, 4.0], &Device::Cpu).expect("fits");
        let values = || BTreeMap::from([("b".to_owned(), value.clone())]);
        let ones = Init::Constant(1.0);
        let mut store = ParameterStore::of_values(values(), &Device::Cpu);
        store.create("b", &[2], ones, false).expect("given");
        assert_eq!(self::values(&store, "b"), [3.0, 4.0]);
        assert!(store.create("c", &[2], ones, false).is_err());
        store.end_of_values().expect("nothing is left");
        store.create("c", &[2], ones, false).expect("drawn");
        assert_eq!(self::values(&store, "c"), [1.0, 1.0]);
        let mut store = ParameterStore::of_values(values(), &Device::Cpu);
        assert!(store.create("b", &[1, 2], ones, false).is_err());
        let mut store = ParameterStore::of_values(values(), &Device::Cpu);
        assert!(store.end_of_values().is_err());
    }

    #[test]
    fn a_joined_store_moves_the_variables_of_its_parts() {
        let (left, right) = (store(), store());
        let joined = ParameterStore::joined(&[("left", &left), ("right", &right)]);
        let joined = joined.expect("names differ");
        let names: Vec<&str> = joined.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["left.a", "left.b", "right.a", "right.b"]);
        let value = Tensor::new(&[7f32, 8.0], &Device::Cpu).expect("fits");
        joined.set("right.b", &value).expect("fits");
        assert_eq!(values(&right, "b"), [7.0, 8.0]);
        assert_eq!(values(&left, "b"), [1.0, 1.0]);
        let error = ParameterStore::joined(&[("x", &left), ("x", &right)]).expect_err("alike");
        assert!(error.to_string().contains("`x.a`"), "{error}");
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
