//! `hawker copy`.

mod drafts;
mod mail;
mod variants;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::time::Instant;

use engine::{CheckedLine, CopyCheck, CopyCheckRequest, Store, VariantChange};
use events::Timestamp;
use guard::Finding;

use super::{config, grouped};
use crate::cli::{CopyAction, CopyArgs, CopyCheckArgs, Shared};
use crate::terminal::Terminal;
use crate::{Outcome, Told};

pub(crate) fn run(shared: &Shared, args: &CopyArgs, terminal: Terminal) -> Outcome<()> {
    match &args.action {
        CopyAction::Check(args) => check(shared, args, terminal),
        CopyAction::Draft(args) => drafts::draft(shared, args, terminal),
        CopyAction::List(args) => variants::list(shared, args, terminal),
        CopyAction::Approve(args) => {
            let change = VariantChange::Approve(&args.by);
            variants::change(shared, &args.texts.ids, change, args.at, terminal)
        }
        CopyAction::Pause(args) => {
            variants::change(shared, &args.ids, VariantChange::Pause, None, terminal)
        }
        CopyAction::Retire(args) => {
            variants::change(shared, &args.ids, VariantChange::Retire, None, terminal)
        }
    }
}

/// How often a rule found something.
#[derive(Default)]
struct Tally {
    texts: u64,
    refused: u64,
    bytes: u64,
    /// For each rule, the texts in which it found something.
    rules: BTreeMap<String, u64>,
}

fn check(shared: &Shared, args: &CopyCheckArgs, terminal: Terminal) -> Outcome<()> {
    // The names of a catalogue may hold any word. Without a shop there are none, and only a product needs one.
    let store = match Store::open_existing(&shared.data_dir) {
        Ok(store) => Some(store),
        Err(error) if args.product.is_some() => return Err(error.into()),
        Err(error) if shared.data_dir.exists() => {
            eprintln!("hawker: {error}; the names of its catalogue are checked like other words");
            None
        }
        Err(_) => None,
    };
    let request = CopyCheckRequest {
        product: args.product.clone(),
        channel: args.channel,
        coverage: args.told.coverage,
        now: args.at.unwrap_or_else(Timestamp::now),
    };
    let checks = CopyCheck::new(&config(shared)?, store.as_ref(), &request)?;
    if args.mail {
        return mail::check(&checks, args, terminal);
    }
    let started = Instant::now();
    let mut tally = Tally::default();
    each_line(&args.file, |line, text| {
        let checked = checks.check(line, text);
        tally.count(&checked, text.len());
        if !args.told.summary {
            let place = format!("line {line}");
            for finding in sentences(&checked.findings, &place, &String::from_utf8_lossy(text)) {
                terminal.say(finding);
            }
            if let Some(coverage) = &checked.coverage {
                terminal.say(format!(
                    "{place}: tells {}; leaves out {}",
                    listed(&coverage.told),
                    listed(&coverage.left_out)
                ));
            }
            terminal.result(&checked)?;
        }
        Ok(())
    })?;
    if args.told.summary {
        for line in tally.table() {
            terminal.say(line);
        }
    }
    terminal.say(format!(
        "{} of {} texts must not be sent ({} KB in {:.2} s)",
        grouped(tally.refused),
        grouped(tally.texts),
        grouped(tally.bytes / 1000),
        started.elapsed().as_secs_f64()
    ));
    if args.strict && tally.refused > 0 {
        return Err(Told.into());
    }
    Ok(())
}

/// A file, or the standard input for `-`.
fn open(path: &Path) -> Outcome<Box<dyn Read>> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin()));
    }
    let file = File::open(path);
    Ok(Box::new(file.map_err(|error| {
        format!("cannot read {}: {error}", path.display())
    })?))
}

/// Hands over each line of a file without its end, counted from 1. A mark of the byte order at the beginning is no text.
fn each_line(path: &Path, mut take: impl FnMut(usize, &[u8]) -> Outcome<()>) -> Outcome<()> {
    let mut reader = BufReader::new(open(path)?);
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let read = reader.read_until(b'\n', &mut line);
        if read.map_err(|error| format!("cannot read {}: {error}", path.display()))? == 0 {
            break;
        }
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let text = match number {
            1 => text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text),
            _ => text,
        };
        take(number, text)?;
    }
    Ok(())
}

/// The findings of a text as a person reads them, `place` saying which text it is.
fn sentences(findings: &[Finding], place: &str, text: &str) -> Vec<String> {
    let said =
        |(from, to): (usize, usize)| text.chars().skip(from).take(to - from).collect::<String>();
    let sentence = |finding: &Finding| {
        let fix = match finding.fix.as_deref() {
            Some("") => "; leave it out".to_owned(),
            Some(fix) => format!("; say `{fix}`"),
            None => String::new(),
        };
        format!(
            "{place}, {}–{}: {} {}: `{}`: {}{fix}",
            finding.span.0,
            finding.span.1,
            grade(finding),
            finding.rule,
            said(finding.span),
            finding.reason
        )
    };
    findings.iter().map(sentence).collect()
}

fn listed(names: &[String]) -> String {
    if names.is_empty() {
        "nothing".to_owned()
    } else {
        names.join(", ")
    }
}

fn grade(finding: &Finding) -> &'static str {
    if finding.severity.is_error() {
        "error"
    } else {
        "warning"
    }
}

impl Tally {
    fn count(&mut self, checked: &CheckedLine, bytes: usize) {
        self.texts += 1;
        self.refused += u64::from(!checked.ok);
        self.bytes += bytes as u64;
        let mut rules: Vec<&str> = checked
            .findings
            .iter()
            .map(|finding| finding.rule.as_str())
            .collect();
        rules.sort_unstable();
        rules.dedup();
        for rule in rules {
            *self.rules.entry(rule.to_owned()).or_default() += 1;
        }
    }

    /// Each rule with the texts of a thousand in which it found something, most first.
    fn table(&self) -> Vec<String> {
        let mut rules: Vec<_> = self.rules.iter().collect();
        rules.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
        rules
            .into_iter()
            .map(|(rule, texts)| {
                let share = *texts as f64 * 1000.0 / self.texts.max(1) as f64;
                format!("{share:>8.2} per 1,000  {rule} ({})", grouped(*texts))
            })
            .collect()
    }
}
