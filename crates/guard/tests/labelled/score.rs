//! Tells how the guard's answers on labelled sentences agree with the labels.

use std::collections::BTreeMap;
use std::error::Error;

use events::{Availability, Fact, Money, Product, Timestamp};
use guard::{Guard, Severity, TextContext};
use serde::Deserialize;

#[derive(Deserialize)]
struct Row {
    text: String,
    lang: String,
    ok: bool,
    category: String,
    #[serde(default)]
    span: Option<String>,
    #[serde(default)]
    product: Option<Written>,
}

/// A product with its prices as feeds write them.
#[derive(Deserialize)]
struct Written {
    #[serde(default)]
    id: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    description: String,
    brand: Option<String>,
    google_product_category: Option<String>,
    price: Option<String>,
    sale_price: Option<String>,
    stock: Option<i64>,
    #[serde(default)]
    facts: Vec<WrittenFact>,
    #[serde(default)]
    allowed_claims: Vec<String>,
}

#[derive(Deserialize)]
struct WrittenFact {
    name: String,
    value: serde_json::Value,
    valid_until: Option<Timestamp>,
}

/// How often answer and label met.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) ok_passed: usize,
    pub(crate) ok_refused: usize,
    pub(crate) bad_passed: usize,
    pub(crate) bad_refused: usize,
    /// Refused for other words than the label's.
    pub(crate) elsewhere: usize,
    /// Still refused with every fix in its place.
    pub(crate) unmended: usize,
}

impl Tally {
    /// The share of the refused that the labels refuse as well.
    pub(crate) fn precision(&self) -> f64 {
        share(self.bad_refused, self.bad_refused + self.ok_refused)
    }

    /// The share of what the labels refuse that is refused.
    pub(crate) fn recall(&self) -> f64 {
        share(self.bad_refused, self.bad_refused + self.bad_passed)
    }
}

fn share(part: usize, of: usize) -> f64 {
    if of == 0 {
        1.0
    } else {
        part as f64 / of as f64
    }
}

/// Tallies by language and category, `all` among them.
pub(crate) type Tallies = BTreeMap<(String, String), Tally>;

/// Counts the sentences of a file, and hands over a line of words for each that comes out otherwise.
///
/// # Errors
/// Names the line that is no sentence.
pub(crate) fn count(
    guard: &Guard,
    text: &str,
    tallies: &mut Tallies,
    tell: &mut dyn FnMut(String),
) -> Result<(), Box<dyn Error>> {
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let row: Row =
            serde_json::from_str(line).map_err(|error| format!("line {}: {error}", index + 1))?;
        for category in [row.category.as_str(), "all"] {
            let tally = tallies
                .entry((row.lang.clone(), category.to_owned()))
                .or_default();
            let mut quiet = |_| {};
            let tell: &mut dyn FnMut(String) = if category == "all" {
                &mut quiet
            } else {
                &mut *tell
            };
            check(guard, &row, tally, tell);
        }
    }
    Ok(())
}

fn check(guard: &Guard, row: &Row, tally: &mut Tally, tell: &mut dyn FnMut(String)) {
    let now = "2026-11-26T12:00:00Z"
        .parse()
        .unwrap_or(Timestamp::UNIX_EPOCH);
    let grounds = row
        .product
        .as_ref()
        .map(|product| guard.ground(&of(product), now));
    let context = TextContext {
        product: grounds.as_ref(),
        ..TextContext::default()
    };
    let errors = |text: &str| {
        let mut findings = guard.check_text(text, &context);
        findings.retain(|finding| finding.severity == Severity::Error);
        findings
    };
    let findings = errors(&row.text);
    let said = |finding: &guard::Finding| {
        let (from, to) = finding.span;
        let said: String = row.text.chars().skip(from).take(to - from).collect();
        format!("{} `{said}`", finding.rule)
    };
    let all: Vec<String> = findings.iter().map(said).collect();
    let mut say = |what: &str, detail: &str| {
        tell(format!(
            "{what} [{} {}] {} {detail}",
            row.lang, row.category, row.text
        ));
    };
    match (row.ok, findings.is_empty()) {
        (true, true) => tally.ok_passed += 1,
        (true, false) => {
            tally.ok_refused += 1;
            say("WRONGLY REFUSED", &format!("← {}", all.join("; ")));
        }
        (false, true) => {
            tally.bad_passed += 1;
            say(
                "MISSED",
                &format!("← {}", row.span.as_deref().unwrap_or("")),
            );
        }
        (false, false) => {
            tally.bad_refused += 1;
            let span = row.span.as_deref().and_then(|span| {
                let at = row.text.find(span)?;
                let from = row.text[..at].chars().count();
                Some((from, from + span.chars().count()))
            });
            let overlaps = |finding: &guard::Finding| {
                span.is_none_or(|(from, to)| finding.span.0 < to && from < finding.span.1)
            };
            if !findings.iter().any(overlaps) {
                tally.elsewhere += 1;
                say(
                    "ELSEWHERE",
                    &format!(
                        "← {} instead of {}",
                        all.join("; "),
                        row.span.as_deref().unwrap_or("")
                    ),
                );
            }
            let mended = mend(&row.text, &findings);
            if !errors(&mended).is_empty() {
                tally.unmended += 1;
                let left: Vec<_> = errors(&mended)
                    .iter()
                    .map(|finding| finding.rule.clone())
                    .collect();
                say("NOT MENDED", &format!("→ {mended} ← {}", left.join("; ")));
            }
        }
    }
}

/// The text with every fix in the place of its words; of two that overlap, the longer.
fn mend(text: &str, findings: &[guard::Finding]) -> String {
    let mut longest: Vec<&guard::Finding> = findings.iter().collect();
    longest.sort_by_key(|finding| std::cmp::Reverse(finding.span.1 - finding.span.0));
    let mut kept: Vec<&guard::Finding> = Vec::new();
    for finding in longest {
        let apart = |other: &&guard::Finding| {
            other.span.1 <= finding.span.0 || finding.span.1 <= other.span.0
        };
        if kept.iter().all(apart) {
            kept.push(finding);
        }
    }
    kept.sort_by_key(|finding| std::cmp::Reverse(finding.span.0));
    let mut chars: Vec<char> = text.chars().collect();
    for finding in kept {
        if let Some(fix) = &finding.fix {
            chars.splice(finding.span.0..finding.span.1, fix.chars());
        }
    }
    chars.into_iter().collect()
}

fn of(written: &Written) -> Product {
    let money = |text: &Option<String>| text.as_deref().and_then(|text| Money::parse(text).ok());
    Product {
        id: written.id.clone(),
        title: written.title.clone(),
        description: written.description.clone(),
        brand: written.brand.clone(),
        google_product_category: written.google_product_category.clone(),
        price: money(&written.price),
        sale_price: money(&written.sale_price),
        availability: Availability::InStock,
        stock: written.stock,
        facts: written
            .facts
            .iter()
            .map(|fact| Fact {
                name: fact.name.clone(),
                value: match &fact.value {
                    serde_json::Value::String(text) => text.clone(),
                    other => other.to_string(),
                },
                source: "shop".to_owned(),
                valid_until: fact.valid_until,
            })
            .collect(),
        allowed_claims: written.allowed_claims.clone(),
        ..Product::default()
    }
}
