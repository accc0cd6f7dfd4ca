use std::collections::BTreeMap;

use candle_core::backprop::GradStore;
use candle_core::{DType, Tensor};

use crate::kernels::adamw::{self, sum_of_squares};
use crate::{NnError, ParameterStore};

/// Gradients by the name of their parameter.
pub type NamedGradients = BTreeMap<String, Tensor>;

impl ParameterStore {
    /// Picks this store's gradients out of a backward pass.
    ///
    /// A parameter that the loss does not depend on is absent.
    pub fn gradients(&self, backward: &GradStore) -> NamedGradients {
        self.iter()
            .filter_map(|(name, p)| Some((name.to_owned(), backward.get(&p.var)?.clone())))
            .collect()
    }
}

/// Euclidean norm of all gradients taken as one vector, √(Σ g²), summed in name order in `f64`.
///
/// # Errors
/// [`NnError::Tensor`] where a gradient is not a float tensor.
pub fn global_norm(gradients: &NamedGradients) -> Result<f64, NnError> {
    let mut total = 0.0;
    for gradient in gradients.values() {
        total += if gradient.device().is_cpu() {
            sum_of_squares(gradient)?
        } else {
            let squares = gradient.sqr()?.sum_all()?.to_dtype(DType::F64)?;
            squares.to_scalar::<f64>()?
        };
    }
    Ok(total.sqrt())
}

/// Adds gradients to others name by name, which accumulates them over parts of a batch.
pub(crate) fn add_gradients(
    sums: &mut NamedGradients,
    parts: NamedGradients,
) -> Result<(), NnError> {
    for (name, part) in parts {
        let total = match sums.remove(&name) {
            Some(total) => sum(&[&total, &part])?,
            None => part.detach(),
        };
        sums.insert(name, total);
    }
    Ok(())
}

/// The sum of tensors in their order, outside the graph.
pub(crate) fn sum(tensors: &[&Tensor]) -> Result<Tensor, NnError> {
    match tensors {
        [one] => Ok(one.detach()),
        [first, ..] if first.device().is_cpu() => Ok(adamw::sum(tensors)?),
        [first, rest @ ..] => {
            let mut total = first.detach();
            for tensor in rest {
                total = (total + tensor.detach())?;
            }
            Ok(total)
        }
        [] => unreachable!("invariant: a sum is asked for where there is something to add"),
    }
}

/// Verifies a gradient against central differences, (f(x + h) − f(x − h)) / 2h, in `f64`.
#[cfg(test)]
pub(crate) fn check_gradient(
    values: &[f64],
    shape: &[usize],
    function: impl Fn(&Tensor) -> Result<Tensor, NnError>,
) {
    use candle_core::{Device, Var};
    let at = |values: &[f64]| {
        let x = Tensor::from_slice(values, shape, &Device::Cpu).expect("the shape fits");
        let y = function(&x).expect("the function accepts the shape");
        y.to_scalar::<f64>().expect("a scalar in f64")
    };
    let x = Tensor::from_slice(values, shape, &Device::Cpu).expect("the shape fits");
    let x = Var::from_tensor(&x).expect("a float tensor");
    let y = function(x.as_tensor()).expect("the function accepts the shape");
    let backward = y.backward().expect("differentiable");
    let gradient = backward.get(&x).expect("the function depends on x");
    let gradient: Vec<f64> = gradient
        .flatten_all()
        .and_then(|g| g.to_vec1())
        .expect("f64");
    for (index, analytic) in gradient.iter().enumerate() {
        let step = 1e-5;
        let mut moved = values.to_vec();
        moved[index] += step;
        let above = at(&moved);
        moved[index] -= 2.0 * step;
        let numeric = (above - at(&moved)) / (2.0 * step);
        assert!(
            (analytic - numeric).abs() < 1e-6 * (1.0 + numeric.abs()),
            "element {index}: backward says {analytic}, differences say {numeric}"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Init;
    use candle_core::Device;

    #[test]
    fn the_norm_spans_all_parameters_and_skips_unused_ones() {
        let mut store = ParameterStore::new(0, &Device::Cpu);
        let a = store
            .create("a", &[1], Init::Constant(3.0), true)
            .expect("fresh");
        let b = store
            .create("b", &[1], Init::Constant(2.0), true)
            .expect("fresh");
        store
            .create("unused", &[1], Init::Constant(1.0), true)
            .expect("fresh");
        // d(3a + 4b) is (3, 4): norm 5.
        let loss = ((a * 3.0).expect("scale") + (b * 4.0).expect("scale"))
            .and_then(|t| t.sum_all())
            .expect("adds");
        let gradients = store.gradients(&loss.backward().expect("differentiable"));
        assert_eq!(gradients.keys().collect::<Vec<_>>(), ["a", "b"]);
        let norm = global_norm(&gradients).expect("floats");
        assert!((norm - 5.0).abs() < 1e-12);
    }
}
