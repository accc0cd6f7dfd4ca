/// Writes the paragraphs of a mail, which the library separates by empty lines, in HTML.
///
/// A line break within a paragraph becomes `<br>`. Nothing is escaped here: the guard escapes what stands between the tags.
pub(super) fn paragraphs(text: &str) -> String {
    text.split("\n\n")
        .map(|paragraph| format!("<p>{}</p>", paragraph.trim().replace('\n', "<br>")))
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_lines_separate_paragraphs() {
        assert_eq!(
            paragraphs("Hello,\n\nName: x\nPrice: y"),
            "<p>Hello,</p>\n<p>Name: x<br>Price: y</p>"
        );
    }
}
