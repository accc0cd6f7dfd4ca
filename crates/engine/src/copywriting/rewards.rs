//! What a text is worth to a model that learns from its own: how close it comes to people's texts, and how it holds to its
//! facts.

use std::collections::HashSet;

use copywriter::characters;
use copywriter::decoder::{Covered, Draft, Meaning, Part, Reward};
use copywriter::metrics::{
    Bleu, Idf, Smoothing, jieba_words, rouge_chinese, rouge_l_coco, tokenise_13a, tokenise_ptb,
};
use datasets::FactText;
use serde::{Deserialize, Serialize};

use super::sets::{FactTextDataset, meaning};
use crate::error::{EngineError, Result};

/// What counts how much. Each measure is a share of 1 before it is weighted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RewardSettings {
    /// Weight of BLEU-4 of the text alone. Default 1.
    pub bleu: f64,
    /// Weight of ROUGE-L. Default 0.
    pub rouge_l: f64,
    /// Weight of a tenth of `CIDEr`; nothing for Chinese. Default 0.
    pub cider: f64,
    /// Weight of the share of facts whose values stand in the text word for word. Default 0.
    pub verbatim: f64,
    /// What a fact costs that is left out or added, as far as facts are recognised. Default 0.1.
    pub fault: f64,
    /// What the share of pairs of words costs that the text had before. Default 0.5.
    pub repetition: f64,
}

impl Default for RewardSettings {
    fn default() -> Self {
        Self {
            bleu: 1.0,
            rouge_l: 0.0,
            cider: 0.0,
            verbatim: 0.0,
            fault: 0.1,
            repetition: 0.5,
        }
    }
}

impl RewardSettings {
    /// Refuses weights that say nothing.
    pub(super) fn check(&self) -> Result<()> {
        let weights = [
            ("bleu", self.bleu),
            ("rouge_l", self.rouge_l),
            ("cider", self.cider),
            ("verbatim", self.verbatim),
            ("fault", self.fault),
            ("repetition", self.repetition),
        ];
        match weights
            .into_iter()
            .find(|(_, weight)| !(weight.is_finite() && *weight >= 0.0))
        {
            Some((field, weight)) => Err(EngineError::Copy(copywriter::CopyError::Setting {
                field,
                value: weight.to_string(),
                expected: "0 or more",
            })),
            None => Ok(()),
        }
    }
}

/// People's texts of the meanings of a part, cut into words.
pub(super) struct References {
    meanings: Vec<Meaning>,
    /// As BLEU reads them.
    for_bleu: Vec<Vec<Vec<String>>>,
    /// As ROUGE-L and `CIDEr` read them.
    words: Vec<Vec<Vec<String>>>,
}

impl References {
    pub(super) fn of<'t>(
        dataset: FactTextDataset,
        texts: impl IntoIterator<Item = &'t FactText>,
    ) -> Self {
        let mut of = Self {
            meanings: Vec::new(),
            for_bleu: Vec::new(),
            words: Vec::new(),
        };
        for one in texts {
            let cut =
                |cut: fn(&str) -> Vec<String>| one.texts.iter().map(|text| cut(text)).collect();
            of.meanings.push(meaning(one));
            of.for_bleu.push(cut(bleu_tokens(dataset)));
            of.words.push(cut(words(dataset)));
        }
        of
    }

    /// The meanings.
    pub(super) fn meanings(&self) -> &[Meaning] {
        &self.meanings
    }
}

fn bleu_tokens(dataset: FactTextDataset) -> fn(&str) -> Vec<String> {
    match dataset {
        FactTextDataset::AdvertiseGen => |text| characters(text),
        FactTextDataset::E2e | FactTextDataset::Myntra => |text| tokenise_13a(&text.to_lowercase()),
    }
}

fn words(dataset: FactTextDataset) -> fn(&str) -> Vec<String> {
    match dataset {
        FactTextDataset::AdvertiseGen => jieba_words,
        FactTextDataset::E2e | FactTextDataset::Myntra => tokenise_ptb,
    }
}

/// Closeness to people's texts.
pub(super) struct Closeness<'a> {
    dataset: FactTextDataset,
    settings: &'a RewardSettings,
    train: &'a References,
    validation: &'a References,
    /// How telling n-grams are, from the texts that are learnt.
    idf: Idf<'a>,
}

impl<'a> Closeness<'a> {
    pub(super) fn new(
        dataset: FactTextDataset,
        settings: &'a RewardSettings,
        train: &'a References,
        validation: &'a References,
    ) -> Self {
        Self {
            dataset,
            settings,
            train,
            validation,
            idf: Idf::of(&train.words),
        }
    }

    fn rouge_l(&self, text: &[String], references: &[Vec<String>]) -> f64 {
        match self.dataset {
            FactTextDataset::AdvertiseGen => {
                let each = references.iter();
                let each = each.map(|reference| rouge_chinese(text, reference).rouge_l.f);
                each.fold(0.0, f64::max)
            }
            FactTextDataset::E2e | FactTextDataset::Myntra => rouge_l_coco(text, references),
        }
    }
}

/// The share of pairs of words that stand in a text before.
fn repetition(words: &[String]) -> f64 {
    let mut seen = HashSet::new();
    let pairs = words.windows(2);
    let count = pairs.len().max(1) as f64;
    pairs.filter(|pair| !seen.insert(*pair)).count() as f64 / count
}

impl Reward for Closeness<'_> {
    fn of(&self, part: Part, meaning: usize, text: &Draft, covered: Covered) -> f64 {
        let all = match part {
            Part::Train => self.train,
            Part::Validation => self.validation,
        };
        let settings = self.settings;
        let mut worth = -settings.fault * (covered.missing + covered.added) as f64;
        if settings.bleu > 0.0 {
            let tokens = bleu_tokens(self.dataset)(&text.text);
            let bleu = Bleu::of_text(&tokens, &all.for_bleu[meaning]);
            worth += settings.bleu * bleu.score(Smoothing::Exponential);
        }
        if settings.rouge_l > 0.0 || settings.cider > 0.0 || settings.repetition > 0.0 {
            let (tokens, references) = (words(self.dataset)(&text.text), &all.words[meaning]);
            worth += settings.rouge_l * self.rouge_l(&tokens, references);
            worth -= settings.repetition * repetition(&tokens);
            if settings.cider > 0.0 {
                worth += settings.cider * self.idf.cider(&tokens, references) / 10.0;
            }
        }
        if settings.verbatim > 0.0 {
            let facts = &all.meanings[meaning].facts;
            let told = facts.iter().filter(|fact| text.text.contains(&fact.value));
            worth += settings.verbatim * told.count() as f64 / facts.len().max(1) as f64;
        }
        worth
    }
}
