//! What each token looks like in a text.

use super::tokenizer::Tokenizer;

/// Bytes and width of every token.
#[derive(Debug, Clone)]
pub(super) struct Pieces {
    /// The bytes that a token writes; none for a special one.
    bytes: Vec<Option<Box<[u8]>>>,
}

impl Pieces {
    pub(super) fn new(tokenizer: &Tokenizer) -> Self {
        let bytes = (0..tokenizer.len() as u32).map(|id| {
            let piece = tokenizer.piece(id)?;
            let bytes: Option<Vec<u8>> = piece.chars().map(byte_of).collect();
            bytes.map(Vec::into_boxed_slice)
        });
        Self {
            bytes: bytes.collect(),
        }
    }

    /// The bytes of a token; none where it is a special one.
    pub(super) fn bytes(&self, token: u32) -> Option<&[u8]> {
        self.bytes[token as usize].as_deref()
    }

    /// The columns that a token takes on a display.
    pub(super) fn width(&self, token: u32) -> usize {
        self.bytes(token).map_or(0, width)
    }
}

/// The columns that UTF-8 takes on a display: letters of Chinese, Japanese and Korean and emoji take two. Told from the
/// first byte of each character, so that the parts of a text may end within one; dashes and quotation marks beyond
/// Latin count two as well.
pub(super) fn width(bytes: &[u8]) -> usize {
    let columns = bytes.iter().map(|byte| match byte {
        0x80..=0xBF => 0,
        0xE0..=0xFF => 2,
        _ => 1,
    });
    columns.sum()
}

/// The byte that a character stands for in a byte-level vocabulary: printable Latin-1 for itself, the others, in order,
/// from U+0100 on.
fn byte_of(letter: char) -> Option<u8> {
    let own = |byte: &u8| matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF);
    let code = u32::from(letter);
    match u8::try_from(code) {
        Ok(byte) => own(&byte).then_some(byte),
        Err(_) => (0..=u8::MAX)
            .filter(|byte| !own(byte))
            .nth((code - 256) as usize),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_from_their_letters() {
        let spelt = "Ġaé";
        let bytes: Vec<_> = spelt.chars().map(byte_of).collect();
        assert_eq!(bytes, [Some(b' '), Some(b'a'), Some(0xE9)]);
        let all: std::collections::BTreeSet<u8> = (33..400)
            .filter_map(char::from_u32)
            .filter_map(byte_of)
            .collect();
        assert_eq!(all.len(), 256);
        assert_eq!(byte_of('中'), None);
    }

    #[test]
    fn chinese_takes_two_columns() {
        assert_eq!(width("Café 红色".as_bytes()), 9);
        assert_eq!(width(&"红".as_bytes()[..1]), 2);
        assert_eq!(width(&"红".as_bytes()[1..]), 0);
    }
}
