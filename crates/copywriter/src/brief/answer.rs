//! What a model's answer holds.

use serde_json::Value;

/// The beginning of a text from outside, for a message: characters that a terminal would act on become spaces.
pub(crate) fn beginning(text: &str, characters: usize) -> String {
    let shown = text.trim().chars().take(characters);
    shown
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// Takes the first JSON object out of an answer; models like to put words or a code fence around it.
pub(super) fn first_object(text: &str) -> Option<Value> {
    // An answer has few braces that begin an object and are none: those of slots. A cap keeps a hostile one from costing the
    // square of its length.
    const MOST_BRACES: usize = 200;
    let mut braces = text.match_indices('{').take(MOST_BRACES);
    braces.find_map(|(at, _)| {
        let rest = serde_json::Deserializer::from_str(&text[at..]);
        rest.into_iter::<Value>().next()?.ok()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_object_is_found() {
        let object = json!({"a": "}{ {{ title }}"});
        for text in [
            r#"{"a": "}{ {{ title }}"}"#,
            "Sure! Here it is:\n```json\n{\"a\": \"}{ {{ title }}\"}\n```\nEnjoy.",
            r#"<think>I use {{ title }} {now}</think>{"a": "}{ {{ title }}"} {"b": 1}"#,
        ] {
            assert_eq!(first_object(text), Some(object.clone()), "{text}");
        }
        for text in ["", "{", "no object", r#"{"a": "cut off"#, "[1, 2]"] {
            assert_eq!(first_object(text), None, "{text}");
        }
    }
}
