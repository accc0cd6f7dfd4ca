//! Runs the binary in a temporary folder, and writes small shops for it.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

pub(crate) const HEADER: &str =
    "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country";
pub(crate) const CONSENT: [&str; 2] = ["--consent", "push:marketing=granted"];

/// A user model that trains in a second, with checkpoints often enough to be killed between two.
pub(crate) const SMALL_MODEL: &str = "
[model]
width = 8
layers = 1
heads = 1
hidden = 16
max_length = 16
text_buckets = 32
batch_interactions = 256
epochs = 3
checkpoint_steps = 2

[evaluation]
bootstrap_resamples = 20

[campaign]
max_product_share = 0.3

[copywriter]
drafts = 1
keep = 1
";
/// The library alone writes.
pub(crate) const NO_COPYWRITER: &str = "native = false\n";
/// A copywriter that writes nothing worth reading, as fast as it goes.
pub(crate) const SMALL_COPYWRITER: &str = "
[copywriter.model]
width = 8
layers = 1
heads = 2
hidden = 16
max_pieces = 300
product_texts = 10
epochs = 1
max_steps = 6
checkpoint_steps = 2
";

/// A folder in which `hawker` runs; its data directory is the default one.
pub(crate) struct Hawker {
    folder: TempDir,
}

/// What a run said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Hawker {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path("hawker-data")
    }

    /// Writes a file into the folder.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).expect("writable");
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hawker"));
        command.args(arguments).current_dir(self.folder.path());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    /// Runs to the end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        let mut command = self.command(arguments);
        let output = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .output()
            .expect("runs");
        Said {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).expect("text"),
            err: String::from_utf8(output.stderr).expect("text"),
        }
    }

    /// Runs what must succeed, and returns what it printed.
    pub(crate) fn says(&self, arguments: &[&str]) -> String {
        let said = self.run(arguments);
        assert_eq!(said.code, Some(0), "{arguments:?}: {said:?}");
        said.out
    }

    /// Runs what must succeed with `--json`, and parses its last line.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let out = self.says(&[arguments, &["--json"]].concat());
        let last = out.lines().next_back().expect("a last line");
        let value: Value = serde_json::from_str(last).expect("JSON");
        assert!(value.is_object(), "{last}");
        value
    }

    /// Runs what must fail with exit code 1, in words and with `--json`, and returns the message.
    pub(crate) fn fails(&self, arguments: &[&str]) -> String {
        let said = self.run(arguments);
        assert_eq!(
            (said.code, said.out.lines().count()),
            (Some(1), 0),
            "{arguments:?}: {said:?}"
        );
        let last = said.err.lines().next_back().expect("a message");
        let message = last
            .strip_prefix("hawker: ")
            .expect("the program's name")
            .to_owned();
        let said = self.run(&[arguments, &["--json"]].concat());
        assert_eq!(said.code, Some(1));
        let last: Value =
            serde_json::from_str(said.out.lines().next_back().expect("a last line")).expect("JSON");
        assert_eq!(last["error"], message);
        message
    }

    pub(crate) fn status(&self) -> Value {
        self.json(&["status"])
    }

    /// Copies the data directory into another folder.
    pub(crate) fn copy_data_to(&self, other: &Self) {
        copy_folder(&self.data(), &other.data());
    }
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("writable");
    for entry in std::fs::read_dir(from).expect("readable") {
        let path = entry.expect("readable").path();
        let copy = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy_folder(&path, &copy);
        } else {
            std::fs::copy(&path, &copy).expect("copies");
        }
    }
}

/// Order lines in the form of Online Retail, from the first of January 2024 on: some service lines and guests among
/// them, products that go together, and shoppers who come back for the same ones.
pub(crate) fn order_lines(invoices: u32, shoppers: u32, products: u32, days: u32) -> String {
    let mut csv = format!("{HEADER}\n");
    for invoice in 0..invoices {
        // A multiplicative generator spreads the rows; the tests need variety, not randomness.
        let mix = (u64::from(invoice).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33) as u32;
        let shopper = mix % shoppers;
        let customer = if mix.is_multiple_of(23) {
            String::new()
        } else {
            format!("{}.0", 12_000 + shopper)
        };
        let when = moment(invoice, invoices, days);
        let id = 500_000 + invoice;
        for line in 0..=mix % 3 {
            let product =
                (shopper % 4 * (products / 4) + (mix / 7 + 3 * line) % (products / 3)) % products;
            let (pieces, pence) = (1 + (mix + line) % 6, 95 + product * 37 % 900);
            writeln!(
                csv,
                "{id},{},RED THING NO {product},{pieces},{when},{}.{:02},{customer},United Kingdom",
                20_000 + product,
                pence / 100,
                pence % 100
            )
            .expect("fits");
        }
        if mix.is_multiple_of(29) {
            writeln!(csv, "{id},POST,POSTAGE,1,{when},18.0,{customer},France").expect("fits");
        }
    }
    csv
}

/// Spreads the invoices evenly over some days, in months of 28.
fn moment(invoice: u32, invoices: u32, days: u32) -> String {
    let day = (u64::from(invoice) * u64::from(days) / u64::from(invoices)) as u32;
    let (month, hour) = (day / 28, 8 + invoice % 12);
    format!(
        "{}-{:02}-{:02} {hour:02}:{:02}:00",
        2024 + month / 12,
        month % 12 + 1,
        day % 28 + 1,
        invoice % 60
    )
}

/// A shop of ninety shoppers and two dozen products, small enough to train on in a second.
pub(crate) fn small_shop() -> String {
    order_lines(900, 90, 24, 450)
}
