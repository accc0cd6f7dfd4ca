//! What a channel does with the characters of a value.

use std::fmt::Write as _;

use events::Channel;

/// How the output is written for its channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Escape {
    /// Plain text: text messages, push messages, posts, mail subjects.
    None,
    /// HTML: mail bodies and banners. Everything is text, except [`TAGS`] in the template itself.
    Html,
    /// The inside of a JSON string, for a field that is put into a payload by hand.
    Json,
}

/// The tags that a template for an HTML channel may use; any other `<` in it is a character.
pub const TAGS: [&str; 12] = [
    "<br>",
    "<p>",
    "</p>",
    "<b>",
    "</b>",
    "<strong>",
    "</strong>",
    "<em>",
    "</em>",
    "<i>",
    "</i>",
    "<br/>",
];

impl Escape {
    /// The escaping of a field: mail bodies and banners are HTML, all else is plain.
    pub fn of(channel: Channel, field: &str) -> Self {
        match (channel, field) {
            (Channel::Email, "body") | (Channel::Banner, _) => Self::Html,
            _ => Self::None,
        }
    }
}

/// Appends `text` with the five characters that mean something in HTML replaced.
pub(crate) fn push_html(out: &mut String, text: &str) {
    let mut kept = 0;
    for (at, byte) in text.bytes().enumerate() {
        let replacement = match byte {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            b'\'' => "&#39;",
            _ => continue,
        };
        out.push_str(&text[kept..at]);
        out.push_str(replacement);
        kept = at + 1;
    }
    out.push_str(&text[kept..]);
}

/// Appends `text` as it stands inside a JSON string (RFC 8259, section 7). `<` is written as an escape as well, so that the
/// payload may stand in a page.
pub(crate) fn push_json(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() || matches!(c, '<' | '\u{2028}' | '\u{2029}') => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
}

/// Splits a template's literal at its allowed tags: each piece with whether it is a tag.
pub(crate) fn split_tags(literal: &str) -> impl Iterator<Item = (&str, bool)> {
    let mut rest = literal;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let tag_at = |text: &str| {
            TAGS.iter()
                .find(|tag| text.starts_with(**tag))
                .map(|t| t.len())
        };
        let (len, is_tag) = match tag_at(rest) {
            Some(len) => (len, true),
            None => (
                rest.char_indices()
                    .skip(1)
                    .find(|&(at, c)| c == '<' && tag_at(&rest[at..]).is_some())
                    .map_or(rest.len(), |(at, _)| at),
                false,
            ),
        };
        let (piece, after) = rest.split_at(len);
        rest = after;
        Some((piece, is_tag))
    })
}

/// Whether a character steers the display instead of being shown: controls, bidirectional overrides and
/// isolates, zero-width spaces, tag characters. The joiners U+200C and U+200D stay, emoji and Persian need them.
pub(crate) fn is_invisible_control(c: char) -> bool {
    matches!(c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{180e}'
        | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Removes controls and bidirectional overrides from a value and joins its whitespace into single spaces.
pub(crate) fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_whitespace() {
            if !out.is_empty() && !out.ends_with(' ') {
                out.push(' ');
            }
        } else if !is_invisible_control(c) {
            out.push(c);
        }
    }
    out.truncate(out.trim_end().len());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_is_text() {
        let mut out = String::new();
        push_html(&mut out, "<b>\"Tom\" & 'Ann'</b>杯");
        assert_eq!(
            out,
            "&lt;b&gt;&quot;Tom&quot; &amp; &#39;Ann&#39;&lt;/b&gt;杯"
        );
    }

    #[test]
    fn only_allowed_tags_are_markup() {
        let pieces: Vec<_> = split_tags("杯<b>x</b><script>1<2</script><br>").collect();
        assert_eq!(
            pieces,
            [
                ("杯", false),
                ("<b>", true),
                ("x", false),
                ("</b>", true),
                ("<script>1<2</script>", false),
                ("<br>", true)
            ]
        );
    }

    #[test]
    fn values_lose_what_steers_the_display() {
        for (raw, cleaned) in [
            ("a\u{202e}b\u{2066}c", "abc"),
            ("a\r\nBcc: x\u{0}", "a Bcc: x"),
            ("  two   spaces ", "two spaces"),
            ("全角\u{3000}空格", "全角 空格"),
            ("👩\u{200d}🍳", "👩\u{200d}🍳"),
            ("a \u{200b} b", "a b"),
            ("\u{2028}", ""),
        ] {
            assert_eq!(clean(raw), cleaned);
        }
    }

    #[test]
    fn a_json_string_holds_what_it_is_given() {
        let hostile = "a\"b\\c\n</script>\u{0}\u{2028}杯";
        let mut escaped = String::new();
        push_json(&mut escaped, hostile);
        assert!(!escaped.contains('<'), "{escaped}");
        let read: String = serde_json::from_str(&format!("\"{escaped}\"")).expect("JSON");
        assert_eq!(read, hostile);
    }

    #[test]
    fn mail_bodies_and_banners_are_html() {
        assert_eq!(Escape::of(Channel::Email, "body"), Escape::Html);
        assert_eq!(Escape::of(Channel::Email, "subject"), Escape::None);
        assert_eq!(Escape::of(Channel::Banner, "title"), Escape::Html);
        assert_eq!(Escape::of(Channel::Push, "body"), Escape::None);
    }
}
