//! Texts as phrases are looked for in them: case, full-width forms, homoglyphs, zero-width characters and spacing undone.

/// A text reduced for matching. Each character keeps the byte offset that it came from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Normal {
    pub(crate) chars: Vec<char>,
    /// Where each character came from in the text.
    pub(crate) offsets: Vec<usize>,
}

impl Normal {
    /// Reduces a text.
    pub(crate) fn of(text: &str) -> Self {
        let mut normal = Self {
            chars: Vec::with_capacity(text.len()),
            offsets: Vec::with_capacity(text.len()),
        };
        for (offset, c) in text.char_indices() {
            normal.push(offset, c);
        }
        normal.join_spelled_words();
        normal.read_digits_as_letters();
        normal
    }

    /// The bytes of the text that a range of at least one character came from.
    pub(crate) fn bytes(&self, text: &str, from: usize, to: usize) -> std::ops::Range<usize> {
        let last = self.offsets[to - 1];
        let len = text[last..].chars().next().map_or(0, char::len_utf8);
        self.offsets[from]..last + len
    }

    fn push(&mut self, offset: usize, c: char) {
        let c = if c.is_ascii() {
            c.to_ascii_lowercase()
        } else {
            fold(c)
        };
        if crate::escape::is_invisible_control(c) && !c.is_whitespace() || is_ignored(c) {
            return;
        }
        let c = if c.is_whitespace() { ' ' } else { c };
        if c == ' ' {
            // Spaces join, and vanish behind a Chinese character: 最 好 reads as 最好.
            if self
                .chars
                .last()
                .is_none_or(|&last| last == ' ' || is_han(last))
            {
                return;
            }
        } else if is_han(c) {
            self.drop_separators();
        }
        self.chars.push(c);
        self.offsets.push(offset);
    }

    /// Drops a space before a Chinese character, and what hides between two of them, as in 最·好.
    fn drop_separators(&mut self) {
        let hides = |c: &char| matches!(c, ' ' | '·' | '*' | '_' | '-' | '~' | '|' | '^' | '•');
        let kept = self
            .chars
            .iter()
            .rposition(|c| !hides(c))
            .map_or(0, |at| at + 1);
        let between = kept > 0 && is_han(self.chars[kept - 1]);
        if between || self.chars[kept..] == [' '] {
            self.chars.truncate(kept);
            self.offsets.truncate(kept);
        }
    }

    /// Joins four or more single letters in a row, as in `f r e e` and `b.e.s.t`.
    fn join_spelled_words(&mut self) {
        let separator = |at: usize| {
            self.chars
                .get(at)
                .is_some_and(|&c| matches!(c, ' ' | '.' | '-' | '_' | '*' | '·'))
        };
        let single = |at: usize| {
            self.chars.get(at).is_some_and(char::is_ascii_alphabetic)
                && self
                    .chars
                    .get(at + 1)
                    .is_none_or(|c| !c.is_ascii_alphanumeric())
        };
        let mut drop = Vec::new();
        let mut at = 0;
        while at < self.chars.len() {
            let starts = single(at) && (at == 0 || !self.chars[at - 1].is_ascii_alphanumeric());
            let mut end = at;
            while starts && separator(end + 1) && single(end + 2) {
                end += 2;
            }
            if end - at >= 6 {
                drop.extend((at + 1..end).step_by(2));
            }
            at = end + 1;
        }
        for &at in drop.iter().rev() {
            self.chars.remove(at);
            self.offsets.remove(at);
        }
    }

    /// Reads a digit or sign between two letters as the letter it resembles, as in `gu4ranteed` and `fr33ly`.
    fn read_digits_as_letters(&mut self) {
        for at in 1..self.chars.len() {
            let before = self.chars[at - 1].is_ascii_lowercase();
            let after = self.chars[at + 1..]
                .iter()
                .find(|c| like(**c).is_none())
                .is_some_and(char::is_ascii_lowercase);
            if before
                && after
                && let Some(letter) = like(self.chars[at])
            {
                self.chars[at] = letter;
            }
        }
    }
}

/// The letter that a digit or sign resembles.
fn like(c: char) -> Option<char> {
    match c {
        '0' => Some('o'),
        '1' | '!' => Some('i'),
        '3' => Some('e'),
        '4' | '@' => Some('a'),
        '5' | '$' => Some('s'),
        '7' => Some('t'),
        _ => None,
    }
}

/// Whether the character belongs to Chinese text.
pub(crate) fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3fffd}')
}

/// Marks that a reader overlooks: combining marks and joiners.
fn is_ignored(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}')
}

/// Lower case, half width, and Latin for the letters of other alphabets that look the same.
fn fold(c: char) -> char {
    let c = match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '\u{1d400}'..='\u{1d433}' => mathematical(c),
        _ => c,
    };
    let c = c.to_lowercase().next().unwrap_or(c);
    match c {
        'а' | 'α' | 'á' | 'à' | 'â' | 'ä' | 'ã' | 'å' => 'a',
        'е' | 'ε' | 'é' | 'è' | 'ê' | 'ë' => 'e',
        'о' | 'ο' | 'ó' | 'ò' | 'ô' | 'ö' | 'õ' => 'o',
        'і' | 'ι' | 'í' | 'ì' | 'î' | 'ï' | 'ı' => 'i',
        'ú' | 'ù' | 'û' | 'ü' | 'υ' => 'u',
        'р' | 'ρ' => 'p',
        'с' | 'ç' => 'c',
        'у' => 'y',
        'х' | 'χ' => 'x',
        'ѕ' => 's',
        'к' | 'κ' => 'k',
        'т' | 'τ' => 't',
        'в' | 'β' => 'b',
        'м' => 'm',
        'н' => 'h',
        'ñ' | 'ν' => 'n',
        '’' | '‘' | '`' => '\'',
        '‐' | '‑' | '–' | '—' => '-',
        _ => c,
    }
}

/// The letters of the bold mathematical alphabet.
fn mathematical(c: char) -> char {
    let index = (u32::from(c) - 0x1d400) % 26;
    char::from_u32(u32::from('a') + index).unwrap_or(c)
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
            ("mug - 杯", "mug - 杯"),
            ("don’t", "don't"),
        ] {
            let normal: String = Normal::of(written).chars.iter().collect();
            assert_eq!(normal, read, "{written}");
        }
    }

    #[test]
    fn characters_know_where_they_came_from() {
        let text = "a ＢＥＳＴ杯";
        let normal = Normal::of(text);
        assert_eq!(&text[normal.bytes(text, 2, 6)], "ＢＥＳＴ");
        assert_eq!(&text[normal.bytes(text, 6, 7)], "杯");
        let spelled = "so b e s t!";
        let normal = Normal::of(spelled);
        assert_eq!(&spelled[normal.bytes(spelled, 3, 7)], "b e s t");
        assert_eq!(normal.chars.len(), normal.offsets.len());
    }
}
