//! A small random model with its tokenizer, and products to write about.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use copywriter::brief::Brief;
use copywriter::checkpoint::{CheckpointConfig, CheckpointPrecision, Lesson};
use copywriter::templates;
use events::{Channel, Currency, Fact, Language, Money, Product, Strategy, Timestamp};
use guard::{Facts, Guard, RulePack};
use nn::{Decoder, DecoderConfig, Device, ParameterStore, RotaryScaling, Tensor, hugging_face};
use serde_json::json;
use tokenizers::models::TrainerWrapper;
use tokenizers::models::bpe::{BPE, BpeTrainerBuilder};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::{AddedToken, Tokenizer};

/// Preparing the rules takes seconds in a build for tests.
pub(crate) static GUARD: LazyLock<Guard> = LazyLock::new(|| Guard::new(RulePack::built_in()));

static NOTHING: LazyLock<BTreeMap<String, guard::Value>> = LazyLock::new(BTreeMap::new);

const VOCABULARY: usize = 1_200;
const END: &str = "<|im_end|>";

/// Products that differ in name and material.
pub(crate) fn products() -> Vec<Product> {
    let kinds = ["Mug", "Bowl", "Plate", "Teapot", "Jug"];
    let materials = ["stoneware", "oak", "glass", "linen"];
    let pairs = kinds
        .iter()
        .flat_map(|kind| materials.map(|material| (kind, material)));
    pairs
        .map(|(kind, material)| Product {
            id: format!("{kind}-{material}"),
            title: format!("{kind} of the valley"),
            price: Some(Money {
                minor: 1_200,
                currency: Currency::GBP,
            }),
            facts: vec![Fact {
                name: "material".to_owned(),
                value: material.to_owned(),
                source: "shop".to_owned(),
                valid_until: None,
            }],
            ..Product::default()
        })
        .collect()
}

pub(crate) fn brief(product: &Product) -> Brief<'_> {
    Brief {
        channel: Channel::Push,
        language: Language::En,
        strategy: Strategy::Benefit,
        facts: Facts {
            product,
            stats: &NOTHING,
            user: &NOTHING,
            now: Timestamp::UNIX_EPOCH,
            version: "1",
        },
        brand: "",
        count: 3,
        seed: 5,
    }
}

/// A text of the library as the answer to the brief of each product.
pub(crate) fn lessons(products: &[Product]) -> Vec<Lesson> {
    let library = templates::library(Channel::Push, Language::En);
    let fitting: Vec<_> = library
        .iter()
        .filter(|variant| variant.strategy == Strategy::Benefit)
        .filter(|variant| Lesson::of(&brief(&products[0]), variant, &GUARD).is_ok())
        .take(2)
        .collect();
    assert_eq!(
        fitting.len(),
        2,
        "the library has texts that a model could have written"
    );
    let pairs = products.iter().zip(fitting.iter().cycle());
    pairs
        .map(|(product, variant)| Lesson::of(&brief(product), variant, &GUARD).expect("sound"))
        .collect()
}

/// Writes a random model and a tokenizer whose pieces are cut from the lessons, so that prompts are short.
pub(crate) fn save(folder: &Path, lessons: &[Lesson]) {
    let tokenizer = tokenizer(lessons);
    let mut store = ParameterStore::new(7, &Device::Cpu);
    let config = DecoderConfig {
        vocabulary: tokenizer.get_vocab_size(true) + 3,
        width: 48,
        layers: 2,
        heads: 4,
        key_heads: 2,
        hidden: 96,
        positions: 2_048,
        rotary_base: 10_000.0,
        rotary_scaling: RotaryScaling::Unscaled,
        norm_epsilon: 1e-6,
        attention_bias: true,
        tied: true,
        dropout: 0.0,
    };
    let decoder = Decoder::new(&mut store, &config).expect("sizes fit");
    // A trained model is sure of some tokens; the first values of a table are too small for that.
    let gain = Tensor::full(40f32, 48, &Device::Cpu).expect("small");
    store.set("model.norm.weight", &gain).expect("exists");
    hugging_face::save(folder, &store, &decoder).expect("writable");
    let path = folder.join("tokenizer.json");
    tokenizer.save(path, false).expect("writable");
    let config = json!({"eos_token": {"content": END}}).to_string();
    fs::write(folder.join("tokenizer_config.json"), config).expect("writable");
}

/// Byte-level pieces that may reach over words: a prompt that recurs becomes few of them.
fn tokenizer(lessons: &[Lesson]) -> Tokenizer {
    let mut tokenizer = Tokenizer::new(BPE::default());
    let bytes = ByteLevel::new(false, true, false);
    tokenizer.with_pre_tokenizer(Some(bytes));
    tokenizer.with_decoder(Some(bytes));
    let special = ["<|im_start|>", END].map(|name| AddedToken::from(name, true));
    let trainer = BpeTrainerBuilder::new()
        .vocab_size(VOCABULARY)
        .min_frequency(2)
        .show_progress(false)
        .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
        .special_tokens(special.to_vec())
        .build();
    let texts = lessons.iter().flat_map(|lesson| {
        let (system, user) = lesson.prompt();
        let parts = [format!("system\n{system}"), format!("user\n{user}")];
        parts.into_iter().chain([lesson.answer().to_owned()])
    });
    let trained = tokenizer.train(&mut TrainerWrapper::from(trainer), texts);
    trained.expect("texts");
    tokenizer
}

/// Draws that are nearly the likeliest.
pub(crate) fn config(folder: &Path, precision: CheckpointPrecision) -> CheckpointConfig {
    CheckpointConfig {
        folder: folder.to_owned(),
        precision,
        max_tokens: 120,
        temperature: 0.2,
        ..CheckpointConfig::default()
    }
}
