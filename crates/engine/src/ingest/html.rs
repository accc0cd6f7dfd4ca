//! The text of a product description that is written as HTML.

/// Removes tags, resolves the common entities and collapses white space; a block's end separates words.
pub(crate) fn plain_text(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some((before, behind)) = rest.split_once('<') {
        text.push_str(before);
        let Some((_, after)) = behind.split_once('>') else {
            text.push('<');
            rest = behind;
            break;
        };
        text.push(' ');
        rest = after;
    }
    text.push_str(rest);
    for (entity, character) in [
        ("&nbsp;", " "),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&rsquo;", "’"),
        ("&pound;", "£"),
        ("&euro;", "€"),
        // Last, so that `&amp;lt;` stays the text `&lt;`.
        ("&amp;", "&"),
    ] {
        if text.contains(entity) {
            text = text.replace(entity, character);
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_becomes_text() {
        for (html, text) in [
            ("", ""),
            ("plain", "plain"),
            (
                "<p>Holds&nbsp;300 ml</p><ul><li>blue</li></ul>",
                "Holds 300 ml blue",
            ),
            ("salt &amp; pepper, &amp;lt; 3", "salt & pepper, &lt; 3"),
            ("5 < 6", "5 < 6"),
        ] {
            assert_eq!(plain_text(html), text, "{html}");
        }
    }
}
