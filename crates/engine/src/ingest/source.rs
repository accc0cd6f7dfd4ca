//! Files as streams of records: plain or .xz text, .xlsx sheets and Parquet, each record with its line.

use std::cell::Cell;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use super::fields::Quotes;
use crate::error::{EngineError, Result};

/// A record longer than this is a fault of the file, most often a quote that is never closed.
const MAX_RECORD_BYTES: usize = 1 << 20;
/// A batch holds no more text than this and one record, whatever the length of its records.
const MAX_BATCH_BYTES: usize = 1 << 22;
/// The first bytes of every .xz file.
const XZ_MAGIC: &[u8] = b"\xfd7zXZ\0";

/// First bytes of files that are no text, what they are, and what to do about it.
const NOT_TEXT: [(&[u8], &str, &str); 4] = [
    (
        b"\x1f\x8b",
        "it is packed with gzip",
        "unpack it with `gunzip`; .xz is read as it is",
    ),
    (
        b"PK\x03\x04",
        "it is a zip archive or a workbook",
        "unpack it, or give a workbook a name that ends in .xlsx",
    ),
    (
        b"\xff\xfe",
        "it is UTF-16",
        "convert it with `iconv -f utf-16 -t utf-8`",
    ),
    (
        b"\xfe\xff",
        "it is UTF-16",
        "convert it with `iconv -f utf-16 -t utf-8`",
    ),
];

/// How a file is cut into records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A header line, then delimited records; a quoted field may span lines.
    Delimited(u8),
    /// One JSON object a line, no header.
    JsonLines,
    /// Rows of a Parquet file under the names of its columns.
    Parquet,
}

/// One record as it stood in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    /// Line on which it starts, counted from 1.
    pub(crate) line: u64,
    pub(crate) text: String,
}

/// Records of one file in their order, with the header that applies to them.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) header: Arc<str>,
    pub(crate) records: Vec<Record>,
    /// Bytes of the file read so far, for progress.
    pub(crate) bytes_read: u64,
}

/// Cuts `path` into batches and hands them to `sink`, which says whether to go on.
///
/// The first batch of a header is empty, so that a header can be refused before its rows are read.
///
/// # Errors
/// [`EngineError::File`] or [`EngineError::Line`] for a file that is missing, empty, truncated, not UTF-8 or
/// holds an endless record.
pub(crate) fn read_batches(
    path: &Path,
    shape: Shape,
    batch_len: usize,
    sink: &mut dyn FnMut(Batch) -> bool,
) -> Result<()> {
    let file = open(path)?;
    let workbook = path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("xlsx"));
    match shape {
        Shape::Parquet => super::parquet::read_batches(path, file, batch_len, sink),
        Shape::Delimited(_) if workbook => super::xlsx::read_batches(path, file, batch_len, sink),
        _ => read_text(RecordReader::new(path, file, shape)?, batch_len, sink),
    }
}

/// Opens an input file that is there and not empty.
///
/// # Errors
/// [`EngineError::File`] for a file that is missing, empty or a folder.
pub(crate) fn open(path: &Path) -> Result<File> {
    let file = File::open(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => EngineError::file(
            path,
            "there is no such file",
            "check the path; paths are relative to where you run hawker",
        ),
        _ => EngineError::io("open", path)(error),
    })?;
    let metadata = file.metadata().map_err(EngineError::io("inspect", path))?;
    if metadata.is_dir() {
        return Err(EngineError::file(
            path,
            "it is a folder",
            "name the files in it",
        ));
    }
    if metadata.is_file() && metadata.len() == 0 {
        return Err(empty(path));
    }
    Ok(file)
}

fn read_text(
    mut reader: RecordReader,
    batch_len: usize,
    sink: &mut dyn FnMut(Batch) -> bool,
) -> Result<()> {
    let header: Arc<str> = match reader.delimiter {
        Some(_) => {
            let header = reader.next()?.ok_or_else(|| empty(&reader.path))?;
            header.text.into()
        }
        None => "".into(),
    };
    let batch = |records, bytes_read| Batch {
        header: Arc::clone(&header),
        records,
        bytes_read,
    };
    let mut go_on = sink(batch(Vec::new(), reader.bytes.get()));
    while go_on {
        let mut records = Vec::with_capacity(batch_len);
        let mut bytes = 0;
        let ended = loop {
            if records.len() == batch_len || bytes > MAX_BATCH_BYTES {
                break Ok(false);
            }
            match reader.next() {
                Ok(Some(record)) if record.text.trim().is_empty() => {}
                Ok(Some(record)) => {
                    bytes += record.text.len();
                    records.push(record);
                }
                Ok(None) => break Ok(true),
                Err(error) => break Err(error),
            }
        };
        // The records in front of a fault are good, and are handed on before it is reported.
        let some = !records.is_empty();
        go_on = !some || sink(batch(records, reader.bytes.get()));
        go_on &= !ended?;
    }
    Ok(())
}

pub(crate) fn empty(path: &Path) -> EngineError {
    EngineError::file(
        path,
        "the file is empty",
        "check that the export finished, then import it again",
    )
}

/// Counts the bytes that pass, so that progress is known whatever decompresses them.
struct Counted<R> {
    inner: R,
    bytes: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.bytes.set(self.bytes.get() + read as u64);
        Ok(read)
    }
}

/// Reads one record after the other from a text file.
struct RecordReader {
    path: PathBuf,
    input: Box<dyn BufRead>,
    /// What separates fields; none for JSON lines.
    delimiter: Option<u8>,
    line: u64,
    bytes: Rc<Cell<u64>>,
}

/// What a file holds, unpacked where it is an `.xz` file.
pub(crate) fn unpacked(mut plain: impl BufRead + 'static) -> std::io::Result<Box<dyn BufRead>> {
    if !plain.fill_buf()?.starts_with(XZ_MAGIC) {
        return Ok(Box::new(plain));
    }
    let unpacked = liblzma::bufread::XzDecoder::new_multi_decoder(plain);
    Ok(Box::new(BufReader::with_capacity(1 << 18, unpacked)))
}

impl RecordReader {
    fn new(path: &Path, file: File, shape: Shape) -> Result<Self> {
        let bytes = Rc::new(Cell::new(0));
        let counted = Counted {
            inner: file,
            bytes: Rc::clone(&bytes),
        };
        let mut plain = BufReader::with_capacity(1 << 18, counted);
        let start = plain.fill_buf().map_err(EngineError::io("read", path))?;
        if let Some((_, problem, remedy)) =
            NOT_TEXT.iter().find(|(magic, ..)| start.starts_with(magic))
        {
            return Err(EngineError::file(path, *problem, *remedy));
        }
        Ok(Self {
            path: path.to_owned(),
            input: unpacked(plain).map_err(EngineError::io("read", path))?,
            delimiter: match shape {
                Shape::Delimited(delimiter) => Some(delimiter),
                Shape::JsonLines | Shape::Parquet => None,
            },
            line: 0,
            bytes,
        })
    }

    /// Reads the next record; a quoted field may hold line breaks.
    fn next(&mut self) -> Result<Option<Record>> {
        let start = self.line + 1;
        let mut quotes = self.delimiter.map(Quotes::new);
        let mut bytes = Vec::with_capacity(128);
        loop {
            let before = bytes.len();
            // One byte beyond the bound tells an endless record from one that just fits.
            let bound = (MAX_RECORD_BYTES + 1 - before) as u64;
            let read = Read::by_ref(&mut self.input)
                .take(bound)
                .read_until(b'\n', &mut bytes)
                .map_err(|error| self.unreadable(&error))?;
            if bytes.len() > MAX_RECORD_BYTES {
                return Err(self.endless(start));
            }
            if read == 0 {
                break;
            }
            self.line += 1;
            let open = quotes
                .as_mut()
                .is_some_and(|quotes| quotes.open_after(&bytes[before..]));
            if !open {
                break;
            }
        }
        if bytes.is_empty() {
            return Ok(None);
        }
        while bytes
            .last()
            .is_some_and(|byte| matches!(byte, b'\n' | b'\r'))
        {
            bytes.pop();
        }
        let mut text =
            String::from_utf8(bytes).map_err(|error| self.wrong_encoding(start, &error))?;
        if start == 1 && text.starts_with('\u{feff}') {
            text.remove(0);
        }
        Ok(Some(Record { line: start, text }))
    }

    fn fault(&self, line: u64, problem: String, remedy: &str) -> EngineError {
        EngineError::Line {
            file: self.path.clone(),
            line,
            problem,
            remedy: remedy.to_owned(),
        }
    }

    fn endless(&self, line: u64) -> EngineError {
        let remedy = match self.delimiter {
            Some(_) => "look for a quote that is never closed on this line",
            None => "write one object a line",
        };
        let problem = format!("a record is longer than {} KiB", MAX_RECORD_BYTES / 1024);
        self.fault(line, problem, remedy)
    }

    fn wrong_encoding(&self, start: u64, error: &std::string::FromUtf8Error) -> EngineError {
        let valid = error.utf8_error().valid_up_to();
        let breaks = error.as_bytes()[..valid]
            .split(|byte| *byte == b'\n')
            .count()
            - 1;
        let line = start + breaks as u64;
        self.fault(
            line,
            format!("not UTF-8 (byte 0x{:02x})", error.as_bytes()[valid]),
            "convert the file, for instance with `iconv -f latin1 -t utf-8`",
        )
    }

    fn unreadable(&self, error: &std::io::Error) -> EngineError {
        self.fault(
            self.line + 1,
            format!("cannot be read on: {error}"),
            "the file is truncated or damaged; fetch it again (`xz -t` checks an .xz file)",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::fields::split_fields;
    use super::*;

    type Lines = Vec<(u64, String)>;

    fn read(name: &str, bytes: &[u8], shape: Shape) -> (Lines, Result<()>) {
        let dir = tempfile::tempdir().expect("temporary directory");
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).expect("writes");
        let mut all = Vec::new();
        let result = read_batches(&path, shape, 2, &mut |batch| {
            all.extend(
                batch
                    .records
                    .into_iter()
                    .map(|record| (record.line, record.text)),
            );
            true
        });
        (all, result)
    }

    fn pack(text: &str) -> Vec<u8> {
        let mut packed = Vec::new();
        liblzma::read::XzEncoder::new(text.as_bytes(), 1)
            .read_to_end(&mut packed)
            .expect("packs");
        packed
    }

    #[test]
    fn records_keep_their_lines_and_quoted_breaks() {
        let text = b"\xef\xbb\xbfa,b\r\n1,\"x\ny\"\r\n\r\n2,z\n";
        let (all, result) = read("f.csv", text, Shape::Delimited(b','));
        result.expect("reads");
        assert_eq!(all, [(2, "1,\"x\ny\"".to_owned()), (5, "2,z".to_owned())]);
        assert_eq!(split_fields(&all[0].1, b','), ["1", "x\ny"]);
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_record() {
        let (all, result) = read("f.jsonl", b"\xef\xbb\xbf{}\n", Shape::JsonLines);
        result.expect("reads");
        assert_eq!(all, [(1, "{}".to_owned())]);
    }

    #[test]
    fn packed_files_are_known_by_their_content() {
        // Two streams in one file are what `cat a.xz b.xz` makes.
        let packed = [pack("a\n1\n"), pack("2\n")].concat();
        let (all, result) = read("f.csv", &packed, Shape::Delimited(b','));
        result.expect("reads");
        assert_eq!(all, [(2, "1".to_owned()), (3, "2".to_owned())]);
    }

    #[test]
    fn bad_files_name_file_line_and_remedy() {
        let endless = format!("a,b\n1,2\n3,\"{}", "x".repeat(MAX_RECORD_BYTES + 10));
        let mut xz = pack(&"a,b\n1,2\n".repeat(50_000));
        xz.truncate(xz.len() / 2);
        let csv = Shape::Delimited(b',');
        for (bytes, shape, wanted) in [
            (
                b"".as_slice(),
                csv,
                "f: the file is empty; check that the export finished",
            ),
            (
                b"a\ncaf\xe9\n",
                csv,
                "f, line 2: not UTF-8 (byte 0xe9); convert the file, for instance with `iconv",
            ),
            (
                endless.as_bytes(),
                csv,
                "f, line 3: a record is longer than 1024 KiB; look for a quote",
            ),
            (
                endless.as_bytes(),
                Shape::JsonLines,
                "f, line 3: a record is longer than 1024 KiB; write one object a line",
            ),
            (&xz, csv, "the file is truncated or damaged; fetch it again"),
        ] {
            let message = read("f", bytes, shape).1.expect_err("bad").to_string();
            assert!(message.contains(wanted), "{message}");
        }
        for (bytes, wanted) in [
            (
                b"\x1f\x8b\x08",
                "f: it is packed with gzip; unpack it with `gunzip`",
            ),
            (b"\xff\xfea", "f: it is UTF-16; convert it with `iconv"),
        ] {
            let message = read("f", bytes, Shape::JsonLines)
                .1
                .expect_err("bad")
                .to_string();
            assert!(message.contains(wanted), "{message}");
        }
        let message = |path: &Path| {
            read_batches(path, Shape::JsonLines, 2, &mut |_| true)
                .expect_err("bad")
                .to_string()
        };
        assert!(message(Path::new("nowhere.csv")).contains("there is no such file"));
        assert!(message(Path::new(".")).contains("it is a folder"));
    }

    #[test]
    fn records_in_front_of_a_fault_are_handed_on() {
        let (all, result) = read("f.csv", b"a\n1\n2\n3\n\xe9\n", Shape::Delimited(b','));
        assert_eq!(all.len(), 3);
        assert!(result.is_err());
    }
}
