//! `TensorBoard`'s event files: numbers over the steps of a run, readable while the run goes on.
//!
//! A file is a series of records, each `length u64 | crc | data | crc` in little-endian order, where data is one
//! `Event` in protocol buffers and crc the masked CRC-32C of what stands before it. Source of the format:
//! `TensorFlow`'s `record_writer.cc`, `event.proto` and `summary.proto`.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::NnError;

/// `TensorBoard` reads every file whose name contains `tfevents`.
const NAME: &str = "events.out.tfevents.hawker";

/// The version of the format, which the first record of a file states.
const VERSION: &[u8] = b"brain.Event:2";

/// Writes the scalars of one run as the file `events.out.tfevents.hawker` of a folder, which `TensorBoard` shows.
///
/// ```
/// let folder = tempfile::tempdir()?;
/// let mut events = nn::EventFile::create(folder.path(), 1_700_000_000.0)?;
/// events.scalar("loss/train", 100, 2.5, 1_700_000_007.0)?;
/// events.flush()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Wall times are seconds since 1970 and come in as arguments: this crate reads no clock.
///
/// How this differs from `TensorFlow`'s writer: one file a run, to which a resumed run appends, instead of one a
/// process; scalars alone.
#[derive(Debug)]
pub struct EventFile {
    path: PathBuf,
    writer: BufWriter<File>,
}

impl EventFile {
    /// Starts the file of a run in a folder, which is created where it is missing.
    ///
    /// # Errors
    /// [`NnError::Io`] where the file exists already or cannot be written, [`NnError::Config`] where the wall time is
    /// not finite.
    pub fn create(folder: &Path, wall_time: f64) -> Result<Self, NnError> {
        let path = folder.join(NAME);
        let open = || {
            std::fs::create_dir_all(folder)?;
            OpenOptions::new().write(true).create_new(true).open(&path)
        };
        let file = open().map_err(|source| NnError::io("create", &path, source))?;
        Self::started(path, file, wall_time)
    }

    /// Continues the file of a run at a step, or starts it where there is none.
    ///
    /// The file is cut before its first record of `step` or later, since those steps are about to be repeated, and
    /// before a record that a crash tore, behind which `TensorBoard` reads nothing: it goes on as if the run had never
    /// stopped. A `TensorBoard` that read further already shows the repeated steps twice until it is started anew; the
    /// start of session that `TensorFlow` writes instead is passed over by today's scalars page.
    ///
    /// # Errors
    /// [`NnError::Io`] where the file cannot be read or written, [`NnError::Config`] where the wall time is not finite.
    pub fn resume(folder: &Path, step: u64, wall_time: f64) -> Result<Self, NnError> {
        let path = folder.join(NAME);
        if !path.exists() {
            return Self::create(folder, wall_time);
        }
        let content = std::fs::read(&path).map_err(|source| NnError::io("read", &path, source))?;
        let kept = length_before(&content, step);
        let open = || {
            let file = OpenOptions::new().append(true).open(&path)?;
            file.set_len(kept as u64)?;
            Ok(file)
        };
        let file = open().map_err(|source| NnError::io("continue", &path, source))?;
        if kept == 0 {
            return Self::started(path, file, wall_time);
        }
        let writer = BufWriter::new(file);
        Ok(Self { path, writer })
    }

    /// Writes the record that states the format's version.
    fn started(path: PathBuf, file: File, wall_time: f64) -> Result<Self, NnError> {
        let writer = BufWriter::new(file);
        let mut events = Self { path, writer };
        events.event(wall_time, 0, FILE_VERSION, VERSION)?;
        events.flush()?;
        Ok(events)
    }

    /// Adds one number of a step under a tag; a slash in the tag makes a group, as in `loss/train`.
    ///
    /// The record is kept in memory until [`EventFile::flush`] or until some kilobytes have come together.
    ///
    /// # Errors
    /// [`NnError::Config`] where the tag is empty or the wall time is not finite, [`NnError::Io`] where the file cannot
    /// be written.
    pub fn scalar(
        &mut self,
        tag: &str,
        step: u64,
        value: f32,
        wall_time: f64,
    ) -> Result<(), NnError> {
        if tag.is_empty() {
            return Err(NnError::Config {
                field: "tag",
                value: "empty".to_owned(),
                expected: "a name to show the number under",
            });
        }
        // Summary { value: [Value { tag, simple_value }] }
        let mut summary_value = Vec::new();
        bytes_field(1, tag.as_bytes(), &mut summary_value);
        key(2, FOUR_BYTES, &mut summary_value);
        summary_value.extend(value.to_le_bytes());
        let mut summary = Vec::new();
        bytes_field(1, &summary_value, &mut summary);
        self.event(wall_time, step, SUMMARY, &summary)
    }

    /// Hands everything written so far to the operating system, where `TensorBoard` sees it.
    ///
    /// # Errors
    /// [`NnError::Io`] where the file cannot be written.
    pub fn flush(&mut self) -> Result<(), NnError> {
        let flushed = self.writer.flush();
        flushed.map_err(|source| NnError::io("write", &self.path, source))
    }

    /// Adds an `Event` that holds a wall time, a step and one more field.
    fn event(
        &mut self,
        wall_time: f64,
        step: u64,
        field: u64,
        content: &[u8],
    ) -> Result<(), NnError> {
        if !wall_time.is_finite() {
            return Err(NnError::Config {
                field: "wall_time",
                value: wall_time.to_string(),
                expected: "seconds since 1970",
            });
        }
        let mut event = Vec::new();
        key(1, EIGHT_BYTES, &mut event);
        event.extend(wall_time.to_le_bytes());
        if step > 0 {
            varint_field(2, step, &mut event);
        }
        bytes_field(field, content, &mut event);
        let written = self.writer.write_all(&record(&event));
        written.map_err(|source| NnError::io("write", &self.path, source))
    }
}

/// Fields of `Event`.
const FILE_VERSION: u64 = 3;
const SUMMARY: u64 = 5;

/// Wire types of protocol buffers.
const VARINT: u64 = 0;
const EIGHT_BYTES: u64 = 1;
const LENGTH_AND_BYTES: u64 = 2;
const FOUR_BYTES: u64 = 5;

fn key(field: u64, wire_type: u64, out: &mut Vec<u8>) {
    varint(field << 3 | wire_type, out);
}

fn varint_field(field: u64, value: u64, out: &mut Vec<u8>) {
    key(field, VARINT, out);
    varint(value, out);
}

fn bytes_field(field: u64, bytes: &[u8], out: &mut Vec<u8>) {
    key(field, LENGTH_AND_BYTES, out);
    varint(bytes.len() as u64, out);
    out.extend(bytes);
}

/// Seven bits a byte, the lowest first; the top bit says that more follow.
fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Frames the data of one record.
fn record(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    let [length_crc, data_crc] = [&length[..], data].map(|part| masked_crc(part).to_le_bytes());
    [&length, length_crc.as_slice(), data, &data_crc].concat()
}

/// CRC-32C, turned and shifted so that the checksum of data that holds checksums stays meaningful.
fn masked_crc(data: &[u8]) -> u32 {
    let crc = crc32c::crc32c(data);
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

/// The number of leading bytes that are whole records of steps before `step`; the first record has no step.
fn length_before(content: &[u8], step: u64) -> usize {
    let mut rest = content;
    while let Some((event, after)) = split_record(rest) {
        let versioned = rest.len() < content.len();
        if versioned && step_of(event).is_none_or(|found| found >= step) {
            break;
        }
        rest = after;
    }
    content.len() - rest.len()
}

/// The data of the first record and what follows it, or nothing where that record is torn or damaged.
fn split_record(content: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = content.split_first_chunk::<8>()?;
    let (length_crc, rest) = rest.split_first_chunk::<4>()?;
    if u32::from_le_bytes(*length_crc) != masked_crc(length) {
        return None;
    }
    let size = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    let (data, rest) = rest.split_at_checked(size)?;
    let (data_crc, rest) = rest.split_first_chunk::<4>()?;
    (u32::from_le_bytes(*data_crc) == masked_crc(data)).then_some((data, rest))
}

/// The step of an event that this writer wrote: a wall time, then a step unless it is 0.
fn step_of(event: &[u8]) -> Option<u64> {
    let (_, rest) = event.split_first_chunk::<9>()?;
    let Some(bytes) = rest.strip_prefix(&[(2 << 3 | VARINT) as u8]) else {
        return Some(0);
    };
    let mut step = 0;
    for (byte, shift) in bytes.iter().zip((0..64).step_by(7)) {
        step |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(step);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    /// What `TensorBoard` 2.21's own writer makes of the events in [`written`].
    const FIXTURE: [&str; 4] = [
        "1800000000000000a37f4b220900001040fc54d9411a0d627261696e2e4576656e743a32338d2fe9",
        "1e00000000000000d9dc12320900004040fc54d9412a130a110a0a6c6f73732f747261696e1500002040a571247d",
        "2100000000000000017becf6090000a040fc54d94110ac022a130a110a0a6c6f73732f747261696e15000000be489c63cc",
        "1f00000000000000514b4418090000c040fc54d94110ffffffff0f2a0e0a0c0a0547c3bc74651500000000cd36985b",
    ];

    /// The bytes of hexadecimal digits.
    fn bytes(hex: &str) -> Vec<u8> {
        let pairs = (0..hex.len()).step_by(2).map(|at| &hex[at..at + 2]);
        pairs
            .map(|pair| u8::from_str_radix(pair, 16).expect("hexadecimal"))
            .collect()
    }

    fn content(folder: &Path) -> Vec<u8> {
        std::fs::read(folder.join(NAME)).expect("written")
    }

    fn written(folder: &Path) {
        let mut events = EventFile::create(folder, 1_700_000_000.25).expect("new");
        let mut scalar = |tag, step, value, wall_time| {
            let result = events.scalar(tag, step, value, wall_time);
            result.expect("writable");
        };
        scalar("loss/train", 0, 2.5, 1_700_000_001.0);
        scalar("loss/train", 300, -0.125, 1_700_000_002.5);
        scalar("Güte", u64::from(u32::MAX), 0.0, 1_700_000_003.0);
        events.flush().expect("writable");
    }

    #[test]
    fn bytes_equal_those_of_tensorboards_writer() {
        let folder = tempfile::tempdir().expect("a folder");
        written(folder.path());
        assert_eq!(content(folder.path()), bytes(&FIXTURE.concat()));
    }

    #[test]
    fn a_torn_or_damaged_end_is_cut_before_more_is_written() {
        let folder = tempfile::tempdir().expect("a folder");
        written(folder.path());
        let whole = content(folder.path());
        let lengths = FIXTURE.map(|record| record.len() / 2);
        let path = folder.path().join(NAME);
        for cut in 0..whole.len() {
            std::fs::write(&path, &whole[..cut]).expect("writable");
            let events = EventFile::resume(folder.path(), u64::MAX, 1_700_000_000.25);
            drop(events.expect("writable"));
            // Never less than the record of the version, which is written anew where it was torn.
            let mut kept = lengths[0];
            for length in &lengths[1..] {
                kept += if kept + length <= cut { *length } else { break };
            }
            assert_eq!(content(folder.path()), whole[..kept], "cut at {cut}");
        }
        let before = |content: &[u8]| length_before(content, u64::MAX);
        // Pages that were never written are zeros, and a flipped bit fails the checksum.
        assert_eq!(before(&[&whole[..], &[0; 40]].concat()), whole.len());
        let mut flipped = whole.clone();
        flipped[lengths[0] + 20] ^= 1;
        assert_eq!(before(&flipped), lengths[0]);
        // A length beyond the file, with the right checksum of its own.
        let length = u64::MAX.to_le_bytes();
        let crc = masked_crc(&length).to_le_bytes();
        assert_eq!(before(&[&whole[..], &length, &crc].concat()), whole.len());
    }

    #[test]
    fn steps_that_will_be_repeated_are_cut() {
        let folder = tempfile::tempdir().expect("a folder");
        written(folder.path());
        let whole = content(folder.path());
        let lengths = FIXTURE.map(|record| record.len() / 2);
        let latest = u64::from(u32::MAX);
        for (step, records) in [
            (0, 1),
            (1, 2),
            (300, 2),
            (301, 3),
            (latest, 3),
            (latest + 1, 4),
        ] {
            let kept: usize = lengths[..records].iter().sum();
            assert_eq!(length_before(&whole, step), kept, "resumed at {step}");
        }
    }

    /// Set `HAWKER_TENSORBOARD_PYTHON` to a Python that has the package `tensorboard`.
    #[test]
    fn tensorboard_reads_what_was_written_and_resumed() {
        let Some(python) = std::env::var_os("HAWKER_TENSORBOARD_PYTHON") else {
            eprintln!("skipped: HAWKER_TENSORBOARD_PYTHON is not set");
            return;
        };
        let folder = tempfile::tempdir().expect("a folder");
        written(folder.path());
        let path = folder.path().join(NAME);
        let torn = [&content(folder.path())[..], &[9; 17]].concat();
        std::fs::write(&path, torn).expect("writable");
        let mut events = EventFile::resume(folder.path(), 200, 1_700_000_010.0).expect("writable");
        events
            .scalar("loss/train", 200, 0.75, 1_700_000_011.0)
            .expect("writable");
        events.flush().expect("writable");
        let script = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../bench/peers/read_tensorboard.py"
        );
        let mut command = Command::new(python);
        let output = command.arg(script).arg(folder.path()).output();
        let output = output.expect("Python starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        let found: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let expected = serde_json::json!({
            "loss/train": [[0, 2.5, 1_700_000_001.0], [200, 0.75, 1_700_000_011.0]],
        });
        assert_eq!(found, expected);
    }

    #[test]
    fn what_cannot_be_written_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut events = EventFile::create(folder.path(), 0.0).expect("new");
        let again = EventFile::create(folder.path(), 0.0).expect_err("exists");
        assert!(again.to_string().starts_with("cannot create `"), "{again}");
        let cases = [
            (
                events.scalar("", 1, 0.0, 0.0),
                "`tag` is empty; expected a name to show the number under",
            ),
            (
                events.scalar("loss", 1, 0.0, f64::NAN),
                "`wall_time` is NaN; expected seconds since 1970",
            ),
        ];
        for (result, expected) in cases {
            assert_eq!(result.expect_err("refused").to_string(), expected);
        }
    }
}
