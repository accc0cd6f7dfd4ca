use unicode_segmentation::UnicodeSegmentation;

/// Splits a text of English, Chinese or both into lower-case tokens for the metrics.
///
/// The words are those of Unicode's Annex 29: a run of letters and digits is one token (`don't`, `2.10`), a Han
/// character is a token by itself, and spaces and punctuation are left out. Chinese is therefore measured
/// over characters, which needs no dictionary and gives the same result on every machine.
///
/// ```
/// assert_eq!(copywriter::tokenise("The T-Light, £2.10"), ["the", "t", "light", "2.10"]);
/// assert_eq!(copywriter::tokenise("新品 Mug，￥19"), ["新", "品", "mug", "19"]);
/// ```
pub fn tokenise(text: &str) -> Vec<String> {
    text.unicode_words().map(str::to_lowercase).collect()
}

/// Splits a text into its characters without spaces, as the `char` tokeniser of sacrebleu does.
pub fn characters(text: &str) -> Vec<String> {
    text.chars()
        .filter(|letter| !letter.is_whitespace())
        .map(String::from)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn english_and_chinese_stand_in_one_text() {
        assert_eq!(
            tokenise("Don't miss 3 x 红色 Retrospot袋子！"),
            [
                "don't",
                "miss",
                "3",
                "x",
                "红",
                "色",
                "retrospot",
                "袋",
                "子"
            ]
        );
        assert!(tokenise(" —…！ ").is_empty());
    }

    #[test]
    fn characters_keep_punctuation() {
        assert_eq!(characters("好， ok"), ["好", "，", "o", "k"]);
    }
}
