use std::path::Path;

use nn::{Device, Figures, TensorFile};
use serde::{Deserialize, Serialize};

use super::config::{DecodingConfig, NativeConfig};
use super::text::StyleText;
use super::vocabulary::Vocabulary;
use crate::CopyError;
use crate::network::{Network, Sequence};

/// Loss on everything that was held out, the name of a figure of the validation: mean −log P of a token in nats, e^loss
/// is the perplexity.
pub const LOSS_ALL: &str = "all";
/// Loss on templates of the library, none of which was read.
pub const LOSS_TEMPLATES: &str = "templates";
/// Loss on texts composed anew of the clause bank.
pub const LOSS_COMPOSED: &str = "composed";
/// Loss on texts of products, none of which was read.
pub const LOSS_PRODUCTS: &str = "products";

/// Format of the files; it grows when an older version could not read them.
const FORMAT: u32 = 1;
/// The file that names the weights; a model exists once it does.
const RECORD: &str = "native.json";
/// The files of weights.
const PREFIX: &str = "native";

/// A trained native model: it writes drafts, see [`Native::write`].
#[derive(Debug)]
pub struct Native {
    pub(super) config: NativeConfig,
    pub(super) vocabulary: Vocabulary,
    pub(super) styles: Vec<StyleText>,
    pub(super) network: Network,
    /// Loss on composed texts that were held out.
    pub(super) usual_loss: Option<f64>,
    /// Hash of the weights, for [`events::Generator::model`].
    pub(super) version: String,
}

/// A model as it is written, beside its weights.
#[derive(Serialize, Deserialize)]
struct Record {
    format: u32,
    config: NativeConfig,
    vocabulary: Vocabulary,
    styles: Vec<StyleText>,
    usual_loss: Option<f64>,
    weights: TensorFile,
}

impl Native {
    /// A model with random weights.
    pub(super) fn untrained(
        vocabulary: Vocabulary,
        styles: Vec<StyleText>,
        config: &NativeConfig,
    ) -> Result<Self, CopyError> {
        config.check()?;
        let network = Network::new(&config.sizes(vocabulary.len()))?;
        Ok(Self {
            config: config.clone(),
            vocabulary,
            styles,
            network,
            usual_loss: None,
            version: "untrained".to_owned(),
        })
    }

    /// Reads a model from the folder that it was trained in.
    ///
    /// # Errors
    /// [`CopyError::Nn`] where a file is absent, is not what was written, or was written by another version.
    pub fn load(folder: &Path) -> Result<Self, CopyError> {
        let path = folder.join(RECORD);
        let record: Record = nn::read_checked_json(&path)?;
        if record.format != FORMAT {
            return Err(CopyError::Nn(nn::NnError::Format {
                path,
                found: record.format,
                expected: FORMAT,
            }));
        }
        let tensors = record.weights.read(folder, &Device::Cpu)?;
        let mut model = Self::untrained(record.vocabulary, record.styles, &record.config)?;
        model.network.store.restore(&tensors)?;
        model.usual_loss = record.usual_loss;
        model.version = version(&record.weights);
        Ok(model)
    }

    /// Writes the model into a folder; the weights before are removed once the new ones are durable.
    pub(super) fn save(&mut self, folder: &Path) -> Result<(), CopyError> {
        let tensors = self.network.store.snapshot()?;
        let record = Record {
            format: FORMAT,
            config: self.config.clone(),
            vocabulary: self.vocabulary.clone(),
            styles: self.styles.clone(),
            usual_loss: self.usual_loss,
            weights: TensorFile::write(folder, PREFIX, &tensors)?,
        };
        nn::write_checked_json(&folder.join(RECORD), &record)?;
        record.weights.remove_others(folder, PREFIX)?;
        self.version = version(&record.weights);
        Ok(())
    }

    /// The same model with other decoding settings than it was trained with.
    ///
    /// # Errors
    /// [`CopyError::Setting`] for the first field outside its range.
    pub fn with_decoding(mut self, decoding: DecodingConfig) -> Result<Self, CopyError> {
        decoding.check()?;
        self.config.decoding = decoding;
        Ok(self)
    }

    /// The settings that it was trained with.
    pub fn config(&self) -> &NativeConfig {
        &self.config
    }

    /// The number of trainable scalars.
    pub fn parameter_count(&self) -> usize {
        self.network.store.element_count()
    }

    /// The number of tokens that it can write.
    pub fn vocabulary_size(&self) -> usize {
        self.vocabulary.len()
    }

    /// The provider and the hash of the weights, as a variant records it.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Measures the held-out sequences: templates, composed texts, products. A part without texts has no figure.
    pub(super) fn validate(&self, held_out: &[Vec<Sequence>; 3]) -> Result<Figures, CopyError> {
        let names = [LOSS_TEMPLATES, LOSS_COMPOSED, LOSS_PRODUCTS];
        let mut figures = Figures::new();
        let mut insert = |name: &str, sum: f64, tokens: usize| {
            if tokens > 0 {
                figures.insert(name.to_owned(), sum / tokens as f64);
            }
        };
        let (mut total, mut count) = (0.0, 0);
        for (name, sequences) in names.into_iter().zip(held_out) {
            let (sum, tokens) = self.loss_of(sequences)?;
            insert(name, sum, tokens);
            total += sum;
            count += tokens;
        }
        insert(LOSS_ALL, total, count);
        Ok(figures)
    }

    /// Sum of −log P over the texts of sequences, and the number of their tokens.
    pub(super) fn loss_of(&self, sequences: &[Sequence]) -> Result<(f64, usize), CopyError> {
        self.network.loss_of(sequences, self.config.user_width)
    }
}

fn version(weights: &TensorFile) -> String {
    format!("native@{}", &weights.blake3[..12.min(weights.blake3.len())])
}
