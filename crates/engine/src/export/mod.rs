//! Export: the log, the catalogue and the decisions as Parquet or as JSON lines, by the name of the file.
//!
//! A file is either whole or absent: it is written beside its place, synced and renamed. Shoppers appear under their
//! pseudonyms, or on request under their identifiers, then in a file that no other user can read.
//!
//! Never holds more than one batch of rows in memory.

mod decisions;
mod events;
mod products;
mod whole_file;

use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use ::parquet::basic::{Compression, ZstdLevel};
use ::parquet::file::properties::WriterProperties;
use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, Schema};
use serde_json::Value;

pub use self::decisions::export_decisions;
pub use self::events::export_events;
pub use self::products::export_products;
pub(crate) use self::whole_file::WholeFile;
use crate::error::{EngineError, Result};

/// Rows of a Parquet batch.
const BATCH_ROWS: usize = 8192;

/// How shoppers are named in an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// By pseudonym, without anything that may name a person.
    Pseudonyms,
    /// By identifier, with all personal data: what a person who asks for their data gets.
    Identifiers,
}

/// A kind of row that can be exported.
trait Table {
    /// One row.
    type Row;

    fn schema() -> Schema;

    /// The rows as columns of the schema.
    fn columns(schema: &Arc<Schema>, rows: &[Self::Row]) -> Result<RecordBatch, ArrowError>;

    /// The row as one JSON line.
    fn line(row: &Self::Row) -> Result<Value, serde_json::Error>;
}

/// Writes the rows of one table to one file.
struct Exporter<T: Table> {
    target: Target,
    schema: Arc<Schema>,
    rows: Vec<T::Row>,
    written: u64,
}

enum Target {
    JsonLines(BufWriter<WholeFile>),
    Parquet(Box<ArrowWriter<WholeFile>>),
}

impl<T: Table> Exporter<T> {
    fn create(path: &Path, names: Names) -> Result<Self> {
        let schema = Arc::new(T::schema());
        let extension = path.extension().and_then(|extension| extension.to_str());
        let open = || WholeFile::create(path, names == Names::Identifiers);
        let target = match extension {
            Some("jsonl") => Target::JsonLines(BufWriter::new(open()?)),
            Some("parquet") => {
                let properties = WriterProperties::builder()
                    .set_compression(Compression::ZSTD(ZstdLevel::default()))
                    .build();
                let writer = ArrowWriter::try_new(open()?, Arc::clone(&schema), Some(properties));
                Target::Parquet(Box::new(writer.map_err(|error| unwritable(path, error))?))
            }
            _ => {
                return Err(EngineError::file(
                    path,
                    "its name says neither Parquet nor JSON lines",
                    "end it in .parquet or .jsonl",
                ));
            }
        };
        let rows = Vec::with_capacity(BATCH_ROWS);
        Ok(Self {
            target,
            schema,
            rows,
            written: 0,
        })
    }

    fn push(&mut self, path: &Path, row: T::Row) -> Result<()> {
        self.rows.push(row);
        if self.rows.len() == BATCH_ROWS {
            self.flush(path)
        } else {
            Ok(())
        }
    }

    fn flush(&mut self, path: &Path) -> Result<()> {
        match &mut self.target {
            Target::JsonLines(writer) => {
                for row in &self.rows {
                    let line = T::line(row).map_err(|error| unwritable(path, error))?;
                    writeln!(writer, "{line}").map_err(EngineError::io("write", path))?;
                }
            }
            Target::Parquet(writer) => {
                let batch = T::columns(&self.schema, &self.rows)
                    .map_err(|error| unwritable(path, error))?;
                writer
                    .write(&batch)
                    .map_err(|error| unwritable(path, error))?;
                // A group of rows is buffered until it is complete; a bound on it bounds memory.
                if writer.in_progress_size() > 32 << 20 {
                    writer.flush().map_err(|error| unwritable(path, error))?;
                }
            }
        }
        self.written += self.rows.len() as u64;
        self.rows.clear();
        Ok(())
    }

    /// Puts the file in its place; says how many rows it holds.
    fn finish(mut self, path: &Path) -> Result<u64> {
        self.flush(path)?;
        let file = match self.target {
            Target::JsonLines(writer) => writer
                .into_inner()
                .map_err(|error| EngineError::io("write", path)(error.into_error()))?,
            Target::Parquet(writer) => writer
                .into_inner()
                .map_err(|error| unwritable(path, error))?,
        };
        file.finish().map_err(EngineError::io("write", path))?;
        Ok(self.written)
    }
}

fn unwritable(path: &Path, error: impl std::error::Error + Send + Sync + 'static) -> EngineError {
    EngineError::io("write", path)(std::io::Error::other(error))
}
