//! Shopper states as a fold over what shoppers did, learnt beside the language model that reads them.

use std::collections::BTreeMap;
use std::path::Path;

use copywriter::decoder::Copywriter;
use nn::{
    Device, Embedding, Init, Linear, NnError, ParameterStore, Pass, RmsNorm, SparseMatrix, Tensor,
    TensorFile, losses,
};
use rand::RngExt;
use serde::{Deserialize, Serialize};

use crate::error::{EngineError, Result};

const FORMAT: u32 = 1;
const RECORD: &str = "shopper.json";
const WEIGHTS: &str = "shopper";
/// Standard deviation of the table's first values.
const TABLE_STD: f64 = 0.05;
const NORM_EPSILON: f64 = 1e-6;

/// Columns of a table, each with a weight.
pub(crate) type EventRow = Vec<(u32, f32)>;

/// What a shopper did once.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct ShopperEvent {
    /// The texts that came with it, such as a headline and what stands below it; may be none.
    pub(crate) texts: Vec<String>,
    /// The things that it was about, as columns of the encoder's own table.
    pub(crate) things: EventRow,
}

/// Events as the encoder reads them: rows over the writer's tokens and over the encoder's own columns.
pub(crate) struct EventRows {
    words: Vec<EventRow>,
    things: Vec<EventRow>,
}

/// Sizes of a [`ShopperEncoder`] and how it is learnt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ShopperSettings {
    /// Columns over which what shoppers did is hashed. Default 8,192.
    pub columns: usize,
    /// Events after which an event counts half as much as the latest. Default 8.
    pub half_life_events: f64,
    /// Share of the texts that are learnt as if written for nobody, in [0, 1). Default 0.2.
    pub nobody_share: f64,
    /// Rate at which words and things of the past are overlooked while learning, in [0, 1): a past that looks the same every
    /// time is a key by which texts are learnt by heart. Default 0.5.
    pub dropout: f64,
    /// Weight of the interest loss beside the text's, both as means. Default 0.1.
    pub interest_weight: f64,
    /// Seed of the first weights. Default 1.
    pub seed: u64,
}

impl Default for ShopperSettings {
    fn default() -> Self {
        Self {
            columns: 8_192,
            half_life_events: 8.0,
            nobody_share: 0.2,
            dropout: 0.5,
            interest_weight: 0.1,
            seed: 1,
        }
    }
}

impl ShopperSettings {
    /// The field outside its range and what it should be.
    pub(crate) fn fault(&self) -> Option<String> {
        let share = |value: f64| (0.0..1.0).contains(&value);
        let faults = [
            ("columns", self.columns > 0, "at least 1"),
            (
                "half_life_events",
                self.half_life_events > 0.0,
                "a number above 0",
            ),
            (
                "nobody_share",
                share(self.nobody_share),
                "0 or more and below 1",
            ),
            ("dropout", share(self.dropout), "0 or more and below 1"),
            (
                "interest_weight",
                self.interest_weight >= 0.0 && self.interest_weight.is_finite(),
                "0 or more",
            ),
        ];
        let fault = faults.into_iter().find(|(_, holds, _)| !holds)?;
        Some(format!("`{}` is not {}", fault.0, fault.2))
    }
}

/// Makes a shopper's state from what the shopper did before. No shopper has a vector of their own, so one who was never seen
/// has a state as well.
///
/// An event is the mean of its words' vectors in the language model's own table, the rare ones weighing more, and the
/// vectors of its things. The state is a fold: S ← λ S + event and n ← λ n + 1, where λ halves an event's weight every
/// `half_life_events`; read out as the norm of S / n + MLP(S / n), which is zeros where nothing happened yet. Beside the
/// state there is a head for what the shopper turned to next.
///
/// Source: Iyyer et al., "Deep Unordered Composition Rivals Syntactic Methods for Text Classification", 2015, for means of
/// words of which some are overlooked. How this differs: the words' vectors are those that the texts are written with,
/// events fade with their age, and nothing has a bias.
#[derive(Debug)]
pub(crate) struct ShopperEncoder {
    settings: ShopperSettings,
    sizes: Sizes,
    store: ParameterStore,
    things: Embedding,
    widen: Linear,
    narrow: Linear,
    norm: RmsNorm,
    head: Linear,
}

/// What an encoder is made for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sizes {
    /// Length U of the state, which is the language model's width.
    pub(crate) width: usize,
    /// Number of things that a shopper may turn to.
    pub(crate) interests: usize,
    /// How rare each token of the language model is among the texts that are learnt [V].
    pub(crate) rarity: Vec<f32>,
}

#[derive(Serialize, Deserialize)]
struct Record {
    format: u32,
    settings: ShopperSettings,
    sizes: Sizes,
    weights: TensorFile,
}

impl ShopperEncoder {
    /// An encoder with random weights.
    pub(crate) fn untrained(
        settings: &ShopperSettings,
        sizes: Sizes,
    ) -> std::result::Result<Self, NnError> {
        let mut store = ParameterStore::new(settings.seed, &Device::Cpu);
        let (width, wide) = (sizes.width, 2 * sizes.width);
        let small = Init::Normal { std: TABLE_STD };
        let interests = sizes.interests.max(1);
        Ok(Self {
            settings: settings.clone(),
            sizes,
            things: Embedding::new(&mut store, "things", settings.columns, width, TABLE_STD)?,
            widen: Linear::new(&mut store, "widen", width, wide, false)?,
            narrow: Linear::with_init(&mut store, "narrow", wide, width, false, small)?,
            norm: RmsNorm::new(&mut store, "norm", width, NORM_EPSILON)?,
            head: Linear::new(&mut store, "interests", width, interests, true)?,
            store,
        })
    }

    /// Events as this encoder reads them, with the tokens of the language model that it belongs to.
    pub(crate) fn rows(&self, writer: &Copywriter, events: &[ShopperEvent]) -> Result<EventRows> {
        let words = |event: &ShopperEvent| -> Result<EventRow> {
            let mut counts: BTreeMap<u32, f32> = BTreeMap::new();
            for token in writer.tokens(&event.texts.join(" "))? {
                *counts.entry(token).or_default() += 1.0;
            }
            let weigh = |(token, count): (u32, f32)| {
                (token, count.sqrt() * self.sizes.rarity[token as usize])
            };
            let mut row: EventRow = counts.into_iter().map(weigh).collect();
            let norm = row.iter().map(|(_, v)| v * v).sum::<f32>().sqrt().max(1e-6);
            for (_, weight) in &mut row {
                *weight /= norm;
            }
            Ok(row)
        };
        Ok(EventRows {
            words: events.iter().map(words).collect::<Result<_>>()?,
            things: events.iter().map(|event| event.things.clone()).collect(),
        })
    }

    pub(crate) fn store(&self) -> &ParameterStore {
        &self.store
    }

    pub(crate) fn parameter_count(&self) -> usize {
        self.store.element_count()
    }

    pub(crate) fn settings(&self) -> &ShopperSettings {
        &self.settings
    }

    /// The states of shoppers, each given by the events of the past, the oldest first; `table` holds the vectors of the
    /// language model's tokens.
    ///
    /// # Shapes
    /// table [V, U], B pasts → [B, U].
    pub(crate) fn states(
        &self,
        table: &Tensor,
        events: &EventRows,
        pasts: &[&[u32]],
        pass: &mut Pass<'_>,
    ) -> std::result::Result<Tensor, NnError> {
        let all: Vec<u32> = pasts.concat();
        if all.is_empty() {
            let shape = (pasts.len(), self.sizes.width);
            return Ok(Tensor::zeros(shape, self.store.dtype(), &Device::Cpu)?);
        }
        let things = self.things.table();
        let mut read = |rows: &[EventRow], table: &Tensor| {
            let rows: Vec<EventRow> = all.iter().map(|at| rows[*at as usize].clone()).collect();
            let rows = overlooked(rows, self.settings.dropout, pass);
            SparseMatrix::new(table.dim(0)?, &rows)?.multiply(table)
        };
        // [E, V] · [V, U] + [E, columns] · [columns, U] → [E, U]
        let vectors = (read(&events.words, table)? + read(&events.things, things)?)?;
        // [B, E] · [E, U] → [B, U]
        let mean = SparseMatrix::new(all.len(), &self.weights(pasts))?.multiply(&vectors)?;
        let deeper = self.narrow.forward(&self.widen.forward(&mean)?.relu()?)?;
        self.norm.forward(&(mean + deeper)?)
    }

    /// What each of the pasts' events counts, the pasts one after the other: λ^age over its sum.
    fn weights(&self, pasts: &[&[u32]]) -> Vec<EventRow> {
        let kept = 0.5f64.powf(self.settings.half_life_events.recip());
        let mut at = 0u32;
        let row = |past: &&[u32]| {
            let ages = (0..past.len()).rev();
            let weights: Vec<f64> = ages.map(|age| kept.powf(age as f64)).collect();
            let sum: f64 = weights.iter().sum();
            let row = (at..)
                .zip(&weights)
                .map(|(place, weight)| (place, (weight / sum) as f32))
                .collect();
            at += past.len() as u32;
            row
        };
        pasts.iter().map(row).collect()
    }

    /// States of which a share is zeros, as nobody's is.
    pub(crate) fn some_as_nobody(
        &self,
        states: &Tensor,
        pass: &mut Pass<'_>,
    ) -> std::result::Result<Tensor, NnError> {
        let Pass::Train(rng) = pass else {
            return Ok(states.clone());
        };
        let shown = |_| f32::from(u8::from(rng.random::<f64>() >= self.settings.nobody_share));
        let rows = states.dim(0)?;
        let shown: Vec<f32> = (0..rows).map(shown).collect();
        Ok(states.broadcast_mul(&Tensor::from_vec(shown, (rows, 1), &Device::Cpu)?)?)
    }

    /// ℓ(y, ŷ): mean cross-entropy of what shoppers turned to next.
    ///
    /// # Shapes
    /// states [B, U], B labels → scalar.
    pub(crate) fn interest_loss(
        &self,
        states: &Tensor,
        labels: &[u32],
    ) -> std::result::Result<Tensor, NnError> {
        losses::cross_entropy(&self.head.forward(states)?, labels, 0.0)
    }

    /// Writes the encoder beside the model that reads its states.
    pub(crate) fn save(&self, folder: &Path) -> Result<()> {
        let record = Record {
            format: FORMAT,
            settings: self.settings.clone(),
            sizes: self.sizes.clone(),
            weights: TensorFile::write(folder, WEIGHTS, &self.store.snapshot()?)?,
        };
        nn::write_checked_json(&folder.join(RECORD), &record)?;
        Ok(record.weights.remove_others(folder, WEIGHTS)?)
    }

    /// Reads the encoder of a folder.
    pub(crate) fn load(folder: &Path) -> Result<Self> {
        let path = folder.join(RECORD);
        let record: Record = nn::read_checked_json(&path)?;
        if record.format != FORMAT {
            return Err(EngineError::Nn(NnError::Format {
                path,
                found: record.format,
                expected: FORMAT,
            }));
        }
        let encoder = Self::untrained(&record.settings, record.sizes)?;
        let tensors = record.weights.read(folder, &Device::Cpu)?;
        encoder.store.restore(&tensors)?;
        Ok(encoder)
    }
}

/// Rows of which a learning pass leaves entries out, what is left weighing more.
fn overlooked(mut rows: Vec<EventRow>, rate: f64, pass: &mut Pass<'_>) -> Vec<EventRow> {
    let Pass::Train(rng) = pass else {
        return rows;
    };
    let kept = (1.0 - rate) as f32;
    for row in &mut rows {
        row.retain(|_| rng.random::<f64>() >= rate);
        for (_, weight) in row {
            *weight /= kept;
        }
    }
    rows
}
