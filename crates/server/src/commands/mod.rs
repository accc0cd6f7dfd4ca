//! One module a command: it reads its arguments, calls the engine and prints what came of it.

pub(crate) mod bench;
pub(crate) mod campaign;
pub(crate) mod click;
pub(crate) mod copy;
pub(crate) mod demo;
pub(crate) mod drift;
pub(crate) mod evaluate;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod init;
pub(crate) mod learn;
pub(crate) mod lift;
pub(crate) mod quarantine;
pub(crate) mod recommend;
pub(crate) mod report;
pub(crate) mod run;
mod sequences;
pub(crate) mod status;
pub(crate) mod train;
pub(crate) mod tune;

use engine::{Config, Store};

use crate::Outcome;
use crate::cli::Shared;

/// The configuration: the named file, that of the data directory, that of the current folder, or the defaults.
fn config(shared: &Shared) -> Outcome<Config> {
    if let Some(path) = &shared.config {
        return Ok(Config::load(path)?);
    }
    let in_data = engine::config::default_path(&shared.data_dir);
    let here = std::path::PathBuf::from("hawker.toml");
    match [in_data, here].iter().find(|path| path.exists()) {
        Some(path) => Ok(Config::load(path)?),
        None => Ok(Config::default()),
    }
}

/// The shop's store, which must exist.
fn store(shared: &Shared) -> Outcome<Store> {
    Ok(Store::open_existing(&shared.data_dir)?)
}

/// A number with thousands separated, for people.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn thousands_are_separated() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (1_056_743, "1,056,743"),
        ] {
            assert_eq!(grouped(number), text);
        }
    }
}
