//! The learnt part of both models of this crate: a Llama-style decoder behind a soft prefix.

mod batch;

use nn::inference::{Engine, Parts, Precision};
use nn::{
    BatchGradients, DType, Device, Embedding, Init, KeyValueCache, Linear, Mask, NnError,
    ParameterStore, Pass, RmsNorm, Rotary, SHARDS, Tensor, TransformerBlock,
    TransformerBlockConfig, log_softmax, losses,
};

use rand_chacha::ChaCha8Rng;

use crate::CopyError;

pub(crate) use batch::{Batch, PADDING, Sequence, check_state, plan};

/// Standard deviation of the token table's first values.
const TABLE_STD: f64 = 0.05;
/// Standard deviation of the first values of the map from user state to soft prefix.
const PREFIX_STD: f64 = 0.02;
/// Base of the rotary angles, as in `RoFormer`.
const ROTARY_BASE: f64 = 10_000.0;
const NORM_EPSILON: f64 = 1e-6;
/// Sequences that are measured together.
const CHUNK: usize = 32;

/// Sizes of a [`Network`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    /// Tokens V.
    pub(crate) vocabulary: usize,
    /// Model width D.
    pub(crate) width: usize,
    pub(crate) layers: usize,
    pub(crate) heads: usize,
    /// Width of the feed-forward layers.
    pub(crate) hidden: usize,
    pub(crate) dropout: f64,
    /// Length U of the user state.
    pub(crate) user_width: usize,
    /// Soft prefix vectors P; with none the user state is not read.
    pub(crate) prefix_vectors: usize,
    /// Tokens that a sequence may have, the prefix left out.
    pub(crate) max_tokens: usize,
    pub(crate) seed: u64,
}

/// A Llama-style decoder behind a soft prefix that is projected from the user state.
///
/// Source: Touvron et al., "`LLaMA`: Open and Efficient Foundation Language Models", 2023; Li and Liang, "Prefix-Tuning",
/// 2021. How this differs: the input table serves as output weights too; the prefix is a linear map of the user state
/// instead of free vectors, and stands before the input instead of in every layer.
#[derive(Debug)]
pub(crate) struct Network {
    pub(crate) store: ParameterStore,
    tokens: Embedding,
    prefix: Option<Linear>,
    blocks: Vec<TransformerBlock>,
    rotary: Rotary,
    norm: RmsNorm,
    prefix_vectors: usize,
}

/// The positions that decoding has read, one cache a block.
#[derive(Debug, Clone)]
pub(crate) struct DecodingState {
    caches: Vec<KeyValueCache>,
}

impl Network {
    pub(crate) fn new(sizes: &Sizes) -> Result<Self, NnError> {
        let mut store = ParameterStore::new(sizes.seed, &Device::Cpu);
        let width = sizes.width;
        let block = TransformerBlockConfig {
            width,
            heads: sizes.heads,
            key_heads: sizes.heads,
            attention_bias: false,
            hidden: sizes.hidden,
            dropout: sizes.dropout,
            norm_epsilon: NORM_EPSILON,
        };
        let small = Init::Normal { std: PREFIX_STD };
        let (table, vectors) = ("embed_tokens", sizes.prefix_vectors);
        Ok(Self {
            tokens: Embedding::new(&mut store, table, sizes.vocabulary, width, TABLE_STD)?,
            prefix: (vectors > 0)
                .then(|| {
                    let out = width * vectors;
                    Linear::with_init(&mut store, "prefix", sizes.user_width, out, true, small)
                })
                .transpose()?,
            blocks: (0..sizes.layers)
                .map(|index| TransformerBlock::new(&mut store, &format!("layers.{index}"), block))
                .collect::<Result<_, _>>()?,
            rotary: Rotary::new(
                width / sizes.heads,
                vectors + sizes.max_tokens,
                ROTARY_BASE,
                DType::F32,
                &Device::Cpu,
            )?,
            norm: RmsNorm::new(&mut store, "norm", width, NORM_EPSILON)?,
            prefix_vectors: vectors,
            store,
        })
    }

    /// Cross-entropy of the texts of a batch, averaged over their tokens: −log P(text | prompt, user state), with
    /// `smoothing` of the probability spread evenly over the vocabulary.
    ///
    /// # Shapes
    /// tokens [B, T], user states [B, U] → scalar.
    pub(crate) fn loss(
        &self,
        batch: &Batch,
        smoothing: f64,
        pass: &mut Pass<'_>,
    ) -> Result<Tensor, NnError> {
        self.loss_for(batch, &batch.user_states, smoothing, pass)
    }

    /// The same for user states that are given apart; where they have a history, the gradient goes back through it.
    ///
    /// # Shapes
    /// tokens [B, T], user states [B, U] → scalar.
    pub(crate) fn loss_for(
        &self,
        batch: &Batch,
        user_states: &Tensor,
        smoothing: f64,
        pass: &mut Pass<'_>,
    ) -> Result<Tensor, NnError> {
        let states = self.states(batch, user_states, pass)?;
        let share = 1.0 / batch.targets.len().max(1) as f32;
        let entries: Vec<(u32, u32, f32)> = (0..)
            .zip(&batch.targets)
            .map(|(row, target)| (row, *target, share))
            .collect();
        losses::linear_cross_entropy(&states, self.tokens.table(), &entries, smoothing)
    }

    /// The states before each learnt token: [N, D].
    fn states(
        &self,
        batch: &Batch,
        user_states: &Tensor,
        pass: &mut Pass<'_>,
    ) -> Result<Tensor, NnError> {
        let mut x = self.input(&batch.tokens, user_states)?;
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
        self.norm.forward(&learnt)
    }

    /// log P of each token of the texts of sequences and of their ends, text after text.
    pub(crate) fn log_probabilities(
        &self,
        sequences: &[&Sequence],
        user_width: usize,
    ) -> Result<Vec<f32>, CopyError> {
        let batch = Batch::new(sequences, user_width)?;
        let of_targets = || -> Result<Vec<f32>, NnError> {
            let states = self.states(&batch, &batch.user_states, &mut Pass::Infer)?;
            let all = log_softmax(&self.tokens.logits(&states)?)?;
            let targets = Tensor::new(&batch.targets[..], &Device::Cpu)?.unsqueeze(1)?;
            Ok(all.gather(&targets, 1)?.flatten_all()?.to_vec1()?)
        };
        Ok(of_targets()?)
    }

    /// Sum of −log P over the texts of sequences, and the number of their tokens.
    pub(crate) fn loss_of(
        &self,
        sequences: &[Sequence],
        user_width: usize,
    ) -> Result<(f64, usize), CopyError> {
        let mut sorted: Vec<&Sequence> = sequences.iter().collect();
        sorted.sort_by_key(|sequence| sequence.tokens.len());
        let (mut sum, mut tokens) = (0.0, 0);
        for chunk in sorted.chunks(CHUNK) {
            let batch = Batch::new(chunk, user_width)?;
            let loss = self.loss(&batch, 0.0, &mut Pass::Infer)?;
            let loss = f64::from(loss.to_scalar::<f32>().map_err(NnError::from)?);
            sum += loss * batch.targets.len() as f64;
            tokens += batch.targets.len();
        }
        Ok((sum, tokens))
    }

    /// Loss and gradients of training sequences, cut into shards; `rng` gives the randomness of a shard's dropout.
    pub(crate) fn gradients(
        &self,
        sequences: &[&Sequence],
        user_width: usize,
        smoothing: f64,
        rng: impl Fn(u64) -> ChaCha8Rng + Sync,
    ) -> Result<BatchGradients, CopyError> {
        let shards = sequences
            .chunks(sequences.len().div_ceil(SHARDS).max(1))
            .map(|sequences| Batch::new(sequences, user_width))
            .collect::<Result<Vec<_>, _>>()?;
        let learnt: usize = shards.iter().map(|shard| shard.targets.len()).sum();
        let shards: Vec<(u64, Batch)> = (0..).zip(shards).collect();
        let of_shard = |(index, shard): &(u64, Batch), _: &[Tensor]| {
            let mean = self.loss(shard, smoothing, &mut Pass::Train(&mut rng(*index)))?;
            Ok((mean * (shard.targets.len() as f64 / learnt as f64))?)
        };
        let (loss, gradients) = nn::sharded_gradients(&self.store, &[], &shards, of_shard)?;
        Ok(BatchGradients {
            loss,
            gradients,
            tokens: learnt as u64,
        })
    }

    /// Σᵢ wᵢ · −log P(textᵢ | promptᵢ, user stateᵢ) without dropout, and its gradients, for sequences with weights of either sign.
    pub(crate) fn weighted_gradients(
        &self,
        weighted: &[(Sequence, f32)],
        user_width: usize,
    ) -> Result<BatchGradients, CopyError> {
        let shards = weighted
            .chunks(weighted.len().div_ceil(SHARDS).max(1))
            .map(|part| {
                let (sequences, weights): (Vec<&Sequence>, Vec<f32>) = part
                    .iter()
                    .map(|(sequence, weight)| (sequence, *weight))
                    .unzip();
                Ok((Batch::new(&sequences, user_width)?, weights))
            })
            .collect::<Result<Vec<(Batch, Vec<f32>)>, CopyError>>()?;
        let of_shard = |(batch, weights): &(Batch, Vec<f32>), _: &[Tensor]| {
            let states = self.states(batch, &batch.user_states, &mut Pass::Infer)?;
            let targets = (0..).zip(batch.targets.iter().zip(batch.rows()));
            let entries: Vec<(u32, u32, f32)> = targets
                .map(|(at, (target, row))| (at, *target, weights[row]))
                .collect();
            losses::linear_cross_entropy(&states, self.tokens.table(), &entries, 0.0)
        };
        let (loss, gradients) = nn::sharded_gradients(&self.store, &[], &shards, of_shard)?;
        let tokens = shards.iter().map(|(batch, _)| batch.targets.len() as u64);
        Ok(BatchGradients {
            loss,
            gradients,
            tokens: tokens.sum(),
        })
    }

    /// The vectors of the tokens [V, D].
    pub(crate) fn token_table(&self) -> &Tensor {
        self.tokens.table()
    }

    /// Lays the weights out for inference; the table is the output rows too.
    pub(crate) fn engine(&self, precision: Precision) -> Result<Engine, NnError> {
        Engine::of(
            Parts {
                table: self.tokens.table(),
                blocks: &self.blocks,
                norm: &self.norm,
                output: self.tokens.table(),
                rotary: &self.rotary,
            },
            precision,
        )
    }

    /// The soft prefix of a user state, row after row: [P, D].
    pub(crate) fn prefix(&self, user_state: &[f32]) -> Result<Vec<f32>, NnError> {
        let Some(prefix) = &self.prefix else {
            return Ok(Vec::new());
        };
        let state = Tensor::from_slice(user_state, (1, user_state.len()), &Device::Cpu)?;
        Ok(prefix.forward(&state)?.flatten_all()?.to_vec1()?)
    }

    /// Reads soft prefix and prompts of equal length, and returns the log-probabilities of the tokens that follow.
    ///
    /// # Shapes
    /// prompts [B, T], user states [B, U] → [B, V].
    pub(crate) fn begin(
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
    pub(crate) fn advance(
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
        let Some(prefix) = &self.prefix else {
            return Ok(embedded);
        };
        let (batch, _, width) = embedded.dims3()?;
        let prefix = prefix.forward(user_states)?;
        let prefix = prefix.reshape((batch, self.prefix_vectors, width))?;
        Ok(Tensor::cat(&[prefix, embedded], 1)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network() -> Network {
        Network::new(&Sizes {
            vocabulary: 13,
            width: 8,
            layers: 2,
            heads: 2,
            hidden: 12,
            dropout: 0.0,
            user_width: 3,
            prefix_vectors: 2,
            max_tokens: 16,
            seed: 1,
        })
        .expect("small")
    }

    /// Seven texts of different lengths, with and without a state.
    fn sequences() -> Vec<Sequence> {
        let one = |number: u32| Sequence {
            tokens: (0..5 + number).map(|at| (at * 3 + number) % 13).collect(),
            prompt: 2,
            user_state: (number.is_multiple_of(2)).then(|| vec![0.5, -1.0, number as f32]),
        };
        (0..7).map(one).collect()
    }

    /// Whether one says `factor` times what the other does, but for rounding.
    fn says(one: &BatchGradients, other: &BatchGradients, factor: f64) -> bool {
        let norm = |gradients: &nn::NamedGradients| nn::global_norm(gradients).expect("finite");
        let difference = one.gradients.iter().map(|(name, gradient)| {
            let other = (&other.gradients[name] * factor).expect("scales");
            (name.clone(), (gradient - other).expect("of one shape"))
        });
        let difference = norm(&difference.collect());
        one.gradients.len() == other.gradients.len()
            && difference < 1e-4 * norm(&one.gradients)
            && (one.loss - factor * other.loss).abs() < 1e-5
    }

    #[test]
    fn even_weights_are_the_mean_loss_and_each_counts_for_its_text() {
        let (network, texts) = (network(), sequences());
        let tokens: usize = texts
            .iter()
            .map(|text| text.tokens.len() - text.prompt)
            .sum();
        let weighted = |weight: &dyn Fn(usize) -> f32| {
            let weighted = texts.iter().cloned().enumerate();
            let weighted: Vec<_> = weighted.map(|(at, text)| (text, weight(at))).collect();
            network.weighted_gradients(&weighted, 3).expect("fits")
        };
        let mean = |texts: &[&Sequence]| {
            let rng = |shard| nn::generator(1, "dropout", shard);
            network.gradients(texts, 3, 0.0, rng).expect("fits")
        };
        let share = 1.0 / tokens as f32;
        let even = weighted(&|_| share);
        let all: Vec<&Sequence> = texts.iter().collect();
        assert!(says(&even, &mean(&all), 1.0));
        assert_eq!(even.tokens, tokens as u64);
        let against = weighted(&|_| -2.0 * share);
        assert!(says(&against, &even, -2.0));
        let fourth = weighted(&|at| if at == 3 { 0.5 } else { 0.0 });
        let length = (texts[3].tokens.len() - texts[3].prompt) as f64;
        assert!(says(&fourth, &mean(&[&texts[3]]), 0.5 * length));
    }
}
