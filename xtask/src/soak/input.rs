//! What the soak imports: given files, or a small shop in the format `online-retail`.

use crate::Outcome;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// The two spellings of the header that the format has.
const HEADERS: [&str; 2] = [
    "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country",
    "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country",
];
const INVOICES_PER_FILE: u32 = 10_000;
const SHOPPERS: u32 = 1_500;
const PRODUCTS: u32 = 400;
/// Products a shopper returns to.
const FAVOURITES: u32 = 12;

/// Returns the CSV files of a folder, packed or not, sorted by name.
pub(crate) fn files_in(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))? {
        let path = entry?.path();
        let packed = path.extension().is_some_and(|extension| extension == "xz");
        let plain = if packed {
            path.with_extension("")
        } else {
            path.clone()
        };
        if plain
            .extension()
            .is_some_and(|extension| extension == "csv")
        {
            files.push(path);
        }
    }
    if files.is_empty() {
        return Err(format!("{} holds no .csv or .csv.xz file", folder.display()).into());
    }
    files.sort();
    Ok(files)
}

/// Writes two files of one shop into `folder`, a year each; every tenth invoice stands in both.
pub(crate) fn generate(folder: &Path, seed: u64) -> Outcome<Vec<PathBuf>> {
    fs::create_dir_all(folder)?;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut years = HEADERS.map(|header| format!("{header}\n"));
    for number in 0..2 * INVOICES_PER_FILE {
        let lines = invoice(&mut rng, number);
        let year = usize::from(number >= INVOICES_PER_FILE);
        years[year].push_str(&lines);
        if number % 10 == 0 {
            years[1 - year].push_str(&lines);
        }
    }
    let mut files = Vec::new();
    for (year, text) in years.iter().enumerate() {
        let file = folder.join(format!("year-{}.csv", year + 1));
        fs::write(&file, text)?;
        files.push(file);
    }
    Ok(files)
}

/// Draws one invoice; some are cancellations, some have no customer, some are for postage alone.
fn invoice(rng: &mut ChaCha8Rng, number: u32) -> String {
    let shopper = rng.random_range(0..SHOPPERS);
    let customer = if rng.random_bool(0.1) {
        String::new()
    } else {
        format!("{}.0", 12_000 + shopper)
    };
    let (prefix, sign) = if rng.random_bool(0.02) {
        ("C", "-")
    } else {
        ("", "")
    };
    let id = 500_000 + number;
    let date = date_of(number);
    if rng.random_bool(0.02) {
        return format!("{id},POST,POSTAGE,1,{date},18.0,{customer},France\n");
    }
    let mut lines = String::new();
    for _ in 0..rng.random_range(1..=6) {
        let favourite = (shopper * 31 + rng.random_range(0..FAVOURITES)) % PRODUCTS;
        let product = if rng.random_bool(0.7) {
            favourite
        } else {
            rng.random_range(0..PRODUCTS)
        };
        let quantity = rng.random_range(1..=12);
        let price = f64::from(45 + product * 7 % 990) / 100.0;
        let _ = writeln!(
            lines,
            "{prefix}{id},{},RED THING NO {product},{sign}{quantity},{date},{price:.2},{customer},United Kingdom",
            20_000 + product
        );
    }
    lines
}

/// Spreads the invoices evenly over two years whose months have 28 days.
fn date_of(number: u32) -> String {
    let minutes = u64::from(number) * 2 * 12 * 28 * 24 * 60 / u64::from(2 * INVOICES_PER_FILE);
    let (hours, days) = (minutes / 60, minutes / 60 / 24);
    let months = days / 28;
    let (year, month, day) = (2010 + months / 12, months % 12 + 1, days % 28 + 1);
    format!(
        "{year}-{month:02}-{day:02} {:02}:{:02}:00",
        hours % 24,
        minutes % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_writes_the_same_files() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let mut texts = Vec::new();
        for (name, seed) in [("a", 1), ("b", 1), ("c", 2)] {
            let files = generate(&folder.path().join(name), seed).expect("files can be written");
            assert_eq!(
                files_in(&folder.path().join(name)).expect("two files are there"),
                files
            );
            texts.push(fs::read_to_string(&files[0]).expect("the file was written"));
        }
        assert_eq!(texts[0], texts[1]);
        assert_ne!(texts[0], texts[2]);
        for dirt in ["\nC", ",POST,", ",,United Kingdom"] {
            assert!(texts[0].contains(dirt), "{dirt}");
        }
    }

    #[test]
    fn dates_run_through_two_years() {
        assert_eq!(date_of(0), "2010-01-01 00:00:00");
        assert_eq!(date_of(INVOICES_PER_FILE), "2011-01-01 00:00:00");
        assert_eq!(date_of(2 * INVOICES_PER_FILE - 1), "2011-12-28 23:11:00");
    }

    #[test]
    fn an_empty_folder_is_an_error() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        assert!(files_in(folder.path()).is_err());
        assert!(files_in(&folder.path().join("gone")).is_err());
    }
}
