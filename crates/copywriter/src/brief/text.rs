//! What a text consists of, before it becomes a template.

use events::Language;

use super::refused::Refused;

/// A text cut into words and slots.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Text<'a> {
    parts: Vec<Part<'a>>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Part<'a> {
    Words(&'a str),
    Slot(&'a str),
}

impl<'a> Text<'a> {
    /// Cuts a text at its slots, such as `{{ price }}`.
    ///
    /// # Errors
    /// [`Refused::Markup`] for any other brace, a tag of HTML, a link, and characters that are not seen.
    pub(super) fn read(text: &'a str) -> Result<Self, Refused> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let (inside, behind) = after.split_once("}}").ok_or_else(|| markup("{{"))?;
            let name = inside.trim();
            let in_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if name.is_empty() || !name.chars().all(in_name) {
                return Err(markup(&format!("{{{{{inside}}}}}")));
            }
            parts.extend([Part::Words(before), Part::Slot(name)]);
            rest = behind;
        }
        parts.push(Part::Words(rest));
        let text = Self { parts };
        text.words().try_for_each(plain)?;
        Ok(text)
    }

    pub(super) fn parts(&self) -> impl Iterator<Item = Part<'a>> {
        self.parts.iter().copied()
    }

    /// What stands outside the slots.
    pub(super) fn words(&self) -> impl Iterator<Item = &'a str> {
        self.parts().filter_map(|part| match part {
            Part::Words(words) => Some(words),
            Part::Slot(_) => None,
        })
    }

    /// The names of the slots.
    pub(super) fn slots(&self) -> impl Iterator<Item = &'a str> {
        self.parts().filter_map(|part| match part {
            Part::Slot(name) => Some(name),
            Part::Words(_) => None,
        })
    }
}

/// Shares of the words by script: a Han character counts as a word, and so does a run of Latin letters.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Scripts {
    han: u32,
    latin: u32,
    others: u32,
}

impl Scripts {
    /// The least share of words, in per cent, that must be in a language's script. Chinese copy keeps Latin names of brands.
    fn least_percent(language: Language) -> u32 {
        match language {
            Language::En => 90,
            Language::Zh => 50,
        }
    }

    pub(super) fn add(&mut self, words: &str) {
        let mut in_word = false;
        for c in words.chars() {
            let is_latin = c.is_alphabetic() && u32::from(c) < 0x250;
            if is_latin {
                self.latin += u32::from(!in_word);
            } else if is_han(c) {
                self.han += 1;
            } else if c.is_alphabetic() {
                self.others += 1;
            }
            in_word = is_latin;
        }
    }

    /// Refuses words in another script than the language's. English is told from Chinese or Russian this way, not from
    /// French.
    pub(super) fn check(self, language: Language) -> Result<(), Refused> {
        let all = self.han + self.latin + self.others;
        let (expected, own) = match language {
            Language::En => ("English", self.latin),
            Language::Zh => ("Chinese", self.han),
        };
        if all == 0 || own * 100 >= all * Self::least_percent(language) {
            return Ok(());
        }
        let percent = own * 100 / all;
        Err(Refused::Language { expected, percent })
    }
}

/// The first number or currency sign of a text, with what belongs to it: `£12.00`, `50%`, `１２元` without its last character.
pub(super) fn first_literal(words: &str) -> Option<&str> {
    let start = words.find(is_literal)?;
    let literal = &words[start..];
    let is_inside = |(at, c): &(usize, char)| {
        let next = literal[at + c.len_utf8()..].chars().next();
        is_literal(*c) || (matches!(c, '.' | ',') && next.is_some_and(char::is_numeric))
    };
    let end = literal.char_indices().find(|at| !is_inside(at));
    Some(end.map_or(literal, |(end, _)| &literal[..end]))
}

/// The numbers of a text, without the commas of thousands.
pub(super) fn numbers(text: &str) -> Vec<f64> {
    let ascii: String = text.chars().map(narrow).collect();
    ascii
        .split(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ',')))
        .filter_map(|number| {
            let number = number.replace(',', "");
            number.trim_matches('.').parse().ok()
        })
        .collect()
}

/// A fullwidth digit as the plain one.
fn narrow(c: char) -> char {
    match u32::from(c) {
        code @ 0xff10..=0xff19 => char::from_u32(code - 0xff10 + u32::from('0')).unwrap_or(c),
        _ => c,
    }
}

fn is_literal(c: char) -> bool {
    let is_sign = matches!(
        c,
        '$' | '£' | '€' | '¥' | '￥' | '₩' | '₹' | '₽' | '%' | '％' | '‰'
    );
    c.is_numeric() || is_sign
}

fn is_han(c: char) -> bool {
    matches!(u32::from(c), 0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xf900..=0xfaff | 0x2_0000..=0x3_ffff)
}

fn plain(words: &str) -> Result<(), Refused> {
    for found in ["{", "}", "<", ">", "://", "www."] {
        if words.contains(found) {
            return Err(markup(found));
        }
    }
    // Controls, joiners, marks of direction, and the private characters that have no shape of their own.
    let is_unseen = |c: &char| {
        let code = u32::from(*c);
        (c.is_control() && *c != '\n')
            || matches!(code, 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x2069 | 0xe000..=0xf8ff | 0xfeff)
            || code >= 0xe_0000
    };
    match words.chars().find(is_unseen) {
        Some(unseen) => Err(markup(&unseen.escape_unicode().to_string())),
        None => Ok(()),
    }
}

pub(super) fn markup(found: &str) -> Refused {
    Refused::Markup {
        found: found.chars().take(40).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_at_its_slots() {
        let text = Text::read("Now {{price}}: {{ title }}").expect("plain");
        let slots: Vec<&str> = text.slots().collect();
        let words: Vec<&str> = text.words().collect();
        assert_eq!(slots, ["price", "title"]);
        assert_eq!(words, ["Now ", ": ", ""]);
    }

    #[test]
    fn anything_but_words_and_slots_is_markup() {
        for (text, found) in [
            ("{{ price", "{{"),
            ("{{ price | money }}", "{{ price | money }}"),
            ("{{ product.title }}", "{{ product.title }}"),
            ("{{}}", "{{}}"),
            ("{% if a %}x{% endif %}", "{"),
            ("a } b", "}"),
            ("<b>bold</b>", "<"),
            ("see https://evil.example", "://"),
            ("see www.evil.example", "www."),
            ("a\tb", "\\u{9}"),
            ("a\u{202e}b", "\\u{202e}"),
            ("a\u{e000}b", "\\u{e000}"),
        ] {
            let found = found.to_owned();
            assert_eq!(Text::read(text), Err(Refused::Markup { found }), "{text}");
        }
    }

    #[test]
    fn the_script_tells_the_language() {
        let check = |text: &str, language| {
            let mut scripts = Scripts::default();
            scripts.add(text);
            scripts.check(language)
        };
        let (en, zh) = (Language::En, Language::Zh);
        for (text, language) in [
            ("A mug for your tea", en),
            ("Crème brûlée", en),
            ("给你的红色马克杯", zh),
            ("Nike 运动鞋，新款到店", zh),
            ("", en),
            ("：", zh),
        ] {
            assert_eq!(check(text, language), Ok(()), "{text}");
        }
        // 2 of 7 words are Latin, 0 of 5 are Han, 2 of 6 are Han, 0 of 6 letters are Latin.
        for (text, language, expected, percent) in [
            ("马克杯 for your 家里", en, "English", 28),
            ("A mug for your tea", zh, "Chinese", 0),
            ("马克 mug for your tea", zh, "Chinese", 33),
            ("кружка", en, "English", 0),
        ] {
            let refused = Refused::Language { expected, percent };
            assert_eq!(check(text, language), Err(refused), "{text}");
        }
    }

    #[test]
    fn literals_are_found_whole() {
        for (text, literal) in [
            ("Now £12.00.", Some("£12.00")),
            ("Save 50%!", Some("50%")),
            ("1,299, really", Some("1,299")),
            ("只要１２元", Some("１２")),
            ("a ½ price", Some("½")),
            ("twelve, all told.", None),
        ] {
            assert_eq!(first_literal(text), literal, "{text}");
        }
    }

    #[test]
    fn numbers_are_compared_by_value() {
        assert_eq!(numbers("£1,299.50, or 12"), [1299.5, 12.0]);
        assert_eq!(numbers("１２元"), [12.0]);
        assert_eq!(numbers("none."), Vec::<f64>::new());
    }
}
