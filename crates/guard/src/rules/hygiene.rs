//! Nothing of the machinery is seen: no leftover syntax, no characters that steer the display, and the way out of a
//! text message's list.

use super::{Fault, Field};
use crate::escape::is_invisible_control;
use crate::normal::{Normal, is_han};

/// Marks of template languages, ours and those of the programs that messages pass on their way.
const SYNTAX: [&str; 7] = ["{{", "}}", "{%", "%}", "${", "<%", "[["];

pub(super) fn check(field: &Field, findings: &mut Vec<Fault>) {
    let text = field.plain();
    let suspicious = |byte| matches!(byte, b'{' | b'}' | b'<' | b'[');
    if text.bytes().any(suspicious)
        && let Some((at, mark)) = SYNTAX
            .iter()
            .find_map(|mark| Some((text.find(mark)?, mark)))
    {
        let fault = Fault::new(
            "syntax",
            field.name,
            format!(
                "the {} shows the template mark `{mark}`; correct the template or the value",
                field.name
            ),
        );
        findings.push(fault.over(at..at + mark.len()));
    }
    let allowed = |c| c == '\n' && field.name == "body";
    if let Some((at, c)) = text
        .char_indices()
        .find(|&(_, c)| is_invisible_control(c) && !allowed(c))
    {
        let fault = Fault::new(
            "control",
            field.name,
            format!(
                "the {} holds the control character U+{:04X}; remove it",
                field.name,
                u32::from(c)
            ),
        );
        findings.push(fault.over(at..at + c.len_utf8()));
    }
}

/// The hint that a text message should end with, in its language, with what separates it from the text.
pub(super) fn advised_opt_out(hints: &[String], text: &str) -> Option<String> {
    let chinese = |text: &str| text.chars().any(is_han);
    let hint = hints.iter().find(|hint| chinese(hint) == chinese(text))?;
    let space = if chinese(text) { "，" } else { " " };
    Some(format!("{space}{hint}"))
}

/// A marketing text message says how to leave.
pub(super) fn check_opt_out(hints: &[String], fields: &[Field], findings: &mut Vec<Fault>) {
    for field in fields
        .iter()
        .filter(|field| matches!(field.name, "body" | "text"))
    {
        let text = Normal::of(field.plain()).text;
        let holds = |hint: &String| {
            let hint = Normal::of(hint).text;
            !hint.is_empty() && text.contains(&hint)
        };
        if !hints.iter().any(holds) {
            let advised = hints.first().map_or("", String::as_str);
            let end = field.plain().len();
            let fault = Fault::new(
                "opt_out",
                "missing",
                format!("the message does not say how to leave; end it with `{advised}`"),
            );
            findings.push(fault.over(end..end));
        }
    }
}
