//! How near two templates are.

use super::piece::{pieces, slot_name};
use super::text::Field;

/// A text as it is compared: its pieces in lower case without spaces, slots by what they stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline(Vec<String>);

impl Outline {
    /// Reads the fields of a template in the library's notation.
    pub fn of(fields: &[(Field, String)]) -> Self {
        let texts = fields.iter().map(|(_, text)| text.as_str());
        Self(texts.flat_map(pieces).filter_map(outlined).collect())
    }

    /// The pieces.
    pub fn pieces(&self) -> &[String] {
        &self.0
    }
}

/// Similarity of two texts: 1 − (edits that turn one into the other) / (pieces of the longer one).
///
/// An edit adds, drops or changes one piece: a word, a Han character, a mark or a slot. Source: Levenshtein, "Binary
/// codes capable of correcting deletions, insertions, and reversals", 1966, over pieces instead of letters. The long and
/// the short form of a title are the same piece, so a text does not become new by showing another.
pub fn similarity(a: &Outline, b: &Outline) -> f64 {
    let (a, b) = (&a.0, &b.0);
    let longest = a.len().max(b.len());
    if longest == 0 {
        return 1.0;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.iter().enumerate() {
            let changed = diagonal + usize::from(left != right);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    1.0 - row[b.len()] as f64 / longest as f64
}

fn outlined(piece: &str) -> Option<String> {
    let name = match slot_name(piece) {
        Some("title" | "headline" | "short") => "{title}".to_owned(),
        Some("bought" | "bought_short") => "{bought}".to_owned(),
        Some(name) => format!("{{{name}}}"),
        None => piece.trim().to_lowercase(),
    };
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(text: &str) -> Outline {
        Outline::of(&[(Field::Body, text.to_owned())])
    }

    #[test]
    fn edits_are_counted() {
        let text = outline("Meet the {{ title }}, {{ price }}.");
        assert_eq!(
            text.pieces(),
            ["meet", "the", "{title}", ",", "{price}", "."]
        );
        let near = |a: &Outline, b: &Outline, expected: f64| {
            assert!((similarity(a, b) - expected).abs() < 1e-12, "{a:?} {b:?}");
        };
        near(
            &text,
            &outline("meet the {{ headline }}, {{ price }}."),
            1.0,
        );
        let other = outline("Meet {{ title }}, {{ sale }}.");
        near(&text, &other, 1.0 - 2.0 / 6.0);
        near(&other, &text, 1.0 - 2.0 / 6.0);
        near(&text, &outline(""), 0.0);
        near(&outline(""), &outline(" "), 1.0);
    }
}
