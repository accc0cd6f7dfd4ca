//! No identifier of a person is shown: mail addresses, telephone numbers, pseudonyms.

use super::{Fault, Field, Message};
use crate::{Bound, Value};

/// Hexadecimal digits from this length on are an identifier: a pseudonym has 32.
const HEX_DIGITS: usize = 24;

pub(super) fn check(message: &Message, field: &Field, findings: &mut Vec<Fault>) {
    let mut leak = |subject: &str, words: &str| {
        findings.push(Fault::new(
            "profile",
            subject,
            format!(
                "the {} shows what looks like {words}; remove it",
                field.name
            ),
        ));
    };
    if has_mail_address(field.plain()) {
        leak("email", "a mail address");
    }
    for (_, part, origin) in field.shown.parts() {
        let bound = message.bound(origin);
        let is_safe =
            |bound: &Bound| bound.is_link() || !matches!(bound.value, Some(Value::Text(_)));
        if bound.is_some_and(is_safe) {
            continue;
        }
        if has_telephone(part) {
            leak("telephone", "a telephone number");
        }
        if part
            .split(|c: char| !c.is_ascii_hexdigit() && c != '-')
            .any(is_identifier)
        {
            leak("identifier", "an identifier");
        }
    }
}

fn has_mail_address(text: &str) -> bool {
    text.match_indices(['@', '＠']).any(|(at, sign)| {
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '+');
        let host = &text[at + sign.len()..];
        let host = &host[..host.find(|c| !is_part(c)).unwrap_or(host.len())];
        text[..at].ends_with(is_part) && host.trim_end_matches('.').contains('.')
    })
}

/// Whether a run of digits and their separators could be dialled: 9 to 15 digits, begun as telephone numbers are or
/// grouped as they are.
fn has_telephone(text: &str) -> bool {
    if text.bytes().filter(u8::is_ascii_digit).count() < 9 && text.is_ascii() {
        return false;
    }
    let is_part = |c: char| c.is_numeric() || matches!(c, ' ' | '-' | '(' | ')' | '.' | '+' | '/');
    text.split(|c| !is_part(c)).any(|run| {
        let run = run.trim();
        let digits: String = run.chars().filter(|c| c.is_numeric()).collect();
        let mobile = digits.starts_with('1') && digits.chars().count() == 11;
        let dialled = run.starts_with(['+', '(', '0']) || mobile;
        let grouped = run
            .split([' ', '-', '.'])
            .filter(|group| group.len() >= 3)
            .count()
            >= 3;
        (9..=15).contains(&digits.chars().count()) && (dialled || grouped)
    })
}

fn is_identifier(token: &str) -> bool {
    let digits = token.bytes().filter(u8::is_ascii_hexdigit).count();
    digits >= HEX_DIGITS && token.bytes().any(|byte| byte.is_ascii_digit())
}
