//! Whether a message says the same thing in two of its fields.

use super::piece::{is_han, pieces, slot_name};
use super::text::Field;

/// Words, or Han characters, that two fields may not both say in a row.
const WORDS: usize = 2;
const HAN: usize = 3;
/// Letters that such words have at least: "for the" is no echo.
const LETTERS: usize = 7;

/// Whether a field repeats some words of an earlier one, as in "A newcomer: …" above "A newcomer, first sold on …".
/// Slots may be shown twice.
pub(super) fn echoes(fields: &[(Field, String)]) -> bool {
    let runs: Vec<Vec<Vec<String>>> = fields.iter().map(|(_, text)| words(text)).collect();
    let field_of = |at: usize| runs[at].iter().flat_map(|run| grams(run));
    (1..runs.len()).any(|later| {
        (0..later).any(|earlier| {
            let known: Vec<&[String]> = field_of(earlier).collect();
            field_of(later).any(|gram| known.contains(&gram))
        })
    })
}

/// The runs of words between marks and slots, in lower case.
fn words(text: &str) -> Vec<Vec<String>> {
    let mut runs = vec![Vec::new()];
    for piece in pieces(text) {
        let word = piece.trim().to_lowercase();
        let is_word = word.chars().all(char::is_alphabetic) && slot_name(piece).is_none();
        match runs.last_mut() {
            Some(run) if is_word && !word.is_empty() => run.push(word),
            _ => runs.push(Vec::new()),
        }
    }
    runs
}

fn grams(run: &[String]) -> impl Iterator<Item = &[String]> {
    let is_han_word = |word: &String| word.chars().all(is_han);
    let han = run
        .windows(HAN)
        .filter(move |gram| gram.iter().all(is_han_word));
    let letters = |gram: &&[String]| gram.iter().map(|word| word.chars().count()).sum::<usize>();
    let latin = run.windows(WORDS).filter(move |gram| {
        letters(gram) >= LETTERS && !gram.iter().any(|word| word.chars().any(is_han))
    });
    han.chain(latin)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(title: &str, body: &str) -> bool {
        echoes(&[
            (Field::Title, title.to_owned()),
            (Field::Body, body.to_owned()),
        ])
    }

    #[test]
    fn an_echo_is_heard() {
        assert!(message("A newcomer: {{ title }}", "A newcomer, first sold"));
        assert!(message(
            "好消息，价格下来了",
            "「{{ title }}」的价格下来了。"
        ));
        assert!(!message(
            "{{ title }} for {{ price }}",
            "{{ title }} for {{ price }}, to you"
        ));
        assert!(!message("For the home", "For the garden"));
        assert!(!message("补货：{{ short }}", "再补一份，{{ price }}。"));
    }
}
