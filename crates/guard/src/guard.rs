use std::collections::{BTreeMap, BTreeSet};

use events::{Channel, Check, CopyText, CopyVariant, Language};
use thiserror::Error;

use crate::facts::check_premises;
use crate::matcher::{Matcher, Scope};
use crate::normal::Normal;
use crate::rules::{self, Fault, Field, Message};
use crate::voice::{Manner, Voice};
use crate::wording;
use crate::{
    Bindings, CompiledVariant, Escape, Facts, FieldLimit, GuardError, Origin, RulePack, VerdictKey,
    limits, resolve_available, sample,
};

/// Says what may be said: renders variants with facts, and checks every text as rendered against a rule pack.
#[derive(Debug, Clone)]
pub struct Guard {
    pack: RulePack,
    matcher: Matcher,
    limits: BTreeMap<(Channel, Language), Vec<FieldLimit>>,
    /// The manner of the brand's sample texts, where it has some.
    manner: Option<Manner>,
}

/// A message that passed every check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The text as it is sent, escaped for its channel.
    pub text: CopyText,
    /// The text as a person reads it, without markup and escapes: for reports and text metrics.
    pub plain: CopyText,
    /// Every check that was made, all of them passed.
    pub checks: Vec<Check>,
    /// The names that the text shows, with their values as shown.
    pub bindings: BTreeMap<String, String>,
}

/// Why a message is not shown.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("refused: {reason}")]
pub struct Refusal {
    /// A short stable name, such as `length:title`, `unbound:stat.orders_30d` or `forbidden:guaranteed`.
    pub reason: String,
    /// Every check that was made, at least one of them failed, with the details in words.
    pub checks: Vec<Check>,
}

impl Refusal {
    fn new(findings: &[Fault]) -> Self {
        Self {
            reason: rules::reason(findings).unwrap_or_default(),
            checks: rules::gather(findings),
        }
    }
}

impl Guard {
    /// Prepares a rule pack.
    ///
    /// # Panics
    /// Never for a pack that [`RulePack::from_toml`] read; a phrase set by hand must be one that it would read.
    pub fn new(pack: RulePack) -> Self {
        let mut all = BTreeMap::new();
        for channel in Channel::ALL {
            for language in [Language::En, Language::Zh] {
                let mut fields = limits(channel, language);
                for limit in &mut fields {
                    if let Some(own) = pack.limits.get(&format!("{channel}.{}", limit.field)) {
                        limit.max = own.max;
                        limit.ideal = own.ideal;
                        limit.source = format!("rule pack {}", pack.version);
                    }
                }
                all.insert((channel, language), fields);
            }
        }
        Self {
            matcher: Matcher::new(&pack)
                .expect("invariant: the phrases of a pack were read before"),
            pack,
            limits: all,
            manner: None,
        }
    }

    /// Remarks as well on texts that differ in manner from the samples of a voice. Its words and tone are rules: merge
    /// [`Voice::pack`] into the pack.
    #[must_use]
    pub fn in_voice(self, voice: &Voice) -> Self {
        Self {
            manner: voice.manner(),
            ..self
        }
    }

    pub(crate) fn manner(&self) -> Option<&Manner> {
        self.manner.as_ref()
    }

    /// The rule pack.
    pub fn pack(&self) -> &RulePack {
        &self.pack
    }

    pub(crate) fn matcher(&self) -> &Matcher {
        &self.matcher
    }

    /// The limits of a channel's fields under this pack.
    pub fn limits(&self, channel: Channel, language: Language) -> &[FieldLimit] {
        self.limits
            .get(&(channel, language))
            .map_or(&[], Vec::as_slice)
    }

    /// Checks a variant before any product is known: its templates are read, its bindings cover their names, and every
    /// branch keeps the rules with sample values. Lengths count the template's own words alone.
    pub fn check_variant(&self, variant: &CopyVariant) -> Vec<Check> {
        self.check_variant_with(variant, &[])
    }

    /// Checks a variant as [`Guard::check_variant`] does, where the template repeats sentences that a person approved for
    /// the products it speaks of (`Product::allowed_claims`).
    pub fn check_variant_with(&self, variant: &CopyVariant, claims: &[String]) -> Vec<Check> {
        let mut findings = Vec::new();
        match CompiledVariant::new(variant) {
            Err(error) => findings.push(Fault::of_error(&error)),
            Ok(compiled) => {
                findings.extend(missing_field(&compiled));
                self.check_branches(&compiled, claims, &mut findings);
            }
        }
        rules::gather(&distinct(findings))
    }

    /// Renders a variant and checks the text. For many messages of one variant, compile it once and use
    /// [`Guard::render_compiled`].
    ///
    /// # Errors
    /// A [`Refusal`] with its reason when the variant may not speak of the product, when what its words rest on has changed,
    /// when a name has no value, or when the text breaks a rule.
    pub fn render(&self, variant: &CopyVariant, facts: &Facts) -> Result<Rendered, Refusal> {
        let compiled = CompiledVariant::new(variant)
            .map_err(|error| Refusal::new(&[Fault::of_error(&error)]))?;
        self.render_compiled(&compiled, facts)
    }

    /// Renders a compiled variant and checks the text.
    ///
    /// # Errors
    /// Those of [`Guard::render`].
    pub fn render_compiled(
        &self,
        variant: &CompiledVariant,
        facts: &Facts,
    ) -> Result<Rendered, Refusal> {
        let refused = |finding: Fault| Refusal::new(&[finding]);
        if !variant.covers(&facts.product.id) {
            return Err(refused(Fault::new(
                "scope",
                "product",
                format!(
                    "variant `{}` may not speak of product `{}`",
                    variant.id, facts.product.id
                ),
            )));
        }
        if let Some(missing) = missing_field(variant) {
            return Err(refused(missing));
        }
        check_premises(&variant.premises, facts)
            .map_err(|error| refused(Fault::of_error(&error)))?;
        let bindings = resolve_available(&variant.bindings, facts)
            .map_err(|error| refused(Fault::of_error(&error)))?;
        let fields =
            show(variant, &bindings, facts).map_err(|error| refused(Fault::of_error(&error)))?;
        let findings = rules::check(
            &self.pack,
            &self.matcher,
            &Message {
                channel: variant.channel,
                limits: self.limits(variant.channel, variant.locale.language()),
                fields: &fields,
                bindings: &bindings,
                now: Some(facts.now),
            },
        );
        if findings.iter().any(Fault::refuses) {
            return Err(Refusal::new(&findings));
        }
        Ok(rendered(fields, &bindings, &findings))
    }

    /// Runs the examples of every rule: each text that should pass does, and each that should fail does. Gives an error
    /// for each that comes out otherwise.
    pub fn wrong_examples(&self) -> Vec<GuardError> {
        let mut wrong = Vec::new();
        for (index, rule) in self.pack.rules.iter().enumerate() {
            let is_refused = |text: &str| {
                let hits = self.matcher.find(text, &Normal::of(text), Scope::All);
                hits.iter().any(|hit| hit.rule == index)
            };
            let remedy = "correct its phrases, its exceptions or the example";
            let name = format!("rule `{}`", rule.id);
            wrong.extend(contradicted(
                &name,
                remedy,
                (&rule.passes, &rule.fails),
                is_refused,
            ));
        }
        if let Some(rule) = &self.pack.wordings {
            let is_refused =
                |text: &str| !wording::breaches(text, &Normal::of(text), &[]).is_empty();
            let remedy = "correct the example, or learn the wordings anew";
            let examples = (&rule.passes[..], &rule.fails[..]);
            wrong.extend(contradicted("the wordings", remedy, examples, is_refused));
        }
        wrong
    }

    /// The key under which a verdict on a rendered text may be kept: it holds until the rules or the facts change.
    pub fn verdict_key(&self, channel: Channel, text: &CopyText, facts: &Facts) -> VerdictKey {
        let facts_version = format!("{}@{}", facts.product.id, facts.version);
        VerdictKey::new(channel, text, &self.pack.version, &facts_version)
    }

    fn check_branches(
        &self,
        variant: &CompiledVariant,
        claims: &[String],
        findings: &mut Vec<Fault>,
    ) {
        let bindings = sample::bindings(variant);
        for (name, template) in &variant.templates {
            for branch in template.branches() {
                let escape = Escape::of(variant.channel, name);
                let shown = match template.show_branch(&branch, &bindings, escape) {
                    Ok(shown) => shown,
                    Err(error) => {
                        findings.push(Fault::of_error(&error));
                        continue;
                    }
                };
                let message = Message {
                    channel: variant.channel,
                    limits: self.limits(variant.channel, variant.locale.language()),
                    fields: &[Field::new(name, shown, claims)],
                    bindings: &bindings,
                    now: None,
                };
                for mut finding in rules::check(&self.pack, &self.matcher, &message) {
                    finding.detail = format!("{} ({})", finding.detail, branch.describe(template));
                    findings.push(finding);
                }
            }
        }
    }
}

/// An error for each example, of those that pass and those that fail, that comes out otherwise.
fn contradicted(
    name: &str,
    remedy: &'static str,
    (passes, fails): (&[String], &[String]),
    is_refused: impl Fn(&str) -> bool,
) -> Vec<GuardError> {
    let passes = passes.iter().map(|text| (text, false));
    let examples = passes.chain(fails.iter().map(|text| (text, true)));
    examples
        .filter(|(text, refused)| is_refused(text) != *refused)
        .map(|(text, refused)| {
            let expected = if refused { "refuse" } else { "pass" };
            GuardError::Pack {
                place: None,
                problem: format!("{name} should {expected} `{text}`"),
                remedy,
            }
        })
        .collect()
}

fn show(
    variant: &CompiledVariant,
    bindings: &Bindings,
    facts: &Facts,
) -> Result<Vec<Field>, GuardError> {
    variant
        .templates
        .iter()
        .map(|(name, template)| {
            let shown = template.show(bindings, Escape::of(variant.channel, name))?;
            Ok(Field::new(name, shown, &facts.product.allowed_claims))
        })
        .collect()
}

fn rendered(fields: Vec<Field>, bindings: &Bindings, findings: &[Fault]) -> Rendered {
    let mut shown = BTreeMap::new();
    for field in &fields {
        for (_, part, origin) in field.shown.parts() {
            if let Origin::Value(index) = origin {
                shown
                    .entry(bindings.at(index).name.clone())
                    .or_insert_with(|| part.to_owned());
            }
        }
    }
    let (mut text, mut plain) = (CopyText::default(), CopyText::default());
    for field in fields {
        let (sent, read) = field.shown.into_both();
        match field.name {
            "title" => (text.title, plain.title) = (Some(sent), Some(read)),
            "subject" => (text.subject, plain.subject) = (Some(sent), Some(read)),
            "preheader" => (text.preheader, plain.preheader) = (Some(sent), Some(read)),
            _ => (text.body, plain.body) = (sent, read),
        }
    }
    Rendered {
        text,
        plain,
        checks: rules::gather(findings),
        bindings: shown,
    }
}

/// A mail without a subject is no mail; the other channels need nothing but a body.
fn missing_field(variant: &CompiledVariant) -> Option<Fault> {
    let has_subject = variant.templates.iter().any(|(name, _)| *name == "subject");
    (variant.channel == Channel::Email && !has_subject).then(|| {
        Fault::new(
            "fields",
            "subject_missing",
            "the mail has no subject; add one",
        )
    })
}

/// Keeps the first finding of each reason: branches repeat each other's faults.
fn distinct(findings: Vec<Fault>) -> Vec<Fault> {
    let mut reasons = BTreeSet::new();
    findings
        .into_iter()
        .filter(|finding| reasons.insert(finding.reason.clone()))
        .collect()
}

#[cfg(test)]
mod tests;
