//! The log as rows: nested Parquet, or JSON lines in Segment's envelope, which `import segment` reads again.

use std::path::Path;
use std::sync::Arc;

use arrow_array::builder::{Float32Builder, Float64Builder};
use arrow_array::builder::{
    Int64Builder, ListBuilder, StringBuilder, StructBuilder, UInt32Builder,
};
use arrow_array::{ArrayRef, RecordBatch, TimestampMillisecondArray};
use arrow_schema::{ArrowError, DataType, Field, Fields, Schema, TimeUnit};
use events::{Event, EventKind, Identity, Money};
use serde_json::{Map, Value, json};

use super::{Exporter, Names, Table};
use crate::error::{EngineError, Result};
use crate::store::{Logged, Store};

/// Writes every event of the log, in its order; says how many.
///
/// # Errors
/// [`EngineError::File`] for a name that says no format, [`EngineError::Io`] or [`EngineError::DiskFull`] when the file
/// cannot be written, [`EngineError::Corrupt`] for an event that cannot be read.
pub fn export_events(store: &Store, path: &Path, names: Names) -> Result<u64> {
    let mut exporter = Exporter::<Events>::create(path, names)?;
    store.for_each_logged(|logged| exporter.push(path, row(store, logged, names)?))?;
    exporter.finish(path)
}

struct Events;

struct EventRow {
    position: i64,
    event: Event,
    /// The shopper's pseudonym or identifier.
    name: Identity,
    /// What the envelope holds beyond the vocabulary; empty under pseudonyms.
    personal: Map<String, Value>,
}

fn row(store: &Store, logged: Logged, names: Names) -> Result<EventRow> {
    let Logged {
        position,
        event,
        guest,
        sealed,
    } = logged;
    let pseudonym = event.user;
    let mut personal = Map::new();
    let known = match names {
        Names::Pseudonyms => None,
        Names::Identifiers => {
            if let Some(sealed) = sealed {
                let place = format!("event {position}");
                let plain = store.vault().unseal(&sealed, &place)?;
                personal =
                    serde_json::from_slice(&plain).map_err(|error| EngineError::Corrupt {
                        what: "sealed event",
                        place,
                        detail: error.to_string(),
                    })?;
            }
            store.identity(pseudonym)?
        }
    };
    let pseudonymous = || {
        if guest {
            Identity::Anonymous(pseudonym.to_string())
        } else {
            Identity::User(pseudonym.to_string())
        }
    };
    let name = known.unwrap_or_else(pseudonymous);
    Ok(EventRow {
        position,
        event,
        name,
        personal,
    })
}

impl Table for Events {
    type Row = EventRow;

    fn schema() -> Schema {
        let text = |name: &str| Field::new(name, DataType::Utf8, true);
        let moment = DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
        let line = Field::new("item", DataType::Struct(line_fields()), true);
        Schema::new(vec![
            Field::new("position", DataType::Int64, false),
            Field::new("message_id", DataType::Utf8, false),
            text("user_id"),
            text("anonymous_id"),
            Field::new("event", DataType::Utf8, false),
            Field::new("timestamp", moment, false),
            text("order_id"),
            Field::new("products", DataType::List(Arc::new(line)), false),
            text("currency"),
            text("query"),
            Field::new("rating", DataType::Float32, true),
            text("decision_id"),
            text("personal"),
        ])
    }

    fn columns(schema: &Arc<Schema>, rows: &[EventRow]) -> Result<RecordBatch, ArrowError> {
        let mut position = Int64Builder::new();
        let mut rating = Float32Builder::new();
        let mut products = ListBuilder::new(StructBuilder::from_fields(line_fields(), rows.len()));
        for row in rows {
            position.append_value(row.position);
            rating.append_option(row.event.properties.rating);
            append_lines(&mut products, &row.event);
        }
        let text = |of: &dyn Fn(&EventRow) -> Option<String>| -> ArrayRef {
            let mut column = StringBuilder::new();
            for row in rows {
                column.append_option(of(row));
            }
            Arc::new(column.finish())
        };
        let times = rows.iter().map(|row| row.event.at.as_millisecond());
        let user =
            |row: &EventRow| (!row.name.is_anonymous()).then(|| row.name.as_str().to_owned());
        let browser = |row: &EventRow| {
            row.name
                .is_anonymous()
                .then(|| row.name.as_str().to_owned())
        };
        let personal =
            |row: &EventRow| (!row.personal.is_empty()).then(|| json!(row.personal).to_string());
        RecordBatch::try_new(
            Arc::clone(schema),
            vec![
                Arc::new(position.finish()),
                text(&|row| Some(format!("{:?}", row.event.message))),
                text(&user),
                text(&browser),
                text(&|row| Some(row.event.kind.name().to_owned())),
                Arc::new(TimestampMillisecondArray::from_iter_values(times).with_timezone("UTC")),
                text(&|row| row.event.properties.order_id.clone()),
                Arc::new(products.finish()),
                text(&|row| {
                    row.event
                        .properties
                        .currency
                        .map(|currency| currency.code().to_owned())
                }),
                text(&|row| row.event.properties.query.clone()),
                Arc::new(rating.finish()),
                text(&|row| {
                    row.event
                        .properties
                        .decision_id
                        .as_ref()
                        .map(|id| id.0.clone())
                }),
                text(&personal),
            ],
        )
    }

    fn line(row: &EventRow) -> Result<Value, serde_json::Error> {
        let mut envelope = Map::new();
        envelope.insert(
            "messageId".to_owned(),
            json!(format!("{:?}", row.event.message)),
        );
        if row.event.kind == EventKind::Identified {
            envelope.insert("type".to_owned(), json!("identify"));
        } else {
            envelope.insert("type".to_owned(), json!("track"));
            envelope.insert("event".to_owned(), json!(row.event.kind.name()));
        }
        let name = if row.name.is_anonymous() {
            "anonymousId"
        } else {
            "userId"
        };
        envelope.insert(name.to_owned(), json!(row.name.as_str()));
        envelope.insert("timestamp".to_owned(), json!(row.event.at.to_string()));
        envelope.extend(row.personal.clone());
        let Value::Object(mut properties) = serde_json::to_value(&row.event.properties)? else {
            return Ok(Value::Object(envelope));
        };
        if !row.event.properties.products.is_empty() {
            properties.insert("products".to_owned(), json!(wire_lines(&row.event)));
        }
        if let Some(Value::Object(own)) = envelope.remove("properties") {
            properties.extend(own);
        }
        if !properties.is_empty() {
            envelope.insert("properties".to_owned(), Value::Object(properties));
        }
        Ok(Value::Object(envelope))
    }
}

fn line_fields() -> Fields {
    Fields::from(vec![
        Field::new("product_id", DataType::Utf8, false),
        Field::new("quantity", DataType::UInt32, false),
        Field::new("price", DataType::Float64, true),
    ])
}

/// The price of one piece in major units.
fn prices(event: &Event) -> impl Iterator<Item = Option<f64>> {
    let decimal = |minor| match event.properties.currency {
        Some(currency) => Money { minor, currency }.decimal(),
        None => minor as f64 / 100.0,
    };
    event
        .properties
        .products
        .iter()
        .map(move |line| line.price_minor.map(decimal))
}

fn append_lines(products: &mut ListBuilder<StructBuilder>, event: &Event) {
    for (line, price) in event.properties.products.iter().zip(prices(event)) {
        let row = products.values();
        let missing = "invariant: the builder has the columns of `line_fields`";
        row.field_builder::<StringBuilder>(0)
            .expect(missing)
            .append_value(&line.product_id);
        row.field_builder::<UInt32Builder>(1)
            .expect(missing)
            .append_value(line.quantity);
        row.field_builder::<Float64Builder>(2)
            .expect(missing)
            .append_option(price);
        row.append(true);
    }
    products.append(true);
}

fn wire_lines(event: &Event) -> Vec<Value> {
    let line = |(line, price): (&events::LineItem, Option<f64>)| {
        let mut wire = json!({ "product_id": line.product_id, "quantity": line.quantity });
        if let Some(price) = price {
            wire["price"] = json!(price);
        }
        wire
    };
    event
        .properties
        .products
        .iter()
        .zip(prices(event))
        .map(line)
        .collect()
}
