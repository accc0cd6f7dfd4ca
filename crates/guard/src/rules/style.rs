//! A text does not shout.

use super::{Fault, Field, Message};
use crate::Origin;
use crate::pack::Style;

/// Words in capitals from this length on count as shouted: `USB` does, `XL` does not.
const SHOUTED_LETTERS: usize = 3;
/// Fewer shouted words than this are an abbreviation or two.
const SHOUTED_WORDS: usize = 3;

pub(super) fn check(style: &Style, message: &Message, field: &Field, findings: &mut Vec<Fault>) {
    let name = field.name;
    let text = field.plain();
    // A product may be called `Hooray!`; no filter could take that from its name.
    let own = |(_, part, origin)| match message.bound(origin) {
        Some(bound) if bound.is_name() => 0,
        _ => str::chars(part).filter(|c| matches!(c, '!' | '！')).count(),
    };
    let exclamations: usize = field.shown.parts().map(own).sum();
    if exclamations > style.max_exclamations {
        findings.push(Fault::new(
            "exclamation",
            name,
            format!(
                "the {name} has {exclamations} exclamation marks, the limit is {}; remove some",
                style.max_exclamations
            ),
        ));
    }
    if !may_shout(text) {
        return;
    }
    let (words, shouted, letters) = shouting(text);
    let loud = words >= SHOUTED_WORDS && shouted as f64 > style.max_shouted_share * letters as f64;
    // The template's own words need no capitals at all: two of them in a row are meant to be loud.
    let literal = |(_, part, origin)| (origin == Origin::Literal).then(|| shouted_run(part));
    let run = field.shown.parts().filter_map(literal).max().unwrap_or(0);
    if loud || run >= 2 {
        findings.push(Fault::new(
            "capitals",
            name,
            format!("the {name} shouts in capitals; use lower case, or the filter `title_case` for a title"),
        ));
    }
}

/// Whether a text could hold a shouted word: a run of capitals, or letters of another alphabet that has capitals.
fn may_shout(text: &str) -> bool {
    let mut run = 0;
    text.bytes().any(|byte| {
        run = if byte.is_ascii_uppercase() {
            run + 1
        } else {
            0
        };
        run >= SHOUTED_LETTERS || (0xc3..=0xd4).contains(&byte)
    })
}

/// A text with no more exclamation marks than allowed: the first stay, the rest become full stops or go.
pub(super) fn calm(style: &Style, text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut kept = 0;
    for c in text.chars() {
        let ends_already = out.ends_with(['!', '！', '.', '。']) || out.is_empty();
        match c {
            '!' | '！' if ends_already => {}
            '!' | '！' if kept < style.max_exclamations => {
                kept += 1;
                out.push(c);
            }
            '!' => out.push('.'),
            '！' => out.push('。'),
            _ => out.push(c),
        }
    }
    out
}

/// A text whose shouted words are written small, but for the first letter of a sentence.
pub(super) fn lower(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut begins = true;
    for word in text.split_inclusive(|c: char| !c.is_alphabetic()) {
        let bare = word.trim_end_matches(|c: char| !c.is_alphabetic());
        if is_shouted(bare) {
            let small = word.to_lowercase();
            let mut letters = small.chars();
            match letters.next() {
                Some(first) if begins => out.extend(first.to_uppercase().chain(letters)),
                _ => out.push_str(&small),
            }
        } else {
            out.push_str(word);
        }
        begins = word.ends_with(['.', '!', '?', ':']) || begins && bare.is_empty();
    }
    out
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
