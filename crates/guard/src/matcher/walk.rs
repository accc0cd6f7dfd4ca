//! Follows the pieces of a phrase through a text, from a place where it must stand.

use crate::normal::is_han;
use crate::number;
use crate::pattern::{Piece, Segment};

/// The longest ending that `~` stands for, in characters.
pub(super) const WORD_CHARS: usize = 24;

/// What remains to be matched when the pieces at hand are.
pub(super) struct Next<'p> {
    pieces: &'p [Piece],
    next: Option<&'p Next<'p>>,
}

/// Where the pieces behind an anchor end, if they stand there.
pub(super) fn forward(
    text: &str,
    at: usize,
    pieces: &[Piece],
    next: Option<&Next>,
) -> Option<usize> {
    let Some((piece, rest)) = pieces.split_first() else {
        return match next {
            Some(Next { pieces, next }) => forward(text, at, pieces, *next),
            None => is_edge(text, at).then_some(at),
        };
    };
    match piece {
        Piece::Text(piece) => {
            let found = |piece: &str| {
                let end = at + piece.len();
                (text.as_bytes().get(at..end) == Some(piece.as_bytes()))
                    .then(|| forward(text, end, rest, next))?
            };
            // The phrase's last space, or one beside a Chinese character, is not needed.
            let ended = |piece: &str| {
                let end = at + piece.len();
                found(piece).filter(|whole| *whole == end || is_beside_han(text, end))
            };
            let stands = text[..at].ends_with(' ');
            readings(
                piece,
                piece.strip_prefix(' '),
                stands,
                is_beside_han(text, at),
            )
            .find_map(|piece| found(piece).or_else(|| piece.strip_suffix(' ').and_then(ended)))
        }
        Piece::Number => {
            // `#k a month` leaves the letter of 10k to what follows.
            let len = number::length_at(&text[at..])?;
            let digits = text[at..].bytes().take_while(u8::is_ascii_digit).count();
            forward(text, at + len, rest, next).or_else(|| {
                let shorter = digits > 0 && digits < len;
                shorter.then(|| forward(text, at + digits, rest, next))?
            })
        }
        Piece::Word => {
            let letters = text[at..]
                .chars()
                .take(WORD_CHARS)
                .take_while(|c| in_word(*c));
            let mut end: usize = at + letters.map(char::len_utf8).sum::<usize>();
            // As much of the word as the pieces behind it leave.
            loop {
                if let Some(end) = forward(text, end, rest, next) {
                    return Some(end);
                }
                if end == at {
                    return None;
                }
                end -= text[..end].chars().next_back().map_or(1, char::len_utf8);
            }
        }
        Piece::OneOf(one_of) => {
            let next = Next { pieces: rest, next };
            let through = |pieces: &Segment| forward(text, at, pieces, Some(&next));
            one_of.find_beginning(text[at..].chars(), through)
        }
    }
}

/// Where the pieces before an anchor begin, if they stand there.
pub(super) fn backward(
    text: &str,
    at: usize,
    pieces: &[Piece],
    next: Option<&Next>,
) -> Option<usize> {
    let Some((piece, rest)) = pieces.split_last() else {
        return match next {
            Some(Next { pieces, next }) => backward(text, at, pieces, *next),
            None => is_edge(text, at).then_some(at),
        };
    };
    match piece {
        Piece::Text(piece) => {
            let found = |piece: &str| {
                let start = at.checked_sub(piece.len())?;
                (text.as_bytes()[start..at] == *piece.as_bytes())
                    .then(|| backward(text, start, rest, next))?
            };
            let begun = |piece: &str| {
                let start = at.checked_sub(piece.len())?;
                found(piece).filter(|whole| *whole == start || is_beside_han(text, start))
            };
            let stands = text[at..].starts_with(' ');
            readings(
                piece,
                piece.strip_suffix(' '),
                stands,
                is_beside_han(text, at),
            )
            .find_map(|piece| found(piece).or_else(|| piece.strip_prefix(' ').and_then(begun)))
        }
        Piece::Number => backward(text, at - number::length_before(&text[..at])?, rest, next),
        Piece::Word => {
            let letters = text[..at]
                .chars()
                .rev()
                .take(WORD_CHARS)
                .take_while(|c| in_word(*c));
            let mut start: usize = at - letters.map(char::len_utf8).sum::<usize>();
            loop {
                if let Some(start) = backward(text, start, rest, next) {
                    return Some(start);
                }
                if start == at {
                    return None;
                }
                start += text[start..].chars().next().map_or(1, char::len_utf8);
            }
        }
        Piece::OneOf(one_of) => {
            let next = Next { pieces: rest, next };
            let through = |pieces: &Segment| backward(text, at, pieces, Some(&next));
            one_of.find_ending(text[..at].chars().rev(), through)
        }
    }
}

/// Whether a character belongs to a word of an alphabet. Chinese has no spaces, so its characters begin and end words.
pub(crate) fn in_word(c: char) -> bool {
    if c.is_ascii() {
        c.is_ascii_alphanumeric()
    } else {
        !is_han(c) && c.is_alphanumeric()
    }
}

/// A text as it is, unless the space with which it begins or ends `stands` already, and without it where it does or a
/// Chinese character is beside.
fn readings<'p>(
    piece: &'p str,
    without_space: Option<&'p str>,
    stands: bool,
    beside_han: bool,
) -> impl Iterator<Item = &'p str> {
    let whole = (without_space.is_none() || !stands).then_some(piece);
    let without = without_space.filter(|_| stands || beside_han);
    whole.into_iter().chain(without)
}

/// Whether a Chinese character stands before or behind a place: no space is written there.
fn is_beside_han(text: &str, at: usize) -> bool {
    text.is_char_boundary(at) && (text[..at].ends_with(is_han) || text[at..].starts_with(is_han))
}

/// Whether no word runs on over this place.
pub(super) fn is_edge(text: &str, at: usize) -> bool {
    let bytes = text.as_bytes();
    let ends_no_word = |byte: u8| byte.is_ascii() && !byte.is_ascii_alphanumeric();
    match (
        at.checked_sub(1).map(|at| bytes[at]),
        bytes.get(at).copied(),
    ) {
        (None, _) | (_, None) => return true,
        (Some(before), Some(after)) if ends_no_word(before) || ends_no_word(after) => return true,
        (Some(before), Some(after)) if before.is_ascii() && after.is_ascii() => return false,
        _ => {}
    }
    let before = text[..at].chars().next_back();
    let after = text[at..].chars().next();
    !(before.is_some_and(in_word) && after.is_some_and(in_word))
}
