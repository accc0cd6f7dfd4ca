//! A data directory in a temporary folder, and files to import into it.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use engine::ingest::{Format, ImportReport, ImportRequest, import};
use engine::{AssumedConsent, Config, EngineError, Store};
use events::{Event, Timestamp};
use tempfile::TempDir;

/// The time at which all tests import.
pub(crate) const NOW: &str = "2026-06-01T12:00:00Z";
pub(crate) const HEADER: &str =
    "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country";

pub(crate) struct TestShop {
    folder: TempDir,
    pub(crate) store: Store,
    pub(crate) config: Config,
}

impl TestShop {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("data")).unwrap();
        let config = Config::default();
        Self {
            folder,
            store,
            config,
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file into the folder.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn import(
        &mut self,
        format: Format,
        files: &[&Path],
    ) -> Result<ImportReport, EngineError> {
        self.import_with(format, files, &[])
    }

    pub(crate) fn import_with(
        &mut self,
        format: Format,
        files: &[&Path],
        consents: &[&str],
    ) -> Result<ImportReport, EngineError> {
        let request = request(format, files, consents);
        let report = import(&mut self.store, &self.config, &request, &mut |_| {})?;
        assert_eq!(
            report.kept + report.merged + report.quarantined,
            report.rows_read
        );
        assert_eq!(report.by_reason.values().sum::<u64>(), report.quarantined);
        Ok(report)
    }

    /// Writes `content` into a file and imports it.
    pub(crate) fn take(&mut self, format: Format, content: &str) -> ImportReport {
        let path = self.file("input", content);
        self.import(format, &[&path]).unwrap()
    }

    /// The message of the error with which a file of this content is refused.
    pub(crate) fn refusal(
        &mut self,
        format: Format,
        name: &str,
        content: impl AsRef<[u8]>,
    ) -> String {
        let path = self.file(name, content);
        let message = self.import(format, &[&path]).unwrap_err().to_string();
        message.replace(&format!("{}/", self.folder.path().display()), "")
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        let mut events = Vec::new();
        self.store
            .for_each_event(|_, event| {
                events.push(event);
                Ok(())
            })
            .unwrap();
        events
    }
}

pub(crate) fn request(format: Format, files: &[&Path], consents: &[&str]) -> ImportRequest {
    ImportRequest {
        format,
        files: files.iter().map(|path| path.to_path_buf()).collect(),
        consents: consents
            .iter()
            .map(|text| text.parse::<AssumedConsent>().unwrap())
            .collect(),
        now: now(),
    }
}

pub(crate) fn now() -> Timestamp {
    NOW.parse().unwrap()
}

/// Order lines in the form of Online Retail, with repeated, cancelled, service, free and guest lines among them.
pub(crate) fn order_lines(rows: u64) -> String {
    let mut csv = format!("{HEADER}\n");
    for row in 0..rows {
        // A multiplicative generator spreads the rows; the tests need variety, not randomness.
        let mix = row.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        let (invoice, day, product) = (500_000 + row / 7, 1 + row / 7 % 28, mix % 300);
        let customer = if mix % 5 == 0 {
            String::new()
        } else {
            format!("{}.0", 12_000 + row / 7 % 900)
        };
        let (prefix, quantity) = if mix % 50 == 1 {
            ("C", -2)
        } else {
            ("", 1 + (mix % 12).cast_signed())
        };
        let code = if mix % 97 == 3 {
            "POST".to_owned()
        } else {
            format!("{}", 20_000 + product)
        };
        let price = if mix % 101 == 5 {
            "0".to_owned()
        } else {
            format!("{}.95", 1 + product % 20)
        };
        writeln!(
            csv,
            "{prefix}{invoice},{code},\"PRODUCT, NUMBER {product}\",{quantity},2010-03-{day:02} 10:{:02}:00,{price},{customer},UK",
            row / 7 % 60,
        )
        .unwrap();
        if mix % 83 == 7 {
            let line = csv.lines().next_back().unwrap().to_owned();
            csv.push_str(&line);
            csv.push('\n');
        }
    }
    csv
}
