//! What a text is worth to a model that learns from its own: how close it comes to people's texts, and how it holds to its
//! facts.

use std::collections::{BTreeMap, HashSet};
use std::ops::ControlFlow;
use std::path::Path;

use copywriter::characters;
use copywriter::decoder::{
    Copywriter, Covered, Draft, Example, Meaning, Meanings, Part, ReinforceConfig, Reward,
    reinforce,
};
use copywriter::metrics::{
    Bleu, Idf, Smoothing, jieba_words, rouge_chinese, rouge_l_coco, tokenise_13a, tokenise_ptb,
};
use datasets::FactText;
use nn::{Progress, Training, TrainingRecord};
use rand::RngExt;
use serde::{Deserialize, Serialize};

use super::sets::meaning;
use crate::error::{EngineError, Result};

/// What counts how much. Each measure but `fault`, which counts facts, is a share of 1 before it is weighted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RewardSettings {
    /// Weight of BLEU-4 of the text alone. Default 1.
    pub bleu: f64,
    /// Weight of ROUGE-L. Default 0.
    pub rouge_l: f64,
    /// Weight of a tenth of `CIDEr`. Default 0.
    pub cider: f64,
    /// Weight of the share of facts whose values stand in the text letter by letter, be it within a word. Default 0.
    pub verbatim: f64,
    /// What a fact costs that is left out or added, as far as facts are recognised. Default 0.1.
    pub fault: f64,
    /// What the share of pairs of words costs that the text had before. Default 0.5.
    pub repetition: f64,
    /// Further sets of facts, as a share of all, of which some are left out at random. Nobody wrote a text of them, so that
    /// closeness does not count there, and what is made up costs `fault`. Default 0.2.
    pub sparse: f64,
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
            sparse: 0.2,
        }
    }
}

impl RewardSettings {
    /// Refuses weights below 0, and such as make every text worth the same.
    pub(super) fn check(&self) -> Result<()> {
        let weights = [
            ("bleu", self.bleu),
            ("rouge_l", self.rouge_l),
            ("cider", self.cider),
            ("verbatim", self.verbatim),
            ("fault", self.fault),
            ("repetition", self.repetition),
        ];
        if !(0.0..=1.0).contains(&self.sparse) {
            return Err(refuse("sparse", self.sparse, "a share from 0 to 1"));
        }
        let is_bad = |weight: f64| !(weight.is_finite() && weight >= 0.0);
        let bad = weights.into_iter().find(|(_, weight)| is_bad(*weight));
        let (field, weight, expected) = match bad {
            Some((field, weight)) => (field, weight, "0 or more"),
            None if weights.iter().all(|(_, weight)| *weight <= 0.0) => (
                "reward",
                0.0,
                "a weight above 0, since texts are compared by it",
            ),
            None => return Ok(()),
        };
        Err(refuse(field, weight, expected))
    }
}

fn refuse(field: &'static str, value: f64, expected: &'static str) -> EngineError {
    EngineError::Copy(copywriter::CopyError::Setting {
        field,
        value: value.to_string(),
        expected,
    })
}

/// How texts are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// At blanks and punctuation, as the E2E challenge does.
    Words,
    /// Into characters for BLEU and jieba's words for ROUGE-L, as `ChatGLM`'s evaluation does.
    Chinese,
}

impl Cut {
    /// The way that suits most of the texts.
    pub(super) fn of<'t>(texts: impl Iterator<Item = &'t str>) -> Self {
        let (mut han, mut others) = (0usize, 0usize);
        for text in texts {
            let letters = text.chars().filter(|c| c.is_alphabetic()).count();
            let own = text
                .chars()
                .filter(|c| ('\u{4e00}'..='\u{9fff}').contains(c));
            let own = own.count();
            han += own;
            others += letters - own;
        }
        if han > others {
            Self::Chinese
        } else {
            Self::Words
        }
    }

    fn for_bleu(self, text: &str) -> Vec<String> {
        match self {
            Self::Chinese => characters(text),
            Self::Words => tokenise_13a(&text.to_lowercase()),
        }
    }

    fn words(self, text: &str) -> Vec<String> {
        match self {
            Self::Chinese => jieba_words(text),
            Self::Words => tokenise_ptb(text),
        }
    }

    fn rouge_l(self, text: &[String], references: &[Vec<String>]) -> f64 {
        match self {
            Self::Chinese => {
                let each = references.iter();
                let each = each.map(|reference| rouge_chinese(text, reference).rouge_l.f);
                each.fold(0.0, f64::max)
            }
            Self::Words => rouge_l_coco(text, references),
        }
    }
}

/// People's texts of the meanings of a part; those of sparse meanings, of which nobody wrote, come last and have none.
#[derive(Debug, Default)]
pub(super) struct References {
    meanings: Vec<Meaning>,
    /// As BLEU reads them.
    for_bleu: Vec<Vec<Vec<String>>>,
    /// As ROUGE-L and `CIDEr` read them.
    words: Vec<Vec<Vec<String>>>,
}

/// Meanings of the validation, at most, by whose texts a model is judged after each epoch.
const JUDGED: usize = 300;

/// Goes on training the model of the folder `from` by how close its texts come to people's and how they hold to their facts,
/// and saves the result in `folder`. `exact` names the facts of which sparse meanings leave none out.
pub(super) fn learn(
    from: &Path,
    cut: Cut,
    [train, validation]: [References; 2],
    exact: &[String],
    (config, settings): (&ReinforceConfig, &RewardSettings),
    folder: &Path,
    tell: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<(Copywriter, TrainingRecord)> {
    let train = train.with_sparse(cut, settings.sparse, exact);
    let validation = validation.thinned();
    let validation = validation.with_sparse(cut, settings.sparse, exact);
    let reward = Closeness::new(cut, settings, &train, &validation);
    let meanings = Meanings {
        train: &train.meanings,
        validation: &validation.meanings,
    };
    Ok(
        match reinforce(from, meanings, &reward, config, folder, tell)? {
            Training::Finished(model, record) => (*model, record),
            Training::Paused(record) => (Copywriter::load(from)?, record),
        },
    )
}

impl References {
    /// Every so many-eth, so that few enough are left to be judged by.
    fn thinned(self) -> Self {
        let step = self.meanings.len().div_ceil(JUDGED).max(1);
        Self {
            meanings: self.meanings.into_iter().step_by(step).collect(),
            for_bleu: self.for_bleu.into_iter().step_by(step).collect(),
            words: self.words.into_iter().step_by(step).collect(),
        }
    }

    /// Adds sparse meanings, a share of those there are: exact values stay, of the other facts some do.
    fn with_sparse(mut self, cut: Cut, share: f64, exact: &[String]) -> Self {
        let every = (1.0 / share.max(1e-9)).max(1.0);
        let count = (self.meanings.len() as f64 / every) as usize;
        for number in 0..count {
            let full = &self.meanings[(number as f64 * every) as usize];
            let mut rng = nn::generator(1, "sparse meaning", number as u64);
            let mut meaning = full.clone();
            meaning
                .facts
                .retain(|fact| exact.contains(&fact.name) || rng.random());
            if !meaning.facts.is_empty() && meaning.facts.len() < full.facts.len() {
                self.push(cut, meaning, std::iter::empty());
            }
        }
        self
    }

    /// The texts of a public set.
    pub(super) fn of_set(cut: Cut, texts: &[FactText]) -> Self {
        let mut all = Self::default();
        for one in texts {
            all.push(cut, meaning(one), one.texts.iter().map(String::as_str));
        }
        all
    }

    /// The texts of a corpus, those of one meaning together.
    pub(super) fn of_examples(cut: Cut, examples: &[Example]) -> Self {
        let mut places: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (place, example) in examples.iter().enumerate() {
            let meaning = format!("{:?}", example.meaning);
            places.entry(meaning).or_default().push(place);
        }
        let mut all = Self::default();
        for places in places.values() {
            let texts = places.iter().map(|place| &examples[*place].text[..]);
            all.push(cut, examples[places[0]].meaning.clone(), texts);
        }
        all
    }

    fn push<'t>(&mut self, cut: Cut, meaning: Meaning, texts: impl Iterator<Item = &'t str>) {
        let (for_bleu, words) = texts
            .map(|text| (cut.for_bleu(text), cut.words(text)))
            .unzip();
        self.meanings.push(meaning);
        self.for_bleu.push(for_bleu);
        self.words.push(words);
    }
}

/// Closeness to people's texts.
pub(super) struct Closeness<'a> {
    cut: Cut,
    settings: &'a RewardSettings,
    train: &'a References,
    validation: &'a References,
    /// How telling n-grams are, from the texts that are learnt.
    idf: Idf<'a>,
}

impl<'a> Closeness<'a> {
    pub(super) fn new(
        cut: Cut,
        settings: &'a RewardSettings,
        train: &'a References,
        validation: &'a References,
    ) -> Self {
        Self {
            cut,
            settings,
            train,
            validation,
            idf: Idf::of(&train.words[..train.words.partition_point(|texts| !texts.is_empty())]),
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
    fn fingerprint(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(format!("{:?} {:?}", self.cut, self.settings).as_bytes());
        for references in [self.train, self.validation] {
            hasher.update(format!("{:?}", references.for_bleu).as_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }

    fn of(&self, part: Part, meaning: usize, text: &Draft, covered: Covered) -> f64 {
        let all = match part {
            Part::Train => self.train,
            Part::Validation => self.validation,
        };
        let settings = self.settings;
        let mut worth = -settings.fault * (covered.missing + covered.added) as f64;
        if settings.bleu > 0.0 {
            let tokens = self.cut.for_bleu(&text.text);
            let bleu = Bleu::of_text(&tokens, &all.for_bleu[meaning]);
            worth += settings.bleu * bleu.score(Smoothing::Exponential);
        }
        if settings.rouge_l > 0.0 || settings.cider > 0.0 || settings.repetition > 0.0 {
            let (tokens, references) = (self.cut.words(&text.text), &all.words[meaning]);
            worth += settings.rouge_l * self.cut.rouge_l(&tokens, references);
            worth -= settings.repetition * repetition(&tokens);
            if settings.cider > 0.0 {
                worth += settings.cider * self.idf.cider(&tokens, references) / 10.0;
            }
        }
        if settings.verbatim > 0.0 {
            let facts = &all.meanings[meaning].facts;
            let text = text.text.to_lowercase();
            let told = facts.iter();
            let told = told.filter(|fact| text.contains(&fact.value.to_lowercase()));
            worth += settings.verbatim * told.count() as f64 / facts.len().max(1) as f64;
        }
        worth
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use copywriter::decoder::Fact;

    fn example(colour: &str, text: &str) -> Example {
        Example {
            meaning: Meaning::of_facts(vec![Fact::new("colour", colour)]),
            text: text.to_owned(),
        }
    }

    fn worth(settings: &RewardSettings, text: &str, covered: Covered) -> f64 {
        let examples = [
            example("red", "A red mug for tea."),
            example("blue", "A blue bag."),
            example("red", "This mug is red."),
        ];
        let references = References::of_examples(Cut::Words, &examples);
        let nothing = References::default();
        let closeness = Closeness::new(Cut::Words, settings, &references, &nothing);
        // In the order of their values.
        assert_eq!(references.meanings[1].facts[0].value, "red");
        let draft = Draft {
            text: text.to_owned(),
            tokens: Vec::new(),
            log_probability: 0.0,
            token_log_probabilities: Vec::new(),
        };
        closeness.of(Part::Train, 1, &draft, covered)
    }

    #[test]
    fn each_weight_counts_what_it_says() {
        let none = RewardSettings {
            bleu: 0.0,
            rouge_l: 0.0,
            cider: 0.0,
            verbatim: 0.0,
            fault: 0.0,
            repetition: 0.0,
            sparse: 0.0,
        };
        // In thousandths.
        let close = |settings: &RewardSettings, text: &str| {
            (worth(settings, text, Covered::default()) * 1e3).round() as i64
        };
        let bleu = RewardSettings { bleu: 2.0, ..none };
        assert_eq!(close(&bleu, "This mug is red."), 2_000);
        assert!(close(&bleu, "This mug is blue.") < 1_900);
        let rouge_l = RewardSettings {
            rouge_l: 1.0,
            ..none
        };
        assert_eq!(close(&rouge_l, "A red mug for tea."), 1_000);
        let cider = RewardSettings { cider: 1.0, ..none };
        assert!(close(&cider, "A red mug for tea.") > close(&cider, "A blue bag."));
        let verbatim = RewardSettings {
            verbatim: 0.5,
            ..none
        };
        assert_eq!(close(&verbatim, "a red thing"), 500);
        assert_eq!(close(&verbatim, "a blue thing"), 0);
        let repetition = RewardSettings {
            repetition: 1.0,
            ..none
        };
        // Of the pairs `a b`, `b a`, `a b` one stands there before.
        assert_eq!(close(&repetition, "a b a b"), -333);
        let fault = RewardSettings { fault: 0.1, ..none };
        let covered = Covered {
            missing: 1,
            added: 2,
        };
        assert!((worth(&fault, "anything", covered) + 0.3).abs() < 1e-9);
    }

    #[test]
    fn texts_are_cut_as_most_of_their_letters_ask_for() {
        assert_eq!(Cut::of(["红色的杯子 XL", "mug"].into_iter()), Cut::Words);
        assert_eq!(Cut::of(["红色的杯子 XL", "蓝色"].into_iter()), Cut::Chinese);
    }

    #[test]
    fn sparse_meanings_keep_what_is_exact_and_have_no_texts() {
        let names = ["title", "colour", "size", "material"];
        let example = |number: usize| Example {
            meaning: Meaning::of_facts(
                names
                    .map(|name| Fact::new(name, number.to_string()))
                    .to_vec(),
            ),
            text: "A mug.".to_owned(),
        };
        let examples: Vec<Example> = (0..40).map(example).collect();
        let full = References::of_examples(Cut::Words, &examples);
        let all = full.with_sparse(Cut::Words, 0.5, &["title".to_owned()]);
        assert!(
            (55..=60).contains(&all.meanings.len()),
            "{}",
            all.meanings.len()
        );
        for (meaning, texts) in all.meanings.iter().zip(&all.words).skip(40) {
            assert!(texts.is_empty() && meaning.facts.len() < 4);
            assert_eq!(meaning.facts[0].name, "title");
        }
        let one = RewardSettings::default();
        let nothing = References::default();
        let closeness = Closeness::new(Cut::Words, &one, &all, &nothing);
        let draft = Draft {
            text: "A mug.".to_owned(),
            tokens: Vec::new(),
            log_probability: 0.0,
            token_log_probabilities: Vec::new(),
        };
        let worth = closeness.of(Part::Train, 45, &draft, Covered::default());
        assert!(worth.abs() < 1e-12, "{worth}");
        let full = References::of_examples(Cut::Words, &examples);
        assert_eq!(full.with_sparse(Cut::Words, 0.0, &[]).meanings.len(), 40);
    }

    #[test]
    fn other_weights_or_texts_are_another_reward() {
        let examples = [example("red", "A red mug."), example("blue", "A blue bag.")];
        let nothing = References::default();
        let of = |settings: &RewardSettings, examples: &[Example]| {
            let references = References::of_examples(Cut::Words, examples);
            Closeness::new(Cut::Words, settings, &references, &nothing).fingerprint()
        };
        let default = RewardSettings::default();
        let longer = RewardSettings {
            bleu: 2.0,
            ..default.clone()
        };
        let first = of(&default, &examples);
        assert_eq!(first, of(&default, &examples));
        assert_ne!(first, of(&longer, &examples));
        assert_ne!(first, of(&default, &examples[..1]));
    }

    #[test]
    fn weights_that_cannot_be_meant_are_refused() {
        for (text, message) in [
            ("verbatim = -1.0", "`verbatim` is -1; expected 0 or more"),
            (
                "sparse = 2.0",
                "`sparse` is 2; expected a share from 0 to 1",
            ),
            (
                "bleu = 0.0\nfault = 0.0\nrepetition = 0.0",
                "`reward` is 0; expected a weight above 0, since texts are compared by it",
            ),
        ] {
            let settings: RewardSettings = toml::from_str(text).expect("well formed");
            assert_eq!(settings.check().expect_err(text).to_string(), message);
        }
    }
}
