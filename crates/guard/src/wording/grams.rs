//! What a text is made of, as the model of wordings sees it.

use std::fmt;
use std::ops::Range;
use std::slice;

use super::Founded;
use crate::matcher::{in_word, step};
use crate::normal::{Normal, is_han};

/// The letters of a word that a gram of its own holds: `guarantees` and `guaranteed` are one.
const LONG_STEM: usize = 6;
/// The letters of a word that a pair holds.
const STEM: usize = 5;

/// A gram by its hash.
pub(super) type Key = u64;

/// A part of a text: the stem of a word, a sign, a Chinese character, or two of them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Gram {
    kind: Kind,
    /// Its words, as far as it holds them.
    tokens: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Kind {
    One,
    Pair,
    /// Two Chinese characters with one between them.
    Around,
}

impl Kind {
    /// What stands between its tokens where it is written.
    fn mark(self) -> Option<char> {
        match self {
            Self::One => None,
            Self::Pair => Some(' '),
            Self::Around => Some('_'),
        }
    }

    fn key(self, tokens: &[u64]) -> Key {
        tokens
            .iter()
            .fold(self as u64 + 1, |hash, token| mix(hash ^ *token))
    }
}

impl Gram {
    /// Reads a gram as [`Gram`]'s `Display` writes it, such as `guara result`; none where it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let kind = match text.chars().nth(1) {
            Some('_') if text.chars().count() == 3 => Kind::Around,
            _ if text.contains(' ') => Kind::Pair,
            _ => Kind::One,
        };
        let tokens: Vec<String> = match kind.mark() {
            Some(mark) => text.splitn(2, mark).map(str::to_owned).collect(),
            None => vec![text.to_owned()],
        };
        tokens
            .iter()
            .all(|token| !token.is_empty())
            .then_some(Self { kind, tokens })
    }

    pub(super) fn key(&self) -> Key {
        let hashes: Vec<u64> = self
            .tokens
            .iter()
            .map(|token| hash(token.chars()))
            .collect();
        self.kind.key(&hashes)
    }
}

impl fmt::Display for Gram {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.tokens[0])?;
        if let Some(mark) = self.kind.mark() {
            write!(f, "{mark}{}", self.tokens[1])?;
        }
        Ok(())
    }
}

/// The grams of a text, as often as they stand in it.
pub fn grams(text: &str) -> Vec<Gram> {
    let text = Normal::of(text).text;
    let mut grams = Vec::new();
    let mut recent: [String; 2] = [String::new(), String::new()];
    let whole = 0..text.len();
    tokens(
        &text,
        slice::from_ref(&whole),
        &Founded::default(),
        |token| {
            let mut push = |kind, tokens: &[&str]| {
                let tokens = tokens.iter().map(|token| (*token).to_owned()).collect();
                grams.push(Gram { kind, tokens });
            };
            let word: String = token.word().collect();
            let stem = |len: usize| word.chars().take(len).collect::<String>();
            push(Kind::One, &[&stem(LONG_STEM)]);
            let stem = stem(STEM);
            let [before_last, last] = &recent;
            if !last.is_empty() {
                push(Kind::Pair, &[last, &stem]);
            }
            if before_last.starts_with(is_han) && stem.starts_with(is_han) {
                push(Kind::Around, &[before_last, &stem]);
            }
            recent = [std::mem::take(&mut recent[1]), stem];
        },
    );
    grams
}

/// Hands over the key of each gram of the ranges of a reduced text, with the byte at which its last token begins. `founded`
/// ranges read as a comma.
pub(super) fn each(
    text: &str,
    ranges: &[Range<usize>],
    founded: &Founded,
    mut gram: impl FnMut(Key, usize),
) {
    /// A token behind which others stand: the hash of its stem, and whether it is a Chinese character.
    type Before = Option<(u64, bool)>;
    let mut recent: [Before; 2] = [None, None];
    tokens(text, ranges, founded, |token| {
        let mut push = |kind: Kind, tokens: &[u64]| gram(kind.key(tokens), token.at);
        let (mut long_stem, mut stem) = (SEED, SEED);
        for (at, c) in token.word().take(LONG_STEM).enumerate() {
            long_stem = step(long_stem, c);
            if at < STEM {
                stem = long_stem;
            }
        }
        push(Kind::One, &[long_stem]);
        let is_chinese = token.text.starts_with(is_han);
        let [before_last, last] = recent;
        if let Some((last, _)) = last {
            push(Kind::Pair, &[last, stem]);
        }
        if let Some((before_last, true)) = before_last.filter(|_| is_chinese) {
            push(Kind::Around, &[before_last, stem]);
        }
        recent = [last, Some((stem, is_chinese))];
    });
}

/// A token of a text.
struct Token<'t> {
    /// The byte at which it begins.
    at: usize,
    text: &'t str,
}

impl Token<'_> {
    /// Its characters; all digits read alike.
    fn word(&self) -> impl Iterator<Item = char> {
        let alike = |c: char| if c.is_ascii_digit() { '0' } else { c };
        self.text.chars().map(alike)
    }
}

/// Hands over the words, Chinese characters and signs of the ranges; of a sign that is repeated, one.
fn tokens(text: &str, ranges: &[Range<usize>], founded: &Founded, mut token: impl FnMut(Token)) {
    let mut last_sign = None;
    for range in ranges {
        let mut at = range.start;
        while let Some(c) = text[at..range.end].chars().next() {
            let start = at;
            at += c.len_utf8();
            let mut sign = None;
            if let Some(founded) = founded.over(start) {
                at = founded.end.min(range.end).max(at);
                sign = Some(',');
            } else if goes_on(c) {
                let mut rest = text[at..range.end].char_indices();
                let end = rest.find(|(_, c)| !goes_on(*c));
                at = end.map_or(range.end, |(len, _)| at + len);
                let word = text[start..at].trim_matches('\'');
                if !word.is_empty() {
                    token(Token {
                        at: start,
                        text: word,
                    });
                    last_sign = None;
                }
                continue;
            } else if c == ' ' || c.is_control() {
                continue;
            } else if !is_han(c) {
                // How loud a text is, is told by other rules.
                sign = Some(if matches!(c, '!' | '。') { '.' } else { c });
            }
            if sign.is_none() || sign != last_sign {
                let text = match sign {
                    Some(',') => ",",
                    Some('.') => ".",
                    _ => &text[start..at],
                };
                token(Token { at: start, text });
            }
            last_sign = sign;
        }
    }
}

/// Whether a character belongs to a word; an apostrophe does, save at its ends.
fn goes_on(c: char) -> bool {
    c == '\'' || in_word(c)
}

const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

fn hash(chars: impl Iterator<Item = char>) -> u64 {
    chars.fold(SEED, step)
}

/// The end of `MurmurHash3`, by which every bit of a key depends on every bit of its tokens.
fn mix(hash: u64) -> u64 {
    let hash = (hash ^ hash >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let hash = (hash ^ hash >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ hash >> 33
}
