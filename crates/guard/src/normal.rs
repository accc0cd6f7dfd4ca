//! Texts as phrases are looked for in them: case, full-width forms, homoglyphs, traditional characters, zero-width
//! characters and spacing undone.

mod fold;

use std::ops::Range;

pub(crate) use fold::{fold, is_han};

/// A text reduced for matching. Each byte knows the character of the source that it came from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Normal {
    pub(crate) text: String,
    /// For each byte of `text`, the byte of the source at which its character begins.
    sources: Vec<u32>,
    /// The source holds marks inside words, which [`Normal::undisguised`] takes out.
    disguised: bool,
}

impl Normal {
    /// Reduces a text.
    pub(crate) fn of(text: &str) -> Self {
        Self::of_plain(text).unwrap_or_else(|| Reduction::of(text).finish())
    }

    /// Reduces a text of which nothing but the case differs, as most English ones are; none where more may.
    fn of_plain(text: &str) -> Option<Self> {
        if !text.is_ascii() || text.starts_with(' ') {
            return None;
        }
        let bytes = text.as_bytes();
        let at = |at: usize| bytes.get(at).copied().unwrap_or(b' ');
        let mut disguised = false;
        let (mut before, mut last) = (b' ', b'.');
        for (index, byte) in bytes.iter().copied().enumerate() {
            let looks_like_a_letter = like(char::from(byte)).is_some();
            let is_single = byte.is_ascii_alphabetic()
                && !last.is_ascii_alphanumeric()
                && !at(index + 1).is_ascii_alphanumeric();
            let differs = byte.is_ascii_control()
                || byte == b' ' && last == b' '
                || looks_like_a_letter && last.is_ascii_alphabetic()
                || is_single
                    && at(index + 2).is_ascii_alphabetic()
                    && !at(index + 3).is_ascii_alphanumeric();
            if differs {
                return None;
            }
            disguised |= hides(
                Some(char::from(before)),
                Some(char::from(last)),
                char::from(byte),
            );
            (before, last) = (last, byte);
        }
        Some(Self {
            text: text.to_ascii_lowercase(),
            sources: (0..text.len() as u32).collect(),
            disguised,
        })
    }

    /// The text with what hides inside its words taken out as well, as in `gua*ran.teed` and `1ose we1ght`; none where
    /// nothing does.
    pub(crate) fn undisguised(&self) -> Option<Self> {
        if !self.disguised {
            return None;
        }
        let mut chars: Vec<(char, u32)> = Vec::with_capacity(self.text.len());
        for (at, c) in self.text.char_indices() {
            chars.push((c, self.sources[at]));
        }
        let letter = |at: usize| chars.get(at).is_some_and(|(c, _)| c.is_ascii_alphabetic());
        let mut kept = Vec::with_capacity(chars.len());
        for at in 0..chars.len() {
            let (c, source) = chars[at];
            let inside = at > 0 && letter(at - 1) && letter(at + 1);
            if inside && (is_mark(c) || c == '-') {
                continue;
            }
            let starts = at == 0 || !chars[at - 1].0.is_ascii_alphanumeric();
            let begins_word = starts && (1..4).all(|step| letter(at + step));
            let read = match c {
                '!' if inside => 'i',
                '1' if begins_word => 'l',
                _ if begins_word => like(c).unwrap_or(c),
                _ => c,
            };
            kept.push((read, source));
        }
        let undisguised = Reduction {
            chars: kept,
            disguised: false,
        }
        .finish();
        (undisguised.text != self.text).then_some(undisguised)
    }

    /// The byte of the reduced text that came from a byte of the source, or from the next one that left any.
    pub(crate) fn reduced(&self, source: usize) -> usize {
        self.sources.partition_point(|at| (*at as usize) < source)
    }

    /// The bytes of the source from which a range of at least one character came.
    pub(crate) fn source(&self, source: &str, range: &Range<usize>) -> Range<usize> {
        let from = self.sources[range.start] as usize;
        let last = self.sources[range.end - 1] as usize;
        let len = source[last..].chars().next().map_or(0, char::len_utf8);
        from..last + len
    }
}

/// A phrase of a pack, folded as texts are, with the spaces at its ends kept.
pub(crate) fn fold_phrase(phrase: &str) -> String {
    let padded = format!("\u{1}{phrase}\u{1}");
    let mut reduction = Reduction::default();
    for (at, c) in padded.char_indices() {
        if c == '\u{1}' {
            reduction.chars.push((c, at as u32));
        } else {
            reduction.push(at as u32, c);
        }
    }
    let folded: String = reduction.chars.iter().map(|(c, _)| *c).collect();
    folded.trim_matches('\u{1}').to_owned()
}

#[derive(Debug, Default)]
struct Reduction {
    /// Each character with where it came from.
    chars: Vec<(char, u32)>,
    disguised: bool,
}

impl Reduction {
    fn of(text: &str) -> Self {
        let mut reduction = Self {
            chars: Vec::with_capacity(text.len()),
            disguised: false,
        };
        for (at, c) in text.char_indices() {
            reduction.push(at as u32, c);
        }
        reduction.join_spelled_words();
        reduction.read_digits_as_letters();
        reduction
    }

    fn finish(self) -> Normal {
        let mut text = String::with_capacity(self.chars.len() * 2);
        let mut sources = Vec::with_capacity(self.chars.len() * 2);
        for (c, source) in self.chars {
            text.push(c);
            sources.resize(text.len(), source);
        }
        Normal {
            text,
            sources,
            disguised: self.disguised,
        }
    }

    fn push(&mut self, at: u32, c: char) {
        let c = if c.is_ascii() {
            c.to_ascii_lowercase()
        } else {
            fold(c)
        };
        let c = if c.is_whitespace() { ' ' } else { c };
        if c.is_ascii_alphanumeric() {
            let mut before = self.chars.iter().rev().map(|(c, _)| *c);
            let last = before.next();
            self.disguised |= hides(before.next(), last, c);
            self.chars.push((c, at));
            return;
        }
        if fold::is_ignored(c) {
            return;
        }
        if c == ' ' {
            // Spaces join, and vanish behind a Chinese character: 最 好 reads as 最好.
            let joins = |&(last, _): &(char, u32)| last == ' ' || is_han(last);
            if self.chars.last().is_none_or(joins) {
                return;
            }
        } else if is_han(c) {
            self.drop_separators();
        }
        self.chars.push((c, at));
    }

    /// Drops a space before a Chinese character, and what hides between two of them, as in 最·好.
    fn drop_separators(&mut self) {
        let hides = |(c, _): &(char, u32)| *c == ' ' || *c == '-' || is_mark(*c);
        let kept = self
            .chars
            .iter()
            .rposition(|c| !hides(c))
            .map_or(0, |at| at + 1);
        let between = kept > 0 && is_han(self.chars[kept - 1].0);
        let only_space = self.chars.len() == kept + 1 && self.chars[kept].0 == ' ';
        if between || only_space {
            self.chars.truncate(kept);
        }
    }

    /// Joins four or more single letters in a row, as in `f r e e` and `b.e.s.t`.
    fn join_spelled_words(&mut self) {
        let char_at = |at: usize| self.chars.get(at).map(|(c, _)| *c);
        let is_separator = |c: char| c == ' ' || c == '-' || is_mark(c);
        let single = |at: usize| {
            char_at(at).is_some_and(|c| c.is_ascii_alphabetic())
                && char_at(at + 1).is_none_or(|c| !c.is_ascii_alphanumeric())
        };
        let mut drop = Vec::new();
        let mut at = 0;
        while at < self.chars.len() {
            let starts = single(at) && (at == 0 || !self.chars[at - 1].0.is_ascii_alphanumeric());
            let separator = char_at(at + 1).filter(|c| starts && is_separator(*c));
            let mut end = at;
            while separator.is_some() && char_at(end + 1) == separator && single(end + 2) {
                end += 2;
            }
            if end - at >= 6 {
                drop.extend((at + 1..end).step_by(2));
                // The mark behind the last letter, as in `F.R.E.E. money`.
                let is_last = char_at(end + 2).is_none_or(|c| c == ' ');
                if char_at(end + 1) == separator && separator != Some(' ') && is_last {
                    drop.push(end + 1);
                }
            }
            at = end + 1;
        }
        if drop.is_empty() {
            return;
        }
        let mut dropped = drop.iter().peekable();
        let mut index = 0;
        self.chars.retain(|_| {
            let keep = dropped.next_if(|at| **at == index).is_none();
            index += 1;
            keep
        });
    }

    /// Reads a digit or sign between two letters as the letter it resembles, as in `gu4ranteed` and `fr33ly`.
    fn read_digits_as_letters(&mut self) {
        let mut at = 1;
        while at < self.chars.len() {
            if like(self.chars[at].0).is_none() || !self.chars[at - 1].0.is_ascii_lowercase() {
                at += 1;
                continue;
            }
            let run = self.chars[at..]
                .iter()
                .take_while(|(c, _)| like(*c).is_some())
                .count();
            let after = self.chars.get(at + run);
            if after.is_some_and(|(c, _)| c.is_ascii_lowercase()) {
                for (c, _) in &mut self.chars[at..at + run] {
                    *c = like(*c).unwrap_or(*c);
                }
            }
            at += run;
        }
    }
}

/// Whether a letter or digit behind two characters shows that something hides in a word.
fn hides(before: Option<char>, last: Option<char>, c: char) -> bool {
    match last {
        Some(mark) if is_mark(mark) || matches!(mark, '-' | '!') => {
            c.is_ascii_alphanumeric() && before.is_some_and(|c| c.is_ascii_alphabetic())
        }
        Some(digit) => c.is_ascii_alphabetic() && like(digit).is_some(),
        None => false,
    }
}

/// Marks that hide inside words.
fn is_mark(c: char) -> bool {
    matches!(
        c,
        '*' | '_' | '.' | '~' | '|' | '·' | '^' | '+' | '/' | '\\' | '=' | '`' | '"'
    )
}

/// The letter that a digit or sign resembles.
fn like(c: char) -> Option<char> {
    match c {
        '0' => Some('o'),
        '1' => Some('i'),
        '3' => Some('e'),
        '4' | '@' => Some('a'),
        '5' | '$' => Some('s'),
        '7' => Some('t'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evasions_read_as_what_they_say() {
        for (written, read) in [
            ("BEST  Mug", "best mug"),
            ("ＢＥＳＴ", "best"),
            ("b.e.s.t mug", "best mug"),
            ("f r e e now", "free now"),
            ("F.R.E.E. money, b-e-s-t", "free money, best"),
            ("a b c", "a b c"),
            ("gu4r@nteed", "guaranteed"),
            ("fr33ly", "freely"),
            ("3d tv 100%", "3d tv 100%"),
            ("b\u{200b}e\u{301}st", "best"),
            ("bеst", "best"),
            ("ВЕЅТ", "best"),
            ("𝐁𝐞𝐬𝐭", "best"),
            ("最 好\u{3000}的", "最好的"),
            ("最\u{200d}好 mug 杯", "最好mug杯"),
            ("最·好，最-*佳", "最好,最佳"),
            ("最❤️好 國家級", "最好国家级"),
            ("mug - 杯", "mug - 杯"),
            ("don’t", "don't"),
            ("第①", "第1"),
        ] {
            assert_eq!(Normal::of(written).text, read, "{written}");
        }
        for (written, read) in [
            ("gua*ran.teed", Some("guaranteed")),
            ("so 1ose fat", Some("so lose fat")),
            ("1oseweight", Some("loseweight")),
            ("a m!racle", Some("a miracle")),
            ("3.5 stars, 4 cups", None),
            ("plain words", None),
        ] {
            let found = Normal::of(written).undisguised().map(|normal| normal.text);
            assert_eq!(found.as_deref(), read, "{written}");
        }
    }

    #[test]
    fn plain_texts_read_as_any_others() {
        for text in [
            "The best mug, 20% off: a gift for two.",
            "sugar-free, 3-in-1 and b.e.s.t",
            "I am. A b c d",
            "gu4r@nteed 1ose 100 mp4",
            "two  spaces ",
            "a\ttab",
            "Win $5 now! x!y",
        ] {
            let reduced = Reduction::of(text).finish();
            assert_eq!(Normal::of(text), reduced, "{text}");
            assert!(
                Normal::of_plain(text).is_none_or(|plain| plain == reduced),
                "{text}"
            );
        }
        assert!(Normal::of_plain("The best mug, 20% off: a gift for two.").is_some());
    }

    #[test]
    fn characters_know_where_they_came_from() {
        let text = "a ＢＥＳＴ杯";
        let normal = Normal::of(text);
        assert_eq!(&text[normal.source(text, &(2..6))], "ＢＥＳＴ");
        assert_eq!(&text[normal.source(text, &(6..9))], "杯");
        let spelled = "so b e s t!";
        let normal = Normal::of(spelled);
        assert_eq!(&spelled[normal.source(spelled, &(3..7))], "b e s t");
    }

    #[test]
    fn phrases_keep_the_spaces_at_their_ends() {
        assert_eq!(fold_phrase(" Left"), " left");
        assert_eq!(fold_phrase("only  "), "only ");
        assert_eq!(fold_phrase("國家級 "), "国家级");
    }
}
