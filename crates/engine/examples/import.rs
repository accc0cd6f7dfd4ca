//! Imports files and says what became of their rows, how fast, and in how much memory.
//!
//! ```sh
//! cargo run -p engine --example import -- DATA_DIR online-retail ../shared/data/online_retail/*.xz
//! ```
#![allow(clippy::print_stdout, reason = "an example reports to its reader")]

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use engine::ingest::{ImportRequest, import};
use engine::{Config, Store};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(data_dir), Some(format)) = (arguments.next(), arguments.next()) else {
        return Err("usage: import DATA_DIR FORMAT FILE…".into());
    };
    let request = ImportRequest {
        format: format.parse()?,
        files: arguments.map(Into::into).collect(),
        consents: vec!["push:marketing=granted".parse()?],
        now: jiff::Timestamp::now(),
    };
    let mut store = Store::open(Path::new(&data_dir))?;
    let started = Instant::now();
    let report = import(&mut store, &Config::default(), &request, &mut |_| {})?;
    let seconds = started.elapsed().as_secs_f64();
    println!("{}", serde_json::to_string_pretty(&report)?);
    let speed = report.rows_read as f64 / seconds;
    println!("{seconds:.2} s, {speed:.0} rows/s, peak {} MiB", peak_mib());
    println!("fingerprint {}", store.fingerprint()?);

    let catalogue = store.catalogue()?;
    println!("\n{} products, such as:", catalogue.products.len());
    for product in catalogue
        .products
        .values()
        .step_by(catalogue.products.len() / 8 + 1)
    {
        println!("  {}", serde_json::to_string(product)?);
    }
    println!("\nquarantined rows, such as:");
    for (reason, rows) in store.quarantine_counts()? {
        for entry in store.quarantine_entries(Some(&reason), 2)? {
            println!(
                "  {reason} ({rows}): {}, line {}: {} ({})",
                entry.file, entry.line, entry.text, entry.detail
            );
        }
    }
    Ok(())
}

/// Largest resident memory of this process; 0 where the system does not tell.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}
