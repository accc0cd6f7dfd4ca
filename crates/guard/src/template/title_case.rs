//! Title case for catalogues that shout.

/// Words that stay small inside a title.
const SMALL: [&str; 16] = [
    "a", "an", "and", "as", "at", "by", "for", "from", "in", "of", "on", "or", "the", "to", "with",
    "per",
];

/// Abbreviations that stay large.
const ABBREVIATIONS: [&str; 20] = [
    "CD", "DIY", "DVD", "EU", "HD", "HDMI", "II", "III", "LED", "PC", "TV", "UK", "USA", "USB",
    "UV", "XL", "XS", "XXL", "4K", "3D",
];

/// Puts the first letter of the text in upper case.
pub(super) fn capitalize(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first
            .to_uppercase()
            .chain(chars.flat_map(char::to_lowercase))
            .collect()
    })
}

/// Turns `WHITE HANGING HEART T-LIGHT HOLDER` into `White Hanging Heart T-Light Holder`. Words in mixed case, such
/// as `iPhone`, and words with digits, such as `60CM`, stay as they are, and so does a text that a shop has written in
/// mixed case: in `Rose Bath Soak, 500 g` every letter is meant.
pub fn title_case(text: &str) -> String {
    let count = |is: fn(char) -> bool| text.chars().filter(|c| is(*c)).count();
    let (upper, lower) = (count(char::is_uppercase), count(char::is_lowercase));
    if upper > 0 && lower > upper {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let is_word = |c: char| c.is_alphanumeric() || c == '\'' || c == '’';
    let mut rest = text;
    while !rest.is_empty() {
        let split = |accept: bool| rest.find(|c| is_word(c) == accept).unwrap_or(rest.len());
        let (separator, after) = rest.split_at(split(true));
        let end = after.find(|c| !is_word(c)).unwrap_or(after.len());
        let (word, after) = after.split_at(end);
        out.push_str(separator);
        push_word(&mut out, word, separator);
        rest = after;
    }
    out
}

fn push_word(out: &mut String, word: &str, separator: &str) {
    let has_lower = word.chars().any(char::is_lowercase);
    let has_upper = word.chars().any(char::is_uppercase);
    let keep = word.chars().any(char::is_numeric)
        || has_lower && has_upper
        || ABBREVIATIONS.contains(&word);
    if keep {
        // `50'S` is a decade, shouted.
        match word.strip_suffix("'S") {
            Some(stem) => out.extend([stem, "'s"]),
            None => out.push_str(word),
        }
        return;
    }
    let lower = word.to_lowercase();
    let follows_word = separator.trim_matches(' ').is_empty() && !separator.is_empty();
    if follows_word && !out.trim_end().is_empty() && SMALL.contains(&lower.as_str()) {
        out.push_str(&lower);
    } else {
        out.push_str(&capitalize(&lower));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shouting_titles_are_calmed() {
        for (shout, calm) in [
            (
                "WHITE HANGING HEART T-LIGHT HOLDER",
                "White Hanging Heart T-Light Holder",
            ),
            (
                "SET OF 3 CAKE TINS PANTRY DESIGN",
                "Set of 3 Cake Tins Pantry Design",
            ),
            ("CHILDREN'S CUTLERY/SPOON", "Children's Cutlery/Spoon"),
            ("THE USB LAMP 60CM", "The USB Lamp 60CM"),
            ("iPHONE CASE", "iPHONE Case"),
            (
                "PAPER CHAIN KIT 50'S CHRISTMAS",
                "Paper Chain Kit 50's Christmas",
            ),
            ("red mug", "Red Mug"),
            // Mixed case is the shop's own.
            ("iPhone case", "iPhone case"),
            ("Rose Bath Soak, 500 g", "Rose Bath Soak, 500 g"),
            ("ÉTOILE 茶杯", "Étoile 茶杯"),
            (" ", " "),
            ("", ""),
        ] {
            assert_eq!(title_case(shout), calm);
        }
        assert_eq!(capitalize("hELLO wORLD"), "Hello world");
    }
}
