//! One file on its way in: a thread cuts it into batches, the pool maps their rows, the caller's thread writes.
//!
//! The queues between them are short, so memory stays constant however long the file is, and the rows are written in
//! the order in which they stand, whatever the number of threads.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use rayon::prelude::*;

use super::ImportProgress;
use super::format::{Format, RowMapper};
use super::intake::{Intake, Origin, Outcome};
use super::prepare::Preparer;
use super::row::Row;
use super::source::{self, Batch, Record};
use crate::config::Config;
use crate::error::Result;
use crate::store::Store;

/// Rows of a batch.
const BATCH_ROWS: usize = 4096;
/// Batches that wait between two stages.
const QUEUE: usize = 3;
/// What an import does with every file.
pub(crate) struct Job<'a> {
    pub(crate) format: Format,
    pub(crate) config: &'a Config,
    pub(crate) preparer: &'a Preparer,
    /// Rows that are committed together.
    pub(crate) commit_rows: usize,
}

struct MappedBatch {
    header: Arc<str>,
    rows: Vec<(u64, Outcome)>,
    bytes_read: u64,
}

/// Where the writer stands after a transaction.
enum Step {
    More,
    Ended,
    /// The file is broken from here on; what came before is committed.
    Broken(crate::EngineError),
}

impl Job<'_> {
    /// Reads, maps and writes one file.
    ///
    /// # Errors
    /// Those of [`source::read_batches`] and [`RowMapper::new`], and of the database. All rows before the fault are
    /// committed, or for a fault of the database those of the transactions before.
    pub(crate) fn import_file(
        &self,
        store: &mut Store,
        path: &Path,
        intake: &mut Intake,
        progress: &mut dyn FnMut(&ImportProgress),
    ) -> Result<()> {
        let (batches, to_map) = sync_channel(QUEUE);
        let (mapped, to_write) = sync_channel(QUEUE);
        intake.begin_file();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let mut sink = |batch| batches.send(Ok(batch)).is_ok();
                if let Err(error) =
                    source::read_batches(path, self.format.shape(), BATCH_ROWS, &mut sink)
                {
                    // The receiver is gone only when the writer has failed, and then reports its own error.
                    let _ = batches.send(Err(error));
                }
            });
            scope.spawn(move || self.map_batches(path, &to_map, &mapped));
            // Dropped where this closure ends, also by an error or a panic: that ends the other stages.
            let to_write = to_write;
            self.write_batches(store, path, &to_write, intake, progress)
        })
    }

    fn map_batches(
        &self,
        path: &Path,
        batches: &Receiver<Result<Batch>>,
        mapped: &SyncSender<Result<MappedBatch>>,
    ) {
        let mut current: Option<(Arc<str>, RowMapper)> = None;
        for batch in batches {
            let result = batch.and_then(|batch| {
                let same = current
                    .as_ref()
                    .is_some_and(|(header, _)| Arc::ptr_eq(header, &batch.header));
                if !same {
                    let mapper = RowMapper::new(
                        self.format,
                        path,
                        &batch.header,
                        self.config,
                        self.preparer.now(),
                    )?;
                    current = Some((Arc::clone(&batch.header), mapper));
                }
                let rows = current
                    .as_ref()
                    .map(|(_, mapper)| self.map_rows(mapper, batch.records));
                Ok(MappedBatch {
                    header: batch.header,
                    rows: rows.unwrap_or_default(),
                    bytes_read: batch.bytes_read,
                })
            });
            let failed = result.is_err();
            if mapped.send(result).is_err() || failed {
                return;
            }
        }
    }

    fn map_rows(&self, mapper: &RowMapper, records: Vec<Record>) -> Vec<(u64, Outcome)> {
        records
            .into_par_iter()
            .with_min_len(128)
            .map(|record| (record.line, self.map_row(mapper, record.text)))
            .collect()
    }

    /// Maps and prepares one row.
    pub(crate) fn map_row(&self, mapper: &RowMapper, text: String) -> Outcome {
        let prepared = mapper.map(&text).and_then(|row| {
            Ok(match row {
                Row::Event(event, title) => {
                    Outcome::Event(Box::new(self.preparer.event(*event, title)?))
                }
                Row::Product(product) => {
                    self.preparer.product(&product)?;
                    Outcome::Product(product)
                }
                Row::Variant(product) => {
                    self.preparer.product(&product)?;
                    Outcome::Variant(product, text.clone())
                }
                Row::Merged => Outcome::Merged,
            })
        });
        prepared.unwrap_or_else(|rejection| Outcome::Rejected(rejection, text))
    }

    fn write_batches(
        &self,
        store: &mut Store,
        path: &Path,
        mapped: &Receiver<Result<MappedBatch>>,
        intake: &mut Intake,
        progress: &mut dyn FnMut(&ImportProgress),
    ) -> Result<()> {
        let mut so_far = ImportProgress {
            file: path.to_owned(),
            bytes_read: 0,
            bytes_total: std::fs::metadata(path).map_or(0, |metadata| metadata.len()),
            rows: 0,
        };
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        loop {
            let step = store.transaction(|store| {
                let mut rows = 0;
                let step = loop {
                    match mapped.recv() {
                        Err(_) => break Step::Ended,
                        Ok(Err(error)) => break Step::Broken(error),
                        Ok(Ok(batch)) => {
                            rows += batch.rows.len();
                            so_far.rows += batch.rows.len() as u64;
                            so_far.bytes_read = batch.bytes_read;
                            self.write_batch(store, &name, batch, intake)?;
                        }
                    }
                    progress(&so_far);
                    if rows >= self.commit_rows {
                        break Step::More;
                    }
                };
                intake.flush(store)?;
                Ok(step)
            })?;
            match step {
                Step::More => {}
                Step::Ended => return Ok(()),
                Step::Broken(error) => return Err(error),
            }
        }
    }

    fn write_batch(
        &self,
        store: &Store,
        file: &str,
        batch: MappedBatch,
        intake: &mut Intake,
    ) -> Result<()> {
        let MappedBatch { header, rows, .. } = batch;
        for (line, outcome) in rows {
            let origin = Origin {
                format: self.format.name(),
                file,
                header: &header,
                line,
            };
            intake.apply(store, origin, outcome)?;
        }
        Ok(())
    }
}
