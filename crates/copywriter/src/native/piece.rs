//! A text cut into pieces: words, single Han characters, punctuation, slots and line breaks.

/// Cuts a template into pieces that, one after the other, are the template again.
///
/// A word or mark carries the space before it, as in byte-level vocabularies; a slot `{{ … }}` is one piece.
pub(super) fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(piece_length(rest));
        pieces.push(piece);
        rest = after;
    }
    pieces
}

/// The name that a slot shows; nothing for any other piece.
pub(super) fn slot_name(piece: &str) -> Option<&str> {
    let inside = piece.trim_start().strip_prefix("{{")?.strip_suffix("}}")?;
    let name = inside.split('|').next().unwrap_or(inside).trim();
    (!name.is_empty()).then_some(name)
}

/// Whether a piece could be read as a number or a price, which must come from a fact.
pub(super) fn shows_number(piece: &str) -> bool {
    let is_sign = |c: char| matches!(c, '$' | '£' | '€' | '¥' | '￥' | '₩' | '%' | '％');
    piece.chars().any(|c| c.is_numeric() || is_sign(c))
}

/// Whether a character is written without spaces around it and is a word by itself.
pub(super) fn is_han(c: char) -> bool {
    matches!(u32::from(c), 0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xf900..=0xfaff | 0x2_0000..=0x3_ffff)
}

fn piece_length(text: &str) -> usize {
    if text.starts_with("\n\n") {
        return 2;
    }
    let (space, body) = match text.strip_prefix(' ') {
        Some(body) if !body.starts_with([' ', '\n']) => (1, body),
        _ => (0, text),
    };
    if body.starts_with("{{")
        && let Some(end) = body.find("}}")
    {
        return space + end + 2;
    }
    let is_letter = |c: char| c.is_alphabetic() && !is_han(c);
    let mut end = 0;
    for (at, c) in body.char_indices() {
        // An apostrophe within a word belongs to it: don't.
        let within = at > 0 && c == '\'' && body[at + 1..].starts_with(is_letter);
        if !is_letter(c) && !within {
            break;
        }
        end = at + c.len_utf8();
    }
    let first = body.chars().next().map_or(0, char::len_utf8);
    space + end.max(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_and_slots_are_cut() {
        let text =
            "Don't wait: {{ headline }}, {{ price }}.\n\nT-light「{{ title }}」现在 {{ price }}。";
        let expected = [
            "Don't",
            " wait",
            ":",
            " {{ headline }}",
            ",",
            " {{ price }}",
            ".",
            "\n\n",
            "T",
            "-",
            "light",
            "「",
            "{{ title }}",
            "」",
            "现",
            "在",
            " {{ price }}",
            "。",
        ];
        assert_eq!(pieces(text), expected);
        assert_eq!(pieces(text).concat(), text);
        for odd in ["", "  a", " ", "{{ open", "a\n b \n\n\n", "é'x'"] {
            assert_eq!(pieces(odd).concat(), odd);
        }
    }

    #[test]
    fn slots_have_names() {
        let plural = r#" {{ orders | plural: "order","orders" }}"#;
        assert_eq!(pieces(plural), [plural]);
        assert_eq!(slot_name(plural), Some("orders"));
        assert_eq!(slot_name("{{ title }}"), Some("title"));
        assert_eq!(slot_name(" title"), None);
        assert_eq!(slot_name("{{ }}"), None);
    }

    #[test]
    fn numbers_and_prices_are_seen() {
        for piece in ["5", " 2", "£", "三5", "％", "½"] {
            assert!(shows_number(piece), "{piece}");
        }
        assert!(!shows_number(" mug") && !shows_number("杯"));
    }
}
