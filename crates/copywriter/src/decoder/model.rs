use std::path::Path;

use nn::{Device, Figures, NnError, TensorFile};
use serde::{Deserialize, Serialize};

use super::config::CopywriterConfig;
use super::coverage::Coverage;
use super::example::Fact;
use super::own_words::OwnWordsWeights;
use super::slots::Slotted;
use super::tokenizer::Tokenizer;
use crate::CopyError;
use crate::network::{Network, Sequence};

/// The name of the validation's figure: mean −log P of a token in nats, e^loss is the perplexity.
pub const LOSS: &str = "loss";

/// Format of the files; it grows when an older version could not read them.
const FORMAT: u32 = 1;
/// The file that names the weights; a model exists once it does.
const RECORD: &str = "copywriter.json";
/// The tokenizer, in the layout of Hugging Face.
const TOKENIZER: &str = "tokenizer.json";
/// The files of weights.
const PREFIX: &str = "copywriter";
/// The tensor of the regressions that recognise facts.
const COVERAGE: &str = "coverage";

/// A trained language model that writes from facts.
#[derive(Debug)]
pub struct Copywriter {
    pub(super) config: CopywriterConfig,
    pub(super) tokenizer: Tokenizer,
    /// Which facts have slots.
    pub(super) slotted: Slotted,
    pub(super) network: Network,
    pub(super) coverage: Coverage,
    /// How much a shopper's own words count; nothing unless it was fitted.
    pub(super) own_words: Option<OwnWordsWeights>,
    /// Hash of the weights, for [`events::Generator::model`].
    version: String,
}

/// A model as it is written, beside its weights and its tokenizer.
#[derive(Serialize, Deserialize)]
struct Record {
    format: u32,
    config: CopywriterConfig,
    /// The facts whose values are exact.
    slots: Vec<String>,
    /// The facts whose values are read as words and written as slots.
    #[serde(default)]
    copied: Vec<String>,
    /// The facts that are recognised in a text.
    #[serde(default)]
    recognised: Vec<Fact>,
    /// How much a shopper's own words count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    own_words: Option<OwnWordsWeights>,
    /// BLAKE3 of the tokenizer's file, hexadecimal; absent in what an older version wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tokenizer: Option<String>,
    weights: TensorFile,
}

impl Copywriter {
    /// A model with random weights.
    pub(super) fn untrained(
        tokenizer: Tokenizer,
        slotted: Slotted,
        config: &CopywriterConfig,
    ) -> Result<Self, CopyError> {
        let network = Network::new(&config.sizes(tokenizer.len()))?;
        Ok(Self {
            config: config.clone(),
            tokenizer,
            slotted,
            network,
            coverage: Coverage::default(),
            own_words: None,
            version: "untrained".to_owned(),
        })
    }

    /// Reads a model from the folder that it was trained in.
    ///
    /// # Errors
    /// [`CopyError::Nn`] and [`CopyError::Tokenizer`] where a file is absent, is not what was written, or was written by
    /// another version.
    pub fn load(folder: &Path) -> Result<Self, CopyError> {
        let path = folder.join(RECORD);
        let record: Record = nn::read_checked_json(&path)?;
        if record.format != FORMAT {
            return Err(CopyError::Nn(NnError::Format {
                path,
                found: record.format,
                expected: FORMAT,
            }));
        }
        let tokenizer = Tokenizer::load(&folder.join(TOKENIZER), record.tokenizer.as_deref())?;
        let mut tensors = record.weights.read(folder, &Device::Cpu)?;
        let coverage = tensors.remove(COVERAGE);
        let slotted = Slotted {
            exact: record.slots,
            copied: record.copied,
        };
        let mut model = Self::untrained(tokenizer, slotted, &record.config)?;
        model.network.store.restore(&tensors)?;
        if let Some(weights) = coverage {
            model.coverage = Coverage::restore(record.recognised, &weights)?;
        }
        model.own_words = record.own_words;
        model.version = version(&record.weights);
        Ok(model)
    }

    /// Writes the model into a folder; the weights before are removed once the new ones are durable.
    pub(super) fn save(&mut self, folder: &Path) -> Result<(), CopyError> {
        let mut tensors = self.network.store.snapshot()?;
        if !self.coverage.names().is_empty() {
            tensors.insert(COVERAGE.to_owned(), self.coverage.tensor()?);
        }
        let json = self.tokenizer.to_json()?;
        nn::replace_file(&folder.join(TOKENIZER), json.as_bytes())?;
        let record = Record {
            format: FORMAT,
            config: self.config.clone(),
            slots: self.slotted.exact.clone(),
            copied: self.slotted.copied.clone(),
            recognised: self.coverage.names().to_vec(),
            own_words: self.own_words.clone(),
            tokenizer: Some(blake3::hash(json.as_bytes()).to_hex().to_string()),
            weights: TensorFile::write(folder, PREFIX, &tensors)?,
        };
        nn::write_checked_json(&folder.join(RECORD), &record)?;
        record.weights.remove_others(folder, PREFIX)?;
        self.version = version(&record.weights);
        Ok(())
    }

    /// The settings that it was trained with.
    pub fn config(&self) -> &CopywriterConfig {
        &self.config
    }

    /// The controls that it was trained with, by name: what [`crate::decoder::Meaning::controls`] may hold.
    pub fn controls(&self) -> Vec<String> {
        self.tokenizer.controls()
    }

    /// The number of trainable scalars.
    pub fn parameter_count(&self) -> usize {
        self.network.store.element_count()
    }

    /// The number of tokens V.
    pub fn vocabulary_size(&self) -> usize {
        self.tokenizer.len()
    }

    /// The provider and the hash of the weights, as a variant records it.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The mean −log P of a token of the texts of sequences; no figure without any.
    pub(super) fn validate(&self, held_out: &[Sequence]) -> Result<Figures, CopyError> {
        let (sum, tokens) = self.network.loss_of(held_out, self.config.user_width)?;
        let mut figures = Figures::new();
        if tokens > 0 {
            figures.insert(LOSS.to_owned(), sum / tokens as f64);
        }
        Ok(figures)
    }
}

fn version(weights: &TensorFile) -> String {
    format!(
        "decoder@{}",
        &weights.blake3[..12.min(weights.blake3.len())]
    )
}
