//! Which words or signs may stand beside a gram of a phrase: most places where the gram stands are told by them alone.

use super::grams::{Gram, Marks, tokens};
use super::walk::in_word;
use crate::pattern::{OneOf, Piece};

/// Pieces and those that go on from them.
#[derive(Clone, Copy)]
struct Chain<'p> {
    pieces: &'p [Piece],
    next: Option<&'p Chain<'p>>,
}

/// With what a segment may begin.
pub(super) fn first(pieces: &[Piece]) -> Marks {
    first_token(Chain { pieces, next: None })
}

/// What may stand before a gram that pieces end before.
pub(super) fn before(pieces: &[Piece], gram: &Gram) -> Marks {
    if gram.runs_before() {
        return Marks::ALL;
    }
    last_token(Chain { pieces, next: None })
}

/// What may stand behind a gram with which pieces begin.
pub(super) fn behind(pieces: &[Piece], gram: &Gram) -> Marks {
    let Some((Piece::Text(text), mut rest)) = pieces.split_first() else {
        return Marks::ALL;
    };
    if gram.runs_behind() {
        // `guarant~ results`: the word ends where the text behind it begins.
        match rest {
            [Piece::Word, Piece::Text(next), ..] if !next.starts_with(in_word) => rest = &rest[1..],
            _ => return Marks::ALL,
        }
    }
    let text = Piece::Text(text[gram.token.1 - gram.at..].to_owned());
    let next = Chain {
        pieces: rest,
        next: None,
    };
    first_token(Chain {
        pieces: &[text],
        next: Some(&next),
    })
}

fn last_token(chain: Chain) -> Marks {
    let Some((piece, rest)) = chain.pieces.split_last() else {
        return chain.next.map_or(Marks::ALL, |next| last_token(*next));
    };
    let rest = Chain {
        pieces: rest,
        ..chain
    };
    match piece {
        Piece::Number | Piece::Word => Marks::ALL,
        Piece::OneOf(one_of) => any(one_of, rest, last_token),
        Piece::Text(text) => match tokens(text).last() {
            None => last_token(rest),
            Some((0, token)) if token.starts_with(in_word) && runs_out_of(rest) => Marks::ALL,
            Some((_, token)) => Marks::of(token),
        },
    }
}

fn first_token(chain: Chain) -> Marks {
    let Some((piece, rest)) = chain.pieces.split_first() else {
        return chain.next.map_or(Marks::ALL, |next| first_token(*next));
    };
    let rest = Chain {
        pieces: rest,
        ..chain
    };
    match piece {
        Piece::Number | Piece::Word => Marks::ALL,
        Piece::OneOf(one_of) => any(one_of, rest, first_token),
        Piece::Text(text) => match tokens(text).next() {
            None => first_token(rest),
            Some((at, token)) => {
                let is_last = at + token.len() == text.len() && token.starts_with(in_word);
                if is_last && runs_into(rest) {
                    Marks::ALL
                } else {
                    Marks::of(token)
                }
            }
        },
    }
}

fn any(one_of: &OneOf, rest: Chain, of: fn(Chain) -> Marks) -> Marks {
    let mut marks = Marks::NONE;
    for pieces in &one_of.alternatives {
        marks = marks.with(of(Chain {
            pieces,
            next: Some(&rest),
        }));
        if marks == Marks::ALL {
            break;
        }
    }
    marks
}

fn runs_out_of(chain: Chain) -> bool {
    runs_out(
        chain.pieces,
        chain.next.is_some_and(|next| runs_out_of(*next)),
    )
}

fn runs_into(chain: Chain) -> bool {
    runs_in(
        chain.pieces,
        chain.next.is_some_and(|next| runs_into(*next)),
    )
}

/// Whether words run on before and behind one of a segment's pieces.
pub(super) fn around(pieces: &[Piece], at: usize, open: (bool, bool)) -> (bool, bool) {
    (
        runs_out(&pieces[..at], open.0),
        runs_in(&pieces[at + 1..], open.1),
    )
}

/// Whether pieces may end within a word; `open` is what holds before them.
fn runs_out(pieces: &[Piece], open: bool) -> bool {
    match pieces.split_last() {
        None => open,
        Some((Piece::Text(text), _)) => text.ends_with(in_word),
        Some((Piece::Number | Piece::Word, _)) => true,
        Some((Piece::OneOf(one_of), rest)) => {
            let open = runs_out(rest, open);
            one_of
                .alternatives
                .iter()
                .any(|pieces| runs_out(pieces, open))
        }
    }
}

/// Whether pieces may begin within a word; `open` is what holds behind them.
fn runs_in(pieces: &[Piece], open: bool) -> bool {
    match pieces.split_first() {
        None => open,
        Some((Piece::Text(text), _)) => text.starts_with(in_word),
        Some((Piece::Number | Piece::Word, _)) => true,
        Some((Piece::OneOf(one_of), rest)) => {
            let open = runs_in(rest, open);
            one_of
                .alternatives
                .iter()
                .any(|pieces| runs_in(pieces, open))
        }
    }
}
