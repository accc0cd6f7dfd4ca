//! The learnt part of the native model.

use nn::{
    DType, Device, Embedding, Init, KeyValueCache, Linear, Mask, NnError, ParameterStore, Pass,
    RmsNorm, Rotary, Tensor, TransformerBlock, TransformerBlockConfig, log_softmax, losses,
};

use super::batch::Batch;
use super::config::NativeConfig;

/// Standard deviation of the token table's first values.
const TABLE_STD: f64 = 0.05;
/// Standard deviation of the first values of the map from user state to soft prefix.
const PREFIX_STD: f64 = 0.02;
/// Base of the rotary angles, as in `RoFormer`.
const ROTARY_BASE: f64 = 10_000.0;
const NORM_EPSILON: f64 = 1e-6;

/// A Llama-style decoder behind a soft prefix; see the module for the paper and the differences.
#[derive(Debug)]
pub(super) struct Network {
    pub(super) store: ParameterStore,
    tokens: Embedding,
    prefix: Linear,
    blocks: Vec<TransformerBlock>,
    rotary: Rotary,
    norm: RmsNorm,
    prefix_vectors: usize,
}

/// The positions that decoding has read, one cache a block.
#[derive(Debug, Clone)]
pub(super) struct DecodingState {
    caches: Vec<KeyValueCache>,
}

impl Network {
    pub(super) fn new(config: &NativeConfig, vocabulary: usize) -> Result<Self, NnError> {
        let mut store = ParameterStore::new(config.seed, &Device::Cpu);
        let width = config.width;
        let block = TransformerBlockConfig {
            width,
            heads: config.heads,
            key_heads: config.heads,
            attention_bias: false,
            hidden: config.hidden,
            dropout: config.dropout,
            norm_epsilon: NORM_EPSILON,
        };
        let small = Init::Normal { std: PREFIX_STD };
        let prefix = width * config.prefix_vectors;
        Ok(Self {
            tokens: Embedding::new(&mut store, "embed_tokens", vocabulary, width, TABLE_STD)?,
            prefix: Linear::with_init(
                &mut store,
                "prefix",
                config.user_width,
                prefix,
                true,
                small,
            )?,
            blocks: (0..config.layers)
                .map(|index| TransformerBlock::new(&mut store, &format!("layers.{index}"), block))
                .collect::<Result<_, _>>()?,
            rotary: Rotary::new(
                width / config.heads,
                config.prefix_vectors + config.max_tokens,
                ROTARY_BASE,
                DType::F32,
                &Device::Cpu,
            )?,
            norm: RmsNorm::new(&mut store, "norm", width, NORM_EPSILON)?,
            prefix_vectors: config.prefix_vectors,
            store,
        })
    }

    /// Cross-entropy of the texts of a batch, averaged over their tokens: −log P(text | prompt, user state).
    ///
    /// # Shapes
    /// tokens [B, T], user states [B, U] → scalar.
    pub(super) fn loss(&self, batch: &Batch, pass: &mut Pass<'_>) -> Result<Tensor, NnError> {
        let mut x = self.input(&batch.tokens, &batch.user_states)?;
        let time = x.dim(1)?;
        // Padding stands at the end, where nothing that is learnt looks.
        let mask = Mask::causal(time);
        for block in &self.blocks {
            x = block.forward(&x, Some(&mask), &self.rotary, None, pass)?;
        }
        // [B, P + T, D] → [B · (P + T), D] → [N, D]: only what is learnt meets the vocabulary.
        let rows = batch.learnt_rows(self.prefix_vectors);
        let width = x.dim(2)?;
        let rows = Tensor::new(rows, &Device::Cpu)?;
        let learnt = x.reshape(((), width))?.index_select(&rows, 0)?;
        let states = self.norm.forward(&learnt)?;
        let share = 1.0 / batch.targets.len().max(1) as f32;
        let entries: Vec<(u32, u32, f32)> = (0..)
            .zip(&batch.targets)
            .map(|(row, target)| (row, *target, share))
            .collect();
        losses::linear_cross_entropy(&states, self.tokens.table(), &entries, 0.0)
    }

    /// Reads soft prefix and prompts of equal length, and returns the log-probabilities of the tokens that follow.
    ///
    /// # Shapes
    /// prompts [B, T], user states [B, U] → [B, V].
    pub(super) fn begin(
        &self,
        prompts: &Tensor,
        user_states: &Tensor,
    ) -> Result<(DecodingState, Tensor), NnError> {
        let mut state = DecodingState {
            caches: vec![KeyValueCache::default(); self.blocks.len()],
        };
        let x = self.input(prompts, user_states)?;
        let logits = self.read(&x, &mut state)?;
        Ok((state, logits))
    }

    /// Reads one more token of each sequence, and returns the log-probabilities of the next.
    ///
    /// # Shapes
    /// tokens [B, 1] → [B, V].
    pub(super) fn advance(
        &self,
        tokens: &Tensor,
        state: &mut DecodingState,
    ) -> Result<Tensor, NnError> {
        self.read(&self.tokens.forward(tokens)?, state)
    }

    fn read(&self, x: &Tensor, state: &mut DecodingState) -> Result<Tensor, NnError> {
        let mut x = x.clone();
        for (block, cache) in self.blocks.iter().zip(&mut state.caches) {
            x = block.forward_cached(&x, &self.rotary, cache)?;
        }
        let (batch, time, width) = x.dims3()?;
        let last = x.narrow(1, time - 1, 1)?.reshape((batch, width))?;
        log_softmax(&self.tokens.logits(&self.norm.forward(&last)?)?)
    }

    /// tokens [B, T], user states [B, U] → [B, P + T, D].
    fn input(&self, tokens: &Tensor, user_states: &Tensor) -> Result<Tensor, NnError> {
        let embedded = self.tokens.forward(tokens)?;
        let (batch, _, width) = embedded.dims3()?;
        let prefix = self.prefix.forward(user_states)?;
        let prefix = prefix.reshape((batch, self.prefix_vectors, width))?;
        Ok(Tensor::cat(&[prefix, embedded], 1)?)
    }
}
