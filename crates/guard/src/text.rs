//! Checks finished texts, wherever they come from: an editor, a file, a language model.

mod mended;

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};
use events::Channel;
use serde::Serialize;

use crate::grounds::{Grounds, is_negated};
use crate::guard::Guard;
use crate::matcher::{Match, Scope};
use crate::normal::{Normal, is_han};
use crate::pack::{PhraseKind, PhraseRule, Severity, Support};
use crate::rules::{self, Field, Message};
use crate::wording::{self, Surroundings, WordingRule};
use crate::{Bindings, Shown, envelope};
use mended::Mended;

/// The most findings of each severity that are told: a text with so many errors is wrong whatever the rest of it says.
const MAX_FINDINGS: usize = 100;

/// Something that a reader of the text should know, or that forbids it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rule: its id in the pack, or the name of a built-in check such as `price_unbound`.
    pub rule: String,
    /// Whether the text may be sent with it.
    pub severity: Severity,
    /// The words that it is about, in Unicode scalars of the text: from, to, half-open.
    pub span: (usize, usize),
    /// Why, in words, with the law where there is one.
    pub reason: String,
    /// What may stand in the place of these words; the text passes the rule with it. Empty: leave them out.
    pub fix: Option<String>,
}

/// What a text is checked against besides the rules. By default nothing: no product, no names, no channel.
#[derive(Debug, Clone, Copy, Default)]
pub struct TextContext<'a> {
    /// The product that the text is about: its numbers, offers and attributes are then borne out by it, or refused.
    pub product: Option<&'a Grounds>,
    /// The names of the catalogue, which may hold any word.
    pub names: Option<&'a Names>,
    /// Where the text is sent: a text message must say how to leave its list.
    pub channel: Option<Channel>,
}

/// The names of a catalogue: titles and brands, found as they are written.
#[derive(Debug, Clone)]
pub struct Names {
    automaton: AhoCorasick,
}

impl Names {
    /// Collects names; those of a single character are left out. None where there are none, or where they do not fit
    /// into memory together.
    pub fn new<'n>(names: impl IntoIterator<Item = &'n str>) -> Option<Self> {
        let mut names: Vec<&str> = names.into_iter().map(str::trim).collect();
        names.retain(|name| name.chars().nth(1).is_some());
        names.sort_unstable();
        names.dedup();
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(&names)
            .ok()?;
        (!names.is_empty()).then_some(Self { automaton })
    }

    fn in_text(&self, text: &str) -> impl Iterator<Item = Range<usize>> {
        let in_word = |c: char| c.is_alphanumeric() && !is_han(c);
        self.automaton.find_iter(text).filter_map(move |hit| {
            let (from, to) = (hit.start(), hit.end());
            let runs_on =
                |a: Option<char>, b: Option<char>| a.is_some_and(in_word) && b.is_some_and(in_word);
            let whole = !runs_on(
                text[..from].chars().next_back(),
                text[from..].chars().next(),
            ) && !runs_on(text[..to].chars().next_back(), text[to..].chars().next());
            whole.then_some(from..to)
        })
    }
}

/// A finding before its span is counted in scalars.
struct Draft {
    /// It is an offer that a price beside it may belong to.
    is_offer: bool,
    rule: String,
    severity: Severity,
    bytes: Range<usize>,
    reason: String,
    fix: Option<String>,
}

/// A text under check.
struct Subject<'t> {
    guard: &'t Guard,
    text: &'t str,
    /// The text with its names blanked.
    read: Cow<'t, str>,
    /// The text as the rules read it: reduced, and names blanked.
    normal: Normal,
    context: &'t TextContext<'t>,
    /// Where it repeats an approved sentence.
    approved: Vec<Range<usize>>,
    /// Where it names a book or a film.
    titles: Vec<Range<usize>>,
    surroundings: OnceCell<Surroundings>,
}

impl Guard {
    /// Checks a finished text, and gives what was found in reading order; the text may be sent where no finding is an
    /// error.
    pub fn check_text(&self, text: &str, context: &TextContext) -> Vec<Finding> {
        let mut normal = Normal::of(text);
        let approved = match context.product {
            Some(product) => product.approved(text, &normal),
            None => Vec::new(),
        };
        // A name may hold any word, so it reads as commas to the rules: no phrase begins, ends or passes for one in it.
        let named = named(text, &normal, context);
        let mut read = Cow::Borrowed(text);
        if !named.is_empty() {
            read = Cow::Owned(blanked(text, &named));
            normal = Normal::of(&read);
        }
        let scope = match context.product {
            Some(_) => Scope::All,
            None => Scope::WithoutProduct,
        };
        let hits = self.matcher().find(text, &normal, scope);
        let subject = Subject {
            guard: self,
            text,
            read,
            normal,
            context,
            approved,
            titles: titles_of_works(text),
            surroundings: OnceCell::new(),
        };
        let mut drafts = Vec::new();
        let mut founded = subject.check_phrases(&hits, &mut drafts);
        founded.extend(named);
        subject.check_quantities(&mut drafts);
        subject.check_wordings(&founded, &mut drafts);
        subject.check_form(&mut drafts);
        finish(text, drafts)
    }
}

impl Subject<'_> {
    /// Gives the bytes of the phrases that are borne out.
    fn check_phrases(&self, hits: &[Match], drafts: &mut Vec<Draft>) -> Vec<Range<usize>> {
        let mut founded = [&self.approved[..], &self.titles].concat();
        for hit in hits {
            let rule = &self.guard.pack().rules[hit.rule];
            let is_claim = matches!(rule.kind, PhraseKind::Forbidden | PhraseKind::Urgency);
            if covers(&self.approved, &hit.bytes) || is_claim && covers(&self.titles, &hit.bytes) {
                continue;
            }
            let reason = match rule.kind {
                PhraseKind::Forbidden | PhraseKind::Urgency => {
                    (!self.is_supported(rule, hit)).then(|| rule.reason.clone())
                }
                PhraseKind::Offer | PhraseKind::Attribute => self.unfounded(rule, hit),
                // Numbers of a finished text are read by `check_quantities`.
                PhraseKind::Numbers => continue,
            };
            match reason {
                Some(reason) => drafts.push(self.by_context(rule, self.draft(rule, hit, reason))),
                None => founded.push(hit.bytes.clone()),
            }
        }
        founded
    }

    /// The draft as a warning where its words stand in innocent copy and the rule lets that pass.
    fn by_context(&self, rule: &PhraseRule, draft: Draft) -> Draft {
        let passes = rule.by_context
            && self.guard.pack().wordings.is_some()
            && self
                .surroundings
                .get_or_init(|| Surroundings::new(&self.normal))
                .is_innocent(&self.read, &self.normal, &draft.bytes);
        if !passes {
            return draft;
        }
        Draft {
            severity: Severity::Warning,
            reason: format!("reads like innocent copy, but look at it: {}", draft.reason),
            ..draft
        }
    }

    fn is_supported(&self, rule: &PhraseRule, hit: &Match) -> bool {
        let words = || Normal::of(&self.text[hit.bytes.clone()]).text;
        let product = self.context.product;
        product.is_some_and(|product| {
            let supports = |support: &Support| product.supports(*support, rule, &words());
            rule.unless.iter().any(supports)
        })
    }

    /// Why an offer or an attribute is not borne out by the product, where there is one.
    fn unfounded(&self, rule: &PhraseRule, hit: &Match) -> Option<String> {
        let product = self.context.product?;
        let at = self.normal.reduced(hit.bytes.start);
        let denied =
            rule.kind == PhraseKind::Attribute && is_negated(&self.text[..hit.bytes.start]);
        let founded = denied || product.bears_out(rule, hit, &self.normal, at);
        (!founded).then(|| rule.reason.clone())
    }

    fn draft(&self, rule: &PhraseRule, hit: &Match, reason: String) -> Draft {
        let said = &self.text[hit.bytes.clone()];
        let phrase = rule.phrases.get(hit.phrase);
        let own = phrase.and_then(|phrase| rule.fix.of.get(phrase));
        let fix = own.unwrap_or(if said.chars().any(is_han) {
            &rule.fix.zh
        } else {
            &rule.fix.en
        });
        Draft {
            is_offer: rule.kind == PhraseKind::Offer,
            rule: rule.id.clone(),
            severity: rule.severity,
            bytes: hit.bytes.clone(),
            reason,
            fix: Some(in_case_of(said, fix)),
        }
    }

    fn check_quantities(&self, drafts: &mut Vec<Draft>) {
        let Some(product) = self.context.product else {
            return;
        };
        for unfounded in product.unfounded(self.text, &self.normal, &self.approved) {
            // `20% off` is one offer: the number with the words around it.
            let mut bytes = unfounded.bytes;
            let touches = |draft: &Draft| {
                draft.is_offer && draft.bytes.start <= bytes.end && bytes.start <= draft.bytes.end
            };
            let touching: Vec<Range<usize>> = drafts
                .iter()
                .filter(|draft| touches(draft))
                .map(|draft| draft.bytes.clone())
                .collect();
            drafts.retain(|draft| !(draft.is_offer && touching.contains(&draft.bytes)));
            for offer in &touching {
                bytes = bytes.start.min(offer.start)..bytes.end.max(offer.end);
            }
            let fix = match (touching.is_empty(), unfounded.fix) {
                (false, Some(fix))
                    if !fix.is_empty() && self.text[bytes.clone()].ends_with("off") =>
                {
                    Some(format!("{fix} off"))
                }
                (false, _) => Some(String::new()),
                (true, fix) => fix,
            };
            drafts.push(Draft {
                is_offer: false,
                rule: unfounded.rule.to_owned(),
                severity: Severity::Error,
                bytes,
                reason: unfounded.reason,
                fix,
            });
        }
    }

    /// What would still read like a breach with the fixes of the errors so far in place.
    fn check_wordings(&self, founded: &[Range<usize>], drafts: &mut Vec<Draft>) {
        let Some(rule) = &self.guard.pack().wordings else {
            return;
        };
        let errors: Vec<&Draft> = drafts
            .iter()
            .filter(|draft| draft.severity.is_error())
            .collect();
        let breaches = if errors.is_empty() {
            wording::breaches(&self.read, &self.normal, founded)
        } else {
            let mended = Mended::new(&self.read, &errors);
            let founded: Vec<Range<usize>> =
                founded.iter().map(|bytes| mended.after(bytes)).collect();
            let mut breaches = wording::breaches(&mended.text, &Normal::of(&mended.text), &founded);
            for breach in &mut breaches {
                breach.bytes = mended.before(&breach.bytes);
            }
            breaches
        };
        for breach in breaches {
            // The comma that a blanked name ends with is shorter than its character.
            let mut bytes = breach.bytes;
            while !self.text.is_char_boundary(bytes.end) {
                bytes.end += 1;
            }
            drafts.push(Draft {
                is_offer: false,
                rule: WordingRule::id(breach.category),
                severity: rule.severity,
                bytes,
                reason: rule.reason(breach.category),
                fix: Some(String::new()),
            });
        }
    }

    /// Control characters, template marks, loudness, the way out of a list, the sender's signature and the brand's manner.
    fn check_form(&self, drafts: &mut Vec<Draft>) {
        // A mail has lines; elsewhere a line break is a control character like others.
        let name = if self.context.channel == Some(Channel::Email) {
            "body"
        } else {
            "text"
        };
        let field = Field::new(name, Shown::literal(self.text), &[]);
        let none = Bindings::default();
        let fields = [field];
        let message = Message {
            channel: self.context.channel.unwrap_or(Channel::Push),
            limits: &[],
            fields: &fields,
            bindings: &none,
            now: None,
        };
        let pack = self.guard.pack();
        let whole = 0..self.text.len();
        for (fault, fix) in rules::check_form(pack, &message, self.context.channel) {
            drafts.push(Draft {
                is_offer: false,
                rule: fault.check.to_owned(),
                severity: fault.severity,
                bytes: fault.bytes.unwrap_or_else(|| whole.clone()),
                reason: fault.detail,
                fix,
            });
        }
        if self.context.channel == Some(Channel::Sms) && envelope::lacks_signature(self.text) {
            drafts.push(Draft {
                is_offer: false,
                rule: "sms_signature".to_owned(),
                severity: Severity::Error,
                bytes: 0..0,
                reason:
                    "a text message in Chinese carries its sender's signature, such as 【山坡咖啡】"
                        .to_owned(),
                fix: None,
            });
        }
        if let Some(reason) = self
            .guard
            .manner()
            .and_then(|manner| manner.differs(self.text))
        {
            drafts.push(Draft {
                is_offer: false,
                rule: "voice_samples".to_owned(),
                severity: Severity::Warning,
                bytes: 0..self.text.len(),
                reason,
                fix: None,
            });
        }
    }
}

/// The bytes of a text in which it names the product or something of the catalogue.
fn named(text: &str, normal: &Normal, context: &TextContext) -> Vec<Range<usize>> {
    let mut named = Vec::new();
    if let Some(names) = context.names {
        named.extend(names.in_text(text));
    }
    if let Some(product) = context.product {
        named.extend(product.named(text, normal));
    }
    named
}

/// A text with a comma in the place of each character of a name. Marks that no rule reads fill up its bytes, so that every
/// character that is left stands where it stood.
fn blanked(text: &str, named: &[Range<usize>]) -> String {
    let mut named = named.to_vec();
    named.sort_by_key(|range| range.start);
    let mut named = named.into_iter().peekable();
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        while named.next_if(|range| range.end <= at).is_some() {}
        if named.peek().is_some_and(|range| range.start <= at) {
            out.push(',');
            out.extend(std::iter::repeat_n('\u{1}', c.len_utf8() - 1));
        } else {
            out.push(c);
        }
    }
    out
}

/// The bytes of a text between 《 and 》 where they may hold the title of a book, a film or a law: two to twenty characters
/// without a mark.
pub(crate) fn titles_of_works(text: &str) -> Vec<Range<usize>> {
    let mut titles = Vec::new();
    let mut opened = None;
    for (at, c) in text.char_indices() {
        match c {
            '《' => opened = Some(at + c.len_utf8()),
            '》' => titles.extend(opened.take().map(|from| from..at)),
            '，' | '。' | '！' | '？' | '；' | ',' | '!' | '?' | '\n' => opened = None,
            _ => {}
        }
    }
    titles.retain(|title| (2..=20).contains(&text[title.clone()].chars().count()));
    titles
}

/// Whether one of the ranges holds all the bytes.
pub(crate) fn covers(ranges: &[Range<usize>], bytes: &Range<usize>) -> bool {
    ranges
        .iter()
        .any(|range| range.start <= bytes.start && bytes.end <= range.end)
}

/// A replacement that begins with a capital where the words did.
fn in_case_of(said: &str, fix: &str) -> String {
    let mut letters = fix.chars();
    match letters.next() {
        Some(first) if said.starts_with(char::is_uppercase) => {
            first.to_uppercase().chain(letters).collect()
        }
        _ => fix.to_owned(),
    }
}

/// Counts the spans in scalars, in reading order.
fn finish(text: &str, mut drafts: Vec<Draft>) -> Vec<Finding> {
    drafts.sort_by(|a, b| {
        let key = |draft: &Draft| (draft.bytes.start, draft.bytes.end);
        key(a).cmp(&key(b)).then_with(|| a.rule.cmp(&b.rule))
    });
    drafts.dedup_by(|a, b| a.bytes == b.bytes && a.rule == b.rule);
    let mut told = BTreeMap::new();
    drafts.retain(|draft| {
        let count = told.entry(draft.severity).or_insert(0);
        *count += 1;
        *count <= MAX_FINDINGS
    });
    let (mut byte, mut scalar) = (0, 0);
    drafts
        .into_iter()
        .map(|draft| {
            scalar += text[byte..draft.bytes.start].chars().count();
            byte = draft.bytes.start;
            let end = scalar + text[draft.bytes.clone()].chars().count();
            Finding {
                rule: draft.rule,
                severity: draft.severity,
                span: (scalar, end),
                reason: draft.reason,
                fix: draft.fix,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests;
