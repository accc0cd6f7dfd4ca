//! How long a text is, in the units of its channel.

use unicode_segmentation::UnicodeSegmentation as _;

/// What a link counts in a post, however long it is (`transformedURLLength` of twitter-text's configuration v3).
const LINK_WEIGHT: usize = 23;

/// The columns that a text takes: 2 for each wide or full-width character and emoji, 1 for any other, none for marks
/// that combine. After Unicode Standard Annex #11, with its ranges joined where only unassigned code points lie between.
pub fn display_width(text: &str) -> usize {
    // Below the combining marks every character is one column, which spares most texts the search for clusters.
    if text.chars().all(|c| c < '\u{300}') {
        return text.chars().count();
    }
    text.graphemes(true).map(grapheme_width).sum()
}

/// The length of a post as X counts it: 2 for each Chinese, Japanese or Korean character and each emoji however many
/// code points it has, 23 for a link, 1 for the characters of alphabets.
///
/// Source: twitter-text, `config/v3.json`. It normalises to NFC first, which this does not, so that a letter with a
/// separate accent counts 2 here: the count is never too low.
pub fn post_weight(text: &str) -> usize {
    let mut weight = 0;
    for word in text.split_inclusive(char::is_whitespace) {
        let start = ["https://", "http://"]
            .iter()
            .filter_map(|scheme| word.find(scheme))
            .min();
        let (before, link) = word.split_at(start.unwrap_or(word.len()));
        weight += before
            .graphemes(true)
            .map(post_grapheme_weight)
            .sum::<usize>();
        if !link.is_empty() {
            let trailing = link.len() - link.trim_end().len();
            weight += LINK_WEIGHT + trailing;
        }
    }
    weight
}

fn grapheme_width(grapheme: &str) -> usize {
    if grapheme.chars().any(is_emoji) {
        return 2;
    }
    grapheme.chars().map(char_width).max().unwrap_or(0)
}

fn post_grapheme_weight(grapheme: &str) -> usize {
    if grapheme.chars().any(is_emoji) {
        return 2;
    }
    grapheme
        .chars()
        .map(|c| match u32::from(c) {
            0..=4351 | 8192..=8205 | 8208..=8223 | 8242..=8247 => 1,
            _ => 2,
        })
        .sum()
}

fn is_emoji(c: char) -> bool {
    matches!(c, '\u{fe0f}' | '\u{1f000}'..='\u{1faff}')
}

fn char_width(c: char) -> usize {
    match c {
        '\u{300}'..='\u{36f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{20d0}'..='\u{20ff}'
        | '\u{fe00}'..='\u{fe0f}' => 0,
        '\u{1100}'..='\u{115f}'
        | '\u{231a}'..='\u{231b}'
        | '\u{23e9}'..='\u{23ec}'
        | '\u{2e80}'..='\u{303e}'
        | '\u{3041}'..='\u{33ff}'
        | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{a4cf}'
        | '\u{a960}'..='\u{a97f}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff01}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{16fe0}'..='\u{1b2ff}'
        | '\u{1f000}'..='\u{1faff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_characters_take_two_columns() {
        for (text, width) in [
            ("", 0),
            ("mug", 3),
            ("马克杯", 6),
            ("ＡＢ，", 6),
            ("cafe\u{301}", 4),
            ("👩\u{200d}🍳!", 3),
            ("❤\u{fe0f}", 2),
            ("£5 한", 5),
        ] {
            assert_eq!(display_width(text), width, "{text}");
        }
    }

    #[test]
    fn posts_weigh_as_on_x() {
        for (text, weight) in [
            ("", 0),
            ("hello é", 7),
            ("马克杯", 6),
            ("👩\u{200d}👩\u{200d}👧", 2),
            ("“x”…", 5),
            ("see https://shop.example/a/very/long/path/to/a/mug now", 31),
        ] {
            assert_eq!(post_weight(text), weight, "{text}");
        }
    }
}
