//! How well the rules tell what may be said, on labelled sentences: precision and recall for each language, and every
//! sentence that comes out otherwise.
//!
//! Run: `cargo run -p guard --example labelled -- [--packs A.toml,B.toml] [--phrases-alone] FILE.jsonl ...`
//!
//! A line of a file: `{"text", "lang", "ok", "category", "span", "product"}`; `span` holds the words at fault and `product`
//! what the sentence is about, both optional.

#[path = "../tests/labelled/score.rs"]
mod score;

use std::error::Error;
use std::fs;

use guard::{Guard, RulePack};
use score::Tallies;

fn main() -> Result<(), Box<dyn Error>> {
    let mut packs = None;
    let mut phrases_alone = false;
    let mut files = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--packs" {
            let list = arguments.next().ok_or("--packs needs files")?;
            packs = Some(
                list.split(',')
                    .map(|path| {
                        let text = fs::read_to_string(path)?;
                        RulePack::from_toml(&text)
                            .map_err(|error| format!("{path}: {error}").into())
                    })
                    .collect::<Result<Vec<_>, Box<dyn Error>>>()?,
            );
        } else if argument == "--phrases-alone" {
            phrases_alone = true;
        } else {
            files.push(argument);
        }
    }
    let mut pack = match packs {
        Some(packs) => RulePack::merge(packs)?,
        None => RulePack::built_in(),
    };
    if phrases_alone {
        pack.wordings = None;
    }
    let guard = Guard::new(pack);
    for error in guard.wrong_examples() {
        eprintln!("{error}");
    }
    let mut tallies = Tallies::new();
    for file in &files {
        let mut tell = |line: String| eprintln!("{line}");
        score::count(&guard, &fs::read_to_string(file)?, &mut tallies, &mut tell)
            .map_err(|error| format!("{file}, {error}"))?;
    }
    for ((language, category), tally) in &tallies {
        eprintln!(
            "{language} {category:<22} precision {:.3} recall {:.3}  ({} of {} bad refused, {} of {} good refused, {} elsewhere, {} not mended)",
            tally.precision(),
            tally.recall(),
            tally.bad_refused,
            tally.bad_refused + tally.bad_passed,
            tally.ok_refused,
            tally.ok_refused + tally.ok_passed,
            tally.elsewhere,
            tally.unmended,
        );
    }
    Ok(())
}
