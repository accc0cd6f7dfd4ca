//! Sample values, with which every branch of a template is checked before any product is known.

use events::{Currency, Money, Timestamp};

use crate::template::Filter;
use crate::{Bindings, Bound, CompiledVariant, Value};

/// A link that no shop has (RFC 2606).
const LINK: &str = "https://shop.example/product";

/// A value of the right kind for every binding. The kind of a count or of a shopper's history follows from the first
/// filter that the templates apply to it.
pub(crate) fn bindings(variant: &CompiledVariant) -> Bindings {
    let bound = variant.bindings.iter().map(|binding| Bound {
        name: binding.name.clone(),
        path: binding.path.clone(),
        value: Some(value(variant, &binding.name, &binding.path)),
        ends: None,
    });
    // Names are unique in a compiled variant; without them nothing could be rendered either way.
    Bindings::new(bound.collect()).unwrap_or_default()
}

fn value(variant: &CompiledVariant, name: &str, path: &str) -> Value {
    let text = || Value::Text("Sample".to_owned());
    match path.split_once('.') {
        Some(("product", "link")) => Value::Text(LINK.to_owned()),
        Some(("product", "price" | "current_price" | "sale_price")) => money(),
        Some(("product" | "fact", _)) => text(),
        _ => {
            let mut filters = variant
                .templates
                .iter()
                .flat_map(|(_, template)| template.filters_of(name));
            match filters.find(|filter| !matches!(filter, Filter::Default(_) | Filter::Escape)) {
                Some(Filter::Money) => money(),
                Some(Filter::Number | Filter::Plural(..)) | None => Value::Count(12),
                Some(Filter::Date(_)) => Value::Date(Timestamp::UNIX_EPOCH),
                Some(_) => text(),
            }
        }
    }
}

fn money() -> Value {
    Value::Money(Money {
        minor: 1999,
        currency: Currency::GBP,
    })
}
