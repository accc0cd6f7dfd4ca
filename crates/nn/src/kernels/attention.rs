//! Attention over all heads as one operation: positions, scores, softmax and mixture, a tile of queries at a time.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp3, Layout, Shape, Tensor};
use rayon::prelude::*;

use super::matmul::{Into, Matrix, MatrixMut, multiply};
use super::{Kernel, run_on_tensors, run_one};
use crate::Mask;
use crate::simd::{Real, dot, exp_and_sum, max, vectorised};

/// Queries of a tile: its scores stay in the second-level cache.
const TILE: usize = 64;

/// softmax(Q Kᵀ / √W + mask) V for every head, with rotary positions, over q [B, T, H·W] and k, v [B, T, G·W].
///
/// H query heads share G key heads, H / G each. No more than a tile of scores exists at any time, and keys that no query
/// of a tile sees are never multiplied. Backward computes the probabilities P anew: dV = Pᵀ dO,
/// dS = P ⊙ (dO Vᵀ − Σ P ⊙ dO Vᵀ), dQ = dS K / √W, dK = dSᵀ Q / √W.
///
/// Source: Dao et al., "`FlashAttention`: Fast and Memory-Efficient Exact Attention with IO-Awareness", 2022; grouped
/// heads of Ainslie et al., "GQA", 2023. How this differs from the paper: a tile holds whole rows of scores, so that
/// no normaliser has to be corrected.
#[derive(Debug, Clone)]
pub(crate) struct Attention {
    /// Sequences B.
    pub(crate) batch: usize,
    /// Positions T.
    pub(crate) time: usize,
    /// Query heads H.
    pub(crate) heads: usize,
    /// Key heads G, a divisor of H.
    pub(crate) key_heads: usize,
    /// Width W of a head.
    pub(crate) head_width: usize,
    /// What each query sees; all keys where absent.
    pub(crate) mask: Option<Mask>,
    /// Angles of the positions, where there are any.
    pub(crate) angles: Option<Angles>,
}

/// Cosines and sines of each position of each sequence.
#[derive(Debug, Clone)]
pub(crate) struct Angles {
    /// Cosines of all positions, [positions, W/2].
    pub(crate) cos: Arc<[f64]>,
    /// Sines, [positions, W/2].
    pub(crate) sin: Arc<[f64]>,
    /// Position of each element [B · T]; 0, 1, 2, … where absent.
    pub(crate) at: Option<Arc<[u32]>>,
}

/// The angles as numbers of the computation's own type.
struct Turns<F> {
    cos: Vec<F>,
    sin: Vec<F>,
}

/// The working memory of one sequence.
struct Scratch<F> {
    query: Vec<F>,
    key: Vec<F>,
    scores: Vec<F>,
    of_scores: Vec<F>,
    of_query: Vec<F>,
    of_key: Vec<F>,
}

/// Rows of one head in a tensor of several: `width` numbers every `stride`, the first at `first`.
#[derive(Clone, Copy)]
struct Head {
    first: usize,
    stride: usize,
    width: usize,
}

impl Head {
    fn matrix<F>(self, data: &[F], from: usize, rows: usize) -> Matrix<'_, F> {
        let start = self.first + from * self.stride;
        Matrix::strided(&data[start..], rows, self.width, self.stride)
    }

    fn matrix_mut<F>(self, data: &mut [F], from: usize, rows: usize) -> MatrixMut<'_, F> {
        let start = self.first + from * self.stride;
        MatrixMut::strided(&mut data[start..], rows, self.width, self.stride)
    }
}

impl Attention {
    fn query_head(&self, head: usize) -> Head {
        let (width, stride) = (self.head_width, self.heads * self.head_width);
        Head {
            first: head * width,
            stride,
            width,
        }
    }

    fn key_head(&self, head: usize) -> Head {
        let (width, stride) = (self.head_width, self.key_heads * self.head_width);
        Head {
            first: head * width,
            stride,
            width,
        }
    }

    /// Multiplied with the queries, so that scores need no scaling.
    fn scale<F: Real>(&self) -> F {
        F::from_f64((self.head_width as f64).powf(-0.5))
    }

    fn turns<F: Real>(&self) -> Option<Turns<F>> {
        let convert = |numbers: &[f64]| numbers.iter().map(|x| F::from_f64(*x)).collect();
        self.angles.as_ref().map(|angles| Turns {
            cos: convert(&angles.cos),
            sin: convert(&angles.sin),
        })
    }

    /// The number of keys that a query sees.
    fn visible(&self, sequence: usize, query: usize) -> usize {
        let mask = self.mask.as_ref();
        mask.map_or(self.time, |mask| mask.visible(sequence, query))
    }

    /// Calls `body` with the first query, the number of queries and the number of keys of each tile.
    fn tiles(&self, sequence: usize, mut body: impl FnMut(usize, usize, usize)) {
        for first in (0..self.time).step_by(TILE) {
            let rows = TILE.min(self.time - first);
            let keys = (first..first + rows).map(|query| self.visible(sequence, query));
            body(first, rows, keys.max().unwrap_or(0));
        }
    }

    fn scratch<F: Real>(&self) -> Scratch<F> {
        let zeros = |count| vec![F::zero(); count];
        let (rows, tile) = (self.time * self.head_width, TILE * self.time);
        Scratch {
            query: zeros(rows),
            key: zeros(rows),
            scores: zeros(tile),
            of_scores: zeros(tile),
            of_query: zeros(rows),
            of_key: zeros(rows),
        }
    }

    /// Copies a head's rows out of `x`, scaled and turned to their positions.
    fn load<F: Real>(
        &self,
        sequence: usize,
        (x, head): (&[F], Head),
        scale: F,
        turns: Option<&Turns<F>>,
        out: &mut [F],
    ) {
        vectorised(
            #[inline(always)]
            || {
                for (row, out) in out.chunks_exact_mut(head.width).enumerate() {
                    let start = head.first + row * head.stride;
                    let x = &x[start..start + head.width];
                    match turns {
                        None => {
                            for (out, x) in out.iter_mut().zip(x) {
                                *out = *x * scale;
                            }
                        }
                        Some(turns) => {
                            turn(
                                out,
                                x,
                                self.angles_at(sequence, row, turns),
                                scale,
                                F::one(),
                            );
                        }
                    }
                }
            },
        );
    }

    /// Writes a head's gradient into `out`, turned back and scaled: the transpose of [`Self::load`].
    fn store<F: Real>(
        &self,
        sequence: usize,
        (out, head): (&mut [F], Head),
        scale: F,
        turns: Option<&Turns<F>>,
        x: &[F],
    ) {
        vectorised(
            #[inline(always)]
            || {
                for (row, x) in x.chunks_exact(head.width).enumerate() {
                    let start = head.first + row * head.stride;
                    let out = &mut out[start..start + head.width];
                    match turns {
                        None => {
                            for (out, x) in out.iter_mut().zip(x) {
                                *out = *x * scale;
                            }
                        }
                        Some(turns) => {
                            let back = F::zero() - F::one();
                            turn(out, x, self.angles_at(sequence, row, turns), scale, back);
                        }
                    }
                }
            },
        );
    }

    #[inline(always)]
    fn angles_at<'a, F>(
        &self,
        sequence: usize,
        row: usize,
        turns: &'a Turns<F>,
    ) -> (&'a [F], &'a [F]) {
        let half = self.head_width / 2;
        let at = self.angles.as_ref().and_then(|angles| angles.at.as_ref());
        let position = at.map_or(row, |at| at[sequence * self.time + row] as usize);
        let range = position * half..(position + 1) * half;
        (&turns.cos[range.clone()], &turns.sin[range])
    }

    /// The probabilities of a tile, [rows, keys], in `scores`.
    fn probabilities<F: Real>(
        &self,
        sequence: usize,
        (first, rows, keys): (usize, usize, usize),
        (query, key): (&[F], &[F]),
        scores: &mut [F],
    ) {
        let width = self.head_width;
        let query = Matrix::new(&query[first * width..], rows, width);
        let out = MatrixMut::new(scores, rows, keys);
        multiply(
            out,
            Into::Fresh,
            query,
            Matrix::new(key, keys, width).t(),
            F::one(),
        );
        vectorised(
            #[inline(always)]
            || {
                for (row, scores) in scores[..rows * keys].chunks_exact_mut(keys).enumerate() {
                    let visible = self.visible(sequence, first + row);
                    softmax_of(&mut scores[..visible]);
                    scores[visible..].fill(F::zero());
                }
            },
        );
    }

    fn forward_sequence<F: Real>(
        &self,
        sequence: usize,
        [q, k, v]: [&[F]; 3],
        turns: Option<&Turns<F>>,
        scratch: &mut Scratch<F>,
        out: &mut [F],
    ) {
        let group = self.heads / self.key_heads;
        for head in 0..self.heads {
            let (place, key_place) = (self.query_head(head), self.key_head(head / group));
            let scale = self.scale();
            self.load(sequence, (q, place), scale, turns, &mut scratch.query);
            if head % group == 0 {
                self.load(sequence, (k, key_place), F::one(), turns, &mut scratch.key);
            }
            self.tiles(sequence, |first, rows, keys| {
                let operands = (&scratch.query[..], &scratch.key[..]);
                let tile = (first, rows, keys);
                self.probabilities(sequence, tile, operands, &mut scratch.scores);
                let weights = Matrix::new(&scratch.scores, rows, keys);
                let out = place.matrix_mut(out, first, rows);
                multiply(
                    out,
                    Into::Fresh,
                    weights,
                    key_place.matrix(v, 0, keys),
                    F::one(),
                );
            });
        }
    }

    fn backward_sequence<F: Real>(
        &self,
        sequence: usize,
        [q, k, v, dy]: [&[F]; 4],
        turns: Option<&Turns<F>>,
        scratch: &mut Scratch<F>,
        [dq, dk, dv]: [&mut [F]; 3],
    ) {
        let (group, scale) = (self.heads / self.key_heads, self.scale());
        for head in 0..self.heads {
            let (place, key_place) = (self.query_head(head), self.key_head(head / group));
            self.load(sequence, (q, place), scale, turns, &mut scratch.query);
            if head % group == 0 {
                self.load(sequence, (k, key_place), F::one(), turns, &mut scratch.key);
                scratch.of_key.fill(F::zero());
            }
            self.tiles(sequence, |first, rows, keys| {
                let operands = (&scratch.query[..], &scratch.key[..]);
                let tile = (first, rows, keys);
                self.probabilities(sequence, tile, operands, &mut scratch.scores);
                self.backward_tile(tile, scratch, (place, key_place), [v, dy], dv);
            });
            self.store(sequence, (dq, place), scale, turns, &scratch.of_query);
            if (head + 1) % group == 0 {
                self.store(sequence, (dk, key_place), F::one(), turns, &scratch.of_key);
            }
        }
    }

    /// Adds what one tile, whose probabilities are in the scratch, says of the gradients.
    fn backward_tile<F: Real>(
        &self,
        (first, rows, keys): (usize, usize, usize),
        scratch: &mut Scratch<F>,
        (place, key_place): (Head, Head),
        [v, dy]: [&[F]; 2],
        dv: &mut [F],
    ) {
        let (width, one) = (self.head_width, F::one());
        let dy = place.matrix(dy, first, rows);
        let weights = Matrix::new(&scratch.scores, rows, keys);
        let of_value = key_place.matrix_mut(dv, 0, keys);
        multiply(of_value, Into::Sum, weights.t(), dy, one);
        let of_scores = MatrixMut::new(&mut scratch.of_scores, rows, keys);
        let value = key_place.matrix(v, 0, keys);
        multiply(of_scores, Into::Fresh, dy, value.t(), one);
        let count = rows * keys;
        of_softmax(
            &scratch.scores[..count],
            &mut scratch.of_scores[..count],
            keys,
        );
        let of_scores = Matrix::new(&scratch.of_scores, rows, keys);
        let from = first * width;
        multiply(
            MatrixMut::new(&mut scratch.of_query[from..], rows, width),
            Into::Fresh,
            of_scores,
            Matrix::new(&scratch.key, keys, width),
            one,
        );
        multiply(
            MatrixMut::new(&mut scratch.of_key, keys, width),
            Into::Sum,
            of_scores.t(),
            Matrix::new(&scratch.query[from..], rows, width),
            one,
        );
    }
}

/// (x₁, x₂) → scale · (x₁ cos a − x₂ sin a, x₂ cos a + x₁ sin a), or the other way for a `direction` of −1.
#[inline(always)]
fn turn<F: Real>(out: &mut [F], x: &[F], (cos, sin): (&[F], &[F]), scale: F, direction: F) {
    let half = x.len() / 2;
    let (x1, x2) = x.split_at(half);
    let (y1, y2) = out.split_at_mut(half);
    let outputs = y1.iter_mut().zip(y2);
    for ((y1, y2), ((x1, x2), (cos, sin))) in
        outputs.zip(x1.iter().zip(x2).zip(cos.iter().zip(sin)))
    {
        let (cos, sin) = (*cos * scale, *sin * scale * direction);
        *y1 = *x1 * cos - *x2 * sin;
        *y2 = *x2 * cos + *x1 * sin;
    }
}

/// Softmax of a row that is not empty, in place.
#[inline(always)]
fn softmax_of<F: Real>(row: &mut [F]) {
    let most = max(row);
    let share = F::one() / exp_and_sum(row, most);
    for x in row.iter_mut() {
        *x *= share;
    }
}

/// Turns the gradients of probabilities into those of scores: p ⊙ (g − Σ p g), row by row.
fn of_softmax<F: Real>(probabilities: &[F], gradients: &mut [F], keys: usize) {
    vectorised(
        #[inline(always)]
        || {
            let rows = gradients.chunks_exact_mut(keys);
            for (gradients, weights) in rows.zip(probabilities.chunks_exact(keys)) {
                let along = dot::<F, F>(weights, gradients);
                for (gradient, weight) in gradients.iter_mut().zip(weights) {
                    *gradient = *weight * (*gradient - along);
                }
            }
        },
    );
}

impl Kernel for Attention {
    fn run<F: Real>(&self, operands: &[&[F]]) -> Vec<Vec<F>> {
        let (q, k, v) = (operands[0], operands[1], operands[2]);
        let size = self.time * self.heads * self.head_width;
        let key_size = self.time * self.key_heads * self.head_width;
        let turns = self.turns::<F>();
        let mut out = vec![F::zero(); self.batch * size];
        let keys = k.par_chunks(key_size).zip(v.par_chunks(key_size));
        out.par_chunks_mut(size)
            .zip(q.par_chunks(size).zip(keys))
            .enumerate()
            .for_each_init(
                || self.scratch(),
                |scratch, (sequence, (out, (q, (k, v))))| {
                    self.forward_sequence(sequence, [q, k, v], turns.as_ref(), scratch, out);
                },
            );
        vec![out]
    }
}

struct Backward(Attention);

impl Kernel for Backward {
    fn run<F: Real>(&self, operands: &[&[F]]) -> Vec<Vec<F>> {
        let attention = &self.0;
        let size = attention.time * attention.heads * attention.head_width;
        let key_size = attention.time * attention.key_heads * attention.head_width;
        let turns = attention.turns::<F>();
        let zeros = |count| vec![F::zero(); count];
        let mut dq = zeros(attention.batch * size);
        let mut dk = zeros(attention.batch * key_size);
        let mut dv = zeros(attention.batch * key_size);
        let results = dk.par_chunks_mut(key_size).zip(dv.par_chunks_mut(key_size));
        dq.par_chunks_mut(size)
            .zip(results)
            .enumerate()
            .for_each_init(
                || attention.scratch(),
                |scratch, (sequence, (dq, (dk, dv)))| {
                    let part = |operand: usize, size: usize| {
                        &operands[operand][sequence * size..(sequence + 1) * size]
                    };
                    let inputs = [
                        part(0, size),
                        part(1, key_size),
                        part(2, key_size),
                        part(3, size),
                    ];
                    let results = [dq, dk, dv];
                    attention.backward_sequence(sequence, inputs, turns.as_ref(), scratch, results);
                },
            );
        vec![dq, dk, dv]
    }
}

impl CustomOp3 for Attention {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn cpu_fwd(
        &self,
        q: &CpuStorage,
        q_layout: &Layout,
        k: &CpuStorage,
        k_layout: &Layout,
        v: &CpuStorage,
        v_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let operands = [(q, q_layout), (k, k_layout), (v, v_layout)];
        run_one(self, &operands, q_layout.shape())
    }

    fn bwd(
        &self,
        q: &Tensor,
        k: &Tensor,
        v: &Tensor,
        _y: &Tensor,
        dy: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let backward = Backward(self.clone());
        let shapes = [q.shape(), k.shape(), v.shape()];
        let [dq, dk, dv] = run_on_tensors(&backward, &[q, k, v, dy], shapes)?;
        Ok((Some(dq), Some(dk), Some(dv)))
    }
}
