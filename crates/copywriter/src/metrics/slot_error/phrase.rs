use std::collections::BTreeMap;

/// Stands for a punctuation mark, which no phrase has.
const MARK: &str = ".";

/// A row of words with alternatives, optional words and gaps, as the table of slots explains it.
#[derive(Debug, Clone)]
pub(super) struct Phrase(Vec<Piece>);

#[derive(Debug, Clone)]
enum Piece {
    Word {
        any_of: Vec<String>,
        optional: bool,
    },
    /// Up to so many words of any kind.
    Gap(usize),
}

impl Phrase {
    /// A phrase of exactly these words.
    pub(super) fn verbatim(text: &str) -> Self {
        let word = |word| Piece::Word {
            any_of: vec![word],
            optional: false,
        };
        Self(words(text).into_iter().map(word).collect())
    }

    /// Reads a phrase; `lists` are what `@list` stands for.
    ///
    /// # Panics
    /// When a list or the size of a gap is unknown.
    pub(super) fn parse(text: &str, lists: &BTreeMap<String, Vec<String>>) -> Self {
        let piece = |piece: &str| {
            if let Some(size) = piece.strip_prefix('*') {
                return Piece::Gap(size.parse().expect("invariant: a gap has a size"));
            }
            let stem = piece.trim_end_matches('?');
            let alternatives = stem
                .split('|')
                .flat_map(|word| match word.strip_prefix('@') {
                    Some(list) => lists[list].clone(),
                    None => vec![word.to_owned()],
                });
            Piece::Word {
                any_of: alternatives.collect(),
                optional: stem != piece,
            }
        };
        Self(text.split(' ').map(piece).collect())
    }

    /// The end of the longest reading of this phrase that begins at `start`; no gap holds one of `gap_stops`.
    pub(super) fn end(&self, text: &[String], start: usize, gap_stops: &[String]) -> Option<usize> {
        end(&self.0, text, start, gap_stops).filter(|&end| end > start)
    }
}

fn end(pieces: &[Piece], text: &[String], at: usize, gap_stops: &[String]) -> Option<usize> {
    let Some((piece, rest)) = pieces.split_first() else {
        return Some(at);
    };
    match piece {
        Piece::Word { any_of, optional } => {
            let taken = text.get(at).filter(|word| any_of.contains(word));
            let taken = taken.and_then(|_| end(rest, text, at + 1, gap_stops));
            let skipped = optional.then(|| end(rest, text, at, gap_stops)).flatten();
            taken.max(skipped)
        }
        Piece::Gap(size) => {
            let is_open = |word: &&String| *word != MARK && !gap_stops.contains(word);
            let open = text[at..].iter().take(*size).take_while(is_open).count();
            (0..=open)
                .filter_map(|skipped| end(rest, text, at + skipped, gap_stops))
                .max()
        }
    }
}

/// The words of a text in small letters, without possessives; a punctuation mark stands for itself, hyphens and pound
/// signs are spaces.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut spaced = String::with_capacity(text.len() + 16);
    for letter in text.to_lowercase().chars() {
        match letter {
            'é' => spaced.push('e'),
            '\'' | '’' => spaced.push('\''),
            '-' | '–' | '£' | '/' | '_' => spaced.push(' '),
            _ if letter.is_alphanumeric() || letter.is_whitespace() => spaced.push(letter),
            _ => spaced.extend([' ', '.', ' ']),
        }
    }
    let word = |word: &str| {
        let word = word.trim_matches('\'');
        word.strip_suffix("'s").unwrap_or(word).to_owned()
    };
    let words = spaced.split_whitespace().map(word);
    words.filter(|word| !word.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(phrase: &str, text: &str) -> Option<usize> {
        let lists = BTreeMap::from([("mugs".to_owned(), vec!["mug".to_owned(), "cup".to_owned()])]);
        Phrase::parse(phrase, &lists).end(&words(text), 0, &["and".to_owned()])
    }

    #[test]
    fn phrases_take_the_longest_reading() {
        assert_eq!(ends("red|blue @mugs", "Blue cup"), Some(2));
        assert_eq!(ends("red @mugs", "red bag"), None);
        assert_eq!(ends("coffee shop?", "coffee shop"), Some(2));
        assert_eq!(ends("coffee shop?", "coffee"), Some(1));
        assert_eq!(ends("price *2 high", "price is high, high"), Some(3));
        assert_eq!(ends("price *2 high", "price high high high"), Some(4));
        assert_eq!(ends("price *2 high", "price, high"), None);
        assert_eq!(ends("price *2 high", "price and high"), None);
        assert_eq!(ends("shop?", "mug"), None);
    }

    #[test]
    fn words_leave_out_what_does_not_count() {
        assert_eq!(
            words("Fitzbillies' pub's “Café”, isn’t £20-25!"),
            [
                "fitzbillies",
                "pub",
                ".",
                "cafe",
                ".",
                ".",
                "isn't",
                "20",
                "25",
                "."
            ]
        );
    }
}
