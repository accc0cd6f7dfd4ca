/// Splits an English text as the script mteval-v13a does, which sacrebleu calls `13a`.
///
/// Symbols stand alone; full stops and commas do where no digit stands on that side; a hyphen does after a
/// digit. The case is kept.
///
/// ```
/// use copywriter::metrics::tokenise_13a;
/// assert_eq!(tokenise_13a("A low-priced pub (3.50).").join(" "), "A low-priced pub ( 3.50 ) .");
/// ```
pub fn tokenise_13a(text: &str) -> Vec<String> {
    let text = text
        .replace("<skipped>", "")
        .replace("-\n", "")
        .replace('\n', " ")
        .replace("&quot;", "\"")
        .replace("&amp;", "&")
        .replace("&lt;", "<")
        .replace("&gt;", ">");
    let spaced: String = format!(" {text} ")
        .chars()
        .flat_map(|letter| {
            [
                is_symbol(letter).then_some(' '),
                Some(letter),
                is_symbol(letter).then_some(' '),
            ]
        })
        .flatten()
        .collect();
    let is_stop = |letter: char| matches!(letter, '.' | ',');
    let is_digit = |letter: char| letter.is_ascii_digit();
    let spaced = split_pairs(
        &spaced,
        |a, b| !is_digit(a) && is_stop(b),
        [false, true, true],
    );
    let spaced = split_pairs(
        &spaced,
        |a, b| is_stop(a) && !is_digit(b),
        [true, true, false],
    );
    let spaced = split_pairs(&spaced, |a, b| is_digit(a) && b == '-', [false, true, true]);
    spaced.split_whitespace().map(String::from).collect()
}

/// The ASCII symbols but apostrophe, comma, hyphen and full stop.
fn is_symbol(letter: char) -> bool {
    matches!(letter, '{'..='~' | '['..='`' | ' '..='&' | '('..='+' | ':'..='@' | '/')
}

/// Puts spaces before, between and behind each pair of characters that matches; a character belongs to one pair
/// at most, from left to right, as with a regular expression that replaces.
fn split_pairs(text: &str, matches: impl Fn(char, char) -> bool, spaces: [bool; 3]) -> String {
    let letters: Vec<char> = text.chars().collect();
    let mut split = String::with_capacity(text.len() + 16);
    let space = |at: usize, split: &mut String| {
        if spaces[at] {
            split.push(' ');
        }
    };
    let mut at = 0;
    while at < letters.len() {
        match letters.get(at + 1) {
            Some(&next) if matches(letters[at], next) => {
                space(0, &mut split);
                split.push(letters[at]);
                space(1, &mut split);
                split.push(next);
                space(2, &mut split);
                at += 2;
            }
            _ => {
                split.push(letters[at]);
                at += 1;
            }
        }
    }
    split
}
