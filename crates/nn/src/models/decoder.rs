mod lora;

use std::collections::BTreeSet;

use candle_core::{DType, Tensor};

use crate::{
    Embedding, Linear, Mask, NnError, ParameterStore, Pass, RmsNorm, Rotary, RotaryScaling,
    TransformerBlock, TransformerBlockConfig, losses,
};

pub use lora::LoraTarget;

/// Sizes of a [`Decoder`].
#[derive(Debug, Clone, PartialEq)]
pub struct DecoderConfig {
    /// Tokens V.
    pub vocabulary: usize,
    /// Model width D.
    pub width: usize,
    /// Number of blocks.
    pub layers: usize,
    /// Attention heads H, a divisor of the width.
    pub heads: usize,
    /// Key and value heads G, a divisor of `heads`.
    pub key_heads: usize,
    /// Width of the feed-forward layers.
    pub hidden: usize,
    /// Positions that a sequence may have.
    pub positions: usize,
    /// Base of the rotary angles.
    pub rotary_base: f64,
    /// How the rotary angles are slowed for sequences longer than those of the first training.
    pub rotary_scaling: RotaryScaling,
    /// ε of the norms.
    pub norm_epsilon: f64,
    /// Whether the projections of queries, keys and values have biases.
    pub attention_bias: bool,
    /// Whether the token table serves as output weights too.
    pub tied: bool,
    /// Dropout rate on each part's output while training.
    pub dropout: f64,
}

/// A causal language model of the Llama family: tokens → blocks → norm → logits.
///
/// Source: Touvron et al., "`LLaMA`: Open and Efficient Foundation Language Models", 2023; with biases on queries, keys
/// and values it is Qwen2 (Yang et al., 2024). Parameters have the names of the Hugging Face layout.
#[derive(Debug, Clone)]
pub struct Decoder {
    config: DecoderConfig,
    pub(crate) tokens: Embedding,
    pub(crate) blocks: Vec<TransformerBlock>,
    pub(crate) rotary: Rotary,
    pub(crate) norm: RmsNorm,
    head: Option<Linear>,
}

/// Standard deviation of the token table's first values, as in the papers' code.
const TABLE_STD: f64 = 0.02;

impl Decoder {
    /// Creates the parameters `model.embed_tokens`, `model.layers.0` …, `model.norm` and, where the table is not tied,
    /// `lm_head`.
    ///
    /// # Errors
    /// [`NnError::Config`] for sizes that do not fit, [`NnError::DuplicateParameter`] where a name is taken.
    pub fn new(store: &mut ParameterStore, config: &DecoderConfig) -> Result<Self, NnError> {
        let width = config.width;
        let block = TransformerBlockConfig {
            width,
            heads: config.heads,
            key_heads: config.key_heads,
            attention_bias: config.attention_bias,
            hidden: config.hidden,
            dropout: config.dropout,
            norm_epsilon: config.norm_epsilon,
        };
        let table = "model.embed_tokens";
        let tokens = Embedding::new(store, table, config.vocabulary, width, TABLE_STD)?;
        let blocks = (0..config.layers)
            .map(|index| TransformerBlock::new(store, &format!("model.layers.{index}"), block))
            .collect::<Result<_, _>>()?;
        let head = (!config.tied)
            .then(|| Linear::new(store, "lm_head", width, config.vocabulary, false))
            .transpose()?;
        Ok(Self {
            tokens,
            blocks,
            rotary: Rotary::scaled(
                width / config.heads,
                config.positions,
                config.rotary_base,
                config.rotary_scaling,
                // Angles are numbers of the computation; f64 stores compute in f64.
                store.dtype(),
                store.device(),
            )?,
            norm: RmsNorm::new(store, "model.norm", width, config.norm_epsilon)?,
            head,
            config: config.clone(),
        })
    }

    /// The sizes.
    pub fn config(&self) -> &DecoderConfig {
        &self.config
    }

    /// The states from which the next tokens are told.
    ///
    /// # Shapes
    /// ids [B, T] in `u32` → [B, T, D].
    ///
    /// # Errors
    /// [`NnError::Shape`] where an id is not below V or T exceeds the positions.
    pub fn states(&self, ids: &Tensor, pass: &mut Pass<'_>) -> Result<Tensor, NnError> {
        let (_, time) = ids.dims2()?;
        let mask = Mask::causal(time);
        let mut x = self.tokens.forward(ids)?;
        for block in &self.blocks {
            x = block.forward(&x, Some(&mask), &self.rotary, None, pass)?;
        }
        self.norm.forward(&x)
    }

    /// The logits of the token after each.
    ///
    /// # Shapes
    /// ids [B, T] in `u32` → [B, T, V].
    ///
    /// # Errors
    /// As [`Decoder::states`].
    pub fn logits(&self, ids: &Tensor, pass: &mut Pass<'_>) -> Result<Tensor, NnError> {
        let states = self.states(ids, pass)?;
        let (batch, time, width) = states.dims3()?;
        let flat = states.reshape((batch * time, width))?;
        let logits = flat.matmul(&self.output_table().t()?)?;
        Ok(logits.reshape((batch, time, ()))?)
    }

    /// Cross-entropy of given tokens at given places, with weights: entries are (row of the flattened [B · T], token,
    /// weight). Only the rows that an entry names meet the vocabulary.
    ///
    /// # Shapes
    /// ids [B, T] in `u32` → scalar.
    ///
    /// # Errors
    /// As [`Decoder::states`] and [`losses::linear_cross_entropy`].
    pub fn loss(
        &self,
        ids: &Tensor,
        entries: &[(u32, u32, f32)],
        pass: &mut Pass<'_>,
    ) -> Result<Tensor, NnError> {
        let states = self.states(ids, pass)?;
        let (batch, time, width) = states.dims3()?;
        let flat = states.reshape((batch * time, width))?;
        let named: BTreeSet<u32> = entries.iter().map(|entry| entry.0).collect();
        let last = named.last().map_or(0, |row| *row as usize);
        if named.len() == batch * time || last >= batch * time {
            return losses::linear_cross_entropy(&flat, self.output_table(), entries, 0.0);
        }
        let rows: Vec<u32> = named.into_iter().collect();
        // [B · T, D] → [N, D]
        let learnt = flat.index_select(&Tensor::new(rows.as_slice(), flat.device())?, 0)?;
        let place = |row: u32| rows.partition_point(|other| *other < row) as u32;
        let entries: Vec<(u32, u32, f32)> = entries
            .iter()
            .map(|(row, token, weight)| (place(*row), *token, *weight))
            .collect();
        losses::linear_cross_entropy(&learnt, self.output_table(), &entries, 0.0)
    }

    /// The rows that states are scored against, [V, D].
    pub(crate) fn output_table(&self) -> &Tensor {
        match &self.head {
            None => self.tokens.table(),
            Some(head) => head.weight(),
        }
    }

    /// The number type of the parameters.
    pub fn dtype(&self) -> DType {
        self.tokens.table().dtype()
    }
}
