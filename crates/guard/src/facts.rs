//! Where values come from: paths of bindings, answered by a product, counts and a shopper's own history.

use std::collections::BTreeMap;

use events::{Binding, Fact, Premise, Product, Timestamp};

use crate::{Bindings, Bound, GuardError, Value};

/// Everything that a message may state about one product to one shopper at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The product that the message is about.
    pub product: &'a Product,
    /// Counts over the log, reached as `stat.NAME`.
    pub stats: &'a BTreeMap<String, Value>,
    /// The shopper's own history, reached as `user.NAME`; never an identifier.
    pub user: &'a BTreeMap<String, Value>,
    /// When the message is shown; a fact that has expired by then has no value.
    pub now: Timestamp,
    /// The version of the catalogue and of the counts, part of a verdict's key.
    pub version: &'a str,
}

/// The fields of a product that a binding may name.
pub(crate) const PRODUCT_FIELDS: [&str; 8] = [
    "title",
    "brand",
    "price",
    "current_price",
    "sale_price",
    "category",
    "description",
    "link",
];

/// Finds the value of every binding.
///
/// # Errors
/// [`GuardError::Unbound`] for the first path without a value, [`GuardError::UnknownPath`] and
/// [`GuardError::DuplicateBinding`] for a binding that can never have one.
pub fn resolve(bindings: &[Binding], facts: &Facts) -> Result<Bindings, GuardError> {
    let resolved = resolve_available(bindings, facts)?;
    if let Some(bound) = resolved.iter().find(|bound| bound.value.is_none()) {
        return Err(GuardError::Unbound {
            name: bound.name.clone(),
            path: bound.path.clone(),
        });
    }
    Ok(resolved)
}

/// Finds the values that there are; a name without one may still be tested by `{% if name %}`.
///
/// # Errors
/// [`GuardError::UnknownPath`] and [`GuardError::DuplicateBinding`].
pub fn resolve_available(bindings: &[Binding], facts: &Facts) -> Result<Bindings, GuardError> {
    let bound = bindings
        .iter()
        .map(|binding| {
            let (value, ends) = lookup(binding, facts)?;
            Ok(Bound {
                name: binding.name.clone(),
                path: binding.path.clone(),
                value: value.filter(Value::is_present),
                ends,
            })
        })
        .collect::<Result<Vec<_>, GuardError>>()?;
    Bindings::new(bound)
}

/// The value of a product at a path such as `fact.colour`, as it is shown without a filter: what a [`Premise`] notes.
pub fn value_at(path: &str, product: &Product, now: Timestamp) -> Option<String> {
    let value = match path.split_once('.')? {
        ("product", field) => product_field(product, field, now),
        ("fact", name) => {
            holding_fact(product, name, now).map(|fact| Value::Text(fact.value.clone()))
        }
        _ => None,
    };
    value.filter(Value::is_present).map(|value| value.shown())
}

/// Verifies that what a text rests on still holds. A fact that has several values holds as long as one of them is the
/// value that was told.
///
/// # Errors
/// [`GuardError::Changed`] for the first value that is another now, or none.
pub(crate) fn check_premises(premises: &[Premise], facts: &Facts) -> Result<(), GuardError> {
    let Some(broken) = premises.iter().find(|premise| !holds(premise, facts)) else {
        return Ok(());
    };
    Err(GuardError::Changed {
        path: broken.path.clone(),
        was: broken.value.clone(),
        now: value_at(&broken.path, facts.product, facts.now),
    })
}

fn holds(premise: &Premise, facts: &Facts) -> bool {
    if let Some(name) = premise.path.strip_prefix("fact.") {
        let is_told = |fact: &&Fact| {
            fact.name == name && Value::Text(fact.value.clone()).shown() == premise.value
        };
        let mut told = facts.product.facts.iter().filter(is_told);
        return told.any(|fact| fact.valid_until.is_none_or(|until| until > facts.now));
    }
    value_at(&premise.path, facts.product, facts.now).as_ref() == Some(&premise.value)
}

/// Whether facts could answer a path.
pub(crate) fn is_known_path(path: &str) -> bool {
    match path.split_once('.') {
        Some(("product", field)) => PRODUCT_FIELDS.contains(&field),
        Some(("fact" | "stat" | "user", name)) => !name.is_empty(),
        _ => false,
    }
}

fn lookup(
    binding: &Binding,
    facts: &Facts,
) -> Result<(Option<Value>, Option<Timestamp>), GuardError> {
    let unknown = || GuardError::UnknownPath {
        name: binding.name.clone(),
        path: binding.path.clone(),
    };
    let (root, name) = binding.path.split_once('.').ok_or_else(unknown)?;
    if !is_known_path(&binding.path) {
        return Err(unknown());
    }
    Ok(match root {
        "product" => {
            let ends = (name == "sale_price").then_some(facts.product.sale_price_until);
            (
                product_field(facts.product, name, facts.now),
                ends.flatten(),
            )
        }
        "stat" => (facts.stats.get(name).cloned(), None),
        "user" => (facts.user.get(name).cloned(), None),
        _ => match holding_fact(facts.product, name, facts.now) {
            Some(fact) => (Some(Value::Text(fact.value.clone())), fact.valid_until),
            None => (None, None),
        },
    })
}

/// The fact itself, where `Product::fact` gives its value alone: urgency asks for its end.
fn holding_fact<'a>(product: &'a Product, name: &str, now: Timestamp) -> Option<&'a Fact> {
    product
        .facts
        .iter()
        .find(|fact| fact.name == name && fact.valid_until.is_none_or(|until| until > now))
}

fn product_field(product: &Product, field: &str, now: Timestamp) -> Option<Value> {
    let text = |text: &Option<String>| text.clone().map(Value::Text);
    match field {
        "title" => Some(Value::Text(product.title.clone())),
        "brand" => text(&product.brand),
        // A path such as `Home & Garden > Decor > Mugs` is shown by its last step.
        "category" => text(&product.google_product_category.as_ref().map(|path| {
            let step = path.rsplit('>').next().unwrap_or(path);
            step.trim().to_owned()
        })),
        "description" => Some(Value::Text(product.description.clone())),
        "link" => text(&product.link),
        "price" => product.price.map(Value::Money),
        "current_price" => product.current_price_at(now).map(Value::Money),
        // A sale price that has ended or is not below the price is no offer and is never shown as one.
        "sale_price" => product.sale_price_at(now).map(Value::Money),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::{Currency, Money};

    fn at(text: &str) -> Timestamp {
        text.parse().expect("valid")
    }

    fn binding(path: &str) -> Binding {
        Binding {
            name: "x".to_owned(),
            path: path.to_owned(),
        }
    }

    fn value(path: &str, product: &Product, now: &str) -> Result<Value, GuardError> {
        let stats = BTreeMap::from([
            ("orders_30d".to_owned(), Value::Count(12)),
            ("rate".to_owned(), Value::Number(f64::NAN)),
        ]);
        let user = BTreeMap::from([("last".to_owned(), Value::Text("May".to_owned()))]);
        let facts = Facts {
            product,
            stats: &stats,
            user: &user,
            now: at(now),
            version: "v1",
        };
        let bindings = resolve(&[binding(path)], &facts)?;
        Ok(bindings.value("x").expect("resolved").clone())
    }

    #[test]
    fn paths_are_answered_or_unbound() {
        let gbp = |minor| Money {
            minor,
            currency: Currency::GBP,
        };
        let product = Product {
            title: "Mug".to_owned(),
            price: Some(gbp(500)),
            sale_price: Some(gbp(600)),
            brand: Some("  ".to_owned()),
            google_product_category: Some("Home & Garden > Decor > Mugs".to_owned()),
            facts: vec![Fact {
                name: "offer".to_owned(),
                value: "2 for 1".to_owned(),
                source: "shop".to_owned(),
                valid_until: Some(at("2026-06-01T00:00:00Z")),
            }],
            ..Product::default()
        };
        let get = |path| value(path, &product, "2026-05-01T00:00:00Z");
        assert_eq!(get("product.title"), Ok(Value::Text("Mug".to_owned())));
        assert_eq!(get("product.category"), Ok(Value::Text("Mugs".to_owned())));
        assert_eq!(get("product.current_price"), Ok(Value::Money(gbp(500))));
        assert_eq!(get("fact.offer"), Ok(Value::Text("2 for 1".to_owned())));
        assert_eq!(get("stat.orders_30d"), Ok(Value::Count(12)));
        assert_eq!(get("user.last"), Ok(Value::Text("May".to_owned())));
        for unbound in [
            "product.sale_price",
            "product.brand",
            "product.link",
            "product.description",
            "fact.colour",
            "stat.views",
            "stat.rate",
        ] {
            assert_eq!(
                get(unbound),
                Err(GuardError::Unbound {
                    name: "x".to_owned(),
                    path: unbound.to_owned()
                })
            );
        }
        for unknown in ["title", "product.cost", "fact.", "vault.userId"] {
            assert_eq!(
                get(unknown).map_err(|error| error.reason()),
                Err(format!("unknown_path:{unknown}"))
            );
        }
        let later = value("fact.offer", &product, "2026-06-01T00:00:00Z");
        assert_eq!(
            later.map_err(|error| error.reason()),
            Err("unbound:fact.offer".to_owned())
        );
    }
}
