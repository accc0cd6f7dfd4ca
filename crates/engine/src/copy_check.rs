//! Finished texts under the shop's rules: packs, voice, catalogue and one product.

use std::path::Path;

use events::{Channel, Product, Timestamp};
use guard::{Coverage, Finding, Grounds, Guard, Mail, Names, RulePack, Severity, TextContext};
use serde::Serialize;

use crate::config::Config;
use crate::error::{EngineError, Result};
use crate::store::{Catalogue, Store};

/// Checks texts one after another.
pub struct CopyCheck {
    guard: Guard,
    names: Option<Names>,
    grounds: Option<Grounds>,
    coverage: Option<Coverage>,
    channel: Option<Channel>,
}

/// What the texts are checked against.
#[derive(Debug, Clone, Default)]
pub struct CopyCheckRequest {
    /// The product that every text is about, by its id in the catalogue.
    pub product: Option<String>,
    /// Whether it is told as well what of the product each text tells.
    pub coverage: bool,
    /// Where the texts are sent.
    pub channel: Option<Channel>,
    /// When they are sent; a fact that has ended by then says nothing.
    pub now: Timestamp,
}

/// What was found in one text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckedLine {
    /// The line in its file, from 1.
    pub line: usize,
    /// Whether the text may be sent: no finding is an error.
    pub ok: bool,
    /// What was found, in reading order.
    pub findings: Vec<Finding>,
    /// What of the product the text tells and what it does not, where that was asked for.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub coverage: Option<ToldFacts>,
}

/// What of a product a text tells: `title`, `brand`, `price` and the names of its facts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ToldFacts {
    /// What it tells.
    pub told: Vec<String>,
    /// What it leaves out.
    pub left_out: Vec<String>,
}

/// What was found in a whole mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckedMail {
    /// Whether the mail may be sent: no finding is an error.
    pub ok: bool,
    /// What its headers and the words around its text lack.
    pub form: Vec<Finding>,
    /// What was found in its subject.
    pub subject: Vec<Finding>,
    /// What was found in its text.
    pub body: Vec<Finding>,
}

/// The guard of a shop: the built-in rule packs, its own, and its voice.
///
/// # Errors
/// [`EngineError::Io`] for a pack that cannot be read, [`EngineError::Config`] naming the pack and the place of its fault.
pub(crate) fn guard(config: &Config) -> Result<Guard> {
    let mut packs = vec![RulePack::built_in()];
    for path in &config.guard.packs {
        let text = std::fs::read_to_string(path).map_err(EngineError::io("read", path))?;
        packs.push(RulePack::from_toml(&text).map_err(|error| fault(path, &error.to_string()))?);
    }
    let in_config = Path::new("hawker.toml");
    packs.push(
        config
            .voice
            .pack()
            .map_err(|error| fault(in_config, &error.to_string()))?,
    );
    let pack = RulePack::merge(packs).map_err(|error| fault(in_config, &error.to_string()))?;
    let guard = Guard::new(pack).in_voice(&config.voice);
    match guard.wrong_examples().into_iter().next() {
        Some(error) => Err(fault(in_config, &error.to_string())),
        None => Ok(guard),
    }
}

fn fault(path: &Path, problem: &str) -> EngineError {
    EngineError::Config {
        path: path.to_owned(),
        problem: problem.to_owned(),
        remedy: "see `packs` under [guard] and [voice] in the configuration".to_owned(),
    }
}

impl CopyCheck {
    /// Prepares the checks. Without a store there are no names of the catalogue, and no product may be asked for.
    ///
    /// # Errors
    /// Those of a rule pack; [`EngineError::NotReady`] for a product that the catalogue lacks.
    pub fn new(config: &Config, store: Option<&Store>, request: &CopyCheckRequest) -> Result<Self> {
        let guard = guard(config)?;
        let catalogue = store.map(Store::catalogue).transpose()?.unwrap_or_default();
        let about = match &request.product {
            Some(id) => Some(product(&catalogue, id)?),
            None => None,
        };
        let grounds = about.map(|product| guard.ground(product, request.now));
        let coverage = about
            .filter(|_| request.coverage)
            .map(|product| guard.coverage(product, request.now));
        let products = catalogue.products.values();
        let names =
            products.flat_map(|product| [Some(product.title.as_str()), product.brand.as_deref()]);
        Ok(Self {
            names: Names::new(names.flatten()),
            guard,
            grounds,
            coverage,
            channel: request.channel,
        })
    }

    /// Checks a mail as it is handed to the sending server: its form, its subject and its text.
    pub fn check_mail(&self, mail: &Mail) -> CheckedMail {
        let context = TextContext {
            product: self.grounds.as_ref(),
            names: self.names.as_ref(),
            channel: Some(Channel::Email),
        };
        let subject = mail.header("Subject").unwrap_or_default();
        let checked = CheckedMail {
            ok: false,
            form: mail.check_form(),
            subject: self.guard.check_text(subject, &context),
            body: self.guard.check_text(&mail.body, &context),
        };
        let parts = [&checked.form, &checked.subject, &checked.body];
        let ok = parts
            .into_iter()
            .flatten()
            .all(|finding| finding.severity != Severity::Error);
        CheckedMail { ok, ..checked }
    }

    /// Checks the text of a line. Bytes that are no UTF-8 are an error, at the first of them.
    pub fn check(&self, line: usize, text: &[u8]) -> CheckedLine {
        let context = TextContext {
            product: self.grounds.as_ref(),
            names: self.names.as_ref(),
            channel: self.channel,
        };
        let findings = match std::str::from_utf8(text) {
            Ok(text) => self.guard.check_text(text, &context),
            Err(error) => vec![not_utf8(text, error.valid_up_to())],
        };
        let coverage = self.coverage.as_ref().map(|coverage| {
            let mut told = ToldFacts::default();
            let text = String::from_utf8_lossy(text);
            for (name, is_told) in self.guard.tells(coverage, &text) {
                let names = if is_told {
                    &mut told.told
                } else {
                    &mut told.left_out
                };
                names.push(name.to_owned());
            }
            told
        });
        CheckedLine {
            coverage,
            line,
            ok: !findings
                .iter()
                .any(|finding| finding.severity == Severity::Error),
            findings,
        }
    }
}

/// A product of the catalogue, or an error that names the nearest id.
pub(crate) fn product<'a>(catalogue: &'a Catalogue, id: &str) -> Result<&'a Product> {
    let found = catalogue.products.get(id);
    found.ok_or_else(|| no_product(catalogue, id))
}

fn no_product(catalogue: &Catalogue, id: &str) -> EngineError {
    let nearest = catalogue
        .products
        .keys()
        .min_by_key(|known| strsim::damerau_levenshtein(known, id));
    EngineError::NotReady {
        missing: format!("the catalogue has no product `{id}`"),
        remedy: match nearest {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => "import it with `hawker import merchant-feed` or `shopify-products`".to_owned(),
        },
    }
}

fn not_utf8(text: &[u8], valid: usize) -> Finding {
    let scalars = String::from_utf8_lossy(&text[..valid]).chars().count();
    Finding {
        rule: "encoding".to_owned(),
        severity: Severity::Error,
        span: (scalars, scalars + 1),
        reason: format!(
            "byte {} of the line, 0x{:02x}, is no UTF-8; save the file as UTF-8",
            valid + 1,
            text[valid]
        ),
        fix: None,
    }
}
