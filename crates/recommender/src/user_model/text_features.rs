//! Titles as fixed vectors: a hashed bag of words and character n-grams.
//!
//! Source: Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", 2009 (signed hashing); Bojanowski
//! et al., "Enriching Word Vectors with Subword Information", 2017 (character n-grams). How this differs from the
//! papers: the vectors are fixed and weighted by inverse document frequency; only their projection is learnt.
//!
//! A run of letters and digits is a word; words of three letters or more give their character trigrams too. Scripts
//! without spaces (Chinese, Japanese, Korean) give single characters and pairs instead, so that no segmenter is needed.

use std::collections::BTreeMap;

use nn::name_seed;

/// Vectors of titles, each of Euclidean norm 1 (nothing for a title without a letter) over `buckets` columns, as pairs of
/// column and number by ascending column.
///
/// # Shapes
/// titles [V] → V rows.
pub(super) fn text_features(titles: &[&str], buckets: usize) -> Vec<Vec<(u32, f32)>> {
    let pieces: Vec<BTreeMap<String, u32>> = titles.iter().map(|title| pieces(title)).collect();
    let mut documents: BTreeMap<&str, u32> = BTreeMap::new();
    for piece in pieces.iter().flat_map(BTreeMap::keys) {
        *documents.entry(piece).or_default() += 1;
    }
    let row_of = |pieces: &BTreeMap<String, u32>| {
        let mut row: BTreeMap<u32, f32> = BTreeMap::new();
        for (piece, count) in pieces {
            let hash = name_seed(piece);
            let rarity = (1.0 + titles.len() as f32 / documents[piece.as_str()] as f32).ln();
            let sign = if hash >> 63 == 0 { 1.0 } else { -1.0 };
            let bucket = (hash % buckets as u64) as u32;
            *row.entry(bucket).or_default() += sign * rarity * (*count as f32).sqrt();
        }
        let norm = row.values().map(|v| v * v).sum::<f32>().sqrt();
        let row = row.into_iter().filter(|(_, value)| *value != 0.0);
        row.map(|(bucket, value)| (bucket, value / norm)).collect()
    };
    pieces.iter().map(row_of).collect()
}

/// The words and n-grams of a title with their counts.
fn pieces(title: &str) -> BTreeMap<String, u32> {
    let mut found = BTreeMap::new();
    let mut word: Vec<char> = Vec::new();
    let mut previous_ideograph: Option<char> = None;
    for letter in title.chars().flat_map(char::to_lowercase).chain([' ']) {
        if is_unspaced(letter) {
            *found.entry(format!("c:{letter}")).or_default() += 1;
            if let Some(previous) = previous_ideograph {
                *found.entry(format!("c:{previous}{letter}")).or_default() += 1;
            }
        }
        previous_ideograph = is_unspaced(letter).then_some(letter);
        if letter.is_alphanumeric() && !is_unspaced(letter) {
            word.push(letter);
        } else if !word.is_empty() {
            add_word(&word, &mut found);
            word.clear();
        }
    }
    found
}

fn add_word(word: &[char], found: &mut BTreeMap<String, u32>) {
    let text: String = word.iter().collect();
    *found.entry(format!("w:{text}")).or_default() += 1;
    // The marks of beginning and end tell a prefix from the same letters inside a word.
    let marked: Vec<char> = format!("<{text}>").chars().collect();
    for trigram in marked.windows(3).filter(|_| word.len() >= 3) {
        let trigram: String = trigram.iter().collect();
        *found.entry(format!("t:{trigram}")).or_default() += 1;
    }
}

/// Whether a character belongs to a script that is written without spaces between words.
fn is_unspaced(letter: char) -> bool {
    matches!(letter,
        '\u{3040}'..='\u{30ff}'      // Hiragana and Katakana
        | '\u{3400}'..='\u{4dbf}'    // CJK Extension A
        | '\u{4e00}'..='\u{9fff}'    // CJK Unified Ideographs
        | '\u{ac00}'..='\u{d7af}'    // Hangul
        | '\u{f900}'..='\u{faff}'    // CJK Compatibility Ideographs
        | '\u{20000}'..='\u{3134f}') // CJK Extensions B to G
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(title: &str) -> Vec<String> {
        pieces(title).into_keys().collect()
    }

    #[test]
    fn words_trigrams_and_chinese_characters() {
        assert_eq!(
            names("Red T-mug"),
            [
                "t:<mu", "t:<re", "t:ed>", "t:mug", "t:red", "t:ug>", "w:mug", "w:red", "w:t"
            ]
        );
        assert_eq!(
            names("红茶杯"),
            ["c:杯", "c:红", "c:红茶", "c:茶", "c:茶杯"]
        );
        assert_eq!(names("茶 杯 ×2"), ["c:杯", "c:茶", "w:2"]);
        assert!(names(" … ").is_empty());
    }

    #[test]
    fn similar_titles_are_close_in_both_languages() {
        let titles = [
            "red tea mug",
            "blue tea mug",
            "garden hose",
            "红色茶杯",
            "蓝色茶杯",
            "花园水管",
            "",
        ];
        let features = text_features(&titles, 512);
        let dot = |a: usize, b: usize| -> f32 {
            let row: BTreeMap<u32, f32> = features[a].iter().copied().collect();
            let products = features[b]
                .iter()
                .map(|(k, y)| row.get(k).map_or(0.0, |x| x * y));
            products.sum()
        };
        assert!(dot(0, 1) > dot(0, 2) + 0.2);
        assert!(dot(3, 4) > dot(3, 5) + 0.2);
        assert!((dot(0, 0) - 1.0).abs() < 1e-5);
        assert!(dot(6, 6).abs() < 1e-9);
    }
}
