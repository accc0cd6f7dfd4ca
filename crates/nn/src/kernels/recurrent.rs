//! Recurrent cells over all steps of a sequence as one operation.

use std::sync::{Mutex, PoisonError};

use candle_core::{CpuStorage, CustomOp3, Layout, Shape, Tensor, bail};

use super::linear::{column_sums, weight_gradient};
use super::matmul::{Into, Matrix, MatrixMut, multiply};
use super::{Kernel, run, run_on_tensors, tensor_of};
use crate::simd::{Real, vectorised};

/// Which cell runs over the steps of a recurrent layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell {
    /// Gated recurrent unit, gates r, z, n: h' = (1 − z) n + z h with n = tanh(xₙ + r ⊙ hₙ).
    ///
    /// Source: Cho et al., "Learning Phrase Representations using RNN Encoder–Decoder", 2014. How this differs from the
    /// paper: the reset gate acts after the recurrent product and z keeps instead of replacing, as in `PyTorch` and `cuDNN`.
    Gru,
    /// Long short-term memory, gates i, f, g, o: c' = f c + i g, h' = o tanh(c').
    ///
    /// Source: Hochreiter and Schmidhuber, "Long Short-Term Memory", 1997, with the forget gate of Gers et al., 2000. How
    /// this differs from the paper: two biases a gate, as in `PyTorch` and `cuDNN`, and no peepholes.
    Lstm,
}

impl Cell {
    /// Gates of the cell.
    pub(crate) const fn gates(self) -> usize {
        match self {
            Self::Gru => 3,
            Self::Lstm => 4,
        }
    }
}

/// States h₁ … `h_T` [B, T, H] of a cell from what the inputs say of the gates, [B, T, G·H], and the recurrent weights
/// W [G·H, H] and biases [G·H]; the state before the first step is zero.
///
/// Each step is one product for all gates and one pass over them. Backward goes through time with the gates' values kept
/// from the forward pass; dW is one product over all steps at its end.
pub(crate) struct OverTime {
    pub(crate) cell: Cell,
    /// Steps T.
    pub(crate) time: usize,
    /// Width H of the state.
    pub(crate) width: usize,
    /// Whether the pass learns: whether the gates' values will be wanted.
    pub(crate) learns: bool,
    /// The gates' values [B, T, G·H], and for each step either the GRU's hₙ or the LSTM's cell [B, T, H].
    pub(crate) kept: Mutex<Option<[CpuStorage; 2]>>,
}

#[inline(always)]
fn sigmoid<F: Real>(x: F) -> F {
    F::one() / (F::one() + (F::zero() - x).exp())
}

/// 1 − 2 / (1 + e²ˣ): no branches, so that a loop over it vectorises.
#[inline(always)]
fn tanh<F: Real>(x: F) -> F {
    let two = F::one() + F::one();
    F::one() - two / (F::one() + (x + x).exp())
}

impl OverTime {
    /// One step of one sequence: turns the sums of the gates into their values, and makes the new state.
    ///
    /// `from_input` and `from_state` are [G·H]; `gates` [G·H], `side`, `state` and `before` [H].
    #[inline(always)]
    fn step<F: Real>(
        &self,
        [from_input, from_state]: [&[F]; 2],
        before: [Option<&[F]>; 2],
        gates: &mut [F],
        side: &mut [F],
        state: &mut [F],
    ) {
        let width = self.width;
        let at = |numbers: Option<&[F]>, j: usize| numbers.map_or(F::zero(), |n| n[j]);
        let [state_before, side_before] = before;
        match self.cell {
            Cell::Gru => {
                for j in 0..width {
                    let r = sigmoid(from_input[j] + from_state[j]);
                    let z = sigmoid(from_input[width + j] + from_state[width + j]);
                    let hn = from_state[2 * width + j];
                    let n = tanh(from_input[2 * width + j] + r * hn);
                    (gates[j], gates[width + j], gates[2 * width + j]) = (r, z, n);
                    side[j] = hn;
                    state[j] = n + z * (at(state_before, j) - n);
                }
            }
            Cell::Lstm => {
                for j in 0..width {
                    let i = sigmoid(from_input[j] + from_state[j]);
                    let f = sigmoid(from_input[width + j] + from_state[width + j]);
                    let g = tanh(from_input[2 * width + j] + from_state[2 * width + j]);
                    let o = sigmoid(from_input[3 * width + j] + from_state[3 * width + j]);
                    (gates[j], gates[width + j]) = (i, f);
                    (gates[2 * width + j], gates[3 * width + j]) = (g, o);
                    side[j] = f * at(side_before, j) + i * g;
                    state[j] = o * tanh(side[j]);
                }
            }
        }
    }

    /// The gradients of one step of one sequence: of the gates' sums from the input and from the state [G·H], and in
    /// `of_before` and `of_side` what goes directly to the step before.
    ///
    /// `of_state` [H] is the gradient of the step's state; `of_side` [H] comes in as that of the LSTM's cell.
    #[inline(always)]
    fn step_back<F: Real>(
        &self,
        [gates, side, of_state]: [&[F]; 3],
        before: [Option<&[F]>; 2],
        [of_input, of_sums]: [&mut [F]; 2],
        [of_before, of_side]: [&mut [F]; 2],
    ) {
        let (width, one) = (self.width, F::one());
        let at = |numbers: Option<&[F]>, j: usize| numbers.map_or(F::zero(), |n| n[j]);
        let [state_before, side_before] = before;
        match self.cell {
            Cell::Gru => {
                for j in 0..width {
                    let (r, z, n) = (gates[j], gates[width + j], gates[2 * width + j]);
                    let of_n = of_state[j] * (one - z) * (one - n * n);
                    let of_z = of_state[j] * (at(state_before, j) - n) * z * (one - z);
                    let of_r = of_n * side[j] * r * (one - r);
                    (of_input[j], of_input[width + j], of_input[2 * width + j]) =
                        (of_r, of_z, of_n);
                    (of_sums[j], of_sums[width + j], of_sums[2 * width + j]) =
                        (of_r, of_z, of_n * r);
                    of_before[j] = of_state[j] * z;
                }
            }
            Cell::Lstm => {
                for j in 0..width {
                    let (i, f) = (gates[j], gates[width + j]);
                    let (g, o) = (gates[2 * width + j], gates[3 * width + j]);
                    let squashed = tanh(side[j]);
                    let of_cell = of_side[j] + of_state[j] * o * (one - squashed * squashed);
                    let of = [
                        of_cell * g * i * (one - i),
                        of_cell * at(side_before, j) * f * (one - f),
                        of_cell * i * (one - g * g),
                        of_state[j] * squashed * o * (one - o),
                    ];
                    for (gate, of) in of.into_iter().enumerate() {
                        of_input[gate * width + j] = of;
                        of_sums[gate * width + j] = of;
                    }
                    of_side[j] = of_cell * f;
                    of_before[j] = F::zero();
                }
            }
        }
    }

    /// The range of step `t` of sequence `b` in numbers of `width` a step.
    fn at(&self, b: usize, t: usize, width: usize) -> std::ops::Range<usize> {
        let start = (b * self.time + t) * width;
        start..start + width
    }
}

impl Kernel for OverTime {
    /// The states, the gates' values and the side numbers.
    fn run<F: Real>(&self, operands: &[&[F]]) -> Vec<Vec<F>> {
        let (inputs, weight, bias) = (operands[0], operands[1], operands[2]);
        let (time, width, all) = (self.time, self.width, self.cell.gates() * self.width);
        let batch = inputs.len() / (time * all).max(1);
        let zeros = |count: usize| vec![F::zero(); count];
        let mut states = zeros(batch * time * width);
        let mut gates = zeros(batch * time * all);
        let mut side = zeros(batch * time * width);
        let weight = Matrix::new(weight, all, width).t();
        let mut from_state = bias.repeat(batch);
        for t in 0..time {
            if t > 0 {
                from_state.copy_from_slice(&bias.repeat(batch));
                let before = &states[(t - 1) * width..];
                let before = Matrix::strided(before, batch, width, time * width);
                let out = MatrixMut::new(&mut from_state, batch, all);
                multiply(out, Into::Sum, before, weight, F::one());
            }
            vectorised(
                #[inline(always)]
                || {
                    for b in 0..batch {
                        let now = self.at(b, t, width);
                        let (past, state) = states.split_at_mut(now.start);
                        let (side_past, side_now) = side.split_at_mut(now.start);
                        let before =
                            [&*past, &*side_past].map(|n| (t > 0).then(|| &n[now.start - width..]));
                        self.step(
                            [
                                &inputs[self.at(b, t, all)],
                                &from_state[b * all..(b + 1) * all],
                            ],
                            before,
                            &mut gates[self.at(b, t, all)],
                            &mut side_now[..width],
                            &mut state[..width],
                        );
                    }
                },
            );
        }
        vec![states, gates, side]
    }
}

struct Backward<'a>(&'a OverTime);

impl Kernel for Backward<'_> {
    /// The gradients of the inputs' sums, the weights and the biases.
    fn run<F: Real>(&self, operands: &[&[F]]) -> Vec<Vec<F>> {
        let [weight, states, of_states, gates, side] =
            [0, 1, 2, 3, 4].map(|index: usize| operands[index]);
        let op = self.0;
        let (time, width, all) = (op.time, op.width, op.cell.gates() * op.width);
        let batch = states.len() / (time * width).max(1);
        let zeros = |count: usize| vec![F::zero(); count];
        let (mut of_inputs, mut of_sums) = (zeros(gates.len()), zeros(gates.len()));
        let (mut of_state, mut of_before) = (zeros(batch * width), zeros(batch * width));
        let mut of_side = zeros(batch * width);
        let weight = Matrix::new(weight, all, width);
        for t in (0..time).rev() {
            vectorised(
                #[inline(always)]
                || {
                    for b in 0..batch {
                        let (now, row) = (op.at(b, t, width), b * width..(b + 1) * width);
                        let carried = &mut of_state[row.clone()];
                        for (carried, fresh) in carried.iter_mut().zip(&of_states[now.clone()]) {
                            *carried += *fresh;
                        }
                        let before = [states, side]
                            .map(|n| (t > 0).then(|| &n[now.start - width..now.start]));
                        let place = op.at(b, t, all);
                        op.step_back(
                            [&gates[place.clone()], &side[now], carried],
                            before,
                            [&mut of_inputs[place.clone()], &mut of_sums[place]],
                            [&mut of_before[row.clone()], &mut of_side[row]],
                        );
                    }
                },
            );
            // What goes to the state before through the gates' sums is added to what went directly.
            let sums = Matrix::strided(&of_sums[t * all..], batch, all, time * all);
            std::mem::swap(&mut of_state, &mut of_before);
            let out = MatrixMut::new(&mut of_state, batch, width);
            multiply(out, Into::Sum, sums, weight, F::one());
        }
        let mut before = zeros(states.len());
        for b in 0..batch {
            let sequence = b * time * width..(b + 1) * time * width;
            let shifted = &states[sequence.start..sequence.end - width];
            before[sequence][width..].copy_from_slice(shifted);
        }
        let of_weight = weight_gradient(&before, &of_sums, width, all);
        vec![of_inputs, of_weight, column_sums(&of_sums, all)]
    }
}

impl CustomOp3 for OverTime {
    fn name(&self) -> &'static str {
        "recurrent"
    }

    fn cpu_fwd(
        &self,
        inputs: &CpuStorage,
        inputs_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let operands = [
            (inputs, inputs_layout),
            (weight, weight_layout),
            (bias, bias_layout),
        ];
        let Ok([states, gates, side]) = <[CpuStorage; 3]>::try_from(run(self, &operands)?) else {
            bail!("a kernel with another number of results");
        };
        if self.learns {
            *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some([gates, side]);
        }
        let (batch, _, _) = inputs_layout.shape().dims3()?;
        Ok((states, Shape::from((batch, self.time, self.width))))
    }

    fn bwd(
        &self,
        inputs: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        states: &Tensor,
        of_states: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let kept = self
            .kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some([gates, side]) = kept else {
            bail!("the gates of a recurrent layer are gone: go backward once");
        };
        let gates = tensor_of(gates, inputs.shape())?;
        let side = tensor_of(side, states.shape())?;
        let operands = [weight, states, of_states, &gates, &side];
        let shapes = [inputs.shape(), weight.shape(), bias.shape()];
        let [of_inputs, of_weight, of_bias] = run_on_tensors(&Backward(self), &operands, shapes)?;
        Ok((Some(of_inputs), Some(of_weight), Some(of_bias)))
    }
}
