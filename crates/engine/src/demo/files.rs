//! The simulated shop's export: a Merchant Center feed and a file of events.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use datasets::SimulatedShop;
use events::{Availability, Money, Product};

use crate::error::{EngineError, Result};

const COLUMNS: [&str; 13] = [
    "id",
    "title",
    "description",
    "link",
    "price",
    "sale_price",
    "availability",
    "brand",
    "google_product_category",
    "cost",
    "stock",
    "material",
    "product_detail",
];

/// Writes both files and returns their paths.
pub(super) fn write(shop: &SimulatedShop, dir: &Path) -> Result<(PathBuf, PathBuf)> {
    std::fs::create_dir_all(dir).map_err(EngineError::io("create", dir))?;
    let (feed, events) = (dir.join("products.tsv"), dir.join("events.jsonl"));
    let mut lines = vec![COLUMNS.join("\t")];
    lines.extend(shop.products().map(feed_line));
    write_lines(&feed, lines.into_iter())?;
    write_lines(&events, shop.segment_lines())?;
    Ok((feed, events))
}

/// Writes lines to a file.
pub(super) fn write_lines(path: &Path, lines: impl Iterator<Item = String>) -> Result<()> {
    let mut file = BufWriter::new(File::create(path).map_err(EngineError::io("create", path))?);
    for line in lines {
        writeln!(file, "{line}").map_err(EngineError::io("write", path))?;
    }
    file.flush().map_err(EngineError::io("write", path))
}

fn feed_line(product: &Product) -> String {
    let money = |money: Option<Money>| {
        money.map_or_else(String::new, |money| {
            let digits = money.currency.exponent() as usize;
            format!("{:.digits$} {}", money.decimal(), money.currency)
        })
    };
    let plain = |text: &str| text.replace(['\t', '\n', '\r'], " ");
    let text = |text: &Option<String>| plain(text.as_deref().unwrap_or_default());
    let fact = |name: &str| product.facts.iter().find(|fact| fact.name == name);
    let details: Vec<String> = product
        .facts
        .iter()
        .filter(|fact| fact.name != "material")
        .map(|fact| {
            format!(
                ":{}:{}",
                fact.name,
                plain(&fact.value).replace([',', ':'], ";")
            )
        })
        .collect();
    [
        product.id.clone(),
        plain(&product.title),
        plain(&product.description),
        text(&product.link),
        money(product.price),
        money(product.sale_price),
        availability(product.availability).to_owned(),
        text(&product.brand),
        text(&product.google_product_category),
        money(product.cost),
        product
            .stock
            .map_or_else(String::new, |stock| stock.to_string()),
        fact("material").map_or_else(String::new, |fact| plain(&fact.value)),
        details.join(","),
    ]
    .join("\t")
}

fn availability(availability: Availability) -> &'static str {
    match availability {
        Availability::InStock => "in_stock",
        Availability::OutOfStock => "out_of_stock",
        Availability::Preorder => "preorder",
        Availability::Backorder => "backorder",
        Availability::Discontinued => "discontinued",
    }
}
