//! What is learnt in an epoch, and what is held out.

use events::Language;
use nn::generator;
use rand::RngExt;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use super::compose::compose;
use super::config::NativeConfig;
use super::text::{ProductText, StyleText, TrainingTexts};
use super::vocabulary::Vocabulary;
use crate::network::Sequence;

/// How often an epoch reads each template of the library.
const LIBRARY_REPEATS: usize = 2;
/// Share of style texts that are read with the words of some product in the prompt.
const WITH_WORDS: f64 = 0.5;
/// Composed texts and product texts that are held out at most.
const HELD_OUT: usize = 120;

/// Texts split into what is learnt and what is held out, by whole templates and products.
#[derive(Debug)]
pub(super) struct Corpus {
    styles: Vec<StyleText>,
    products: Vec<ProductText>,
    /// Held-out sequences: of templates, of composed texts, of products.
    pub(super) held_out: [Vec<Sequence>; 3],
}

impl Corpus {
    pub(super) fn new(
        texts: &TrainingTexts,
        vocabulary: &Vocabulary,
        config: &NativeConfig,
    ) -> Self {
        let share = config.validation_share;
        let is_out = |kind: &str, id: &str| {
            let hash = nn::name_seed(&format!("{kind}/{id}/{}", config.seed));
            ((hash >> 11) as f64 / (1u64 << 53) as f64) < share
        };
        let (out_styles, styles): (Vec<_>, Vec<_>) = texts
            .styles
            .iter()
            .cloned()
            .partition(|text| is_out("template", &text.id));
        let (out_products, products): (Vec<_>, Vec<_>) = texts
            .products
            .iter()
            .cloned()
            .partition(|text| is_out("product", &text.id));
        let mut corpus = Self {
            styles,
            products,
            held_out: Default::default(),
        };
        let mut rng = generator(config.seed, "held out", 0);
        let words = config.prompt_words;
        let style = |text: &StyleText| Sequence::of_style(text, &text.words, vocabulary, words);
        let held_out = if share > 0.0 { HELD_OUT } else { 0 };
        let composed = compose(&out_products, held_out, &mut rng);
        let stride = out_products.len().div_ceil(HELD_OUT).max(1);
        let described = out_products.iter().step_by(stride);
        let described = described.map(|text| Sequence::of_product(text, vocabulary, words, None));
        corpus.held_out = [
            out_styles.iter().map(style).collect(),
            composed.iter().map(style).collect(),
            described.collect(),
        ];
        for part in &mut corpus.held_out {
            part.retain(|sequence| fits(sequence, config));
        }
        corpus
    }

    /// The sequences of an epoch: a function of texts, settings and epoch alone.
    pub(super) fn epoch(
        &self,
        vocabulary: &Vocabulary,
        config: &NativeConfig,
        epoch: u64,
    ) -> Vec<Sequence> {
        let mut rng = generator(config.seed, "texts", epoch);
        let words = config.prompt_words;
        let mut sequences = Vec::new();
        for text in &self.styles {
            for _ in 0..LIBRARY_REPEATS {
                let words_of = self.some_words(text.language, &mut rng);
                let spoken = if text.words.is_empty() {
                    words_of
                } else {
                    &text.words
                };
                sequences.push(Sequence::of_style(text, spoken, vocabulary, words));
            }
        }
        for text in compose(&self.products, config.composed_texts, &mut rng) {
            let words_of = self.some_words(text.language, &mut rng);
            let spoken = if text.words.is_empty() {
                words_of
            } else {
                &text.words
            };
            sequences.push(Sequence::of_style(&text, spoken, vocabulary, words));
        }
        for _ in 0..config.product_texts.min(self.products.len()) {
            if let Some(text) = self.products.choose(&mut rng) {
                let sequence = Sequence::of_product(text, vocabulary, words, Some(&mut rng));
                sequences.push(sequence);
            }
        }
        sequences.retain(|sequence| fits(sequence, config));
        sequences
    }

    /// The words of some product, or none: a template fits them all.
    fn some_words(&self, language: Language, rng: &mut ChaCha8Rng) -> &[String] {
        if rng.random::<f64>() >= WITH_WORDS {
            return &[];
        }
        // A Chinese text is written about products with English titles too, but not the other way round.
        let product = self.products.choose(rng);
        let product = product.filter(|p| language == Language::Zh || p.language == language);
        product.map_or(&[], |product| &product.words)
    }
}

fn fits(sequence: &Sequence, config: &NativeConfig) -> bool {
    sequence.tokens.len() <= config.max_tokens && sequence.tokens.len() > sequence.prompt
}
