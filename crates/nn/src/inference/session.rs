use rayon::prelude::*;

use super::projection::Scratch;
use super::{Block, Engine, Norm};
use crate::NnError;
use crate::simd::{dot, exp_and_sum, exp_f32, max, vectorised};

/// Tokens of a prompt that are read at once.
const CHUNK: usize = 64;

/// Queries that one task of the thread pool answers, at least.
const QUERIES: usize = 4;

/// Sequences that an [`Engine`] is reading, each from its first token to as far as it came.
///
/// All memory is taken when the session is opened. Sequences advance independently: those that have ended are simply no
/// longer passed, and [`Session::restart`] frees a place for another.
#[derive(Debug)]
pub struct Session<'a> {
    engine: &'a Engine,
    positions: usize,
    /// Tokens read of each sequence.
    lengths: Vec<usize>,
    /// Keys and values of each block, [sequences, positions, G · W].
    keys: Vec<Vec<f32>>,
    values: Vec<Vec<f32>>,
    buffers: Buffers,
}

/// Memory of one pass through the blocks.
#[derive(Debug)]
struct Buffers {
    /// Sequence and position of each row.
    rows: Vec<(usize, usize)>,
    x: Vec<f32>,
    normed: Vec<f32>,
    query_key_value: Vec<f32>,
    mixed: Vec<f32>,
    projected: Vec<f32>,
    gate_up: Vec<f32>,
    gated: Vec<f32>,
    scores: Vec<f32>,
    logits: Vec<f32>,
    products: Scratch,
}

/// Of which rows a pass makes states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    All,
    Last,
}

impl<'a> Session<'a> {
    pub(super) fn new(engine: &'a Engine, batch: usize, positions: usize) -> Result<Self, NnError> {
        if positions > engine.positions {
            return Err(NnError::Shape {
                operation: "inference session",
                expected: format!("at most the model's {} positions", engine.positions),
                got: format!("{positions}"),
            });
        }
        let rows = batch.max(CHUNK.min(positions));
        let zeros = |count: usize| vec![0f32; count];
        let cache = || vec![zeros(batch * positions * engine.key_width()); engine.blocks.len()];
        let (width, key_width) = (engine.width, engine.key_width());
        let widest = [width + 2 * key_width, 2 * engine.hidden, width];
        // Logits are made for one row a sequence, everything else for as many as are read at once.
        let products = (rows * widest.into_iter().max().unwrap_or(0))
            .max(batch * engine.vocabulary)
            .div_ceil(rows);
        Ok(Self {
            engine,
            positions,
            lengths: vec![0; batch],
            keys: cache(),
            values: cache(),
            buffers: Buffers {
                rows: Vec::with_capacity(rows),
                x: zeros(rows * width),
                normed: zeros(rows * width),
                query_key_value: zeros(rows * (width + 2 * key_width)),
                mixed: zeros(rows * width),
                projected: zeros(rows * width),
                gate_up: zeros(rows * 2 * engine.hidden),
                gated: zeros(rows * engine.hidden),
                scores: zeros(rows * positions),
                logits: zeros(batch * engine.vocabulary),
                products: Scratch::new(rows, products, width.max(engine.hidden)),
            },
        })
    }

    /// The number of tokens read of a sequence.
    pub fn length(&self, sequence: usize) -> usize {
        self.lengths[sequence]
    }

    /// Forgets what was read of a sequence.
    pub fn restart(&mut self, sequence: usize) {
        self.lengths[sequence] = 0;
    }

    /// Lets a sequence go on from what another has read, as when several drafts follow one prompt.
    pub fn copy(&mut self, from: usize, to: usize) {
        let length = self.lengths[from];
        let (size, count) = (
            self.positions * self.engine.key_width(),
            length * self.engine.key_width(),
        );
        for cache in self.keys.iter_mut().chain(&mut self.values) {
            cache.copy_within(from * size..from * size + count, to * size);
        }
        self.lengths[to] = length;
    }

    /// Reads the next tokens of a sequence, and returns the logits of the token after them, [V].
    ///
    /// # Errors
    /// [`NnError::Shape`] for an unknown sequence or token, no tokens, or more than the sequence has positions for.
    pub fn read(&mut self, sequence: usize, tokens: &[u32]) -> Result<&[f32], NnError> {
        self.read_state(sequence, tokens)?;
        Ok(self.logits(1))
    }

    /// Reads the next tokens of a sequence, and returns the state after the last, [D].
    ///
    /// # Errors
    /// As [`Session::read`].
    pub fn read_state(&mut self, sequence: usize, tokens: &[u32]) -> Result<&[f32], NnError> {
        self.check(sequence, tokens.len())?;
        for token in tokens {
            self.check_token(*token)?;
        }
        let width = self.engine.width;
        for tokens in tokens.chunks(self.chunk()) {
            for (token, x) in tokens.iter().zip(self.buffers.x.chunks_exact_mut(width)) {
                self.engine.vector(*token, x);
            }
            self.read_rows(sequence, tokens.len());
        }
        Ok(&self.buffers.normed[..width])
    }

    /// Reads vectors in place of tokens, such as a soft prefix, and returns the state after the last, [D].
    ///
    /// # Shapes
    /// vectors [T, D].
    ///
    /// # Errors
    /// [`NnError::Shape`] for an unknown sequence, numbers that are no rows of width D, none of them, or more than the
    /// sequence has positions for.
    pub fn read_vectors(&mut self, sequence: usize, vectors: &[f32]) -> Result<&[f32], NnError> {
        let width = self.engine.width;
        if !vectors.len().is_multiple_of(width) {
            return Err(NnError::Shape {
                operation: "inference",
                expected: format!("rows of {width} numbers"),
                got: format!("{} numbers", vectors.len()),
            });
        }
        self.check(sequence, vectors.len() / width)?;
        for vectors in vectors.chunks(self.chunk() * width) {
            self.buffers.x[..vectors.len()].copy_from_slice(vectors);
            self.read_rows(sequence, vectors.len() / width);
        }
        Ok(&self.buffers.normed[..width])
    }

    /// Reads one more token of each given sequence, and returns the logits of the tokens after them, [N, V] for N
    /// sequences in their order.
    ///
    /// # Errors
    /// [`NnError::Shape`] for an unknown sequence or token, one given twice, or one whose positions are used up.
    pub fn step(&mut self, next: &[(usize, u32)]) -> Result<&[f32], NnError> {
        for (index, (sequence, token)) in next.iter().enumerate() {
            self.check(*sequence, 1)?;
            self.check_token(*token)?;
            if next[..index].iter().any(|other| other.0 == *sequence) {
                return Err(NnError::Shape {
                    operation: "inference",
                    expected: "each sequence once".to_owned(),
                    got: format!("sequence {sequence} twice"),
                });
            }
        }
        let rows = next
            .iter()
            .zip(self.buffers.x.chunks_exact_mut(self.engine.width));
        for ((_, token), x) in rows {
            self.engine.vector(*token, x);
        }
        self.buffers.rows.clear();
        for (sequence, _) in next {
            self.buffers.rows.push((*sequence, self.lengths[*sequence]));
            self.lengths[*sequence] += 1;
        }
        self.pass(Wanted::All);
        Ok(self.logits(next.len()))
    }

    fn chunk(&self) -> usize {
        CHUNK.min(self.positions)
    }

    fn check(&self, sequence: usize, tokens: usize) -> Result<(), NnError> {
        let fault = |expected: String, got: String| {
            Err(NnError::Shape {
                operation: "inference",
                expected,
                got,
            })
        };
        let Some(length) = self.lengths.get(sequence) else {
            let expected = format!("a sequence below {}", self.lengths.len());
            return fault(expected, format!("sequence {sequence}"));
        };
        if tokens == 0 {
            return fault("at least one token".to_owned(), "none".to_owned());
        }
        if length + tokens > self.positions {
            let expected = format!("at most {} tokens a sequence", self.positions);
            return fault(expected, format!("{}", length + tokens));
        }
        Ok(())
    }

    fn check_token(&self, token: u32) -> Result<(), NnError> {
        if (token as usize) < self.engine.vocabulary {
            return Ok(());
        }
        Err(NnError::Shape {
            operation: "inference",
            expected: format!("tokens below {}", self.engine.vocabulary),
            got: format!("token {token}"),
        })
    }

    /// Passes the vectors in `x` as the next `count` tokens of a sequence; the state of the last is wanted.
    fn read_rows(&mut self, sequence: usize, count: usize) {
        let first = self.lengths[sequence];
        self.buffers.rows.clear();
        let rows = (first..first + count).map(|position| (sequence, position));
        self.buffers.rows.extend(rows);
        self.lengths[sequence] += count;
        self.pass(Wanted::Last);
    }

    /// Takes the rows in `x` through the blocks and leaves the wanted states in `normed`.
    fn pass(&mut self, wanted: Wanted) {
        let engine = self.engine;
        let last = engine.blocks.len() - 1;
        for (index, block) in engine.blocks.iter().enumerate() {
            let cache = (&mut self.keys[index][..], &mut self.values[index][..]);
            // After the last block's keys and values, nobody looks at the rows before the last.
            let wanted = if index == last { wanted } else { Wanted::All };
            self.buffers
                .block(engine, block, cache, self.positions, wanted);
        }
        let count = self.buffers.rows.len() * engine.width;
        let buffers = &mut self.buffers;
        normalise(
            &engine.norm,
            &buffers.x[..count],
            &mut buffers.normed[..count],
        );
    }

    /// The logits of the first `count` states.
    fn logits(&mut self, count: usize) -> &[f32] {
        let engine = self.engine;
        let buffers = &mut self.buffers;
        let logits = &mut buffers.logits[..count * engine.vocabulary];
        let states = &buffers.normed[..count * engine.width];
        engine
            .output_rows()
            .apply(states, &mut buffers.products, logits);
        logits
    }
}

impl Buffers {
    /// One block over the rows; `cache` are its keys and values. Of rows that are not wanted only keys and values
    /// are made, and they are dropped.
    fn block(
        &mut self,
        engine: &Engine,
        block: &Block,
        (keys, values): (&mut [f32], &mut [f32]),
        positions: usize,
        wanted: Wanted,
    ) {
        let (width, key_width) = (engine.width, engine.key_width());
        let mut count = self.rows.len();
        let all = width + 2 * key_width;
        normalise(
            &block.attention_norm,
            &self.x[..count * width],
            &mut self.normed[..count * width],
        );
        let out = &mut self.query_key_value[..count * all];
        let normed = &self.normed[..count * width];
        block.query_key_value.apply(normed, &mut self.products, out);
        for (row, (sequence, position)) in self.rows.iter().enumerate() {
            let place = (sequence * positions + position) * key_width;
            let line = &mut self.query_key_value[row * all..(row + 1) * all];
            turn(engine, *position, &mut line[..width + key_width]);
            keys[place..place + key_width].copy_from_slice(&line[width..width + key_width]);
            values[place..place + key_width].copy_from_slice(&line[width + key_width..]);
        }
        if wanted == Wanted::Last && count > 1 {
            self.rows.drain(..count - 1);
            self.x.copy_within((count - 1) * width..count * width, 0);
            self.query_key_value
                .copy_within((count - 1) * all..count * all, 0);
            count = 1;
        }
        let queries = self.query_key_value.par_chunks(all).zip(&self.rows);
        let places = self.mixed.par_chunks_mut(width);
        places
            .zip(self.scores.par_chunks_mut(positions))
            .zip(queries)
            .with_min_len(QUERIES)
            .for_each(|((out, scores), (line, (sequence, position)))| {
                let place = sequence * positions * key_width;
                let read = place..place + (position + 1) * key_width;
                let cache = (&keys[read.clone()], &values[read]);
                attend(engine, &line[..width], cache, scores, out);
            });
        let size = count * width;
        let mixed = &self.mixed[..size];
        let projected = &mut self.projected[..size];
        block
            .attention_output
            .apply(mixed, &mut self.products, projected);
        add(&mut self.x[..size], projected);
        let normed = &mut self.normed[..size];
        normalise(&block.feed_forward_norm, &self.x[..size], normed);
        let gate_up = &mut self.gate_up[..count * 2 * engine.hidden];
        block.gate_up.apply(normed, &mut self.products, gate_up);
        let gated = &mut self.gated[..count * engine.hidden];
        gate(gate_up, gated, engine.hidden);
        let projected = &mut self.projected[..size];
        block.down.apply(gated, &mut self.products, projected);
        add(&mut self.x[..size], projected);
    }
}

/// γ · x / √(mean(x²) + ε), row by row.
fn normalise(norm: &Norm, x: &[f32], out: &mut [f32]) {
    let width = norm.gain.len();
    vectorised(
        #[inline(always)]
        || {
            for (x, out) in x.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
                let mean = f64::from(dot::<f32, f32>(x, x)) / width as f64;
                let scale = (1.0 / (mean + norm.epsilon).sqrt()) as f32;
                for ((out, x), gain) in out.iter_mut().zip(x).zip(&norm.gain) {
                    *out = *x * scale * *gain;
                }
            }
        },
    );
}

/// Turns the heads of queries and keys to a position.
fn turn(engine: &Engine, position: usize, heads: &mut [f32]) {
    let width = engine.head_width();
    let half = width / 2;
    let cos = &engine.angles.0[position * half..(position + 1) * half];
    let sin = &engine.angles.1[position * half..(position + 1) * half];
    vectorised(
        #[inline(always)]
        || {
            for head in heads.chunks_exact_mut(width) {
                let (first, second) = head.split_at_mut(half);
                let pairs = first.iter_mut().zip(second).zip(cos.iter().zip(sin));
                for ((x1, x2), (cos, sin)) in pairs {
                    (*x1, *x2) = (*x1 * cos - *x2 * sin, *x2 * cos + *x1 * sin);
                }
            }
        },
    );
}

/// The heads' mixtures of the values for one query [D], over keys and values [T, G · W].
fn attend(
    engine: &Engine,
    query: &[f32],
    (keys, values): (&[f32], &[f32]),
    scores: &mut [f32],
    out: &mut [f32],
) {
    let (width, stride) = (engine.head_width(), engine.key_width());
    let group = engine.heads / engine.key_heads;
    let scores = &mut scores[..keys.len() / stride];
    let scale = (width as f32).powf(-0.5);
    vectorised(
        #[inline(always)]
        || {
            for (head, out) in out.chunks_exact_mut(width).enumerate() {
                let query = &query[head * width..(head + 1) * width];
                let from = head / group * width;
                for (score, key) in scores.iter_mut().zip(keys.chunks_exact(stride)) {
                    *score = dot::<f32, f32>(query, &key[from..from + width]) * scale;
                }
                let most = max(scores);
                let share = 1.0 / exp_and_sum(scores, most);
                out.fill(0.0);
                for (weight, value) in scores.iter().zip(values.chunks_exact(stride)) {
                    let weight = *weight * share;
                    for (out, value) in out.iter_mut().zip(&value[from..from + width]) {
                        *out += weight * *value;
                    }
                }
            }
        },
    );
}

/// silu(gate) ⊙ up over rows that hold both side by side.
fn gate(gate_up: &[f32], out: &mut [f32], hidden: usize) {
    vectorised(
        #[inline(always)]
        || {
            let rows = gate_up.chunks_exact(2 * hidden);
            for (row, out) in rows.zip(out.chunks_exact_mut(hidden)) {
                let (gate, up) = row.split_at(hidden);
                for ((out, gate), up) in out.iter_mut().zip(gate).zip(up) {
                    *out = *gate / (1.0 + exp_f32(-*gate)) * *up;
                }
            }
        },
    );
}

fn add(x: &mut [f32], added: &[f32]) {
    for (x, added) in x.iter_mut().zip(added) {
        *x += *added;
    }
}
