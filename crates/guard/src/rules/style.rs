//! A text does not shout.

use super::{Field, Finding, Message};
use crate::Origin;
use crate::pack::Style;

/// Words in capitals from this length on count as shouted: `USB` does, `XL` does not.
const SHOUTED_LETTERS: usize = 3;
/// Fewer shouted words than this are an abbreviation or two.
const SHOUTED_WORDS: usize = 3;

pub(super) fn check(style: &Style, message: &Message, field: &Field, findings: &mut Vec<Finding>) {
    let name = field.name;
    let text = field.plain();
    // A product may be called `Hooray!`; no filter could take that from its name.
    let own = |(_, part, origin)| match message.bound(origin) {
        Some(bound) if bound.is_name() => 0,
        _ => str::chars(part).filter(|c| matches!(c, '!' | '！')).count(),
    };
    let exclamations: usize = field.shown.parts().map(own).sum();
    if exclamations > style.max_exclamations {
        findings.push(Finding::fault(
            "exclamation",
            name,
            format!(
                "the {name} has {exclamations} exclamation marks, the limit is {}; remove some",
                style.max_exclamations
            ),
        ));
    }
    let (words, shouted, letters) = shouting(text);
    let loud = words >= SHOUTED_WORDS && shouted as f64 > style.max_shouted_share * letters as f64;
    // The template's own words need no capitals at all: two of them in a row are meant to be loud.
    let literal = |(_, part, origin)| (origin == Origin::Literal).then(|| shouted_run(part));
    let run = field.shown.parts().filter_map(literal).max().unwrap_or(0);
    if loud || run >= 2 {
        findings.push(Finding::fault(
            "capitals",
            name,
            format!("the {name} shouts in capitals; use lower case, or the filter `title_case` for a title"),
        ));
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphabetic())
        .filter(|word| !word.is_empty())
}

fn is_shouted(word: &str) -> bool {
    word.chars().all(char::is_uppercase) && word.chars().count() >= SHOUTED_LETTERS
}

/// The shouted words, their letters, and all letters.
fn shouting(text: &str) -> (usize, usize, usize) {
    words(text).fold((0, 0, 0), |(count, shouted, letters), word| {
        let length = word.chars().count();
        if is_shouted(word) {
            (count + 1, shouted + length, letters + length)
        } else {
            (count, shouted, letters + length)
        }
    })
}

/// The longest run of shouted words.
fn shouted_run(text: &str) -> usize {
    let mut longest = 0;
    let mut run = 0;
    for word in words(text) {
        run = if is_shouted(word) { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}
