//! The catalogue as rows, under Merchant Center's names.

use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::{ArrowError, DataType, Field, Schema};
use events::{Money, Product};
use serde_json::{Value, json};

use super::{Exporter, Names, Table};
use crate::error::Result;
use crate::store::Store;

/// Writes every product, in the order of their ids; says how many.
///
/// # Errors
/// As [`super::export_events`].
pub fn export_products(store: &Store, path: &Path) -> Result<u64> {
    let mut exporter = Exporter::<Products>::create(path, Names::Pseudonyms)?;
    for product in store.catalogue()?.products.into_values() {
        exporter.push(path, product)?;
    }
    exporter.finish(path)
}

struct Products;

impl Table for Products {
    type Row = Product;

    fn schema() -> Schema {
        let text = |name: &str| Field::new(name, DataType::Utf8, true);
        let amount = |name: &str| Field::new(name, DataType::Float64, true);
        Schema::new(vec![
            Field::new("id", DataType::Utf8, false),
            text("item_group_id"),
            Field::new("title", DataType::Utf8, false),
            text("description"),
            text("link"),
            text("image_link"),
            amount("price"),
            amount("sale_price"),
            amount("cost"),
            text("currency"),
            text("availability"),
            text("brand"),
            text("google_product_category"),
            Field::new("stock", DataType::Int64, true),
            text("facts"),
            text("allowed_claims"),
        ])
    }

    fn columns(schema: &Arc<Schema>, rows: &[Product]) -> Result<RecordBatch, ArrowError> {
        let text = |of: &dyn Fn(&Product) -> Option<String>| -> ArrayRef {
            Arc::new(rows.iter().map(of).collect::<StringArray>())
        };
        let amount = |of: &dyn Fn(&Product) -> Option<Money>| -> ArrayRef {
            Arc::new(
                rows.iter()
                    .map(|row| of(row).map(|money| money.decimal()))
                    .collect::<Float64Array>(),
            )
        };
        // The wire name of an availability is what serde writes.
        let availability = |row: &Product| json!(row.availability).as_str().map(str::to_owned);
        let currency = |row: &Product| row.price.map(|price| price.currency.code().to_owned());
        RecordBatch::try_new(
            Arc::clone(schema),
            vec![
                text(&|row| Some(row.id.clone())),
                text(&|row| row.item_group_id.clone()),
                text(&|row| Some(row.title.clone())),
                text(&|row| Some(row.description.clone()).filter(|text| !text.is_empty())),
                text(&|row| row.link.clone()),
                text(&|row| row.image_link.clone()),
                amount(&|row| row.price),
                amount(&|row| row.sale_price),
                amount(&|row| row.cost),
                text(&currency),
                text(&availability),
                text(&|row| row.brand.clone()),
                text(&|row| row.google_product_category.clone()),
                Arc::new(rows.iter().map(|row| row.stock).collect::<Int64Array>()),
                text(&|row| (!row.facts.is_empty()).then(|| json!(row.facts).to_string())),
                text(&|row| {
                    (!row.allowed_claims.is_empty()).then(|| json!(row.allowed_claims).to_string())
                }),
            ],
        )
    }

    fn line(row: &Product) -> Result<Value, serde_json::Error> {
        serde_json::to_value(row)
    }
}
