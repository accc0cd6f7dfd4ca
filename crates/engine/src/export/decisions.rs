//! The decisions as rows: in Parquet what was chosen as columns and the whole record beside them.

use std::path::Path;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMillisecondArray,
};
use arrow_schema::{ArrowError, DataType, Field, Schema, TimeUnit};
use events::{Candidate, Decision};
use serde_json::{Value, json};

use super::{Exporter, Names, Table};
use crate::error::Result;
use crate::store::Store;

/// Writes every decision, in the order in which they were made; says how many.
///
/// # Errors
/// As [`super::export_events`].
pub fn export_decisions(store: &Store, path: &Path, names: Names) -> Result<u64> {
    let mut exporter = Exporter::<Decisions>::create(path, names)?;
    store.for_each_decision(None, |decision| {
        let known = match names {
            Names::Pseudonyms => None,
            Names::Identifiers => store.identity(decision.user)?,
        };
        let user = known.map_or_else(
            || decision.user.to_string(),
            |identity| identity.as_str().to_owned(),
        );
        exporter.push(path, DecisionRow { user, decision })
    })?;
    exporter.finish(path)
}

struct Decisions;

struct DecisionRow {
    /// The shopper's pseudonym or identifier.
    user: String,
    decision: Decision,
}

impl Table for Decisions {
    type Row = DecisionRow;

    fn schema() -> Schema {
        let text = |name: &str| Field::new(name, DataType::Utf8, true);
        let number = |name: &str| Field::new(name, DataType::Float64, true);
        let moment = DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
        Schema::new(vec![
            Field::new("decision_id", DataType::Utf8, false),
            text("user"),
            text("channel"),
            text("slot"),
            text("goal"),
            text("locale"),
            text("action"),
            text("product_id"),
            text("variant_id"),
            number("propensity"),
            number("score"),
            text("reason"),
            Field::new("holdout", DataType::Boolean, false),
            text("experiment"),
            Field::new("log_position", DataType::Int64, false),
            text("policy_version"),
            text("model_version"),
            text("catalogue_version"),
            Field::new("decided_at", moment, false),
            text("decision"),
        ])
    }

    fn columns(schema: &Arc<Schema>, rows: &[DecisionRow]) -> Result<RecordBatch, ArrowError> {
        let text = |of: &dyn Fn(&Decision) -> Option<String>| -> ArrayRef {
            Arc::new(
                rows.iter()
                    .map(|row| of(&row.decision))
                    .collect::<StringArray>(),
            )
        };
        let number = |of: &dyn Fn(&Candidate) -> f64| -> ArrayRef {
            Arc::new(
                rows.iter()
                    .map(|row| chosen(&row.decision).map(of))
                    .collect::<Float64Array>(),
            )
        };
        let users = rows
            .iter()
            .map(|row| Some(row.user.as_str()))
            .collect::<StringArray>();
        let holdouts = rows
            .iter()
            .map(|row| Some(row.decision.holdout))
            .collect::<BooleanArray>();
        let positions = rows
            .iter()
            .map(|row| Some(row.decision.log_position))
            .collect::<Int64Array>();
        let times = rows
            .iter()
            .map(|row| row.decision.decided_at.as_millisecond());
        let action =
            |decision: &Decision| json!(chosen(decision)?.action).as_str().map(str::to_owned);
        let wholes = rows
            .iter()
            .map(|row| Self::line(row).ok().map(|whole| whole.to_string()));
        RecordBatch::try_new(
            Arc::clone(schema),
            vec![
                text(&|decision| Some(decision.decision_id.to_string())),
                Arc::new(users),
                text(&|decision| Some(decision.channel.to_string())),
                text(&|decision| Some(decision.slot.clone())),
                text(&|decision| Some(decision.goal.to_string())),
                text(&|decision| Some(decision.context.locale.to_string())),
                text(&action),
                text(&|decision| chosen(decision)?.product.clone()),
                text(&|decision| chosen(decision)?.variant.clone()),
                number(&|candidate| candidate.propensity),
                number(&|candidate| candidate.score),
                text(&|decision| Some(decision.explanation.reason.clone())),
                Arc::new(holdouts),
                text(&|decision| Some(decision.experiment.clone())),
                Arc::new(positions),
                text(&|decision| Some(decision.policy_version.clone())),
                text(&|decision| Some(decision.model_version.clone())),
                text(&|decision| Some(decision.catalogue_version.clone())),
                Arc::new(TimestampMillisecondArray::from_iter_values(times).with_timezone("UTC")),
                Arc::new(wholes.collect::<StringArray>()),
            ],
        )
    }

    fn line(row: &DecisionRow) -> Result<Value, serde_json::Error> {
        let mut decision = serde_json::to_value(&row.decision)?;
        decision["user"] = json!(row.user);
        Ok(decision)
    }
}

/// The chosen candidate; none in a record that no version of this program writes.
fn chosen(decision: &Decision) -> Option<&Candidate> {
    decision.candidates.get(decision.chosen)
}
