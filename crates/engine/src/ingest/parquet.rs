//! Parquet files as comma-separated records, so that one column mapping serves both.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;

use super::fields::join_fields;
use super::source::{Batch, Record};
use crate::error::{EngineError, Result};

/// Hands the rows to `sink`; the line of a row is its number, counted from 1.
///
/// # Errors
/// [`EngineError::File`] when the file is no Parquet or damaged.
pub(crate) fn read_batches(
    path: &Path,
    file: File,
    batch_len: usize,
    sink: &mut dyn FnMut(Batch) -> bool,
) -> Result<()> {
    let unreadable = |error: ParquetError| {
        EngineError::file(
            path,
            format!("cannot be read as Parquet: {error}"),
            "fetch or export it again",
        )
    };
    let reader = SerializedFileReader::new(file).map_err(unreadable)?;
    let schema = reader.metadata().file_metadata().schema_descr();
    let columns = schema.root_schema().get_fields();
    let header: Arc<str> = join_fields(columns.iter().map(|column| column.name())).into();
    let batch = |records| Batch {
        header: Arc::clone(&header),
        records,
        bytes_read: 0,
    };
    let mut go_on = sink(batch(Vec::new()));
    let mut rows = reader.get_row_iter(None).map_err(unreadable)?.enumerate();
    while go_on {
        let mut records = Vec::with_capacity(batch_len);
        for (index, row) in rows.by_ref().take(batch_len) {
            let row = row.map_err(unreadable)?;
            let fields: Vec<String> = row
                .get_column_iter()
                .map(|(_, field)| text_of(field))
                .collect();
            let text = join_fields(fields.iter().map(String::as_str));
            let line = index as u64 + 1;
            records.push(Record { line, text });
        }
        go_on = !records.is_empty() && sink(batch(records));
    }
    Ok(())
}

fn text_of(field: &Field) -> String {
    let moment = |moment: Result<Timestamp, jiff::Error>| {
        moment.map_or_else(|_| String::new(), |at| at.to_string())
    };
    match field {
        Field::Null => String::new(),
        Field::Str(text) => text.clone(),
        // Writers store whole numbers as floats where a column has gaps; an identifier is then still `13085`.
        Field::Float(number) => number.to_string(),
        Field::Double(number) => number.to_string(),
        Field::Date(days) => moment(Timestamp::from_second(i64::from(*days) * 86_400)),
        Field::TimestampMillis(ms) => moment(Timestamp::from_millisecond(*ms)),
        Field::TimestampMicros(us) => moment(Timestamp::from_microsecond(*us)),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_become_the_text_of_a_csv() {
        for (field, text) in [
            (Field::Null, ""),
            (Field::Str("a,b".to_owned()), "a,b"),
            (Field::Double(13085.0), "13085"),
            (Field::Double(2.55), "2.55"),
            (Field::Float(2.5), "2.5"),
            (Field::Int(-3), "-3"),
            (Field::Bool(true), "true"),
            (
                Field::TimestampMillis(1_291_191_960_000),
                "2010-12-01T08:26:00Z",
            ),
            (
                Field::TimestampMicros(1_291_191_960_000_000),
                "2010-12-01T08:26:00Z",
            ),
            (Field::Date(14_944), "2010-12-01T00:00:00Z"),
        ] {
            assert_eq!(text_of(&field), text);
        }
    }
}
