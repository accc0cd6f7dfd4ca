//! Nothing of the machinery is seen: no leftover syntax, no characters that steer the display, and the way out of a
//! text message's list.

use super::{Field, Finding};
use crate::escape::is_invisible_control;
use crate::normal::Normal;

/// Marks of template languages, ours and those of the programs that messages pass on their way.
const SYNTAX: [&str; 7] = ["{{", "}}", "{%", "%}", "${", "<%", "[["];

/// Beginnings of the subjects of replies and forwarded mails.
const REPLIES: [&str; 7] = ["re:", "fw:", "fwd:", "aw:", "回复:", "答复:", "转发:"];

pub(super) fn check(field: &Field, findings: &mut Vec<Finding>) {
    let text = field.plain();
    let suspicious = |byte| matches!(byte, b'{' | b'}' | b'<' | b'[');
    if text.bytes().any(suspicious)
        && let Some(mark) = SYNTAX.iter().find(|mark| text.contains(**mark))
    {
        findings.push(Finding::fault(
            "syntax",
            field.name,
            format!(
                "the {} shows the template mark `{mark}`; correct the template or the value",
                field.name
            ),
        ));
    }
    let allowed = |c| c == '\n' && field.name == "body";
    if let Some(c) = text
        .chars()
        .find(|&c| is_invisible_control(c) && !allowed(c))
    {
        findings.push(Finding::fault(
            "control",
            field.name,
            format!(
                "the {} holds the control character U+{:04X}; remove it",
                field.name,
                u32::from(c)
            ),
        ));
    }
}

/// A subject does not pretend to continue a correspondence (CAN-SPAM Act, section 5 (a) (2)).
pub(super) fn check_subject(field: &Field, findings: &mut Vec<Finding>) {
    let text = Normal::of(field.plain()).chars;
    let poses = |mark: &&&str| {
        let mut text = text.iter().filter(|c| **c != ' ');
        mark.chars().all(|c| text.next() == Some(&c))
    };
    if let Some(mark) = REPLIES.iter().find(poses) {
        findings.push(Finding::fault(
            "forbidden",
            "reply",
            format!("the subject begins with `{mark}`, as if it were a reply; say what the mail is about"),
        ));
    }
}

/// A marketing text message says how to leave.
pub(super) fn check_opt_out(hints: &[String], fields: &[Field], findings: &mut Vec<Finding>) {
    for field in fields.iter().filter(|field| field.name == "body") {
        let text = Normal::of(field.plain()).chars;
        let holds = |hint: &String| {
            let hint = Normal::of(hint).chars;
            !hint.is_empty() && text.windows(hint.len()).any(|window| window == hint)
        };
        if !hints.iter().any(holds) {
            let advised = hints.first().map_or("", String::as_str);
            findings.push(Finding::fault(
                "opt_out",
                "missing",
                format!("the message does not say how to leave; end it with `{advised}`"),
            ));
        }
    }
}
