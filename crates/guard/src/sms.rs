//! Text messages are paid by the segment: 3GPP TS 23.038 (the GSM 7-bit alphabet and its extension table) and
//! TS 23.040 (concatenation).

use events::Language;

/// The characters of the basic table beyond ASCII.
const BASIC: &str = "£¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà";

/// The hint with which an English marketing text message ends.
pub const OPT_OUT_EN: &str = "Reply STOP to opt out";
/// The hint with which a Chinese marketing text message ends.
pub const OPT_OUT_ZH: &str = "回T退订";

/// The hint that a template for text messages ends with.
pub fn opt_out(language: Language) -> &'static str {
    match language {
        Language::En => OPT_OUT_EN,
        Language::Zh => OPT_OUT_ZH,
    }
}

/// How a text message is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// The GSM 7-bit alphabet: 160 septets, or 153 in each part of a longer message.
    Gsm7,
    /// UCS-2: 70 units, or 67 in each part of a longer message.
    Ucs2,
}

/// The size of a text message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Segments {
    /// The encoding that its characters force.
    pub encoding: Encoding,
    /// Its length in units of the encoding: septets, where `€` takes two, or 16-bit units, where an emoji takes two.
    pub units: usize,
    /// How many messages are sent and paid for; none for an empty text.
    pub segments: usize,
}

/// Counts the units and segments of a text message.
///
/// One character with no place in the GSM alphabet turns the whole message to UCS-2. A character of two units is never
/// split over two segments.
pub fn segments(text: &str) -> Segments {
    let gsm = text.chars().all(|c| septets(c).is_some());
    let (encoding, single, part) = if gsm {
        (Encoding::Gsm7, 160, 153)
    } else {
        (Encoding::Ucs2, 70, 67)
    };
    let size = |c: char| {
        if gsm {
            septets(c).unwrap_or(1)
        } else {
            c.len_utf16()
        }
    };
    let units = text.chars().map(size).sum();
    let segments = if units <= single {
        usize::from(units > 0)
    } else {
        let mut used = 0;
        let mut full = 0;
        for units in text.chars().map(size) {
            if used + units > part {
                full += 1;
                used = 0;
            }
            used += units;
        }
        full + 1
    };
    Segments {
        encoding,
        units,
        segments,
    }
}

/// The septets of a character in the GSM alphabet: 1 in the basic table, 2 in the extension table.
fn septets(c: char) -> Option<usize> {
    match c {
        '^' | '{' | '}' | '\\' | '[' | '~' | ']' | '|' | '€' | '\u{c}' => Some(2),
        // Of ASCII's visible characters the grave accent alone has no place, beside those in the extension table.
        '`' => None,
        ' '..='~' | '\n' | '\r' => Some(1),
        _ => BASIC.contains(c).then_some(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_by_hand() {
        use Encoding::{Gsm7, Ucs2};
        let a = |n| "a".repeat(n);
        let zh = |n| "杯".repeat(n);
        for (text, encoding, units, segments_expected) in [
            (String::new(), Gsm7, 0, 0),
            (a(160), Gsm7, 160, 1),
            (a(161), Gsm7, 161, 2),
            (a(306), Gsm7, 306, 2),
            (a(307), Gsm7, 307, 3),
            ("€".to_owned(), Gsm7, 2, 1),
            ("[".to_owned(), Gsm7, 2, 1),
            (a(159) + "€", Gsm7, 161, 2),
            // The escape pair at septets 153 and 154 moves whole into the second segment: 152 + (2 + 152).
            (a(152) + "€" + &a(151), Gsm7, 305, 2),
            (a(152) + "€" + &a(152), Gsm7, 306, 3),
            (zh(70), Ucs2, 70, 1),
            (zh(71), Ucs2, 71, 2),
            (zh(134), Ucs2, 134, 2),
            (zh(135), Ucs2, 135, 3),
            ("🍵".to_owned(), Ucs2, 2, 1),
            ("🍵".repeat(35), Ucs2, 70, 1),
            ("🍵".repeat(36), Ucs2, 72, 2),
            // 33 pairs fill 66 of 67 units; the next one does not fit, so 134 units need three segments.
            ("🍵".repeat(67), Ucs2, 134, 3),
            // Typographic quotes have no place in the alphabet, and one is enough.
            (a(70) + "’", Ucs2, 71, 2),
            ("ê".to_owned(), Ucs2, 1, 1),
            ("`".to_owned(), Ucs2, 1, 1),
            ("àÇΔ@_".to_owned(), Gsm7, 5, 1),
        ] {
            assert_eq!(
                segments(&text),
                Segments {
                    encoding,
                    units,
                    segments: segments_expected
                },
                "{text}"
            );
        }
    }

    #[test]
    fn opt_out_hints_cost_little() {
        assert_eq!(segments(OPT_OUT_EN).encoding, Encoding::Gsm7);
        assert_eq!(segments(opt_out(Language::Zh)).units, 4);
    }
}
