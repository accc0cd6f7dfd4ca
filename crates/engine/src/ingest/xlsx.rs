//! Excel workbooks: every sheet in turn, each with its own header, cell by cell in constant memory.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use calamine::{DataRef, Reader, Xlsx, XlsxError};

use super::fields::join_fields;
use super::source::{Batch, Record, empty};
use crate::error::{EngineError, Result};

/// Hands every sheet's rows to `sink` as comma-separated records.
///
/// # Errors
/// [`EngineError::File`] when the workbook cannot be read.
pub(crate) fn read_batches(
    path: &Path,
    file: File,
    batch_len: usize,
    sink: &mut dyn FnMut(Batch) -> bool,
) -> Result<()> {
    let unreadable = |error: XlsxError| {
        EngineError::file(
            path,
            format!("cannot be read as .xlsx: {error}"),
            "open it in a spreadsheet and save it again",
        )
    };
    let mut workbook: Xlsx<_> = Xlsx::new(BufReader::new(file)).map_err(unreadable)?;
    let mut any = false;
    for sheet in workbook.sheet_names() {
        let mut cells = workbook
            .worksheet_cells_reader(&sheet)
            .map_err(unreadable)?;
        let mut rows = Rows::default();
        while let Some(cell) = cells.next_cell().map_err(unreadable)? {
            let (row, column) = cell.get_position();
            rows.put(row, column as usize, text_of(cell.get_value()));
            if rows.finished.len() == batch_len && !rows.flush(sink) {
                return Ok(());
            }
        }
        rows.end_row();
        any |= rows.header.is_some();
        if !rows.flush(sink) {
            return Ok(());
        }
    }
    if any { Ok(()) } else { Err(empty(path)) }
}

/// Puts cells together to rows; the first row of a sheet is its header.
#[derive(Default)]
struct Rows {
    header: Option<Arc<str>>,
    row: u32,
    fields: Vec<String>,
    finished: Vec<Record>,
}

impl Rows {
    fn put(&mut self, row: u32, column: usize, text: String) {
        if row != self.row {
            self.end_row();
            self.row = row;
        }
        if self.fields.len() <= column {
            self.fields.resize(column + 1, String::new());
        }
        self.fields[column] = text;
    }

    fn end_row(&mut self) {
        let text = join_fields(self.fields.iter().map(String::as_str));
        let blank = self.fields.iter().all(|field| field.trim().is_empty());
        self.fields.iter_mut().for_each(String::clear);
        if blank {
            return;
        }
        if self.header.is_none() {
            self.header = Some(text.into());
        } else {
            let line = u64::from(self.row) + 1;
            self.finished.push(Record { line, text });
        }
    }

    fn flush(&mut self, sink: &mut dyn FnMut(Batch) -> bool) -> bool {
        let records = std::mem::take(&mut self.finished);
        match &self.header {
            Some(header) => sink(Batch {
                header: Arc::clone(header),
                records,
                bytes_read: 0,
            }),
            None => true,
        }
    }
}

/// The text that the same cell has in the publisher's CSV export.
fn text_of(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Empty | DataRef::Error(_) => String::new(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
            text.clone()
        }
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => number.to_string(),
        DataRef::Bool(truth) => truth.to_string(),
        DataRef::DateTime(moment) => {
            excel_datetime(moment.as_f64()).unwrap_or_else(|| moment.as_f64().to_string())
        }
    }
}

/// Days since 1899-12-30 as `YYYY-MM-DD HH:MM:SS`, rounded to the second.
fn excel_datetime(days: f64) -> Option<String> {
    let seconds = (days * 86_400.0).round() as i64;
    let epoch = jiff::civil::datetime(1899, 12, 30, 0, 0, 0, 0);
    let moment = epoch
        .checked_add(jiff::Span::new().try_seconds(seconds).ok()?)
        .ok()?;
    Some(moment.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excel_days_become_timestamps() {
        // 2009-12-01 07:45 is Excel day 40148 plus 7.75/24.
        assert_eq!(
            excel_datetime(40148.0 + 7.75 / 24.0).as_deref(),
            Some("2009-12-01 07:45:00")
        );
    }

    #[test]
    fn rows_with_gaps_keep_their_columns() {
        let mut rows = Rows::default();
        rows.put(0, 0, "a".to_owned());
        rows.put(0, 2, "c".to_owned());
        rows.put(3, 1, "x,y".to_owned());
        rows.end_row();
        assert_eq!(rows.header.as_deref(), Some("a,,c"));
        assert_eq!(
            rows.finished,
            [Record {
                line: 4,
                text: ",\"x,y\",".to_owned()
            }]
        );
    }
}
