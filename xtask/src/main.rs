//! The chores of this repository: `tidy` checks what a reviewer should not have to, `soak` kills the
//! program at random moments and checks that running it again leads to the same end state.
//!
//! ```sh
//! cargo xtask tidy
//! cargo xtask soak --moments 20 --what all
//! ```
//!
//! Every rule is a function from text to [`finding::Finding`]s in a module of its own under `tidy`, so a
//! rule is tested on strings and changed without reading the others.
//!
//! This crate never changes a file of the repository: it reads, counts and reports.
#![allow(
    clippy::print_stdout,
    reason = "a command line tool for developers reports on standard output"
)]

mod finding;
mod program_output;
mod repository;
mod rust_source;
mod soak;
mod tidy;

use std::process::ExitCode;

/// The result of a chore; an error is a sentence for the person at the terminal.
type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const USAGE: &str = "usage:
  cargo xtask tidy
      checks the crate graph, links, lint exceptions, leftovers, crate docs and licences; prints sizes
  cargo xtask soak [--moments N] [--what import|training|all] [--seed N] [--data DIR] [--hawker PATH] [-- TRAIN-ARGUMENTS]
      kills `hawker` at N random moments each and compares the end states (default: 20 moments, all)";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.split_first() {
        Some((chore, [])) if chore == "tidy" => tidy::run(),
        Some((chore, rest)) if chore == "soak" => soak::run(rest),
        Some((chore, _)) if matches!(chore.as_str(), "help" | "--help" | "-h") => {
            println!("{USAGE}");
            Ok(true)
        }
        _ => Err(USAGE.into()),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}
