//! Copy from a language model on a server, with the template library behind it.
//!
//! ```sh
//! cargo run -p copywriter --example llm -- http://127.0.0.1:8080/v1
//! ```
//!
//! `bench/llm` serves a small checkpoint to try it with. Without a server the library writes, and the example says why.
#![allow(clippy::print_stdout, reason = "an example reports to its reader")]

use std::collections::BTreeMap;
use std::error::Error;

use copywriter::brief::Brief;
use copywriter::llm::{Access, Llm, LlmConfig};
use copywriter::providers::Providers;
use events::{Channel, Currency, Fact, Language, Money, Product, Strategy, Timestamp};
use guard::{Facts, Guard, RulePack};

fn main() -> Result<(), Box<dyn Error>> {
    // 1. What is sold, and what may be said of it. Each fact becomes a name that a text may show.
    let product = Product {
        id: "mug".to_owned(),
        title: "Blue mug".to_owned(),
        price: Some(Money::from_decimal(12.0, Currency::GBP)?),
        facts: vec![Fact {
            name: "material".to_owned(),
            value: "stoneware".to_owned(),
            source: "the shop".to_owned(),
            valid_until: None,
        }],
        ..Product::default()
    };
    let (stats, user) = (BTreeMap::new(), BTreeMap::new());
    let brief = Brief {
        channel: Channel::Push,
        language: Language::En,
        strategy: Strategy::Benefit,
        facts: Facts {
            product: &product,
            stats: &stats,
            user: &user,
            now: Timestamp::UNIX_EPOCH,
            version: "1",
        },
        brand: "Warm and dry, no exclamation marks.",
        count: 3,
        seed: 1,
    };

    // 2. Where the server is. A key would be read from the environment here, since the library never looks at it.
    let mut config = LlmConfig {
        retries: 0,
        ..LlmConfig::default()
    };
    if let Some(address) = std::env::args().nth(1) {
        config.base_url = address;
    }
    config.structured = std::env::args().nth(2).as_deref() != Some("plain");
    let llm = Llm::new(config, Access::default())?;

    // 3. The server is asked first; whoever writes, the guard has the last word.
    let guard = Guard::new(RulePack::built_in());
    let written = llm.write(&brief, &guard);
    for refused in &written.refused {
        println!("refused: {refused}");
    }
    println!("{:?}", llm.spent());
    let providers = Providers {
        llm: Some(&llm),
        ..Providers::default()
    };
    let chain = providers.write(&brief, &guard);
    for passed in &chain.passed_over {
        println!("{}: {}", passed.provider, passed.detail);
    }
    for variant in &chain.variants {
        let text = guard.render(variant, &brief.facts)?.text;
        println!(
            "{}: {} | {}",
            variant.generator.provider,
            text.title.unwrap_or_default(),
            text.body
        );
    }
    Ok(())
}
