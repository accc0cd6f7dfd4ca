//! What reads a window's tokens in order.

use std::fmt;

use nn::{
    Cell, DType, Device, Dropout, Mask, Mlp, NnError, ParameterStore, Pass, Recurrent, RmsNorm,
    Rotary, Tensor, TransformerBlock, TransformerBlockConfig,
};
use serde::{Deserialize, Serialize};

use super::config::UserModelConfig;

/// Base of the rotary angles, as in `RoFormer`.
const ROTARY_BASE: f64 = 10_000.0;
pub(super) const NORM_EPSILON: f64 = 1e-6;

/// How a shopper's interactions become a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EncoderKind {
    /// Causal self-attention (Kang and `McAuley`, `SASRec`, 2018): what is read depends on everything before it.
    Transformer,
    /// Gated recurrent units (Hidasi et al., `GRU4Rec`, 2016).
    Gru,
    /// Long short-term memory.
    Lstm,
    /// The latest interaction and the mean of all up to it, through a perceptron (Covington et al., "Deep Neural
    /// Networks for `YouTube` Recommendations", 2016): order is not read, and nothing is faster.
    Mlp,
}

impl EncoderKind {
    /// Every encoder.
    pub const ALL: [Self; 4] = [Self::Transformer, Self::Gru, Self::Lstm, Self::Mlp];

    /// The name in settings and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Transformer => "transformer",
            Self::Gru => "gru",
            Self::Lstm => "lstm",
            Self::Mlp => "mlp",
        }
    }
}

impl fmt::Display for EncoderKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The layers of an encoder; each adds to what the one before it made.
#[derive(Debug)]
pub(super) enum Encoder {
    Transformer {
        blocks: Vec<TransformerBlock>,
        rotary: Rotary,
    },
    Recurrent {
        layers: Vec<(RmsNorm, Recurrent)>,
        dropout: Dropout,
    },
    Mlp {
        layers: Mlp,
        dropout: Dropout,
    },
}

impl Encoder {
    pub(super) fn new(
        store: &mut ParameterStore,
        config: &UserModelConfig,
    ) -> Result<Self, NnError> {
        let width = config.width;
        let dropout = Dropout::new(config.dropout)?;
        let name = |index| format!("layers.{index}");
        match config.encoder {
            EncoderKind::Transformer => {
                let block = TransformerBlockConfig {
                    width,
                    heads: config.heads,
                    key_heads: config.heads,
                    attention_bias: false,
                    hidden: config.hidden,
                    dropout: config.dropout,
                    norm_epsilon: NORM_EPSILON,
                };
                let blocks = (0..config.layers)
                    .map(|index| TransformerBlock::new(store, &name(index), block))
                    .collect::<Result<_, _>>()?;
                // The start, then at most one block a token.
                let positions = config.max_length + 2;
                let head = width / config.heads;
                let rotary = Rotary::new(head, positions, ROTARY_BASE, DType::F32, &Device::Cpu)?;
                Ok(Self::Transformer { blocks, rotary })
            }
            EncoderKind::Gru | EncoderKind::Lstm => {
                let cell = match config.encoder {
                    EncoderKind::Gru => Cell::Gru,
                    _ => Cell::Lstm,
                };
                let mut layer = |index| {
                    let name = name(index);
                    let norm = RmsNorm::new(store, &format!("{name}.norm"), width, NORM_EPSILON)?;
                    Ok((norm, Recurrent::new(store, &name, cell, width, width)?))
                };
                let layers = (0..config.layers).map(&mut layer);
                let layers = layers.collect::<Result<_, NnError>>()?;
                Ok(Self::Recurrent { layers, dropout })
            }
            EncoderKind::Mlp => {
                let mut sizes = vec![2 * width];
                sizes.extend(std::iter::repeat_n(config.hidden, config.layers));
                sizes.push(width);
                let layers = Mlp::new(store, "layers", &sizes)?;
                Ok(Self::Mlp { layers, dropout })
            }
        }
    }

    /// What the tokens come to, each with those before it.
    ///
    /// # Shapes
    /// x [B, T, D], positions [B, T] → [B, T, D].
    pub(super) fn forward(
        &self,
        x: Tensor,
        mask: &Mask,
        positions: &Tensor,
        pass: &mut Pass<'_>,
    ) -> Result<Tensor, NnError> {
        match self {
            Self::Transformer { blocks, rotary } => {
                let (mask, positions) = (Some(mask), Some(positions));
                blocks.iter().try_fold(x, |x, block| {
                    block.forward(&x, mask, rotary, positions, pass)
                })
            }
            Self::Recurrent { layers, dropout } => layers.iter().try_fold(x, |x, (norm, layer)| {
                let read = layer.forward(&norm.forward(&x)?)?;
                Ok((x + dropout.forward(&read, pass)?)?)
            }),
            Self::Mlp { layers, dropout } => {
                let seen = mask.averages(x.dtype(), x.device())?;
                let (batch, time, _) = x.dims3()?;
                let seen = seen.broadcast_as((batch, time, time))?.contiguous()?;
                let mean = seen.matmul(&x)?;
                let read = layers.forward(&Tensor::cat(&[&x, &mean], 2)?)?;
                Ok((x + dropout.forward(&read, pass)?)?)
            }
        }
    }
}
