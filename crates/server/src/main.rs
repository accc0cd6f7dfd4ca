//! The binary `hawker`: from a shop's files to one personalised, checked and explained message for every shopper.
//!
//! ```sh
//! hawker import online-retail orders.csv --consent push:marketing=granted
//! hawker campaign --channel push --goal click --out campaign.jsonl
//! ```
//!
//! The way in is [`cli::Cli`], what may be asked; [`commands`] has one function a command, which calls `engine` and prints;
//! `report` turns what was measured into one HTML file.
//!
//! This crate never decides anything about shoppers: that is the engine's.

mod cli;
mod commands;
mod measured;
mod report;
mod svg;
mod terminal;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command};
use terminal::Terminal;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The result of a command; an error is a sentence for the person at the terminal.
type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// A failure whose result was printed already: the exit code alone is left to give.
#[derive(Debug)]
struct Told;

impl std::fmt::Display for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("see above")
    }
}

impl std::error::Error for Told {}

fn main() -> ExitCode {
    engine::one_thread_per_operation();
    let cli = Cli::parse();
    let terminal = Terminal::new(cli.shared.json);
    match run(&cli, terminal) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if !error.is::<Told>() {
                terminal.fault(error.as_ref());
            }
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli, terminal: Terminal) -> Outcome<()> {
    let shared = &cli.shared;
    match &cli.command {
        Command::Demo(args) => commands::demo::run(shared, args, terminal),
        Command::Init(args) => commands::init::run(args, terminal),
        Command::Import(args) => commands::import::run(shared, args, terminal),
        Command::Quarantine(args) => commands::quarantine::run(shared, args, terminal),
        Command::Train(args) => commands::train::run(shared, args, terminal),
        Command::Drift(args) => commands::drift::run(shared, args, terminal),
        Command::Tune(args) => commands::tune::run(shared, args, terminal),
        Command::Evaluate(args) => commands::evaluate::run(shared, args, terminal),
        Command::Click(args) => commands::click::run(shared, args, terminal),
        Command::Campaign(args) => commands::campaign::run(shared, args, terminal),
        Command::Learn(args) => commands::learn::run(shared, args, terminal),
        Command::Lift(args) => commands::lift::run(shared, args, terminal),
        Command::Run(args) => commands::run::run(shared, args, terminal),
        Command::Report(args) => commands::report::run(shared, args, terminal),
        Command::Status => commands::status::run(shared, terminal),
        Command::Export(args) => commands::export::run(shared, args, terminal),
        Command::Bench(args) => commands::bench::run(shared, args, terminal),
        Command::Copy(args) => commands::copy::run(shared, args, terminal),
        Command::Recommend(args) => commands::recommend::run(shared, args, terminal),
    }
}
