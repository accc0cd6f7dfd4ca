use std::collections::BTreeMap;
use std::fmt;

use events::{Check, CopyVariant, Product, Scope, Timestamp};
use guard::{Facts, Guard, Refusal, Value};
use serde::Serialize;

use crate::campaign::one_line;
use crate::store::Catalogue;

/// Why a text is not shown: a short stable name, and words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Remark {
    /// The name, such as `changed:fact.colour`.
    pub reason: String,
    /// What was found.
    pub detail: String,
}

/// A text that the guard passes.
pub(crate) struct Examined {
    /// As a person reads it.
    pub(crate) text: String,
    pub(crate) checks: Vec<Check>,
}

/// Asks the guard about texts at one moment, with a shopper and counts that stand in for real ones.
pub(crate) struct Examiner<'a> {
    guard: &'a Guard,
    catalogue: &'a Catalogue,
    stats: BTreeMap<String, Value>,
    now: Timestamp,
}

impl<'a> Examiner<'a> {
    pub(crate) fn new(guard: &'a Guard, catalogue: &'a Catalogue, now: Timestamp) -> Self {
        Self {
            guard,
            catalogue,
            stats: stand_in_counts(now),
            now,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// Renders a text about the first of its products about which the guard lets it speak. A text about every product is
    /// checked as a template.
    ///
    /// # Errors
    /// Why it may not be shown about the first of its products, where it may be about none.
    pub(crate) fn examine(&self, variant: &CopyVariant) -> Result<Examined, Remark> {
        let Scope::ProductIds(ids) = &variant.scope else {
            return self.as_template(variant, &[]);
        };
        let mut first = None;
        for id in ids {
            match self.about(variant, id) {
                Ok(examined) => return Ok(examined),
                Err(remark) => first = first.or(Some(remark)),
            }
        }
        Err(first.unwrap_or_else(|| Remark::new("scope:none", "it speaks of no product")))
    }

    fn about(&self, variant: &CopyVariant, id: &str) -> Result<Examined, Remark> {
        let Some(product) = self.catalogue.products.get(id) else {
            let detail = format!("the catalogue has no product `{id}`");
            return Err(Remark::new(&format!("product_gone:{id}"), &detail));
        };
        let user = stand_in_history(product, self.now);
        let facts = Facts {
            product,
            stats: &self.stats,
            user: &user,
            now: self.now,
            version: &self.catalogue.version,
        };
        let rendered = self.guard.render(variant, &facts);
        let rendered = rendered.map_err(|refusal| Remark::of(&refusal))?;
        self.as_template(variant, &product.allowed_claims)?;
        Ok(Examined {
            text: one_line(&rendered.plain),
            checks: rendered.checks,
        })
    }

    fn as_template(&self, variant: &CopyVariant, claims: &[String]) -> Result<Examined, Remark> {
        let checks = self.guard.check_variant_with(variant, claims);
        match checks.iter().find(|check| !check.passed) {
            Some(failed) => Err(Remark::new(&failed.rule, &failed.detail)),
            None => Ok(Examined {
                text: one_line(&variant.template),
                checks,
            }),
        }
    }
}

impl Remark {
    pub(crate) fn new(reason: &str, detail: &str) -> Self {
        Self {
            reason: reason.to_owned(),
            detail: detail.to_owned(),
        }
    }

    fn of(refusal: &Refusal) -> Self {
        let failed = refusal.checks.iter().find(|check| !check.passed);
        Self::new(
            &refusal.reason,
            failed.map_or("", |check| check.detail.as_str()),
        )
    }

    /// Whether the text is refused because the catalogue no longer says what it rests on.
    pub(crate) fn is_about_facts(&self) -> bool {
        [
            "changed:",
            "unbound:fact.",
            "unbound:product.",
            "product_gone:",
        ]
        .iter()
        .any(|name| self.reason.starts_with(name))
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.reason, self.detail)
    }
}

/// The history of a shopper who stands in for all: one who bought this product before.
pub(crate) fn stand_in_history(product: &Product, now: Timestamp) -> BTreeMap<String, Value> {
    BTreeMap::from([
        (
            "last_bought_title".to_owned(),
            Value::Text(product.title.clone()),
        ),
        ("last_bought_at".to_owned(), Value::Date(now)),
        ("times_bought".to_owned(), Value::Count(3)),
        ("usual_gap_days".to_owned(), Value::Count(30)),
        ("last_bought_this_at".to_owned(), Value::Date(now)),
    ])
}

/// Counts that stand in for a product's own, which differ from day to day and which no status depends on.
fn stand_in_counts(now: Timestamp) -> BTreeMap<String, Value> {
    BTreeMap::from([
        ("orders_30d".to_owned(), Value::Count(12)),
        ("orders_total".to_owned(), Value::Count(120)),
        ("rating".to_owned(), Value::Number(4.5)),
        ("first_sold".to_owned(), Value::Date(now)),
    ])
}
