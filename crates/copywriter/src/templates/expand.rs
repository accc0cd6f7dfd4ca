use std::collections::BTreeMap;

use super::file::Name;
use crate::CopyError;

/// Writes out the filters that a name is shown with, and records the bindings that the text uses.
///
/// `{{ price }}` becomes `{{ price | money }}` where the file says that prices are shown with `money`; an output
/// that names its own filters stays as it is.
pub(super) fn expand(
    id: &str,
    text: &str,
    names: &BTreeMap<String, Name>,
    bindings: &mut BTreeMap<String, String>,
) -> Result<String, CopyError> {
    let mut expanded = String::with_capacity(text.len() * 2);
    let mut rest = text;
    while let Some(start) = next_tag(rest) {
        let (before, tag) = rest.split_at(start);
        let close = if tag.starts_with("{{") { "}}" } else { "%}" };
        let (inside, after) = tag[2..]
            .split_once(close)
            .ok_or_else(|| CopyError::OpenTag {
                id: id.to_owned(),
                tag: tag.chars().take(40).collect(),
            })?;
        let whole = &tag[..tag.len() - after.len()];
        let inside = inside.trim();
        expanded.push_str(before);
        if let Some(name) = name_in(inside) {
            let known = names.get(name).ok_or_else(|| CopyError::UnknownName {
                id: id.to_owned(),
                name: name.to_owned(),
            })?;
            bindings.insert(name.to_owned(), known.path.clone());
            if inside == name && !known.show.is_empty() {
                expanded.extend(["{{ ", name, " | ", &known.show, " }}"]);
                rest = after;
                continue;
            }
        }
        expanded.push_str(whole);
        rest = after;
    }
    expanded.push_str(rest);
    Ok(expanded)
}

/// Where the next `{{` or `{%` stands.
fn next_tag(text: &str) -> Option<usize> {
    match (text.find("{{"), text.find("{%")) {
        (Some(output), Some(tag)) => Some(output.min(tag)),
        (output, tag) => output.or(tag),
    }
}

/// The name that a tag reads: none for `else` and `endif`.
fn name_in(inside: &str) -> Option<&str> {
    let expression = match inside.split_once(char::is_whitespace) {
        Some(("if" | "elsif" | "unless", condition)) => condition.trim_start(),
        _ if matches!(inside, "else" | "endif" | "endunless") => return None,
        _ => inside,
    };
    let end = expression
        .find(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .unwrap_or(expression.len());
    Some(&expression[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(text: &str) -> Result<(String, Vec<String>), CopyError> {
        let name = |path: &str, show: &str| Name {
            path: path.to_owned(),
            show: show.to_owned(),
        };
        let names = BTreeMap::from([
            ("price".to_owned(), name("product.current_price", "money")),
            ("orders".to_owned(), name("stat.orders_30d", "")),
        ]);
        let mut bindings = BTreeMap::new();
        let text = expand("t/1", text, &names, &mut bindings)?;
        Ok((text, bindings.into_values().collect()))
    }

    #[test]
    fn a_bare_name_gets_its_filters() {
        let (text, paths) = run("now {{ price }} or {{price | number}}").expect("valid");
        assert_eq!(text, "now {{ price | money }} or {{price | number}}");
        assert_eq!(paths, ["product.current_price"]);
    }

    #[test]
    fn a_condition_binds_what_it_reads() {
        let text = "{% if orders > 3 %}{{ orders }}{% else %}none{% endif %}";
        let (expanded, paths) = run(text).expect("valid");
        assert_eq!(expanded, text);
        assert_eq!(paths, ["stat.orders_30d"]);
    }

    #[test]
    fn faults_name_the_variant() {
        for (text, message) in [
            (
                "{{ colour }}",
                "the variant `t/1` uses `colour`, which `[names]` does not define; add it there",
            ),
            (
                "for {{ price",
                "the variant `t/1` opens a tag and does not close it: `{{ price`; add `}}` or `%}`",
            ),
        ] {
            assert_eq!(run(text).expect_err("invalid").to_string(), message);
        }
    }
}
