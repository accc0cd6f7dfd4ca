//! The little language of a rule pack's phrases, for people who write law and no regular expressions.
//!
//! | written | matches |
//! |---|---|
//! | `best mug` | these words, whole, in any case, width, spacing or disguise |
//! | `(cures\|heals)` | one of these; `(the \|)` is optional |
//! | `{diseases}` | one of the pack's list of words of this name |
//! | `#` | a number in digits or words |
//! | `…` | up to 40 columns within the sentence, or nothing |
//! | `guarant~` | any ending of a word; `~free` any beginning |
//! | `\#` | the sign itself |
//!
//! A phrase is cut at each `…` into segments. Alternatives stay alternatives, so that a hundred verbs before a hundred
//! nouns are two hundred words and no ten thousand phrases; only few of them beside each other are multiplied out.

mod one_of;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::normal::fold_phrase;
pub(crate) use one_of::{Keys, OneOf};

/// The most sequences that a phrase with gaps inside its alternatives may stand for.
const MAX_SEQUENCES: usize = 256;
/// Texts and alternatives beside each other are multiplied out up to so many: the longer a text, the rarer it is found.
const MULTIPLIED: usize = 256;
/// The deepest nesting of parentheses.
const MAX_DEPTH: usize = 8;

/// A piece of a segment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Piece {
    /// A text, folded as texts are before they are searched.
    Text(String),
    /// A number in digits, Chinese numerals or English words.
    Number,
    /// The rest of a word, or nothing.
    Word,
    /// One of these.
    OneOf(Arc<OneOf>),
}

/// What stands between two gaps.
pub(crate) type Segment = Vec<Piece>;

impl Piece {
    /// The characters that the piece may begin with: a space that stands already or is the phrase's last is passed over.
    fn first_keys(&self) -> Keys {
        match self {
            Self::Text(text) => {
                let trimmed = text.trim_start_matches(' ');
                Keys::of(trimmed.chars().next(), trimmed.len() < text.len())
            }
            Self::Number | Self::Word => Keys::ALL,
            Self::OneOf(one_of) => one_of.first_keys(),
        }
    }

    /// The characters that the piece may end with.
    fn last_keys(&self) -> Keys {
        match self {
            Self::Text(text) => {
                let trimmed = text.trim_end_matches(' ');
                Keys::of(trimmed.chars().next_back(), trimmed.len() < text.len())
            }
            Self::Number | Self::Word => Keys::ALL,
            Self::OneOf(one_of) => one_of.last_keys(),
        }
    }

    /// The letters of the shortest text by which it may be found; none where it may be found by no text.
    fn letters(&self) -> Option<usize> {
        match self {
            Self::Text(text) => (!text.trim().is_empty()).then(|| text.trim().len()),
            Self::Number | Self::Word => None,
            Self::OneOf(one_of) => {
                let all = one_of.alternatives.iter().map(|pieces| letters(pieces));
                all.collect::<Option<Vec<_>>>()?.into_iter().min()
            }
        }
    }
}

/// The characters with which the rest of a segment may go on.
pub(crate) fn first_keys(pieces: &[Piece]) -> Keys {
    pieces.first().map_or(Keys::ALL, Piece::first_keys)
}

/// The characters with which the beginning of a segment may end.
fn last_keys(pieces: &[Piece]) -> Keys {
    pieces.last().map_or(Keys::ALL, Piece::last_keys)
}

/// The letters of the longest text by which a segment is surely found.
fn letters(pieces: &[Piece]) -> Option<usize> {
    pieces.iter().filter_map(Piece::letters).max()
}

/// What is wrong with a phrase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PatternError {
    /// The byte of the phrase at which it stands.
    pub(crate) at: usize,
    pub(crate) problem: &'static str,
    pub(crate) remedy: &'static str,
}

/// The lists of words of a pack, each read once for all phrases that name it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lists(BTreeMap<String, Arc<OneOf>>);

impl Lists {
    /// Reads lists of words; a word may have alternatives, but no gap and no list inside.
    ///
    /// # Errors
    /// The name of the list, its word at fault and what is wrong with it.
    pub(crate) fn read(
        lists: &BTreeMap<String, Vec<String>>,
    ) -> Result<Self, (String, String, PatternError)> {
        let mut read = BTreeMap::new();
        for (name, words) in lists {
            let mut alternatives = Vec::with_capacity(words.len());
            for word in words {
                let fault = |error| (name.clone(), word.clone(), error);
                let sequences = parse(word, &Self::default()).map_err(fault)?;
                for mut segments in sequences {
                    if segments.len() > 1 {
                        return Err(fault(PatternError {
                            at: 0,
                            problem: "a list holds no `…`",
                            remedy: "write the two parts as two lists, and `…` between them in the phrase",
                        }));
                    }
                    alternatives.append(&mut segments);
                }
            }
            alternatives.sort_by_key(|pieces| std::cmp::Reverse(letters(pieces)));
            alternatives.dedup();
            read.insert(name.clone(), Arc::new(OneOf::new(alternatives)));
        }
        Ok(Self(read))
    }
}

/// Whether a phrase can be read, without reading it into pieces.
pub(crate) fn check(phrase: &str, lists: &Lists) -> Result<(), PatternError> {
    for nodes in sequences(phrase, lists)? {
        nodes
            .split(|node| *node == Node::Gap)
            .try_for_each(|nodes| holds_word(nodes).then_some(()).ok_or(NO_WORD))?;
    }
    Ok(())
}

/// Reads a phrase into sequences of segments with a gap between two of them; one sequence, unless alternatives hold gaps.
pub(crate) fn parse(phrase: &str, lists: &Lists) -> Result<Vec<Vec<Segment>>, PatternError> {
    sequences(phrase, lists)?
        .iter()
        .map(|nodes| {
            nodes
                .split(|node| *node == Node::Gap)
                .map(segment)
                .collect()
        })
        .collect()
}

fn sequences(phrase: &str, lists: &Lists) -> Result<Vec<Vec<Node>>, PatternError> {
    let mut parser = Parser {
        phrase,
        lists,
        at: 0,
        depth: 0,
    };
    let nodes = parser.sequence()?;
    if parser.at < phrase.len() {
        return Err(parser.fault("a `)` without its `(`", "remove it, or write `\\)`"));
    }
    without_inner_gaps(&nodes)
}

pub(crate) const NO_WORD: PatternError = PatternError {
    at: 0,
    problem: "can be found by no word of its own",
    remedy: "write a word that is no mere option, on both sides of each `…` as well",
};

/// Whether a segment is found by some text, whichever alternatives it goes through.
fn holds_word(nodes: &[Node]) -> bool {
    nodes.iter().any(|node| match node {
        Node::Text(text) => !fold_phrase(text).trim().is_empty(),
        Node::OneOf(alternatives) => alternatives.iter().all(|nodes| holds_word(nodes)),
        Node::List(list) => list
            .alternatives
            .iter()
            .all(|pieces| letters(pieces).is_some()),
        Node::Number | Node::Gap | Node::Word => false,
    })
}

/// A part of a phrase as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    Text(String),
    Number,
    Gap,
    Word,
    OneOf(Vec<Vec<Node>>),
    List(Arc<OneOf>),
}

impl Node {
    fn holds_gap(&self) -> bool {
        match self {
            Self::Gap => true,
            Self::OneOf(alternatives) => alternatives.iter().flatten().any(Self::holds_gap),
            Self::Text(_) | Self::Number | Self::Word | Self::List(_) => false,
        }
    }
}

struct Parser<'p> {
    phrase: &'p str,
    lists: &'p Lists,
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn sequence(&mut self) -> Result<Vec<Node>, PatternError> {
        let mut nodes = Vec::new();
        while let Some(c) = self.phrase[self.at..].chars().next() {
            if c == ')' || c == '|' && self.depth > 0 {
                break;
            }
            let start = self.at;
            self.at += c.len_utf8();
            let node = match c {
                '(' => self.group(start)?,
                '{' => self.list(start)?,
                '#' => Node::Number,
                '…' => Node::Gap,
                '~' => Node::Word,
                '\\' => {
                    let Some(escaped) = self.phrase[self.at..].chars().next() else {
                        self.at = start;
                        return Err(self.fault("a `\\` at the end", "write `\\\\` for the sign"));
                    };
                    self.at += escaped.len_utf8();
                    Node::Text(escaped.to_string())
                }
                _ => Node::Text(c.to_string()),
            };
            match (nodes.last_mut(), node) {
                (Some(Node::Text(text)), Node::Text(more)) => text.push_str(&more),
                (_, node) => nodes.push(node),
            }
        }
        Ok(nodes)
    }

    fn group(&mut self, start: usize) -> Result<Node, PatternError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            self.at = start;
            return Err(self.fault("parentheses more than 8 deep", "split the phrase"));
        }
        let mut alternatives = Vec::new();
        loop {
            alternatives.push(self.sequence()?);
            match self.phrase[self.at..].chars().next() {
                Some('|') => self.at += 1,
                Some(_) => break,
                None => {
                    self.at = start;
                    return Err(self.fault("a `(` that is not closed", "add `)`, or write `\\(`"));
                }
            }
        }
        self.at += 1;
        self.depth -= 1;
        Ok(Node::OneOf(alternatives))
    }

    fn list(&mut self, start: usize) -> Result<Node, PatternError> {
        let rest = &self.phrase[self.at..];
        let end = rest.find('}');
        let found = end.and_then(|end| self.lists.0.get(&rest[..end]));
        if let (Some(end), Some(list)) = (end, found) {
            self.at += end + 1;
            return Ok(Node::List(Arc::clone(list)));
        }
        self.at = start;
        Err(self.fault(
            "a `{` without the name of a list",
            "name a list under [words], as in `{diseases}`, or write `\\{`",
        ))
    }

    fn fault(&self, problem: &'static str, remedy: &'static str) -> PatternError {
        PatternError {
            at: self.at,
            problem,
            remedy,
        }
    }
}

/// The sequences that a sequence stands for where the alternatives with gaps inside are multiplied out.
fn without_inner_gaps(nodes: &[Node]) -> Result<Vec<Vec<Node>>, PatternError> {
    let mut sequences = vec![Vec::new()];
    for node in nodes {
        let tails = match node {
            Node::OneOf(alternatives) if node.holds_gap() => {
                let mut tails = Vec::new();
                for alternative in alternatives {
                    tails.extend(without_inner_gaps(alternative)?);
                }
                tails
            }
            _ => vec![vec![node.clone()]],
        };
        if sequences.len() * tails.len() > MAX_SEQUENCES {
            return Err(PatternError {
                at: 0,
                problem: "has more than 256 ways through its alternatives with `…` inside",
                remedy: "split it into several phrases",
            });
        }
        let join = |head: &Vec<Node>| {
            tails
                .iter()
                .map(|tail| [&head[..], tail].concat())
                .collect::<Vec<_>>()
        };
        sequences = sequences.iter().flat_map(join).collect();
    }
    Ok(sequences)
}

/// Reads what stands between two gaps.
fn segment(nodes: &[Node]) -> Result<Segment, PatternError> {
    let pieces = settled(nodes);
    match letters(&pieces) {
        Some(_) => Ok(pieces),
        None => Err(NO_WORD),
    }
}

/// The pieces of a segment or of an alternative: texts folded, and few alternatives multiplied out with what is beside them.
fn settled(nodes: &[Node]) -> Segment {
    let mut pieces: Segment = Vec::new();
    // The texts that the pieces since the last number, rest of a word or large group stand for.
    let mut texts = vec![String::new()];
    let flush = |texts: &mut Vec<String>, pieces: &mut Segment| {
        let mut folded: Vec<String> = texts.drain(..).map(|text| fold_phrase(&text)).collect();
        folded.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        folded.dedup();
        match <[String; 1]>::try_from(folded) {
            Ok([text]) if text.is_empty() => {}
            Ok([text]) => pieces.push(Piece::Text(text)),
            Err(several) => {
                let one = |text: String| {
                    if text.is_empty() {
                        Vec::new()
                    } else {
                        vec![Piece::Text(text)]
                    }
                };
                pieces.push(Piece::OneOf(Arc::new(OneOf::new(
                    several.into_iter().map(one).collect(),
                ))));
            }
        }
        texts.push(String::new());
    };
    for node in nodes {
        match node {
            Node::Text(text) => texts.iter_mut().for_each(|head| head.push_str(text)),
            Node::OneOf(alternatives) => match plain(alternatives) {
                Some(tails) if texts.len() * tails.len() <= MULTIPLIED => {
                    let join = |head: &String| {
                        tails
                            .iter()
                            .map(|tail| format!("{head}{tail}"))
                            .collect::<Vec<_>>()
                    };
                    texts = texts.iter().flat_map(join).collect();
                }
                _ => {
                    flush(&mut texts, &mut pieces);
                    let mut settled: Vec<Segment> =
                        alternatives.iter().map(|nodes| settled(nodes)).collect();
                    settled.sort_by_key(|pieces| std::cmp::Reverse(letters(pieces)));
                    pieces.push(Piece::OneOf(Arc::new(OneOf::new(settled))));
                }
            },
            Node::List(list) => {
                flush(&mut texts, &mut pieces);
                pieces.push(Piece::OneOf(Arc::clone(list)));
            }
            Node::Number => {
                flush(&mut texts, &mut pieces);
                pieces.push(Piece::Number);
            }
            Node::Word | Node::Gap => {
                flush(&mut texts, &mut pieces);
                pieces.push(Piece::Word);
            }
        }
    }
    flush(&mut texts, &mut pieces);
    pieces
}

/// The texts that alternatives stand for, where they are nothing but texts and not too many.
fn plain(alternatives: &[Vec<Node>]) -> Option<Vec<String>> {
    let mut texts = Vec::new();
    for nodes in alternatives {
        let mut heads = vec![String::new()];
        for node in nodes {
            match node {
                Node::Text(text) => heads.iter_mut().for_each(|head| head.push_str(text)),
                Node::OneOf(inner) => {
                    let tails = plain(inner)?;
                    let join = |head: &String| {
                        tails
                            .iter()
                            .map(|tail| format!("{head}{tail}"))
                            .collect::<Vec<_>>()
                    };
                    heads = heads.iter().flat_map(join).collect();
                }
                _ => return None,
            }
            if heads.len() > MULTIPLIED {
                return None;
            }
        }
        texts.extend(heads);
        if texts.len() > MULTIPLIED {
            return None;
        }
    }
    Some(texts)
}

#[cfg(test)]
mod tests;
