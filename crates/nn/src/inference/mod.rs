//! Answering with a trained Transformer: cached keys and values, batches whose sequences end at different times, weights
//! in 8 bits or as they are, and no allocation per token.
//!
//! An [`Engine`] holds a model's weights in the form that inference wants, a [`Session`] the sequences that are being
//! read. Both compute what [`crate::Decoder`] computes; neither can learn.
//!
//! ```
//! use nn::inference::{Engine, Precision};
//! use nn::{Decoder, DecoderConfig, Device, ParameterStore, RotaryScaling};
//!
//! let mut store = ParameterStore::new(7, &Device::Cpu);
//! let config = DecoderConfig {
//!     vocabulary: 50, width: 16, layers: 2, heads: 2, key_heads: 1, hidden: 24, positions: 32,
//!     rotary_base: 10_000.0, rotary_scaling: RotaryScaling::Unscaled, norm_epsilon: 1e-6, attention_bias: false, tied: true, dropout: 0.0,
//! };
//! let decoder = Decoder::new(&mut store, &config)?;
//! let engine = Engine::new(&decoder, Precision::Int8)?;
//! let mut session = engine.session(1, 32)?;
//! let logits = session.read(0, &[3, 1, 4])?;
//! let next = (0..50).max_by(|a, b| logits[*a].total_cmp(&logits[*b])).unwrap_or(0);
//! assert_eq!(session.step(&[(0, next as u32)])?.len(), 50);
//! # Ok::<(), nn::NnError>(())
//! ```

mod projection;
mod session;

use candle_core::{DType, Tensor};

use crate::{Decoder, NnError, RmsNorm, Rotary, TransformerBlock};
use projection::Projection;

pub use session::Session;

/// The form of the weights that products read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// Single precision, as trained.
    F32,
    /// 8 bits with a scale a row; inputs are rounded to 14 bits. A quarter of the memory.
    Int8,
}

/// The parts of a Transformer that an engine answers with.
#[derive(Debug, Clone, Copy)]
pub struct Parts<'a> {
    /// Vectors of the tokens, [V, D].
    pub table: &'a Tensor,
    /// The blocks, first to last.
    pub blocks: &'a [TransformerBlock],
    /// The norm after the last block.
    pub norm: &'a RmsNorm,
    /// What states are scored against, [V, D]; the table itself where it is tied.
    pub output: &'a Tensor,
    /// Angles of the positions.
    pub rotary: &'a Rotary,
}

/// A Transformer's weights, laid out for inference.
#[derive(Debug, Clone)]
pub struct Engine {
    width: usize,
    heads: usize,
    key_heads: usize,
    hidden: usize,
    vocabulary: usize,
    positions: usize,
    table: Table,
    blocks: Vec<Block>,
    norm: Norm,
    /// The output rows, where they are not the table's own.
    output: Option<Projection>,
    /// Cosines and sines of the positions, [positions, W/2] each.
    angles: (Vec<f32>, Vec<f32>),
}

/// Vectors of the tokens, which serve as output rows too where the model is tied.
#[derive(Debug, Clone)]
enum Table {
    Own(Vec<f32>),
    Output(Projection),
}

#[derive(Debug, Clone)]
struct Norm {
    gain: Vec<f32>,
    epsilon: f64,
}

#[derive(Debug, Clone)]
struct Block {
    attention_norm: Norm,
    /// Queries, keys and values in one product: [(H + 2 G) · W, D].
    query_key_value: Projection,
    attention_output: Projection,
    feed_forward_norm: Norm,
    /// Gate and up in one product: [2 hidden, D].
    gate_up: Projection,
    down: Projection,
}

impl Norm {
    fn new(norm: &RmsNorm) -> Result<Self, NnError> {
        Ok(Self {
            gain: numbers(&norm.gain)?,
            epsilon: norm.epsilon,
        })
    }
}

/// The numbers of a tensor of any shape, in single precision.
fn numbers(tensor: &Tensor) -> Result<Vec<f32>, NnError> {
    Ok(tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?)
}

impl Engine {
    /// Lays a decoder's weights out.
    ///
    /// # Errors
    /// [`NnError::Tensor`] where memory is short.
    pub fn new(decoder: &Decoder, precision: Precision) -> Result<Self, NnError> {
        let parts = Parts {
            table: decoder.tokens.table(),
            blocks: &decoder.blocks,
            norm: &decoder.norm,
            output: decoder.output_table(),
            rotary: &decoder.rotary,
        };
        Self::of(parts, precision)
    }

    /// Lays the weights of any Transformer of such blocks out.
    ///
    /// # Errors
    /// [`NnError::Config`] for a Transformer without blocks, [`NnError::Tensor`] where memory is short.
    pub fn of(parts: Parts<'_>, precision: Precision) -> Result<Self, NnError> {
        let Some(first) = parts.blocks.first() else {
            return Err(NnError::Config {
                field: "layers",
                value: "0".to_owned(),
                expected: "at least one block",
            });
        };
        let (vocabulary, width) = parts.table.dims2()?;
        let output = Projection::new(&[(parts.output, None)], precision)?;
        let tied = parts.table.id() == parts.output.id();
        let single = |numbers: &[f64]| numbers.iter().map(|x| *x as f32).collect();
        let (cos, sin) = &parts.rotary.table;
        let blocks = parts
            .blocks
            .iter()
            .map(|block| Block::new(block, precision));
        let (table, output) = if tied {
            (Table::Output(output), None)
        } else {
            (Table::Own(numbers(parts.table)?), Some(output))
        };
        Ok(Self {
            width,
            heads: first.attention.heads,
            key_heads: first.attention.key_heads,
            hidden: first.feed_forward.gate.weight().dim(0)?,
            vocabulary,
            positions: parts.rotary.positions(),
            table,
            blocks: blocks.collect::<Result<_, _>>()?,
            norm: Norm::new(parts.norm)?,
            output,
            angles: (single(cos), single(sin)),
        })
    }

    /// Opens a session for up to `batch` sequences of up to `positions` tokens, with all the memory it will use.
    ///
    /// # Errors
    /// [`NnError::Shape`] where the model has fewer positions.
    pub fn session(&self, batch: usize, positions: usize) -> Result<Session<'_>, NnError> {
        Session::new(self, batch, positions)
    }

    /// The number of tokens V.
    pub fn vocabulary(&self) -> usize {
        self.vocabulary
    }

    /// The model width D.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Bytes of the weights that a token's products read.
    pub fn weight_bytes(&self) -> usize {
        let blocks = self.blocks.iter().map(|block| {
            let parts = [
                &block.query_key_value,
                &block.attention_output,
                &block.gate_up,
                &block.down,
            ];
            parts.map(Projection::bytes).iter().sum::<usize>()
        });
        blocks.sum::<usize>() + self.output_rows().bytes()
    }

    fn head_width(&self) -> usize {
        self.width / self.heads
    }

    fn key_width(&self) -> usize {
        self.key_heads * self.head_width()
    }

    fn output_rows(&self) -> &Projection {
        match (&self.output, &self.table) {
            (Some(output), _) | (None, Table::Output(output)) => output,
            (None, Table::Own(_)) => unreachable!("invariant: an untied model has output rows"),
        }
    }

    /// The vector of a token, [D].
    fn vector(&self, token: u32, out: &mut [f32]) {
        let row = token as usize;
        match &self.table {
            Table::Own(table) => out.copy_from_slice(&table[row * self.width..][..self.width]),
            Table::Output(rows) => rows.row(row, out),
        }
    }
}

impl Block {
    fn new(block: &TransformerBlock, precision: Precision) -> Result<Self, NnError> {
        let (attention, fed) = (&block.attention, &block.feed_forward);
        let stack = |layers: &[&crate::Linear]| {
            let weights = layers.iter().map(|layer| layer.merged_weight());
            let weights = weights.collect::<Result<Vec<_>, _>>()?;
            let biases = layers.iter().map(|layer| layer.bias());
            Projection::new(&weights.iter().zip(biases).collect::<Vec<_>>(), precision)
        };
        Ok(Self {
            attention_norm: Norm::new(&block.attention_norm)?,
            query_key_value: stack(&[&attention.query, &attention.key, &attention.value])?,
            attention_output: stack(&[&attention.output])?,
            feed_forward_norm: Norm::new(&block.feed_forward_norm)?,
            gate_up: stack(&[&fed.gate, &fed.up])?,
            down: stack(&[&fed.down])?,
        })
    }
}

#[cfg(test)]
mod tests;
