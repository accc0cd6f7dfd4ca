//! `hawker copy check --mail`: one mail as it is handed to the sending server.

use std::io::Read;

use engine::CopyCheck;
use guard::{Finding, Mail};
use mail_parser::{Message, MessageParser, PartType};

use super::{grade, open, sentences};
use crate::cli::CopyCheckArgs;
use crate::terminal::Terminal;
use crate::{Outcome, Told};

/// Elements after which a line begins: words of two of them are not one.
const BLOCKS: [&str; 20] = [
    "address", "article", "br", "div", "dt", "dd", "footer", "h1", "h2", "h3", "h4", "header",
    "hr", "li", "p", "section", "table", "td", "th", "tr",
];

pub(super) fn check(checks: &CopyCheck, args: &CopyCheckArgs, terminal: Terminal) -> Outcome<()> {
    let path = args.file.display();
    let mut bytes = Vec::new();
    open(&args.file)?
        .read_to_end(&mut bytes)
        .map_err(|error| format!("cannot read {path}: {error}"))?;
    let mail = read(&bytes).ok_or_else(|| {
        format!(
            "{path} is no mail: it has neither a `From` nor a `Subject` before its first empty line"
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

/// Reads headers and text, decoded: every part that is text, the plain one and what the HTML shows, since nobody knows which
/// of them a reader will see.
fn read(bytes: &[u8]) -> Option<Mail> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let message = MessageParser::default().parse(bytes)?;
    let headers = headers(&message);
    let is_known = |(name, _): &(String, String)| {
        ["From", "Subject"]
            .iter()
            .any(|known| name.eq_ignore_ascii_case(known))
    };
    headers.iter().any(is_known).then(|| {
        let texts = message.parts.iter().filter_map(|part| match &part.body {
            PartType::Text(text) => Some(lines(text)),
            PartType::Html(html) => Some(lines(&shown(html))),
            _ => None,
        });
        Mail {
            headers,
            body: texts.collect::<Vec<_>>().join("\n"),
        }
    })
}

/// The headers in their order: subjects decoded, the others as they are written, unfolded.
fn headers(message: &Message) -> Vec<(String, String)> {
    let raw = |from: u32, to: u32| {
        let bytes = message.raw_message.get(from as usize..to as usize);
        let text = String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let all = message.headers().iter();
    all.map(|header| {
        let name = header.name().to_owned();
        let decoded = header
            .value
            .as_text()
            .filter(|_| name.eq_ignore_ascii_case("Subject"));
        let value = decoded.map_or_else(
            || raw(header.offset_start, header.offset_end),
            str::to_owned,
        );
        (name, value)
    })
    .collect()
}

/// What a mail program shows of HTML: the text of its body, a line for each block.
fn shown(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    // Once no `>` is left, none is looked for.
    let mut is_closed = true;
    while let Some((before, behind)) = rest.split_once('<') {
        text.push_str(before);
        // `5 < 6` is no tag.
        let begins_tag = behind.starts_with(|c: char| c.is_ascii_alphabetic() || "/!?".contains(c));
        is_closed = is_closed && (!begins_tag || behind.contains('>'));
        let tag = (begins_tag && is_closed).then(|| behind.split_once('>'));
        let Some((tag, after)) = tag.flatten() else {
            text.push_str("&lt;");
            rest = behind;
            continue;
        };
        let name: String = tag
            .trim_start_matches('/')
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect();
        let name = name.to_ascii_lowercase();
        if BLOCKS.contains(&name.as_str()) {
            text.push('\n');
        }
        // What stands in these is not shown.
        let hidden = ["style", "script", "title"].contains(&name.as_str()) && !tag.starts_with('/');
        rest = match hidden
            .then(|| after.to_ascii_lowercase().find(&format!("</{name}")))
            .flatten()
        {
            Some(end) => &after[end..],
            None => after,
        };
    }
    text.push_str(rest);
    mail_parser::decoders::html::html_to_text(&text.replace('\n', "<br>"))
}

/// A text in lines as they are read: no carriage returns, tabs, empty lines, or the invisible characters that fill a
/// preheader.
fn lines(text: &str) -> String {
    let kept = |c: char| {
        !matches!(
            c,
            '\r' | '\u{ad}' | '\u{34f}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}'
        )
    };
    let chars = text.chars().filter(|c| kept(*c));
    let text: String = chars.map(|c| if c == '\t' { ' ' } else { c }).collect();
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("\n")
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
