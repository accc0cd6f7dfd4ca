use std::sync::Mutex;

use candle_core::{D, Tensor};

use crate::kernels::recurrent::{Cell, OverTime};
use crate::{Init, Linear, NnError, ParameterStore};

/// One layer of a recurrent network over sequences, from a state of zeros; see [`Cell`] for the formulas.
#[derive(Debug, Clone)]
pub struct Recurrent {
    cell: Cell,
    inputs: Linear,
    weight: Tensor,
    bias: Tensor,
    width: usize,
}

impl Recurrent {
    /// Creates `NAME.input.weight` [G·H, inputs], `NAME.input.bias` [G·H], `NAME.state.weight` [G·H, H] and
    /// `NAME.state.bias` [G·H] for the cell's G gates in their order.
    ///
    /// # Errors
    /// [`NnError::DuplicateParameter`] where the name is taken.
    pub fn new(
        store: &mut ParameterStore,
        name: &str,
        cell: Cell,
        inputs: usize,
        width: usize,
    ) -> Result<Self, NnError> {
        let all = cell.gates() * width;
        let init = Init::glorot(width, width);
        let zeros = Init::Constant(0.0);
        Ok(Self {
            cell,
            inputs: Linear::new(store, &format!("{name}.input"), inputs, all, true)?,
            weight: store.create(&format!("{name}.state.weight"), &[all, width], init, true)?,
            bias: store.create(&format!("{name}.state.bias"), &[all], zeros, false)?,
            width,
        })
    }

    /// The states after each step.
    ///
    /// # Shapes
    /// x [B, T, inputs] → [B, T, H].
    ///
    /// # Errors
    /// [`NnError::Shape`] where the width is not that of the inputs.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor, NnError> {
        let gates = self.inputs.forward(x)?;
        if !x.device().is_cpu() {
            return self.composed(&gates);
        }
        let recurrent = OverTime {
            cell: self.cell,
            time: x.dim(1)?,
            width: self.width,
            learns: gates.track_op() || self.weight.track_op(),
            kept: Mutex::new(None),
        };
        Ok(gates.apply_op3(&self.weight, &self.bias, recurrent)?)
    }

    /// The same of candle's own operations, for other devices.
    fn composed(&self, gates: &Tensor) -> Result<Tensor, NnError> {
        let (batch, time, _) = gates.dims3()?;
        let width = self.width;
        let mut state = Tensor::zeros((batch, width), gates.dtype(), gates.device())?;
        let mut cell = state.clone();
        let mut states = Vec::with_capacity(time);
        let sigmoid =
            |x: Tensor| -> Result<Tensor, NnError> { Ok(((x.neg()?.exp()? + 1.0)?.recip())?) };
        for t in 0..time {
            let input = gates.narrow(1, t, 1)?.squeeze(1)?;
            let from_state = state.matmul(&self.weight.t()?)?.broadcast_add(&self.bias)?;
            let part = |x: &Tensor, gate: usize| x.narrow(D::Minus1, gate * width, width);
            let sum = |gate: usize| part(&input, gate)? + part(&from_state, gate)?;
            match self.cell {
                Cell::Gru => {
                    let (r, z) = (sigmoid(sum(0)?)?, sigmoid(sum(1)?)?);
                    let n = (part(&input, 2)? + (r * part(&from_state, 2)?)?)?.tanh()?;
                    state = (&n + (z * (&state - &n)?)?)?;
                }
                Cell::Lstm => {
                    let (i, f, o) = (sigmoid(sum(0)?)?, sigmoid(sum(1)?)?, sigmoid(sum(3)?)?);
                    cell = ((f * &cell)? + (i * sum(2)?.tanh()?)?)?;
                    state = (o * cell.tanh()?)?;
                }
            }
            states.push(state.clone());
        }
        Ok(Tensor::stack(&states, 1)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generator;
    use crate::golden::{assert_close, reference, tensor};
    use crate::gradients::check_gradient;
    use candle_core::{DType, Device};

    fn layer(cell: Cell, inputs: usize, width: usize) -> (ParameterStore, Recurrent) {
        let mut store = ParameterStore::with_dtype(5, &Device::Cpu, DType::F64);
        let layer = Recurrent::new(&mut store, "r", cell, inputs, width).expect("fresh");
        let names: Vec<String> = store.iter().map(|(name, _)| name.to_owned()).collect();
        for name in names {
            let shape = store.get(&name).expect("exists").var.shape().clone();
            let normal = Init::Normal { std: 0.7 };
            let values = normal.draw(shape.elem_count(), &mut generator(3, &name, 0));
            let value = Tensor::from_vec(values, shape, &Device::Cpu).expect("fits");
            store.set(&name, &value).expect("fits");
        }
        (store, layer)
    }

    #[test]
    fn a_gru_equals_the_reference() {
        let Some(golden) = reference() else { return };
        let gru = &golden["gru"];
        let x = tensor(&gru["x"]);
        let (all, inputs) = tensor(&gru["w_ih"]).dims2().expect("a matrix");
        let (store, layer) = layer(Cell::Gru, inputs, all / 3);
        for (ours, theirs) in [
            ("r.input.weight", "w_ih"),
            ("r.input.bias", "b_ih"),
            ("r.state.weight", "w_hh"),
            ("r.state.bias", "b_hh"),
        ] {
            store.set(ours, &tensor(&gru[theirs])).expect("fits");
        }
        let y = layer.forward(&x).expect("fits");
        assert_close(&y, &gru["y"], 1e-9);
    }

    #[test]
    fn fused_and_composed_agree_in_values_and_all_gradients() {
        for cell in [Cell::Gru, Cell::Lstm] {
            let (store, layer) = layer(cell, 3, 5);
            let values = Init::Normal { std: 1.0 }.draw(2 * 4 * 3, &mut generator(1, "x", 0));
            let x = Tensor::from_vec(values, (2, 4, 3), &Device::Cpu);
            let x = x.and_then(|x| x.to_dtype(DType::F64)).expect("fits");
            let x = candle_core::Var::from_tensor(&x).expect("floats");
            let gates = layer.inputs.forward(&x).expect("fits");
            let results = [layer.forward(&x), layer.composed(&gates)];
            let results = results.map(|y| {
                let y = y.expect("fits");
                let weights = Tensor::arange(0f64, 40.0, &Device::Cpu);
                let weights = weights.and_then(|w| w.reshape((2, 4, 5))).expect("fits");
                let loss = (y * weights)
                    .and_then(|y| y.sin()?.sum_all())
                    .expect("fits");
                loss.backward().expect("differentiable")
            });
            let parameters = store.iter().map(|(name, p)| (name, p.var.as_tensor()));
            for (name, tensor) in parameters.chain([("x", x.as_tensor())]) {
                let [a, b] = [0, 1].map(|index: usize| -> Vec<f64> {
                    let gradient = results[index].get(tensor).expect("depends on it");
                    let flat = gradient.flatten_all().and_then(|g| g.to_vec1());
                    flat.expect("f64")
                });
                for (a, b) in a.iter().zip(&b) {
                    assert!((a - b).abs() < 1e-9, "{cell:?} {name}: {a} is not {b}");
                }
                assert!(a.iter().any(|g| g.abs() > 1e-6), "{cell:?} {name}");
            }
        }
    }

    #[test]
    fn the_gradient_matches_finite_differences() {
        for cell in [Cell::Gru, Cell::Lstm] {
            let (_store, layer) = layer(cell, 2, 3);
            let x: Vec<f64> = (0..12).map(|i| (f64::from(i) * 0.9).sin()).collect();
            check_gradient(&x, &[2, 3, 2], |x| {
                Ok(layer.forward(x)?.sqr()?.sum_all()?)
            });
        }
    }

    #[test]
    fn another_width_is_named() {
        let mut store = ParameterStore::new(0, &Device::Cpu);
        let gru = Recurrent::new(&mut store, "g", Cell::Gru, 2, 3).expect("fresh");
        let lstm = Recurrent::new(&mut store, "l", Cell::Lstm, 2, 3).expect("fresh");
        let x = Tensor::zeros((1, 4, 5), DType::F32, &Device::Cpu).expect("small");
        for error in [gru.forward(&x), lstm.forward(&x)] {
            assert_eq!(
                error.expect_err("5 is not 2").to_string(),
                "linear: expected […, 2], got [1, 4, 5]; check the sizes given to the layer"
            );
        }
    }
}
