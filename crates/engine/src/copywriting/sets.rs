//! The files of public sets of texts that were written from facts.

use std::path::Path;

use copywriter::decoder::{Corpus, Example, Fact, Meaning};
use datasets::{FactText, FactTextSet};

use crate::error::{EngineError, Result};
use crate::sequences::{find, read_text};

/// Validation texts, at most, on which each epoch is judged.
const VALIDATION: usize = 1_200;

/// A public set of texts that were written from facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactTextDataset {
    /// The E2E challenge: `trainset.csv`, `devset.csv`, `testset_w_refs.csv`.
    E2e,
    /// `AdvertiseGen`: `train_first5000.jsonl` or `train.jsonl`, and `dev.jsonl`.
    AdvertiseGen,
    /// Myntra: `myntra_products_catalog.csv`.
    Myntra,
}

impl FactTextDataset {
    /// Every set.
    pub const ALL: [Self; 3] = [Self::E2e, Self::AdvertiseGen, Self::Myntra];

    /// The set of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|set| set.name() == name)
    }

    /// The name of the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::E2e => "e2e",
            Self::AdvertiseGen => "advertisegen",
            Self::Myntra => "myntra",
        }
    }

    /// Reads the set from its publisher's files, plain or as `.xz`.
    ///
    /// # Errors
    /// [`EngineError::File`] where a file is missing or damaged.
    pub fn read(self, folder: &Path) -> Result<FactTextSet> {
        let text = |name: &str| find(folder, name).and_then(|path| read_text(&path));
        let set = match self {
            Self::E2e => FactTextSet::e2e(
                &text("trainset.csv")?,
                &text("devset.csv")?,
                &text("testset_w_refs.csv")?,
            ),
            Self::AdvertiseGen => {
                let train = text("train.jsonl").or_else(|_| text("train_first5000.jsonl"))?;
                FactTextSet::advertisegen(&train, &text("dev.jsonl")?)
            }
            Self::Myntra => FactTextSet::myntra(&text("myntra_products_catalog.csv")?),
        };
        set.map_err(|error| {
            let remedy = "see the README beside the set for its publisher's form";
            EngineError::file(folder, error.to_string(), remedy)
        })
    }
}

/// The facts as the copywriter reads them.
pub(super) fn meaning(text: &FactText) -> Meaning {
    let facts = text.facts.iter();
    Meaning::of_facts(facts.map(|(name, value)| Fact::new(name, value)).collect())
}

/// What the copywriter learns of a set: each text by itself. To stop by, an even sample of the validation's texts does.
pub(super) fn corpus(set: &FactTextSet) -> Corpus {
    let validation = examples(&set.validation);
    let step = validation.len().div_ceil(VALIDATION).max(1);
    Corpus {
        train: examples(&set.train),
        validation: validation.into_iter().step_by(step).collect(),
        slots: set.exact.clone(),
        copied: set.copied.clone(),
    }
}

fn examples(texts: &[FactText]) -> Vec<Example> {
    let each = texts.iter().flat_map(|one| {
        one.texts.iter().map(|text| Example {
            meaning: meaning(one),
            text: text.clone(),
        })
    });
    each.collect()
}
