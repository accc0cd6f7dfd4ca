//! `hawker copy check --mail`: one mail as it is handed to the sending server.

use std::borrow::Cow;
use std::io::Read;

use engine::CopyCheck;
use guard::{Finding, Mail};
use mail_parser::MessageParser;

use super::{grade, open, sentences};
use crate::cli::CopyCheckArgs;
use crate::terminal::Terminal;
use crate::{Outcome, Told};

pub(super) fn check(checks: &CopyCheck, args: &CopyCheckArgs, terminal: Terminal) -> Outcome<()> {
    let path = args.file.display();
    let mut bytes = Vec::new();
    open(&args.file)?
        .read_to_end(&mut bytes)
        .map_err(|error| format!("cannot read {path}: {error}"))?;
    let mail = read(&bytes).ok_or_else(|| {
        format!(
            "{path} is no mail: it begins with no header, such as `From: Shop <shop@example.com>`"
        )
    })?;
    let checked = checks.check_mail(&mail);
    for finding in &checked.form {
        terminal.say(lacking(finding));
    }
    let subject = mail.header("Subject").unwrap_or_default();
    for finding in sentences(&checked.subject, "subject", subject)
        .into_iter()
        .chain(sentences(&checked.body, "text", &mail.body))
    {
        terminal.say(finding);
    }
    terminal.say(if checked.ok {
        "the mail may be sent"
    } else {
        "the mail must not be sent"
    });
    terminal.result(&checked)?;
    if args.strict && !checked.ok {
        return Err(Told.into());
    }
    Ok(())
}

/// Reads headers and text, decoded; of several alternatives of the text the plain one, or what the HTML shows.
fn read(bytes: &[u8]) -> Option<Mail> {
    let message = MessageParser::default().parse(bytes)?;
    let mut headers: Vec<(String, String)> = message
        .headers_raw()
        .filter(|(name, _)| !name.eq_ignore_ascii_case("Subject"))
        .map(|(name, value)| (name.to_owned(), unfolded(value)))
        .collect();
    if headers.is_empty() && message.subject().is_none() {
        return None;
    }
    if let Some(subject) = message.subject() {
        headers.push(("Subject".to_owned(), subject.to_owned()));
    }
    let texts = (0..message.text_body_count()).filter_map(|part| message.body_text(part));
    let body: Vec<String> = texts.map(Cow::into_owned).collect();
    Some(Mail {
        headers,
        body: body.join("\n"),
    })
}

/// The value of a header that goes on over several lines.
fn unfolded(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What the mail lacks, as a person reads it.
fn lacking(finding: &Finding) -> String {
    let fix = finding.fix.as_ref();
    let fix = fix.map_or(String::new(), |fix| format!("; add `{fix}`"));
    format!(
        "mail: {} {}: {}{fix}",
        grade(finding),
        finding.rule,
        finding.reason
    )
}
