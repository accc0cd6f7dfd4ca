//! A message links to the product it is about, and nowhere else.

use super::{Fault, Field, Message};
use crate::{Bound, Value};

/// Endings by which a name without a scheme is taken for an address.
const DOMAINS: [&str; 16] = [
    "com", "cn", "net", "org", "co", "io", "shop", "store", "uk", "de", "fr", "eu", "us", "me",
    "ly", "top",
];

pub(super) fn check(message: &Message, field: &Field, findings: &mut Vec<Fault>) {
    let text = field.plain();
    if !text.contains('.') && !text.contains("://") {
        return;
    }
    let own = message.bindings.iter().find(|bound| bound.is_link());
    let own = match own.and_then(|bound| bound.value.as_ref()) {
        Some(Value::Text(link)) => crate::escape::clean(link),
        _ => String::new(),
    };
    for (start, token) in tokens(text) {
        let has_scheme = token.contains("://");
        if !has_scheme && !is_domain(token) {
            continue;
        }
        let is_web = token.starts_with("https://") || token.starts_with("http://");
        // A brand may be called after its site: that is a name and no link, as long as it has no scheme.
        let bytes = start..start + token.len();
        let is_name = !has_scheme
            && message
                .bound_over(field, &bytes)
                .is_some_and(Bound::is_name);
        if !(is_name || is_web && token == own || is_mail_host(text, start)) {
            findings.push(Fault::new(
                "links",
                "foreign",
                format!(
                    "`{token}` in the {} is not the product's link; bind `product.link`",
                    field.name
                ),
            ));
        }
    }
}

/// The runs of characters of which addresses consist, without the punctuation of the sentence around them.
fn tokens(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_part =
        |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\'' | '<' | '>' | '(' | ')' | '@');
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text[at..].find(is_part)?;
        let end = text[start..]
            .find(|c| !is_part(c))
            .map_or(text.len(), |len| start + len);
        at = end;
        Some((
            start,
            text[start..end].trim_end_matches(['.', ',', ';', ':', '!', '?']),
        ))
    })
}

/// Whether a token without a scheme reads as an address: `shop.example.com/x`, `www.x`.
fn is_domain(token: &str) -> bool {
    let host = token.split(['/', '?', '#', ':']).next().unwrap_or_default();
    if host
        .get(..4)
        .is_some_and(|head| head.eq_ignore_ascii_case("www."))
    {
        return true;
    }
    let Some((name, ending)) = host.rsplit_once('.') else {
        return false;
    };
    name.ends_with(|c: char| c.is_ascii_alphanumeric())
        && DOMAINS
            .iter()
            .any(|domain| ending.eq_ignore_ascii_case(domain))
}

/// A mail address is the profile rule's matter.
fn is_mail_host(text: &str, start: usize) -> bool {
    text[..start].ends_with('@')
}
