//! What a line for one shopper costs on the request path: facts and user state in, K drafts of 24 tokens out.
//!
//! The sizes are those of a shop's model: 8,192 tokens, width 256, 6 layers, a prompt of at most 64 tokens behind 4 vectors of
//! the user state, weights in 8 bits. The corpus is made up and learnt for a moment only, so that texts come to an end;
//! every request has a shopper, facts and draws of its own. One core:
//!
//! ```text
//! RAYON_NUM_THREADS=1 cargo bench -p copywriter --bench live_line
//! ```

#![expect(clippy::print_stdout, reason = "a bench tells its figures")]

use std::error::Error;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use copywriter::decoder::{
    Copywriter, CopywriterConfig, Corpus, DecodingConfig, Example, Fact, Meaning, Search, train,
};
use nn::inference::Precision;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Words of the language, and how many of them texts are made of.
const WORDS: usize = 7_000;
const SPOKEN: usize = 100;
/// Words of a text, and the values of a prompt.
const TEXT: usize = 24;
const VALUES: usize = 28;
const USER_WIDTH: usize = 64;
const REQUESTS: usize = 400;

fn main() -> Result<(), Box<dyn Error>> {
    nn::one_thread_per_operation();
    let words = words();
    let folder = tempfile::tempdir()?;
    let model = trained(&words, folder.path())?;
    let writer = model.writer(Precision::Int8)?;
    println!(
        "{} tokens, {} numbers, {} requests",
        model.vocabulary_size(),
        model.parameter_count(),
        REQUESTS
    );
    for count in [1, 4, 8] {
        let config = DecodingConfig {
            search: Search::Sample {
                count,
                temperature: 1.0,
                top_p: 0.9,
                min_p: 0.0,
            },
            max_tokens: TEXT + 8,
            ..DecodingConfig::default()
        };
        let (mut times, mut texts, mut tokens) = (Vec::new(), 0, 0);
        for request in 0..REQUESTS {
            let mut rng = nn::generator(2, "request", request as u64);
            let asked = meaning(&words, &mut rng);
            let started = Instant::now();
            let drafts = writer.write(&asked, &config, request as u64)?;
            times.push(started.elapsed().as_secs_f64() * 1e3);
            texts += drafts.len();
            tokens += drafts.iter().map(|draft| draft.tokens.len()).sum::<usize>();
        }
        times.sort_by(f64::total_cmp);
        let at = |share: f64| times[(share * (REQUESTS - 1) as f64) as usize];
        println!(
            "{count} drafts: p50 {:.1} ms, p99 {:.1} ms; {:.2} texts a request, {:.1} tokens a text",
            at(0.5),
            at(0.99),
            texts as f64 / REQUESTS as f64,
            tokens as f64 / texts.max(1) as f64
        );
    }
    Ok(())
}

/// Made-up words of three syllables.
fn words() -> Vec<String> {
    let mut rng = nn::generator(1, "words", 0);
    let mut syllable = || {
        let consonant = b"bdfgklmnprstvz"[rng.random_range(0..14)];
        let vowel = b"aeiou"[rng.random_range(0..5)];
        [char::from(consonant), char::from(vowel)]
    };
    (0..WORDS)
        .map(|_| (0..3).flat_map(|_| syllable()).collect())
        .collect()
}

/// A product of four attributes and the state of a shopper.
fn meaning(words: &[String], rng: &mut ChaCha8Rng) -> Meaning {
    let names = ["title", "material", "colour", "use"];
    let mut value = || {
        let each = (0..VALUES / names.len()).map(|_| &words[rng.random_range(0..words.len())][..]);
        each.collect::<Vec<_>>().join(" ")
    };
    let facts = names.map(|name| Fact::new(name, value()));
    Meaning {
        controls: vec!["push".to_owned()],
        facts: facts.to_vec(),
        user_state: Some((0..USER_WIDTH).map(|_| rng.random::<f32>() - 0.5).collect()),
        ..Meaning::default()
    }
}

/// A model of the sizes in question that has learnt how long a text is.
fn trained(words: &[String], folder: &Path) -> Result<Copywriter, Box<dyn Error>> {
    let example = |number: u64| {
        let mut rng = nn::generator(1, "example", number);
        let said = (0..TEXT).map(|_| &words[rng.random_range(0..SPOKEN)][..]);
        Example {
            text: said.collect::<Vec<_>>().join(" "),
            meaning: meaning(words, &mut rng),
        }
    };
    let corpus = Corpus {
        train: (0..4_000).map(example).collect(),
        ..Corpus::default()
    };
    let config = CopywriterConfig {
        vocabulary: 8_192,
        width: 256,
        layers: 6,
        hidden: 704,
        user_width: USER_WIDTH,
        max_tokens: 128,
        batch_tokens: 1_024,
        epochs: 1,
        max_steps: 120,
        ..CopywriterConfig::default()
    };
    train(&corpus, &config, folder, &mut |_| ControlFlow::Continue(()))?;
    Ok(Copywriter::load(folder)?)
}
